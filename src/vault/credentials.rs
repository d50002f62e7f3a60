//! Passwords: hashed with argon2id, a few at a time; never kept, never logged, never compared outside.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use serde::{Deserialize, Deserializer, de};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Vault, sessions};

/// Hashes that are worked on at the same time: each takes 19 MiB and some 20 ms of one core.
const HASHES_AT_ONCE: usize = 2;
/// How many more may wait for their turn; whoever comes then is told to come back.
const WAITING_MAX: usize = 64;
/// Characters of a password.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=64;
/// Bytes of what is typed that are looked at; no password is longer.
const TYPED_BYTES_MAX: usize = 1024;

/// Memory in KiB, passes and lanes of argon2id, as OWASP recommends them.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Too many want to be checked at once.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The hash could not be made or read.
    #[error("a password could not be hashed: {0}")]
    Hash(String),
    /// The database failed.
    #[error("the credentials could not be reached: {0}")]
    Database(#[from] sqlx::Error),
}

/// A text somebody typed as their password, in one spelling; wiped from memory when dropped.
#[derive(Clone)]
pub struct Typed(Zeroizing<String>);

/// A password somebody chose: 8 to 64 characters of any kind (DOMAIN P1, P2).
#[derive(Clone, Debug)]
pub struct Password(Typed);

/// A password as it is kept.
pub struct Hashed(String);

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// Why a text is no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have 8 to 64 characters")]
pub struct NotAPassword;

impl Typed {
    fn new(text: &str) -> Self {
        // Longer ones are wrong anyway, and are not worked on.
        let text = if text.len() > TYPED_BYTES_MAX { "" } else { text };
        // One keyboard composes 가, another one sends its parts.
        Self(Zeroizing::new(text.nfkc().collect()))
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Typed(…)")
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Ok(Self::new(&text))
    }
}

impl Password {
    /// The password as it is typed to sign in.
    #[must_use]
    pub const fn typed(&self) -> &Typed {
        &self.0
    }
}

impl FromStr for Password {
    type Err = NotAPassword;

    fn from_str(text: &str) -> Result<Self, NotAPassword> {
        let typed = Typed::new(text);
        if LENGTH.contains(&typed.0.chars().count()) {
            Ok(Self(typed))
        } else {
            Err(NotAPassword)
        }
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        text.parse().map_err(de::Error::custom)
    }
}

/// The passwords of all who can sign in. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    pool: PgPool,
    pepper: Arc<Zeroizing<[u8; 32]>>,
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Credentials {
    /// The credentials in this database, peppered by this vault.
    #[must_use]
    pub fn new(pool: PgPool, vault: &Vault) -> Self {
        Self {
            pool,
            pepper: Arc::new(Zeroizing::new(vault.mac("password-pepper", b""))),
            places: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: Arc::default(),
        }
    }

    /// Gives `principal`, who has no session yet, this password.
    pub async fn change(&self, principal: &str, password: &Password) -> Result<(), CredentialError> {
        let hashed = self.hash(password).await?;
        self.replace(principal, &hashed, None).await
    }

    /// The password as it is kept: the slow part, before anything changes.
    pub async fn hash(&self, password: &Password) -> Result<Hashed, CredentialError> {
        let typed = password.0.clone();
        self.work(move |argon2| hashed(argon2, &typed)).await?.map(Hashed)
    }

    /// Gives `principal` this password instead of any they had, and ends all their sessions, except perhaps the one in use:
    /// both or neither.
    pub async fn replace(
        &self,
        principal: &str,
        Hashed(hash): &Hashed,
        except: Option<Uuid>,
    ) -> Result<(), CredentialError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!(
            "insert into vault.credentials (principal, hash, changed_at) values ($1, $2, clock_timestamp())
                 on conflict (principal) do update set hash = excluded.hash, changed_at = excluded.changed_at",
            principal,
            hash,
        )
        .execute(&mut *transaction)
        .await?;
        sessions::end(&mut transaction, principal, except).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether this is the password of `principal`. For nobody it takes as long as for somebody, and says no.
    pub async fn check(&self, principal: Option<&str>, typed: &Typed) -> Result<bool, CredentialError> {
        // Nobody is looked up, too: what takes longer tells who exists.
        let known = sqlx::query_scalar!(
            "select hash from vault.credentials where principal = $1",
            principal.unwrap_or_default()
        )
        .fetch_optional(&self.pool)
        .await?;
        let typed = typed.clone();
        self.work(move |argon2| match known {
            Some(known) => matches(argon2, &typed, &known),
            None => hashed(argon2, &typed).map(|_| false),
        })
        .await?
    }

    /// When `principal` got the password they have now; none if they have none. For nobody it is asked, too.
    pub async fn changed_at(&self, principal: Option<&str>) -> Result<Option<Timestamp>, CredentialError> {
        let changed_at = sqlx::query_scalar!(
            r#"select changed_at as "changed_at: SqlxTimestamp" from vault.credentials where principal = $1"#,
            principal.unwrap_or_default()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(changed_at.map(SqlxTimestamp::to_jiff))
    }

    /// Forgets the password of `principal` and ends their sessions: nobody is or gets in as them any more.
    pub async fn forget(&self, principal: &str) -> Result<(), CredentialError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query!("delete from vault.credentials where principal = $1", principal)
            .execute(&mut *transaction)
            .await?;
        sessions::end(&mut transaction, principal, None).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Works on a hash when there is a place for it, or says at once that too many wait.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, CredentialError> {
        let _turn = Turn::take(&self.waiting).ok_or(CredentialError::Busy)?;
        let failed = |error: &dyn fmt::Display| CredentialError::Hash(error.to_string());
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|error| failed(&error))?;
        let pepper = Arc::clone(&self.pepper);
        let worked = tokio::task::spawn_blocking(move || {
            // Held here and not by whoever waits: a caller who goes away must not let another hash begin.
            let _place = place;
            let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
            let argon2 = Argon2::new_with_secret(&**pepper, Algorithm::Argon2id, Version::V0x13, params)?;
            Ok::<_, argon2::Error>(work(&argon2))
        });
        worked
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }
}

fn hashed(argon2: &Argon2<'_>, typed: &Typed) -> Result<String, CredentialError> {
    let hash: password_hash::Result<PasswordHash> = argon2.hash_password(typed.0.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| CredentialError::Hash(error.to_string()))
}

fn matches(argon2: &Argon2<'_>, typed: &Typed, known: &str) -> Result<bool, CredentialError> {
    let known = PasswordHash::new(known).map_err(|error| CredentialError::Hash(error.to_string()))?;
    Ok(argon2.verify_password(typed.0.as_bytes(), &known).is_ok())
}

/// A turn among those who are worked on or wait.
struct Turn<'a>(&'a AtomicUsize);

impl<'a> Turn<'a> {
    fn take(waiting: &'a AtomicUsize) -> Option<Self> {
        let turn = Self(waiting);
        (waiting.fetch_add(1, Ordering::Relaxed) < HASHES_AT_ONCE + WAITING_MAX).then_some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_64_characters_of_any_kind() {
        for fine in ["12345678", "비밀번호입니다요", &"가".repeat(64)] {
            assert!(fine.parse::<Password>().is_ok(), "{fine}");
        }
        for bad in ["", "1234567", &"a".repeat(65), &"a".repeat(2000)] {
            assert_eq!(bad.parse::<Password>().err(), Some(NotAPassword), "{bad}");
        }
    }

    #[test]
    fn a_password_is_spelt_in_one_way_and_never_shown() {
        let composed: Password = "강남점강남점강남".parse().expect("a password");
        let parts: String = "강남점강남점강남".nfd().collect();
        assert_eq!(*composed.typed().0, *Typed::new(&parts).0);
        assert_eq!(format!("{composed:?}"), "Password(Typed(…))");
    }

    #[test]
    fn turns_are_bounded_and_given_back() {
        let waiting = AtomicUsize::new(0);
        let turns: Vec<_> = (0..HASHES_AT_ONCE + WAITING_MAX)
            .map_while(|_| Turn::take(&waiting))
            .collect();
        assert_eq!(turns.len(), HASHES_AT_ONCE + WAITING_MAX);
        assert!(Turn::take(&waiting).is_none(), "one too many");
        drop(turns);
        assert!(Turn::take(&waiting).is_some());
    }

    #[test]
    fn a_hash_needs_its_pepper() {
        let params = || Params::new(MEMORY_KIB, PASSES, LANES, None).expect("sound");
        let with = |pepper: &'static [u8]| {
            Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params()).expect("sound")
        };
        let typed = Typed::new("correct horse");
        let hash = hashed(&with(b"ours"), &typed).expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches(&with(b"ours"), &typed, &hash).expect("readable"));
        assert!(!matches(&with(b"theirs"), &typed, &hash).expect("readable"));
        assert!(!matches(&with(b"ours"), &Typed::new("other"), &hash).expect("readable"));
    }
}
