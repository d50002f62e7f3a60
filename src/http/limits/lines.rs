//! From which network guests came who asked to wait for a slot: only so many of one network wait for it at the same time,
//! so that nobody fills a line with numbers that are made up (DOMAIN W1).
//!
//! It is kept in the memory of one server, for a while: a restart forgets it, and each of several servers knows only
//! those it has seen. It never decides: which of them still wait, the waitlist knows, and its rule refuses.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aggregates::{
    ids::{ReservationId, TimeSlotId},
    waitlist::Crowd,
};
use moka::sync::Cache;

use super::network;

/// Networks and slots that are kept at most.
const KEPT_MAX: u64 = 100_000;
/// How long they are kept after somebody came from there.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Entries that are remembered beyond those that may wait: those that wait no more.
const PAST_MAX: usize = 64;

/// Everybody who asked to wait lately.
pub(super) struct Lines {
    max: usize,
    kept: Cache<(IpAddr, TimeSlotId), Arc<Mutex<VecDeque<ReservationId>>>>,
}

impl Lines {
    /// So many of one network may wait for one slot.
    pub fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            kept: Cache::builder().max_capacity(KEPT_MAX).time_to_idle(KEPT).build(),
        }
    }

    /// Those of this address's network who asked to wait for this slot.
    pub fn line(&self, address: IpAddr, time_slot: TimeSlotId) -> Line {
        Line {
            max: self.max,
            entries: self.kept.get_with((network(address), time_slot), Arc::default),
        }
    }
}

/// The guests of one network who asked to wait for one slot.
#[derive(Debug)]
pub struct Line {
    max: usize,
    entries: Arc<Mutex<VecDeque<ReservationId>>>,
}

impl Line {
    /// Somebody is about to ask under this number. They are noted before, so that of many who ask at once each knows those
    /// who were served before.
    pub fn enter(&self, number: ReservationId) {
        let mut entries = self.locked();
        while entries.len() >= self.max.saturating_add(PAST_MAX) {
            entries.pop_front();
        }
        entries.push_back(number);
    }

    /// What they were answered: they wait, perhaps under another number, or they do not. Who is known to wait no more is
    /// noted no more.
    pub fn settle(
        &self,
        number: ReservationId,
        entry: Option<ReservationId>,
        waits: impl Fn(ReservationId) -> bool,
    ) {
        let mut entries = self.locked();
        entries.retain(|known| Some(*known) == entry || (*known != number && waits(*known)));
        if let Some(entry) = entry
            && !entries.contains(&entry)
        {
            entries.push_back(entry);
        }
    }

    /// All of them, and how many may wait.
    #[must_use]
    pub fn crowd(&self) -> Crowd {
        Crowd {
            entries: self.locked().iter().copied().collect(),
            max: self.max,
        }
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<ReservationId>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn slot(number: u128) -> TimeSlotId {
        TimeSlotId::new(uuid::Uuid::from_u128(number))
    }

    fn number(number: i64) -> ReservationId {
        ReservationId::new(number)
    }

    #[test]
    fn those_of_one_network_are_known_slot_by_slot() {
        let lines = Lines::new(2);
        let line = lines.line(HERE, slot(1));
        line.enter(number(1));
        line.settle(number(1), Some(number(1)), |_| true);
        let crowd = lines.line(HERE, slot(1)).crowd();
        assert_eq!((crowd.entries, crowd.max), (vec![number(1)], 2));
        assert_eq!(lines.line(ELSEWHERE, slot(1)).crowd().entries, []);
        assert_eq!(lines.line(HERE, slot(2)).crowd().entries, []);
    }

    #[test]
    fn whoever_does_not_wait_is_forgotten_and_nobody_else() {
        let line = Lines::new(2).line(HERE, slot(1));
        for entry in 1..=3 {
            line.enter(number(entry));
        }
        // Refused; known by another number; never answered.
        line.settle(number(1), None, |_| true);
        line.settle(number(2), Some(number(4)), |_| true);
        line.settle(number(2), Some(number(4)), |_| true);
        assert_eq!(line.crowd().entries, [number(3), number(4)]);
        // One of them has left since.
        line.enter(number(5));
        line.settle(number(5), Some(number(5)), |known| known != number(3));
        assert_eq!(line.crowd().entries, [number(4), number(5)]);
        for entry in 10..200 {
            line.enter(number(entry));
        }
        assert_eq!(line.crowd().entries.len(), 2 + PAST_MAX);
    }
}
