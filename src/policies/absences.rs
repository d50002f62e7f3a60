//! Marks who has not come, when they count as absent (DOMAIN E9); never early, and never who was let in. The timer rows are
//! the read model `open_arrivals`.

use std::time::Duration;

use aggregates::ids::ReservationId;
use jiff::Timestamp;
use projections::open_arrivals;
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
pub struct Absences(Timers<Marking>);

struct Marking(Bookings);

impl Absences {
    /// A policy on this log; `database` is where its read model stands.
    #[must_use]
    pub const fn new(store: Store, bookings: Bookings, database: PgConnectOptions) -> Self {
        Self(Timers {
            store,
            database,
            what: Marking(bookings),
        })
    }

    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(self, stop: Signal) {
        self.0.run(stop).await;
    }
}

impl Timed for Marking {
    const NAME: &'static str = "absences";
    const COMMAND: &'static str = "reservations/mark-absent";
    const LOCK: Lock = Lock::Absences;
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    const BATCH_MAX: i64 = 500;
    const AT_ONCE_MAX: usize = 64;

    async fn due(
        db: &mut PgConnection,
        by: Timestamp,
        after: Option<Place>,
        limit: i64,
    ) -> sqlx::Result<Vec<Timer>> {
        let absent = open_arrivals::absent(db, by, after, limit).await?;
        let timers = absent.into_iter().map(|absent| Timer {
            reservation: absent.reservation,
            at: absent.absent_at,
            from_position: absent.from_position,
        });
        Ok(timers.collect())
    }

    async fn carry_out(&self, request: &Request, id: ReservationId) -> Answer {
        self.0.mark_absent(request, id).await
    }
}
