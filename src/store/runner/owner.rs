//! One model's task: stands by, takes over, folds batch after batch; never writes what it does not own.

use std::{convert::Infallible, sync::Arc, time::Duration};

use aggregates::Recorded;
use jiff::Timestamp;
use projections::{ReadModel, folding::Folding};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::time::Instant;

use super::Reach;
use crate::store::{
    Store,
    rebuild::{self, RebuildError},
    tables::{self, Checkpoint, Schema},
};

/// Events folded in one transaction.
const BATCH_MAX: usize = 8_192;
/// Rows kept in memory; twice as many at most.
const ROWS_MAX: usize = 3_000;
/// While events keep coming, a batch with fewer than [`LINGER_BELOW`] waits this long from the last commit.
const LINGER: Duration = Duration::from_millis(100);
/// The same while somebody waits for the model here.
const LINGER_AWAITED: Duration = Duration::from_millis(30);
/// See [`LINGER`]: a single command after a pause is never delayed.
const LINGER_BELOW: usize = 4_096;
/// How often a process that stands by looks whether the owner is gone.
const STAND_BY: Duration = Duration::from_millis(500);
/// The same while somebody waits for the model here.
const STAND_BY_AWAITED: Duration = Duration::from_millis(10);
/// A model this far behind the log, which never began, is built in bulk.
const BULK_FROM: i64 = 50_000;

/// Why a model stands still for a moment.
#[derive(Debug, thiserror::Error)]
pub(super) enum Halt {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
}

/// Follows the log until an error.
pub(super) async fn follow<M: ReadModel>(
    store: &Store,
    database: &PgConnectOptions,
    reach: &Reach,
) -> Result<Infallible, Halt> {
    let mut db = tables::session(database, Schema::Live).await?;
    let checkpoint = take_over::<M>(store, database, &mut db, reach).await?;
    super::parking::replay::<M>(store, &mut db, checkpoint).await?;
    let mut owner = Owner::<M> {
        reach,
        checkpoint,
        folding: Folding::keeping(ROWS_MAX),
        committed: Instant::now(),
    };
    owner.folding.park(tables::parked(&mut db, M::NAME).await?);
    reach.is_at(owner.checkpoint.position);
    loop {
        match owner.next(store).await {
            Some(events) => owner.fold_all(&mut db, &events).await?,
            None => tables::ping(&mut db).await?,
        }
    }
}

/// Waits until no other process owns the model, and makes sure that its rows are of this program's version.
async fn take_over<M: ReadModel>(
    store: &Store,
    database: &PgConnectOptions,
    db: &mut PgConnection,
    reach: &Reach,
) -> Result<Checkpoint, Halt> {
    loop {
        let known = tables::checkpoint(db, M::NAME).await?;
        if let Some(known) = known {
            reach.is_at(known.position);
        }
        // A newer program's rows are left to it: this one's queries may not fit them, but they must not be undone.
        let newer = known.is_some_and(|known| known.version > M::VERSION);
        if newer || !tables::own(db, M::NAME).await? {
            reach.wait(STAND_BY, STAND_BY_AWAITED).await;
            continue;
        }
        tables::begin_checkpoint(db, M::NAME, M::VERSION).await?;
        let known = tables::checkpoint(db, M::NAME)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        let behind = known.position == 0 && store.feed().position() > BULK_FROM;
        if known.version == M::VERSION && !behind {
            return Ok(known);
        }
        tracing::info!(
            model = M::NAME,
            from = known.version,
            to = M::VERSION,
            "the read model is being rebuilt"
        );
        let built = rebuild::model::<M>(store, database);
        tokio::pin!(built);
        // The owner's session must not seem dead while it waits.
        loop {
            tokio::select! {
                result = &mut built => {
                    result?;
                    break;
                }
                () = tokio::time::sleep(tables::PING_EVERY) => tables::ping(db).await?,
            };
        }
    }
}

struct Owner<'a, M: ReadModel> {
    reach: &'a Reach,
    checkpoint: Checkpoint,
    folding: Folding<M>,
    committed: Instant,
}

impl<M: ReadModel> Owner<'_, M> {
    /// The next events; none if nothing happened for a while.
    async fn next(&self, store: &Store) -> Option<Vec<Arc<Recorded>>> {
        let feed = store.feed();
        let position = self.checkpoint.position;
        let events = tokio::time::timeout(tables::PING_EVERY, feed.after(position, BATCH_MAX))
            .await
            .ok()?;
        if events.len() >= LINGER_BELOW || self.committed + LINGER <= Instant::now() {
            return Some(events);
        }
        // Each transaction costs the same however small it is; a few milliseconds make few of them.
        self.reach
            .linger(self.committed + LINGER, self.committed + LINGER_AWAITED)
            .await;
        Some(feed.after(position, BATCH_MAX).await)
    }

    /// Folds events; where the database refuses their data, ever smaller parts of them, down to the one it refuses.
    async fn fold_all(&mut self, db: &mut PgConnection, events: &[Arc<Recorded>]) -> sqlx::Result<()> {
        let mut parts = vec![events];
        while let Some(part) = parts.pop() {
            match self.fold(db, part).await {
                Ok(true) => {}
                Ok(false) => return self.lost(db).await,
                Err(error) if tables::is_refused_data(&error) => {
                    self.folding.forget();
                    match part {
                        [] => {}
                        [one] => self.park(db, one, &error).await?,
                        several => {
                            let (first, second) = several.split_at(several.len() / 2);
                            parts.push(second);
                            parts.push(first);
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Folds events in one transaction; false if the checkpoint is not where it was left.
    async fn fold(&mut self, db: &mut PgConnection, events: &[Arc<Recorded>]) -> sqlx::Result<bool> {
        let Some(last) = events.last() else {
            return Ok(true);
        };
        let began = Instant::now();
        if !events.iter().any(|recorded| M::key(recorded).is_some()) {
            if !tables::move_checkpoint(db, M::NAME, self.checkpoint, last.position).await? {
                return Ok(false);
            }
            self.reached(events, began);
            return Ok(true);
        }
        let mut transaction = db.begin().await?;
        if !tables::move_checkpoint(&mut transaction, M::NAME, self.checkpoint, last.position).await? {
            transaction.rollback().await?;
            return Ok(false);
        }
        let missing = self.folding.missing(events);
        if !missing.is_empty() {
            self.folding.learn(M::load(&mut transaction, &missing).await?);
        }
        let batch = self.folding.fold(events);
        tables::write(&mut transaction, &batch).await?;
        transaction.commit().await?;
        self.reached(events, began);
        Ok(true)
    }

    fn reached(&mut self, events: &[Arc<Recorded>], began: Instant) {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return;
        };
        self.committed = Instant::now();
        self.checkpoint.position = last.position;
        self.reach.is_at(last.position);
        let folded = u64::try_from(events.len()).unwrap_or(u64::MAX);
        metrics::counter!("jari_projection_events_total", "model" => M::NAME).increment(folded);
        metrics::histogram!("jari_projection_batch_seconds", "model" => M::NAME)
            .record(began.elapsed().as_secs_f64());
        // Of the event that waited longest.
        let lag = Timestamp::now()
            .duration_since(first.recorded_at)
            .as_secs_f64()
            .max(0.0);
        metrics::histogram!("jari_projection_lag_seconds", "model" => M::NAME).record(lag);
    }

    /// Somebody else moved the checkpoint: a rebuild was swapped in, or another owner wrote. Nothing in memory holds.
    async fn lost(&mut self, db: &mut PgConnection) -> sqlx::Result<()> {
        self.folding.forget();
        self.folding.park(tables::parked(db, M::NAME).await?);
        let known = tables::checkpoint(db, M::NAME)
            .await?
            .ok_or(sqlx::Error::RowNotFound)?;
        if known.version != M::VERSION {
            return Err(sqlx::Error::Protocol(format!(
                "{} is another program's now",
                M::NAME
            )));
        }
        self.checkpoint = known;
        self.reach.is_at(known.position);
        Ok(())
    }

    /// Parks the row of an event that the database refused, and goes on behind it.
    async fn park(
        &mut self,
        db: &mut PgConnection,
        recorded: &Arc<Recorded>,
        error: &sqlx::Error,
    ) -> sqlx::Result<()> {
        let reason: String = error
            .to_string()
            .chars()
            .filter(|c| !c.is_control())
            .take(500)
            .collect();
        let mut transaction = db.begin().await?;
        if !tables::move_checkpoint(&mut transaction, M::NAME, self.checkpoint, recorded.position).await? {
            transaction.rollback().await?;
            return self.lost(db).await;
        }
        if let Some(key) = M::key(recorded) {
            tables::park(
                &mut transaction,
                M::NAME,
                &key.to_string(),
                recorded.position,
                &reason,
            )
            .await?;
        }
        transaction.commit().await?;
        self.folding.park(tables::parked(db, M::NAME).await?);
        self.reached(std::slice::from_ref(recorded), Instant::now());
        Ok(())
    }
}
