//! A log in memory with the same behaviour as the one in PostgreSQL, for model tests. Never outlives its process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::StreamId;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    clock::Clock,
    command::{Append, End, KnownKey, Row, Standing, Verdict},
    feed::{Feed, Weighed},
    request::IdempotencyKey,
};

/// The log.
pub(crate) struct Memory {
    clock: Arc<Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    rows: Vec<Row>,
    /// The index of each event of each stream.
    streams: BTreeMap<StreamId, Vec<usize>>,
    keys: HashMap<(String, String), KnownKey>,
    subject_keys: HashMap<SmolStr, Vec<u8>>,
    feed: Option<Feed>,
}

impl Memory {
    pub fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            kept: Mutex::default(),
        }
    }

    /// Whom to tell about new events.
    pub fn tell(&self, feed: Feed) {
        self.with(|kept| kept.feed = Some(feed));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends one command, whole or not at all.
    pub fn append(&self, append: Append) -> Verdict {
        self.with(|kept| {
            let recorded_at = kept
                .rows
                .last()
                .map_or(Timestamp::MIN, |row| row.recorded_at)
                .max(self.clock.now());
            if let Some(verdict) = kept.refusal(&append, recorded_at) {
                return verdict;
            }
            let recorded = kept.write(append, recorded_at);
            let events = recorded.iter().map(|(event, _)| Arc::clone(event)).collect();
            if let Some((feed, (first, _))) = kept.feed.as_ref().zip(recorded.first()) {
                feed.offer(first.position, recorded);
            }
            let position = kept.position();
            Verdict::Appended { position, events }
        })
    }

    pub fn load(&self, streams: &[StreamId]) -> Vec<Arc<[Row]>> {
        self.with(|kept| streams.iter().map(|stream| kept.rows_of(stream).into()).collect())
    }

    pub fn load_prefix(&self, kind: &str, prefix: &str) -> Vec<Row> {
        let start = StreamId::stored(kind, prefix);
        self.with(|kept| {
            let range = kept.streams.range(start..);
            let range = range.take_while(|(stream, _)| stream.kind == kind && stream.id.starts_with(prefix));
            range.flat_map(|(stream, _)| kept.rows_of(stream)).collect()
        })
    }

    pub fn standing(&self, streams: &[StreamId], key: Option<&IdempotencyKey>) -> Standing {
        self.with(|kept| Standing {
            ends: streams.iter().map(|stream| kept.end(stream)).collect(),
            key: key.and_then(|key| kept.keys.get(&(key.scope.clone(), key.key.clone())).copied()),
            head: kept.position(),
        })
    }

    pub fn after(&self, position: i64, max: usize) -> Vec<Row> {
        let skipped = usize::try_from(position).unwrap_or(0);
        self.with(|kept| kept.rows.iter().skip(skipped).take(max).cloned().collect())
    }

    pub fn stream(&self, stream: &StreamId) -> Vec<Row> {
        self.with(|kept| kept.rows_of(stream))
    }

    pub fn subject_keys(&self, subjects: &[SmolStr]) -> HashMap<SmolStr, Vec<u8>> {
        self.with(|kept| {
            let key = |subject: &SmolStr| Some((subject.clone(), kept.subject_keys.get(subject)?.clone()));
            subjects.iter().filter_map(key).collect()
        })
    }

    pub fn destroy_key(&self, subject: &str) -> bool {
        self.with(|kept| kept.subject_keys.remove(subject).is_some())
    }
}

impl Kept {
    fn position(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    fn end(&self, stream: &StreamId) -> End {
        let last = self.streams.get(stream).and_then(|indices| indices.last());
        last.and_then(|index| self.rows.get(*index))
            .map_or_else(End::default, |row| End {
                sequence: row.sequence,
                position: row.position,
                recorded_at: row.recorded_at,
            })
    }

    fn rows_of(&self, stream: &StreamId) -> Vec<Row> {
        let indices = self.streams.get(stream).into_iter().flatten();
        indices
            .filter_map(|index| self.rows.get(*index).cloned())
            .collect()
    }

    fn refusal(&self, append: &Append, recorded_at: Timestamp) -> Option<Verdict> {
        if let Some(key) = &append.key
            && let Some(known) = self.keys.get(&(key.scope.clone(), key.key.clone()))
        {
            return Some(known.verdict_on(key));
        }
        let stands = append
            .streams
            .iter()
            .map(|expected| (expected, self.end(&expected.stream).sequence));
        let conflicts = stands.filter(|(expected, stands)| expected.sequence != *stands);
        let conflicts: Vec<_> = conflicts
            .map(|(expected, stands)| (expected.stream.clone(), stands))
            .collect();
        if !conflicts.is_empty() {
            return Some(Verdict::Conflict(conflicts));
        }
        if append.now > recorded_at {
            return Some(Verdict::ClockAhead(recorded_at));
        }
        let taken = append
            .new_keys
            .iter()
            .any(|(subject, _)| self.subject_keys.contains_key(subject));
        taken.then_some(Verdict::SubjectTaken)
    }

    fn write(&mut self, append: Append, recorded_at: Timestamp) -> Vec<Weighed> {
        let first = self.position() + 1;
        let metadata: Arc<str> = append.metadata_json.as_str().into();
        for (draft, position) in append.events.iter().zip(first..) {
            let Some(expected) = append.streams.get(draft.stream) else {
                continue;
            };
            self.streams
                .entry(expected.stream.clone())
                .or_default()
                .push(self.rows.len());
            self.rows.push(Row {
                position,
                recorded_at,
                stream: expected.stream.clone(),
                sequence: draft.sequence,
                name: draft.name.clone(),
                version: draft.version.clone(),
                payload: draft.payload.clone(),
                metadata: Arc::clone(&metadata),
            });
        }
        if let Some(key) = &append.key {
            let known = KnownKey {
                fingerprint: key.fingerprint,
                first,
                last: self.position(),
            };
            self.keys.insert((key.scope.clone(), key.key.clone()), known);
        }
        self.subject_keys.extend(append.new_keys.iter().cloned());
        append.recorded(first, recorded_at)
    }
}
