//! The log told to people: each event as a sentence with who, when, why and what changed; never shows a personal value.

mod catalogue;
mod changes;
mod money;
mod naming;
mod people;
mod sales;
mod sentence;
mod waits;

use std::sync::Arc;

use aggregates::{Event, Metadata, Recorded, StreamId};
use jiff::Timestamp;
use projections::audit_trail::Entry;
use serde::Serialize;

pub use self::changes::{Change, Story, shown};
pub use self::naming::name;
pub use self::sentence::{sentence, who};

/// One event as people read it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Told {
    /// Its place in the log.
    pub position: i64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub recorded_at: Timestamp,
    /// The stored type of what it happened to.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// Its place in that stream.
    pub sequence: i64,
    /// The stored name of the event.
    pub event: String,
    /// What happened, as a sentence.
    pub sentence: String,
    /// Who did it.
    pub who: String,
    /// By which command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Why, in the actor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The request it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The event that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<i64>,
    /// What is different since, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Told {
    /// One event, told by itself.
    #[must_use]
    pub fn of(recorded: &Recorded) -> Self {
        let note = |name: &str| recorded.metadata.get(name).map(ToString::to_string);
        Self {
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            kind: recorded.stream.kind.to_string(),
            id: recorded.stream.id.to_string(),
            sequence: recorded.sequence,
            event: recorded.event.name().to_owned(),
            sentence: sentence(recorded),
            who: who(&recorded.metadata),
            command: note("command"),
            why: note("reason"),
            request_id: note("request_id"),
            caused_by: note("causation_position").and_then(|position| position.parse().ok()),
            changes: Vec::new(),
        }
    }
}

/// The metadata of an event as the audit trail has it, still sealed.
#[must_use]
pub fn metadata_of(entry: &Entry) -> Metadata {
    serde_json::from_value(entry.metadata.clone()).unwrap_or_default()
}

/// An event as the audit trail has it, told by itself, with its metadata opened.
#[must_use]
pub fn tell_entry(entry: &Entry, metadata: Metadata) -> Told {
    // What cannot be read any more is shown as foreign, never left out.
    let event = Event::read(&entry.kind, &entry.payload.to_string()).unwrap_or(Event::Foreign);
    let recorded = Recorded {
        position: entry.position,
        recorded_at: entry.recorded_at,
        stream: StreamId::stored(&entry.kind, &entry.id),
        sequence: entry.sequence,
        event,
        metadata: Arc::new(metadata),
    };
    Told {
        event: entry.event_type.clone(),
        ..Told::of(&recorded)
    }
}

/// The whole story of one stream: every event, with what it changed.
#[must_use]
pub fn timeline(events: &[Arc<Recorded>]) -> Vec<Told> {
    let mut story = Story::default();
    events
        .iter()
        .map(|recorded| Told {
            changes: story.tell(recorded),
            ..Told::of(recorded)
        })
        .collect()
}

/// The event with every personal value replaced, so that it can be written out.
#[must_use]
pub fn veiled(event: &Event) -> Event {
    let mut event = event.clone();
    for value in event.personal() {
        value.seal(VEIL.to_owned());
    }
    event
}

/// What stands in place of a personal value.
const VEIL: &str = "(personal)";
