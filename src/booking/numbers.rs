//! Reservation numbers: 64-bit Snowflakes under a leased worker id (DOMAIN S2); never the guard of uniqueness, the log is.

use aggregates::ids::ReservationId;
use ferroid::{
    generator::AtomicSnowflakeGenerator,
    id::{SnowflakeTwitterId, ToU64 as _},
    time::{MonotonicClock, TWITTER_EPOCH},
};

use crate::vault::leases::WorkerLease;

/// Makes reservation numbers without asking anyone.
pub struct Numbers(AtomicSnowflakeGenerator<SnowflakeTwitterId, MonotonicClock>);

impl Numbers {
    /// Numbers of the worker that holds this lease.
    #[must_use]
    pub fn of(lease: &WorkerLease) -> Self {
        let clock = MonotonicClock::with_epoch(TWITTER_EPOCH);
        Self(AtomicSnowflakeGenerator::new(lease.worker().into(), clock))
    }

    /// The next number; there are 4,096 in a millisecond, then it waits for the next one.
    #[must_use]
    pub fn next(&self) -> ReservationId {
        let id = self.0.next_id(|_| std::thread::yield_now());
        // The layout keeps the sign bit zero, so the number fits.
        ReservationId::new(i64::try_from(id.to_raw().to_u64()).unwrap_or(i64::MAX))
    }
}
