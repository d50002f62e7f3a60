//! Who waits in which order, and who is served when places are free: the first in line that fits (DOMAIN W2); never
//! knows seats by more than their labels.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContactMark, WaitlistEvent, WhyEnded};
use crate::{
    ids::{CustomerId, ReservationId},
    pricing::Party,
    values::SeatLabel,
};

/// Somebody who waits, or has an offer that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, and that of the reservation it is offered.
    pub id: ReservationId,
    /// Who comes.
    pub party: Party,
    /// Whose it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// By what the same person is known again.
    pub(super) mark: ContactMark,
    /// What is held for them.
    pub offer: Option<Offer>,
}

impl Entry {
    /// How many places side by side it waits for; a group takes the one room.
    #[must_use]
    pub fn seats(&self) -> usize {
        seats_for(&self.party)
    }
}

/// How many places side by side a party takes; a group takes the one room.
#[must_use]
pub fn seats_for(party: &Party) -> usize {
    match party {
        Party::Persons(_) => usize::try_from(party.size()).unwrap_or(usize::MAX),
        Party::Group { .. } => 1,
    }
}

/// Those who asked to wait from where somebody else asks now, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Crowd {
    /// Their entries; whether they still wait, the waitlist knows.
    pub entries: Vec<ReservationId>,
    /// How many of them may wait at the same time, or have an offer that runs.
    pub max: usize,
}

impl Default for Crowd {
    /// Nobody is known to come from there.
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            max: usize::MAX,
        }
    }
}

/// Places that are held for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which.
    pub seats: Vec<SeatLabel>,
    /// Until when.
    pub until: Timestamp,
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Past {
    /// The offer was taken.
    Accepted,
    /// The offer was given back.
    Declined,
    /// The offer was not taken in time.
    Lapsed,
    /// They waited no more.
    Left,
    /// There was nothing to wait for any more.
    Ended(WhyEnded),
}

/// What a waitlist remembers: those who wait in the order they came, and how it ended for the others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Waitlist {
    entries: Vec<Entry>,
    past: BTreeMap<i64, Past>,
}

impl Waitlist {
    pub(super) fn evolve(&mut self, event: WaitlistEvent) {
        match event {
            WaitlistEvent::Joined {
                entry,
                party,
                contact: _,
                mark,
                customer,
                language: _,
            } => self.entries.push(Entry {
                id: entry,
                party,
                customer,
                mark,
                offer: None,
            }),
            WaitlistEvent::Offered { entry, seats, until } => {
                if let Some(entry) = self.entries.iter_mut().find(|known| known.id == entry) {
                    entry.offer = Some(Offer { seats, until });
                }
            }
            WaitlistEvent::Left { entry, .. } => self.end(entry, Past::Left),
            WaitlistEvent::Accepted { entry } => self.end(entry, Past::Accepted),
            WaitlistEvent::Declined { entry } => self.end(entry, Past::Declined),
            WaitlistEvent::Lapsed { entry } => self.end(entry, Past::Lapsed),
            WaitlistEvent::Ended { entry, why } => self.end(entry, Past::Ended(why)),
            WaitlistEvent::Passed { .. } => {}
        }
    }

    fn end(&mut self, entry: ReservationId, past: Past) {
        self.entries.retain(|known| known.id != entry);
        self.past.insert(entry.number(), past);
    }

    /// Everybody with a turn to come or an offer that runs, in the order they came.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Those who wait, the first in line first; who has an offer waits no more.
    pub fn waiting(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.offer.is_none())
    }

    /// Whoever waits or has an offer under this number.
    #[must_use]
    pub fn entry(&self, id: ReservationId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// How waiting under this number ended.
    #[must_use]
    pub fn past(&self, id: ReservationId) -> Option<Past> {
        self.past.get(&id.number()).copied()
    }

    /// The place in line, from 1; none for who does not wait.
    #[must_use]
    pub fn position(&self, id: ReservationId) -> Option<usize> {
        let place = self.waiting().position(|entry| entry.id == id);
        place.map(|before| before + 1)
    }
}

/// Somebody whose turn it is, and the places.
pub type Served = (ReservationId, Vec<SeatLabel>);

/// Whose turn it is, in order. `take` answers so many free places side by side and takes them out of what is free; where
/// it finds none it finds no more of them either, so that whoever wants as many or more is passed over at once.
pub fn serve<'a>(
    line: impl Iterator<Item = &'a Entry>,
    mut take: impl FnMut(usize) -> Option<Vec<SeatLabel>>,
) -> Vec<Served> {
    let (mut served, mut too_many) = (Vec::new(), usize::MAX);
    for entry in line {
        let wanted = entry.seats();
        if wanted >= too_many {
            continue;
        }
        match take(wanted) {
            Some(seats) => served.push((entry.id, seats)),
            None => too_many = wanted,
        }
        if too_many <= 1 {
            break;
        }
    }
    served
}
