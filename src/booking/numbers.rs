//! Reservation numbers: 64-bit Snowflakes under a leased worker id (DOMAIN S2); never the guard of uniqueness, the log is.

use std::sync::{PoisonError, RwLock};

use aggregates::ids::ReservationId;
use ferroid::{
    generator::AtomicSnowflakeGenerator,
    id::{SnowflakeTwitterId, ToU64 as _},
    time::{MonotonicClock, TWITTER_EPOCH},
};

use crate::vault::leases::WorkerLease;

/// Makes reservation numbers without asking anyone.
pub struct Numbers(RwLock<Generator>);

type Generator = AtomicSnowflakeGenerator<SnowflakeTwitterId, MonotonicClock>;

impl Numbers {
    /// Numbers of the worker that holds this lease.
    #[must_use]
    pub fn of(lease: &WorkerLease) -> Self {
        Self(RwLock::new(generator(lease)))
    }

    /// From now on numbers of the worker that holds this lease.
    pub fn go_on_with(&self, lease: &WorkerLease) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = generator(lease);
    }

    /// The next number; there are 4,096 in a millisecond, then it waits for the next one.
    #[must_use]
    pub fn next(&self) -> ReservationId {
        let generator = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let id = generator.next_id(|_| std::thread::yield_now());
        // The layout keeps the sign bit zero, so the number fits.
        ReservationId::new(i64::try_from(id.to_raw().to_u64()).unwrap_or(i64::MAX))
    }
}

fn generator(lease: &WorkerLease) -> Generator {
    let clock = MonotonicClock::with_epoch(TWITTER_EPOCH);
    AtomicSnowflakeGenerator::new(lease.worker().into(), clock)
}
