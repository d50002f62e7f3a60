//! Keeps the read models up to date: folds the log in batches, rows and checkpoint in one transaction; never decides.
//!
//! One task per model, with a connection of its own. Whoever holds a model's advisory lock folds it, the others stand by;
//! the checkpoint, moved first in each transaction, is the fence that no stale owner gets past. So every event is folded
//! exactly once, whatever dies when. A model whose fold has another version is built anew beside, then swapped.

mod owner;
mod parking;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use projections::{ReadModel, for_each_model};
use sqlx::postgres::PgConnectOptions;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

use super::Store;

/// How long a model pauses after an error.
const PAUSE: Duration = Duration::from_millis(500);

/// All read models of one process, kept up to date until dropped.
pub struct Projections {
    models: Vec<Arc<Reach>>,
    tasks: JoinSet<()>,
}

/// How far a model is known to be.
pub(crate) struct Reach {
    name: &'static str,
    position: watch::Sender<i64>,
    /// How many wait for it, and a call to look up how far it is.
    waiting: AtomicUsize,
    called: Notify,
}

impl Reach {
    fn of<M: ReadModel>() -> Arc<Self> {
        Arc::new(Self {
            name: M::NAME,
            position: watch::Sender::new(0),
            waiting: AtomicUsize::new(0),
            called: Notify::new(),
        })
    }

    fn is_at(&self, position: i64) {
        self.position
            .send_if_modified(|known| std::mem::replace(known, position) != position);
    }

    /// Waits for a while, or until somebody wants to know where the model is.
    async fn wait(&self, idle: Duration, awaited: Duration) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(awaited).await;
        } else {
            // Called or not: either way it is time to look.
            let _ = tokio::time::timeout(idle, self.called.notified()).await;
        }
    }

    /// Waits until `idle`; while somebody waits for the model, only until `awaited`.
    async fn linger(&self, idle: Instant, awaited: Instant) {
        tokio::time::sleep_until(awaited).await;
        if self.waiting.load(Ordering::Relaxed) == 0 {
            // Called or not: either way it is time to go on.
            let _ = tokio::time::timeout_at(idle, self.called.notified()).await;
        }
    }
}

impl Projections {
    /// Folds every read model from here on.
    #[must_use]
    pub fn start(store: &Store, database: &PgConnectOptions) -> Self {
        let mut projections = Self::none();
        macro_rules! run {
            ($($model:ty),+ $(,)?) => { $(projections.run::<$model>(store, database);)+ };
        }
        for_each_model!(run);
        projections
    }

    /// Nothing yet; see [`Projections::run`].
    #[must_use]
    pub fn none() -> Self {
        Self {
            models: Vec::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Folds one more read model from here on.
    pub fn run<M: ReadModel>(&mut self, store: &Store, database: &PgConnectOptions) {
        let reach = Reach::of::<M>();
        self.models.push(Arc::clone(&reach));
        let (store, database) = (store.clone(), database.clone());
        self.tasks.spawn(async move {
            loop {
                let Err(error) = owner::follow::<M>(&store, &database, &reach).await;
                tracing::warn!(model = M::NAME, %error, "a read model has stopped; retrying");
                tokio::time::sleep(PAUSE).await;
            }
        });
    }

    /// How far a model is known to be here; none if there is no such model.
    #[must_use]
    pub fn position(&self, model: &str) -> Option<i64> {
        self.reach(model).map(|reach| *reach.position.borrow())
    }

    /// Waits until a model shows the event at `position`; false if `deadline` comes first, or there is no such model.
    pub async fn reached(&self, model: &str, position: i64, deadline: Instant) -> bool {
        let Some(reach) = self.reach(model) else {
            return false;
        };
        let mut known = reach.position.subscribe();
        if *known.borrow() >= position {
            return true;
        }
        reach.waiting.fetch_add(1, Ordering::Relaxed);
        reach.called.notify_one();
        let reached = tokio::time::timeout_at(deadline, known.wait_for(|known| *known >= position)).await;
        reach.waiting.fetch_sub(1, Ordering::Relaxed);
        matches!(reached, Ok(Ok(_)))
    }

    /// Stops folding. What was not committed is folded again by whoever folds next.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
    }

    fn reach(&self, model: &str) -> Option<&Arc<Reach>> {
        self.models.iter().find(|reach| reach.name == model)
    }
}
