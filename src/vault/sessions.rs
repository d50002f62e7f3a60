//! Who is signed in: opaque tokens, known here only by their hashes; revocable at once, never valid for ever.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Sessions of one principal at most: the oldest makes room.
const SESSIONS_MAX: i64 = 50;
/// Ended sessions forgotten with each one that begins.
const FORGOTTEN_MAX: i64 = 100;
/// How exactly it is known when a session was used last: it is not written with every request.
const SEEN_SECONDS: f64 = 30.0;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Without being used.
    pub idle: Duration,
    /// However much it is used.
    pub absolute: Duration,
}

/// The secret of a session, handed out once; 256 random bits after a word that says whose kind it is.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    fn random(prefix: &str) -> Self {
        let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        Self(Zeroizing::new(format!(
            "{prefix}{}",
            URL_SAFE_NO_PAD.encode(*bytes)
        )))
    }

    /// The text to be handed out.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A session of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which one; no secret.
    pub id: Uuid,
    /// Whose.
    pub principal: String,
    /// Since when.
    pub begun_at: Timestamp,
    /// When it was used last, to half a minute.
    pub seen_at: Timestamp,
    /// When it ends, however much it is used.
    pub ends_at: Timestamp,
}

struct Row {
    id: Uuid,
    principal: String,
    begun_at: SqlxTimestamp,
    seen_at: SqlxTimestamp,
    ends_at: SqlxTimestamp,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            principal: row.principal,
            begun_at: row.begun_at.to_jiff(),
            seen_at: row.seen_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
        }
    }
}

/// All sessions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions(PgPool);

impl Sessions {
    /// The sessions in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Begins a session for `principal`; its token begins with `prefix`.
    pub async fn begin(
        &self,
        principal: &str,
        prefix: &str,
        lifetime: Lifetime,
    ) -> sqlx::Result<(Token, Session)> {
        let token = Token::random(prefix);
        let idle = i32::try_from(lifetime.idle.as_secs()).unwrap_or(i32::MAX);
        let mut transaction = self.0.begin().await?;
        let row = sqlx::query_as!(
            Row,
            r#"insert into vault.sessions (id, token_hash, principal, begun_at, seen_at, idle_seconds, ends_at)
               values ($1, $2, $3, clock_timestamp(), clock_timestamp(), $4,
                       clock_timestamp() + make_interval(secs => $5))
               returning id, principal, begun_at as "begun_at: _", seen_at as "seen_at: _", ends_at as "ends_at: _""#,
            Uuid::now_v7(),
            &hash(token.text())[..],
            principal,
            idle,
            lifetime.absolute.as_secs_f64(),
        )
        .fetch_one(&mut *transaction)
        .await?;
        sqlx::query!(
            "delete from vault.sessions where id in (
               (select id from vault.sessions where principal = $1 order by begun_at desc, id desc offset $2)
               union
               (select id from vault.sessions where ends_at < clock_timestamp() limit $3))",
            principal,
            SESSIONS_MAX,
            FORGOTTEN_MAX,
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((token, row.into()))
    }

    /// The session of this token, if it has not ended; notes that it was used.
    pub async fn find(&self, token: &str) -> sqlx::Result<Option<Session>> {
        let found = sqlx::query!(
            r#"select id, principal, begun_at as "begun_at: SqlxTimestamp", seen_at as "seen_at: SqlxTimestamp",
                      ends_at as "ends_at: SqlxTimestamp",
                      seen_at < clock_timestamp() - make_interval(secs => $2) as "outdated!"
                 from vault.sessions
                where token_hash = $1 and ends_at > clock_timestamp()
                  and seen_at > clock_timestamp() - make_interval(secs => idle_seconds)"#,
            &hash(token)[..],
            SEEN_SECONDS,
        )
        .fetch_optional(&self.0)
        .await?;
        let Some(found) = found else { return Ok(None) };
        if found.outdated {
            sqlx::query!(
                "update vault.sessions set seen_at = clock_timestamp() where id = $1",
                found.id
            )
            .execute(&self.0)
            .await?;
        }
        Ok(Some(Session {
            id: found.id,
            principal: found.principal,
            begun_at: found.begun_at.to_jiff(),
            seen_at: found.seen_at.to_jiff(),
            ends_at: found.ends_at.to_jiff(),
        }))
    }

    /// The sessions of `principal` that have not ended, the newest first.
    pub async fn of(&self, principal: &str) -> sqlx::Result<Vec<Session>> {
        let rows = sqlx::query_as!(
            Row,
            r#"select id, principal, begun_at as "begun_at: _", seen_at as "seen_at: _", ends_at as "ends_at: _"
                 from vault.sessions
                where principal = $1 and ends_at > clock_timestamp()
                  and seen_at > clock_timestamp() - make_interval(secs => idle_seconds)
                order by begun_at desc, id desc limit $2"#,
            principal,
            SESSIONS_MAX,
        )
        .fetch_all(&self.0)
        .await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// Ends one session of `principal`; says whether there was one.
    pub async fn revoke(&self, principal: &str, id: Uuid) -> sqlx::Result<bool> {
        let revoked = sqlx::query!(
            "delete from vault.sessions where principal = $1 and id = $2",
            principal,
            id
        )
        .execute(&self.0)
        .await?;
        Ok(revoked.rows_affected() > 0)
    }

    /// Ends all sessions of `principal`, except perhaps the one in use.
    pub async fn revoke_all(&self, principal: &str, except: Option<Uuid>) -> sqlx::Result<()> {
        let mut connection = self.0.acquire().await?;
        end(&mut connection, principal, except).await
    }
}

/// Ends all sessions of `principal`, except perhaps the one in use.
pub(super) async fn end(db: &mut PgConnection, principal: &str, except: Option<Uuid>) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from vault.sessions where principal = $1 and id is distinct from $2",
        principal,
        except,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The token has 256 random bits: there is nothing to guess, so a plain hash hides it.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
