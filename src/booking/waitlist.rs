//! Where freed places meet those who wait (DOMAIN W2): whatever frees a place calls [`free_places`] in the same unit of
//! work, and whoever takes one asks [`overtakes_nobody`]. Never decides who may ask.
//!
//! Between units nobody waits for places that are free: so a place that is freed can only serve somebody in its own row
//! block, and only the blocks around it are read. They are checked in the append, as is the waitlist itself.

use std::{collections::HashSet, sync::Arc};

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    ids::{ReservationId, SeatId, TimeSlotId},
    layout::Layout,
    movie::Movie,
    reservation::{Reservation, ReservationCommand},
    seat::{Seat, SeatCommand},
    seating::{self, open_to_all},
    time_slot::{Plan, Show, TimeSlot, TimeSlotError},
    values::SeatLabel,
    waitlist::{Waitlist, WaitlistCommand, WaitlistError, WhyEnded, WhyPassed, serve},
};

use super::{Places, Wish, choice::choose, hold::seat_ids, refused::Refused};
use crate::store::{Stop, StoreError, UnitOfWork};

/// Moves places that have just been freed in this unit to the first in line who fit, as held offers; what fits nobody is
/// recorded as passed. Everything that frees a place calls it: ending, changing and giving back reservations do by
/// `give_back`.
pub(crate) async fn free_places(
    work: &mut UnitOfWork,
    time_slot: TimeSlotId,
    freed: &[SeatLabel],
) -> Result<(), StoreError> {
    if freed.is_empty() {
        return Ok(());
    }
    move_on(work, time_slot, Some(freed)).await
}

/// Looks at a whole slot for those who wait: offers what is free, or ends their waiting if nothing is sold any more. For
/// what changes without a place being freed: a slot that is reopened or withdrawn, a sale that is over.
pub(crate) async fn look_again(work: &mut UnitOfWork, time_slot: TimeSlotId) -> Result<(), StoreError> {
    move_on(work, time_slot, None).await
}

/// `freed` are the places that were freed; without them, all are looked at.
async fn move_on(
    work: &mut UnitOfWork,
    time_slot: TimeSlotId,
    freed: Option<&[SeatLabel]>,
) -> Result<(), StoreError> {
    if !somebody_waits(work, time_slot).await? {
        return Ok(());
    }
    let why = match sale(work, time_slot).await? {
        Sale::Open(plan) => {
            let hall = Hall::of(work, &plan).await?;
            let labels = hall.blocks(freed);
            offer_among(work, &plan, &hall, time_slot, &labels).await?;
            WhyPassed::NoFit
        }
        Sale::Paused => WhyPassed::NotForSale,
        Sale::Over(why) => return end_waiting(work, time_slot, why).await,
    };
    let mut passed = Vec::new();
    let freed = freed.unwrap_or_default();
    let ids = seat_ids(time_slot, freed);
    work.load_all::<Seat>(&ids).await?;
    for seat in ids {
        if *work.state::<Seat>(&seat)? == Seat::Free {
            passed.push(seat.label);
        }
    }
    let pass = WaitlistCommand::Pass { seats: passed, why };
    work.execute::<Waitlist>(&time_slot, pass)
        .map_err(|error| impossible(&error))
}

/// Whether anybody waits for a slot; an offer that runs is no waiting.
async fn somebody_waits(work: &mut UnitOfWork, time_slot: TimeSlotId) -> Result<bool, StoreError> {
    let waitlist = work.load::<Waitlist>(&time_slot).await?;
    Ok(waitlist.waiting().next().is_some())
}

/// Serves whoever fits the free places among these.
async fn offer_among(
    work: &mut UnitOfWork,
    plan: &Plan,
    hall: &Hall,
    time_slot: TimeSlotId,
    labels: &[SeatLabel],
) -> Result<(), StoreError> {
    loop {
        let mut free = free_among(work, time_slot, labels).await?;
        let open = plan.pool_is_open(work.now());
        let line = work.state::<Waitlist>(&time_slot)?.waiting();
        let served = serve(line, |count| hall.take(&mut free, count, open));
        let mut all = true;
        for (entry, seats) in served {
            all = offer(work, plan, time_slot, entry, seats).await?;
            if !all {
                // What they would have had is for the next.
                end_one(work, time_slot, entry, WhyEnded::NotSold)?;
                break;
            }
        }
        if all {
            return Ok(());
        }
    }
}

/// Holds these places for an entry at their price; false if they are not sold like that.
async fn offer(
    work: &mut UnitOfWork,
    plan: &Plan,
    time_slot: TimeSlotId,
    id: ReservationId,
    seats: Vec<SeatLabel>,
) -> Result<bool, StoreError> {
    let Some(entry) = work.state::<Waitlist>(&time_slot)?.entry(id).cloned() else {
        return Ok(false);
    };
    let places = match plan.show {
        Show::Theme { .. } => Places::Room,
        Show::Movie { .. } => Places::Seats(seats),
    };
    let wish = Wish {
        time_slot,
        places,
        party: entry.party,
        accessible: false,
        said: aggregates::ratings::Statement::default(),
    };
    let choice = match choose(work, plan, &wish).await {
        Ok(choice) => choice,
        Err(Stop::Refused(_)) => return Ok(false),
        Err(Stop::Store(error)) => return Err(error),
    };
    let rules = work.load::<Branch>(&plan.branch).await?.payment();
    let (until, seats) = (
        rules.offer_until(work.now(), plan.sales_close_at),
        choice.seats.clone(),
    );
    work.begin::<Reservation>(&id).await?;
    let command = ReservationCommand::Offer {
        time_slot,
        choice,
        until,
        customer: entry.customer,
    };
    // Its number was given to somebody else meanwhile.
    if work.execute::<Reservation>(&id, command).is_err() {
        return Ok(false);
    }
    for seat in &seat_ids(time_slot, &seats) {
        work.execute::<Seat>(seat, SeatCommand::Hold { by: id })
            .map_err(|error| impossible(&error))?;
    }
    let command = WaitlistCommand::Offer {
        entry: id,
        seats,
        until,
    };
    work.execute::<Waitlist>(&time_slot, command)
        .map_err(|error| impossible(&error))?;
    Ok(true)
}

fn end_one(
    work: &mut UnitOfWork,
    time_slot: TimeSlotId,
    entry: ReservationId,
    why: WhyEnded,
) -> Result<(), StoreError> {
    work.execute::<Waitlist>(&time_slot, WaitlistCommand::End { entry, why })
        .map_err(|error| impossible(&error))
}

async fn end_waiting(work: &mut UnitOfWork, time_slot: TimeSlotId, why: WhyEnded) -> Result<(), StoreError> {
    let waitlist = work.load::<Waitlist>(&time_slot).await?;
    let waiting: Vec<ReservationId> = waitlist.waiting().map(|entry| entry.id).collect();
    waiting
        .into_iter()
        .try_for_each(|entry| end_one(work, time_slot, entry, why))
}

/// A rule that was asked just what it allows says no: the program is wrong, and its unit fails.
fn impossible(error: &dyn std::error::Error) -> StoreError {
    StoreError::Corrupt(format!("a free place could not be offered: {error}"))
}

/// Whether places of a slot are sold now.
enum Sale {
    Open(Plan),
    /// Not now, but perhaps again.
    Paused,
    /// Never again.
    Over(WhyEnded),
}

async fn sale(work: &mut UnitOfWork, time_slot: TimeSlotId) -> Result<Sale, StoreError> {
    let now = work.now();
    let plan = match work.load::<TimeSlot>(&time_slot).await?.open_for_holds(now) {
        Ok(plan) => plan.clone(),
        Err(TimeSlotError::Withdrawn) => return Ok(Sale::Over(WhyEnded::Withdrawn)),
        Err(TimeSlotError::Started { .. } | TimeSlotError::SalesClosed { .. }) => {
            return Ok(Sale::Over(WhyEnded::SalesClosed));
        }
        Err(
            TimeSlotError::Closed
            | TimeSlotError::NotYetOnSale { .. }
            | TimeSlotError::NotFound
            | TimeSlotError::AlreadyScheduled
            | TimeSlotError::InconsistentPlan(_),
        ) => return Ok(Sale::Paused),
    };
    let branch = work
        .load::<Branch>(&plan.branch)
        .await?
        .open_at(plan.starts_at)
        .is_ok();
    let shown = match plan.show {
        Show::Movie { movie, .. } => work.load::<Movie>(&movie).await?.film().is_ok(),
        Show::Theme { .. } => true,
    };
    Ok(if branch && shown {
        Sale::Open(plan)
    } else {
        Sale::Paused
    })
}

/// The places of a slot and which of them are side by side.
pub(super) enum Hall {
    /// One room, sold whole.
    Room,
    Seats(Arc<Layout>),
    /// Its layout is missing: nothing can be offered.
    Nothing,
}

impl Hall {
    pub(super) async fn of(work: &mut UnitOfWork, plan: &Plan) -> Result<Self, StoreError> {
        let Show::Movie {
            auditorium,
            layout_version,
            ..
        } = plan.show
        else {
            return Ok(Self::Room);
        };
        let auditorium = work.load::<Auditorium>(&auditorium).await?;
        let layout = auditorium.layout(layout_version);
        Ok(layout.map_or(Self::Nothing, |layout| Self::Seats(Arc::clone(layout))))
    }

    /// The places in the blocks around these; all of them, if none are named.
    pub(super) fn blocks(&self, around: Option<&[SeatLabel]>) -> Vec<SeatLabel> {
        match (self, around) {
            (Self::Room, _) => vec![SeatLabel::room()],
            (Self::Nothing, _) => Vec::new(),
            (Self::Seats(layout), None) => layout.seats().map(|seat| seat.label.clone()).collect(),
            (Self::Seats(layout), Some(around)) => {
                let blocks = layout.runs_around(around);
                let seats = blocks.iter().flat_map(|block| block.iter());
                seats.map(|seat| seat.label.clone()).collect()
            }
        }
    }

    /// So many of the free places side by side, which are free no more.
    pub(super) fn take(
        &self,
        free: &mut HashSet<SeatLabel>,
        count: usize,
        pool_is_open: bool,
    ) -> Option<Vec<SeatLabel>> {
        let taken = match self {
            Self::Nothing => None,
            Self::Room => free.contains(&SeatLabel::room()).then(|| vec![SeatLabel::room()]),
            Self::Seats(layout) => {
                let wish = seating::Wish::of(count, pool_is_open);
                seating::best_available(layout, wish, |label| !free.contains(label))
            }
        }?;
        for label in &taken {
            free.remove(label);
        }
        Some(taken)
    }

    /// Whether so many places side by side would be free among these, some of the `wanted` with them.
    fn would_fit(
        &self,
        free: &HashSet<SeatLabel>,
        wanted: &[SeatLabel],
        count: usize,
        pool_is_open: bool,
    ) -> bool {
        match self {
            Self::Nothing => false,
            Self::Room => true,
            Self::Seats(layout) => layout.runs_around(wanted).into_iter().any(|block| {
                block.windows(count.max(1)).any(|seats| {
                    seats.iter().any(|seat| wanted.contains(&seat.label))
                        && seats.iter().all(|seat| {
                            free.contains(&seat.label) && open_to_all(pool_is_open).contains(&seat.kind)
                        })
                })
            }),
        }
    }
}

/// Those of these places that are free; all of them are checked again in the append.
pub(super) async fn free_among(
    work: &mut UnitOfWork,
    time_slot: TimeSlotId,
    labels: &[SeatLabel],
) -> Result<HashSet<SeatLabel>, StoreError> {
    let ids: Vec<SeatId> = seat_ids(time_slot, labels);
    work.load_prefix::<Seat>(&format!("{time_slot}:"), &ids).await?;
    let mut free = HashSet::new();
    for seat in ids {
        if *work.state::<Seat>(&seat)? == Seat::Free {
            free.insert(seat.label);
        }
    }
    Ok(free)
}

/// Refuses places that have just been taken for `id`, if somebody waits whom they would fit (DOMAIN W2). Where nobody
/// waits it reads the waitlist and nothing else. Who takes nothing overtakes nobody.
pub(super) async fn overtakes_nobody(
    work: &mut UnitOfWork,
    plan: &Plan,
    time_slot: TimeSlotId,
    taken: &[SeatLabel],
) -> Result<(), Stop<Refused>> {
    if taken.is_empty() {
        return Ok(());
    }
    let waitlist = work.load::<Waitlist>(&time_slot).await?;
    let Some(fewest) = waitlist.waiting().map(aggregates::waitlist::Entry::seats).min() else {
        return Ok(());
    };
    let hall = Hall::of(work, plan).await?;
    let around = hall.blocks(Some(taken));
    let mut free = free_among(work, time_slot, &around).await?;
    free.extend(taken.iter().cloned());
    if hall.would_fit(&free, taken, fewest, plan.pool_is_open(work.now())) {
        let seats = taken.to_vec();
        let refused = WaitlistError::SomebodyWaits { seats };
        return Err(work.blame::<Waitlist, _>(&time_slot, refused).into());
    }
    Ok(())
}

/// What becomes of an offer when the reservation that holds it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is taken.
    Accepted,
    /// It is given back.
    Declined,
    /// Its time is up.
    Lapsed,
}

/// Records on the waitlist what becomes of an offer that runs; for other reservations it does nothing.
pub(super) async fn settle(
    work: &mut UnitOfWork,
    id: ReservationId,
    settled: Settled,
) -> Result<(), Stop<Refused>> {
    let hold = work.load::<Reservation>(&id).await?.hold();
    let Some(time_slot) = hold.filter(|hold| hold.offered).map(|hold| hold.time_slot) else {
        return Ok(());
    };
    let runs = work.load::<Waitlist>(&time_slot).await?.entry(id).is_some();
    if !runs {
        return Ok(());
    }
    let command = match settled {
        Settled::Accepted => WaitlistCommand::Accept { entry: id },
        Settled::Declined => WaitlistCommand::Decline { entry: id },
        Settled::Lapsed => WaitlistCommand::Lapse { entry: id },
    };
    Ok(work.execute::<Waitlist>(&time_slot, command)?)
}
