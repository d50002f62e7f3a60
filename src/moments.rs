//! Moments as people write them where a period is asked for, and as they read them in a sentence; never a moment of the
//! business.

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

/// A sentence with every moment in it by the clock of this zone: rules know no zones, and write moments in UTC.
#[must_use]
pub fn on_the_wall(sentence: &str, zone: &TimeZone) -> String {
    let part_of_moment =
        |letter: char| letter.is_ascii_digit() || matches!(letter, 'T' | 'Z' | ':' | '-' | '.');
    let mut told = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(begin) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let (before, from) = rest.split_at(begin);
        told.push_str(before);
        let end = from.find(|letter| !part_of_moment(letter)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        // What stands behind it may end the sentence.
        let moment = word.trim_end_matches(|letter| letter != 'Z');
        match moment.parse::<Timestamp>() {
            Ok(at) => {
                let at = at.to_zoned(zone.clone());
                told.push_str(&at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
                told.push_str(&word[moment.len()..]);
            }
            Err(_) => told.push_str(word),
        }
        rest = after;
    }
    told.push_str(rest);
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_a_sentence_are_those_of_the_zone() {
        let zone = TimeZone::get("Asia/Seoul").expect("a zone");
        for (english, told) in [
            (
                "sales open at 2026-12-24T10:00:00Z",
                "sales open at 2026-12-24T19:00:00+09:00",
            ),
            (
                "until 2026-12-24T20:00:00.123456Z; C7: taken",
                "until 2026-12-25T05:00:00+09:00; C7: taken",
            ),
            (
                "(2026-12-24T10:00:00Z, 2 of 3).",
                "(2026-12-24T19:00:00+09:00, 2 of 3).",
            ),
            (
                "it ended at 2026-12-24T10:00:00Z.",
                "it ended at 2026-12-24T19:00:00+09:00.",
            ),
            ("on 2026-12-24 nothing is sold", "on 2026-12-24 nothing is sold"),
            ("A1, 2026-13-45T10:00:00Z: 99관", "A1, 2026-13-45T10:00:00Z: 99관"),
            ("", ""),
        ] {
            assert_eq!(on_the_wall(english, &zone), told);
        }
    }

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
