//! Nonces of sign-ins with a provider: each is given out once, counts for some minutes, and is taken once; known here
//! only by their hashes. Never who asked for one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;

/// How long somebody may take at the provider, in seconds.
const LIFETIME_SECONDS: f64 = 600.0;
/// Nonces that have ended, forgotten with each one that is given out.
const FORGOTTEN_MAX: i64 = 100;

/// A nonce for one sign-in.
#[derive(Debug, Clone)]
pub struct Nonce {
    /// The text to be sent to the provider.
    pub text: String,
    /// Until when it counts.
    pub ends_at: Timestamp,
}

/// All nonces. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Nonces(PgPool);

impl Nonces {
    /// The nonces in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Gives out another one.
    pub async fn give(&self) -> sqlx::Result<Nonce> {
        let bytes: [u8; 32] = rand::random();
        let text = URL_SAFE_NO_PAD.encode(bytes);
        let row = sqlx::query!(
            r#"insert into vault.sign_in_nonces (nonce_hash, ends_at)
               values ($1, clock_timestamp() + make_interval(secs => $2))
               returning ends_at as "ends_at: SqlxTimestamp""#,
            &hash(&text)[..],
            LIFETIME_SECONDS,
        )
        .fetch_one(&self.0)
        .await?;
        sqlx::query!(
            "delete from vault.sign_in_nonces where nonce_hash in
               (select nonce_hash from vault.sign_in_nonces where ends_at < clock_timestamp() limit $1)",
            FORGOTTEN_MAX,
        )
        .execute(&self.0)
        .await?;
        let ends_at = row.ends_at.to_jiff();
        Ok(Nonce { text, ends_at })
    }

    /// Takes one back; says whether it was open. Of two who bring the same one, one is told so.
    pub async fn take(&self, nonce: &str) -> sqlx::Result<bool> {
        let taken = sqlx::query_scalar!(
            r#"delete from vault.sign_in_nonces where nonce_hash = $1 returning ends_at > clock_timestamp() as "open!""#,
            &hash(nonce)[..],
        )
        .fetch_optional(&self.0)
        .await?;
        Ok(taken == Some(true))
    }
}

/// 256 random bits: there is nothing to guess, so a plain hash hides them.
fn hash(nonce: &str) -> [u8; 32] {
    Sha256::digest(nonce).into()
}
