//! How reservations end: cancelled by someone, lapsed or expired by time; always gives seats and coupon back with it.

use aggregates::{
    coupon::{Coupon, CouponCommand},
    ids::ReservationId,
    reservation::{Canceller, Reservation, ReservationCommand, ReservationError},
    values::{CouponCode, Note},
};

use super::{
    Answer, Bookings,
    hold::{give_back, held},
    refused::Refused,
};
use crate::store::{Request, Stop, UnitOfWork};

/// How time ended a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The hold ran out.
    Lapsed,
    /// It was not paid in time.
    Expired,
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

    /// Ends a reservation whose time is up; does nothing to any other.
    pub async fn end_due(&self, request: &Request, id: ReservationId) -> Answer {
        self.run(request, |mut unit| async move {
            let work = &mut unit;
            end_if_due(work, id).await?;
            Ok(())
        })
        .await
    }
}

/// Ends a reservation whose hold has run out or whose payment is overdue, with everything it has, within this unit of
/// work; tells how, if it did (DESIGN §2: time alone changes nothing).
pub async fn end_if_due(work: &mut UnitOfWork, id: ReservationId) -> Result<Option<Ending>, Stop<Refused>> {
    let now = work.now();
    let due = match work.load::<Reservation>(&id).await? {
        Reservation::Held(hold) if hold.until <= now => Some((ReservationCommand::Lapse, Ending::Lapsed)),
        Reservation::Placed(placed) if placed.pay_by().is_some_and(|pay_by| pay_by <= now) => {
            Some((ReservationCommand::Expire, Ending::Expired))
        }
        Reservation::Blank
        | Reservation::Held(_)
        | Reservation::Lapsed(_)
        | Reservation::Released(_)
        | Reservation::Placed(_)
        | Reservation::Attended(_)
        | Reservation::NoShow(_)
        | Reservation::Cancelled(_)
        | Reservation::Expired(_) => None,
    };
    let Some((command, ending)) = due else {
        return Ok(None);
    };
    work.execute::<Reservation>(&id, command)?;
    give_everything_back(work, id).await?;
    Ok(Some(ending))
}

async fn give_everything_back(work: &mut UnitOfWork, id: ReservationId) -> Result<(), Stop<Refused>> {
    let (time_slot, seats) = held(work, id).await?;
    give_back(work, id, time_slot, &seats).await?;
    if let Some(code) = coupon_of(work, id).await? {
        work.load::<Coupon>(&code).await?;
        work.execute::<Coupon>(&code, CouponCommand::Restore { by: id })?;
    }
    Ok(())
}

async fn coupon_of(work: &mut UnitOfWork, id: ReservationId) -> Result<Option<CouponCode>, Stop<Refused>> {
    let reservation = work.load::<Reservation>(&id).await?;
    if *reservation == Reservation::Blank {
        return Err(ReservationError::NotFound.into());
    }
    Ok(reservation
        .placed()
        .and_then(|placed| placed.placement.coupon.clone()))
}
