//! One read model against the fold of the log: rows and former states, tuple by tuple (invariant I4); never loads them all.

use std::{collections::HashMap, time::Duration};

use futures_util::{Stream, StreamExt as _};
use projections::{
    Put, ReadModel,
    folding::{Batch, Folding},
    tuples::{HEADER_LENGTH, Tuples},
};
use sqlx::{Executor as _, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::mpsc, time::Instant};

use super::{Chunk, ModelReport, VerifyError, Violation};
use crate::store::tables::{self, Checkpoint, Schema};

/// How long a model that is behind may take to get on.
const MOVES_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// What ends a binary copy.
const END: &[u8] = &[0xff, 0xff];

/// A model's tables as one moment shows them, with the checkpoint of that moment.
pub(super) struct Snapshot {
    db: PgConnection,
    checkpoint: Checkpoint,
    parked: HashMap<String, i64>,
}

impl Snapshot {
    pub async fn take<M: ReadModel>(database: &PgConnectOptions) -> sqlx::Result<Self> {
        let mut db = tables::session(database, Schema::Live).await?;
        // The log is long: reading it may take longer than a session that writes may be idle.
        tables::take_time(&mut db).await?;
        // Sorting is what these queries do.
        db.execute("set enable_seqscan = on").await?;
        db.execute("set work_mem = '64MB'").await?;
        db.execute("begin isolation level repeatable read read only")
            .await?;
        // All of the model's tables at once and first, as a rebuild that swaps them does: neither waits inside the other.
        let tables = tables::names::<M>().join(", ");
        db.execute(&*format!("lock table {tables} in access share mode"))
            .await?;
        let checkpoint = tables::checkpoint(&mut db, M::NAME).await?;
        let never = Checkpoint {
            version: M::VERSION,
            builds: 0,
            position: 0,
        };
        let parked = tables::parked(&mut db, M::NAME).await?;
        Ok(Self {
            checkpoint: checkpoint.unwrap_or(never),
            parked,
            db,
        })
    }
}

/// The last position of the log: the end of a commit.
pub(super) async fn end_of_log(database: &PgConnectOptions) -> sqlx::Result<i64> {
    let mut db = tables::session(database, Schema::Live).await?;
    projections::moments::head(&mut db).await
}

/// The first model that does not show the log and never will by itself: rows of it are parked, or it stands still though
/// servers run. Where none runs it only waits for the next one.
pub(super) async fn standing(
    database: &PgConnectOptions,
    models: &[ModelReport],
) -> sqlx::Result<Option<Violation>> {
    let violation = |model: &ModelReport, sentence: String| Violation {
        invariant: "I4",
        position: model.position,
        sentence,
    };
    if let Some(model) = models.iter().find(|model| model.parked > 0) {
        let (name, rows) = (model.model, model.parked);
        let sentence = format!("{name}: {rows} rows are parked and no longer show the log; see its warnings");
        return Ok(Some(violation(model, sentence)));
    }
    let mut db = tables::session(database, Schema::Live).await?;
    let end = Instant::now() + MOVES_WITHIN;
    for model in models.iter().filter(|model| model.behind > 0) {
        let stands = loop {
            let now = tables::checkpoint(&mut db, model.model).await?;
            if now.is_some_and(|now| now.position > model.position) {
                break false;
            }
            if Instant::now() > end {
                break true;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        if stands && tables::anybody_owns(&mut db).await? {
            let (name, behind) = (model.model, model.behind);
            let sentence = format!("{name} stands still, {behind} events behind the log");
            return Ok(Some(violation(model, sentence)));
        }
    }
    Ok(None)
}

pub(super) async fn compare<M: ReadModel>(
    snapshot: Snapshot,
    mut chunks: mpsc::Receiver<Chunk>,
) -> Result<Result<ModelReport, Violation>, VerifyError> {
    let Snapshot {
        mut db,
        checkpoint,
        parked,
    } = snapshot;
    if checkpoint.version != M::VERSION {
        let (name, stored, known) = (M::NAME, checkpoint.version, M::VERSION);
        let sentence = format!("{name} was folded by version {stored}, this program has {known}");
        return Ok(Err(otherwise(checkpoint.position, sentence)));
    }
    let mut report = ModelReport {
        model: M::NAME,
        position: checkpoint.position,
        rows: 0,
        former: 0,
        parked: parked.len(),
        behind: 0,
    };
    let mut folding = Folding::<M>::keeping_all();
    folding.park(parked);
    let mut past = Stored::begin(db.copy_out_raw(&past_of::<M>()).await?).await?;
    let mut batch = Batch::default();
    let mut expected = Tuples::new();
    let mut read = 0;
    while let Some(chunk) = chunks.recv().await {
        for recorded in chunk
            .iter()
            .take_while(|recorded| recorded.position <= checkpoint.position)
        {
            read = recorded.position;
            folding.absorb(recorded, &mut batch);
            for put in batch.put.drain(..) {
                M::tuple(&mut expected, &put);
                report.rows += 1;
            }
            for former in batch.former.drain(..) {
                M::former_tuple(&mut expected, &former);
                report.former += 1;
            }
            if !expected.is_empty() && !past.shows(expected.bytes()).await? {
                return Ok(Err(differs::<M>(recorded.position, "its past")));
            }
            expected.clear();
            if let Some(parked) = batch.parked.pop() {
                let sentence = format!("{} {} cannot be folded: {}", M::NAME, parked.key, parked.reason);
                return Ok(Err(otherwise(parked.position, sentence)));
            }
        }
    }
    if read < checkpoint.position {
        let name = M::NAME;
        let sentence = format!("{name} is said to be folded up to here, but the log ends at {read}");
        return Ok(Err(otherwise(checkpoint.position, sentence)));
    }
    if !past.ends().await? {
        return Ok(Err(differs::<M>(
            checkpoint.position,
            "its past, which has more rows than the log tells of,",
        )));
    }
    drop(past);
    if M::HISTORY.is_some() {
        compare_rows::<M>(&mut db, folding, &mut report).await
    } else {
        Ok(Ok(report))
    }
}

/// Compares the rows as they are now.
async fn compare_rows<M: ReadModel>(
    db: &mut PgConnection,
    folding: Folding<M>,
    report: &mut ModelReport,
) -> Result<Result<ModelReport, Violation>, VerifyError> {
    let mut rows: Vec<Put<M>> = folding.into_rows().collect();
    rows.sort_unstable_by_key(|put| put.from);
    let mut present = Stored::begin(db.copy_out_raw(&present_of::<M>()).await?).await?;
    let mut expected = Tuples::new();
    for put in rows {
        M::tuple(&mut expected, &put);
        if !present.shows(expected.bytes()).await? {
            return Ok(Err(differs::<M>(put.from, &format!("row {}", put.key))));
        }
        expected.clear();
        report.rows += 1;
    }
    if !present.ends().await? {
        return Ok(Err(differs::<M>(
            report.position,
            "it has more rows than the log tells of, and",
        )));
    }
    Ok(Ok(report.clone()))
}

fn differs<M: ReadModel>(position: i64, what: &str) -> Violation {
    otherwise(
        position,
        format!("{}: {what} differs from the fold of the log", M::NAME),
    )
}

/// The read model is not what the log makes of it.
fn otherwise(position: i64, sentence: String) -> Violation {
    Violation {
        invariant: "I4",
        position,
        sentence,
    }
}

/// The former states in the order in which they ended; of a model whose rows never change, the rows in theirs.
fn past_of<M: ReadModel>() -> String {
    let sql = match M::HISTORY {
        Some(columns) => format!(
            "select {columns} from {}_history order by until_position",
            M::NAME
        ),
        None => format!("select {} from {} order by position", M::COLUMNS, M::NAME),
    };
    format!("copy ({sql}) to stdout with (format binary)")
}

/// The rows as they are now, in the order in which they became so.
fn present_of<M: ReadModel>() -> String {
    let (columns, name) = (M::COLUMNS, M::NAME);
    format!("copy (select {columns} from {name} order by from_position) to stdout with (format binary)")
}

/// Rows as PostgreSQL sends them, read as far as they are compared.
struct Stored<S> {
    stream: S,
    bytes: Vec<u8>,
    at: usize,
}

impl<S, B> Stored<S>
where
    S: Stream<Item = sqlx::Result<B>> + Unpin,
    B: AsRef<[u8]>,
{
    async fn begin(stream: S) -> sqlx::Result<Self> {
        let mut stored = Self {
            stream,
            bytes: Vec::new(),
            at: 0,
        };
        stored.read(HEADER_LENGTH).await?;
        stored.at = HEADER_LENGTH;
        Ok(stored)
    }

    /// Whether the next bytes are these; if so, they are passed.
    async fn shows(&mut self, expected: &[u8]) -> sqlx::Result<bool> {
        self.read(expected.len()).await?;
        let same = self
            .bytes
            .get(self.at..)
            .is_some_and(|bytes| bytes.starts_with(expected));
        self.at += expected.len();
        Ok(same)
    }

    /// Whether there is nothing more.
    async fn ends(&mut self) -> sqlx::Result<bool> {
        Ok(self.shows(END).await? && self.stream.next().await.is_none())
    }

    /// Reads until so many bytes are here, or until the end.
    async fn read(&mut self, wanted: usize) -> sqlx::Result<()> {
        while self.bytes.len() < self.at + wanted {
            let Some(bytes) = self.stream.next().await else {
                return Ok(());
            };
            self.bytes.drain(..self.at.min(self.bytes.len()));
            self.at = 0;
            self.bytes.extend_from_slice(bytes?.as_ref());
        }
        Ok(())
    }
}
