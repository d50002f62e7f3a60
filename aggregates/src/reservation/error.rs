//! Why a reservation says no, in words for the one who asked; never decides.

use jiff::Timestamp;

use super::Agreements;
use crate::{fault::Fault, refusal::refusals, values::Money};

/// Why a reservation says no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReservationError {
    /// No such reservation.
    #[error("there is no such reservation")]
    NotFound,
    /// Begun before.
    #[error("the reservation has already begun")]
    AlreadyBegun,
    /// The hold ran out.
    #[error("the hold lapsed at {until}")]
    HoldLapsed {
        /// When.
        until: Timestamp,
    },
    /// The hold was given back.
    #[error("the hold was released")]
    HoldReleased,
    /// Extended before.
    #[error("the hold was already extended and ends at {until}")]
    AlreadyExtended {
        /// When it ends.
        until: Timestamp,
    },
    /// Nothing is left to gain within the cap counted from the first touch (DOMAIN H1).
    #[error("the hold can last until {cap} at the longest")]
    AtItsLongest {
        /// When it must end.
        cap: Timestamp,
    },
    /// The hold has not run out.
    #[error("it is not due until {due_at}")]
    NotYetDue {
        /// When it will be.
        due_at: Timestamp,
    },
    /// Binding already.
    #[error("the reservation is already placed")]
    AlreadyPlaced,
    /// Still only held.
    #[error("the reservation is not placed yet")]
    NotPlaced,
    /// Privacy or house rules.
    #[error("both agreements are needed: privacy and house rules")]
    AgreementMissing {
        /// What was agreed to.
        given: Agreements,
    },
    /// Nowhere to transfer to.
    #[error("the branch has no bank account to transfer to")]
    NoAccount,
    /// Money of another currency than the price.
    #[error("the amount due is {} {}", due.amount, due.currency.code())]
    AmountDiffers {
        /// What is still to be paid.
        due: Money,
    },
    /// Nothing, less than nothing, or more than any price.
    #[error("the amount must be from 1 to 1000000000 minor units")]
    NotAnAmount,
    /// More than is due back.
    #[error("{} {} are due back", due.amount, due.currency.code())]
    RefundExceedsDue {
        /// What is.
        due: Money,
    },
    /// No equal slot is offered, or not any more.
    #[error("no other time slot is offered for its money")]
    NoOffer,
    /// No payment provider is set up.
    #[error("payments through a provider are not taken here")]
    NoProvider,
    /// Not paid yet.
    #[error("the reservation is not paid")]
    NotPaid,
    /// Too late to call it off.
    #[error("it could only be cancelled until {until}")]
    TooLateToCancel {
        /// Until when.
        until: Timestamp,
    },
    /// There is no time left to decide on an offer.
    #[error("it could only be offered to move it until {until}")]
    TooLateToOffer {
        /// Until when.
        until: Timestamp,
    },
    /// Called off.
    #[error("the reservation was cancelled")]
    Cancelled,
    /// Not paid in time.
    #[error("the reservation expired because it was not paid in time")]
    Expired,
    /// They came.
    #[error("the customer has attended")]
    Attended,
    /// They did not come.
    #[error("the customer did not come")]
    NoShow,
    /// Too early to say that nobody came.
    #[error("the slot has not begun; a no-show can be marked from {starts_at}")]
    NotStarted {
        /// When it begins.
        starts_at: Timestamp,
    },
    /// They are not let in yet.
    #[error("check-in begins at {from}")]
    TooEarly {
        /// From when.
        from: Timestamp,
    },
    /// They are let in no more.
    #[error("the slot ended at {ended_at}; nobody checks in any more")]
    Over {
        /// When it ended.
        ended_at: Timestamp,
    },
    /// Too late to say that they had not come.
    #[error("the check-in could only be undone until {until}")]
    TooLateToUndo {
        /// Until when.
        until: Timestamp,
    },
    /// Too late to move it.
    #[error("it could only be rescheduled until {until}")]
    TooLateToReschedule {
        /// Until when.
        until: Timestamp,
    },
    /// Moved often enough.
    #[error("a reservation can be rescheduled {max} times")]
    MovedTooOften {
        /// How often.
        max: u16,
    },
    /// Its money is with the branch it was placed at.
    #[error("a reservation stays at its branch")]
    OtherBranch,
    /// Prices in two currencies cannot be set off.
    #[error("the other time slot is sold in another currency")]
    OtherCurrency,
}

refusals! { ReservationError:
    Self::NotFound => "reservation/not-found", NotFound, "Check the number and the token or phone that goes with it.";
    Self::AlreadyBegun => "reservation/already-begun", Conflict, "Begin another reservation.";
    Self::HoldLapsed { .. } => "reservation/hold-lapsed", Gone, "Revive it while its slot has not begun and everything is free, or hold again.";
    Self::HoldReleased => "reservation/hold-released", Gone, "Hold again.";
    Self::AlreadyExtended { .. } => "reservation/already-extended", Conflict, "Place it before it lapses.";
    Self::AtItsLongest { .. } => "reservation/at-its-longest", Conflict, "Place it before it lapses, or hold again.";
    Self::NotYetDue { .. } => "reservation/not-yet-due", Conflict, "Wait until it is due.";
    Self::AlreadyPlaced => "reservation/already-placed", Conflict, "Look at the reservation; there is nothing more to do.";
    Self::NotPlaced => "reservation/not-placed", Conflict, "Place it first.";
    Self::AgreementMissing { .. } => "reservation/agreement-missing", Invalid, "Set privacy and house_rules to true.",
        by Self::agreements;
    Self::NoAccount => "reservation/no-account", Invalid, "Choose on_site: the branch takes no transfers.",
        at ["/payment"];
    Self::AmountDiffers { .. } => "reservation/amount-differs", Conflict, "Record the amount in the currency of the price.";
    Self::NotAnAmount => "reservation/not-an-amount", Invalid, "Give what was really paid.", at ["/amount/amount"];
    Self::RefundExceedsDue { .. } => "reservation/refund-exceeds-due", Conflict, "Refund at most what is due back.";
    Self::NoOffer => "reservation/no-offer", Gone, "Ask staff what became of the money.";
    Self::NoProvider => "reservation/no-provider", Invalid, "Choose bank_transfer or on_site.", at ["/payment"];
    Self::NotPaid => "reservation/not-paid", Conflict, "Take the payment and mark it paid first.";
    Self::TooLateToCancel { .. } => "reservation/too-late-to-cancel", Gone, "Ask at the counter before the start.";
    Self::TooLateToOffer { .. } => "reservation/too-late-to-offer", Gone, "Offer it with a later deadline, before the slot begins.";
    Self::Cancelled => "reservation/cancelled", Gone, "It stays cancelled; only a new reservation gives places.";
    Self::Expired => "reservation/expired", Gone, "It stays expired; only a new reservation gives places.";
    Self::Attended => "reservation/attended", Conflict, "There is nothing more to do.";
    Self::NoShow => "reservation/no-show", Conflict, "It is over; nothing about it can be changed.";
    Self::NotStarted { .. } => "reservation/not-started", Conflict, "Wait until the slot has begun.";
    Self::TooEarly { .. } => "reservation/too-early", Conflict, "Come back when check-in begins.";
    Self::Over { .. } => "reservation/over", Gone, "It is over; the next one needs a reservation of its own.";
    Self::TooLateToUndo { .. } => "reservation/too-late-to-undo", Gone, "It stays as it was recorded.";
    Self::TooLateToReschedule { .. } => "reservation/too-late-to-reschedule", Gone, "Ask at the counter before the start.";
    Self::MovedTooOften { .. } => "reservation/moved-too-often", Conflict, "Cancel it and hold again, or ask at the counter.";
    Self::OtherBranch => "reservation/other-branch", Invalid, "Choose a time slot of the same branch, or cancel it and hold again.",
        at ["/time_slot"];
    Self::OtherCurrency => "reservation/other-currency", Invalid, "Choose another time slot, or cancel it and hold again.",
        at ["/time_slot"];
}

impl ReservationError {
    /// Each agreement that was not given.
    fn agreements(&self) -> Vec<Fault> {
        let Self::AgreementMissing { given } = self else {
            return Vec::new();
        };
        let missing = [
            (given.privacy, "/agreements/privacy"),
            (given.house_rules, "/agreements/house_rules"),
        ];
        let missing = missing.into_iter().filter(|(given, _)| !given);
        missing
            .map(|(_, place)| Fault::at(place, "must be true"))
            .collect()
    }
}
