//! How far each read model has read the log, for whoever waits for one; never moves a checkpoint.

use sqlx::PgExecutor;

/// The last log position a read model has taken in; 0 if it does not exist yet.
pub async fn position(db: impl PgExecutor<'_>, model: &str) -> sqlx::Result<i64> {
    let position = sqlx::query_scalar!("select position from checkpoints where model = $1", model);
    Ok(position.fetch_optional(db).await?.unwrap_or(0))
}
