//! What a unit of work hands to the log and what it gets back; never decides anything.

use std::sync::Arc;

use aggregates::{Event, Recorded, StreamId};
use jiff::Timestamp;
use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    feed::Weighed,
    request::{IdempotencyKey, SharedMetadata},
};

/// Everything one command writes and relies on; appended whole or not at all.
#[derive(Debug)]
pub(crate) struct Append {
    /// The moment its rules saw.
    pub now: Timestamp,
    pub request_id: Uuid,
    pub key: Option<IdempotencyKey>,
    /// The streams it read or writes.
    pub streams: Vec<Expected>,
    /// Those of one stream in the order of their sequence; none if only the key is to be remembered.
    pub events: Vec<Draft>,
    /// As stored: sealed, JSON.
    pub metadata_json: String,
    /// As the feed shows it: plain.
    pub metadata: SharedMetadata,
    /// Keys of persons made for this command: subject and wrapped key.
    pub new_keys: Vec<(SmolStr, Vec<u8>)>,
}

/// Where a stream must stand for the command to hold.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub stream: StreamId,
    /// Its last sequence; 0 if it must not exist.
    pub sequence: i64,
    pub written: bool,
}

/// One event on its way.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The number of its stream in [`Append::streams`].
    pub stream: usize,
    pub sequence: i64,
    pub name: SmolStr,
    pub version: SmolStr,
    /// As stored: sealed, JSON.
    pub payload: String,
    /// As the feed shows it: plain.
    pub event: Event,
}

impl Append {
    /// A measure of what it sends.
    pub fn bytes(&self) -> usize {
        let streams: usize = self.streams.iter().map(|s| s.stream.id.len() + 32).sum();
        let events: usize = self.events.iter().map(|e| e.payload.len() + 64).sum();
        self.metadata_json.len() + streams + events
    }

    /// The stored bytes it adds to each of its streams.
    pub fn bytes_by_stream(&self) -> Vec<usize> {
        let mut bytes = vec![0; self.streams.len()];
        for draft in &self.events {
            if let Some(bytes) = bytes.get_mut(draft.stream) {
                *bytes += draft.payload.len();
            }
        }
        bytes
    }

    /// The events as recorded from `first` on, with their stored bytes.
    pub fn recorded(self, first: i64, at: Timestamp) -> Vec<Weighed> {
        let Self {
            events,
            streams,
            metadata,
            metadata_json,
            ..
        } = self;
        (first..)
            .zip(events)
            .filter_map(|(position, draft)| {
                let recorded = Recorded {
                    position,
                    recorded_at: at,
                    stream: streams.get(draft.stream)?.stream.clone(),
                    sequence: draft.sequence,
                    event: draft.event,
                    metadata: Arc::clone(&metadata),
                };
                Some((Arc::new(recorded), draft.payload.len() + metadata_json.len()))
            })
            .collect()
    }
}

/// What became of a command.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It is in the log, up to this position.
    Appended {
        position: i64,
        events: Vec<Arc<Recorded>>,
    },
    /// Its key was used before, for the same request: where the first answer's events are.
    Duplicate { first: i64, last: i64 },
    /// Its key was used before, for another request.
    KeyReused,
    /// Streams which no longer stand where the command read them: where they do.
    Conflict(Vec<(StreamId, i64)>),
    /// Its moment lies after the database's clock, which shows this.
    ClockAhead(Timestamp),
    /// Somebody else made the key of one of its persons first.
    SubjectTaken,
}

/// An event as stored.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub stream: StreamId,
    pub sequence: i64,
    pub name: SmolStr,
    pub version: SmolStr,
    pub payload: String,
    /// Empty where it was not asked for; the events of one command share it, as far as they were read together.
    pub metadata: Arc<str>,
}

impl Row {
    /// The stored bytes, about.
    pub fn bytes(&self) -> usize {
        self.payload.len() + self.metadata.len()
    }
}

/// Where things stand, read at one moment: for refusals, which must not be answered from a stale cache.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// The last event of each stream asked for, in that order.
    pub ends: Vec<End>,
    /// What is known of the idempotency key, if one was asked for.
    pub key: Option<KnownKey>,
    /// The last position of the log.
    pub head: i64,
}

/// The last event of a stream; all 0 and the epoch for one that has not begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub sequence: i64,
    pub position: i64,
    pub recorded_at: Timestamp,
}

/// The request an idempotency key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownKey {
    pub fingerprint: [u8; 32],
    pub first: i64,
    pub last: i64,
}

impl KnownKey {
    /// What becomes of another command with this key.
    pub fn verdict_on(&self, key: &IdempotencyKey) -> Verdict {
        let Self {
            fingerprint,
            first,
            last,
        } = *self;
        if fingerprint == key.fingerprint {
            Verdict::Duplicate { first, last }
        } else {
            Verdict::KeyReused
        }
    }
}
