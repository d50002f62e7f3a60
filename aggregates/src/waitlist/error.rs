//! Why a waitlist says no, in words for the one who asked; never decides.

use jiff::Timestamp;

use super::{Past, WAITING_MAX, WhyEnded};
use crate::{refusal::refusals, values::SeatLabel};

/// Why a waitlist says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitlistError {
    /// No such entry.
    #[error("there is no such waitlist entry")]
    NotFound,
    /// The same person again.
    #[error("this phone number or customer already waits for the time slot")]
    AlreadyWaiting,
    /// Too many.
    #[error("{WAITING_MAX} already wait for the time slot")]
    Full,
    /// Too many from one place.
    #[error("{max} who did not sign in already wait for the time slot from this network")]
    Crowded {
        /// So many may.
        max: usize,
    },
    /// Nothing was offered yet.
    #[error("no place has been offered yet")]
    NotOffered,
    /// Something was offered already.
    #[error("places are already offered")]
    AlreadyOffered,
    /// It was not taken in time.
    #[error("the offer lapsed at {until}")]
    OfferLapsed {
        /// When.
        until: Timestamp,
    },
    /// It can still be taken.
    #[error("the offer does not lapse until {due_at}")]
    NotYetDue {
        /// When it does.
        due_at: Timestamp,
    },
    /// Nobody waits under this number any more.
    #[error("the waiting is over: {}", said(*past))]
    Over {
        /// How it ended.
        past: Past,
    },
    /// Others were there first.
    #[error("somebody waits for these places")]
    SomebodyWaits {
        /// Those that were wanted.
        seats: Vec<SeatLabel>,
    },
}

refusals! { WaitlistError:
    Self::NotFound => "waitlist/not-found", NotFound, "Check the number and the token that goes with it.";
    Self::AlreadyWaiting => "waitlist/already-waiting", Conflict, "Look at the entry there is, or leave it first.";
    Self::Full => "waitlist/full", Conflict, "Choose another time slot.";
    Self::Crowded { .. } => "waitlist/crowded", TooMany, "Sign in to wait, or wait for another time slot.";
    Self::NotOffered => "waitlist/not-offered", Conflict, "Wait until places are offered.";
    Self::AlreadyOffered => "waitlist/already-offered", Conflict, "Accept or decline what is offered.";
    Self::OfferLapsed { .. } => "waitlist/offer-lapsed", Gone, "Join the waitlist again.";
    Self::NotYetDue { .. } => "waitlist/not-yet-due", Conflict, "Wait until it is due.";
    Self::Over { .. } => "waitlist/over", Gone, "Look at what has become of it, or join the waitlist again.";
    Self::SomebodyWaits { .. } => "waitlist/somebody-waits", Conflict,
        "Choose other places, or join the waitlist.";
}

const fn said(past: Past) -> &'static str {
    match past {
        Past::Accepted => "the offer was accepted",
        Past::Declined => "the offer was declined",
        Past::Lapsed => "the offer lapsed",
        Past::Left => "the waitlist was left",
        Past::Ended(WhyEnded::SalesClosed) => "sales are closed",
        Past::Ended(WhyEnded::Withdrawn) => "the time slot was withdrawn",
        Past::Ended(WhyEnded::NotSold) => "what was waited for is not sold any more",
    }
}
