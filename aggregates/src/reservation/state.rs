//! What a reservation remembers and how its events change it; never decides.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Canceller, Choice, Ledger, Offer, Placement, ProviderPayment, ReservationEvent};
use crate::{
    ids::{CustomerId, TimeSlotId},
    ratings::Statement,
    values::Money,
};

/// A hold, running or over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The time slot.
    pub time_slot: TimeSlotId,
    /// Seats, people, price.
    pub choice: Choice,
    /// When it runs out.
    pub until: Timestamp,
    /// When it must end however often it is touched.
    pub cap: Timestamp,
    /// Whether it was extended: that is possible once.
    pub extended: bool,
    /// Whose it is, if they were signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Whether it was offered to somebody who waited (DOMAIN W2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offered: bool,
    /// What was said about ages.
    #[serde(default, skip_serializing_if = "Statement::is_silent")]
    pub said: Statement,
}

/// A binding reservation and what became of its money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one yes or no for each thing that becomes of it"
)]
pub struct Placed {
    /// What had been held.
    pub hold: Held,
    /// The terms it is bound to.
    pub placement: Placement,
    /// Whether nothing is due any more.
    pub paid: bool,
    /// Whether the customer was told (DOMAIN E5).
    pub notified: bool,
    /// How often it was moved to another slot or other seats: tickets from before are of no use.
    #[serde(default, skip_serializing_if = "is_never")]
    pub moves: u16,
    /// Whether something had been paid when it was last moved, or went back after all had been paid: then it does not expire
    /// for the sake of the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rest_waits: bool,
    /// Until when it may be moved elsewhere or cancelled for nothing, if the branch offered that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reschedule_until: Option<Timestamp>,
    /// What came in and what goes back.
    #[serde(default)]
    pub money: Ledger,
    /// What came through the payment provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider_payments: Vec<ProviderPayment>,
    /// The equal slot that is offered for its late money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whether its coupon stays redeemed though it was cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_coupon: bool,
}

const fn is_never(moves: &u16) -> bool {
    *moves == 0
}

impl Placed {
    /// The price.
    #[must_use]
    pub const fn due(&self) -> Money {
        Money {
            amount: self.placement.quote.total,
            currency: self.placement.quote.currency,
        }
    }

    /// The deadline of a payment that is due; none if nothing is due, it is paid on site, or only the rest of a move is due.
    #[must_use]
    pub const fn pay_by(&self) -> Option<Timestamp> {
        if self.paid || self.rest_waits {
            None
        } else {
            self.placement.payment.pay_by()
        }
    }

    /// Until when it can be cancelled (DOMAIN C14): online until a while before, at the counter until the start.
    #[must_use]
    pub fn cancellable_until(&self, by: Canceller) -> Timestamp {
        match by {
            Canceller::Customer => match self.reschedule_until {
                Some(offered) => offered.max(self.placement.cancel_until),
                None => self.placement.cancel_until,
            },
            Canceller::Staff | Canceller::Branch => self.placement.starts_at,
        }
    }

    /// Whether who cancels at `now` owes nothing, whatever the tier says: the branch does no business then, and calls it off
    /// itself or has offered to move it.
    #[must_use]
    pub fn cancels_free(&self, by: Canceller, now: Timestamp) -> bool {
        match by {
            Canceller::Branch => true,
            Canceller::Customer | Canceller::Staff => {
                self.reschedule_until.is_some_and(|offered| now < offered)
            }
        }
    }
}

/// What a reservation remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Reservation {
    /// Not begun.
    #[default]
    Blank,
    /// Its seats are held.
    Held(Held),
    /// The hold ran out; it can be revived.
    Lapsed(Held),
    /// The hold was given back.
    Released(Held),
    /// Binding.
    Placed(Box<Placed>),
    /// They came.
    Attended(Box<Placed>),
    /// They did not come.
    NoShow(Box<Placed>),
    /// Called off.
    Cancelled(Box<Placed>),
    /// Not paid in time.
    Expired(Box<Placed>),
}

impl Reservation {
    /// What is or was held, at any stage after the first.
    #[must_use]
    pub const fn hold(&self) -> Option<&Held> {
        match self {
            Self::Blank => None,
            Self::Held(hold) | Self::Lapsed(hold) | Self::Released(hold) => Some(hold),
            Self::Placed(placed)
            | Self::Attended(placed)
            | Self::NoShow(placed)
            | Self::Cancelled(placed)
            | Self::Expired(placed) => Some(&placed.hold),
        }
    }

    /// The binding terms, once it was placed.
    #[must_use]
    pub const fn placed(&self) -> Option<&Placed> {
        match self {
            Self::Blank | Self::Held(_) | Self::Lapsed(_) | Self::Released(_) => None,
            Self::Placed(placed)
            | Self::Attended(placed)
            | Self::NoShow(placed)
            | Self::Cancelled(placed)
            | Self::Expired(placed) => Some(placed),
        }
    }

    /// When time ends it, if nobody does anything: the end of the hold, the deadline of the payment,
    /// or the end of what is offered for late money.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            Self::Held(hold) => Some(hold.until),
            Self::Placed(placed) => placed.pay_by(),
            Self::Expired(placed) => placed.offer.as_ref().map(|offer| offer.until),
            Self::Blank
            | Self::Lapsed(_)
            | Self::Released(_)
            | Self::Attended(_)
            | Self::NoShow(_)
            | Self::Cancelled(_) => None,
        }
    }

    /// Whether its seats are its own right now.
    #[must_use]
    pub const fn has_seats(&self) -> bool {
        match self {
            Self::Held(_) | Self::Placed(_) | Self::Attended(_) | Self::NoShow(_) => true,
            Self::Blank | Self::Lapsed(_) | Self::Released(_) | Self::Cancelled(_) | Self::Expired(_) => {
                false
            }
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table: an event, and the stage it follows"
    )]
    pub(super) fn evolve(&mut self, event: ReservationEvent) {
        use ReservationEvent as Event;
        let before = std::mem::take(self);
        *self = match (event, before) {
            (
                Event::Held {
                    time_slot,
                    choice,
                    until,
                    cap,
                    customer,
                    offered,
                    said,
                },
                _,
            ) => Self::Held(Held {
                time_slot,
                choice,
                until,
                cap,
                extended: false,
                customer,
                offered,
                said,
            }),
            (Event::Extended { until }, Self::Held(hold)) => Self::Held(Held {
                until,
                extended: true,
                ..hold
            }),
            (Event::Changed { choice }, Self::Held(hold)) => Self::Held(Held { choice, ..hold }),
            (Event::Released, Self::Held(hold)) => Self::Released(hold),
            (Event::Lapsed, Self::Held(hold)) => Self::Lapsed(hold),
            (Event::Revived { until }, Self::Lapsed(hold)) => Self::Held(Held { until, ..hold }),
            (Event::Placed(placement), Self::Held(hold)) => {
                let paid = placement.quote.total == 0;
                Self::Placed(Box::new(Placed {
                    hold,
                    paid,
                    notified: false,
                    moves: 0,
                    rest_waits: false,
                    reschedule_until: None,
                    money: Ledger::of(placement.quote.total),
                    provider_payments: Vec::new(),
                    offer: None,
                    keeps_coupon: false,
                    placement: *placement,
                }))
            }
            (event @ Event::Reinstated { .. }, Self::Expired(placed)) => {
                Self::Placed(placed.with_money(&event))
            }
            (event @ (Event::Paid { .. } | Event::Refunded { .. }), Self::Placed(placed)) => {
                Self::Placed(placed.with_money(&event))
            }
            (event @ (Event::Paid { .. } | Event::Refunded { .. }), Self::Attended(placed)) => {
                Self::Attended(placed.with_money(&event))
            }
            (event @ (Event::Paid { .. } | Event::Refunded { .. }), Self::NoShow(placed)) => {
                Self::NoShow(placed.with_money(&event))
            }
            (event @ (Event::Paid { .. } | Event::Refunded { .. }), Self::Cancelled(placed)) => {
                Self::Cancelled(placed.with_money(&event))
            }
            (
                event @ (Event::Paid { .. }
                | Event::Refunded { .. }
                | Event::Offered(_)
                | Event::OfferAccepted { .. }
                | Event::OfferDeclined
                | Event::OfferLapsed),
                Self::Expired(placed),
            ) => Self::Expired(placed.with_money(&event)),
            (Event::Notified { .. }, Self::Placed(placed)) => Self::Placed(Box::new(Placed {
                notified: true,
                ..*placed
            })),
            (Event::RescheduleOffered { until, .. }, Self::Placed(placed)) => {
                Self::Placed(Box::new(Placed {
                    reschedule_until: Some(until),
                    ..*placed
                }))
            }
            (Event::CheckedIn | Event::Admitted { .. }, Self::Placed(placed)) => Self::Attended(placed),
            (Event::CheckInUndone { .. }, Self::Attended(placed)) => Self::Placed(placed),
            (Event::MarkedNoShow, Self::Placed(placed)) => Self::NoShow(placed),
            (Event::NoShowWithdrawn, Self::NoShow(placed)) => Self::Placed(placed),
            (Event::Rescheduled(moved), Self::Placed(placed)) => Self::Placed(Box::new(placed.moved(*moved))),
            (event @ Event::Cancelled { .. }, Self::Placed(placed)) => {
                Self::Cancelled(placed.with_money(&event))
            }
            (event @ Event::Expired, Self::Placed(placed)) => Self::Expired(placed.with_money(&event)),
            // What does not follow from where it was changes nothing.
            (
                Event::Extended { .. }
                | Event::Changed { .. }
                | Event::Released
                | Event::Lapsed
                | Event::Revived { .. }
                | Event::Placed(_)
                | Event::Paid { .. }
                | Event::Refunded { .. }
                | Event::RefundDue { .. }
                | Event::Reinstated { .. }
                | Event::Offered(_)
                | Event::OfferAccepted { .. }
                | Event::OfferDeclined
                | Event::OfferLapsed
                | Event::Notified { .. }
                | Event::CheckedIn
                | Event::Admitted { .. }
                | Event::CheckInUndone { .. }
                | Event::MarkedNoShow
                | Event::NoShowWithdrawn
                | Event::Rescheduled(_)
                | Event::Cancelled { .. }
                | Event::RescheduleOffered { .. }
                | Event::Expired,
                before,
            ) => before,
        };
    }
}
