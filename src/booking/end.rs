//! How reservations end: cancelled by someone, lapsed or expired by time; always gives seats and coupon back with it;
//! never one without the others.

use aggregates::{
    coupon::{Coupon, CouponCommand},
    ids::ReservationId,
    reservation::{Canceller, Reservation, ReservationCommand, ReservationError},
    values::{CouponCode, Note},
};
use jiff::Timestamp;

use super::{
    Answer, Bookings,
    hold::{give_back, held},
    money::lapse_offer,
    patrons::{give_allowance_back, patrons_of_placed},
    refused::Refused,
    waitlist::{Settled, settle},
};
use crate::store::{Request, Stop, UnitOfWork};

/// How time ended a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The hold ran out.
    Lapsed,
    /// It was not paid in time.
    Expired,
    /// What was offered for its late money was not accepted in time.
    OfferLapsed,
}

impl Bookings {
    /// Calls a placed reservation off (DOMAIN C14, K2).
    pub async fn cancel(
        &self,
        request: &Request,
        id: ReservationId,
        by: Canceller,
        reason: Option<Note>,
    ) -> Answer {
        let reason = &reason;
        self.run_on(request, id, |mut unit| async move {
            let work = &mut unit;
            held(work, id).await?;
            let command = ReservationCommand::Cancel {
                by,
                reason: reason.clone(),
            };
            work.execute::<Reservation>(&id, command)?;
            give_everything_back(work, id).await
        })
        .await
    }

    /// Offers to move a placed reservation, because its branch does no business then.
    pub async fn offer_reschedule(
        &self,
        request: &Request,
        id: ReservationId,
        until: Timestamp,
        reason: Option<Note>,
    ) -> Answer {
        self.record(request, id, ReservationCommand::OfferReschedule { until, reason })
            .await
    }

    /// Ends a reservation whose time is up; does nothing to one that has ended.
    ///
    /// # Errors
    ///
    /// While it is not due yet: that is not remembered, as "nothing to do" would be, for its time will come.
    pub async fn end_due(&self, request: &Request, id: ReservationId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            if end_if_due(work, id).await?.is_some() {
                return Ok(());
            }
            match work.load::<Reservation>(&id).await?.due_at() {
                Some(due_at) => Err(ReservationError::NotYetDue { due_at }.into()),
                None => Ok(()),
            }
        })
        .await
    }
}

/// Ends a reservation whose hold has run out or whose payment is overdue, with everything it has, within this unit of
/// work; tells how, if it did (DESIGN §2: time alone changes nothing).
pub async fn end_if_due(work: &mut UnitOfWork, id: ReservationId) -> Result<Option<Ending>, Stop<Refused>> {
    let now = work.now();
    let reservation = work.load::<Reservation>(&id).await?;
    if reservation.due_at().is_none_or(|due_at| now < due_at) {
        return Ok(None);
    }
    if reservation.offer().is_some() {
        lapse_offer(work, id)?;
        return Ok(Some(Ending::OfferLapsed));
    }
    let (command, ending) = if reservation.placed().is_some() {
        (ReservationCommand::Expire, Ending::Expired)
    } else {
        (ReservationCommand::Lapse, Ending::Lapsed)
    };
    work.execute::<Reservation>(&id, command)?;
    settle(work, id, Settled::Lapsed).await?;
    give_everything_back(work, id).await?;
    Ok(Some(ending))
}

async fn give_everything_back(work: &mut UnitOfWork, id: ReservationId) -> Result<(), Stop<Refused>> {
    let (time_slot, seats) = held(work, id).await?;
    give_back(work, id, time_slot, &seats).await?;
    let patrons = patrons_of_placed(work, id).await?;
    give_allowance_back(work, id, time_slot, &patrons).await?;
    if let Some(code) = coupon_to_restore(work, id).await? {
        work.load::<Coupon>(&code).await?;
        work.execute::<Coupon>(&code, CouponCommand::Restore { by: id })?;
    }
    Ok(())
}

/// The coupon it gives back: a cancellation that costs something may leave it redeemed (DOMAIN K2).
async fn coupon_to_restore(
    work: &mut UnitOfWork,
    id: ReservationId,
) -> Result<Option<CouponCode>, Stop<Refused>> {
    let reservation = work.load::<Reservation>(&id).await?;
    if *reservation == Reservation::Blank {
        return Err(ReservationError::NotFound.into());
    }
    Ok(reservation
        .placed()
        .filter(|placed| !placed.keeps_coupon)
        .and_then(|placed| placed.placement.coupon.clone()))
}
