//! Leases of worker ids for reservation numbers (DOMAIN S2); never the guard of uniqueness: the log's primary key is.

use sqlx::PgPool;
use uuid::Uuid;

/// Worker ids that fit the ten bits of a Snowflake.
const WORKERS: i32 = 1024;
/// Seconds a lease lasts without renewal.
pub const LEASE_SECONDS: u32 = 60;
/// How often the lowest free id may be lost to another process before giving up.
const ATTEMPTS_MAX: usize = 32;

/// A worker id that no other process uses while the lease is renewed.
#[derive(Debug, Clone)]
pub struct WorkerLease {
    worker: u16,
    holder: Uuid,
}

/// Why no worker id could be leased.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// All are in use.
    #[error("all {WORKERS} worker ids are leased; a lease ends {LEASE_SECONDS} s after its process")]
    AllLeased,
    /// The database failed.
    #[error("the worker id could not be leased: {0}")]
    Database(#[from] sqlx::Error),
}

impl WorkerLease {
    /// The id of a process that shares its database with no other, for tests and benches.
    #[must_use]
    pub const fn fixed(worker: u16) -> Self {
        Self {
            worker,
            holder: Uuid::nil(),
        }
    }

    /// The worker id, below 1,024.
    #[must_use]
    pub const fn worker(&self) -> u16 {
        self.worker
    }

    /// Leases the lowest free worker id.
    pub async fn acquire(pool: &PgPool) -> Result<Self, LeaseError> {
        let holder = Uuid::now_v7();
        for _ in 0..ATTEMPTS_MAX {
            let worker = sqlx::query_scalar!(
                "insert into vault.worker_leases as lease (worker, holder, until)
                 select w, $1, clock_timestamp() + make_interval(secs => $2)
                   from generate_series(0, $3 - 1) w
                   left join vault.worker_leases l on l.worker = w
                  where l.worker is null or l.until < clock_timestamp()
                  order by w limit 1
                     on conflict (worker) do update set holder = excluded.holder, until = excluded.until
                  where lease.until < clock_timestamp()
              returning worker",
                holder,
                f64::from(LEASE_SECONDS),
                WORKERS,
            )
            .fetch_optional(pool)
            .await?;
            if let Some(worker) = worker.and_then(|worker| u16::try_from(worker).ok()) {
                return Ok(Self { worker, holder });
            }
        }
        Err(LeaseError::AllLeased)
    }

    /// Keeps the lease; to be called more often than it lasts. False: another process has the id now.
    pub async fn renew(&self, pool: &PgPool) -> Result<bool, LeaseError> {
        let renewed = sqlx::query!(
            "update vault.worker_leases set until = clock_timestamp() + make_interval(secs => $3)
              where worker = $1 and holder = $2",
            i32::from(self.worker),
            self.holder,
            f64::from(LEASE_SECONDS),
        )
        .execute(pool)
        .await?;
        Ok(renewed.rows_affected() == 1)
    }
}
