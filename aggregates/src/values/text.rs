//! Texts with a greatest length, in one spelling (NFC) and without what cannot be seen: what jsonb, pages and terminals
//! can all hold, and people can tell apart. Never a rule about what they mean.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

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
    /// NUL, a control character, an invisible one or one that turns the direction of writing.
    #[error("must not contain control or invisible characters (found U+{0:04X})")]
    Control(u32),
    /// Not what this kind of text must look like.
    #[error("must be {0}")]
    Malformed(&'static str),
}

/// Whether nothing is seen of `c`, or it changes how its neighbours are shown: general category Cf, and the fillers of
/// Hangul and Khmer. The joiners stay: emoji and some scripts cannot be written without them.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}' | '\u{200b}' | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

/// A name as it is compared: two that look alike are one. Compatible forms, upper and lower case and the width of gaps are
/// the same (NFKC), and joiners and variation selectors, which may not show, do not count.
#[must_use]
pub fn folded(name: &str) -> String {
    let shown = |c: &char| {
        !is_unseen(*c)
            && !matches!(c, '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{e0100}'..='\u{e01ef}')
    };
    let folded: String = name
        .nfkc()
        .filter(shown)
        .flat_map(char::to_lowercase)
        .nfkc()
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Trims `text`, spells it in one way and checks what every text must satisfy; `lines` allows line breaks.
fn checked(text: &str, max: usize, lines: bool) -> Result<SmolStr, Unprintable> {
    let text = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text.trim()),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.trim().nfc().collect()),
    };
    let forbidden = |c: char| (c.is_control() && !(lines && c == '\n')) || is_unseen(c);
    if let Some(c) = text.chars().find(|c| forbidden(*c)) {
        return Err(Unprintable::Control(u32::from(c)));
    }
    match text.chars().count() {
        0 => Err(Unprintable::Empty),
        has if has > max => Err(Unprintable::TooLong { max, has }),
        _ => Ok(SmolStr::new(&*text)),
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

fn login(text: &str) -> Result<(), Unprintable> {
    if text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    {
        Ok(())
    } else {
        Err(Unprintable::Malformed(
            "Latin letters, digits, dots, dashes and underscores",
        ))
    }
}

fn e_mail(text: &str) -> Result<(), Unprintable> {
    let fine = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
    let address = text.rsplit_once('@').filter(|(name, domain)| {
        fine(name)
            && fine(domain)
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    });
    address.map(drop).ok_or(Unprintable::Malformed(
        "an e-mail address, for example name@example.com",
    ))
}

/// What ends, quotes or lists addresses in a header of a letter (RFC 5322): with one of them an address could name another.
const NOT_IN_ADDRESSES: [char; 11] = ['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\'];

fn plain_e_mail(text: &str) -> Result<(), Unprintable> {
    e_mail(text)?;
    if text.contains(NOT_IN_ADDRESSES) {
        return Err(Unprintable::Malformed(
            "an e-mail address alone, without a name, quotes, brackets or a list",
        ));
    }
    Ok(())
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
    /// What an admin signs in with (DOMAIN P2).
    LoginId: 20, lines: false, login, "minseo";
    /// A customer's e-mail address (DOMAIN P1), as the log may have it.
    Email: 120, lines: false, e_mail, "haneul@example.com";
    /// A customer's e-mail address as somebody gives it: stricter than those that were taken before.
    GivenEmail: 120, lines: false, plain_e_mail, "haneul@example.com";
    /// What a customer is called among customers (DOMAIN P1).
    Nickname: 20, lines: false, any, "하늘";
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
    /// What a bank or a payment provider calls a transaction.
    BankReference: 100, lines: false, any, "20261121-000123";
    /// Where a customer wants their money back.
    RefundAccount: 120, lines: false, any, "예시은행 100-200-300 홍길동";
    /// The number of a bank account.
    AccountNumber: 40, lines: false, account_number, "500-300-123400";
}

impl From<GivenEmail> for Email {
    fn from(GivenEmail(text): GivenEmail) -> Self {
        Self(text)
    }
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
    fn a_text_is_spelt_in_one_way() {
        // "강남점" as one keyboard composes it and as another system decomposes it.
        let decomposed = "\u{1100}\u{1161}\u{11bc}\u{1102}\u{1161}\u{11b7}\u{110c}\u{1165}\u{11b7}";
        assert_eq!(decomposed.parse::<Name>(), "강남점".parse());
        assert!(decomposed.repeat(33).parse::<Name>().is_ok(), "99 syllables");
    }

    #[test]
    fn what_cannot_be_seen_is_refused_except_joiners() {
        for unseen in [
            '\u{200b}',
            '\u{202e}',
            '\u{2066}',
            '\u{ad}',
            '\u{3164}',
            '\u{e0041}',
            '\u{2028}',
        ] {
            let refused = Err(Unprintable::Control(u32::from(unseen)));
            assert_eq!(format!("홍{unseen}길동").parse::<CustomerName>(), refused);
            let text = format!("공지{unseen}사항");
            assert!(text.parse::<Description>().is_err(), "{text:?}");
        }
        for fine in [
            "👨\u{200d}👩\u{200d}👧 가족실",
            "\u{2764}\u{fe0f}",
            "می\u{200c}خواهم",
        ] {
            assert_eq!(fine.parse::<Name>().expect("a name").as_str(), fine);
        }
    }

    #[test]
    fn names_that_look_alike_are_folded_to_one() {
        for (one, other) in [
            ("Gangnam", "ＧＡＮＧＮＡＭ"),
            ("강남점", "\u{1100}\u{1161}\u{11bc}남점"),
            ("강남점", "강\u{200d}남점\u{fe0f}"),
            ("강남 1호점", "강남\u{a0} \u{2003}1호점"),
            ("IMAX관", "imax관"),
        ] {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("강남점"), folded("강남역점"));
    }

    #[test]
    fn an_e_mail_address_has_a_name_and_a_domain() {
        assert!("haneul+jari@example.co.kr".parse::<Email>().is_ok());
        for bad in [
            "haneul",
            "@example.com",
            "haneul@",
            "haneul@example",
            "a b@example.com",
            "a@b@example..com",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_e_mail_address_that_is_given_is_one_address_and_nothing_else() {
        for fine in [
            "haneul+jari@example.co.kr",
            "o'neil_1.2@example.com",
            "하늘@예시.한국",
        ] {
            assert!(fine.parse::<GivenEmail>().is_ok(), "{fine}");
        }
        for bad in [
            "a<victim@example.com>",
            "<victim@example.com>",
            "victim@example.com,other@example.com",
            "victim;@example.com",
            "group:victim@example.com",
            "\"victim\"@example.com",
            "victim(comment)@example.com",
            "victim@[192.0.2.1].example",
            "vic\\tim@example.com",
            "vic tim@example.com",
            "vic\u{a0}tim@example.com",
            "victim@example.com\r\nBcc: other@example.com",
        ] {
            assert!(bad.parse::<GivenEmail>().is_err(), "{bad}");
        }
        // What was taken before can still be read.
        let stored: Result<Email, _> = serde_json::from_str("\"a<victim@example.com>\"");
        assert_eq!(
            stored.expect("as it stands in the log").as_str(),
            "a<victim@example.com>"
        );
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
