//! How far a policy has looked at the log; never what it found there.

use sqlx::PgPool;

/// How far one policy is. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    pool: PgPool,
    policy: &'static str,
}

impl Progress {
    /// How far this policy is; its line was made by a migration.
    #[must_use]
    pub const fn of(policy: &'static str, pool: PgPool) -> Self {
        Self { pool, policy }
    }

    /// The position up to which nothing is left to do.
    pub async fn position(&self) -> sqlx::Result<i64> {
        sqlx::query_scalar!("select position from vault.outbox where policy = $1", self.policy)
            .fetch_one(&self.pool)
            .await
    }

    /// Notes that nothing is left to do up to here; another process may be further.
    pub async fn advance(&self, position: i64) -> sqlx::Result<()> {
        sqlx::query!(
            "update vault.outbox set position = $2 where policy = $1 and position < $2",
            self.policy,
            position,
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
