//! What admins change: one unit of work for every [`Administered`] aggregate, built from what stands beside its commands.
//!
//! Unique names, the things a command names, and overlaps in time are checked against the streams that guard them, in
//! the same append. Never decides who may; the edge has asked [`Administered::access`] before.

use aggregates::{
    administered::{Administered, Reference},
    auditorium::{Auditorium, AuditoriumError},
    branch::{Branch, BranchError},
    claim::{Claim, ClaimCommand, ClaimError},
    coupon::{Coupon, CouponError},
    movie::{Movie, MovieError},
    price_policy::{PricePolicy, PricePolicyError},
    pricing::PricingError,
    refusal::{Kind, Refusal},
    reservation::ReservationError,
    seat::SeatError,
    schedule::ScheduleError,
    theme::{Theme, ThemeError},
    time_slot::{TimeSlot, TimeSlotError},
};

use super::{
    ChoiceError,
    programme::{self, ProgrammeError},
};
use crate::{
    store::{Committed, Request, Stop, Store, UnitOfWork},
    unit,
};

/// Why an admin's command was refused, whichever rule said no.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotDone {
    /// A rule of an aggregate.
    #[error("{sentence}")]
    Rule {
        /// What it says.
        sentence: String,
        /// Its stable type.
        slug: &'static str,
        /// Its class.
        kind: Kind,
        /// What the caller can do.
        help: &'static str,
    },
    /// It was changed since it was read.
    #[error("it was changed since: its sequence is {is}, not {expected}")]
    ChangedSince {
        /// The sequence the caller expected.
        expected: i64,
        /// The sequence it has.
        is: i64,
    },
}

impl<E: Refusal> From<E> for NotDone {
    fn from(refusal: E) -> Self {
        Self::Rule {
            sentence: refusal.to_string(),
            slug: refusal.slug(),
            kind: refusal.kind(),
            help: refusal.help(),
        }
    }
}

/// A refusal of a rule, as [`Stop`].
pub(super) fn no(refusal: impl Refusal) -> Stop<NotDone> {
    Stop::Refused(refusal.into())
}

/// An aggregate whose commands touch nothing but itself, its names and what it names; or, with a body of its own,
/// more.
pub trait Administrable: Administered {
    /// What else happens in the same append, before the command itself.
    fn beside(
        work: &mut UnitOfWork,
        id: &Self::Id,
        command: &Self::Command,
    ) -> impl Future<Output = Result<(), Stop<NotDone>>> + Send {
        let _ = (work, id, command);
        async { Ok(()) }
    }
}

impl Administrable for Auditorium {}
impl Administrable for Branch {}
impl Administrable for Movie {}
impl Administrable for PricePolicy {}
impl Administrable for Theme {}
impl Administrable for Coupon {}

impl Administrable for TimeSlot {
    async fn beside(work: &mut UnitOfWork, id: &Self::Id, command: &Self::Command) -> Result<(), Stop<NotDone>> {
        programme::beside(work, *id, command).await
    }
}

/// Sends a command to one aggregate, in a unit of work of its own; `expected` is the sequence its stream must have
/// (`If-Match`).
pub async fn run<A: Administrable>(
    store: &Store,
    request: &Request,
    id: &A::Id,
    command: &A::Command,
    expected: Option<i64>,
) -> Result<Committed, Stop<NotDone>> {
    store.run(request, unit!(|work| { administer::<A>(work, id, command, expected).await })).await
}

/// The same within a unit of work of the caller's.
pub async fn administer<A: Administrable>(
    work: &mut UnitOfWork,
    id: &A::Id,
    command: &A::Command,
    expected: Option<i64>,
) -> Result<(), Stop<NotDone>> {
    let now = work.now();
    let state = work.load::<A>(id).await?;
    let (decided, claims) = (state.decide(command.clone(), now), state.claims(id, command));
    if let Some(expected) = expected {
        let is = work.sequence::<A>(id);
        if is != expected {
            return Err(Stop::Refused(NotDone::ChangedSince { expected, is }));
        }
    }
    // The rule speaks first: an unknown id is not found, whatever else is wrong; a repeat touches nothing else.
    if decided.map_err(no)?.is_empty() {
        return Ok(());
    }
    for reference in A::reads(command) {
        exists(work, reference).await?;
    }
    A::beside(work, id, command).await?;
    let by = id.to_string();
    if let Some(name) = claims.takes {
        work.load::<Claim>(&name).await?;
        work.execute::<Claim>(&name, ClaimCommand::Take { by: by.clone() }).map_err(no)?;
    }
    if let Some(name) = claims.gives_back {
        work.load::<Claim>(&name).await?;
        work.execute::<Claim>(&name, ClaimCommand::GiveBack { by }).map_err(no)?;
    }
    work.execute::<A>(id, command.clone()).map_err(no)
}

/// Refuses unless what is named is there and still in use.
async fn exists(work: &mut UnitOfWork, reference: Reference) -> Result<(), Stop<NotDone>> {
    match reference {
        Reference::Branch(id) => work.load::<Branch>(&id).await?.open().map(drop).map_err(no),
        Reference::Auditorium(id) => work.load::<Auditorium>(&id).await?.built().map(drop).map_err(no),
        Reference::Movie(id) => work.load::<Movie>(&id).await?.film().map(drop).map_err(no),
        Reference::Theme(id) => work.load::<Theme>(&id).await?.game().map(drop).map_err(no),
        Reference::PricePolicy(id) => {
            let policy = work.load::<PricePolicy>(&id).await?;
            if policy.exists() { Ok(()) } else { Err(no(PricePolicyError::NotFound)) }
        }
    }
}

/// Every refusal a booking can meet, for the documentation.
#[must_use]
pub fn booking_refusals() -> Vec<(&'static str, Kind, &'static str)> {
    let choices = ChoiceError::EACH.iter().map(|error| (error.slug(), error.kind(), error.help()));
    let rules = [
        SeatError::REFUSALS,
        TimeSlotError::REFUSALS,
        ReservationError::REFUSALS,
        CouponError::REFUSALS,
        PricingError::REFUSALS,
    ];
    choices.chain(rules.concat()).collect()
}

/// Every refusal an admin's command can meet besides those of bookings, for the documentation.
#[must_use]
pub fn administered_refusals() -> Vec<(&'static str, Kind, &'static str)> {
    [
        BranchError::REFUSALS,
        AuditoriumError::REFUSALS,
        MovieError::REFUSALS,
        ThemeError::REFUSALS,
        PricePolicyError::REFUSALS,
        ClaimError::REFUSALS,
        ScheduleError::REFUSALS,
        ProgrammeError::REFUSALS,
    ]
    .concat()
}
