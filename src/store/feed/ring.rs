//! The most recent events, in order and without gaps, bounded in number and bytes. Never shows what it could not order.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use aggregates::Recorded;

/// Events kept at most.
const EVENTS_MAX: usize = 16_384;
/// Stored bytes of the events kept at most, unless one event alone has more.
const BYTES_MAX: usize = 8 << 20;
/// Events that may wait for the gap before them to be filled; more are forgotten and read again from the log.
const AHEAD_MAX: usize = 8_192;

/// An event and the bytes it takes in the log.
pub(crate) type Weighed = (Arc<Recorded>, usize);

/// A window on the end of the log.
pub(super) struct Ring {
    /// The position of the last event taken in order.
    head: i64,
    events: VecDeque<Weighed>,
    bytes: usize,
    /// Committed events whose predecessors are not here yet, by their first position.
    ahead: BTreeMap<i64, Vec<Weighed>>,
    ahead_events: usize,
}

impl Ring {
    pub fn new(head: i64) -> Self {
        Self {
            head,
            events: VecDeque::new(),
            bytes: 0,
            ahead: BTreeMap::new(),
            ahead_events: 0,
        }
    }

    /// Takes contiguous events beginning at `first`; answers the head.
    pub fn take(&mut self, first: i64, events: Vec<Weighed>) -> i64 {
        if first > self.head + 1 {
            if self.ahead_events + events.len() <= AHEAD_MAX {
                self.ahead_events += events.len();
                if let Some(replaced) = self.ahead.insert(first, events) {
                    self.ahead_events -= replaced.len();
                }
            }
            return self.head;
        }
        self.push(events);
        while let Some(entry) = self
            .ahead
            .first_entry()
            .filter(|entry| *entry.key() <= self.head + 1)
        {
            let events = entry.remove();
            self.ahead_events -= events.len();
            self.push(events);
        }
        self.head
    }

    fn push(&mut self, events: Vec<Weighed>) {
        for (event, bytes) in events {
            if event.position == self.head + 1 {
                self.head += 1;
                self.bytes += bytes;
                self.events.push_back((event, bytes));
            }
        }
        while self.events.len() > EVENTS_MAX || (self.bytes > BYTES_MAX && self.events.len() > 1) {
            let Some((_, bytes)) = self.events.pop_front() else {
                break;
            };
            self.bytes -= bytes;
        }
    }

    /// Lets go of all events but not of the head: they are read again from the log.
    pub fn forget(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }

    /// The last position before a gap is filled: what is waiting ends there.
    pub fn beyond(&self) -> Option<i64> {
        self.ahead
            .values()
            .next_back()
            .and_then(|events| events.last())
            .map(|(event, _)| event.position)
    }

    /// At most `max` events after `position`, if all of them are still here.
    pub fn after(&self, position: i64, max: usize) -> Option<Vec<Arc<Recorded>>> {
        let oldest = self.events.front()?.0.position;
        let skipped = usize::try_from(position + 1 - oldest).ok()?;
        Some(
            self.events
                .iter()
                .skip(skipped)
                .take(max)
                .map(|(event, _)| Arc::clone(event))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use aggregates::{Event, StreamId};

    use super::*;

    fn events(positions: std::ops::RangeInclusive<i64>) -> Vec<Weighed> {
        heavy(positions, 100)
    }

    fn heavy(positions: std::ops::RangeInclusive<i64>, bytes: usize) -> Vec<Weighed> {
        let recorded = |position| {
            let event = Recorded {
                position,
                recorded_at: jiff::Timestamp::UNIX_EPOCH,
                stream: StreamId::stored("seat", "a"),
                sequence: position,
                event: Event::Foreign,
                metadata: Arc::default(),
            };
            (Arc::new(event), bytes)
        };
        positions.map(recorded).collect()
    }

    fn positions(ring: &Ring, after: i64) -> Option<Vec<i64>> {
        ring.after(after, 100)
            .map(|events| events.iter().map(|event| event.position).collect())
    }

    #[test]
    fn events_come_out_in_order_however_they_come_in() {
        let mut ring = Ring::new(0);
        assert_eq!(ring.take(3, events(3..=4)), 0);
        assert_eq!(positions(&ring, 0), None);
        assert_eq!(ring.take(1, events(1..=2)), 4);
        assert_eq!(positions(&ring, 1), Some(vec![2, 3, 4]));
    }

    #[test]
    fn an_event_taken_twice_is_there_once() {
        let mut ring = Ring::new(0);
        ring.take(1, events(1..=3));
        assert_eq!(ring.take(2, events(2..=4)), 4);
        assert_eq!(positions(&ring, 0), Some(vec![1, 2, 3, 4]));
    }

    #[test]
    fn what_is_no_longer_here_is_not_answered() {
        let mut ring = Ring::new(7);
        ring.take(8, events(8..=9));
        assert_eq!(positions(&ring, 6), None);
        assert_eq!(positions(&ring, 7), Some(vec![8, 9]));
    }

    #[test]
    fn the_ring_is_bounded() {
        let mut ring = Ring::new(0);
        let last = i64::try_from(EVENTS_MAX).unwrap() + 10;
        assert_eq!(ring.take(1, events(1..=last)), last);
        assert_eq!(ring.events.len(), EVENTS_MAX);
        ring.take(last + 1, heavy(last + 1..=last + 3, BYTES_MAX));
        assert_eq!(ring.events.len(), 1);
    }
}
