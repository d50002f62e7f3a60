//! From where accounts have signed in lately: by keyed hashes, so that the table tells neither who nor where. Never an
//! address itself.

use sqlx::PgPool;

/// How long a place stays known without being used, in seconds: a quarter of a year.
const KNOWN_SECONDS: f64 = 90.0 * 24.0 * 60.0 * 60.0;
/// Places that are not known any more, forgotten with each one that is noted.
const FORGOTTEN_MAX: i64 = 100;

/// All known places. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Places(PgPool);

impl Places {
    /// The places in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Notes that somebody has signed in at this place.
    pub async fn note(&self, place: &[u8; 32]) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into vault.known_places (place_hash, seen_at) values ($1, clock_timestamp())
                 on conflict (place_hash) do update set seen_at = excluded.seen_at",
            &place[..],
        )
        .execute(&self.0)
        .await?;
        sqlx::query!(
            "delete from vault.known_places where place_hash in
               (select place_hash from vault.known_places
                 where seen_at < clock_timestamp() - make_interval(secs => $1) limit $2)",
            KNOWN_SECONDS,
            FORGOTTEN_MAX,
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// Whether somebody has signed in at this place lately.
    pub async fn knows(&self, place: &[u8; 32]) -> sqlx::Result<bool> {
        let known = sqlx::query_scalar!(
            r#"select 1 as "known!" from vault.known_places
                where place_hash = $1 and seen_at > clock_timestamp() - make_interval(secs => $2)"#,
            &place[..],
            KNOWN_SECONDS,
        )
        .fetch_optional(&self.0)
        .await?;
        Ok(known.is_some())
    }
}
