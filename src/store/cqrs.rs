//! The log behind the interfaces of cqrs-es, for its framework and its tools: one aggregate per command, no key, no retry.
//! Never reports success after a failure, and never keeps snapshots.

mod repository;

use std::collections::HashMap;

use aggregates::{Decider, Metadata, StreamId};
use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use smol_str::SmolStr;
use uuid::Uuid;

use super::{
    Store, StoreError,
    command::{Expected, Row, Verdict},
    sealing,
    unit::Decided,
};

pub use repository::LogRepository;

/// Our log as an event store of cqrs-es.
#[derive(Clone)]
pub struct LogEventStore {
    store: Store,
}

impl LogEventStore {
    /// The event store over this log.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

/// An aggregate that was loaded, and where its stream stood.
pub struct Loaded<A> {
    id: String,
    aggregate: A,
    sequence: i64,
}

impl<A: Decider> AggregateContext<A> for Loaded<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.aggregate
    }
}

impl<A: Decider> EventStore<A> for LogEventStore {
    type AC = Loaded<A>;

    async fn load_events(&self, id: &str) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let recorded = self
            .store
            .events_of(&StreamId::stored(A::TYPE, id))
            .await
            .map_err(failed)?;
        let envelope = |recorded: &aggregates::Recorded| {
            Some(EventEnvelope {
                aggregate_id: id.to_owned(),
                sequence: usize::try_from(recorded.sequence).ok()?,
                payload: A::unwrap(&recorded.event)?.clone(),
                metadata: recorded
                    .metadata
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
            })
        };
        Ok(recorded.iter().filter_map(envelope).collect())
    }

    async fn load_aggregate(&self, id: &str) -> Result<Loaded<A>, AggregateError<A::Error>> {
        let stream = StreamId::stored(A::TYPE, id);
        let rows: Vec<Row> = self.store.reading().log().stream(&stream).await.map_err(failed)?;
        let folded = self.store.reading().fold::<A>(&rows).await.map_err(failed)?;
        Ok(Loaded {
            id: id.to_owned(),
            aggregate: folded.state,
            sequence: folded.sequence,
        })
    }

    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: Loaded<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let request_id = Uuid::now_v7();
        let mut stored: Metadata = metadata
            .iter()
            .map(|(name, value)| (SmolStr::new(name), SmolStr::new(value)))
            .collect();
        stored
            .entry(SmolStr::new_static("request_id"))
            .or_insert_with(|| SmolStr::new(request_id.to_string()));
        let decided = events.iter().cloned().zip(context.sequence + 1..);
        let decided = decided
            .map(|(event, sequence)| Decided {
                stream: 0,
                sequence,
                event: A::wrap(event),
            })
            .collect();
        let stream = StreamId::stored(A::TYPE, &context.id);
        let streams = vec![Expected {
            stream: stream.clone(),
            sequence: context.sequence,
            written: true,
        }];
        let reading = self.store.reading();
        let sealed = sealing::seal_with(reading, stored, Vec::new(), &streams, decided)
            .await
            .map_err(failed)?;
        let (append, made) = sealed.into_append(self.store.now(), request_id, streams);
        match self.store.shared.writer.append(append).await.map_err(failed)? {
            Verdict::Appended { .. } => {
                for (subject, key) in made {
                    self.store.vault().remember(&subject, key);
                }
            }
            Verdict::ClockAhead(at) => {
                self.store.shared.clock.set_back(at);
                return Err(AggregateError::AggregateConflict);
            }
            Verdict::Conflict(_) | Verdict::Duplicate { .. } | Verdict::KeyReused | Verdict::SubjectTaken => {
                return Err(AggregateError::AggregateConflict);
            }
        }
        let envelope = |(payload, sequence)| EventEnvelope {
            aggregate_id: context.id.clone(),
            sequence,
            payload,
            metadata: metadata.clone(),
        };
        let first = usize::try_from(context.sequence).unwrap_or(0) + 1;
        Ok(events.into_iter().zip(first..).map(envelope).collect())
    }
}

fn failed<T: std::error::Error>(error: StoreError) -> AggregateError<T> {
    match error {
        StoreError::TooContended => AggregateError::AggregateConflict,
        StoreError::Unavailable(_) => AggregateError::DatabaseConnectionError(error.into()),
        StoreError::Corrupt(_) => AggregateError::DeserializationError(error.into()),
        StoreError::KeyReused | StoreError::OtherSecret => AggregateError::UnexpectedError(error.into()),
    }
}
