//! Whether the database itself forbids changing the log; never changes a privilege.

use sqlx::PgPool;

/// What keeps the log from being append-only by privilege; triggers guard it in any case.
///
/// # Errors
///
/// When the database does not answer.
pub async fn missing(pool: &PgPool) -> sqlx::Result<Option<String>> {
    let able = sqlx::query_scalar!(
        r#"select current_user::text as "role!" from pg_roles
            where rolname = current_user
              and (rolsuper or has_table_privilege('public.events', 'update, delete, truncate'))"#
    )
    .fetch_optional(pool)
    .await?;
    Ok(able.map(|role| {
        format!(
            "the server runs as the database role {role}, which may change the log; only \
             triggers guard it (see jari migrate)"
        )
    }))
}
