//! Ends reservations whose time is up: held ones lapse, unpaid ones expire; never early, soon after (invariant I7).
//!
//! The timer rows are the read model `open_holds`. Ending is decided again on the reservation itself, so a row that is
//! out of date does nothing. Any number of processes may run this: one at a time holds the advisory lock and works.

use std::{collections::HashSet, time::Duration};

use aggregates::{ids::ReservationId, reservation::ReservationError};
use futures_util::{StreamExt as _, stream};
use projections::open_holds::{self, Due};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::watch;

use super::Lock;
use crate::{
    booking::{Bookings, Refused},
    store::{
        IdempotencyKey, Request, Stop, Store,
        tables::{self, Schema},
    },
};

/// One timer: a reservation, and since which position it has been due.
type Timer = (ReservationId, i64);

/// How often due rows are looked for: a lapse is recorded within a second of its time (DOMAIN H1).
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How many due rows are read at once.
const BATCH_MAX: i64 = 2_000;
/// How many are ended at the same time: enough for the committer to group, few enough to leave room for customers.
const AT_ONCE_MAX: usize = 256;
/// How long a lost connection is left alone.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// The policy's name in metadata and keys.
const NAME: &str = "deadlines";

/// The policy, ready to run.
pub struct Deadlines {
    store: Store,
    bookings: Bookings,
    database: PgConnectOptions,
}

impl Deadlines {
    /// A policy on this log; `database` is where its read model stands.
    #[must_use]
    pub const fn new(store: Store, bookings: Bookings, database: PgConnectOptions) -> Self {
        Self {
            store,
            bookings,
            database,
        }
    }

    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !over(&stop) {
            if let Err(error) = self.work(&mut stop).await
                && !over(&stop)
            {
                tracing::warn!(%error, "the deadlines policy lost its database connection; retrying");
                pause(&mut stop, RECONNECT_AFTER).await;
            }
        }
    }

    async fn work(&self, stop: &mut watch::Receiver<bool>) -> Result<(), sqlx::Error> {
        // It ends soon after this process stands still, so that another one may work.
        let mut connection = tables::session(&self.database, Schema::Live).await?;
        while !over(stop) {
            let leading = sqlx::query_scalar!(
                r#"select pg_try_advisory_lock($1) as "leading!""#,
                Lock::Deadlines.number()
            )
            .fetch_one(&mut connection)
            .await?;
            if leading {
                self.lead(&mut connection, stop).await?;
            } else {
                pause(stop, RECONNECT_AFTER).await;
            }
        }
        connection.close().await
    }

    async fn lead(
        &self,
        connection: &mut PgConnection,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), sqlx::Error> {
        // Ended, but the read model has not followed yet.
        let mut ended = HashSet::<Timer>::new();
        while !over(stop) {
            let before = ended.len();
            let timers = self.look(connection, &mut ended, stop).await?;
            let quiet = ended.len() == before;
            ended.retain(|timer| timers.contains(timer));
            if quiet {
                pause(stop, LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Ends whatever is due, page by page to the last, so that rows that stand for a while hide none behind them; answers
    /// the timers it met.
    async fn look(
        &self,
        connection: &mut PgConnection,
        ended: &mut HashSet<Timer>,
        stop: &watch::Receiver<bool>,
    ) -> Result<HashSet<Timer>, sqlx::Error> {
        let now = self.store.now();
        let mut timers = HashSet::new();
        let mut after = None;
        loop {
            let due = open_holds::due(&mut *connection, now, after, BATCH_MAX).await?;
            after = due.last().map(|last| (last.due_at, last.reservation));
            timers.extend(due.iter().map(timer));
            let fresh: Vec<Due> = due
                .into_iter()
                .filter(|due| !ended.contains(&timer(due)))
                .collect();
            let endings = stream::iter(fresh)
                .map(|due| self.end(due))
                .buffer_unordered(AT_ONCE_MAX);
            let done: Vec<Timer> = endings.filter_map(std::future::ready).collect().await;
            ended.extend(done);
            if after.is_none() || over(stop) {
                return Ok(timers);
            }
        }
    }

    /// Ends one reservation; none if it failed for now and must be tried again.
    async fn end(&self, due: Due) -> Option<Timer> {
        let id = due.reservation;
        let request = Request {
            key: Some(IdempotencyKey {
                scope: NAME.to_owned(),
                key: format!("reservation/{id}:{}", due.from_position),
                fingerprint: [0; 32],
            }),
            causation: Some(due.from_position),
            ..Request::system(NAME, "reservations/end-due")
        };
        match self.bookings.end_due(&request, id).await {
            Ok(_) => Some(timer(&due)),
            // The row is out of date, or the clock was set back.
            Err(Stop::Refused(Refused::Reservation(ReservationError::NotYetDue { .. }))) => None,
            Err(Stop::Refused(refused)) => {
                tracing::error!(%id, %refused, "a reservation that is due could not be ended");
                Some(timer(&due))
            }
            Err(Stop::Store(error)) => {
                tracing::warn!(%id, %error, "a reservation could not be ended yet");
                None
            }
        }
    }
}

fn timer(due: &Due) -> Timer {
    (due.reservation, due.from_position)
}

/// Whether nothing is to be done any more: the signal came, or nobody is left to give it.
fn over(stop: &watch::Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

async fn pause(stop: &mut watch::Receiver<bool>, time: Duration) {
    // Either the time is over or the stop signal came; both mean: look again.
    let _ = tokio::time::timeout(time, stop.changed()).await;
}
