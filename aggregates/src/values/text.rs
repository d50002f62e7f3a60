//! Texts with a greatest length and without control characters: what jsonb, pages and terminals can all hold.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unprintable {
    /// Nothing is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More characters than the limit.
    #[error("must have at most {max} characters, has {has}")]
    TooLong {
        /// The limit in characters.
        max: usize,
        /// How many there are.
        has: usize,
    },
    /// NUL, a control character or an invisible separator.
    #[error("must not contain control characters (found U+{0:04X})")]
    Control(u32),
    /// Not what this kind of text must look like.
    #[error("must be {0}")]
    Malformed(&'static str),
}

/// Trims `text` and checks what every text must satisfy; `lines` allows line breaks.
fn checked(text: &str, max: usize, lines: bool) -> Result<SmolStr, Unprintable> {
    let text = text.trim();
    let forbidden = |c: char| {
        (c.is_control() && !(lines && c == '\n')) || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
    };
    if let Some(c) = text.chars().find(|c| forbidden(*c)) {
        return Err(Unprintable::Control(u32::from(c)));
    }
    match text.chars().count() {
        0 => Err(Unprintable::Empty),
        has if has > max => Err(Unprintable::TooLong { max, has }),
        _ => Ok(SmolStr::new(text)),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the checks a text may have")]
fn any(_: &str) -> Result<(), Unprintable> {
    Ok(())
}

fn web_address(text: &str) -> Result<(), Unprintable> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !text.contains(char::is_whitespace) => Ok(()),
        Some(_) | None => Err(Unprintable::Malformed(
            "a web address that begins with https:// or http://",
        )),
    }
}

fn time_zone(text: &str) -> Result<(), Unprintable> {
    let known = jiff::tz::TimeZoneDatabase::bundled().get(text).is_ok();
    if known {
        Ok(())
    } else {
        Err(Unprintable::Malformed(
            "an IANA time zone, for example Asia/Seoul",
        ))
    }
}

fn account_number(text: &str) -> Result<(), Unprintable> {
    let fine =
        text.chars().all(|c| c.is_ascii_digit() || c == '-') && text.chars().any(|c| c.is_ascii_digit());
    if fine {
        Ok(())
    } else {
        Err(Unprintable::Malformed("digits and dashes"))
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident: $max:tt, lines: $lines:literal, $check:path, $example:tt;)+) => {
        $(
            $(#[$doc])+
            #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
            #[schema(value_type = String, min_length = 1, max_length = $max, example = $example)]
            pub struct $name(SmolStr);

            impl $name {
                /// The greatest number of characters.
                pub const LENGTH_MAX: usize = $max;

                /// The text.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl std::str::FromStr for $name {
                type Err = Unprintable;

                fn from_str(text: &str) -> Result<Self, Unprintable> {
                    let text = checked(text, $max, $lines)?;
                    $check(&text)?;
                    Ok(Self(text))
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(&self.0)
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
                }
            }
        )+
    };
}

texts! {
    /// The unique name of a branch, theme, auditorium or price policy (DOMAIN C2, E1, E2).
    Name: 100, lines: false, any, "강남점";
    /// A movie's title (DOMAIN C2).
    Title: 120, lines: false, any, "한강의 밤";
    /// A price category of seats (DOMAIN C3).
    Category: 40, lines: false, any, "스탠다드";
    /// A customer's name (DOMAIN E5).
    CustomerName: 100, lines: false, any, "홍길동";
    /// A postal address or its detail.
    Address: 200, lines: false, any, "예시대로 1";
    /// A longer text: a description, a notice.
    Description: 4000, lines: true, any, "예약 시각 10분 전까지 도착해 주세요.";
    /// A reason or remark by staff.
    Note: 500, lines: true, any, "고객 요청";
    /// An address on the web, of an image for example.
    Url: 2000, lines: false, web_address, "https://example.com/poster.jpg";
    /// A time zone by its IANA name.
    ZoneName: 64, lines: false, time_zone, "Asia/Seoul";
    /// The number of a bank account.
    AccountNumber: 40, lines: false, account_number, "500-300-123400";
}

impl ZoneName {
    /// The zone with its rules.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        // Checked when the name was parsed; the bundled database does not change while we run.
        jiff::tz::TimeZoneDatabase::bundled()
            .get(&self.0)
            .unwrap_or(jiff::tz::TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_trimmed() {
        assert_eq!("  강남점 ".parse::<Name>().expect("a name").as_str(), "강남점");
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!("가".repeat(100).parse::<Name>().is_ok());
        assert_eq!(
            "가".repeat(101).parse::<Name>(),
            Err(Unprintable::TooLong { max: 100, has: 101 })
        );
    }

    #[test]
    fn control_characters_are_refused() {
        assert_eq!("a\0b".parse::<Name>(), Err(Unprintable::Control(0)));
        assert_eq!("a\nb".parse::<Name>(), Err(Unprintable::Control(10)));
        assert!("a\nb".parse::<Description>().is_ok());
    }

    #[test]
    fn nothing_but_spaces_is_empty() {
        assert_eq!("   ".parse::<Name>(), Err(Unprintable::Empty));
    }

    #[test]
    fn a_zone_must_exist() {
        assert!("Asia/Seoul".parse::<ZoneName>().is_ok());
        assert!("Asia/Gangnam".parse::<ZoneName>().is_err());
    }
}
