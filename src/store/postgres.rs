//! The log in PostgreSQL, read: single statements here, what many ask at once through the loader. Never writes events.

use std::{collections::HashMap, sync::Arc};

use aggregates::StreamId;
use jiff::Timestamp;
use smol_str::SmolStr;
use tokio_postgres::{Config, types::ToSql};

use super::{
    command::{Row, Standing},
    error::{Failure, StoreError},
    json::Json,
    loader::Loader,
    request::IdempotencyKey,
    session::Session,
};

const AFTER: &str =
    "select position, recorded_at, aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload, metadata from public.events where position > $1 order by position limit $2";
const STREAM: &str =
    "select position, recorded_at, aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload, metadata from public.events where aggregate_type = $1 and aggregate_id = $2 order by sequence";
const PREFIX: &str = "select position, recorded_at, aggregate_type, aggregate_id, sequence, event_type, event_version,
    payload, null::json from public.events where aggregate_type = $1 and aggregate_id >= $2 and aggregate_id < $3
    order by aggregate_id, sequence";
const HEAD: &str = "select coalesce(max(position), 0) from public.events";
const CLOCK: &str = "select clock_timestamp()";
const KEYS: &str = "select subject, wrapped from vault.subject_keys where subject = any($1)";
/// Every process hears of it, for each has opened values in memory.
const ERASE: &str = "select vault.erase($1)";
const FORGET: &str = "select public.forget_idempotency_keys($1)";
const SETTING: &str = "select value from vault.settings where name = $1";
const SET: &str =
    "insert into vault.settings (name, value) values ($1, $2) on conflict do nothing returning 1";

/// The log in PostgreSQL.
pub(crate) struct Postgres {
    session: Session,
    loader: Loader,
}

impl Postgres {
    pub fn new(config: &Config) -> Self {
        Self {
            session: Session::new(config, "jari reader"),
            loader: Loader::start(config),
        }
    }

    pub async fn load(&self, streams: Vec<StreamId>) -> Result<Vec<Arc<[Row]>>, StoreError> {
        self.loader.load(streams).await
    }

    pub async fn standing(
        &self,
        streams: Vec<StreamId>,
        key: Option<IdempotencyKey>,
    ) -> Result<Standing, StoreError> {
        self.loader.standing(streams, key).await
    }

    pub async fn load_prefix(&self, kind: &str, prefix: &str) -> Result<Vec<Row>, StoreError> {
        // Ids are ordered by bytes, and U+10FFFF comes after every character an id may hold.
        let end = format!("{prefix}\u{10FFFF}");
        self.rows(PREFIX, &[&kind, &prefix, &end]).await
    }

    pub async fn after(&self, position: i64, max: usize) -> Result<Vec<Row>, StoreError> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        self.rows(AFTER, &[&position, &max]).await
    }

    pub async fn stream(&self, stream: &StreamId) -> Result<Vec<Row>, StoreError> {
        self.rows(STREAM, &[&stream.kind.as_str(), &stream.id.as_str()])
            .await
    }

    /// The last position of the log.
    pub async fn head(&self) -> Result<i64, StoreError> {
        self.one(HEAD, &[]).await
    }

    pub async fn clock(&self) -> Result<Timestamp, StoreError> {
        self.one(CLOCK, &[]).await
    }

    pub async fn subject_keys(&self, subjects: &[SmolStr]) -> Result<HashMap<SmolStr, Vec<u8>>, StoreError> {
        let subjects: Vec<&str> = subjects.iter().map(SmolStr::as_str).collect();
        let rows = self.session.read(KEYS, &[&subjects]).await?;
        let pair = |row: &tokio_postgres::Row| {
            Ok((
                SmolStr::new(row.try_get::<_, &str>(0)?),
                row.try_get::<_, Vec<u8>>(1)?,
            ))
        };
        rows.iter()
            .map(pair)
            .collect::<Result<_, Failure>>()
            .map_err(StoreError::from)
    }

    pub async fn destroy_key(&self, subject: &str) -> Result<bool, StoreError> {
        self.one(ERASE, &[&subject]).await
    }

    /// Forgets idempotency keys recorded before a moment, some at a time; answers how many.
    pub async fn forget_keys(&self, before: Timestamp) -> Result<i64, StoreError> {
        self.one(FORGET, &[&before]).await
    }

    /// Reads a setting of the vault, or makes it `value` if there is none.
    pub async fn setting_or(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.session.read(SET, &[&name, &value]).await?;
        self.one(SETTING, &[&name]).await
    }

    async fn rows(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.session.read(sql, parameters).await?;
        let mut stored: Vec<Row> = Vec::with_capacity(rows.len());
        for row in &rows {
            let row = event(row, stored.last())?;
            stored.push(row);
        }
        Ok(stored)
    }

    async fn one<T>(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<T, StoreError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.session.read(sql, parameters).await?;
        let row = rows
            .first()
            .ok_or_else(|| StoreError::Corrupt("a statement had no answer".to_owned()))?;
        row.try_get(0).map_err(|error| Failure::from(error).into())
    }
}

/// An event, and the one before it: those of one command share their metadata.
fn event(row: &tokio_postgres::Row, before: Option<&Row>) -> Result<Row, Failure> {
    let metadata = row.try_get::<_, Option<Json<'_>>>(8)?.map_or("", |json| json.0);
    let known = before.map(|before| &before.metadata);
    let metadata = match known.filter(|known| ***known == *metadata) {
        Some(known) => Arc::clone(known),
        None => Arc::from(metadata),
    };
    Ok(Row {
        position: row.try_get(0)?,
        recorded_at: row.try_get(1)?,
        stream: StreamId::stored(row.try_get(2)?, row.try_get(3)?),
        sequence: row.try_get(4)?,
        name: SmolStr::new(row.try_get::<_, &str>(5)?),
        version: SmolStr::new(row.try_get::<_, &str>(6)?),
        payload: row.try_get::<_, Json<'_>>(7)?.0.to_owned(),
        metadata,
    })
}
