//! Forgets customers who have left (DOMAIN A5), to the end and whatever happens in between: nobody signs in as them, nobody
//! keeps them in line, and the keys of all that is personal about them are destroyed. Never decides that somebody leaves.
//!
//! The log is looked at behind a checkpoint that moves when nobody before it is left to be forgotten. Every step can be done
//! again, so any number of processes may run this, and each may stop anywhere: whoever runs next begins anew.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aggregates::{Event, Recorded, customer::CustomerEvent, ids::CustomerId, waitlist::Leaver};
use projections::waitlist_queue;
use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};

use super::{over, pause};
use crate::{
    booking::{Bookings, Refused},
    customers::{self, Forgetting},
    shutdown::{Signal, told},
    store::{Request, Stop, Store, StoreError, runner::Projections},
    vault::{CredentialError, Credentials, Progress},
};

/// Events looked at in one go.
const BATCH_MAX: usize = 8_192;
/// While events keep coming, they are looked at as often as this.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long what failed is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long the lists may take to show what somebody held last.
const LISTED_MAX: Duration = Duration::from_secs(10);
/// After so many events without anybody who left, the checkpoint moves nevertheless: a restart looks at few again.
const KEPT_EVERY: i64 = 100_000;
/// The policy's name in metadata and in the table of checkpoints.
const NAME: &str = "departures";

/// The policy, ready to run.
pub struct Departures {
    store: Store,
    bookings: Bookings,
    reads: PgPool,
    projections: Arc<Projections>,
    credentials: Credentials,
    progress: Progress,
    forgotten: watch::Sender<i64>,
}

/// How far customers who left are forgotten, as this process knows it.
#[derive(Debug, Clone)]
pub struct Forgotten(watch::Receiver<i64>);

impl Forgotten {
    /// Waits until whoever left at this position is forgotten; false if it takes longer.
    pub async fn reached(&self, position: i64, patience: Duration) -> bool {
        let mut known = self.0.clone();
        let reached = known.wait_for(|known| *known >= position);
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
    }
}

/// Why somebody is not forgotten yet.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("{0} does not show yet what they held last")]
    Unlisted(&'static str),
    #[error(transparent)]
    Forgetting(#[from] Forgetting),
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Departures {
    /// A policy on this log; `reads` is where its read models and its checkpoint stand.
    #[must_use]
    pub fn new(
        store: &Store,
        bookings: &Bookings,
        reads: &PgPool,
        projections: &Arc<Projections>,
        credentials: &Credentials,
    ) -> Self {
        Self {
            store: store.clone(),
            bookings: bookings.clone(),
            reads: reads.clone(),
            projections: Arc::clone(projections),
            credentials: credentials.clone(),
            progress: Progress::of(NAME, reads.clone()),
            forgotten: watch::Sender::new(0),
        }
    }

    /// By which others hear how far it is.
    #[must_use]
    pub fn forgotten(&self) -> Forgotten {
        Forgotten(self.forgotten.subscribe())
    }

    /// Works until `stop` turns true; what was begun then is done to its end. A lost database is waited for.
    pub async fn run(self, mut stop: Signal) {
        let Some(mut noted) = self.begin(&mut stop).await else {
            return;
        };
        let mut looked = noted;
        let mut leaving: BTreeMap<i64, CustomerId> = BTreeMap::new();
        while !over(&stop) {
            let events = tokio::select! {
                events = self.store.feed().after(looked, BATCH_MAX) => events,
                // Whoever is not forgotten yet is tried again.
                () = tokio::time::sleep(RETRY_AFTER), if !leaving.is_empty() => Vec::new(),
                () = told(&mut stop) => return,
            };
            looked = events.last().map_or(looked, |last| last.position);
            leaving.extend(events.iter().filter_map(|event| left(event)));
            let tried = !leaving.is_empty();
            self.finish_all(&mut leaving, &stop).await;
            let forgotten = leaving.keys().next().map_or(looked, |first| first - 1);
            self.forgotten.send_replace(forgotten);
            if (tried && forgotten > noted) || forgotten - noted > KEPT_EVERY {
                match self.progress.advance(forgotten).await {
                    Ok(()) => noted = forgotten,
                    Err(error) => tracing::warn!(%error, "who is forgotten could not be noted yet"),
                }
            }
            pause(&mut stop, LOOK_EVERY).await;
        }
    }

    /// How far it came the last time; none if it is told to stop before that is known.
    async fn begin(&self, stop: &mut Signal) -> Option<i64> {
        while !over(stop) {
            match self.progress.position().await {
                Ok(position) => return Some(position),
                Err(error) => tracing::warn!(%error, "the policy of departures cannot begin yet"),
            }
            pause(stop, RETRY_AFTER).await;
        }
        None
    }

    /// Forgets all of these; who remains has to be tried again.
    async fn finish_all(&self, leaving: &mut BTreeMap<i64, CustomerId>, stop: &Signal) {
        for (position, customer) in leaving.clone() {
            if over(stop) {
                return;
            }
            match self.finish(customer, position).await {
                Ok(()) => {
                    leaving.remove(&position);
                }
                Err(error) => {
                    tracing::warn!(%customer, %error, "a customer who left is not forgotten yet");
                }
            }
        }
    }

    /// Everything that has to follow when somebody left. Their own key goes last.
    async fn finish(&self, customer: CustomerId, position: i64) -> Result<(), Unfinished> {
        self.credentials.forget(&customers::principal(customer)).await?;
        // What they held last must be in the list, or it would be overlooked.
        let deadline = Instant::now() + LISTED_MAX;
        for list in ["reservation_list", "waitlist_queue"] {
            if !self.projections.reached(list, position, deadline).await {
                return Err(Unfinished::Unlisted(list));
            }
        }
        // Nobody is kept in line who cannot be called any more.
        for (entry, slot, runs) in waitlist_queue::of_customer(&self.reads, customer).await? {
            if runs {
                let request = Request {
                    causation: Some(position),
                    ..Request::system(NAME, "waitlist-entries/leave")
                };
                let left = self.bookings.leave(&request, slot, entry, Leaver::Customer, None);
                match left.await {
                    // It may be over in the meantime.
                    Ok(_) | Err(Stop::Refused(Refused::Waitlist(_))) => {}
                    Err(Stop::Refused(refused)) => {
                        tracing::error!(%entry, %refused, "somebody who left cannot be taken out of a line");
                    }
                    Err(Stop::Store(error)) => return Err(error.into()),
                }
            }
        }
        customers::forget(&self.store, &self.reads, customer).await?;
        Ok(())
    }
}

/// Who left by an event, and where it stands.
fn left(recorded: &Recorded) -> Option<(i64, CustomerId)> {
    let Event::Customer(CustomerEvent::Left) = &recorded.event else {
        return None;
    };
    Some((recorded.position, recorded.stream.id.parse().ok()?))
}
