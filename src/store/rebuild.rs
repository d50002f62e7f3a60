//! Builds read models anew from the log while the old ones serve, then swaps them in; never changes the log.
//!
//! The log is read once for all of them, in short transactions, and decoded by parts at the same time. Each model folds on a
//! task of its own, keeps its rows in memory and copies them into tables without indexes; then come the indexes, what
//! was written meanwhile, and one transaction that swaps. Above `ROWS_MAX` rows a model goes on like a live one does,
//! slower but in bounded memory.

mod build;
mod shadow;

use std::{sync::Arc, time::Duration};

use aggregates::Recorded;
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, try_join_all},
    stream,
};
use projections::{ReadModel, for_each_model};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle},
};

use super::{Store, StoreError};
use build::Site;

/// Events read and handed on at once.
const CHUNK: i64 = 2_000;
/// Chunks read at the same time.
const READERS: usize = 3;
/// Chunks a model may be behind the reader.
const QUEUED_MAX: usize = 8;
/// Rows of one model kept in memory.
const ROWS_MAX: usize = 4_000_000;

/// A chunk of the log, shared by all models.
type Chunk = Arc<Vec<Arc<Recorded>>>;

/// What was done for one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The model.
    pub model: &'static str,
    /// Up to which position it was folded when it was swapped in.
    pub position: i64,
    /// Rows.
    pub rows: u64,
    /// Former states.
    pub former: u64,
    /// Rows that stand still because an event could not be folded.
    pub parked: usize,
    /// How long it took.
    pub took: Duration,
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events read.
    pub read: i64,
    /// Events there were when it began.
    pub of: i64,
}

/// Why a model was not built; the old one still serves.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// No such model.
    #[error("there is no read model {0}; the read models are {known}", known = projections::NAMES.join(", "))]
    Unknown(String),
    /// Somebody builds it already.
    #[error("{0} is already being rebuilt")]
    Busy(&'static str),
    /// The server took another number of rows than it was sent.
    #[error("{model}: {sent} rows were sent, {taken} were taken")]
    Miscounted {
        /// The model.
        model: &'static str,
        /// How many were sent.
        sent: u64,
        /// How many arrived.
        taken: u64,
    },
    /// A newer program's version of the model is live.
    #[error("{0} was built by a newer version of this program")]
    Newer(&'static str),
    /// Somebody's personal values were destroyed while the model was built of them.
    #[error("a person was erased while {0} was being rebuilt, which changed nothing: run it again")]
    Erased(&'static str),
    /// Somebody reads the old rows without end.
    #[error(
        "a transaction that goes on and on reads {0}, so what was rebuilt could not take its place: end it and run this again"
    )]
    HeldUp(&'static str),
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

/// Builds models anew, all of them if none is named.
pub async fn rebuild(
    store: &Store,
    database: &PgConnectOptions,
    models: &[String],
    progress: impl Fn(Progress),
) -> Result<Vec<Rebuilt>, RebuildError> {
    if let Some(unknown) = models
        .iter()
        .find(|name| !projections::NAMES.contains(&name.as_str()))
    {
        return Err(RebuildError::Unknown(unknown.clone()));
    }
    let mut beginning: Vec<BoxFuture<'_, _>> = Vec::new();
    macro_rules! begin {
        ($($model:ty),+ $(,)?) => {
            $(if models.is_empty() || models.iter().any(|name| name == <$model>::NAME) {
                beginning.push(Builder::begin::<$model>(store, database).boxed());
            })+
        };
    }
    for_each_model!(begin);
    feed(store, try_join_all(beginning).await?, progress).await
}

/// Builds one model anew.
pub(crate) async fn model<M: ReadModel>(
    store: &Store,
    database: &PgConnectOptions,
) -> Result<Vec<Rebuilt>, RebuildError> {
    feed(store, vec![Builder::begin::<M>(store, database).await?], |_| ()).await
}

/// One model being built.
struct Builder {
    chunks: mpsc::Sender<Chunk>,
    task: AbortOnDrop,
}

impl Builder {
    /// To be awaited before the log is read: from then on no erasure goes unseen.
    async fn begin<M: ReadModel>(store: &Store, database: &PgConnectOptions) -> Result<Self, RebuildError> {
        let (chunks, incoming) = mpsc::channel(QUEUED_MAX);
        let (store, site) = (store.clone(), Site::own::<M>(database).await?);
        let task = tokio::spawn(async move { site.build::<M>(&store, incoming).await });
        Ok(Self {
            chunks,
            task: AbortOnDrop(task),
        })
    }
}

/// Ends the task if the caller gives up.
struct AbortOnDrop(JoinHandle<Result<Rebuilt, RebuildError>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn feed(
    store: &Store,
    builders: Vec<Builder>,
    progress: impl Fn(Progress),
) -> Result<Vec<Rebuilt>, RebuildError> {
    let (senders, tasks): (Vec<_>, Vec<_>) = builders
        .into_iter()
        .map(|Builder { chunks, task }| (chunks, task))
        .unzip();
    let of = store.feed().position();
    let starts = (0..of).step_by(usize::try_from(CHUNK).unwrap_or(1));
    let mut chunks = stream::iter(starts)
        .map(|after| {
            let store = store.clone();
            let size = usize::try_from(CHUNK.min(of - after)).unwrap_or_default();
            // On tasks of their own, so that they are decoded at the same time.
            tokio::spawn(async move { store.events(after, size).await })
        })
        .buffered(READERS);
    progress(Progress { read: 0, of });
    while let Some(chunk) = chunks.next().await {
        let chunk = Arc::new(chunk??);
        let read = chunk.last().map_or(of, |last| last.position);
        for sender in &senders {
            // One that is full reads on by itself, one that failed says so in the end.
            let _ = sender.send(Arc::clone(&chunk)).await;
        }
        progress(Progress { read, of });
    }
    drop(senders);
    let mut rebuilt = Vec::new();
    for mut task in tasks {
        rebuilt.push((&mut task.0).await??);
    }
    Ok(rebuilt)
}
