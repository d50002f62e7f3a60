//! Works off what is due, for every policy with timer rows: each row is acted upon once, never early. Never decides what is
//! due: the row names a reservation, and the rule decides on it again, so a row that is out of date does nothing.
//!
//! Any number of processes may run this: one at a time holds the advisory lock and works.

use std::{collections::HashSet, time::Duration};

use aggregates::{ids::ReservationId, reservation::ReservationError};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{Lock, over, pause};
use crate::{
    booking::{Answer, Refused},
    shutdown::Signal,
    store::{
        IdempotencyKey, Request, Stop, Store,
        tables::{self, Schema},
    },
};

/// How long a lost connection is left alone, and how often it is looked whether the worker is gone.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// Where a page of timers begins: behind this moment and reservation.
pub(super) type Place = (Timestamp, ReservationId);

/// A reservation whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Timer {
    /// Which one.
    pub reservation: ReservationId,
    /// When its time came.
    pub at: Timestamp,
    /// Since which position that is so: names the timer, so that it fires once.
    pub from_position: i64,
}

/// What becomes of reservations when their time has come.
pub(super) trait Timed: Send + Sync {
    /// The policy's name in metadata and keys.
    const NAME: &'static str;
    /// What it does, as the log calls it.
    const COMMAND: &'static str;
    /// What makes one process the worker.
    const LOCK: Lock;
    /// How often it is looked for what is due.
    const LOOK_EVERY: Duration;
    /// How many rows are read at once.
    const BATCH_MAX: i64;
    /// How many are acted upon at the same time: enough for the committer to group, few enough to leave room for customers.
    const AT_ONCE_MAX: usize;

    /// What is due by a moment, the earliest first; only what is behind `after`.
    fn due(
        db: &mut PgConnection,
        by: Timestamp,
        after: Option<Place>,
        limit: i64,
    ) -> impl Future<Output = sqlx::Result<Vec<Timer>>> + Send;

    /// Does it to one reservation, if it is due there too.
    fn carry_out(&self, request: &Request, id: ReservationId) -> impl Future<Output = Answer> + Send;
}

/// The worker of one policy.
pub(super) struct Timers<T> {
    pub store: Store,
    /// Where the timer rows stand.
    pub database: PgConnectOptions,
    pub what: T,
}

impl<T: Timed> Timers<T> {
    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(&self, mut stop: Signal) {
        while !over(&stop) {
            if let Err(error) = self.work(&mut stop).await
                && !over(&stop)
            {
                tracing::warn!(policy = T::NAME, %error, "a policy lost its database connection; retrying");
                pause(&mut stop, RECONNECT_AFTER).await;
            }
        }
    }

    async fn work(&self, stop: &mut Signal) -> Result<(), sqlx::Error> {
        // It ends soon after this process stands still, so that another one may work.
        let mut connection = tables::session(&self.database, Schema::Live).await?;
        while !over(stop) {
            if T::LOCK.take(&mut connection).await? {
                self.lead(&mut connection, stop).await?;
            } else {
                pause(stop, RECONNECT_AFTER).await;
            }
        }
        connection.close().await
    }

    async fn lead(&self, connection: &mut PgConnection, stop: &mut Signal) -> Result<(), sqlx::Error> {
        // Done, but the read model has not followed yet.
        let mut done = HashSet::<Timer>::new();
        while !over(stop) {
            let before = done.len();
            let timers = self.look(connection, &mut done, stop).await?;
            let quiet = done.len() == before;
            done.retain(|timer| timers.contains(timer));
            if quiet {
                pause(stop, T::LOOK_EVERY).await;
            }
        }
        Ok(())
    }

    /// Acts upon whatever is due, page by page to the last, so that rows that stand for a while hide none behind them; answers
    /// the timers it met.
    async fn look(
        &self,
        connection: &mut PgConnection,
        done: &mut HashSet<Timer>,
        stop: &Signal,
    ) -> Result<HashSet<Timer>, sqlx::Error> {
        let now = self.store.now();
        let mut timers = HashSet::new();
        let mut after = None;
        loop {
            let due = T::due(&mut *connection, now, after, T::BATCH_MAX).await?;
            after = due.last().map(|last| (last.at, last.reservation));
            timers.extend(due.iter().copied());
            let fresh: Vec<Timer> = due.into_iter().filter(|timer| !done.contains(timer)).collect();
            let acts = stream::iter(fresh)
                .map(|timer| self.act(timer))
                .buffer_unordered(T::AT_ONCE_MAX);
            let acted: Vec<Timer> = acts.filter_map(std::future::ready).collect().await;
            done.extend(acted);
            if after.is_none() || over(stop) {
                return Ok(timers);
            }
        }
    }

    /// Acts upon one reservation; none if it failed for now and must be tried again.
    async fn act(&self, timer: Timer) -> Option<Timer> {
        let id = timer.reservation;
        let request = Request {
            key: Some(IdempotencyKey {
                scope: T::NAME.to_owned(),
                key: format!("reservation/{id}:{}", timer.from_position),
                fingerprint: [0; 32],
            }),
            causation: Some(timer.from_position),
            ..Request::system(T::NAME, T::COMMAND)
        };
        match self.what.carry_out(&request, id).await {
            Ok(_) => Some(timer),
            // The row is out of date, or the clock was set back.
            Err(Stop::Refused(Refused::Reservation(ReservationError::NotYetDue { .. }))) => None,
            Err(Stop::Refused(refused)) => {
                tracing::error!(policy = T::NAME, %id, %refused, "what was due could not be done");
                Some(timer)
            }
            Err(Stop::Store(error)) => {
                tracing::warn!(policy = T::NAME, %id, %error, "what was due could not be done yet");
                None
            }
        }
    }
}
