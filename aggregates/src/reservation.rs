//! A reservation from the first held seat to the end: one stream tells the whole story; never knows what seats think.
//!
//! ```text
//!          hold          place          check in
//!   Blank ──────▶ Held ────────▶ Placed ─────────▶ Attended
//!              ▲   │  │             ├──▶ NoShow      (the slot began without them)
//!       revive │   │  └▶ Released   ├──▶ Cancelled   (someone chose to)
//!              └ Lapsed             └──▶ Expired     (not paid in time)
//!
//!   Expired, and its money came after all (E7):
//!     ├──reinstate──▶ Placed                          (its seats were still free)
//!     ├──offer──▶ Expired, an equal slot offered ──accept──▶ Expired, its money moved to the reservation placed there
//!     │                 └──decline, lapse──▶ Expired, refund due
//!     └──give back──▶ Expired, refund due
//! ```
//!
//! While held it can be extended once, changed and released; while placed it can be paid and notified (DOMAIN E5, H1). Money
//! can come and go back at every stage from placed on; its rules are in [`money`](self::money::Ledger).

mod error;
mod money;
mod state;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::error::ReservationError;
pub use self::money::{
    Balance, Ledger, MoneyCommand, Offer, Pay, Payment, PaymentChoice, ProviderPayment, Settlement, Source,
    offer_until, pay_by,
};
pub use self::state::{Held, Placed, Reservation};
use crate::{
    cancellation::Frozen,
    decider::aggregate,
    ids::{CustomerId, ReservationId, TimeSlotId},
    personal::{Personal, Sealable, sealable},
    pricing::{Party, Quote},
    values::{BankReference, CouponCode, CustomerName, Money, Note, PhoneNumber, RefundAccount, SeatLabel},
};

/// What is held: places, people and the price that will be charged for them (DOMAIN C11).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The seats, in the order they were asked for; `room` for an escape-room slot.
    pub seats: Vec<SeatLabel>,
    /// Who comes.
    pub party: Party,
    /// What it costs, bound to the hold.
    pub quote: Quote,
    /// Whether wheelchair or companion places are among the seats, on the statement that they are needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accessible: bool,
}

/// Who to call about a placed reservation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// The name (DOMAIN E5).
    pub name: Personal<CustomerName>,
    /// The number (DOMAIN E6).
    pub phone: Personal<PhoneNumber>,
}

/// What the customer agreed to when placing (DOMAIN E5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Agreements {
    /// To how personal data is used.
    pub privacy: bool,
    /// To the house rules.
    pub house_rules: bool,
}

/// The terms a placed reservation is bound to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Who to call.
    pub contact: Contact,
    /// What was agreed to.
    pub agreements: Agreements,
    /// The coupon redeemed in the same append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponCode>,
    /// The price charged: the quote of the hold, less the coupon.
    pub quote: Quote,
    /// How it is paid.
    pub payment: Payment,
    /// A short code for people.
    pub short_code: String,
    /// When the slot begins.
    pub starts_at: Timestamp,
    /// Until when the customer cancels without asking (DOMAIN C14).
    pub cancel_until: Timestamp,
    /// What cancelling costs, as the slot's policy said when it was placed.
    #[serde(default, skip_serializing_if = "Frozen::is_built_in")]
    pub cancellation: Frozen,
}

/// Who cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canceller {
    /// The customer, online.
    Customer,
    /// Staff, at the counter.
    Staff,
}

/// What can be asked of a reservation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum ReservationCommand {
    /// Begin it: its seats are held in the same append.
    Hold {
        /// The time slot.
        time_slot: TimeSlotId,
        /// Seats, people, price.
        choice: Choice,
        /// When the hold runs out.
        until: Timestamp,
        /// When it must end however often it is touched.
        cap: Timestamp,
        /// Whose it is, if they are signed in.
        customer: Option<CustomerId>,
    },
    /// Keep it a little longer, once.
    Extend {
        /// When it would run out.
        until: Timestamp,
    },
    /// Choose other seats or people.
    Change {
        /// What is held from now on.
        choice: Choice,
    },
    /// Give everything back.
    Release,
    /// Record that it ran out.
    Lapse,
    /// Take a lapsed hold up again, within the cap of its first touch; its seats are held in the same append.
    Revive {
        /// When the hold runs out.
        until: Timestamp,
    },
    /// Make it binding.
    Place(Box<Placement>),
    /// Record that money came.
    MarkPaid {
        /// How much; by default what is still to be paid.
        amount: Option<Money>,
        /// A remark.
        note: Option<Note>,
    },
    /// The same, whoever says so.
    Pay(Pay),
    /// Something else about its money.
    Settle(MoneyCommand),
    /// Record that the customer was told.
    MarkNotified {
        /// How.
        note: Option<Note>,
    },
    /// They came.
    CheckIn,
    /// They did not come.
    MarkNoShow,
    /// Call it off.
    Cancel {
        /// Who does.
        by: Canceller,
        /// Why.
        reason: Option<Note>,
    },
    /// Record that it was not paid in time.
    Expire,
}

/// What happened to a reservation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReservationEvent {
    /// Begun.
    Held {
        time_slot: TimeSlotId,
        choice: Choice,
        until: Timestamp,
        cap: Timestamp,
        /// Whose it is, if they were signed in; else it is whoever's has its token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<CustomerId>,
    },
    /// Kept longer.
    Extended { until: Timestamp },
    /// Other seats or people.
    Changed { choice: Choice },
    /// Given back.
    Released,
    /// Ran out.
    Lapsed,
    /// Taken up again.
    Revived { until: Timestamp },
    /// Binding.
    Placed(Box<Placement>),
    /// Paid.
    Paid {
        amount: Money,
        note: Option<Personal<Note>>,
        /// Where it came from, if staff did not take it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
    },
    /// Money went back.
    Refunded {
        amount: Money,
        /// To which account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<Personal<RefundAccount>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Note>>,
        /// Which payment the provider gave back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<BankReference>,
    },
    /// This much has to go back, because there is nothing it could pay for.
    RefundDue { amount: Money },
    /// Taken up again: its money came late, and its seats were still free.
    Reinstated,
    /// An equal slot is offered for money that came late.
    Offered(Offer),
    /// The offer was taken: the money moved to the new reservation.
    OfferAccepted { into: ReservationId, amount: Money },
    /// The money is wanted back instead.
    OfferDeclined,
    /// The offer ran out.
    OfferLapsed,
    /// The customer was told.
    Notified { note: Option<Personal<Note>> },
    /// They came.
    CheckedIn,
    /// They did not come.
    MarkedNoShow,
    /// Called off.
    Cancelled {
        by: Canceller,
        reason: Option<Personal<Note>>,
        /// What is kept and what goes back; none if nothing was paid and nothing is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settlement: Option<Settlement>,
    },
    /// Not paid in time.
    Expired,
}

impl Placement {
    /// Whether it can be binding: agreed to, and there is somewhere to pay what is due (DOMAIN E5, E7).
    fn sound(&self) -> Result<(), ReservationError> {
        let given = self.agreements;
        if !given.privacy || !given.house_rules {
            return Err(ReservationError::AgreementMissing { given });
        }
        match &self.payment {
            Payment::BankTransfer { accounts, .. } if accounts.is_empty() && self.quote.total > 0 => {
                Err(ReservationError::NoAccount)
            }
            Payment::BankTransfer { .. } | Payment::OnSite | Payment::Provider { .. } => Ok(()),
        }
    }
}

aggregate! {
    Reservation = "reservation", id: ReservationId, command: ReservationCommand, event: ReservationEvent,
    error: ReservationError,
    stored: "Reservation" [
        Held, Extended, Changed, Released, Lapsed, Revived, Placed, Paid, Notified, CheckedIn, MarkedNoShow,
        Cancelled, Expired, Refunded, RefundDue, Reinstated, Offered, OfferAccepted, OfferDeclined, OfferLapsed,
    ],
    personal: |event| match event {
        ReservationEvent::Placed(placement) => {
            let Contact { name, phone } = &mut placement.contact;
            vec![name as &mut dyn Sealable, phone]
        }
        // Free words about a person, by themselves or by staff.
        ReservationEvent::Paid { note, .. } | ReservationEvent::Notified { note } => sealable(note),
        ReservationEvent::Cancelled { reason, .. } => sealable(reason),
        ReservationEvent::Refunded { account, note, .. } => {
            sealable(account).into_iter().chain(sealable(note)).collect()
        }
        ReservationEvent::Held { .. }
        | ReservationEvent::Extended { .. }
        | ReservationEvent::Changed { .. }
        | ReservationEvent::Released
        | ReservationEvent::Lapsed
        | ReservationEvent::Revived { .. }
        | ReservationEvent::CheckedIn
        | ReservationEvent::MarkedNoShow
        | ReservationEvent::Expired
        | ReservationEvent::RefundDue { .. }
        | ReservationEvent::Reinstated
        | ReservationEvent::Offered(_)
        | ReservationEvent::OfferAccepted { .. }
        | ReservationEvent::OfferDeclined
        | ReservationEvent::OfferLapsed => Vec::new(),
    }
}

impl Reservation {
    #[expect(
        clippy::too_many_lines,
        reason = "one table: a command, and the stages it is for"
    )]
    fn rule(
        &self,
        command: ReservationCommand,
        now: Timestamp,
    ) -> Result<Vec<ReservationEvent>, ReservationError> {
        use Reservation::{Attended, Blank, Cancelled, Expired, Held, Lapsed, NoShow, Placed, Released};
        use ReservationCommand as Do;
        use ReservationError as No;
        use ReservationEvent as Event;
        match (command, self) {
            (
                Do::Hold {
                    time_slot,
                    choice,
                    until,
                    cap,
                    customer,
                },
                Blank,
            ) => Ok(vec![Event::Held {
                time_slot,
                choice,
                until: until.min(cap),
                cap,
                customer,
            }]),
            (
                Do::Hold { .. },
                Held(_) | Lapsed(_) | Released(_) | Placed(_) | Attended(_) | NoShow(_) | Cancelled(_)
                | Expired(_),
            ) => Err(No::AlreadyBegun),

            (Do::Lapse, Held(hold)) if now < hold.until => Err(No::NotYetDue { due_at: hold.until }),
            (Do::Lapse, Held(_)) => Ok(vec![Event::Lapsed]),
            (Do::Lapse, Lapsed(_)) => Ok(vec![]),

            (Do::Release, Held(_)) => Ok(vec![Event::Released]),
            (Do::Release, Released(_) | Lapsed(_)) => Ok(vec![]),

            (Do::Revive { .. }, Lapsed(hold)) if now >= hold.cap => Err(No::AtItsLongest { cap: hold.cap }),
            (Do::Revive { until }, Lapsed(hold)) => Ok(vec![Event::Revived {
                until: until.min(hold.cap),
            }]),
            (Do::Revive { .. }, Held(hold)) if now < hold.until => Ok(vec![]),

            (Do::Extend { .. } | Do::Change { .. } | Do::Place(_) | Do::Revive { .. }, Held(hold))
                if now >= hold.until =>
            {
                Err(No::HoldLapsed { until: hold.until })
            }
            (Do::Extend { until }, Held(hold)) => extended(hold, until.min(hold.cap)),
            (Do::Change { choice }, Held(hold)) if choice == hold.choice => Ok(vec![]),
            (Do::Change { choice }, Held(_)) => Ok(vec![Event::Changed { choice }]),
            (Do::Place(placement), Held(_)) => placement.sound().map(|()| vec![Event::Placed(placement)]),
            (Do::Place(_), Placed(_)) => Err(No::AlreadyPlaced),

            (Do::MarkPaid { amount, note }, state) => state.pay(Pay {
                amount,
                note,
                source: None,
            }),
            (Do::Pay(pay), state) => state.pay(pay),
            (Do::Settle(command), state) => state.settle(command, now),
            (Do::MarkNotified { .. }, Placed(placed)) if placed.notified => Ok(vec![]),
            (Do::MarkNotified { note }, Placed(_)) => Ok(vec![Event::Notified {
                note: note.map(Personal::Plain),
            }]),

            (Do::CheckIn, Placed(placed)) if placed.paid => Ok(vec![Event::CheckedIn]),
            (Do::CheckIn, Placed(_)) => Err(No::NotPaid),
            (Do::CheckIn, Attended(_)) => Ok(vec![]),

            (Do::MarkNoShow, Placed(placed)) if now < placed.placement.starts_at => Err(No::NotStarted {
                starts_at: placed.placement.starts_at,
            }),
            (Do::MarkNoShow, Placed(_)) => Ok(vec![Event::MarkedNoShow]),
            (Do::MarkNoShow, NoShow(_)) => Ok(vec![]),

            (Do::Cancel { by, reason }, Placed(placed)) => {
                let until = placed.cancellable_until(by);
                if now < until {
                    let settlement = placed.settlement(now);
                    let nothing = placed.money.kept() == 0 && !settlement.keeps_coupon;
                    Ok(vec![Event::Cancelled {
                        by,
                        reason: reason.map(Personal::Plain),
                        settlement: (!nothing).then_some(settlement),
                    }])
                } else {
                    Err(No::TooLateToCancel { until })
                }
            }
            (Do::Cancel { .. }, Cancelled(_)) => Ok(vec![]),

            (Do::Expire, Placed(placed)) => match placed.pay_by() {
                Some(due_at) if now < due_at => Err(No::NotYetDue { due_at }),
                // What was paid of it has to go back.
                Some(_) if placed.money.kept() > 0 => {
                    let amount = placed.money_of(placed.money.kept());
                    Ok(vec![Event::Expired, Event::RefundDue { amount }])
                }
                Some(_) => Ok(vec![Event::Expired]),
                None => Ok(vec![]),
            },
            (Do::Expire, Expired(_) | Cancelled(_)) => Ok(vec![]),

            (
                Do::Lapse
                | Do::Release
                | Do::Revive { .. }
                | Do::Extend { .. }
                | Do::Change { .. }
                | Do::Place(_)
                | Do::MarkNotified { .. }
                | Do::CheckIn
                | Do::MarkNoShow
                | Do::Cancel { .. }
                | Do::Expire,
                state,
            ) => Err(state.in_the_way()),
        }
    }

    /// Why this stage says no to whatever it has no answer of its own for.
    const fn in_the_way(&self) -> ReservationError {
        use ReservationError as No;
        match self {
            Self::Blank => No::NotFound,
            Self::Held(_) => No::NotPlaced,
            Self::Lapsed(hold) => No::HoldLapsed { until: hold.until },
            Self::Released(_) => No::HoldReleased,
            Self::Placed(_) => No::AlreadyPlaced,
            Self::Attended(_) => No::Attended,
            Self::NoShow(_) => No::NoShow,
            Self::Cancelled(_) => No::Cancelled,
            Self::Expired(_) => No::Expired,
        }
    }
}

/// Kept until then: once, and only if that gains something, so that nobody uses it up for nothing (DOMAIN H1).
fn extended(hold: &Held, until: Timestamp) -> Result<Vec<ReservationEvent>, ReservationError> {
    if hold.extended {
        return Err(ReservationError::AlreadyExtended { until: hold.until });
    }
    if until <= hold.until {
        return Err(ReservationError::AtItsLongest { cap: until });
    }
    Ok(vec![ReservationEvent::Extended { until }])
}

#[cfg(test)]
mod tests;
