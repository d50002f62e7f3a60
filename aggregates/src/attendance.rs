//! When customers are let in, when they count as absent, and what that leads to (DOMAIN E9); rules of a branch that are
//! frozen into a reservation when it is placed. Never looks at the clock.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    time_slot::{Plan, Show},
};

/// Minutes before the start from which customers check in, unless the branch says otherwise.
pub const CHECK_IN_MINUTES_DEFAULT: u16 = 60;
/// The most minutes before the start from which they may: a day.
pub const CHECK_IN_MINUTES_MAX: u16 = 1_440;
/// Minutes after the start at which who did not come to a theme counts as absent, unless the branch says otherwise.
pub const NO_SHOW_MINUTES_DEFAULT: u16 = 30;
/// The most minutes after the start: a day.
pub const NO_SHOW_MINUTES_MAX: u16 = 1_440;
/// After how many no-shows somebody is barred, unless the branch says otherwise.
pub const NO_SHOWS_DEFAULT: u8 = 2;
/// Days within which no-shows count together, unless the branch says otherwise.
pub const WITHIN_DAYS_DEFAULT: u16 = 90;
/// Days somebody is barred for, unless the branch says otherwise.
pub const BARRED_DAYS_DEFAULT: u16 = 30;
/// The most days of either: two years.
pub const DAYS_MAX: u16 = 730;

/// How a branch deals with those who come and those who do not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttendanceRules {
    /// From how many minutes before the start customers check in; 60, unless said otherwise, and a day at most.
    #[schema(maximum = 1_440)]
    #[serde(default = "check_in_minutes")]
    pub check_in_minutes: u16,
    /// How many minutes after the start who has not come counts as absent; unless said otherwise, 30 for a theme, and for
    /// a movie when it ends.
    #[schema(maximum = 1_440)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_show_minutes: Option<u16>,
    /// After how many no-shows somebody is barred from booking; 2, unless said otherwise. With 0 nobody ever is.
    #[serde(default = "no_shows")]
    pub no_shows: u8,
    /// Within how many days they count together; 90, unless said otherwise.
    #[schema(minimum = 1, maximum = 730)]
    #[serde(default = "within_days")]
    pub within_days: u16,
    /// For how many days they are barred; 30, unless said otherwise.
    #[schema(minimum = 1, maximum = 730)]
    #[serde(default = "barred_days")]
    pub barred_days: u16,
}

const fn check_in_minutes() -> u16 {
    CHECK_IN_MINUTES_DEFAULT
}

const fn no_shows() -> u8 {
    NO_SHOWS_DEFAULT
}

const fn within_days() -> u16 {
    WITHIN_DAYS_DEFAULT
}

const fn barred_days() -> u16 {
    BARRED_DAYS_DEFAULT
}

impl Default for AttendanceRules {
    fn default() -> Self {
        Self {
            check_in_minutes: CHECK_IN_MINUTES_DEFAULT,
            no_show_minutes: None,
            no_shows: NO_SHOWS_DEFAULT,
            within_days: WITHIN_DAYS_DEFAULT,
            barred_days: BARRED_DAYS_DEFAULT,
        }
    }
}

impl AttendanceRules {
    /// Whether nothing is said otherwise than usual.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Every field beyond its limits.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let days = 1..=DAYS_MAX;
        let rules = [
            (
                self.check_in_minutes <= CHECK_IN_MINUTES_MAX,
                "/check_in_minutes",
                "must be at most 1440, a day",
            ),
            (
                self.no_show_minutes
                    .is_none_or(|minutes| minutes <= NO_SHOW_MINUTES_MAX),
                "/no_show_minutes",
                "must be at most 1440, a day",
            ),
            (
                days.contains(&self.within_days),
                "/within_days",
                "must be 1 to 730",
            ),
            (
                days.contains(&self.barred_days),
                "/barred_days",
                "must be 1 to 730",
            ),
        ];
        let broken = rules.into_iter().filter(|(kept, _, _)| !kept);
        broken
            .map(|(_, field, problem)| Fault::at(field, problem))
            .collect()
    }

    /// What they mean for a reservation of a slot with this plan.
    #[must_use]
    pub fn of(&self, plan: &Plan) -> Attendance {
        let no_show_at = match (self.no_show_minutes, &plan.show) {
            (Some(minutes), Show::Movie { .. } | Show::Theme { .. }) => after(plan.starts_at, minutes),
            (None, Show::Theme { .. }) => after(plan.starts_at, NO_SHOW_MINUTES_DEFAULT),
            (None, Show::Movie { .. }) => plan.ends_at,
        };
        let lead = SignedDuration::from_mins(self.check_in_minutes.into());
        Attendance {
            check_in_from: plan.starts_at.checked_sub(lead).unwrap_or(Timestamp::MIN),
            ends_at: plan.ends_at,
            no_show_at,
        }
    }
}

fn after(moment: Timestamp, minutes: u16) -> Timestamp {
    let later = moment.checked_add(SignedDuration::from_mins(minutes.into()));
    later.unwrap_or(Timestamp::MAX)
}

/// When the customers of one reservation are let in and when they count as absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendance {
    /// From when they check in.
    pub check_in_from: Timestamp,
    /// When the slot ends, and nobody checks in any more.
    pub ends_at: Timestamp,
    /// When who has not come counts as absent.
    pub no_show_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_is_said_about_is_as_usual() {
        let read: AttendanceRules = serde_json::from_str("{}").expect("all may be left out");
        assert!(read.is_usual());
        assert_eq!(read.faults(), []);
    }

    #[test]
    fn every_field_beyond_its_limits_is_named() {
        let wild = AttendanceRules {
            check_in_minutes: 1_441,
            no_show_minutes: Some(1_441),
            no_shows: 255,
            within_days: 0,
            barred_days: 731,
        };
        let named: Vec<String> = wild.faults().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(
            named,
            [
                "/check_in_minutes",
                "/no_show_minutes",
                "/within_days",
                "/barred_days"
            ]
        );
    }
}
