//! Takes time slots off the timetable that a changed timetable has no more; never one that somebody has a place in, and
//! never one that was not made from a timetable.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use aggregates::{
    branch::Branch,
    business_day::{Weekday, moment, on_the_wall},
    ids::{MovieId, ScheduleId, TimeSlotId},
    rights::Authority,
    schedule::Schedule,
    theme::Theme,
    time_slot::{Show, TimeSlot, TimeSlotCommand},
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::{GENERATIONS_MAX, Shows, Timetable, planned};
use crate::{
    admin_commands::Administrable as _,
    administration::Denied,
    programme::IN_USE,
    store::{Request, Stop, Store, StoreError, UnitOfWork},
};

/// The command in the metadata of what is taken off here.
pub(super) const FOLLOW: &str = "time-slots/follow-timetable";
/// Why it is taken off.
const REASON: &str = "the imported timetable has it no more";

/// A time slot that is not as a timetable says; a person must decide.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unsettled {
    /// The branch and its auditorium or theme.
    pub place: String,
    /// Its business day and time there.
    pub starts: String,
    /// The slot that stands; where one is missing, the one in its way.
    pub time_slot: TimeSlotId,
    /// Why it is not settled.
    pub why: Why,
}

/// Why a slot is not as a timetable says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Why {
    /// It is not in the timetable, but somebody has a place in it.
    Taken,
    /// It is not in the timetable, but nobody asked to follow that on its day.
    NotAsked,
    /// It is in the timetable, but was not made: this one is in its way.
    InTheWay {
        /// When the other one starts, there.
        starts: String,
    },
}

/// What following a timetable did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Followed {
    /// Time slots that were taken off the timetable.
    pub withdrawn: usize,
    /// Time slots that stay although the timetable has them no more.
    pub unsettled: Vec<Unsettled>,
    /// The position up to which the log holds all of it.
    pub position: i64,
}

impl std::ops::AddAssign for Followed {
    fn add_assign(&mut self, part: Self) {
        self.withdrawn += part.withdrawn;
        self.unsettled.extend(part.unsettled);
        self.position = self.position.max(part.position);
    }
}

/// A slot made from a timetable that has it no more.
struct Stranger {
    time_slot: TimeSlotId,
    day: u16,
    starts: String,
}

/// Takes the slots of the first `days` off the programme that it has no more, and names those that stay: because somebody
/// has a place in them, or because they are on a later day of the `looked_at`.
pub async fn follow(
    store: &Store,
    policy: &'static str,
    timetable: &Timetable,
    days: u16,
    looked_at: u16,
) -> Result<Followed, Stop<Denied>> {
    let (place, strangers) = strangers(store, policy, timetable, 0..looked_at.max(days)).await?;
    let mut followed = Followed::default();
    for stranger in strangers {
        let mut keep = |why| {
            followed.unsettled.push(Unsettled {
                place: place.clone(),
                starts: stranger.starts.clone(),
                time_slot: stranger.time_slot,
                why,
            });
        };
        if stranger.day >= days {
            keep(Why::NotAsked);
            continue;
        }
        let withdrawn = store
            .run(&Request::system(policy, FOLLOW), |mut unit| async move {
                unit.at_branch(timetable.branch);
                let withdraw = TimeSlotCommand::Withdraw {
                    reason: REASON.parse().ok(),
                };
                TimeSlot::carry_out(&mut unit, &stranger.time_slot, withdraw, &Authority::whole()).await
            })
            .await;
        match withdrawn {
            Ok(committed) => {
                followed.withdrawn += 1;
                followed.position = followed.position.max(committed.position);
            }
            Err(Stop::Refused(denied)) if denied.refusal().slug() == IN_USE => keep(Why::Taken),
            Err(stop) => return Err(stop),
        }
    }
    Ok(followed)
}

/// The place's name, and the slots of these days that were made from a timetable, have not started, and are not in this
/// one. Closing days, closed branches and what is no longer offered are left alone: their slots stay by their own rules.
async fn strangers(
    store: &Store,
    policy: &'static str,
    timetable: &Timetable,
    days: Range<u16>,
) -> Result<(String, Vec<Stranger>), Stop<Denied>> {
    let found = Mutex::new((String::new(), Vec::new()));
    store
        .run(
            &Request::system(policy, "time-slots/compare-timetable"),
            |mut unit| {
                let (found, days) = (&found, days.clone());
                async move {
                    let place = timetable.name(&mut unit).await?;
                    let strangers = on_days(&mut unit, timetable, days).await?;
                    *found.lock().unwrap_or_else(PoisonError::into_inner) = (place, strangers);
                    Ok::<(), Stop<Denied>>(())
                }
            },
        )
        .await?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn on_days(
    work: &mut UnitOfWork,
    timetable: &Timetable,
    days: Range<u16>,
) -> Result<Vec<Stranger>, StoreError> {
    let now = work.now();
    let Ok(site) = work.load::<Branch>(&timetable.branch).await?.open().cloned() else {
        return Ok(Vec::new());
    };
    let zone = site.premises.time_zone.zone();
    let (today, _) = on_the_wall(&zone, now);
    let on = |day: u16| ScheduleId {
        place: timetable.place(),
        date: today.saturating_add(i64::from(day).days()),
    };
    let all: Vec<ScheduleId> = days.clone().map(on).collect();
    work.load_all::<Schedule>(&all).await?;
    let mut strangers = Vec::new();
    for day in days {
        let id = on(day);
        let entries = work.state::<Schedule>(&id)?.entries().to_vec();
        if entries.is_empty() || site.closed_on.contains_key(&id.date) {
            continue;
        }
        let Some(wanted) = timetable.starts(work, &zone, id.date).await? else {
            continue;
        };
        let slots: Vec<TimeSlotId> = entries.iter().map(|entry| entry.time_slot).collect();
        work.load_all::<TimeSlot>(&slots).await?;
        for entry in entries.into_iter().filter(|entry| entry.starts_at > now) {
            let plan = match work.state::<TimeSlot>(&entry.time_slot)? {
                TimeSlot::OnSale(plan) | TimeSlot::Closed(plan) => plan,
                TimeSlot::Unknown | TimeSlot::Withdrawn(_) => continue,
            };
            let shown = match plan.show {
                Show::Movie { movie, .. } => Some(movie),
                Show::Theme { .. } => None,
            };
            let made_here = || (0..GENERATIONS_MAX).any(|again| planned(plan, again) == entry.time_slot);
            if !wanted.contains(&(entry.starts_at, shown)) && made_here() {
                strangers.push(Stranger {
                    time_slot: entry.time_slot,
                    day,
                    starts: on_its_wall(&zone, entry.starts_at),
                });
            }
        }
    }
    Ok(strangers)
}

/// A moment as people there call it: the business day and the time on the wall.
pub(super) fn on_its_wall(zone: &TimeZone, moment: Timestamp) -> String {
    let (date, time) = on_the_wall(zone, moment);
    format!("{date} {time}")
}

impl Timetable {
    /// What starts when on this business day, whether or not it can be sold; none, if nothing says so.
    async fn starts(
        &self,
        work: &mut UnitOfWork,
        zone: &TimeZone,
        date: Date,
    ) -> Result<Option<Vec<(Timestamp, Option<MovieId>)>>, StoreError> {
        let today = Weekday::of(date);
        let at = |start| moment(zone, date, start).ok();
        Ok(match &self.shows {
            Shows::Screenings(shown) => {
                let shown = shown
                    .screenings
                    .iter()
                    .filter(|shown| shown.days.contains(&today));
                Some(
                    shown
                        .filter_map(|shown| Some((at(shown.starts)?, Some(shown.movie))))
                        .collect(),
                )
            }
            Shows::Sessions(theme) => {
                let theme = work.load::<Theme>(theme).await?.active();
                let starts = theme.ok().map(|game| game.slots.starts_on(today));
                starts.map(|starts| starts.filter_map(|start| Some((at(start)?, None))).collect())
            }
        })
    }
}
