//! The waitlist of one time slot: who waits for how many places, in which order, and who was offered some (DOMAIN W1, W2).
//! Never knows which places are free.
//!
//! ```text
//!         join            offer            accept
//!   (new) ─────▶ Waiting ──────▶ Offered ─────────▶ accepted
//!                   │  │             ├──▶ declined   (given back)
//!                   │  └──▶ ended    ├──▶ lapsed     (not taken in time)
//!                   └──▶ left ◀──────┘
//! ```
//!
//! An entry has its turn once: its number is that of the reservation it is offered, and whoever lets an offer pass waits anew.

mod error;
mod queue;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::error::WaitlistError;
pub use self::queue::{Crowd, Entry, Offer, Past, Served, Waitlist, seats_for, serve};
use crate::{
    decider::aggregate,
    ids::{CustomerId, ReservationId, TimeSlotId},
    language::Language,
    personal::{Personal, Sealable, sealable},
    pricing::Party,
    recorded::StreamId,
    reservation::{Contact, Reservation},
    values::{Note, SeatLabel},
};

/// Entries that wait for one slot at the same time at most.
pub const WAITING_MAX: usize = 1_000;

/// By what two entries of the same person are known: a keyed hash of the phone number, of no use elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactMark(String);

impl ContactMark {
    /// The mark with this hash.
    #[must_use]
    pub const fn new(hash: String) -> Self {
        Self(hash)
    }
}

/// Who takes an entry off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaver {
    /// Whoever waits.
    Customer,
    /// Staff.
    Staff,
}

/// Why places that were freed were offered to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyPassed {
    /// Nobody who waits fits there.
    NoFit,
    /// Nothing is sold just now: the slot is closed, or its branch.
    NotForSale,
}

/// Why there is nothing to wait for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyEnded {
    /// Sales are over, or the slot began.
    SalesClosed,
    /// The slot was taken off the programme.
    Withdrawn,
    /// What is waited for is not sold like that any more.
    NotSold,
}

/// What can be asked of a waitlist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum WaitlistCommand {
    /// Wait.
    Join {
        /// Under which number.
        entry: ReservationId,
        /// Who comes: so many places, side by side.
        party: Party,
        /// Who to call.
        contact: Contact,
        /// By what the same person is known again.
        mark: ContactMark,
        /// Whose it is, if they are signed in.
        customer: Option<CustomerId>,
        /// In which language they ask, if they named one there is.
        language: Option<Language>,
        /// Who came from where they come from.
        crowd: Crowd,
    },
    /// Wait no more.
    Leave {
        entry: ReservationId,
        /// Who says so.
        by: Leaver,
        /// Why.
        reason: Option<Note>,
    },
    /// Offer places that are held in the same append.
    Offer {
        entry: ReservationId,
        /// Which.
        seats: Vec<SeatLabel>,
        /// Until when.
        until: Timestamp,
    },
    /// Take what is offered.
    Accept { entry: ReservationId },
    /// Give it back.
    Decline { entry: ReservationId },
    /// Record that it was not taken in time.
    Lapse { entry: ReservationId },
    /// Record that places were freed and offered to nobody.
    Pass {
        /// Which.
        seats: Vec<SeatLabel>,
        /// Why.
        why: WhyPassed,
    },
    /// Record that there is nothing to wait for any more.
    End { entry: ReservationId, why: WhyEnded },
}

/// What happened to a waitlist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum WaitlistEvent {
    /// Somebody waits.
    Joined {
        entry: ReservationId,
        party: Party,
        contact: Contact,
        mark: ContactMark,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<CustomerId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<Language>,
    },
    /// They wait no more.
    Left {
        entry: ReservationId,
        by: Leaver,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<Note>>,
    },
    /// Places are held for them.
    Offered {
        entry: ReservationId,
        seats: Vec<SeatLabel>,
        until: Timestamp,
    },
    /// They took them.
    Accepted { entry: ReservationId },
    /// They gave them back.
    Declined { entry: ReservationId },
    /// They did not take them in time.
    Lapsed { entry: ReservationId },
    /// Places were freed and offered to nobody.
    Passed { seats: Vec<SeatLabel>, why: WhyPassed },
    /// There is nothing to wait for any more.
    Ended { entry: ReservationId, why: WhyEnded },
}

impl WaitlistEvent {
    /// Whose entry it concerns; none, if it concerns all of them.
    #[must_use]
    pub const fn entry(&self) -> Option<ReservationId> {
        match self {
            Self::Joined { entry, .. }
            | Self::Left { entry, .. }
            | Self::Offered { entry, .. }
            | Self::Accepted { entry }
            | Self::Declined { entry }
            | Self::Lapsed { entry }
            | Self::Ended { entry, .. } => Some(*entry),
            Self::Passed { .. } => None,
        }
    }
}

aggregate! {
    Waitlist = "waitlist", id: TimeSlotId, command: WaitlistCommand, event: WaitlistEvent, error: WaitlistError,
    stored: "Waitlist" [Joined, Left, Offered, Accepted, Declined, Lapsed, Passed, Ended],
    personal: |event| match event {
        WaitlistEvent::Joined { contact: Contact { name, phone }, .. } => {
            vec![name as &mut dyn Sealable, phone]
        }
        WaitlistEvent::Left { reason, .. } => sealable(reason),
        WaitlistEvent::Offered { .. }
        | WaitlistEvent::Accepted { .. }
        | WaitlistEvent::Declined { .. }
        | WaitlistEvent::Lapsed { .. }
        | WaitlistEvent::Passed { .. }
        | WaitlistEvent::Ended { .. } => Vec::new(),
    },
    // Of all who wait for a slot one can be forgotten: with the reservation of the same number.
    person: |event| event.entry().map(|entry| StreamId::of::<Reservation>(&entry))
}

/// How an entry stands.
enum Standing<'a> {
    Unknown,
    Waiting,
    Offered(&'a Offer),
    Past(Past),
}

impl Waitlist {
    #[expect(clippy::too_many_lines, reason = "one table: what is asked, and of what")]
    fn rule(&self, command: WaitlistCommand, now: Timestamp) -> Result<Vec<WaitlistEvent>, WaitlistError> {
        use Standing::{Offered, Unknown, Waiting};
        use WaitlistCommand as Do;
        use WaitlistError as No;
        use WaitlistEvent as Event;
        let entry = match &command {
            Do::Join { entry, .. }
            | Do::Leave { entry, .. }
            | Do::Offer { entry, .. }
            | Do::Accept { entry }
            | Do::Decline { entry }
            | Do::Lapse { entry }
            | Do::End { entry, .. } => self.standing(*entry),
            Do::Pass { .. } => Unknown,
        };
        match (command, entry) {
            (
                Do::Join {
                    entry,
                    party,
                    contact,
                    mark,
                    customer,
                    language,
                    crowd,
                },
                Unknown,
            ) => {
                self.room_for(&mark, customer, &crowd)?;
                Ok(vec![Event::Joined {
                    entry,
                    party,
                    contact,
                    mark,
                    customer,
                    language,
                }])
            }
            (Do::Join { .. }, Waiting | Offered(_)) => Ok(vec![]),

            (Do::Leave { entry, by, reason }, Waiting | Offered(_)) => Ok(vec![Event::Left {
                entry,
                by,
                reason: reason.map(Personal::Plain),
            }]),
            (Do::Leave { .. }, Standing::Past(Past::Left)) => Ok(vec![]),

            (Do::Offer { entry, seats, until }, Waiting) => Ok(vec![Event::Offered { entry, seats, until }]),
            (Do::Offer { .. }, Offered(_)) => Err(No::AlreadyOffered),

            (Do::Accept { .. }, Offered(offer)) if now >= offer.until => {
                Err(No::OfferLapsed { until: offer.until })
            }
            (Do::Accept { entry }, Offered(_)) => Ok(vec![Event::Accepted { entry }]),
            (Do::Accept { .. }, Standing::Past(Past::Accepted)) => Ok(vec![]),

            (Do::Decline { entry }, Offered(_)) => Ok(vec![Event::Declined { entry }]),
            (Do::Decline { .. }, Standing::Past(Past::Declined)) => Ok(vec![]),

            (Do::Lapse { .. }, Offered(offer)) if now < offer.until => {
                Err(No::NotYetDue { due_at: offer.until })
            }
            (Do::Lapse { entry }, Offered(_)) => Ok(vec![Event::Lapsed { entry }]),
            (Do::Lapse { .. }, Standing::Past(Past::Lapsed)) => Ok(vec![]),

            (Do::Accept { .. } | Do::Decline { .. } | Do::Lapse { .. }, Waiting) => Err(No::NotOffered),

            (Do::Pass { seats, why }, _) => {
                let anybody = !seats.is_empty() && self.waiting().next().is_some();
                Ok(anybody
                    .then_some(Event::Passed { seats, why })
                    .into_iter()
                    .collect())
            }

            (Do::End { entry, why }, Waiting) => Ok(vec![Event::Ended { entry, why }]),
            // What was offered is theirs until it lapses.
            (Do::End { .. }, Offered(_) | Standing::Past(_)) => Ok(vec![]),

            (
                Do::Leave { .. }
                | Do::Offer { .. }
                | Do::Accept { .. }
                | Do::Decline { .. }
                | Do::Lapse { .. }
                | Do::End { .. },
                Unknown,
            ) => Err(No::NotFound),
            (
                Do::Join { .. }
                | Do::Leave { .. }
                | Do::Offer { .. }
                | Do::Accept { .. }
                | Do::Decline { .. }
                | Do::Lapse { .. },
                Standing::Past(past),
            ) => Err(No::Over { past }),
        }
    }

    fn standing(&self, entry: ReservationId) -> Standing<'_> {
        match (self.entry(entry), self.past(entry)) {
            (
                Some(Entry {
                    offer: Some(offer), ..
                }),
                _,
            ) => Standing::Offered(offer),
            (Some(Entry { offer: None, .. }), _) => Standing::Waiting,
            (None, Some(past)) => Standing::Past(past),
            (None, None) => Standing::Unknown,
        }
    }

    /// One person waits once, and not too many wait, least of all from one place.
    fn room_for(
        &self,
        mark: &ContactMark,
        customer: Option<CustomerId>,
        crowd: &Crowd,
    ) -> Result<(), WaitlistError> {
        let same = |entry: &Entry| entry.mark == *mark || (customer.is_some() && entry.customer == customer);
        if self.entries().any(same) {
            return Err(WaitlistError::AlreadyWaiting);
        }
        let of_crowd = self.entries().filter(|entry| crowd.entries.contains(&entry.id));
        if of_crowd.count() >= crowd.max {
            return Err(WaitlistError::Crowded { max: crowd.max });
        }
        if self.waiting().count() >= WAITING_MAX {
            return Err(WaitlistError::Full);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
