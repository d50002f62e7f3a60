//! One key and what it seals: AES-256-GCM with a random nonce, bound to where the value stands. Never keeps plain text.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Key, KeyInit as _,
    aead::{Aead as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The form of sealed texts, so that another one can come later.
const FORM: &str = "1.";
const NONCE_BYTES: usize = 12;

/// A sealed value that its key does not open: it was altered, moved, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed value was altered, moved, or sealed under another key")]
pub struct Unopenable;

/// The key of one person's values; wiped from memory when dropped.
#[derive(Clone)]
pub struct SubjectKey(Zeroizing<[u8; 32]>);

/// A key just made, and the form in which it is stored.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: SubjectKey,
    /// The key, sealed under the master secret.
    pub wrapped: Vec<u8>,
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(…)")
    }
}

impl SubjectKey {
    pub(super) fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.clone()
    }

    /// Seals a text so that it opens only in `place`.
    #[must_use]
    pub fn seal(&self, plain: &str, place: &str) -> String {
        format!(
            "{FORM}{}",
            URL_SAFE_NO_PAD.encode(self.encrypt(plain.as_bytes(), place))
        )
    }

    /// Opens what was sealed for `place`.
    pub fn open(&self, sealed: &str, place: &str) -> Result<Zeroizing<String>, Unopenable> {
        let text = sealed.strip_prefix(FORM).ok_or(Unopenable)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Unopenable)?;
        let plain = self.decrypt(&bytes, place).ok_or(Unopenable)?;
        std::str::from_utf8(&plain)
            .map(|text| Zeroizing::new(text.to_owned()))
            .map_err(|_| Unopenable)
    }

    pub(super) fn wrap(&self, key: &Self, subject: &str) -> Vec<u8> {
        self.encrypt(&*key.0, subject)
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], subject: &str) -> Option<Self> {
        let plain = self.decrypt(wrapped, subject)?;
        let bytes: &[u8; 32] = plain.as_slice().try_into().ok()?;
        Some(Self::from_bytes(bytes))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&*self.0))
    }

    fn encrypt(&self, plain: &[u8], place: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: plain,
            aad: place.as_bytes(),
        };
        let mut sealed = nonce.to_vec();
        // AES-GCM fails only beyond 64 GiB; what is then stored opens as erased and shows nothing.
        sealed.extend(self.cipher().encrypt(&nonce.into(), payload).unwrap_or_default());
        sealed
    }

    fn decrypt(&self, sealed: &[u8], place: &str) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg,
            aad: place.as_bytes(),
        };
        self.cipher()
            .decrypt(nonce.into(), payload)
            .ok()
            .map(Zeroizing::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let key = SubjectKey::random();
        let sealed = key.seal("010-1234-5678", "reservation:1/1");
        assert_eq!(
            key.open(&sealed, "reservation:1/1").unwrap().as_str(),
            "010-1234-5678"
        );
        assert_eq!(key.open(&sealed, "reservation:2/1"), Err(Unopenable));
        assert_eq!(
            SubjectKey::random().open(&sealed, "reservation:1/1"),
            Err(Unopenable)
        );
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let key = SubjectKey::random();
        assert_ne!(key.seal("name", "here"), key.seal("name", "here"));
    }

    #[test]
    fn an_altered_or_cut_value_does_not_open() {
        let key = SubjectKey::random();
        let sealed = key.seal("name", "here");
        for bad in [
            "",
            "1.",
            "2.AAAA",
            "1.****",
            &sealed[..sealed.len() - 4],
            &format!("{sealed}AAAA"),
        ] {
            assert_eq!(key.open(bad, "here"), Err(Unopenable), "{bad}");
        }
    }
}
