//! Many screenings of one movie in one auditorium at once: all of them in one append, or none, and then every one that
//! cannot be is named with its place in the request. Each is made as a single one is; nothing is decided here twice.
//! Never sells a seat.

use std::sync::{Mutex, PoisonError};

use aggregates::{
    Decider as _,
    auditorium::{Auditorium, AuditoriumError},
    branch::Branch,
    business_day::{moment, on_the_wall},
    fault::{Fault, Faults},
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, TimeSlotId},
    movie::Movie,
    price_policy::PricePolicy,
    refusal::{Kind, Refusal},
    seating::OrphanRule,
    theme::SalesOpening,
    time_slot::{
        Adjustment, CANCEL_MINUTES_DEFAULT, HOLD_CAP_MINUTES_DEFAULT, HOLD_MINUTES_DEFAULT,
        POOL_MINUTES_DEFAULT, Plan, SEATS_PER_CUSTOMER_DEFAULT, Show, TimeSlot, TimeSlotCommand,
    },
    values::WallTime,
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::{clash_until, completed, schedule_cleaned, sound};
use crate::{
    administration::Denied,
    store::{Committed, Request, Stop, Store, UnitOfWork},
};

/// Screenings of one batch at most.
pub const BATCH_SLOTS_MAX: usize = 200;

/// When the screenings of a batch begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starts {
    /// At these moments.
    Moments(Vec<Timestamp>),
    /// At each of these times on each of these business days.
    Days {
        /// The business days.
        days: Vec<Date>,
        /// The times on the wall of the branch.
        times: Vec<WallTime>,
    },
}

/// Screenings of one movie in one auditorium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Where.
    pub auditorium: AuditoriumId,
    /// Which movie.
    pub movie: MovieId,
    /// The layout version; the latest, if left out.
    pub layout_version: Option<u32>,
    /// What they cost.
    pub price_policy: PricePolicyId,
    /// In which version; the one in effect on each day, if left out.
    pub price_version: Option<u32>,
    /// When.
    pub starts: Starts,
    /// Minutes for cleaning after each of them, if more than usual in this auditorium.
    pub cleaning_minutes: Option<u16>,
    /// When their sales open.
    pub opens: SalesOpening,
    /// Seats one customer may take.
    pub seats_per_customer_max: Option<u8>,
    /// How they are sold, as far as that is not as usual.
    pub terms: Adjustment,
}

/// A screening that was made, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What it fixes.
    pub plan: Plan,
    /// When the auditorium is ready for the next.
    pub ready_at: Timestamp,
}

/// What became of a batch.
pub enum Batched {
    /// It is on the programme.
    Made(Committed),
    /// It could be.
    Possible(Vec<Planned>),
}

/// Why a batch was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Some of its screenings cannot be: each with its place in the request.
    #[error("{} of the batch cannot be scheduled, so none was: {}", said(.0.0.len()), first(.0))]
    Refused(Faults),
}

fn said(count: usize) -> String {
    match count {
        1 => "one time slot".to_owned(),
        count => format!("{count} time slots"),
    }
}

fn first(Faults(faults): &Faults) -> String {
    faults.first().map_or_else(String::new, ToString::to_string)
}

impl BatchError {
    /// Every refusal's stable type, class and help, for the documentation.
    pub const REFUSALS: &'static [(&'static str, Kind, &'static str)] = &[(
        "schedule/batch-refused",
        Kind::Conflict,
        "Correct or leave out the starts named in errors; dry_run tells beforehand.",
    )];
}

impl Refusal for BatchError {
    fn slug(&self) -> &'static str {
        Self::REFUSALS[0].0
    }

    fn kind(&self) -> Kind {
        Self::REFUSALS[0].1
    }

    fn help(&self) -> &'static str {
        Self::REFUSALS[0].2
    }

    fn faults(&self) -> Vec<Fault> {
        let Self::Refused(Faults(faults)) = self;
        faults.clone()
    }
}

/// What ends the unit of a batch without an append.
enum Ended {
    Denied(Denied),
    /// Everything could be made, but only that was asked.
    Possible,
}

/// Puts a batch on the programme; or, if it is only `tried`, answers what would be made.
pub async fn schedule_batch(
    store: &Store,
    request: &Request,
    batch: &Batch,
    tried: bool,
) -> Result<Batched, Stop<Denied>> {
    let planned = Mutex::new(Vec::new());
    let made = store
        .run(request, |mut unit| {
            let planned = &planned;
            async move {
                let made = make(&mut unit, batch).await.map_err(|stop| match stop {
                    Stop::Refused(denied) => Stop::Refused(Ended::Denied(denied)),
                    Stop::Store(error) => Stop::Store(error),
                })?;
                *planned.lock().unwrap_or_else(PoisonError::into_inner) = made;
                if tried {
                    return Err(Stop::Refused(Ended::Possible));
                }
                Ok(())
            }
        })
        .await;
    match made {
        Ok(committed) => Ok(Batched::Made(committed)),
        Err(Stop::Refused(Ended::Possible)) => Ok(Batched::Possible(
            planned.into_inner().unwrap_or_else(PoisonError::into_inner),
        )),
        Err(Stop::Refused(Ended::Denied(denied))) => Err(Stop::Refused(denied)),
        Err(Stop::Store(error)) => Err(Stop::Store(error)),
    }
}

async fn make(work: &mut UnitOfWork, batch: &Batch) -> Result<Vec<Planned>, Stop<Denied>> {
    let place = Place::of(work, batch).await?;
    work.at_branch(place.branch);
    let planned = possible(work, batch, &place).await?;
    for slot in &planned {
        let id = TimeSlotId::new(Uuid::now_v7());
        let plan = slot.plan.clone();
        let command = completed(work, id, TimeSlotCommand::Schedule { plan }).await?;
        sound(work, id, &command).await?;
        schedule_cleaned(work, id, slot.plan.clone(), batch.cleaning_minutes).await?;
    }
    Ok(planned)
}

/// What the screenings of a batch have in common.
struct Place {
    branch: BranchId,
    zone: TimeZone,
    show: Show,
    running_time: SignedDuration,
    cleaning: SignedDuration,
}

impl Place {
    async fn of(work: &mut UnitOfWork, batch: &Batch) -> Result<Self, Stop<Denied>> {
        let auditorium = work.load::<Auditorium>(&batch.auditorium).await?;
        let hall = auditorium.built().map_err(Denied::stop)?;
        let drawn = hall.latest_layout().map(|(version, _)| version);
        let layout_version = batch.layout_version.or(drawn).unwrap_or(1);
        let layout = auditorium.layout(layout_version).map_err(|error| {
            let field = AtField {
                field: "/layout_version",
                error,
            };
            Denied::stop(field)
        })?;
        let show = Show::Movie {
            movie: batch.movie,
            auditorium: batch.auditorium,
            layout_version,
            capacity: u32::try_from(layout.capacity()).unwrap_or(u32::MAX),
        };
        let (branch, usual) = (hall.branch, hall.cleaning_minutes);
        let cleaning = batch.cleaning_minutes.unwrap_or(usual);
        if cleaning < usual {
            let problem = format!("must be at least the {usual} minutes of this auditorium");
            return Err(refused(vec![Fault::at("/cleaning_minutes", problem)]));
        }
        let site = work.load::<Branch>(&branch).await?.open().map_err(Denied::stop)?;
        let zone = site.premises.time_zone.zone();
        let film = work
            .load::<Movie>(&batch.movie)
            .await?
            .film()
            .map_err(Denied::stop)?;
        Ok(Self {
            branch,
            zone,
            show,
            running_time: SignedDuration::from_mins(film.running_time_minutes.into()),
            cleaning: SignedDuration::from_mins(cleaning.into()),
        })
    }

    /// The plan of a screening on a business day; none beyond the calendar.
    fn plan(&self, batch: &Batch, price_version: u32, date: Date, starts_at: Timestamp) -> Option<Planned> {
        let ends_at = starts_at.checked_add(self.running_time).ok()?;
        let plan = Plan {
            branch: self.branch,
            show: self.show.clone(),
            starts_at,
            ends_at,
            sales_open_at: batch.opens.moment(&self.zone, date).ok()?,
            sales_close_at: starts_at,
            price_policy: batch.price_policy,
            price_version,
            seats_per_customer_max: batch.seats_per_customer_max.unwrap_or(SEATS_PER_CUSTOMER_DEFAULT),
            hold_minutes: HOLD_MINUTES_DEFAULT,
            hold_cap_minutes: HOLD_CAP_MINUTES_DEFAULT,
            cancel_minutes: CANCEL_MINUTES_DEFAULT,
            orphan_rule: OrphanRule::Off,
            pool_minutes: POOL_MINUTES_DEFAULT,
            cancellation: None,
        };
        Some(Planned {
            plan: plan.adjusted(batch.terms),
            ready_at: ends_at.checked_add(self.cleaning).ok()?,
        })
    }
}

/// Everything as planned, if all of it can be; else every start that cannot, with its place.
async fn possible(work: &mut UnitOfWork, batch: &Batch, place: &Place) -> Result<Vec<Planned>, Stop<Denied>> {
    let policy = work.load::<PricePolicy>(&batch.price_policy).await?.clone();
    let (mut faults, mut planned): (Vec<Fault>, Vec<(Asked, Planned)>) = (Vec::new(), Vec::new());
    for asked in batch.starts.each(&place.zone) {
        let version = match batch.price_version {
            Some(version) => Some(version),
            None => policy.in_effect(asked.date).map(|(version, _)| version),
        };
        let priced = version.and_then(|version| Some((version, policy.tariff(version).ok()?)));
        let Some((version, tariff)) = priced else {
            faults.push(asked.fault("has no price on that day"));
            continue;
        };
        if !place.show.is_priced_by(tariff) {
            faults.push(asked.fault("must be priced by a policy for screenings"));
            continue;
        }
        let slot = asked
            .starts_at
            .and_then(|starts_at| place.plan(batch, version, asked.date, starts_at));
        let Some(slot) = slot else {
            faults.push(asked.fault("is beyond the calendar"));
            continue;
        };
        let overlapping = planned
            .iter()
            .find(|(_, other)| other.plan.starts_at < slot.ready_at && slot.plan.starts_at < other.ready_at);
        let among = overlapping
            .map(|(other, _)| format!("overlaps {} of this batch, cleaning included", other.said()));
        let why = in_the_way(work, &slot).await?.or(among);
        faults.extend(why.map(|why| asked.fault(&why)));
        planned.push((asked, slot));
    }
    if faults.is_empty() {
        Ok(planned.into_iter().map(|(_, slot)| slot).collect())
    } else {
        Err(refused(faults))
    }
}

/// Why a screening cannot be by itself: its plan, its day, or what is on the programme already.
async fn in_the_way(work: &mut UnitOfWork, slot: &Planned) -> Result<Option<String>, Stop<Denied>> {
    let plan = &slot.plan;
    let command = TimeSlotCommand::Schedule { plan: plan.clone() };
    if let Err(error) = TimeSlot::default().decide(command, work.now()) {
        return Ok(Some(error.to_string()));
    }
    if let Err(error) = work.load::<Branch>(&plan.branch).await?.open_at(plan.starts_at) {
        return Ok(Some(error.to_string()));
    }
    let clash = clash_until(work, plan, slot.ready_at).await?;
    Ok(clash.map(|entry| {
        format!(
            "overlaps the time slot {} from {} to {}, cleaning included",
            entry.time_slot, entry.starts_at, entry.ends_at
        )
    }))
}

fn refused(faults: Vec<Fault>) -> Stop<Denied> {
    Denied::stop(BatchError::Refused(Faults(faults)))
}

/// One start as it was asked for.
struct Asked {
    pointer: String,
    /// Which of the days, where the pointer only names a time.
    on: Option<Date>,
    date: Date,
    starts_at: Option<Timestamp>,
}

impl Asked {
    fn fault(&self, why: &str) -> Fault {
        match self.on {
            Some(date) => Fault::at(&*self.pointer, format!("on {date} {why}")),
            None => Fault::at(&*self.pointer, why),
        }
    }

    fn said(&self) -> String {
        match self.on {
            Some(date) => format!("{} on {date}", self.pointer),
            None => self.pointer.clone(),
        }
    }
}

impl Starts {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Moments(moments) => moments.len(),
            Self::Days { days, times } => days.len().saturating_mul(times.len()),
        }
    }

    fn each(&self, zone: &TimeZone) -> Vec<Asked> {
        match self {
            Self::Moments(moments) => {
                let each = moments.iter().enumerate().map(|(index, starts_at)| Asked {
                    pointer: format!("/starts/{index}"),
                    on: None,
                    date: on_the_wall(zone, *starts_at).0,
                    starts_at: Some(*starts_at),
                });
                each.collect()
            }
            Self::Days { days, times } => {
                let on = |date: Date| {
                    times.iter().enumerate().map(move |(index, time)| Asked {
                        pointer: format!("/times/{index}"),
                        on: Some(date),
                        date,
                        starts_at: moment(zone, date, *time).ok(),
                    })
                };
                days.iter().flat_map(|date| on(*date)).collect()
            }
        }
    }
}

/// A refusal of another rule, at the field of the request that is to blame.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
struct AtField {
    field: &'static str,
    error: AuditoriumError,
}

impl Refusal for AtField {
    fn slug(&self) -> &'static str {
        self.error.slug()
    }

    fn kind(&self) -> Kind {
        self.error.kind()
    }

    fn help(&self) -> &'static str {
        self.error.help()
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::at(self.field, self.to_string())]
    }
}
