//! Putting a time slot on the programme and taking it off: what it fixes must exist, and nothing may overlap.
//!
//! The days of the place guard against overlaps (DOMAIN C4, E3): a slot is entered on its local day, and the days before
//! and after are read in the same append, because slots run past midnight.

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    ids::{ScheduleId, SeatId, TimeSlotId},
    movie::Movie,
    price_policy::PricePolicy,
    refusal::{Kind, Refusal},
    schedule::{Schedule, ScheduleCommand, ScheduleError},
    seat::Seat,
    theme::Theme,
    time_slot::{Plan, Show, TimeSlot, TimeSlotCommand},
    values::SeatLabel,
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use uuid::Uuid;

use super::administer::{NotDone, no};
use crate::store::{Stop, UnitOfWork};

/// Why a slot cannot be put on or taken off the programme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgrammeError {
    /// Auditorium and theme belong to their branch.
    #[error("the place belongs to another branch")]
    OtherBranch,
    /// The layout's seats are counted, not claimed.
    #[error("the layout version has {seats} seats")]
    CapacityDiffers {
        /// How many it has.
        seats: usize,
    },
    /// The movie would be cut off.
    #[error("the movie runs for {minutes} minutes")]
    TooShort {
        /// How long.
        minutes: u16,
    },
    /// Somebody has a place in it.
    #[error("seats of the time slot are held or reserved")]
    InUse,
}

impl ProgrammeError {
    /// Every refusal's stable type, class and help, for the documentation.
    pub const REFUSALS: &'static [(&'static str, Kind, &'static str)] = &[
        ("programme/other-branch", Kind::Invalid, "Name the branch the auditorium or theme belongs to."),
        ("programme/capacity-differs", Kind::Invalid, "Name as many seats as the layout version has."),
        ("programme/too-short", Kind::Invalid, "Let the slot last as long as the movie."),
        ("programme/in-use", Kind::Conflict, "Close the slot, and cancel its reservations first."),
    ];

    const fn row(&self) -> (&'static str, Kind, &'static str) {
        Self::REFUSALS[match self {
            Self::OtherBranch => 0,
            Self::CapacityDiffers { .. } => 1,
            Self::TooShort { .. } => 2,
            Self::InUse => 3,
        }]
    }
}

impl Refusal for ProgrammeError {
    fn slug(&self) -> &'static str {
        self.row().0
    }

    fn kind(&self) -> Kind {
        self.row().1
    }

    fn help(&self) -> &'static str {
        self.row().2
    }
}

/// What a command to a slot means for everything around it.
pub(super) async fn beside(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    command: &TimeSlotCommand,
) -> Result<(), Stop<NotDone>> {
    match command {
        TimeSlotCommand::Schedule { plan } => enter(work, id, plan).await,
        TimeSlotCommand::Withdraw { .. } => leave(work, id).await,
        TimeSlotCommand::Close { .. } | TimeSlotCommand::Reopen {} => Ok(()),
    }
}

/// The place of a slot, and the minutes it needs after each.
async fn place(work: &mut UnitOfWork, plan: &Plan) -> Result<(Uuid, u16), Stop<NotDone>> {
    match plan.show {
        Show::Movie { auditorium, .. } => {
            let hall = work.load::<Auditorium>(&auditorium).await?.built().map_err(no)?;
            let (branch, minutes) = (hall.branch, hall.cleaning_minutes);
            if branch == plan.branch { Ok((auditorium.uuid(), minutes)) } else { Err(no(ProgrammeError::OtherBranch)) }
        }
        Show::Theme { theme, .. } => {
            let game = work.load::<Theme>(&theme).await?.active().map_err(no)?;
            let (branch, minutes) = (game.branch, game.turnover_minutes);
            if branch == plan.branch { Ok((theme.uuid(), minutes)) } else { Err(no(ProgrammeError::OtherBranch)) }
        }
    }
}

async fn enter(work: &mut UnitOfWork, id: TimeSlotId, plan: &Plan) -> Result<(), Stop<NotDone>> {
    let (place, minutes) = place(work, plan).await?;
    work.load::<PricePolicy>(&plan.price_policy).await?.tariff(plan.price_version).map_err(no)?;
    if let Show::Movie { movie, auditorium, layout_version, capacity } = plan.show {
        let layout = work.load::<Auditorium>(&auditorium).await?.layout(layout_version).map_err(no)?;
        let seats = layout.capacity();
        if usize::try_from(capacity) != Ok(seats) {
            return Err(no(ProgrammeError::CapacityDiffers { seats }));
        }
        let runs = work.load::<Movie>(&movie).await?.film().map_err(no)?.running_time_minutes;
        if plan.ends_at < plan.starts_at + i64::from(runs).minutes() {
            return Err(no(ProgrammeError::TooShort { minutes: runs }));
        }
    }
    let zone = zone(work, plan).await?;
    let ends_at = plan.ends_at + i64::from(minutes).minutes();
    let day = day(&zone, plan.starts_at);
    for date in [day.yesterday(), day.tomorrow()].into_iter().flatten() {
        let neighbour = ScheduleId { place, date };
        if let Some(clash) = work.load::<Schedule>(&neighbour).await?.clash(plan.starts_at, ends_at) {
            return Err(no(ScheduleError::Overlaps(*clash)));
        }
    }
    let today = ScheduleId { place, date: day };
    work.load::<Schedule>(&today).await?;
    let enter = ScheduleCommand::Enter { time_slot: id, starts_at: plan.starts_at, ends_at };
    work.execute::<Schedule>(&today, enter).map_err(no)
}

async fn leave(work: &mut UnitOfWork, id: TimeSlotId) -> Result<(), Stop<NotDone>> {
    let plan = work.load::<TimeSlot>(&id).await?.plan().map_err(no)?.clone();
    let (place, labels) = match plan.show {
        Show::Theme { theme, .. } => (theme.uuid(), vec![SeatLabel::room()]),
        Show::Movie { auditorium, layout_version, .. } => {
            let layout = work.load::<Auditorium>(&auditorium).await?.layout(layout_version).map_err(no)?;
            (auditorium.uuid(), layout.seats().map(|seat| seat.label.clone()).collect())
        }
    };
    let seats: Vec<SeatId> = labels.into_iter().map(|label| SeatId { time_slot: id, label }).collect();
    // All of them are checked again in the append, so nobody takes a seat meanwhile.
    work.load_prefix::<Seat>(&format!("{id}:"), &seats).await?;
    if seats.iter().any(|seat| work.state::<Seat>(seat).holder().is_some()) {
        return Err(no(ProgrammeError::InUse));
    }
    let zone = zone(work, &plan).await?;
    let day = ScheduleId { place, date: day(&zone, plan.starts_at) };
    work.load::<Schedule>(&day).await?;
    work.execute::<Schedule>(&day, ScheduleCommand::Leave { time_slot: id }).map_err(no)
}

async fn zone(work: &mut UnitOfWork, plan: &Plan) -> Result<TimeZone, Stop<NotDone>> {
    let branch = work.load::<Branch>(&plan.branch).await?;
    Ok(zone_of(branch).unwrap_or(TimeZone::UTC))
}

/// The zone of a branch, which it keeps for good.
#[must_use]
pub fn zone_of(branch: &Branch) -> Option<TimeZone> {
    match branch {
        Branch::Unknown => None,
        Branch::Open(site) | Branch::Closed(site) => Some(site.premises.time_zone.zone()),
    }
}

/// The local day a slot is entered on.
fn day(zone: &TimeZone, starts_at: Timestamp) -> Date {
    zone.to_datetime(starts_at).date()
}
