//! The log as a repository of serialized events, as cqrs-es' own stores and replay tools want it. Values stay sealed
//! here. Never opens one.

use aggregates::{Event, Metadata, StreamId};
use cqrs_es::{
    Aggregate,
    persist::{
        PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent, SerializedSnapshot,
    },
};
use jiff::Timestamp;
use serde_json::Value;
use smol_str::SmolStr;
use uuid::Uuid;

use crate::store::{
    Store, StoreError,
    command::{Append, Draft, Expected, Row, Verdict},
};

/// Events on their way to a slow reader.
const STREAMED_MAX: usize = 200;
/// Events read at once.
const READ_MAX: usize = 1_000;

/// Our log as a repository of serialized events.
#[derive(Clone)]
pub struct LogRepository {
    store: Store,
}

impl LogRepository {
    /// The repository over this log.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn events(
        &self,
        kind: &str,
        id: &str,
        after: i64,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let rows = self
            .store
            .reading()
            .log()
            .stream(&StreamId::stored(kind, id))
            .await
            .map_err(failed)?;
        rows.iter()
            .filter(|row| row.sequence > after)
            .map(serialized)
            .collect()
    }

    /// Every event of `kind`, a part of the log at a time.
    async fn stream_kind(
        &self,
        kind: &str,
        push: &mut cqrs_es::persist::ReplayFeed,
    ) -> Result<(), PersistenceError> {
        let mut position = 0;
        loop {
            let rows = self
                .store
                .reading()
                .log()
                .after(position, READ_MAX)
                .await
                .map_err(failed)?;
            let Some(last) = rows.last() else { return Ok(()) };
            position = last.position;
            for row in rows.iter().filter(|row| row.stream.kind == kind) {
                push.push(serialized(row)).await?;
            }
        }
    }
}

impl PersistedEventRepository for LogRepository {
    async fn get_events<A: Aggregate>(&self, id: &str) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.events(A::TYPE, id, 0).await
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        id: &str,
        last_sequence: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        self.events(A::TYPE, id, i64::try_from(last_sequence).unwrap_or(i64::MAX))
            .await
    }

    /// There are none: cqrs-es 0.5 applies events twice where there are.
    async fn get_snapshot<A: Aggregate>(
        &self,
        _: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot_update: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        if snapshot_update.is_some() {
            return Err(PersistenceError::UnknownError(
                "this log keeps no snapshots".into(),
            ));
        }
        let Some(first) = events.first() else {
            return Ok(());
        };
        let append = append::<A>(&self.store, first, events).await?;
        match self.store.shared.writer.append(append).await.map_err(failed)? {
            Verdict::Appended { .. } => Ok(()),
            Verdict::Conflict(_)
            | Verdict::Duplicate { .. }
            | Verdict::KeyReused
            | Verdict::ClockAhead(_)
            | Verdict::SubjectTaken => Err(PersistenceError::OptimisticLockError),
        }
    }

    async fn stream_events<A: Aggregate>(&self, id: &str) -> Result<ReplayStream, PersistenceError> {
        let events = self.events(A::TYPE, id, 0).await?;
        let (mut feed, stream) = ReplayStream::new(STREAMED_MAX);
        tokio::spawn(async move {
            for event in events {
                if feed.push(Ok(event)).await.is_err() {
                    return;
                }
            }
        });
        Ok(stream)
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        let (mut feed, stream) = ReplayStream::new(STREAMED_MAX);
        let repository = self.clone();
        tokio::spawn(async move {
            if let Err(error) = repository.stream_kind(A::TYPE, &mut feed).await {
                // The reader has to learn that this is not the end of the log, unless it is the reader who left.
                let _gone = feed.push(Err(error)).await;
            }
        });
        Ok(stream)
    }
}

async fn append<A: Aggregate>(
    store: &Store,
    first: &SerializedEvent,
    events: &[SerializedEvent],
) -> Result<Append, PersistenceError> {
    if events
        .iter()
        .any(|event| event.aggregate_id != first.aggregate_id)
    {
        return Err(PersistenceError::UnknownError(
            "the events are of several streams".into(),
        ));
    }
    let stream = StreamId::stored(A::TYPE, &first.aggregate_id);
    let row = |event: &SerializedEvent| Row {
        position: 0,
        recorded_at: Timestamp::UNIX_EPOCH,
        stream: stream.clone(),
        sequence: i64::try_from(event.sequence).unwrap_or(i64::MAX),
        name: SmolStr::new(&event.event_type),
        version: SmolStr::new(&event.event_version),
        payload: event.payload.to_string(),
        metadata: event.metadata.to_string().into(),
    };
    let rows: Vec<Row> = events.iter().map(row).collect();
    // As the feed will show them; what this program cannot read is not its own to judge.
    let plain = store
        .reading()
        .recorded(&rows, |_, _| Ok(Event::Foreign))
        .await
        .map_err(failed)?;
    let metadata = plain
        .first()
        .map_or_else(|| Metadata::new().into(), |recorded| recorded.metadata.clone());
    let metadata_json = first.metadata.to_string();
    let draft = |(row, plain): (Row, aggregates::Recorded)| Draft {
        stream: 0,
        sequence: row.sequence,
        name: row.name,
        version: row.version,
        payload: row.payload,
        event: plain.event,
    };
    let sequence = rows.first().map_or(0, |row| row.sequence - 1);
    let request_id = metadata
        .get("request_id")
        .and_then(|id| id.parse().ok())
        .unwrap_or_else(Uuid::now_v7);
    Ok(Append {
        now: store.now(),
        request_id,
        key: None,
        streams: vec![Expected {
            stream,
            sequence,
            written: true,
        }],
        events: rows.into_iter().zip(plain).map(draft).collect(),
        metadata_json,
        metadata,
        new_keys: Vec::new(),
    })
}

fn serialized(row: &Row) -> Result<SerializedEvent, PersistenceError> {
    Ok(SerializedEvent::new(
        row.stream.id.to_string(),
        usize::try_from(row.sequence).unwrap_or(usize::MAX),
        row.stream.kind.to_string(),
        row.name.to_string(),
        row.version.to_string(),
        serde_json::from_str(&row.payload)?,
        serde_json::from_str(&row.metadata)?,
    ))
}

fn failed(error: StoreError) -> PersistenceError {
    match error {
        StoreError::TooContended => PersistenceError::OptimisticLockError,
        StoreError::Unavailable(_) => PersistenceError::ConnectionError(error.into()),
        StoreError::Corrupt(_) => PersistenceError::DeserializationError(error.into()),
        StoreError::KeyReused | StoreError::OtherSecret => PersistenceError::UnknownError(error.into()),
    }
}
