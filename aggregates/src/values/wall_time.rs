//! A time on the wall of a branch within its business day, 05:00 to 29:00 (DOMAIN C5); never a moment by itself.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Hours and minutes since the midnight the business day began on: `25:10` is ten past one of the next calendar day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^(([01][0-9]|2[0-8]):[0-5][0-9]|29:00)$", example = "19:00")]
pub struct WallTime(i16);

/// Why a text is no time of a business day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time between 00:00 and 29:00, for example 19:00 or 25:10")]
pub struct NotAWallTime;

impl WallTime {
    /// The end of a business day.
    pub const END: Self = Self(29 * 60);
    /// The start of a business day.
    pub const START: Self = Self(5 * 60);

    /// Minutes since the midnight the business day began on.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        self.0
    }

    /// The time on the wall when the clock shows `clock`: before 05:00 it belongs to the evening before.
    #[must_use]
    pub fn of_business_day(clock: jiff::civil::Time) -> Self {
        let minutes = i16::from(clock.hour()) * 60 + i16::from(clock.minute());
        Self(if minutes < Self::START.0 {
            minutes + 24 * 60
        } else {
            minutes
        })
    }
}

impl FromStr for WallTime {
    type Err = NotAWallTime;

    fn from_str(text: &str) -> Result<Self, NotAWallTime> {
        let two = |part: &str| -> Result<i16, NotAWallTime> {
            if part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()) {
                part.parse().map_err(|_| NotAWallTime)
            } else {
                Err(NotAWallTime)
            }
        };
        let (hours, minutes) = text.split_once(':').ok_or(NotAWallTime)?;
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let total = hours * 60 + minutes;
        if minutes < 60 && total <= Self::END.0 {
            Ok(Self(total))
        } else {
            Err(NotAWallTime)
        }
    }
}

impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for WallTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WallTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    #[test]
    fn after_midnight_belongs_to_the_evening_before() {
        assert_eq!(WallTime::of_business_day(time(1, 10, 0, 0)).to_string(), "25:10");
        assert_eq!(WallTime::of_business_day(time(5, 0, 0, 0)).to_string(), "05:00");
    }

    #[test]
    fn only_times_of_a_business_day_are_read() {
        for text in ["29:01", "24:60", "9:00", "", "19.00", "-1:00", "1９:00"] {
            assert!(text.parse::<WallTime>().is_err(), "{text}");
        }
        assert_eq!("29:00".parse::<WallTime>(), Ok(WallTime::END));
    }
}
