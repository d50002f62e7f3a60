//! What a time slot fixes must be true of what it names, and a slot somebody has a seat in is not withdrawn; the overlaps
//! are `programme`'s business.

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    fault::Fault,
    ids::{SeatId, TimeSlotId},
    movie::Movie,
    refusal::{Kind, Refusal},
    seat::Seat,
    theme::Theme,
    time_slot::{Plan, Show, TimeSlot, TimeSlotCommand},
    values::SeatLabel,
};
use jiff::{ToSpan as _, tz::TimeZone};

use crate::{
    administration::Denied,
    store::{Stop, UnitOfWork},
};

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
        (
            "programme/other-branch",
            Kind::Invalid,
            "Name the branch the auditorium or theme belongs to.",
        ),
        (
            "programme/capacity-differs",
            Kind::Invalid,
            "Name as many seats as the layout version has.",
        ),
        (
            "programme/too-short",
            Kind::Invalid,
            "Let the slot last as long as the movie.",
        ),
        (
            "programme/in-use",
            Kind::Conflict,
            "Close the slot, and cancel its reservations first.",
        ),
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

    fn faults(&self) -> Vec<Fault> {
        let field = match self {
            Self::OtherBranch => "/plan/branch",
            Self::CapacityDiffers { .. } => "/plan/show/capacity",
            Self::TooShort { .. } => "/plan/ends_at",
            Self::InUse => return Vec::new(),
        };
        vec![Fault::at(field, self.to_string())]
    }
}

/// Refuses a command to a slot that contradicts what it names, or whoever has a seat.
pub(super) async fn check(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    command: &TimeSlotCommand,
) -> Result<(), Stop<Denied>> {
    match command {
        TimeSlotCommand::Schedule { plan } => planned(work, plan).await,
        TimeSlotCommand::Withdraw { .. } => unused(work, id).await,
        TimeSlotCommand::Close { .. } | TimeSlotCommand::Reopen {} => Ok(()),
    }
}

async fn planned(work: &mut UnitOfWork, plan: &Plan) -> Result<(), Stop<Denied>> {
    match plan.show {
        Show::Movie {
            movie,
            auditorium,
            layout_version,
            capacity,
        } => {
            let hall = work.load::<Auditorium>(&auditorium).await?;
            if hall.built().map_err(Denied::stop)?.branch != plan.branch {
                return Err(Denied::stop(ProgrammeError::OtherBranch));
            }
            let seats = hall.layout(layout_version).map_err(Denied::stop)?.capacity();
            if usize::try_from(capacity) != Ok(seats) {
                return Err(Denied::stop(ProgrammeError::CapacityDiffers { seats }));
            }
            let minutes = work
                .load::<Movie>(&movie)
                .await?
                .film()
                .map_err(Denied::stop)?
                .running_time_minutes;
            if plan.ends_at < plan.starts_at + i64::from(minutes).minutes() {
                return Err(Denied::stop(ProgrammeError::TooShort { minutes }));
            }
        }
        Show::Theme { theme, .. } => {
            if work
                .load::<Theme>(&theme)
                .await?
                .active()
                .map_err(Denied::stop)?
                .branch
                != plan.branch
            {
                return Err(Denied::stop(ProgrammeError::OtherBranch));
            }
        }
    }
    Ok(())
}

async fn unused(work: &mut UnitOfWork, id: TimeSlotId) -> Result<(), Stop<Denied>> {
    let show = work
        .load::<TimeSlot>(&id)
        .await?
        .plan()
        .map_err(Denied::stop)?
        .show
        .clone();
    let labels = match show {
        Show::Theme { .. } => vec![SeatLabel::room()],
        Show::Movie {
            auditorium,
            layout_version,
            ..
        } => {
            let layout = work
                .load::<Auditorium>(&auditorium)
                .await?
                .layout(layout_version)
                .map_err(Denied::stop)?;
            layout.seats().map(|seat| seat.label.clone()).collect()
        }
    };
    let seats: Vec<SeatId> = labels
        .into_iter()
        .map(|label| SeatId { time_slot: id, label })
        .collect();
    // All of them are checked again in the append, so nobody takes a seat meanwhile.
    work.load_prefix::<Seat>(&format!("{id}:"), &seats).await?;
    if seats
        .iter()
        .any(|seat| work.state::<Seat>(seat).holder().is_some())
    {
        return Err(Denied::stop(ProgrammeError::InUse));
    }
    Ok(())
}

/// The zone of a branch, which it keeps for good.
#[must_use]
pub fn zone_of(branch: &Branch) -> Option<TimeZone> {
    match branch {
        Branch::Unknown => None,
        Branch::Open(site) | Branch::Closed(site) => Some(site.premises.time_zone.zone()),
    }
}
