//! Holding places and what can be done with a hold: extend, change, release, revive; never takes money.

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    reservation::{Reservation, ReservationCommand, ReservationError},
    seat::{Seat, SeatCommand, SeatError},
    time_slot::{Plan, TimeSlot},
    values::SeatLabel,
};

use super::{
    Answer, Bookings, Wish,
    choice::choose,
    end::{Ending, end_if_due},
    refused::Refused,
};
use crate::store::{Request, Stop, UnitOfWork};

impl Bookings {
    /// Holds places under a number from [`Bookings::next_number`] (DOMAIN C6, C7, C11, E4, H1).
    pub async fn hold(&self, request: &Request, id: ReservationId, wish: &Wish) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let plan = open_plan(work, wish.time_slot).await?;
            let choice = choose(work, &plan, wish).await?;
            take_seats(work, id, wish.time_slot, &choice.seats).await?;
            work.begin::<Reservation>(&id);
            let (until, cap) = (plan.hold_until(now), plan.hold_cap(now));
            let command = ReservationCommand::Hold {
                time_slot: wish.time_slot,
                choice,
                until,
                cap,
            };
            Ok(work.execute::<Reservation>(&id, command)?)
        })
        .await
    }

    /// Keeps a hold a little longer, once.
    pub async fn extend(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let (time_slot, _) = held(work, id).await?;
            let plan = open_plan(work, time_slot).await?;
            Ok(work.execute::<Reservation>(
                &id,
                ReservationCommand::Extend {
                    until: plan.hold_until(now),
                },
            )?)
        })
        .await
    }

    /// Exchanges the places or people of a running hold; seats that stay are never let go in between.
    pub async fn change(&self, request: &Request, id: ReservationId, wish: &Wish) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let (time_slot, before) = held(work, id).await?;
            let plan = open_plan(work, time_slot).await?;
            let choice = choose(
                work,
                &plan,
                &Wish {
                    time_slot,
                    ..wish.clone()
                },
            )
            .await?;
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
            give_back(work, id, time_slot, &dropped).await?;
            take_seats(work, id, time_slot, &added).await
        })
        .await
    }

    /// Gives a hold back.
    pub async fn release(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let (time_slot, seats) = held(work, id).await?;
            work.execute::<Reservation>(&id, ReservationCommand::Release)?;
            give_back(work, id, time_slot, &seats).await
        })
        .await
    }

    /// Takes a lapsed hold up again, if all its seats are still free; the price stays as quoted (DOMAIN H1).
    pub async fn revive(&self, request: &Request, id: ReservationId) -> Answer {
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            let now = work.now();
            let (time_slot, seats) = held(work, id).await?;
            let plan = open_plan(work, time_slot).await?;
            // A hold whose time is up but whose lapse is not recorded yet lapses here first.
            let ended = end_if_due(work, id).await?;
            let (until, cap) = (plan.hold_until(now), plan.hold_cap(now));
            work.execute::<Reservation>(&id, ReservationCommand::Revive { until, cap })?;
            match ended {
                Some(Ending::Expired) => Err(ReservationError::Expired.into()),
                Some(Ending::Lapsed) | None => take_seats(work, id, time_slot, &seats).await,
            }
        })
        .await
    }
}

/// The plan of a slot that takes holds now.
pub(super) async fn open_plan(work: &mut UnitOfWork, id: TimeSlotId) -> Result<Plan, Stop<Refused>> {
    let now = work.now();
    Ok(work.load::<TimeSlot>(&id).await?.open_for_holds(now)?.clone())
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
    Ok((hold.time_slot, hold.choice.seats.clone()))
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

/// Holds all of these seats or names every one that cannot be had. A holder whose time is up gives way in the same append.
async fn take_seats(
    work: &mut UnitOfWork,
    id: ReservationId,
    time_slot: TimeSlotId,
    labels: &[SeatLabel],
) -> Result<(), Stop<Refused>> {
    let ids = seat_ids(time_slot, labels);
    work.load_prefix::<Seat>(&format!("{time_slot}:"), &ids).await?;
    let mut refused = Vec::new();
    for seat in &ids {
        let hold = || SeatCommand::Hold { by: id };
        let mut result = work.execute::<Seat>(seat, hold());
        if let Err(SeatError::Taken { by }) = result
            && end_if_due(work, by).await?.is_some()
        {
            result = work.execute::<Seat>(seat, hold());
        }
        if let Err(error) = result {
            refused.push((seat.label.clone(), error));
        }
    }
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Stop::Refused(Refused::Seats(refused)))
    }
}

/// Gives these seats back, as far as the reservation has them.
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
    Ok(())
}
