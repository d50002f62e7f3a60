//! Where in the log a moment is, so that anything "as of a moment" is "as of a position"; never guesses by scanning.

use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgExecutor;

/// The last position recorded at `moment` or before; 0 if the log begins later.
///
/// Positions are dense and their moments never decrease (invariant I5), so this halves the log some twenty times.
pub async fn position_at(db: impl PgExecutor<'_>, moment: Timestamp) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"with recursive search(low, high) as (
             select 0::bigint, coalesce((select position from events order by position desc limit 1), 0) + 1
             union all
             select case when e.recorded_at <= $1 then e.position else s.low end,
                    case when e.recorded_at <= $1 then s.high else e.position end
               from search s join events e on e.position = (s.low + s.high) / 2
              where s.high - s.low > 1)
           select low as "low!" from search order by high - low limit 1"#,
        moment.to_sqlx() as _,
    )
    .fetch_one(db)
    .await
}

/// The last position of the log; 0 while it is empty.
pub async fn head(db: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(max(position), 0) as "head!" from events"#)
        .fetch_one(db)
        .await
}

/// When the event at `position` was recorded; of the last one, if the log ends before; none if the log is empty there.
pub async fn recorded_at(db: impl PgExecutor<'_>, position: i64) -> sqlx::Result<Option<Timestamp>> {
    let recorded = sqlx::query_scalar!(
        r#"select recorded_at as "recorded_at: SqlxTimestamp" from events where position <= $1
            order by position desc limit 1"#,
        position,
    );
    Ok(recorded.fetch_optional(db).await?.map(SqlxTimestamp::to_jiff))
}
