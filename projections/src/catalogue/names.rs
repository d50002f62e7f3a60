//! What people call the things whose ids a text holds; never how they were called before.

use std::collections::HashMap;

use sqlx::PgExecutor;
use uuid::Uuid;

/// The names of these branches, auditoriums, movies, themes and price policies, as far as they are known.
pub async fn names(db: impl PgExecutor<'_>, ids: &[Uuid]) -> sqlx::Result<HashMap<Uuid, String>> {
    let rows = sqlx::query!(
        "select id, name from catalogue where kind <> 'layout' and version = 0 and id = any ($1)",
        ids,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
