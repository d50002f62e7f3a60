//! Opens sales for the coming days: makes time slots from weekly timetables; never changes a slot that is there, and never
//! makes one again that somebody withdrew.
//!
//! A slot is known by its place and its start, so opening the same days again adds only what is missing, and any number of
//! processes may do it at once. Slots a changed timetable has no more are taken off only where that is asked for: see
//! [`follow()`]; what was taken off that way is made again when the timetable has it again.

mod follow;
mod plans;

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{
    StreamId,
    auditorium::Auditorium,
    branch::Branch,
    business_day::{Weekday, on_the_wall},
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ThemeId, TimeSlotId},
    seating::OrphanRule,
    theme::{SalesOpening, Theme},
    time_slot::{POOL_MINUTES_DEFAULT, Plan, Show, TimeSlot},
    values::WallTime,
};
use follow::{FOLLOW, on_its_wall};
pub use follow::{Followed, Unsettled, Why, follow};
use jiff::ToSpan as _;
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::{
    administration::Denied,
    programme,
    store::{Request, Stop, Store, StoreError, UnitOfWork},
};

/// Days of one place in one unit of work.
pub const UNIT_DAYS: u16 = 14;
/// Days that are made of every theme, at least: the tabs a customer sees (DOMAIN C5).
const SESSION_DAYS_MIN: u16 = 7;
/// How often one slot is made again at most after a timetable had it no more.
const GENERATIONS_MAX: u16 = 100;

/// What opening sales did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Opened {
    /// Time slots that were made.
    pub scheduled: usize,
    /// Time slots that were there, or were withdrawn by somebody.
    pub present: usize,
    /// Time slots that could not be made: another one of the same place is in the way.
    pub in_the_way: usize,
    /// Time slots that were not made, because their sales would only open when they have started.
    pub never_on_sale: usize,
    /// The slots in the way, one for each that could not be made.
    pub unsettled: Vec<Unsettled>,
    /// The position up to which the log holds all of it.
    pub position: i64,
}

impl std::ops::AddAssign for Opened {
    fn add_assign(&mut self, part: Self) {
        self.scheduled += part.scheduled;
        self.present += part.present;
        self.in_the_way += part.in_the_way;
        self.never_on_sale += part.never_on_sale;
        self.unsettled.extend(part.unsettled);
        self.position = self.position.max(part.position);
    }
}

/// What is shown in one place, week by week.
#[derive(Debug, Clone)]
pub struct Timetable {
    /// The branch the place belongs to.
    pub branch: BranchId,
    /// What is shown.
    pub shows: Shows,
}

/// What is shown in one place.
#[derive(Debug, Clone)]
pub enum Shows {
    /// Movies in an auditorium.
    Screenings(Screenings),
    /// As the theme's own template says.
    Sessions(ThemeId),
}

/// The movies of one auditorium.
#[derive(Debug, Clone)]
pub struct Screenings {
    /// Where.
    pub auditorium: AuditoriumId,
    /// What they cost.
    pub price_policy: PricePolicyId,
    /// Minutes before the start until which customers cancel online.
    pub cancel_minutes: u16,
    /// Which seats may be chosen together.
    pub seating: Seating,
    /// Which movies, and when.
    pub screenings: Arc<Vec<Screening>>,
}

/// Which seats may be chosen together (DOMAIN C12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seating {
    /// Whether a choice may leave a single seat alone.
    pub orphan_rule: OrphanRule,
    /// Minutes before the start from which wheelchair and companion places are sold to everyone.
    pub pool_minutes: u16,
}

impl Default for Seating {
    fn default() -> Self {
        Self {
            orphan_rule: OrphanRule::Off,
            pool_minutes: POOL_MINUTES_DEFAULT,
        }
    }
}

/// A movie shown at the same time on some days of every week.
#[derive(Debug, Clone)]
pub struct Screening {
    /// The movie.
    pub movie: MovieId,
    /// When it begins.
    pub starts: WallTime,
    /// On which days.
    pub days: BTreeSet<Weekday>,
}

/// How many days of a theme are made: tomorrow's sales opening must find its slots there.
#[must_use]
pub fn days_of(opens: SalesOpening) -> u16 {
    opens.days_ahead.saturating_add(2).max(SESSION_DAYS_MIN)
}

/// Makes the missing time slots of some business days, today being day 0. Closing days and starts that are past have none,
/// nor have closed branches, withdrawn movies and inactive themes.
pub async fn open(
    store: &Store,
    policy: &'static str,
    timetable: &Timetable,
    days: Range<u16>,
) -> Result<Opened, Stop<Denied>> {
    let counted = Mutex::new(Opened::default());
    let committed = store
        .run(&Request::system(policy, "time-slots/open-sales"), |mut unit| {
            let (counted, days) = (&counted, days.clone());
            async move {
                let opened = open_days(store, &mut unit, timetable, days).await?;
                *counted.lock().unwrap_or_else(PoisonError::into_inner) = opened;
                Ok(())
            }
        })
        .await?;
    let mut opened = counted.into_inner().unwrap_or_else(PoisonError::into_inner);
    opened.position = committed.position;
    Ok(opened)
}

/// Makes the missing time slots of a theme, as far ahead as it sells.
pub async fn open_theme(store: &Store, policy: &'static str, theme: ThemeId) -> Result<Opened, Stop<Denied>> {
    let mut opened = Opened::default();
    let Ok(game) = store.read::<Theme>(&theme).await?.active().cloned() else {
        return Ok(opened);
    };
    let timetable = Timetable {
        branch: game.branch,
        shows: Shows::Sessions(theme),
    };
    let days = days_of(game.opens);
    for from in (0..days).step_by(UNIT_DAYS.into()) {
        opened += open(store, policy, &timetable, from..days.min(from + UNIT_DAYS)).await?;
    }
    Ok(opened)
}

async fn open_days(
    store: &Store,
    work: &mut UnitOfWork,
    timetable: &Timetable,
    days: Range<u16>,
) -> Result<Opened, Stop<Denied>> {
    let now = work.now();
    let Ok(site) = work.load::<Branch>(&timetable.branch).await?.open().cloned() else {
        return Ok(Opened::default());
    };
    work.at_branch(timetable.branch);
    let zone = site.premises.time_zone.zone();
    let (today, _) = on_the_wall(&zone, now);
    let mut opened = Opened::default();
    let mut plans = Vec::new();
    for day in days {
        let date = today.saturating_add(i64::from(day).days());
        if !site.closed_on.contains_key(&date) {
            plans.extend(timetable.plans(work, &zone, date).await?);
        }
    }
    for plan in plans.into_iter().filter(|plan| plan.starts_at > now) {
        match programme::clash(work, &plan).await? {
            Some(entry)
                if entry.starts_at == plan.starts_at && shows(work, entry.time_slot, &plan).await? =>
            {
                opened.present += 1;
            }
            Some(entry) => {
                opened.in_the_way += 1;
                opened.unsettled.push(Unsettled {
                    place: timetable.name(work).await?,
                    starts: on_its_wall(&zone, plan.starts_at),
                    time_slot: entry.time_slot,
                    why: Why::InTheWay {
                        starts: on_its_wall(&zone, entry.starts_at),
                    },
                });
            }
            None if plan.sales_open_at >= plan.sales_close_at => opened.never_on_sale += 1,
            None => match vacant(store, work, &plan).await? {
                Some(id) => {
                    programme::schedule(work, id, plan).await?;
                    opened.scheduled += 1;
                }
                // No longer in its place: somebody withdrew it.
                None => opened.present += 1,
            },
        }
    }
    Ok(opened)
}

/// Whether a slot at the planned time shows what is planned; a theme's room has nothing else.
async fn shows(work: &mut UnitOfWork, id: TimeSlotId, plan: &Plan) -> Result<bool, StoreError> {
    let Show::Movie { movie: wanted, .. } = plan.show else {
        return Ok(true);
    };
    let known = work.load::<TimeSlot>(&id).await?.plan();
    Ok(known.is_ok_and(|known| matches!(known.show, Show::Movie { movie, .. } if movie == wanted)))
}

/// The id under which a planned slot is made; none, if it was made, and somebody withdrew it since.
async fn vacant(store: &Store, work: &mut UnitOfWork, plan: &Plan) -> Result<Option<TimeSlotId>, StoreError> {
    for generation in 0..GENERATIONS_MAX {
        let id = planned(plan, generation);
        match work.load::<TimeSlot>(&id).await? {
            TimeSlot::Unknown => return Ok(Some(id)),
            TimeSlot::Withdrawn(_) => {
                let events = store.events_of(&StreamId::of::<TimeSlot>(&id)).await?;
                let command = events.last().and_then(|last| last.metadata.get("command"));
                if command.is_none_or(|command| command != FOLLOW) {
                    return Ok(None);
                }
            }
            TimeSlot::OnSale(_) | TimeSlot::Closed(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// The id of a planned slot: the same for everyone who plans this place at this moment, today and after a restart.
/// `generation` counts how often a timetable had it no more, and then had it again.
fn planned(plan: &Plan, generation: u16) -> TimeSlotId {
    let place = match plan.show {
        Show::Movie { auditorium, .. } => auditorium.uuid(),
        Show::Theme { theme, .. } => theme.uuid(),
    };
    let mut hash = Sha256::new()
        .chain_update(place.as_bytes())
        .chain_update(plan.starts_at.as_microsecond().to_be_bytes());
    if generation > 0 {
        hash.update(generation.to_be_bytes());
    }
    let hash = hash.finalize();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    TimeSlotId::new(Builder::from_custom_bytes(bytes).into_uuid())
}

impl Timetable {
    /// The auditorium or the theme.
    fn place(&self) -> Uuid {
        match self.shows {
            Shows::Screenings(ref shown) => shown.auditorium.uuid(),
            Shows::Sessions(theme) => theme.uuid(),
        }
    }

    /// What people call the place: its branch and its own name.
    async fn name(&self, work: &mut UnitOfWork) -> Result<String, StoreError> {
        let branch = work.load::<Branch>(&self.branch).await?.open();
        let branch = branch.map_or_else(|_| String::new(), |site| site.premises.name.to_string());
        let name = match &self.shows {
            Shows::Screenings(shown) => {
                let hall = work.load::<Auditorium>(&shown.auditorium).await?.built();
                hall.map_or_else(|_| String::new(), |hall| hall.name.to_string())
            }
            Shows::Sessions(theme) => {
                let game = work.load::<Theme>(theme).await?.game();
                game.map_or_else(|_| String::new(), |game| game.name.to_string())
            }
        };
        Ok(format!("{branch} {name}"))
    }
}
