//! Who did what, where: an index into the log (DOMAIN A2); never a copy of it, never a sentence.

use std::fmt;

use aggregates::{Recorded, ids::BranchId};
use jiff::{Timestamp, ToSpan as _};
use jiff_sqlx::Timestamp as SqlxTimestamp;
use smol_str::SmolStr;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Former, Loaded, Put, ReadModel,
    model::{planned_anew, uuids},
    moments::position_at,
    tuples::Tuples,
};

/// The read model: one row per event, which never changes.
pub struct AuditTrail;

/// The position of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub i64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an event can be found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its stored name.
    pub event_type: &'static str,
    /// The kind of whoever did it.
    pub actor_kind: Option<SmolStr>,
    /// Who did it.
    pub actor_id: Option<SmolStr>,
    /// The branch it concerns.
    pub branch: Option<Uuid>,
}

impl ReadModel for AuditTrail {
    const NAME: &'static str = "audit_trail";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "position, event_type, actor_kind, actor_id, branch";
    const HISTORY: Option<&'static str> = None;
    const READS_ANY: bool = true;

    type Key = Position;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<Position> {
        Some(Position(recorded.position))
    }

    fn fold(_: Option<Row>, recorded: &Recorded) -> Option<Row> {
        let said = |key: &str| recorded.metadata.get(key).map(storable);
        Some(Row {
            event_type: recorded.event.name(),
            actor_kind: said("actor_kind"),
            actor_id: said("actor_id"),
            branch: recorded
                .metadata
                .get("branch")
                .and_then(|branch| Uuid::try_parse(branch).ok()),
        })
    }

    fn begins(_: &Recorded) -> bool {
        true
    }

    async fn load(_: &mut PgConnection, _: &[Position]) -> sqlx::Result<Loaded<Self>> {
        Ok(Vec::new())
    }

    async fn change(_: &mut PgConnection, _: &[&Put<Self>]) -> sqlx::Result<()> {
        Err(sqlx::Error::Protocol(
            "a row of the audit trail never changes".to_owned(),
        ))
    }

    fn tuple(out: &mut Tuples, Put { key, row, .. }: &Put<Self>) {
        out.row(&[
            &key.0,
            &row.event_type,
            &row.actor_kind.as_deref(),
            &row.actor_id.as_deref(),
            &row.branch,
        ]);
    }

    fn former_tuple(_: &mut Tuples, _: &Former<Self>) {}
}

/// Text as PostgreSQL can hold it: metadata of a foreign writer may contain an escaped NUL.
fn storable(text: &SmolStr) -> SmolStr {
    if text.contains('\0') {
        text.replace('\0', "").into()
    } else {
        text.clone()
    }
}

/// An event as it stands in the log, personal values still sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The stored type of its stream.
    pub kind: String,
    /// The id of its stream.
    pub id: String,
    /// Its place in its stream.
    pub sequence: i64,
    /// Its stored name.
    pub event_type: String,
    /// Its stored payload.
    pub payload: serde_json::Value,
    /// Who did it, by which command, why.
    pub metadata: serde_json::Value,
}

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of streams of this type.
    pub kind: Option<String>,
    /// Of the stream with this id; only together with its type.
    pub id: Option<String>,
    /// With this stored name.
    pub event_type: Option<String>,
    /// By this kind of actor.
    pub actor_kind: Option<String>,
    /// By this actor.
    pub actor_id: Option<String>,
    /// Concerning this branch.
    pub branch: Option<Uuid>,
    /// Concerning one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
    /// After this position: also the cursor.
    pub after: Option<i64>,
    /// Before this position: the cursor of a list that begins with the last event.
    pub before: Option<i64>,
    /// Recorded at this moment or later.
    pub recorded_from: Option<Timestamp>,
    /// Recorded before this moment.
    pub recorded_before: Option<Timestamp>,
}

/// The events that fit: in log order, or the newest first.
#[expect(clippy::too_many_lines, reason = "one query")]
pub async fn events(
    db: &mut PgConnection,
    filter: &Filter,
    newest_first: bool,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    // Moments become positions first: neither decreases without the other, so this is a search and no scan.
    let just_before = |moment: Timestamp| moment.saturating_sub(1.microsecond()).unwrap_or(moment);
    let mut after = filter.after.unwrap_or(0);
    if let Some(from) = filter.recorded_from {
        after = after.max(position_at(&mut *db, just_before(from)).await?);
    }
    let mut before = filter.before.unwrap_or(i64::MAX);
    if let Some(until) = filter.recorded_before {
        before = before.min(position_at(&mut *db, just_before(until)).await?.saturating_add(1));
    }
    let branches = uuids(filter.branches.as_deref());
    let mut transaction = planned_anew(db).await?;
    macro_rules! select {
        ($from:literal, $position:literal, $order:literal) => {
            sqlx::query_as!(
                Stored,
                r#"select e.position, e.recorded_at as "recorded_at: _", e.aggregate_type as kind, e.aggregate_id as id,
                          e.sequence, e.event_type, e.payload, e.metadata from "#
                    + $from
                    + r#" where ($1::text is null or e.aggregate_type = $1)
                      and ($2::text is null or e.aggregate_id = $2)
                      and ($3::text is null or a.event_type = $3)
                      and ($4::text is null or a.actor_kind = $4)
                      and ($5::text is null or a.actor_id = $5)
                      and ($6::uuid is null or a.branch = $6)
                      and ($10::uuid[] is null or a.branch = any ($10))
                      and "#
                    + $position
                    + " > $7 and "
                    + $position
                    + " < $8 order by "
                    + $order
                    + " limit $9",
                filter.kind,
                filter.id,
                filter.event_type,
                filter.actor_kind,
                filter.actor_id,
                filter.branch,
                after,
                before,
                limit,
                branches.as_deref(),
            )
            .fetch_all(&mut *transaction)
            .await?
        };
    }
    let rows = match (filter.kind.is_some() && filter.id.is_some(), newest_first) {
        // One stream: the log's primary key.
        (true, false) => {
            select!(
                "events e join audit_trail a on a.position = e.position",
                "e.position",
                "e.sequence"
            )
        }
        (true, true) => {
            select!(
                "events e join audit_trail a on a.position = e.position",
                "e.position",
                "e.sequence desc"
            )
        }
        (false, false) => {
            select!(
                "audit_trail a join events e on e.position = a.position",
                "a.position",
                "a.position"
            )
        }
        (false, true) => {
            select!(
                "audit_trail a join events e on e.position = a.position",
                "a.position",
                "a.position desc"
            )
        }
    };
    transaction.commit().await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// An event as it is read.
struct Stored {
    position: i64,
    recorded_at: SqlxTimestamp,
    kind: String,
    id: String,
    sequence: i64,
    event_type: String,
    payload: serde_json::Value,
    metadata: serde_json::Value,
}

impl From<Stored> for Entry {
    fn from(row: Stored) -> Self {
        Self {
            position: row.position,
            recorded_at: row.recorded_at.to_jiff(),
            kind: row.kind,
            id: row.id,
            sequence: row.sequence,
            event_type: row.event_type,
            payload: row.payload,
            metadata: row.metadata,
        }
    }
}
