//! The keys tickets are signed with: the newest signs, older ones stay good; their secret halves are sealed under the master
//! secret and never leave the vault.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::PgPool;

use super::{Vault, sealing::SubjectKey};
use crate::ticket::{KeyId, PublicKey, Ticket, TicketError, verify};

/// How long keys are kept in memory: after that a new one of another process signs here too.
const KEPT: Duration = Duration::from_secs(60);
/// How often an unknown key is looked for at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When the keys were read, and which they were.
type Read = (Instant, Arc<Ring>);

/// The keys of one server. Cheap to clone.
#[derive(Clone)]
pub struct TicketKeys {
    pool: PgPool,
    sealing: SubjectKey,
    ring: Arc<RwLock<Option<Read>>>,
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKeys(…)")
    }
}

/// One key as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Id and key.
    pub key: PublicKey,
    /// Since when it signs, or did.
    pub begun_at: Timestamp,
}

/// All keys there are, the newest first.
struct Ring {
    id: KeyId,
    signing: SigningKey,
    published: Vec<Published>,
    public: Vec<PublicKey>,
}

impl TicketKeys {
    /// The keys that stand in this database, sealed by this vault.
    #[must_use]
    pub fn new(pool: PgPool, vault: &Vault) -> Self {
        Self {
            pool,
            sealing: vault.ticket_sealing(),
            ring: Arc::default(),
        }
    }

    /// The code of a ticket, signed with the newest key; the first one is made when it is needed.
    pub async fn sign(&self, ticket: &Ticket) -> sqlx::Result<String> {
        let ring = self.ring(KEPT).await?;
        Ok(ticket.signed(ring.id, &ring.signing))
    }

    /// What a code says, if one of the keys signed it.
    pub async fn verify(&self, code: &str) -> sqlx::Result<Result<Ticket, TicketError>> {
        let read = verify(code, &self.ring(KEPT).await?.public);
        // Another process may have begun a key just now.
        match read {
            Err(TicketError::UnknownKey) => Ok(verify(code, &self.ring(LOOK_EVERY).await?.public)),
            Ok(_) | Err(TicketError::Unreadable | TicketError::WrongSignature) => Ok(read),
        }
    }

    /// All keys that tickets are checked by, the newest first.
    pub async fn published(&self) -> sqlx::Result<Vec<Published>> {
        Ok(self.ring(LOOK_EVERY).await?.published.clone())
    }

    /// Signs with a new key from now on; tickets of the older ones stay good.
    pub async fn rotate(&self) -> sqlx::Result<()> {
        let seed = SubjectKey::random();
        // What is taken already is drawn again.
        let mut written = 0;
        while written == 0 {
            let id: i32 = rand::random_range(1..=i32::MAX);
            let public = SigningKey::from_bytes(&seed.to_bytes()).verifying_key();
            written = sqlx::query!(
                "insert into vault.ticket_keys (key_id, public_key, sealed) values ($1, $2, $3)
                     on conflict do nothing",
                id,
                public.as_bytes(),
                self.sealing.wrap(&seed, &place(id)),
            )
            .execute(&self.pool)
            .await?
            .rows_affected();
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// The keys as they were not longer ago than this.
    async fn ring(&self, kept: Duration) -> sqlx::Result<Arc<Ring>> {
        let known = self.ring.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, ring)) = known
            && read_at.elapsed() < kept
        {
            return Ok(ring);
        }
        let read_at = Instant::now();
        let ring = if let Some(ring) = self.read().await? {
            ring
        } else {
            self.rotate().await?;
            self.read().await?.ok_or(sqlx::Error::RowNotFound)?
        };
        let ring = Arc::new(ring);
        let mut place = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some((read_at, Arc::clone(&ring)));
        Ok(ring)
    }

    async fn read(&self) -> sqlx::Result<Option<Ring>> {
        let rows = sqlx::query!(
            r#"select key_id, sealed, begun_at as "begun_at: SqlxTimestamp" from vault.ticket_keys
                order by begun_at desc, key_id desc"#
        )
        .fetch_all(&self.pool)
        .await?;
        let mut newest = None;
        let mut published = Vec::new();
        for row in rows {
            let unopenable =
                || sqlx::Error::Decode(format!("ticket key {} does not open", row.key_id).into());
            let seed = self.sealing.unwrap(&row.sealed, &place(row.key_id));
            let signing = SigningKey::from_bytes(&seed.ok_or_else(unopenable)?.to_bytes());
            let id = KeyId(row.key_id.unsigned_abs());
            published.push(Published {
                key: PublicKey::of(id, &signing.verifying_key()),
                begun_at: row.begun_at.to_jiff(),
            });
            newest.get_or_insert((id, signing));
        }
        Ok(newest.map(|(id, signing)| Ring {
            id,
            signing,
            public: published.iter().map(|key| key.key.clone()).collect(),
            published,
        }))
    }
}

/// Where a secret half opens, and nowhere else.
fn place(id: i32) -> String {
    format!("ticket key {id}")
}
