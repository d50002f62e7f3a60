//! Moments as people write them where a period is asked for; never a moment of the business.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment like 2026-12-24T10:00:00Z, or a day like 2026-12-24 (its first moment in UTC)")]
pub struct NoMoment;

/// A moment with its offset, or the first moment of a day in UTC.
pub fn read(text: &str) -> Result<Timestamp, NoMoment> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let day = Date::strptime("%Y-%m-%d", text).map_err(|_| NoMoment)?;
    let first = day.to_zoned(TimeZone::UTC).map_err(|_| NoMoment)?;
    Ok(first.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_its_first_moment_in_utc() {
        let midnight = "2026-11-21T00:00:00Z".parse();
        assert_eq!(read("2026-11-21"), midnight.map_err(|_| NoMoment));
        let evening = "2026-11-21T10:00:00Z".parse();
        assert_eq!(read("2026-11-21T19:00:00+09:00"), evening.map_err(|_| NoMoment));
        for text in [
            "",
            "2026-11",
            "2026-11-31",
            "yesterday",
            "2026-11-21T10:00:00",
            "2026-11-21 ",
        ] {
            assert_eq!(read(text), Err(NoMoment), "{text}");
        }
    }
}
