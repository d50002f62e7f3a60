//! Sealing on the way into the log: personal values of events, and what is confidential in metadata. Never opens by guess.

use std::{collections::HashMap, sync::Arc};

use aggregates::{Event, Metadata, StreamId, reservation::Reservation};
use cqrs_es::Aggregate as _;
use jiff::Timestamp;
use smol_str::{SmolStr, format_smolstr};
use uuid::Uuid;

use super::{
    command::{Append, Draft, Expected},
    error::StoreError,
    reading::{Keys, Reading, subject},
    request::Request,
    unit::Decided,
};
use crate::vault::{NewKey, SubjectKey};

/// The metadata that is sealed: stored as `{subject}#{sealed}`, because it is not always the stream's own person.
const SEALED: [&str; 2] = ["address", "reason"];

/// Whose key seals the personal values of an event: those of its stream, unless it says otherwise.
pub(crate) fn person(event: &Event, stream: &StreamId) -> StreamId {
    event.person().unwrap_or_else(|| stream.clone())
}

/// Where a personal value of an event stands; it opens nowhere else.
pub(crate) fn place(stream: &StreamId, sequence: i64) -> SmolStr {
    format_smolstr!("{stream}/{sequence}")
}

fn metadata_place(name: &str, metadata: &Metadata) -> SmolStr {
    let request = metadata.get("request_id").map_or("", SmolStr::as_str);
    format_smolstr!("metadata/{name}/{request}")
}

/// Whose keys are needed to open this metadata.
pub(crate) fn subjects(metadata: &Metadata) -> impl Iterator<Item = SmolStr> {
    let sealed = SEALED
        .iter()
        .filter_map(|name| metadata.get(*name)?.split_once('#'));
    sealed.map(|(subject, _)| SmolStr::new(subject))
}

/// Metadata as it was before it was sealed; what has no key any more is left out.
pub(crate) fn opened(metadata: &Metadata, keys: &Keys) -> Metadata {
    let mut plain = metadata.clone();
    for name in SEALED {
        let Some((subject, sealed)) = metadata.get(name).and_then(|value| value.split_once('#')) else {
            continue;
        };
        let value = keys
            .get(subject)
            .and_then(|key| key.open(sealed, &metadata_place(name, metadata)).ok());
        match value {
            Some(value) => plain.insert(SmolStr::new_static(name), SmolStr::new(value.as_str())),
            None => plain.remove(name),
        };
    }
    plain
}

/// What a unit of work decided, as it goes into the log.
pub(crate) struct Sealed {
    pub events: Vec<Draft>,
    pub metadata_json: String,
    pub metadata: Metadata,
    pub new_keys: Vec<(SmolStr, Vec<u8>)>,
    /// The new keys themselves, to be remembered once they are stored.
    pub made: HashMap<SmolStr, SubjectKey>,
}

impl Sealed {
    /// The command to append, and the keys that were made for it.
    pub fn into_append(
        self,
        now: Timestamp,
        request_id: Uuid,
        streams: Vec<Expected>,
    ) -> (Append, HashMap<SmolStr, SubjectKey>) {
        let Self {
            events,
            metadata_json,
            metadata,
            new_keys,
            made,
        } = self;
        let metadata = Arc::new(metadata);
        (
            Append {
                now,
                request_id,
                key: None,
                streams,
                events,
                metadata_json,
                metadata,
                new_keys,
            },
            made,
        )
    }
}

/// Seals what a unit decided; makes the keys of persons who have none.
pub(crate) async fn seal(
    reading: &Reading,
    request: &Request,
    notes: Vec<(&'static str, SmolStr)>,
    streams: &[Expected],
    decided: Vec<Decided>,
) -> Result<Sealed, StoreError> {
    let changed = || {
        let changed = decided.iter().filter_map(|event| streams.get(event.stream));
        changed.map(|expected| &expected.stream)
    };
    // Words about somebody go when that somebody does.
    let reservation = changed().find(|stream| stream.kind == Reservation::TYPE).cloned();
    let person = || decided.iter().find_map(|event| event.event.person());
    let about = reservation.or_else(person).or_else(|| changed().next().cloned());
    let confidential = about
        .map(|about| request.confidential(&about))
        .unwrap_or_default();
    let mut metadata = request.metadata();
    metadata.extend(
        notes
            .into_iter()
            .map(|(name, value)| (SmolStr::new_static(name), value)),
    );
    seal_with(reading, metadata, confidential, streams, decided).await
}

/// As [`seal`], with metadata as given and what of it has to be sealed: name, value, whose key.
pub(crate) async fn seal_with(
    reading: &Reading,
    metadata: Metadata,
    confidential: Vec<(&'static str, SmolStr, StreamId)>,
    streams: &[Expected],
    mut decided: Vec<Decided>,
) -> Result<Sealed, StoreError> {
    let personal = decided.iter_mut().filter_map(|decided| {
        let has_any = !decided.event.personal().is_empty();
        has_any
            .then(|| {
                streams
                    .get(decided.stream)
                    .map(|expected| person(&decided.event, &expected.stream))
            })
            .flatten()
    });
    let persons: Vec<StreamId> = personal
        .chain(confidential.iter().map(|(_, _, stream)| stream.clone()))
        .collect();
    let MadeKeys { keys, new_keys, made } = keys_for(reading, streams, persons).await?;

    let mut stored = metadata.clone();
    let mut shown = metadata;
    for (name, value, stream) in confidential {
        let subject = subject(&stream);
        if let Some(key) = keys.get(&subject) {
            let sealed = key.seal(&value, &metadata_place(name, &stored));
            stored.insert(SmolStr::new_static(name), format_smolstr!("{subject}#{sealed}"));
            shown.insert(SmolStr::new_static(name), value);
        }
    }
    let unwritable = |error: serde_json::Error| StoreError::Corrupt(error.to_string());
    let events = decided
        .into_iter()
        .map(|decided| draft(decided, streams, &keys))
        .collect::<Result<_, _>>();
    Ok(Sealed {
        events: events.map_err(unwritable)?,
        metadata_json: serde_json::to_string(&stored).map_err(unwritable)?,
        metadata: shown,
        new_keys,
        made,
    })
}

/// The keys a unit seals with.
#[derive(Default)]
struct MadeKeys {
    /// All of them.
    keys: Keys,
    /// Those that did not exist before, wrapped, to be stored with the unit.
    new_keys: Vec<(SmolStr, Vec<u8>)>,
    /// The same, to be kept once the unit is in the log.
    made: HashMap<SmolStr, SubjectKey>,
}

/// The keys of these persons. A stream that begins now has none to look up; if it has one after all, the append says so.
async fn keys_for(
    reading: &Reading,
    streams: &[Expected],
    persons: Vec<StreamId>,
) -> Result<MadeKeys, StoreError> {
    let begins = |stream: &StreamId| {
        streams
            .iter()
            .any(|e| e.sequence == 0 && e.written && e.stream == *stream)
    };
    let mut wanted: HashMap<SmolStr, bool> = HashMap::new();
    for stream in persons {
        let subject = subject(&stream);
        let is_new = begins(&stream) && reading.vault().cached(&subject).is_none();
        wanted.insert(subject, is_new);
    }
    if wanted.is_empty() {
        return Ok(MadeKeys::default());
    }
    let known = wanted
        .iter()
        .filter(|(_, is_new)| !**is_new)
        .map(|(subject, _)| subject.clone());
    let mut keys = reading.keys(known.collect::<Vec<_>>()).await?;
    let mut new_keys = Vec::new();
    let mut made = HashMap::new();
    for subject in wanted
        .into_keys()
        .filter(|subject| !keys.contains_key(subject))
        .collect::<Vec<_>>()
    {
        let NewKey { key, wrapped } = reading.vault().new_key(&subject);
        new_keys.push((subject.clone(), wrapped));
        made.insert(subject.clone(), key.clone());
        keys.insert(subject, key);
    }
    Ok(MadeKeys { keys, new_keys, made })
}

fn draft(decided: Decided, streams: &[Expected], keys: &Keys) -> Result<Draft, serde_json::Error> {
    let Decided {
        stream,
        sequence,
        mut event,
    } = decided;
    let payload = if event.personal().is_empty() {
        serde_json::to_string(&event)?
    } else {
        let mut sealed = event.clone();
        if let Some(expected) = streams.get(stream)
            && let Some(key) = keys.get(&subject(&person(&event, &expected.stream)))
        {
            let place = place(&expected.stream, sequence);
            for value in sealed.personal() {
                if let Some(plain) = value.plaintext() {
                    value.seal(key.seal(&plain, &place));
                }
            }
        }
        // A value left plain for want of a key refuses to be written.
        serde_json::to_string(&sealed)?
    };
    Ok(Draft {
        stream,
        sequence,
        name: SmolStr::new_static(event.name()),
        version: SmolStr::new_static(aggregates::event::VERSION),
        payload,
        event,
    })
}
