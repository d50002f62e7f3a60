//! Proof that the log obeys its invariants and that every read model is its fold, bit for bit; never repairs anything.
//!
//! The log is read once, in order, while the system runs. The rules of the log (DESIGN §6: I1, I2, I5, I8, I9, I10) are checked event
//! by event; each model is folded on a task of its own and compared, tuple by tuple, with its rows and former states as
//! one snapshot shows them beside its checkpoint (I4). Memory holds the present, not the past: one entry per seat,
//! reservation, coupon and row.

mod model;
mod money;
mod rights;
mod rules;
mod waits;

use std::{fmt, sync::Arc};

use futures_util::{StreamExt as _, stream};
use projections::{ReadModel, for_each_model};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

use crate::store::{Progress, Store, StoreError};

/// Events read and handed on at once.
const CHUNK: i64 = 10_000;
/// Chunks read at the same time.
const READERS: usize = 2;
/// Chunks a model may be behind the reader.
const QUEUED_MAX: usize = 2;

/// What was proved, and the first thing that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many events the log has.
    pub events: i64,
    /// What was compared.
    pub models: Vec<ModelReport>,
    /// The first violation; none: everything is as it must be.
    pub violation: Option<Violation>,
}

/// What was compared of one read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelReport {
    /// The model.
    pub model: &'static str,
    /// Up to which position it was folded.
    pub position: i64,
    /// Rows compared.
    pub rows: u64,
    /// Former states compared.
    pub former: u64,
    /// Rows that stand still because an event could not be folded.
    pub parked: usize,
    /// Events at the end of the log that it does not show yet.
    pub behind: i64,
}

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's number in the design, for example `I1`.
    pub invariant: &'static str,
    /// The position of the event at which it shows.
    pub position: i64,
    /// What is wrong, in one sentence.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at position {}: {}",
            self.invariant, self.position, self.sentence
        )
    }
}

/// Why nothing was proved.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A part of the work panicked.
    #[error(transparent)]
    Crashed(#[from] JoinError),
}

/// A chunk of the log, shared by all.
type Chunk = Arc<Vec<Arc<aggregates::Recorded>>>;

/// The first event of a log that must not be, by the rules that need no table: I1, I2, I5, I8, I9 and I10. The log may be the end
/// of a longer one, if it holds every stream it touches from the first event on.
#[must_use]
pub fn first_violation(log: &[Arc<aggregates::Recorded>]) -> Option<Violation> {
    let first = log.first().map_or(1, |first| first.position);
    let mut rules = rules::Rules::after(first - 1);
    rules
        .check_all(log)
        .or_else(|| rules.finish(log.last().map_or(0, |last| last.position)))
}

/// Reads the whole log and compares everything with it.
pub async fn verify(
    store: &Store,
    database: &PgConnectOptions,
    progress: impl Fn(Progress),
) -> Result<Report, VerifyError> {
    let mut comparing = Comparing(Vec::new());
    macro_rules! spawn {
        ($($model:ty),+ $(,)?) => {
            // First all snapshots, then the end of the log: so it reaches every checkpoint.
            $(comparing.0.push(Comparison::begin::<$model>(database).await?);)+
        };
    }
    for_each_model!(spawn);
    let end = model::end_of_log(database).await?;
    let mut rules = rules::Rules::default();
    let mut chunks = stream::iter((0..end).step_by(usize::try_from(CHUNK).unwrap_or(1)))
        .map(|after| {
            let store = store.clone();
            let size = usize::try_from(CHUNK.min(end - after)).unwrap_or_default();
            // On tasks of their own, so that they are decoded at the same time.
            tokio::spawn(async move { store.events(after, size).await })
        })
        .buffered(READERS);
    progress(Progress { read: 0, of: end });
    let mut read = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = Arc::new(chunk??);
        if let Some(violation) = rules.check_all(&chunk) {
            return Ok(Report {
                events: end,
                models: Vec::new(),
                violation: Some(violation),
            });
        }
        read = chunk.last().map_or(read, |last| last.position);
        for comparison in &comparing.0 {
            // One that found a difference listens no more, and says so in the end.
            let _ = comparison.chunks.send(Arc::clone(&chunk)).await;
        }
        progress(Progress { read, of: end });
    }
    let mut violation = rules.finish(end);
    let mut models = Vec::new();
    let (senders, tasks): (Vec<_>, Vec<_>) = std::mem::take(&mut comparing.0)
        .into_iter()
        .map(|Comparison { chunks, task }| (chunks, task))
        .unzip();
    drop(senders);
    for task in tasks {
        match task.await?? {
            Ok(model) => models.push(ModelReport {
                behind: end - model.position,
                ..model
            }),
            Err(found) => {
                violation = violation
                    .into_iter()
                    .chain([found])
                    .min_by_key(|violation| violation.position);
            }
        }
    }
    if violation.is_none() {
        violation = model::standing(database, &models).await?;
    }
    Ok(Report {
        events: end,
        models,
        violation,
    })
}

/// One model being compared.
struct Comparison {
    chunks: mpsc::Sender<Chunk>,
    task: JoinHandle<Result<Result<ModelReport, Violation>, VerifyError>>,
}

/// All of them; they end if the caller gives up.
struct Comparing(Vec<Comparison>);

impl Drop for Comparing {
    fn drop(&mut self) {
        self.0.iter().for_each(|comparison| comparison.task.abort());
    }
}

impl Comparison {
    async fn begin<M: ReadModel>(database: &PgConnectOptions) -> Result<Self, VerifyError> {
        let (chunks, incoming) = mpsc::channel(QUEUED_MAX);
        let snapshot = model::Snapshot::take::<M>(database).await?;
        let task = tokio::spawn(async move { model::compare::<M>(snapshot, incoming).await });
        Ok(Self { chunks, task })
    }
}
