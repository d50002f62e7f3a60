//! What every read model is: a key, a fold and a table; never how or when it is run.

use std::{
    fmt::{Debug, Display},
    hash::Hash,
};

use aggregates::{Recorded, ids::BranchId};
use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};
use uuid::Uuid;

use crate::tuples::Tuples;

/// A table folded from the log.
///
/// `key` and `fold` are pure and total: whatever stands in the log, they answer, so that nothing stops a projection.
/// A row's versions begin at the positions of the events that changed it; an event changes at most one row.
pub trait ReadModel: Sized + Send + Sync + 'static {
    /// The table, the checkpoint and the module are called so; the former states are in `{NAME}_history`.
    const NAME: &'static str;
    /// Counted up whenever `key` or `fold` or the columns change: the model is then built anew.
    const VERSION: i32;
    /// The table's columns, in the order of [`ReadModel::tuple`].
    const COLUMNS: &'static str;
    /// The history's columns, in the order of [`ReadModel::former_tuple`]; none if rows never change once written.
    const HISTORY: Option<&'static str>;

    /// Whether an event that cannot be read is folded like any other; else it parks its row.
    const READS_ANY: bool = false;

    /// What names a row.
    type Key: Clone + Eq + Hash + Debug + Display + Send + Sync;
    /// A row without its key and position.
    type Row: Clone + PartialEq + Debug + Send + Sync;

    /// Which row an event concerns; none if the model ignores it. Of an event that cannot be read, only its stream is
    /// known: the answer must then be the row that its stream belongs to.
    fn key(recorded: &Recorded) -> Option<Self::Key>;

    /// The row after an event; none if there is no row any more.
    fn fold(row: Option<Self::Row>, recorded: &Recorded) -> Option<Self::Row>;

    /// Whether the event is the first of its row, so that nothing need be read before it is folded.
    #[must_use]
    fn begins(recorded: &Recorded) -> bool {
        recorded.sequence == 1
    }

    /// Reads the rows with these keys, in one query.
    fn load(
        db: &mut PgConnection,
        keys: &[Self::Key],
    ) -> impl Future<Output = sqlx::Result<Loaded<Self>>> + Send;

    /// Changes rows that are in the table, in one statement; new ones are copied in.
    fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Removes rows, in one statement; only for a model whose fold does so.
    #[must_use]
    fn remove(_: &mut PgConnection, _: &[Self::Key]) -> impl Future<Output = sqlx::Result<()>> + Send {
        async {
            Err(sqlx::Error::Protocol(format!(
                "the fold of {} removes no rows",
                Self::NAME
            )))
        }
    }

    /// One row as PostgreSQL copies it.
    fn tuple(out: &mut Tuples, put: &Put<Self>);

    /// One former state as PostgreSQL copies it; only called if there is a history.
    fn former_tuple(out: &mut Tuples, former: &Former<Self>);
}

/// A row and the position it has looked like this since.
#[derive(Debug, Clone, PartialEq)]
pub struct Version<R> {
    /// How it looks.
    pub row: R,
    /// The position of the event that made it so.
    pub from: i64,
}

/// Rows as they were read, with their keys.
pub type Loaded<M> = Vec<(<M as ReadModel>::Key, Version<<M as ReadModel>::Row>)>;

/// A row to write.
pub struct Put<M: ReadModel> {
    /// Which row.
    pub key: M::Key,
    /// How it looks.
    pub row: M::Row,
    /// Since which position.
    pub from: i64,
    /// Whether the table does not have it yet.
    pub new: bool,
}

/// A state a row once had, true for the positions from `from` up to, but without, `until`.
pub struct Former<M: ReadModel> {
    /// Which row.
    pub key: M::Key,
    /// How it looked.
    pub row: M::Row,
    /// Since which position.
    pub from: i64,
    /// The position of the event that ended it.
    pub until: i64,
}

/// One column of many rows, as an array for `unnest`.
pub(crate) fn column<'a, R, T>(rows: &'a [R], value: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// The ids of branches as a column, if a list is limited to them.
pub(crate) fn uuids(branches: Option<&[BranchId]>) -> Option<Vec<Uuid>> {
    branches.map(|branches| branches.iter().map(|branch| branch.uuid()).collect())
}

/// A text that stands for itself in a `like` pattern.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// A moment as a table can hold it: whole microseconds, and no year before the first.
pub(crate) fn moment(at: Timestamp) -> Timestamp {
    const FIRST_SECOND: i64 = -62_135_596_800;
    let micros = at
        .as_nanosecond()
        .div_euclid(1_000)
        .max(i128::from(FIRST_SECOND) * 1_000_000);
    i64::try_from(micros)
        .ok()
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .unwrap_or(at)
}

/// Begins a transaction whose queries are planned for the values at hand: for questions with many optional filters,
/// where the best index depends on what is asked for.
pub(crate) async fn planned_anew(db: &mut PgConnection) -> sqlx::Result<Transaction<'_, Postgres>> {
    let mut transaction = db.begin().await?;
    sqlx::query!("select set_config('plan_cache_mode', 'force_custom_plan', true)")
        .fetch_one(&mut *transaction)
        .await?;
    Ok(transaction)
}
