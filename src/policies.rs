//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, who has not come counts as absent,
//! the coming days go on sale, waiting ends with the sale, customers are told, money goes back the way it came, and who left is
//! forgotten; never what someone asked for.

mod absences;
mod deadlines;
mod departures;
mod notifications;
mod openings;
mod refunds;
mod timers;
mod waitlists;

use std::time::Duration;

use sqlx::PgConnection;

use crate::shutdown::Signal;

pub use absences::Absences;
pub use deadlines::Deadlines;
pub use departures::{Departures, Forgotten};
pub use notifications::Notifications;
pub use openings::{Openings, open_themes};
pub use refunds::Refunds;
pub use waitlists::Waitlists;

/// What one process at a time may be the worker of: the advisory lock that makes it so.
#[derive(Clone, Copy)]
enum Lock {
    Deadlines = 1,
    Absences = 2,
    Refunds = 3,
}

impl Lock {
    /// Arbitrary numbers, `jari` in ASCII and one for each.
    const fn number(self) -> i64 {
        0x6a61_7269_0000 + self as i64
    }

    /// Whether this session has it now.
    async fn take(self, session: &mut PgConnection) -> sqlx::Result<bool> {
        sqlx::query_scalar!(r#"select pg_try_advisory_lock($1) as "taken!""#, self.number())
            .fetch_one(session)
            .await
    }
}

/// Whether nothing is to be done any more: the signal came, or nobody is left to give it.
fn over(stop: &Signal) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

async fn pause(stop: &mut Signal, time: Duration) {
    // Either the time is over or the stop signal came; both mean: look again.
    let _ = tokio::time::timeout(time, stop.changed()).await;
}
