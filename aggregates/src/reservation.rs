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
//! While held it can be extended once, changed and released; while placed it can be paid, notified and moved to another
//! slot (DOMAIN E5, H1). A check-in can be undone, and who was taken for absent can prove to have come (E9). Money can come
//! and go back at every stage from placed on; its rules are in [`money`](self::money::Ledger).

mod arrival;
mod error;
mod money;
mod reschedule;
mod state;
mod steps;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::error::ReservationError;
pub use self::money::{
    Balance, Ledger, MoneyCommand, Offer, Pay, Payment, PaymentChoice, ProviderPayment, Settlement, Source,
};
pub use self::reschedule::{MOVES_MAX, Move, Target};
pub use self::state::{Held, Placed, Reservation};
use self::steps::{begun, cancelled, expired, extended, offered, revived};
use crate::{
    attendance::Attendance,
    cancellation::Frozen,
    decider::aggregate,
    ids::{CustomerId, PatronId, ReservationId, TimeSlotId},
    language::Language,
    personal::{Personal, Sealable, sealable},
    pricing::{Party, Quote},
    ratings::{Admitted, Statement},
    values::{
        BankReference, CouponCode, CustomerName, Money, Name, Note, PhoneNumber, RefundAccount, SeatLabel,
    },
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
    /// On what ground a rated movie is open to them; none where it is open to everyone (DOMAIN C9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted: Option<Admitted>,
    /// When they are let in and when they count as absent; not known of what was placed long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendance: Option<Attendance>,
    /// Who they are to the rules about all reservations of one person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patrons: Vec<PatronId>,
    /// In which language they asked, if they named one there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
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
    /// The branch itself, because it does no business then: what was paid is due in full, whatever the tier says.
    Branch,
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
        /// What is said about ages.
        said: Statement,
    },
    /// Begin it for somebody who waited: its seats are held in the same append (DOMAIN W2).
    Offer {
        /// The time slot.
        time_slot: TimeSlotId,
        /// Seats, people, price.
        choice: Choice,
        /// When the offer runs out; it cannot be extended.
        until: Timestamp,
        /// Whose it is, if they waited while signed in.
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
    /// They came, and their ticket was scanned: then or a while ago, by a device that had no network.
    Admit {
        /// When it was scanned.
        at: Timestamp,
        /// By which device.
        device: Option<Name>,
        /// When it was recorded that they had not come, if it was.
        missed_at: Option<Timestamp>,
    },
    /// They had not come: the wrong ones were checked in.
    UndoCheckIn {
        /// Why.
        reason: Option<Note>,
    },
    /// They did not come.
    MarkNoShow,
    /// Move it to another slot, or to other seats; its seats are exchanged in the same append.
    Reschedule(Box<Target>),
    /// Call it off.
    Cancel {
        /// Who does.
        by: Canceller,
        /// Why.
        reason: Option<Note>,
    },
    /// Offer to move it elsewhere, because the branch does no business then; until the deadline its holder may also cancel it
    /// and owes nothing.
    OfferReschedule {
        /// The deadline; at the latest when the slot begins.
        until: Timestamp,
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
        /// Whether it was offered to somebody who waited.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        offered: bool,
        /// What was said about ages (DOMAIN C9).
        #[serde(default, skip_serializing_if = "Statement::is_silent")]
        said: Statement,
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
    Reinstated {
        /// When they count as absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_show_at: Option<Timestamp>,
    },
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
    /// They came with a ticket.
    Admitted {
        /// When it was scanned.
        at: Timestamp,
        /// By which device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<Name>,
    },
    /// They had not come.
    CheckInUndone {
        reason: Option<Personal<Note>>,
        /// When they count as absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        no_show_at: Option<Timestamp>,
    },
    /// They did not come.
    MarkedNoShow,
    /// They had come before they were taken for absent.
    NoShowWithdrawn,
    /// Moved.
    Rescheduled(Box<Move>),
    /// Called off.
    Cancelled {
        by: Canceller,
        reason: Option<Personal<Note>>,
        /// What is kept and what goes back; none if nothing was paid and nothing is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settlement: Option<Settlement>,
    },
    /// It may be moved elsewhere, or cancelled for nothing, until then.
    RescheduleOffered {
        until: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<Note>>,
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
        Held, Extended, Changed, Released, Lapsed, Revived, Placed, Paid, Notified, CheckedIn, Admitted,
        CheckInUndone, MarkedNoShow, NoShowWithdrawn, Rescheduled, Cancelled, RescheduleOffered, Expired, Refunded,
        RefundDue, Reinstated, Offered, OfferAccepted, OfferDeclined, OfferLapsed,
    ],
    personal: |event| match event {
        ReservationEvent::Placed(placement) => {
            let Contact { name, phone } = &mut placement.contact;
            vec![name as &mut dyn Sealable, phone]
        }
        // Free words about a person, by themselves or by staff.
        ReservationEvent::Paid { note, .. } | ReservationEvent::Notified { note } => sealable(note),
        ReservationEvent::Cancelled { reason, .. }
        | ReservationEvent::CheckInUndone { reason, .. }
        | ReservationEvent::RescheduleOffered { reason, .. } => sealable(reason),
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
        | ReservationEvent::Admitted { .. }
        | ReservationEvent::MarkedNoShow
        | ReservationEvent::NoShowWithdrawn
        | ReservationEvent::Rescheduled(_)
        | ReservationEvent::Expired
        | ReservationEvent::RefundDue { .. }
        | ReservationEvent::Reinstated { .. }
        | ReservationEvent::Offered(_)
        | ReservationEvent::OfferAccepted { .. }
        | ReservationEvent::OfferDeclined
        | ReservationEvent::OfferLapsed => Vec::new(),
    }
}

impl Reservation {
    #[expect(clippy::too_many_lines, reason = "one table: what is asked, and of what")]
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
            (command @ (Do::Hold { .. } | Do::Offer { .. }), Blank) => {
                Ok(begun(command).into_iter().collect())
            }
            (
                Do::Hold { .. } | Do::Offer { .. },
                Held(_) | Lapsed(_) | Released(_) | Placed(_) | Attended(_) | NoShow(_) | Cancelled(_)
                | Expired(_),
            ) => Err(No::AlreadyBegun),

            (Do::Lapse, Held(hold)) if now < hold.until => Err(No::NotYetDue { due_at: hold.until }),
            (Do::Lapse, Held(_)) => Ok(vec![Event::Lapsed]),
            (Do::Lapse, Lapsed(_)) => Ok(vec![]),

            (Do::Release, Held(_)) => Ok(vec![Event::Released]),
            (Do::Release, Released(_) | Lapsed(_)) => Ok(vec![]),

            (Do::Revive { .. }, Lapsed(hold)) if now >= hold.cap => Err(No::AtItsLongest { cap: hold.cap }),
            (Do::Revive { until }, Lapsed(hold)) => Ok(revived(hold, until)),
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

            (Do::Pay(pay), state) => state.pay(pay),
            (Do::Settle(command), state) => state.settle(command, now),
            (Do::MarkNotified { .. }, Placed(placed)) if placed.notified => Ok(vec![]),
            (Do::MarkNotified { note }, Placed(_)) => Ok(vec![Event::Notified {
                note: note.map(Personal::Plain),
            }]),

            (Do::CheckIn, Placed(placed)) => placed.may_come_in(now).map(|()| vec![Event::CheckedIn]),
            (Do::Admit { at, device, .. }, Placed(placed)) => placed.admitted(at, device),
            (
                Do::Admit {
                    at,
                    device,
                    missed_at,
                },
                NoShow(placed),
            ) if missed_at.is_some_and(|missed| at < missed) => placed.admitted_after_all(at, device),
            (Do::CheckIn | Do::Admit { .. }, Attended(_)) => Ok(vec![]),
            (Do::UndoCheckIn { reason }, Attended(placed)) => placed.check_in_undone(reason, now),
            (Do::UndoCheckIn { .. }, Placed(_)) => Ok(vec![]),

            (Do::MarkNoShow, Placed(placed)) if now < placed.placement.starts_at => Err(No::NotStarted {
                starts_at: placed.placement.starts_at,
            }),
            (Do::MarkNoShow, Placed(_)) => Ok(vec![Event::MarkedNoShow]),
            (Do::MarkNoShow, NoShow(_)) => Ok(vec![]),

            (Do::Reschedule(target), Placed(placed)) => placed.rescheduled(*target, now),

            (Do::Cancel { by, reason }, Placed(placed)) => cancelled(placed, by, reason, now),
            (Do::Cancel { .. }, Cancelled(_)) => Ok(vec![]),

            (Do::OfferReschedule { until, reason }, Placed(placed)) => offered(placed, until, reason, now),

            (Do::Expire, Placed(placed)) => expired(placed, now),
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
                | Do::Admit { .. }
                | Do::UndoCheckIn { .. }
                | Do::MarkNoShow
                | Do::Reschedule(_)
                | Do::Cancel { .. }
                | Do::OfferReschedule { .. }
                | Do::Expire,
                state,
            ) => Err(state.in_the_way()),
        }
    }

    /// Why this stage says no to whatever it has no answer of its own for.
    #[must_use]
    pub const fn in_the_way(&self) -> ReservationError {
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

#[cfg(test)]
mod tests;
