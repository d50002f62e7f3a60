//! From stored rows to events: old forms lifted, sealed values opened. Never writes, and never shows what has no key.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use aggregates::{Decider, Event, Metadata, Recorded, StoredEvent as _, StreamId, personal::Sealable};
use serde_json::Value;
use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

use super::{command::Row, error::StoreError, feed::Weighed, log::Log, sealing, upcast::Upcasters};
use crate::vault::{SubjectKey, Vault};

/// A log with what is needed to understand it.
pub(crate) struct Reading {
    log: Log,
    vault: Arc<Vault>,
    upcasters: Upcasters,
}

/// The keys of persons, as far as they exist.
pub(crate) type Keys = HashMap<SmolStr, SubjectKey>;

/// An aggregate as the log has it.
pub(crate) struct Folded<A> {
    pub state: A,
    pub sequence: i64,
    /// The position of the last of its events; 0 without any.
    pub position: i64,
    pub bytes: usize,
}

/// The name under which the key of a stream's person is kept.
pub(crate) fn subject(stream: &StreamId) -> SmolStr {
    format_smolstr!("{}:{}", stream.kind, stream.id)
}

impl Reading {
    pub fn new(log: Log, vault: Arc<Vault>, upcasters: Upcasters) -> Self {
        Self {
            log,
            vault,
            upcasters,
        }
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The keys of these persons, from memory or the vault; those without one are left out.
    pub async fn keys(&self, subjects: impl IntoIterator<Item = SmolStr>) -> Result<Keys, StoreError> {
        let mut keys = Keys::new();
        let mut unknown = Vec::new();
        for subject in subjects {
            match self.vault.cached(&subject) {
                Some(key) => {
                    keys.insert(subject, key);
                }
                None => unknown.push(subject),
            }
        }
        if !unknown.is_empty() {
            for (subject, wrapped) in self.log.subject_keys(&unknown).await? {
                let key = self.vault.unwrap_key(&subject, &wrapped).ok_or_else(|| {
                    StoreError::Corrupt(format!(
                        "the key of {subject} was not made under this master secret"
                    ))
                })?;
                self.vault.remember(&subject, key.clone());
                keys.insert(subject, key);
            }
        }
        Ok(keys)
    }

    /// The state of an aggregate from all its rows.
    pub async fn fold<A: Decider>(&self, rows: &[Row]) -> Result<Folded<A>, StoreError> {
        let mut events = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        let mut sealed = false;
        for (row, sequence) in rows.iter().zip(1..) {
            if row.sequence != sequence {
                return Err(StoreError::Corrupt(format!(
                    "{} has a gap before {}",
                    row.stream, row.sequence
                )));
            }
            let payload = self.upcasters.lift(row)?;
            let mut event: A::Event =
                serde_json::from_str(&payload).map_err(|error| unreadable(row, &error))?;
            sealed |= event.personal().iter().any(|value| value.ciphertext().is_some());
            bytes += row.payload.len();
            events.push(event);
        }
        if sealed {
            let whose = |event: &A::Event, row: &Row| event.person().unwrap_or_else(|| row.stream.clone());
            let mut persons: HashSet<SmolStr> = HashSet::new();
            for (row, event) in rows.iter().zip(&mut events) {
                if !event.personal().is_empty() {
                    persons.insert(subject(&whose(event, row)));
                }
            }
            let keys = self.keys(persons).await?;
            for (row, event) in rows.iter().zip(&mut events) {
                let key = keys.get(&subject(&whose(event, row)));
                open(event.personal(), key, row);
            }
        }
        let mut state = A::default();
        let (sequence, position) = rows.last().map_or((0, 0), |row| (row.sequence, row.position));
        for event in events {
            state.apply(event);
        }
        Ok(Folded {
            state,
            sequence,
            position,
            bytes,
        })
    }

    /// At most `max` events after a position. An event that cannot be read is reported and shown as foreign, so that
    /// whoever follows the log is not stopped by it.
    pub async fn after(&self, position: i64, max: usize) -> Result<Vec<Weighed>, StoreError> {
        let rows = self.log.after(position, max).await?;
        let events = self.recorded(&rows, |row, error| {
            tracing::error!(position = row.position, %error, "a stored event cannot be read");
            Ok(Event::Foreign)
        });
        let weights = rows.iter().map(Row::bytes);
        Ok(events.await?.into_iter().map(Arc::new).zip(weights).collect())
    }

    /// The events of one stream.
    pub async fn stream(&self, stream: &StreamId) -> Result<Vec<Recorded>, StoreError> {
        let rows = self.log.stream(stream).await?;
        self.recorded(&rows, |_, error| Err(error)).await
    }

    /// Rows as events, opened; `unreadable` says what becomes of one that cannot be read.
    pub async fn recorded(
        &self,
        rows: &[Row],
        unreadable: impl Fn(&Row, StoreError) -> Result<Event, StoreError>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut events: Vec<Recorded> = Vec::with_capacity(rows.len());
        let mut subjects: HashSet<SmolStr> = HashSet::new();
        let mut sealed = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            let mut event = self.event(row).or_else(|error| unreadable(row, error))?;
            if event.personal().iter().any(|value| value.ciphertext().is_some()) {
                subjects.insert(subject(&sealing::person(&event, &row.stream)));
                sealed.push(number);
            }
            // The events of one command have the same metadata, one after the other.
            let before = number.checked_sub(1).and_then(|before| rows.get(before));
            let same = before.is_some_and(|before| Arc::ptr_eq(&before.metadata, &row.metadata));
            let metadata = match events.last().filter(|_| same) {
                Some(last) => Arc::clone(&last.metadata),
                None => Arc::new(parsed(&row.metadata)),
            };
            events.push(Recorded {
                position: row.position,
                recorded_at: row.recorded_at,
                stream: row.stream.clone(),
                sequence: row.sequence,
                event,
                metadata,
            });
        }
        let commands = || events.chunk_by(|one, next| Arc::ptr_eq(&one.metadata, &next.metadata));
        subjects.extend(
            commands()
                .filter_map(<[Recorded]>::first)
                .flat_map(|event| sealing::subjects(&event.metadata)),
        );
        if subjects.is_empty() {
            return Ok(events);
        }
        let keys = self.keys(subjects).await?;
        for (number, row) in sealed
            .into_iter()
            .filter_map(|number| Some((number, rows.get(number)?)))
        {
            if let Some(recorded) = events.get_mut(number) {
                let key = keys.get(&subject(&sealing::person(&recorded.event, &row.stream)));
                open(recorded.event.personal(), key, row);
            }
        }
        for command in events.chunk_by_mut(|one, next| Arc::ptr_eq(&one.metadata, &next.metadata)) {
            let Some(first) = command.first() else { continue };
            if sealing::subjects(&first.metadata).next().is_some() {
                let plain = Arc::new(sealing::opened(&first.metadata, &keys));
                for event in command {
                    event.metadata = Arc::clone(&plain);
                }
            }
        }
        Ok(events)
    }

    fn event(&self, row: &Row) -> Result<Event, StoreError> {
        if !aggregates::event::KINDS.contains(&row.stream.kind.as_str()) {
            return Ok(Event::Foreign);
        }
        let payload = self.upcasters.lift(row)?;
        let event = Event::read(&row.stream.kind, &payload).map_err(|error| unreadable(row, &error))?;
        if row.version == aggregates::event::VERSION && row.name != event.name() {
            let (stored, said) = (&row.name, event.name());
            return Err(StoreError::Corrupt(format!(
                "event {} of {} is stored as {stored}, but says {said}",
                row.sequence, row.stream
            )));
        }
        Ok(event)
    }
}

fn unreadable(row: &Row, error: &dyn std::error::Error) -> StoreError {
    StoreError::Corrupt(format!("event {} of {}: {error}", row.sequence, row.stream))
}

/// Opens the sealed values of one event; without the key, or if they were tampered with, they are erased.
fn open(values: Vec<&mut dyn Sealable>, key: Option<&SubjectKey>, row: &Row) {
    for value in values {
        let Some(sealed) = value.ciphertext() else {
            continue;
        };
        let plain = key.and_then(
            |key| match key.open(sealed, &sealing::place(&row.stream, row.sequence)) {
                Ok(plain) => Some(plain),
                Err(error) => {
                    tracing::error!(stream = %row.stream, sequence = row.sequence, %error, "shown as erased");
                    None
                }
            },
        );
        value.open(plain.as_deref().map(String::as_str));
    }
}

/// Metadata as stored; what a foreign program put there besides strings is shown as its JSON.
fn parsed(json: &str) -> Metadata {
    serde_json::from_str::<Metadata>(json).unwrap_or_else(|_| {
        let map: serde_json::Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
        let text = |value: Value| match value {
            Value::String(text) => SmolStr::from(text),
            other
            @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_smolstr()
            }
        };
        map.into_iter()
            .map(|(name, value)| (SmolStr::from(name), text(value)))
            .collect()
    })
}
