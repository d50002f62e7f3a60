//! One model built in the shadow: in bulk, then like a live one, then swapped in; never touches the live rows before.

use std::time::{Duration, Instant};

use projections::{
    ReadModel,
    folding::{Batch, Folding, Parked},
    tuples::Tuples,
};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::mpsc;

use super::{Chunk, ROWS_MAX, RebuildError, Rebuilt, shadow};
use crate::store::{
    Store,
    tables::{self, Into, Schema},
};

/// Bytes of rows that are copied in at once.
const COPY_MAX: usize = 4 << 20;
/// Events folded at once after the bulk.
const BATCH_MAX: usize = 8_192;
/// Rows kept in memory after the bulk.
const KEPT_MAX: usize = 16_384;
/// How often readers are asked to give way: for some ten minutes.
const SWAPS_MAX: u32 = 300;
/// How long they are left alone after the first time, and at most.
const SWAP_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

/// Where one model is built; nobody else builds it meanwhile.
pub(super) struct Site {
    db: PgConnection,
    began: Instant,
    /// How often the live model was built before: an erasure counts as one too.
    builds: i32,
}

impl Site {
    pub async fn own<M: ReadModel>(database: &PgConnectOptions) -> Result<Self, RebuildError> {
        let began = Instant::now();
        let mut db = tables::session(database, Schema::Shadow).await?;
        tables::take_time(&mut db).await?;
        if !tables::own_building(&mut db, M::NAME).await? {
            return Err(RebuildError::Busy(M::NAME));
        }
        let live = tables::checkpoint(&mut db, M::NAME).await?;
        let builds = live.map_or(0, |live| live.builds);
        Ok(Self { db, began, builds })
    }

    pub async fn build<M: ReadModel>(
        mut self,
        store: &Store,
        chunks: mpsc::Receiver<Chunk>,
    ) -> Result<Rebuilt, RebuildError> {
        let built = self.build_here::<M>(store, chunks).await;
        // The end of the session would do, but only some time after the next one asks.
        if let Err(error) = tables::disown_building(&mut self.db, M::NAME).await {
            tracing::debug!(%error, "the session of a rebuild is gone");
        }
        built
    }

    async fn build_here<M: ReadModel>(
        &mut self,
        store: &Store,
        chunks: mpsc::Receiver<Chunk>,
    ) -> Result<Rebuilt, RebuildError> {
        let Self { db, began, builds } = self;
        let mut transaction = db.begin().await?;
        shadow::prepare::<M>(&mut transaction).await?;
        let mut bulk = Bulk::<M> {
            folding: Folding::keeping_all(),
            rows: Tuples::new(),
            former: Tuples::new(),
            sent: Counts::default(),
            taken: Counts::default(),
            parked: Vec::new(),
            position: 0,
        };
        bulk.fold(&mut transaction, chunks).await?;
        let mut building = bulk.finish(&mut transaction, *builds).await?;
        shadow::index::<M>(&mut transaction).await?;
        transaction.commit().await?;
        building.catch_up(store, db).await?;
        for attempt in 1.. {
            match building.swap(store, db).await {
                Ok(()) => break,
                Err(RebuildError::Database(error)) if shadow::is_held_up(&error) => {
                    if attempt == SWAPS_MAX {
                        return Err(RebuildError::HeldUp(M::NAME));
                    }
                    tracing::debug!(model = M::NAME, attempt, "readers are in the way of the swap");
                    let [first, most] = SWAP_PAUSES;
                    tokio::time::sleep(most.min(first * attempt)).await;
                    building.catch_up(store, db).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Rebuilt {
            model: M::NAME,
            position: building.position,
            rows: building.counts.rows,
            former: building.counts.former,
            parked: building.parked.len(),
            took: began.elapsed(),
        })
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    rows: u64,
    former: u64,
}

/// The part that is folded in memory and copied into tables without indexes.
struct Bulk<M: ReadModel> {
    folding: Folding<M>,
    rows: Tuples,
    former: Tuples,
    sent: Counts,
    taken: Counts,
    parked: Vec<Parked>,
    position: i64,
}

impl<M: ReadModel> Bulk<M> {
    async fn fold(&mut self, db: &mut PgConnection, mut chunks: mpsc::Receiver<Chunk>) -> sqlx::Result<()> {
        let mut batch = Batch::default();
        while let Some(chunk) = chunks.recv().await {
            for recorded in chunk.iter() {
                self.folding.absorb(recorded, &mut batch);
            }
            self.position = chunk.last().map_or(self.position, |last| last.position);
            batch.put.drain(..).for_each(|put| M::tuple(&mut self.rows, &put));
            batch
                .former
                .drain(..)
                .for_each(|former| M::former_tuple(&mut self.former, &former));
            self.parked.append(&mut batch.parked);
            self.copy(db, COPY_MAX).await?;
            if self.folding.len() > ROWS_MAX {
                break;
            }
        }
        Ok(())
    }

    /// Copies in what is at least so many bytes.
    async fn copy(&mut self, db: &mut PgConnection, at_least: usize) -> sqlx::Result<()> {
        if self.rows.len() >= at_least {
            self.sent.rows += u64::try_from(self.rows.rows()).unwrap_or_default();
            self.taken.rows += tables::copy_rows::<M>(db, &mut self.rows, Into::Fresh).await?;
        }
        if self.former.len() >= at_least {
            self.sent.former += u64::try_from(self.former.rows()).unwrap_or_default();
            self.taken.former += tables::copy_former::<M>(db, &mut self.former, Into::Fresh).await?;
        }
        Ok(())
    }

    /// Copies in the rows as they are now.
    async fn finish(mut self, db: &mut PgConnection, builds: i32) -> Result<Building<M>, RebuildError> {
        let folding = std::mem::replace(&mut self.folding, Folding::keeping_all());
        for put in folding.into_rows() {
            M::tuple(&mut self.rows, &put);
            self.copy(db, COPY_MAX).await?;
        }
        self.copy(db, 0).await?;
        if self.sent != self.taken {
            let sum = |counts: Counts| counts.rows + counts.former;
            return Err(RebuildError::Miscounted {
                model: M::NAME,
                sent: sum(self.sent),
                taken: sum(self.taken),
            });
        }
        let Self {
            parked,
            position,
            taken,
            ..
        } = self;
        let mut folding = Folding::keeping(KEPT_MAX);
        folding.park(
            parked
                .iter()
                .map(|parked| (parked.key.clone(), parked.position))
                .collect(),
        );
        Ok(Building {
            folding,
            parked,
            position,
            counts: taken,
            builds,
        })
    }
}

/// The part that is folded like a live model.
struct Building<M: ReadModel> {
    folding: Folding<M>,
    parked: Vec<Parked>,
    position: i64,
    counts: Counts,
    /// See [`Site`].
    builds: i32,
}

impl<M: ReadModel> Building<M> {
    /// Folds what was written meanwhile, until little is left.
    async fn catch_up(&mut self, store: &Store, db: &mut PgConnection) -> Result<(), RebuildError> {
        loop {
            let left = store.feed().position() - self.position;
            if left <= 0 {
                return Ok(());
            }
            let events = store.events(self.position, BATCH_MAX).await?;
            let mut transaction = db.begin().await?;
            self.fold(&mut transaction, &events).await?;
            transaction.commit().await?;
            if events.len() < BATCH_MAX {
                return Ok(());
            }
        }
    }

    async fn fold(
        &mut self,
        db: &mut PgConnection,
        events: &[std::sync::Arc<aggregates::Recorded>],
    ) -> sqlx::Result<()> {
        let missing = self.folding.missing(events);
        if !missing.is_empty() {
            self.folding.learn(M::load(db, &missing).await?);
        }
        let mut batch = self.folding.fold(events);
        // They are recorded with the swap: until then the live rows are not concerned.
        self.parked.append(&mut batch.parked);
        tables::write(db, &batch).await?;
        self.counts.rows += batch.put.iter().map(|put| u64::from(put.new)).sum::<u64>();
        self.counts.rows -= u64::try_from(batch.gone.len()).unwrap_or_default();
        self.counts.former += u64::try_from(batch.former.len()).unwrap_or_default();
        self.position = events.last().map_or(self.position, |last| last.position);
        Ok(())
    }

    /// One transaction: the live model stops, the last events are folded, the tables change places.
    async fn swap(&mut self, store: &Store, db: &mut PgConnection) -> Result<(), RebuildError> {
        let (position, counts, parked) = (self.position, self.counts, self.parked.len());
        let mut transaction = db.begin().await?;
        tables::hurry(&mut transaction).await?;
        let swapped = self.swap_in(store, &mut transaction).await;
        match swapped {
            Ok(()) => transaction.commit().await?,
            Err(error) => {
                transaction.rollback().await?;
                // What was folded in the transaction is undone, in memory too.
                (self.position, self.counts) = (position, counts);
                self.parked.truncate(parked);
                self.folding.forget();
                return Err(error);
            }
        }
        Ok(())
    }

    async fn swap_in(&mut self, store: &Store, db: &mut PgConnection) -> Result<(), RebuildError> {
        let live = tables::lock_checkpoint(db, M::NAME, M::VERSION).await?;
        if live.version > M::VERSION {
            return Err(RebuildError::Newer(M::NAME));
        }
        if live.builds != self.builds {
            return Err(RebuildError::Erased(M::NAME));
        }
        while self.position < live.position {
            let left = usize::try_from(live.position - self.position).unwrap_or(BATCH_MAX);
            let events = store.events(self.position, left.min(BATCH_MAX)).await?;
            self.fold(db, &events).await?;
        }
        shadow::swap::<M>(db).await?;
        tables::replace_checkpoint(db, M::NAME, M::VERSION, self.position).await?;
        tables::unpark_all(db, M::NAME).await?;
        for Parked {
            key,
            position,
            reason,
        } in &self.parked
        {
            tables::park(db, M::NAME, key, *position, reason).await?;
        }
        Ok(())
    }
}
