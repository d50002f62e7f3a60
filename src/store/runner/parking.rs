//! Rows that stand still get another chance whenever a model is taken over: their events are replayed in order, all or
//! none. Never skips an event.

use std::{collections::HashMap, sync::Arc};

use aggregates::Recorded;
use projections::{ReadModel, folding::Folding};
use sqlx::{Connection as _, PgConnection};

use crate::store::{
    Store,
    tables::{self, Checkpoint},
};

/// Events read at once.
const READ_MAX: usize = 10_000;

/// Replays what was parked, up to the checkpoint; what still can't be folded stays parked.
pub(super) async fn replay<M: ReadModel>(
    store: &Store,
    db: &mut PgConnection,
    checkpoint: Checkpoint,
) -> sqlx::Result<()> {
    let parked = tables::parked(db, M::NAME).await?;
    if parked.is_empty() {
        return Ok(());
    }
    for (key, events) in missed::<M>(store, db, &parked, checkpoint.position).await? {
        match replay_one::<M>(db, checkpoint, &key, &events).await {
            Ok(true) => tracing::info!(
                model = M::NAME,
                key,
                "a parked row of a read model is up to date again"
            ),
            Ok(false) => tracing::error!(model = M::NAME, key, "a row of a read model is parked"),
            Err(error) if tables::is_refused_data(&error) => {
                tracing::error!(model = M::NAME, key, %error, "a row of a read model is parked");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

type Missed = HashMap<String, Vec<Arc<Recorded>>>;

/// The events that parked rows missed.
async fn missed<M: ReadModel>(
    store: &Store,
    db: &mut PgConnection,
    parked: &HashMap<String, i64>,
    until: i64,
) -> sqlx::Result<Missed> {
    let mut missed: Missed = parked.keys().map(|key| (key.clone(), Vec::new())).collect();
    let mut position = parked.values().min().map_or(until, |first| first - 1);
    while position < until {
        for recorded in store.feed().after(position, READ_MAX).await {
            position = recorded.position;
            let Some(key) = M::key(&recorded).map(|key| key.to_string()) else {
                continue;
            };
            let since = parked.get(&key).copied().unwrap_or(i64::MAX);
            if (since..=until).contains(&position)
                && let Some(events) = missed.get_mut(&key)
            {
                events.push(recorded);
            }
        }
        tables::ping(db).await?;
    }
    Ok(missed)
}

async fn replay_one<M: ReadModel>(
    db: &mut PgConnection,
    checkpoint: Checkpoint,
    key: &str,
    events: &[Arc<Recorded>],
) -> sqlx::Result<bool> {
    let mut transaction = db.begin().await?;
    // Moves nothing, and so locks the row and checks that it is still ours.
    if !tables::move_checkpoint(&mut transaction, M::NAME, checkpoint, checkpoint.position).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    let mut folding = Folding::<M>::keeping_all();
    let keys: Vec<M::Key> = events
        .first()
        .and_then(|first| M::key(first))
        .into_iter()
        .collect();
    folding.missing(events);
    folding.learn(M::load(&mut transaction, &keys).await?);
    let batch = folding.fold(events);
    if !batch.parked.is_empty() {
        transaction.rollback().await?;
        return Ok(false);
    }
    tables::write(&mut transaction, &batch).await?;
    tables::unpark(&mut transaction, M::NAME, key).await?;
    transaction.commit().await?;
    Ok(true)
}
