//! Holding places and what can be done with a hold: extend, change, release, revive; never takes money.

use aggregates::{
    branch::Branch,
    ids::{CustomerId, ReservationId, SeatId, TimeSlotId},
    movie::Movie,
    pricing::Party,
    ratings::Statement,
    reservation::{Reservation, ReservationCommand, ReservationError},
    seat::{Seat, SeatCommand, SeatError},
    time_slot::{Plan, Show, TimeSlot},
    values::SeatLabel,
    waitlist::WaitlistError,
};

use super::{
    Answer, Bookings, Places, Wish,
    choice::choose,
    end::{Ending, end_if_due},
    orphans::keep_orphan_rule,
    patrons::{among_us, by_account, welcome},
    ratings::{credible, foresee},
    refused::Refused,
    waitlist::{Settled, free_places, overtakes_nobody, settle},
};
use crate::store::{Actor, Request, Stop, UnitOfWork};

/// Numbers tried for one hold, should others have been given the same.
pub(super) const NUMBERS_MAX: usize = 8;

impl Bookings {
    /// Holds places under a number from [`Bookings::next_number`], or under another one if it was given already: the answer
    /// tells which (DOMAIN C6, C7, C11, E4, H1).
    pub async fn hold(&self, request: &Request, id: ReservationId, wish: &Wish) -> Answer {
        let mut answer = self.hold_as(request, id, wish).await;
        // Numbers are made without asking anyone; one that was given already is nobody's fault.
        for _ in 1..NUMBERS_MAX {
            let Err(Stop::Refused(Refused::Reservation(ReservationError::AlreadyBegun))) = answer else {
                break;
            };
            let other = self.next_number();
            answer = self.hold_as(&renumbered(request, id, other), other, wish).await;
        }
        answer
    }

    async fn hold_as(&self, request: &Request, id: ReservationId, wish: &Wish) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let plan = open_plan(work, wish.time_slot).await?;
            begin_hold(work, request, id, &plan, wish).await
        })
        .await
    }

    /// Keeps a hold one more lifetime, once, as far as its cap and the sale allow (DOMAIN H1).
    pub async fn extend(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let hold = work.load::<Reservation>(&id).await?.hold();
            let (time_slot, runs_out) = hold
                .map(|hold| (hold.time_slot, hold.until))
                .ok_or(ReservationError::NotFound)?;
            let until = open_plan(work, time_slot).await?.hold_until(runs_out);
            Ok(work.execute::<Reservation>(&id, ReservationCommand::Extend { until })?)
        })
        .await
    }

    /// Exchanges the places or people of a running hold; seats that stay are never let go in between. Other seats are judged
    /// as if they were held anew; that somebody needs a wheelchair place stays stated while such a place is held.
    pub async fn change(
        &self,
        request: &Request,
        id: ReservationId,
        places: &Places,
        party: &Party,
        accessible: bool,
    ) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let (time_slot, before) = held(work, id).await?;
            let plan = open_plan(work, time_slot).await?;
            let stated = work.state::<Reservation>(&id)?.hold();
            let wish = Wish {
                time_slot,
                places: places.clone(),
                party: *party,
                accessible: accessible || stated.is_some_and(|hold| hold.choice.accessible),
                said: Statement::default(),
            };
            let choice = choose(work, &plan, &wish).await?;
            let seats = choice.seats.clone();
            let (kept, dropped): (Vec<_>, Vec<_>) =
                before.into_iter().partition(|label| choice.seats.contains(label));
            let added: Vec<_> = choice
                .seats
                .iter()
                .filter(|label| !kept.contains(label))
                .cloned()
                .collect();
            // The reservation decides first: a hold that ran out must not touch seats.
            work.execute::<Reservation>(&id, ReservationCommand::Change { choice })?;
            if dropped.is_empty() && added.is_empty() {
                return Ok(());
            }
            // Whoever changes what was offered to them has taken it.
            settle(work, id, Settled::Accepted).await?;
            give_back(work, id, time_slot, &dropped).await?;
            take_seats(work, id, &plan, time_slot, &added).await?;
            keep_orphan_rule(work, id, &plan, time_slot, &seats).await
        })
        .await
    }

    /// Gives a hold back.
    pub async fn release(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let (time_slot, seats) = held(work, id).await?;
            work.execute::<Reservation>(&id, ReservationCommand::Release)?;
            settle(work, id, Settled::Declined).await?;
            give_back(work, id, time_slot, &seats).await
        })
        .await
    }

    /// Takes a lapsed hold up again, if all its seats are still free; the price stays as quoted (DOMAIN H1). What was sold
    /// around them meanwhile counts: it leaves no lone seat that a new hold would not leave.
    pub async fn revive(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let (time_slot, seats) = held(work, id).await?;
            let plan = open_plan(work, time_slot).await?;
            // A hold whose time is up but whose lapse is not recorded yet lapses here first.
            let ended = end_if_due(work, id).await?;
            let until = plan.hold_until(now);
            let runs = matches!(work.state::<Reservation>(&id)?, Reservation::Held(_));
            work.execute::<Reservation>(&id, ReservationCommand::Revive { until })?;
            match ended {
                Some(Ending::Expired | Ending::OfferLapsed) => Err(ReservationError::Expired.into()),
                // It has its seats.
                None if runs => Ok(()),
                Some(Ending::Lapsed) | None => {
                    take_seats(work, id, &plan, time_slot, &seats).await?;
                    keep_orphan_rule(work, id, &plan, time_slot, &seats).await
                }
            }
        })
        .await
    }
}

/// Holds what is wished for, under this number.
pub(super) async fn begin_hold(
    work: &mut UnitOfWork,
    request: &Request,
    id: ReservationId,
    plan: &Plan,
    wish: &Wish,
) -> Result<(), Stop<Refused>> {
    let now = work.now();
    let customer = customer_of(request);
    let said = credible(wish.said, &request.actor)?;
    among_us(work, customer).await?;
    foresee(work, plan, customer, said).await?;
    if let Some(customer) = customer {
        let patron = by_account(work.vault(), customer);
        welcome(work, &[patron]).await?;
    }
    let choice = choose(work, plan, wish).await?;
    take_seats(work, id, plan, wish.time_slot, &choice.seats).await?;
    keep_orphan_rule(work, id, plan, wish.time_slot, &choice.seats).await?;
    work.begin::<Reservation>(&id).await?;
    let command = ReservationCommand::Hold {
        time_slot: wish.time_slot,
        choice,
        until: plan.hold_until(now),
        cap: plan.hold_cap(now),
        customer,
        said,
    };
    Ok(work.execute::<Reservation>(&id, command)?)
}

/// Whose a hold is, if who asks is signed in.
pub(super) const fn customer_of(request: &Request) -> Option<CustomerId> {
    match request.actor {
        Actor::Customer(customer) => Some(customer),
        Actor::Guest(_) | Actor::Admin(_) | Actor::System(_) => None,
    }
}

/// The same request under another number; a guest is known by it.
pub(super) fn renumbered(request: &Request, from: ReservationId, to: ReservationId) -> Request {
    let mut request = request.clone();
    if request.actor == Actor::Guest(from) {
        request.actor = Actor::Guest(to);
    }
    request
}

/// The plan of a slot that takes holds now, at a branch and of a movie that do business then.
pub(super) async fn open_plan(work: &mut UnitOfWork, id: TimeSlotId) -> Result<Plan, Stop<Refused>> {
    let now = work.now();
    let slot = work.load::<TimeSlot>(&id).await?;
    let (plan, branch) = (
        slot.open_for_holds(now).cloned(),
        slot.plan().map(|plan| plan.branch),
    );
    // A refusal is said by the clock of the branch, too.
    if let Ok(branch) = branch {
        work.at_branch(branch);
    }
    let plan = plan.map_err(|error| work.blame::<TimeSlot, _>(&id, error))?;
    in_business(work, &plan).await?;
    Ok(plan)
}

/// Nothing is sold for a day on which the branch is closed, nor for a movie that is shown no more (DOMAIN E3): neither a new
/// hold, nor one that was taken before.
pub(super) async fn in_business(work: &mut UnitOfWork, plan: &Plan) -> Result<(), Stop<Refused>> {
    let open = work
        .load::<Branch>(&plan.branch)
        .await?
        .open_at(plan.starts_at)
        .map(drop);
    open.map_err(|error| work.blame::<Branch, _>(&plan.branch, error))?;
    match plan.show {
        Show::Movie { movie, .. } => {
            let film = work.load::<Movie>(&movie).await?.film().map(drop);
            film.map_err(|error| work.blame::<Movie, _>(&movie, error))?;
        }
        // A theme that is offered no more keeps the slots it has (DOMAIN E2).
        Show::Theme { .. } => {}
    }
    Ok(())
}

/// The slot and seats of a reservation that has begun.
pub(super) async fn held(
    work: &mut UnitOfWork,
    id: ReservationId,
) -> Result<(TimeSlotId, Vec<SeatLabel>), Stop<Refused>> {
    let hold = work
        .load::<Reservation>(&id)
        .await?
        .hold()
        .ok_or(ReservationError::NotFound)?;
    let (time_slot, seats) = (hold.time_slot, hold.choice.seats.clone());
    if let Ok(plan) = work.load::<TimeSlot>(&time_slot).await?.plan() {
        let branch = plan.branch;
        work.at_branch(branch);
    }
    Ok((time_slot, seats))
}

pub(super) fn seat_ids(time_slot: TimeSlotId, labels: &[SeatLabel]) -> Vec<SeatId> {
    labels
        .iter()
        .map(|label| SeatId {
            time_slot,
            label: label.clone(),
        })
        .collect()
}

/// Holds all of these seats or names every one that cannot be had. A holder whose time is up gives way in the same append:
/// to those who wait first, whom nobody overtakes.
pub(super) async fn take_seats(
    work: &mut UnitOfWork,
    id: ReservationId,
    plan: &Plan,
    time_slot: TimeSlotId,
    labels: &[SeatLabel],
) -> Result<(), Stop<Refused>> {
    let ids = seat_ids(time_slot, labels);
    work.load_prefix::<Seat>(&format!("{time_slot}:"), &ids).await?;
    let (mut refused, mut waited_for) = (Vec::new(), Vec::new());
    for seat in &ids {
        let hold = || SeatCommand::Hold { by: id };
        let mut result = work.execute::<Seat>(seat, hold());
        if let Err(SeatError::Taken { by }) = result
            && end_if_due(work, by).await?.is_some()
        {
            result = work.execute::<Seat>(seat, hold());
            if result.is_err() {
                waited_for.push(seat.label.clone());
                continue;
            }
        }
        if let Err(error) = result {
            refused.push((seat.label.clone(), error));
        }
    }
    if !refused.is_empty() {
        return Err(Stop::Refused(Refused::Seats(refused)));
    }
    if !waited_for.is_empty() {
        return Err(WaitlistError::SomebodyWaits { seats: waited_for }.into());
    }
    overtakes_nobody(work, plan, time_slot, labels).await
}

/// Gives these seats back, as far as the reservation has them; those who wait get them first.
pub(super) async fn give_back(
    work: &mut UnitOfWork,
    id: ReservationId,
    time_slot: TimeSlotId,
    labels: &[SeatLabel],
) -> Result<(), Stop<Refused>> {
    let ids = seat_ids(time_slot, labels);
    work.load_all::<Seat>(&ids).await?;
    for seat in &ids {
        work.execute::<Seat>(seat, SeatCommand::Release { by: id })
            .map_err(|error| Stop::Refused(Refused::Seats(vec![(seat.label.clone(), error)])))?;
    }
    Ok(free_places(work, time_slot, labels).await?)
}
