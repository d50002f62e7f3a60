//! Recently used aggregates, per process. A stale entry costs a conflict or a confirmation, never a wrong answer.

use std::{any::Any, sync::Arc};

use aggregates::{
    Decider, StreamId, coupon::Coupon, reservation::Reservation, seat::Seat, waitlist::Waitlist,
};
use cqrs_es::Aggregate as _;
use quick_cache::{Weighter, sync::Cache as Kept};
use smol_str::SmolStr;

/// Stored bytes of cached seats, reservations and coupons at most, as a measure of their memory: each is used for a while.
const SOLD_BYTES_MAX: u64 = 14 << 20;
/// Stored bytes of all other cached aggregates at most: few and large, and every hold reads some of them.
const CATALOGUE_BYTES_MAX: u64 = 18 << 20;
/// What an entry takes besides its state.
const ENTRY_BYTES: usize = 256;

/// How many of what is sold to make room for at first.
const SOLD_EXPECTED: usize = 16_384;
/// The same of the others: so few that they stand behind one lock, for a layout may weigh a tenth of them all.
const CATALOGUE_EXPECTED: usize = 32;

/// Prefixes noted as read at most.
const PREFIXES_MAX: usize = 16_384;

/// The state of some aggregate.
pub(crate) type State = Arc<dyn Any + Send + Sync>;

/// A state and where its stream stood.
#[derive(Clone)]
pub(crate) struct Entry {
    pub state: State,
    pub sequence: i64,
    /// The stored bytes of its events.
    pub bytes: usize,
}

impl Entry {
    /// An aggregate nothing has happened to.
    pub fn new<A: Decider>() -> Self {
        Self {
            state: Arc::new(A::default()),
            sequence: 0,
            bytes: 0,
        }
    }
}

/// The cache.
///
/// In two parts: however many seats pass through, the layout of their auditorium stays.
pub(crate) struct Cache {
    sold: Part,
    catalogue: Part,
    /// Kinds and prefixes of which every stream was read once.
    prefixes: Kept<(&'static str, SmolStr), ()>,
}

type Part = Kept<StreamId, Entry, StoredBytes>;

/// Entries weigh what their events do.
#[derive(Clone)]
struct StoredBytes;

impl Weighter<StreamId, Entry> for StoredBytes {
    fn weight(&self, stream: &StreamId, entry: &Entry) -> u64 {
        (stream.id.len() + entry.bytes + ENTRY_BYTES) as u64
    }
}

impl Cache {
    pub fn new() -> Self {
        Self {
            sold: Kept::with_weighter(SOLD_EXPECTED, SOLD_BYTES_MAX, StoredBytes),
            catalogue: Kept::with_weighter(CATALOGUE_EXPECTED, CATALOGUE_BYTES_MAX, StoredBytes),
            prefixes: Kept::new(PREFIXES_MAX),
        }
    }

    fn part(&self, stream: &StreamId) -> &Part {
        if [Seat::TYPE, Reservation::TYPE, Coupon::TYPE, Waitlist::TYPE].contains(&stream.kind.as_str()) {
            &self.sold
        } else {
            &self.catalogue
        }
    }

    /// The entry, if its stream stands at least at this sequence.
    pub fn get(&self, stream: &StreamId, at_least: i64) -> Option<Entry> {
        self.part(stream)
            .get(stream)
            .filter(|entry| entry.sequence >= at_least)
    }

    /// Keeps an entry unless a later one is here.
    pub fn put(&self, stream: &StreamId, new: Entry) {
        let part = self.part(stream);
        // Of two at the same moment the earlier may stay: it is stale, no more.
        if part.peek(stream).is_none_or(|old| old.sequence < new.sequence) {
            part.insert(stream.clone(), new);
        }
    }

    /// Notes that every stream of this kind and prefix was read.
    pub fn know<A: Decider>(&self, prefix: &str) {
        self.prefixes.insert((A::TYPE, SmolStr::new(prefix)), ());
    }

    /// Whether every stream of this kind and prefix was read; entries may have been dropped or outdated since.
    pub fn knows<A: Decider>(&self, prefix: &str) -> bool {
        self.prefixes.contains_key(&(A::TYPE, SmolStr::new(prefix)))
    }

    /// Drops an entry, because its stream holds values that are erased now.
    pub fn drop_entry(&self, stream: &StreamId) {
        self.part(stream).remove(stream);
    }

    /// Drops everything.
    pub fn clear(&self) {
        self.prefixes.clear();
        self.sold.clear();
        self.catalogue.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: i64) -> Entry {
        Entry {
            state: Arc::new(()),
            sequence,
            bytes: 10,
        }
    }

    #[test]
    fn an_entry_is_only_replaced_by_a_later_one() {
        let cache = Cache::new();
        let stream = StreamId::stored("seat", "a");
        cache.put(&stream, entry(2));
        cache.put(&stream, entry(1));
        assert_eq!(cache.get(&stream, 0).unwrap().sequence, 2);
        cache.put(&stream, entry(3));
        assert_eq!(cache.get(&stream, 3).unwrap().sequence, 3);
        assert!(cache.get(&stream, 4).is_none());
    }

    #[test]
    fn what_is_sold_does_not_push_the_catalogue_out() {
        let cache = Cache::new();
        let layout = StreamId::stored("auditorium", "a");
        let large = Entry {
            bytes: 2 << 20,
            ..entry(1)
        };
        cache.put(&layout, large);
        for number in 0..200_000_u32 {
            cache.put(&StreamId::stored("seat", &number.to_string()), entry(1));
        }
        assert!(cache.get(&layout, 1).is_some());
    }

    #[test]
    fn a_cleared_cache_takes_what_comes_then() {
        let cache = Cache::new();
        let stream = StreamId::stored("seat", "a");
        cache.put(&stream, entry(2));
        cache.clear();
        assert!(cache.get(&stream, 0).is_none());
        cache.put(&stream, entry(1));
        assert_eq!(cache.get(&stream, 0).unwrap().sequence, 1);
    }
}
