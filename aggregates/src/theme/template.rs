//! The weekly template of a theme, its party and the opening of its sales; never a time slot by itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{DAYS_AHEAD_MAX, PARTY_MAX, ThemeError};
use crate::{
    business_day::{Weekday, moment},
    fault::{Fault, Faults},
    values::WallTime,
};

/// How many people play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartyRange {
    /// The smallest group.
    pub min: u8,
    /// The largest group.
    pub max: u8,
    /// The group a booking form starts with.
    #[serde(default = "two")]
    pub default: u8,
}

/// Everything that is not as a rule says: where, and how it must be.
pub(super) fn kept<'a>(rules: impl IntoIterator<Item = (bool, &'a str, &'a str)>) -> Result<(), Faults> {
    let broken = rules.into_iter().filter(|(kept, _, _)| !kept);
    let faults: Vec<Fault> = broken.map(|(_, at, problem)| Fault::at(at, problem)).collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Faults(faults))
    }
}

const fn two() -> u8 {
    2
}

impl PartyRange {
    pub(super) fn sound(&self) -> Result<(), ThemeError> {
        let Self { min, max, default } = *self;
        let size = |people: u8| (1..=PARTY_MAX).contains(&people);
        let people = format!("must be 1 to {PARTY_MAX} people");
        let ordered = min <= max;
        let rules = [
            (size(min), "/party/min", people.as_str()),
            (size(max), "/party/max", &people),
            (
                ordered || !size(min) || !size(max),
                "/party/max",
                "must not be below min",
            ),
            (
                !ordered || (min..=max).contains(&default),
                "/party/default",
                "must be from min to max; it is 2, where it is left out",
            ),
        ];
        kept(rules).map_err(ThemeError::PartyOutOfRange)
    }
}

/// When sales of a slot open: so many days before its business day, at this time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SalesOpening {
    /// How many days before: six, unless the theme says otherwise (DOMAIN E2).
    #[serde(default = "six")]
    pub days_ahead: u16,
    /// At what time of that calendar day.
    pub time: WallTime,
}

const fn six() -> u16 {
    6
}

impl SalesOpening {
    /// Whether there is such an opening; else every fault, as the field `opens` holds it.
    pub fn sound(self) -> Result<(), ThemeError> {
        let days = format!("must be at most {DAYS_AHEAD_MAX}");
        let rules = [
            (
                self.days_ahead <= DAYS_AHEAD_MAX,
                "/opens/days_ahead",
                days.as_str(),
            ),
            (
                self.time.minutes() < 24 * 60,
                "/opens/time",
                "must be before 24:00",
            ),
        ];
        kept(rules).map_err(ThemeError::OpeningOutOfRange)
    }

    /// When sales of the slots of `business_date` open in `zone`.
    pub fn moment(self, zone: &TimeZone, business_date: Date) -> Result<Timestamp, jiff::Error> {
        moment(
            zone,
            business_date.checked_sub(i64::from(self.days_ahead).days())?,
            self.time,
        )
    }
}

/// When slots start, for each day of the week; none on days that are not named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<Weekday, Vec<WallTime>>)]
pub struct WeeklyTemplate(BTreeMap<Weekday, BTreeSet<WallTime>>);

/// Two starts that leave no time between them, or one outside the business day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateClash {
    /// The room is not ready for the second.
    #[error("the slot on {day} at {start} leaves only {minutes} minutes until the next")]
    Overlap {
        /// The day of the first.
        day: Weekday,
        /// When the first starts.
        start: WallTime,
        /// How long until the second.
        minutes: i32,
    },
    /// Before 05:00, or at 29:00.
    #[error("the slot on {day} at {start} is not within the business day, 05:00 to 29:00")]
    OutsideBusinessDay {
        /// The day.
        day: Weekday,
        /// When it starts.
        start: WallTime,
    },
}

impl WeeklyTemplate {
    /// The same starts on every day of the week.
    #[must_use]
    pub fn daily(starts: impl IntoIterator<Item = WallTime>) -> Self {
        let starts: BTreeSet<WallTime> = starts.into_iter().collect();
        Self(
            Weekday::ALL
                .into_iter()
                .map(|day| (day, starts.clone()))
                .collect(),
        )
    }

    /// These starts on these days of the week.
    #[must_use]
    pub fn weekly(starts: impl IntoIterator<Item = (Weekday, WallTime)>) -> Self {
        let mut week: BTreeMap<Weekday, BTreeSet<WallTime>> = BTreeMap::new();
        for (day, start) in starts {
            week.entry(day).or_default().insert(start);
        }
        Self(week)
    }

    /// The starts on `day`, early ones first.
    pub fn starts_on(&self, day: Weekday) -> impl Iterator<Item = WallTime> {
        self.0.get(&day).into_iter().flatten().copied()
    }

    /// Whether every start leaves at least `minutes` to the next, from Sunday night to Monday morning too.
    pub fn fits(&self, minutes: u16) -> Result<(), TemplateClash> {
        let day_minutes = 24 * 60;
        let mut week = Vec::new();
        for (index, day) in (0_i32..).zip(Weekday::ALL) {
            for start in self.starts_on(day) {
                if start < WallTime::START || start >= WallTime::END {
                    return Err(TemplateClash::OutsideBusinessDay { day, start });
                }
                week.push((index * day_minutes + i32::from(start.minutes()), day, start));
            }
        }
        week.sort_unstable_by_key(|(at, _, _)| *at);
        let again = week.first().map(|(at, _, _)| at + 7 * day_minutes);
        let following = week.iter().skip(1).map(|(at, _, _)| *at).chain(again);
        for ((at, day, start), next) in week.iter().zip(following) {
            if next - at < i32::from(minutes) {
                return Err(TemplateClash::Overlap {
                    day: *day,
                    start: *start,
                    minutes: next - at,
                });
            }
        }
        Ok(())
    }
}
