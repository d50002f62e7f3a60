//! The steps of a reservation that take more than a line of its table: how it begins, is kept, moved on and ends; never about
//! seats.

use jiff::Timestamp;

use super::{Canceller, Held, Placed, ReservationCommand, ReservationError, ReservationEvent};
use crate::{personal::Personal, ratings::Statement, values::Note};

/// How a reservation begins: held by somebody who asked, or offered to somebody who waited, which cannot be extended.
pub(super) fn begun(command: ReservationCommand) -> Option<ReservationEvent> {
    if let ReservationCommand::Hold {
        time_slot,
        choice,
        until,
        cap,
        customer,
        said,
    } = command
    {
        Some(ReservationEvent::Held {
            time_slot,
            choice,
            until: until.min(cap),
            cap,
            customer,
            offered: false,
            said,
        })
    } else if let ReservationCommand::Offer {
        time_slot,
        choice,
        until,
        customer,
    } = command
    {
        Some(ReservationEvent::Held {
            time_slot,
            choice,
            until,
            cap: until,
            customer,
            offered: true,
            said: Statement::default(),
        })
    } else {
        None
    }
}

/// Taken up again, within its cap.
pub(super) fn revived(hold: &Held, until: Timestamp) -> Vec<ReservationEvent> {
    let until = until.min(hold.cap);
    vec![ReservationEvent::Revived { until }]
}

/// Kept until then: once, and only if that gains something, so that nobody uses it up for nothing (DOMAIN H1).
pub(super) fn extended(hold: &Held, until: Timestamp) -> Result<Vec<ReservationEvent>, ReservationError> {
    if hold.extended {
        return Err(ReservationError::AlreadyExtended { until: hold.until });
    }
    if until <= hold.until {
        return Err(ReservationError::AtItsLongest { cap: until });
    }
    Ok(vec![ReservationEvent::Extended { until }])
}

/// Offered until the deadline, at the latest when the slot begins; never for less long than before, for somebody relies on it.
pub(super) fn offered(
    placed: &Placed,
    until: Timestamp,
    reason: Option<Note>,
    now: Timestamp,
) -> Result<Vec<ReservationEvent>, ReservationError> {
    let until = until.min(placed.placement.starts_at);
    if now >= until {
        return Err(ReservationError::TooLateToOffer { until });
    }
    if placed.reschedule_until.is_some_and(|offered| offered >= until) {
        return Ok(vec![]);
    }
    let reason = reason.map(Personal::Plain);
    Ok(vec![ReservationEvent::RescheduleOffered { until, reason }])
}

/// Called off while there is time, with what is kept of the money.
pub(super) fn cancelled(
    placed: &Placed,
    by: Canceller,
    reason: Option<Note>,
    now: Timestamp,
) -> Result<Vec<ReservationEvent>, ReservationError> {
    let until = placed.cancellable_until(by);
    if now >= until {
        return Err(ReservationError::TooLateToCancel { until });
    }
    let settlement = placed.settlement(by, now);
    let nothing = placed.money.kept() == 0 && !settlement.keeps_coupon;
    Ok(vec![ReservationEvent::Cancelled {
        by,
        reason: reason.map(Personal::Plain),
        settlement: (!nothing).then_some(settlement),
    }])
}

/// Not paid in time: once the deadline is over, if there is one.
pub(super) fn expired(placed: &Placed, now: Timestamp) -> Result<Vec<ReservationEvent>, ReservationError> {
    match placed.pay_by() {
        Some(due_at) if now < due_at => Err(ReservationError::NotYetDue { due_at }),
        // What was paid of it has to go back.
        Some(_) if placed.money.kept() > 0 => {
            let amount = placed.money_of(placed.money.kept());
            Ok(vec![
                ReservationEvent::Expired,
                ReservationEvent::RefundDue { amount },
            ])
        }
        Some(_) => Ok(vec![ReservationEvent::Expired]),
        None => Ok(vec![]),
    }
}
