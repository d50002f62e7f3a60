//! Secrets: keys of persons' values, sealing and keyed hashes. Never writes a secret anywhere, and never meets an event.
//!
//! Everything comes from one master secret: it wraps the keys of persons, and its derivations hash what must be found
//! again without being readable. A person's values are sealed with AES-256-GCM under a key of that person's alone;
//! destroying that one key erases them, wherever they are stored.

mod credentials;
mod deliveries;
pub mod leases;
mod nonces;
mod places;
mod progress;
mod sealing;
mod sessions;
mod ticket_keys;

use std::{fmt, time::Duration};

use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use moka::sync::Cache;
use sha2::Sha256;
use smol_str::SmolStr;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use credentials::{CredentialError, Credentials, Hashed, NotAPassword, Password, Typed};
pub use deliveries::{ATTEMPTS_MAX, Claimed, Deliveries, Delivery, Ended, Planned, Resent};
pub use nonces::{Nonce, Nonces};
pub use places::Places;
pub use progress::Progress;
pub use sealing::{NewKey, SubjectKey, Unopenable};
pub use sessions::{Lifetime, Session, Sessions, Token};
pub use ticket_keys::{Published, TicketKeys};

/// How many keys of persons are kept in memory.
const KEYS_MAX: u64 = 20_000;
/// How long a key is kept: after that an erasure by another process is noticed at the latest.
const KEY_KEPT: Duration = Duration::from_secs(60);

/// Where proofs of refusals open.
const REFUSAL: &str = "refusal";

/// The 32 bytes everything is derived from; wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterSecret(Zeroizing<[u8; 32]>);

impl MasterSecret {
    /// The secret with these bytes, which should come from a cryptographic generator.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret(…)")
    }
}

/// The vault of one process.
pub struct Vault {
    root: Hkdf<Sha256>,
    wrapping: SubjectKey,
    refusals: SubjectKey,
    keys: Cache<SmolStr, SubjectKey>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl Vault {
    /// The vault of this master secret.
    #[must_use]
    pub fn new(secret: &MasterSecret) -> Self {
        let root = Hkdf::<Sha256>::new(Some(b"jari vault"), &*secret.0);
        let wrapping = SubjectKey::from_bytes(&derived(&root, "wrap"));
        let refusals = SubjectKey::from_bytes(&derived(&root, "refusals"));
        Self {
            root,
            wrapping,
            refusals,
            keys: Cache::builder()
                .max_capacity(KEYS_MAX)
                .time_to_live(KEY_KEPT)
                .build(),
        }
    }

    /// A keyed hash of `bytes`: the same for the same purpose and bytes, of no use without the master secret.
    #[must_use]
    pub fn mac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let key = derived(&self.root, &format!("mac {purpose}"));
        match Hmac::<Sha256>::new_from_slice(&*key) {
            Ok(mut mac) => {
                mac.update(bytes);
                mac.finalize().into_bytes().into()
            }
            // HMAC takes keys of any length; were that to change, nothing may match.
            Err(_) => rand::random(),
        }
    }

    /// What tells one master secret from another without giving it away.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        *derived(&self.root, "fingerprint")
    }

    /// A text that says which event stood in the way of a request, and that only this vault can write and read.
    #[must_use]
    pub fn prove_refusal(&self, request: Uuid, position: i64) -> String {
        self.refusals.seal(&format!("{request} {position}"), REFUSAL)
    }

    /// What such a text says: the request, and the position of the event; none if it was not written by this vault.
    #[must_use]
    pub fn read_refusal(&self, proof: &str) -> Option<(Uuid, i64)> {
        let plain = self.refusals.open(proof, REFUSAL).ok()?;
        let (request, position) = plain.split_once(' ')?;
        Some((request.parse().ok()?, position.parse().ok()?))
    }

    /// What seals the secret halves of the keys that sign tickets.
    fn ticket_sealing(&self) -> SubjectKey {
        SubjectKey::from_bytes(&derived(&self.root, "ticket keys"))
    }

    /// A key for a person who has none yet, and its wrapped form to be stored.
    #[must_use]
    pub fn new_key(&self, subject: &str) -> NewKey {
        let key = SubjectKey::random();
        let wrapped = self.wrapping.wrap(&key, subject);
        NewKey { key, wrapped }
    }

    /// The key that was stored wrapped; none if it is not of this vault and this subject.
    #[must_use]
    pub fn unwrap_key(&self, subject: &str, wrapped: &[u8]) -> Option<SubjectKey> {
        self.wrapping.unwrap(wrapped, subject)
    }

    /// The key of a person, if it was used lately.
    #[must_use]
    pub fn cached(&self, subject: &str) -> Option<SubjectKey> {
        self.keys.get(subject)
    }

    /// Remembers a key that is known to be stored.
    pub fn remember(&self, subject: &str, key: SubjectKey) {
        self.keys.insert(SmolStr::new(subject), key);
    }

    /// Forgets a key in memory, because it is gone or turned out to be another one.
    pub fn forget(&self, subject: &str) {
        self.keys.invalidate(subject);
    }

    /// Forgets all keys in memory, because some may be gone.
    pub fn forget_all(&self) {
        self.keys.invalidate_all();
    }
}

fn derived(root: &Hkdf<Sha256>, info: &str) -> Zeroizing<[u8; 32]> {
    let mut bytes = Zeroizing::new([0; 32]);
    if root.expand(info.as_bytes(), &mut *bytes).is_err() {
        // 32 bytes can always be derived; were that to change, a random key opens nothing and leaks nothing.
        *bytes = rand::random();
    }
    bytes
}

/// Bytes as hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(&MasterSecret::new([byte; 32]))
    }

    #[test]
    fn a_proof_of_a_refusal_opens_only_here_and_unaltered() {
        let request = Uuid::now_v7();
        let proof = vault(1).prove_refusal(request, 42);
        assert_eq!(vault(1).read_refusal(&proof), Some((request, 42)));
        assert_eq!(vault(2).read_refusal(&proof), None);
        assert_eq!(vault(1).read_refusal(&proof[..proof.len() - 2]), None);
        assert_eq!(vault(1).read_refusal("made up"), None);
    }

    #[test]
    fn a_keyed_hash_depends_on_secret_purpose_and_bytes() {
        let hash = vault(1).mac("claim", b"a");
        assert_eq!(hash, vault(1).mac("claim", b"a"));
        assert_ne!(hash, vault(2).mac("claim", b"a"));
        assert_ne!(hash, vault(1).mac("token", b"a"));
        assert_ne!(hash, vault(1).mac("claim", b"b"));
    }

    #[test]
    fn a_wrapped_key_is_of_use_only_to_its_vault_and_its_subject() {
        let made = vault(1).new_key("customer:1");
        let sealed = made.key.seal("name", "here");
        let key = vault(1).unwrap_key("customer:1", &made.wrapped).unwrap();
        assert_eq!(key.open(&sealed, "here").unwrap().as_str(), "name");
        assert!(vault(2).unwrap_key("customer:1", &made.wrapped).is_none());
        assert!(vault(1).unwrap_key("customer:2", &made.wrapped).is_none());
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let secret = MasterSecret::new([7; 32]);
        let shown = format!("{secret:?} {:?} {:?}", vault(7), vault(7).new_key("x").key);
        assert!(!shown.contains('7'), "{shown}");
    }
}
