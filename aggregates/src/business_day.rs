//! The day a branch lives by, 05:00 to 29:00 on its own wall (DOMAIN C5); never asks what time it is.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::values::WallTime;

/// A day of the week.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// 월요일.
    Monday,
    /// 화요일.
    Tuesday,
    /// 수요일.
    Wednesday,
    /// 목요일.
    Thursday,
    /// 금요일.
    Friday,
    /// 토요일.
    Saturday,
    /// 일요일.
    Sunday,
}

impl Weekday {
    /// Monday first.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// The day of the week of `date`.
    #[must_use]
    pub fn of(date: civil::Date) -> Self {
        match date.weekday() {
            civil::Weekday::Monday => Self::Monday,
            civil::Weekday::Tuesday => Self::Tuesday,
            civil::Weekday::Wednesday => Self::Wednesday,
            civil::Weekday::Thursday => Self::Thursday,
            civil::Weekday::Friday => Self::Friday,
            civil::Weekday::Saturday => Self::Saturday,
            civil::Weekday::Sunday => Self::Sunday,
        }
    }

    /// The day after.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % 7]
    }
}

impl std::fmt::Display for Weekday {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        })
    }
}

/// The moment the wall of a branch in `zone` shows `time` of the business day `date`. Where clocks are set forward over
/// it, the moment after the gap by as much as was asked for; where they are set back, the first of the two.
pub fn moment(zone: &TimeZone, date: civil::Date, time: WallTime) -> Result<Timestamp, jiff::Error> {
    let wall = date
        .to_datetime(civil::Time::midnight())
        .checked_add(i64::from(time.minutes()).minutes())?;
    Ok(zone.to_ambiguous_zoned(wall).compatible()?.timestamp())
}

/// The business day `moment` belongs to and what the wall shows then.
#[must_use]
pub fn on_the_wall(zone: &TimeZone, moment: Timestamp) -> (civil::Date, WallTime) {
    let clock = zone.to_datetime(moment);
    let early = clock.time() < civil::time(5, 0, 0, 0);
    let date = if early {
        clock.date().saturating_sub(1.day())
    } else {
        clock.date()
    };
    (date, WallTime::of_business_day(clock.time()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a bundled zone")
    }

    #[rstest]
    #[case("Asia/Seoul", "19:00", "2026-12-24T10:00:00Z")]
    #[case("Asia/Seoul", "25:10", "2026-12-24T16:10:00Z")]
    #[case("Asia/Seoul", "00:00", "2026-12-23T15:00:00Z")]
    #[case("UTC", "29:00", "2026-12-25T05:00:00Z")]
    fn a_wall_time_is_one_moment(#[case] name: &str, #[case] wall: &str, #[case] at: &str) {
        let wall: WallTime = wall.parse().expect("a wall time");
        let at: Timestamp = at.parse().expect("a moment");
        assert_eq!(
            moment(&zone(name), date(2026, 12, 24), wall).expect("in range"),
            at
        );
    }

    #[test]
    fn clocks_set_forward_or_back_leave_one_moment_for_every_wall_time() {
        let berlin = zone("Europe/Berlin");
        let at = |day: civil::Date, wall: &str| {
            moment(&berlin, day, wall.parse().expect("a wall time"))
                .expect("in range")
                .to_string()
        };
        // 02:30 on 2026-03-29 does not exist, 02:30 on 2026-10-25 exists twice; both belong to the evening before.
        assert_eq!(at(date(2026, 3, 28), "26:30"), "2026-03-29T01:30:00Z");
        assert_eq!(at(date(2026, 10, 24), "26:30"), "2026-10-25T00:30:00Z");
        assert_eq!(at(date(2026, 3, 29), "19:00"), "2026-03-29T17:00:00Z");
    }

    #[test]
    fn after_midnight_belongs_to_the_business_day_before() {
        let (day, wall) = on_the_wall(
            &zone("Asia/Seoul"),
            "2026-12-24T16:10:00Z".parse().expect("a moment"),
        );
        assert_eq!((day, wall.to_string().as_str()), (date(2026, 12, 24), "25:10"));
    }
}
