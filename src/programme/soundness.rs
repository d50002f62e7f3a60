//! What a time slot fixes must be true of what it names, and a slot somebody has a seat in is not withdrawn; the overlaps
//! are [`super`]'s business. Never changes anything.

use aggregates::{
    auditorium::Auditorium,
    fault::Fault,
    ids::{SeatId, TimeSlotId},
    movie::Movie,
    price_policy::PricePolicy,
    refusal::{Kind, Refusal},
    seat::Seat,
    theme::{PartyRange, Theme},
    time_slot::{Plan, Show, TimeSlot, TimeSlotCommand},
    values::SeatLabel,
};
use jiff::SignedDuration;

use crate::{
    administration::Denied,
    store::{Stop, UnitOfWork},
};

/// Why a slot cannot be put on or taken off the programme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgrammeError {
    /// Auditorium and theme belong to their branch.
    #[error("the auditorium or theme belongs to another branch")]
    OtherBranch,
    /// The layout's seats are counted, not claimed.
    #[error("the layout version has {seats} seats")]
    CapacityDiffers {
        /// How many it has.
        seats: usize,
    },
    /// The movie or the session would be cut off.
    #[error("what is shown lasts {minutes} minutes")]
    TooShort {
        /// How long.
        minutes: u16,
    },
    /// The theme is not made for such groups.
    #[error("the theme is for {min} to {max} people")]
    OtherParty {
        /// The smallest group.
        min: u8,
        /// The largest group.
        max: u8,
    },
    /// Prices of persons for a session, or of a group for a screening.
    #[error("the price policy's version is not for what is shown")]
    OtherPrices,
    /// Somebody has a place in it.
    #[error("seats of the time slot are held or reserved")]
    InUse,
}

/// The stable type of [`ProgrammeError::InUse`].
pub const IN_USE: &str = "programme/in-use";

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
            "Let the slot last as long as the movie or the session.",
        ),
        (
            IN_USE,
            Kind::Conflict,
            "Close the slot, and call off or offer to move what stands in it with \
             POST /v1/admin/closing-days/carry-out and its time_slot; holds lapse by themselves.",
        ),
        (
            "programme/other-party",
            Kind::Invalid,
            "Name a party_min and a party_max within those of the theme.",
        ),
        (
            "programme/other-prices",
            Kind::Invalid,
            "Name a price policy for screenings with a movie, one for sessions with a theme.",
        ),
    ];

    const fn row(&self) -> (&'static str, Kind, &'static str) {
        Self::REFUSALS[match self {
            Self::OtherBranch => 0,
            Self::CapacityDiffers { .. } => 1,
            Self::TooShort { .. } => 2,
            Self::InUse => 3,
            Self::OtherParty { .. } => 4,
            Self::OtherPrices => 5,
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
            Self::OtherParty { .. } => "/plan/show",
            Self::OtherPrices => "/plan/price_policy",
            Self::InUse => return Vec::new(),
        };
        vec![Fault::at(field, self.to_string())]
    }
}

/// Refuses a command to a slot that contradicts what it names, or whoever has a seat.
pub async fn check(
    work: &mut UnitOfWork,
    id: TimeSlotId,
    command: &TimeSlotCommand,
) -> Result<(), Stop<Denied>> {
    match command {
        TimeSlotCommand::Schedule { plan } => planned(work, plan).await,
        TimeSlotCommand::Withdraw { .. } => unused(work, id).await,
        TimeSlotCommand::Adjust(_) | TimeSlotCommand::Close { .. } | TimeSlotCommand::Reopen {} => Ok(()),
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
            long_enough(plan, minutes)?;
        }
        Show::Theme {
            theme,
            party_min,
            party_max,
        } => {
            let game = work.load::<Theme>(&theme).await?.active().map_err(Denied::stop)?;
            if game.branch != plan.branch {
                return Err(Denied::stop(ProgrammeError::OtherBranch));
            }
            let PartyRange { min, max, .. } = game.party;
            if party_min < min || party_max > max {
                return Err(Denied::stop(ProgrammeError::OtherParty { min, max }));
            }
            long_enough(plan, game.duration_minutes)?;
        }
    }
    let policy = work.load::<PricePolicy>(&plan.price_policy).await?;
    let tariff = policy.tariff(plan.price_version).map_err(Denied::stop)?;
    if plan.show.is_priced_by(tariff) {
        Ok(())
    } else {
        Err(Denied::stop(ProgrammeError::OtherPrices))
    }
}

/// What is shown is not cut off.
fn long_enough(plan: &Plan, minutes: u16) -> Result<(), Stop<Denied>> {
    let lasts = plan.ends_at.duration_since(plan.starts_at);
    if lasts < SignedDuration::from_mins(minutes.into()) {
        return Err(Denied::stop(ProgrammeError::TooShort { minutes }));
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
    for seat in &seats {
        if work.state::<Seat>(seat)?.holder().is_some() {
            return Err(Denied::stop(work.blame::<Seat, _>(seat, ProgrammeError::InUse)));
        }
    }
    Ok(())
}
