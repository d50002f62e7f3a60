//! How a reservation is paid, what came in and what goes back, and the rules of both; never moves money.
//!
//! Payments add up. What was paid too much, after the end, or is not kept of a cancelled one is due back, and staff or the
//! payment provider's policy record when it went. Money for an expired reservation takes it up again, or is offered an
//! equal slot, or is due back (DOMAIN C14, E7; invariant I9).

mod rule;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::rule::{MoneyCommand, Pay};
use super::{Canceller, Placed, Reservation, ReservationEvent};
use crate::{
    branch::Account,
    ids::{DepositId, ReservationId, TimeSlotId},
    payment_rules::PaymentRules,
    values::{BankReference, Money, SeatLabel},
};

/// How the customer wants to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentChoice {
    /// To one of the branch's accounts, before a deadline.
    BankTransfer,
    /// At the branch.
    OnSite,
    /// Through the payment provider, before a deadline.
    Provider,
}

/// How a placed reservation is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Payment {
    /// To one of the accounts as they were when it was placed, before the deadline.
    BankTransfer {
        /// The deadline.
        pay_by: Timestamp,
        /// The branch's accounts.
        accounts: Vec<Account>,
    },
    /// At the branch.
    OnSite,
    /// Through the payment provider, before the deadline.
    Provider {
        /// The deadline.
        pay_by: Timestamp,
        /// What the provider knows the payment by.
        intent: String,
        /// Where the customer pays.
        checkout_url: String,
    },
}

impl Payment {
    /// The same for a slot that begins at `starts_at`, to which an unpaid reservation is moved: the deadline is that of the
    /// slot, but moving gains no more time than somebody needs who pays at once. Where the provider is paid stays the same;
    /// whoever moves it makes a page for what it costs then.
    #[must_use]
    pub fn moved(&self, now: Timestamp, starts_at: Timestamp, rules: &PaymentRules) -> Self {
        let until = |before: Timestamp| {
            before
                .max(rules.pay_at_once_by(now))
                .min(rules.pay_by(now, starts_at))
        };
        let mut moved = self.clone();
        match &mut moved {
            Self::OnSite => {}
            Self::BankTransfer { pay_by, .. } | Self::Provider { pay_by, .. } => *pay_by = until(*pay_by),
        }
        moved
    }

    /// Which way it is.
    #[must_use]
    pub const fn choice(&self) -> PaymentChoice {
        match self {
            Self::BankTransfer { .. } => PaymentChoice::BankTransfer,
            Self::OnSite => PaymentChoice::OnSite,
            Self::Provider { .. } => PaymentChoice::Provider,
        }
    }

    /// The deadline, if there is one.
    #[must_use]
    pub const fn pay_by(&self) -> Option<Timestamp> {
        match self {
            Self::BankTransfer { pay_by, .. } | Self::Provider { pay_by, .. } => Some(*pay_by),
            Self::OnSite => None,
        }
    }
}

/// Where a payment came from, if it was not staff who took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// This deposit.
    Deposit { deposit: DepositId },
    /// The payment provider calls it so.
    Provider { payment: BankReference },
    /// Another reservation that expired before its money came.
    Moved { from: ReservationId },
}

/// What a cancellation settles, in the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The moment whose tier counts.
    pub at: Timestamp,
    /// What is kept: the tier's fee, as far as it was paid.
    pub retained: Money,
    /// What goes back.
    pub refund_due: Money,
    /// Whether the coupon stays redeemed, because the policy says so of a cancellation that costs something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_coupon: bool,
}

/// An equal slot, offered for money that came late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which slot.
    pub time_slot: TimeSlotId,
    /// Which of its seats; whoever accepts takes them if they are still free.
    pub seats: Vec<SeatLabel>,
    /// Until when it can be accepted.
    pub until: Timestamp,
}

/// How what was paid compares with the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Nothing came yet.
    Unpaid,
    /// Less than the price.
    UnderPaid,
    /// The price.
    Paid,
    /// More than the price.
    OverPaid,
}

impl Balance {
    /// Of what is there and the price.
    #[must_use]
    pub const fn of(there: i64, price: i64) -> Self {
        if there > price {
            Self::OverPaid
        } else if there == price {
            Self::Paid
        } else if there <= 0 {
            Self::Unpaid
        } else {
            Self::UnderPaid
        }
    }
}

/// The money of a placed reservation, in minor units of its currency; folded from its events and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// What it costs.
    pub price: i64,
    /// What came in.
    pub received: i64,
    /// What went back, to the customer or to another reservation of theirs.
    pub given_back: i64,
    /// What a cancellation keeps.
    pub retained: i64,
    /// Whether it was cancelled or expired.
    pub ended: bool,
    /// Whether an equal slot is offered for it, so that it is not known yet what goes back.
    pub offered: bool,
}

impl Ledger {
    /// The ledger of a reservation that was just placed at this price.
    #[must_use]
    pub fn of(price: i64) -> Self {
        Self {
            price,
            ..Self::default()
        }
    }

    /// After one more event.
    #[must_use]
    pub fn after(self, event: &ReservationEvent) -> Self {
        use ReservationEvent as Is;
        match event {
            Is::Placed(placement) => Self::of(placement.quote.total),
            Is::Paid { amount, .. } => Self {
                received: self.received.saturating_add(amount.amount),
                ..self
            },
            Is::Refunded { amount, .. } => Self {
                given_back: self.given_back.saturating_add(amount.amount),
                ..self
            },
            Is::Cancelled { settlement, .. } => Self {
                retained: settlement.map_or(0, |settlement| settlement.retained.amount),
                ended: true,
                ..self
            },
            Is::Expired => Self { ended: true, ..self },
            Is::Rescheduled(moved) => Self {
                price: moved.quote.total,
                ..self
            },
            Is::Reinstated { .. } => Self {
                ended: false,
                offered: false,
                ..self
            },
            Is::Offered(_) => Self {
                offered: true,
                ..self
            },
            Is::OfferAccepted { amount, .. } => Self {
                given_back: self.given_back.saturating_add(amount.amount),
                offered: false,
                ..self
            },
            Is::OfferDeclined | Is::OfferLapsed => Self {
                offered: false,
                ..self
            },
            Is::Held { .. }
            | Is::Extended { .. }
            | Is::Changed { .. }
            | Is::Released
            | Is::Lapsed
            | Is::Revived { .. }
            | Is::Notified { .. }
            | Is::CheckedIn
            | Is::Admitted { .. }
            | Is::CheckInUndone { .. }
            | Is::MarkedNoShow
            | Is::NoShowWithdrawn
            | Is::RescheduleOffered { .. }
            | Is::RefundDue { .. } => self,
        }
    }

    /// What is there now: paid, and not given back.
    #[must_use]
    pub const fn kept(&self) -> i64 {
        self.received.saturating_sub(self.given_back)
    }

    /// What is still to be paid.
    #[must_use]
    pub fn outstanding(&self) -> i64 {
        self.price.saturating_sub(self.kept()).max(0)
    }

    /// What must go back: too much, or what an end leaves over.
    #[must_use]
    pub fn refund_due(&self) -> i64 {
        let stays = match (self.ended, self.offered) {
            (false, _) => self.price,
            (true, false) => self.retained,
            (true, true) => return 0,
        };
        self.kept().saturating_sub(stays).max(0)
    }

    /// How what was paid compares with the price.
    #[must_use]
    pub fn balance(&self) -> Balance {
        Balance::of(self.kept(), self.price)
    }

    /// Whether nothing is due any more.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.outstanding() == 0
    }
}

/// A payment through the provider, which goes back the way it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderPayment {
    /// What the provider calls it.
    pub payment: BankReference,
    /// How much came.
    pub amount: i64,
    /// How much of it went back.
    pub refunded: i64,
}

impl Placed {
    /// This amount in the currency of the price.
    #[must_use]
    pub const fn money_of(&self, amount: i64) -> Money {
        Money {
            amount,
            currency: self.placement.quote.currency,
        }
    }

    /// What whoever cancels at `now` would settle: nothing is kept where the branch itself is the reason.
    #[must_use]
    pub fn settlement(&self, by: Canceller, now: Timestamp) -> Settlement {
        let (terms, price) = (&self.placement.cancellation, self.money.price);
        let fee = if self.cancels_free(by, now) {
            0
        } else {
            terms.fee(price, self.placement.starts_at, now)
        };
        let retained = fee.min(self.money.kept()).max(0);
        Settlement {
            at: now,
            retained: self.money_of(retained),
            refund_due: self.money_of(self.money.kept().saturating_sub(retained).max(0)),
            keeps_coupon: self.placement.coupon.is_some() && terms.keeps_coupon(fee),
        }
    }

    /// What of the provider's payments can still go back that way, and how much of what is due.
    #[must_use]
    pub fn refundable_by_provider(&self) -> Option<(&ProviderPayment, Money)> {
        let due = self.money.refund_due();
        let left = self
            .provider_payments
            .iter()
            .find(|known| known.refunded < known.amount)?;
        let amount = due.min(left.amount - left.refunded);
        (amount > 0).then(|| (left, self.money_of(amount)))
    }

    /// The same with this event's money.
    pub(super) fn with_money(self: Box<Self>, event: &ReservationEvent) -> Box<Self> {
        let mut placed = self;
        let was_paid = placed.paid;
        placed.money = placed.money.after(event);
        placed.paid = placed.money.is_paid();
        // Paid once, it does not expire because some of that went back: the rest waits.
        placed.rest_waits |= was_paid && !placed.paid && !placed.money.ended;
        match event {
            ReservationEvent::Paid {
                amount,
                source: Some(Source::Provider { payment }),
                ..
            } => placed.provider_payments.push(ProviderPayment {
                payment: payment.clone(),
                amount: amount.amount,
                refunded: 0,
            }),
            ReservationEvent::Refunded {
                amount,
                payment: Some(payment),
                ..
            } => {
                let mut known = placed.provider_payments.iter_mut();
                if let Some(known) = known.find(|known| known.payment == *payment) {
                    known.refunded = known.refunded.saturating_add(amount.amount);
                }
            }
            ReservationEvent::Offered(offer) => placed.offer = Some(offer.clone()),
            ReservationEvent::Cancelled {
                settlement: Some(settlement),
                ..
            } => placed.keeps_coupon = settlement.keeps_coupon,
            ReservationEvent::Reinstated { .. }
            | ReservationEvent::OfferAccepted { .. }
            | ReservationEvent::OfferDeclined
            | ReservationEvent::OfferLapsed => placed.offer = None,
            ReservationEvent::Held { .. }
            | ReservationEvent::Extended { .. }
            | ReservationEvent::Changed { .. }
            | ReservationEvent::Released
            | ReservationEvent::Lapsed
            | ReservationEvent::Revived { .. }
            | ReservationEvent::Placed(_)
            | ReservationEvent::Paid { .. }
            | ReservationEvent::Refunded { .. }
            | ReservationEvent::RefundDue { .. }
            | ReservationEvent::Notified { .. }
            | ReservationEvent::CheckedIn
            | ReservationEvent::Admitted { .. }
            | ReservationEvent::CheckInUndone { .. }
            | ReservationEvent::MarkedNoShow
            | ReservationEvent::NoShowWithdrawn
            | ReservationEvent::Rescheduled(_)
            | ReservationEvent::RescheduleOffered { .. }
            | ReservationEvent::Cancelled { .. }
            | ReservationEvent::Expired => {}
        }
        placed
    }
}

impl Reservation {
    /// The equal slot that is offered for its late money.
    #[must_use]
    pub fn offer(&self) -> Option<&Offer> {
        match self {
            Self::Expired(placed) => placed.offer.as_ref(),
            Self::Blank
            | Self::Held(_)
            | Self::Lapsed(_)
            | Self::Released(_)
            | Self::Placed(_)
            | Self::Attended(_)
            | Self::NoShow(_)
            | Self::Cancelled(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
