//! Moving a placed reservation to another slot or other seats (DOMAIN §5): until when, and what it is bound to then; never
//! knows whether the seats are free.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Canceller, Choice, Held, Ledger, Payment, Placed, Placement, ReservationError as No,
    ReservationEvent as Event,
};
use crate::{attendance::Attendance, ids::TimeSlotId, pricing::Quote};

/// How often a customer moves a reservation; staff may more often.
pub const MOVES_MAX: u16 = 5;
/// How often it can be moved at all.
const MOVES_BY_STAFF_MAX: u16 = 100;

/// Where a reservation is to be moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Who moves it.
    pub by: Canceller,
    /// To which slot; it may be the same.
    pub time_slot: TimeSlotId,
    /// Which seats, for whom, at which price.
    pub choice: Choice,
    /// That price, less the coupon.
    pub quote: Quote,
    /// How what is still to be paid of it is paid.
    pub payment: Payment,
    /// When the slot begins.
    pub starts_at: Timestamp,
    /// Until when the customer cancels without asking.
    pub cancel_until: Timestamp,
    /// When they are let in.
    pub attendance: Attendance,
}

/// A reservation that was moved: where from, where to, and what it is bound to since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// Who moved it.
    pub by: Canceller,
    /// The slot it was in.
    pub from: TimeSlotId,
    /// The slot it is in.
    pub to: TimeSlotId,
    /// The price before.
    pub former: Quote,
    /// Which seats, for whom.
    pub choice: Choice,
    /// The price charged now.
    pub quote: Quote,
    /// What had been paid, in minor units of the price's currency: the rest is due, or too much was paid.
    pub received: i64,
    /// How the rest is paid.
    pub payment: Payment,
    /// When the slot begins.
    pub starts_at: Timestamp,
    /// Until when the customer cancels without asking.
    pub cancel_until: Timestamp,
    /// When they are let in and when they count as absent.
    pub attendance: Attendance,
}

impl Move {
    /// Whether nothing more is to be paid.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        self.received >= self.quote.total
    }

    /// When it expires unless it is paid; none if it does not.
    #[must_use]
    pub const fn pay_by(&self) -> Option<Timestamp> {
        if self.is_paid() || self.received > 0 {
            None
        } else {
            self.payment.pay_by()
        }
    }
}

impl Placed {
    /// The same terms elsewhere, as far as the target has others.
    pub(super) fn rescheduled(&self, target: Target, now: Timestamp) -> Result<Vec<Event>, No> {
        let Held {
            time_slot, choice, ..
        } = &self.hold;
        let same_seats = choice.seats.iter().all(|seat| target.choice.seats.contains(seat));
        if *time_slot == target.time_slot
            && same_seats
            && choice.seats.len() == target.choice.seats.len()
            && choice.party == target.choice.party
        {
            return Ok(vec![]);
        }
        let until = self.cancellable_until(target.by);
        if now >= until {
            return Err(No::TooLateToReschedule { until });
        }
        if self.pay_by().is_some_and(|pay_by| now >= pay_by) {
            return Err(No::Expired);
        }
        let max = match target.by {
            Canceller::Customer => MOVES_MAX,
            Canceller::Staff | Canceller::Branch => MOVES_BY_STAFF_MAX,
        };
        if self.moves >= max {
            return Err(No::MovedTooOften { max });
        }
        if self.placement.quote.currency != target.quote.currency {
            return Err(No::OtherCurrency);
        }
        Ok(vec![Event::Rescheduled(Box::new(Move {
            by: target.by,
            from: *time_slot,
            to: target.time_slot,
            former: self.placement.quote.clone(),
            choice: target.choice,
            quote: target.quote,
            received: self.money.kept(),
            payment: target.payment,
            starts_at: target.starts_at,
            cancel_until: target.cancel_until,
            attendance: target.attendance,
        }))])
    }

    /// It after it was moved.
    pub(super) fn moved(self, moved: Move) -> Self {
        let money = Ledger {
            price: moved.quote.total,
            ..self.money
        };
        Self {
            paid: money.is_paid(),
            moves: self.moves.saturating_add(1),
            rest_waits: moved.received > 0,
            money,
            provider_payments: self.provider_payments,
            offer: self.offer,
            keeps_coupon: self.keeps_coupon,
            notified: self.notified,
            // Moved, it needs no other offer.
            reschedule_until: None,
            hold: Held {
                time_slot: moved.to,
                choice: moved.choice,
                ..self.hold
            },
            placement: Placement {
                quote: moved.quote,
                payment: moved.payment,
                starts_at: moved.starts_at,
                cancel_until: moved.cancel_until,
                attendance: Some(moved.attendance),
                ..self.placement
            },
        }
    }
}
