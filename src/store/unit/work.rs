//! What one attempt of a unit of work has read and decided; never reads or writes anything itself.

use std::{collections::HashMap, sync::Arc};

use aggregates::StreamId;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::Decided;
use crate::store::{
    cache::{Entry, State},
    command::Expected,
};

/// What one attempt has read and decided.
#[derive(Default)]
pub(crate) struct Work {
    pub(super) now: Timestamp,
    pub(super) opened: Vec<Opened>,
    /// Their numbers.
    index: HashMap<StreamId, usize>,
    pub(super) decided: Vec<Decided>,
    /// Where streams are known to stand: older cache entries are of no use.
    pub(super) at_least: HashMap<StreamId, i64>,
    /// Reads of the log in this attempt: states of one read belong to one moment.
    pub(super) reads: usize,
    /// A state was taken from the cache, or taken as new without looking.
    pub(super) unsure: bool,
    pub(super) misuse: Option<String>,
    /// How often this unit was started again.
    pub(super) attempt: u32,
    /// More metadata for the events of this unit.
    pub(super) notes: Vec<(&'static str, SmolStr)>,
    /// Streams that were looked at for choosing: a refusal may rest on them.
    pub(super) peeked: Vec<(StreamId, i64)>,
    /// The stream that stands in the way.
    pub(super) blamed: Option<usize>,
    /// The newest position among the events that were read.
    pub(super) seen: i64,
}

/// A stream that was read in this unit.
pub(super) struct Opened {
    pub(super) stream: StreamId,
    pub(super) read_at: i64,
    pub(super) sequence: i64,
    pub(super) state: State,
    pub(super) bytes: usize,
}

impl Work {
    /// The work of a first attempt.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    /// Forgets what was decided; what others have done meanwhile is known from `stands` on.
    pub fn start_again(&mut self, now: Timestamp, stands: Vec<(StreamId, i64)>) {
        self.now = now;
        self.opened.clear();
        self.decided.clear();
        self.reads = 0;
        self.unsure = false;
        self.attempt += 1;
        self.notes.clear();
        self.peeked.clear();
        self.index.clear();
        self.blamed = None;
        self.at_least.extend(stands);
    }

    /// Whether a refusal may rest on states that were never true together.
    pub fn is_unsure(&self) -> bool {
        self.unsure || self.reads > 1
    }

    /// The streams a refusal may rest on, with the sequences they were read at.
    pub fn grounds(&self) -> Vec<(StreamId, i64)> {
        let opened = self
            .opened
            .iter()
            .map(|opened| (opened.stream.clone(), opened.read_at));
        opened.chain(self.peeked.iter().cloned()).collect()
    }

    /// Where a stream is among those opened.
    pub fn find(&self, stream: &StreamId) -> Option<usize> {
        self.index.get(stream).copied()
    }

    /// Takes a stream in; answers its number.
    pub fn open(&mut self, stream: StreamId, entry: Entry) -> usize {
        let Entry {
            state,
            sequence,
            bytes,
        } = entry;
        let number = self.opened.len();
        self.index.insert(stream.clone(), number);
        self.opened.push(Opened {
            stream,
            read_at: sequence,
            sequence,
            state,
            bytes,
        });
        number
    }

    /// The stream whose state a refusal rests on, if a rule named one that has begun: its number among the grounds.
    pub fn blamed(&self) -> Option<usize> {
        self.blamed
            .filter(|number| self.opened.get(*number).is_some_and(|opened| opened.read_at > 0))
    }

    /// The newest position among the events this attempt read from the log.
    pub fn seen(&self) -> i64 {
        self.seen
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn misuse(&mut self) -> Option<String> {
        self.misuse.take()
    }

    pub fn has_decided(&self) -> bool {
        !self.decided.is_empty()
    }

    /// What was noted last under this name.
    pub fn noted(&self, name: &str) -> Option<&SmolStr> {
        let noted = self.notes.iter().rev().find(|(known, _)| *known == name);
        noted.map(|(_, value)| value)
    }

    pub fn take_notes(&mut self) -> Vec<(&'static str, SmolStr)> {
        std::mem::take(&mut self.notes)
    }

    pub fn take_decided(&mut self) -> Vec<Decided> {
        std::mem::take(&mut self.decided)
    }

    /// The streams with the sequences they must stand at.
    pub fn expected(&self) -> Vec<Expected> {
        let expected = |opened: &Opened| Expected {
            stream: opened.stream.clone(),
            sequence: opened.read_at,
            written: opened.sequence > opened.read_at,
        };
        self.opened.iter().map(expected).collect()
    }

    /// The streams that were written, as they are after the unit; `stored` has the bytes added to each stream.
    pub fn written<'a>(&'a self, stored: &'a [usize]) -> impl Iterator<Item = (&'a StreamId, Entry)> {
        let written = self.opened.iter().zip(stored);
        let written = written.filter(|(opened, _)| opened.sequence > opened.read_at);
        written.map(|(opened, stored)| {
            let entry = Entry {
                state: Arc::clone(&opened.state),
                sequence: opened.sequence,
                bytes: opened.bytes + stored,
            };
            (&opened.stream, entry)
        })
    }
}
