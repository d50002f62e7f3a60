//! Ends reservations whose time is up: held ones lapse, unpaid ones expire, offers for late money lapse; never early, soon
//! after (invariant I7). The timer rows are the read model `open_holds`.

use std::time::Duration;

use aggregates::ids::ReservationId;
use jiff::Timestamp;
use projections::open_holds;
use sqlx::{PgConnection, postgres::PgConnectOptions};

use super::{
    Lock,
    timers::{Place, Timed, Timer, Timers},
};
use crate::{
    booking::{Answer, Bookings},
    shutdown::Signal,
    store::{Request, Store},
};

/// The policy, ready to run.
pub struct Deadlines(Timers<Ending>);

struct Ending(Bookings);

impl Deadlines {
    /// A policy on this log; `database` is where its read model stands.
    #[must_use]
    pub const fn new(store: Store, bookings: Bookings, database: PgConnectOptions) -> Self {
        Self(Timers {
            store,
            database,
            what: Ending(bookings),
        })
    }

    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(self, stop: Signal) {
        self.0.run(stop).await;
    }
}

impl Timed for Ending {
    const NAME: &'static str = "deadlines";
    const COMMAND: &'static str = "reservations/end-due";
    const LOCK: Lock = Lock::Deadlines;
    /// A lapse is recorded within a second of its time (DOMAIN H1).
    const LOOK_EVERY: Duration = Duration::from_millis(250);
    const BATCH_MAX: i64 = 2_000;
    const AT_ONCE_MAX: usize = 256;

    async fn due(
        db: &mut PgConnection,
        by: Timestamp,
        after: Option<Place>,
        limit: i64,
    ) -> sqlx::Result<Vec<Timer>> {
        let due = open_holds::due(db, by, after, limit).await?;
        let timers = due.into_iter().map(|due| Timer {
            reservation: due.reservation,
            at: due.due_at,
            from_position: due.from_position,
        });
        Ok(timers.collect())
    }

    async fn carry_out(&self, request: &Request, id: ReservationId) -> Answer {
        self.0.end_due(request, id).await
    }
}
