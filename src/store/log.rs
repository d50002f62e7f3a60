//! What the store needs of a log, whichever keeps it: PostgreSQL, or memory for model tests. Never holds state itself.

use std::{collections::HashMap, sync::Arc};

use aggregates::StreamId;
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    command::{Append, Row, Standing, Verdict},
    committer::Committer,
    error::StoreError,
    memory::Memory,
    postgres::Postgres,
    request::IdempotencyKey,
};

/// Where a log is read.
pub(crate) enum Log {
    Postgres(Box<Postgres>),
    Memory(Arc<Memory>),
}

/// Where a log is written.
pub(crate) enum Writer {
    Postgres(Committer),
    Memory(Arc<Memory>),
}

impl Writer {
    /// Whether commands are still taken.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Postgres(committer) => committer.is_open(),
            Self::Memory(_) => true,
        }
    }

    /// Appends one command, whole or not at all.
    pub async fn append(&self, append: Append) -> Result<Verdict, StoreError> {
        match self {
            Self::Postgres(committer) => committer.append(append).await,
            Self::Memory(memory) => Ok(memory.append(append)),
        }
    }
}

impl Log {
    /// The events of each stream, in the order asked for and of their sequence, without metadata.
    pub async fn load(&self, streams: Vec<StreamId>) -> Result<Vec<Arc<[Row]>>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.load(streams).await,
            Self::Memory(memory) => Ok(memory.load(&streams)),
        }
    }

    /// The events of all streams of a kind whose id begins with `prefix`, stream by stream, without metadata.
    pub async fn load_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.load_prefix(kind, prefix).await,
            Self::Memory(memory) => Ok(memory.load_prefix(kind, prefix)),
        }
    }

    /// Where streams, key and log stand.
    pub async fn standing(
        &self,
        streams: Vec<StreamId>,
        key: Option<IdempotencyKey>,
    ) -> Result<Standing, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.standing(streams, key).await,
            Self::Memory(memory) => Ok(memory.standing(&streams, key.as_ref())),
        }
    }

    /// At most `max` events after a position, in order.
    pub async fn after(&self, position: i64, max: usize) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.after(position, max).await,
            Self::Memory(memory) => Ok(memory.after(position, max)),
        }
    }

    /// The events of one stream, with metadata.
    pub async fn stream(&self, stream: &StreamId) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.stream(stream).await,
            Self::Memory(memory) => Ok(memory.stream(stream)),
        }
    }

    /// The wrapped keys of those persons who have one.
    pub async fn subject_keys(&self, subjects: &[SmolStr]) -> Result<HashMap<SmolStr, Vec<u8>>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.subject_keys(subjects).await,
            Self::Memory(memory) => Ok(memory.subject_keys(subjects)),
        }
    }

    /// Destroys the key of a person; says whether there was one.
    pub async fn destroy_key(&self, subject: &str) -> Result<bool, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.destroy_key(subject).await,
            Self::Memory(memory) => Ok(memory.destroy_key(subject)),
        }
    }

    /// The moment the log's clock shows.
    pub async fn clock(&self) -> Result<Timestamp, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.clock().await,
            Self::Memory(_) => Ok(Timestamp::now()),
        }
    }
}
