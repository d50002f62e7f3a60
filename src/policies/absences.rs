//! Marks who has not come, when they count as absent (DOMAIN E9); never early, and never who was let in.
//!
//! The timer rows are the read model `open_arrivals`. What happens is decided again on the reservation itself, so a row that
//! is out of date does nothing. Any number of processes may run this: one at a time holds the advisory lock and works.

use std::{collections::HashSet, time::Duration};

use aggregates::{ids::ReservationId, reservation::ReservationError};
use futures_util::{StreamExt as _, stream};
use projections::open_arrivals::{self, Absent};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::watch;

use super::Lock;
use crate::{
    booking::{Bookings, Refused},
    shutdown::told,
    store::{
        IdempotencyKey, Request, Stop, Store,
        tables::{self, Schema},
    },
};

/// One timer: a reservation, and since which position it has been expected then.
type Timer = (ReservationId, i64);

/// How often it is looked who has not come.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many rows are read at once.
const BATCH_MAX: i64 = 500;
/// How many are marked at the same time: few enough to leave room for customers.
const AT_ONCE_MAX: usize = 64;
/// How long a lost connection is left alone.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);
/// The policy's name in metadata and keys.
const NAME: &str = "absences";

/// The policy, ready to run.
pub struct Absences {
    store: Store,
    bookings: Bookings,
    database: PgConnectOptions,
}

impl Absences {
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
        tokio::select! {
            () = self.work() => {}
            () = told(&mut stop) => {}
        }
    }

    async fn work(&self) {
        loop {
            if let Err(error) = self.lead().await {
                tracing::warn!(%error, "the absences policy lost its database connection; retrying");
            }
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
    }

    /// Works while this process is the worker; ends when another one is.
    async fn lead(&self) -> Result<(), sqlx::Error> {
        // It ends soon after this process stands still, so that another one may work.
        let mut connection = tables::session(&self.database, Schema::Live).await?;
        let leading = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock($1) as "leading!""#,
            Lock::Absences.number()
        )
        .fetch_one(&mut connection)
        .await?;
        if !leading {
            return connection.close().await;
        }
        // Marked, but the read model has not followed yet.
        let mut marked = HashSet::<Timer>::new();
        loop {
            let timers = self.look(&mut connection, &mut marked).await?;
            marked.retain(|timer| timers.contains(timer));
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Marks whoever is absent, page by page to the last, so that rows that stand for a while hide none behind them; answers
    /// the timers it met.
    async fn look(
        &self,
        connection: &mut PgConnection,
        marked: &mut HashSet<Timer>,
    ) -> Result<HashSet<Timer>, sqlx::Error> {
        let now = self.store.now();
        let mut timers = HashSet::new();
        let mut after = None;
        loop {
            let absent = open_arrivals::absent(&mut *connection, now, after, BATCH_MAX).await?;
            after = absent.last().map(|last| (last.absent_at, last.reservation));
            timers.extend(absent.iter().map(timer));
            let fresh: Vec<Absent> = absent
                .into_iter()
                .filter(|absent| !marked.contains(&timer(absent)))
                .collect();
            let markings = stream::iter(fresh)
                .map(|absent| self.mark(absent))
                .buffer_unordered(AT_ONCE_MAX);
            let done: Vec<Timer> = markings.filter_map(std::future::ready).collect().await;
            marked.extend(done);
            if after.is_none() {
                return Ok(timers);
            }
        }
    }

    /// Marks one reservation; none if it failed for now and must be tried again.
    async fn mark(&self, absent: Absent) -> Option<Timer> {
        let id = absent.reservation;
        let request = Request {
            key: Some(IdempotencyKey {
                scope: NAME.to_owned(),
                key: format!("reservation/{id}:{}", absent.from_position),
                fingerprint: [0; 32],
            }),
            causation: Some(absent.from_position),
            ..Request::system(NAME, "reservations/mark-absent")
        };
        match self.bookings.mark_absent(&request, id).await {
            Ok(_) => Some(timer(&absent)),
            // The row is out of date, or the clock was set back.
            Err(Stop::Refused(Refused::Reservation(ReservationError::NotYetDue { .. }))) => None,
            Err(Stop::Refused(refused)) => {
                tracing::error!(%id, %refused, "somebody who has not come could not be marked");
                Some(timer(&absent))
            }
            Err(Stop::Store(error)) => {
                tracing::warn!(%id, %error, "somebody who has not come could not be marked yet");
                None
            }
        }
    }
}

fn timer(absent: &Absent) -> Timer {
    (absent.reservation, absent.from_position)
}
