//! The `Idempotency-Key` header: what makes a repeated request one; never stores anything itself.

use std::collections::{BTreeMap, BTreeSet};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Serialize;
use serde_json::Value;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{problem::Problem, problems};
use crate::{store::IdempotencyKey, vault::Vault};

/// Characters of a key: few enough to store.
pub(super) const LENGTH: std::ops::RangeInclusive<usize> = 1..=128;
/// Characters of a stranger's key: enough that keys of strangers don't meet (128 bits in base64).
pub(super) const STRANGERS_MIN: usize = 22;

/// Different characters a stranger's key has at least: a random one has more, and one that has fewer can be guessed.
const DIFFERENT_MIN: usize = 8;

/// The key a caller sent, if any.
#[derive(Debug)]
pub struct Key(Option<String>);

impl Key {
    /// The key of one part of a request that is many commands: each is remembered on its own.
    #[must_use]
    pub fn part(&self, name: &str) -> Self {
        Self(self.0.as_ref().map(|key| format!("{key}\n{name}")))
    }

    /// The key bound to who sent it and to the typed command, so that `010-…` and `+82 10…` are one request.
    pub fn bind(
        self,
        vault: &Vault,
        scope: String,
        command: &impl Serialize,
    ) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = self.0 else {
            return Ok(None);
        };
        // Keyed too: what is remembered must not let anybody ask again in the caller's name.
        let key = vault.mac("idempotency-key", key.as_bytes());
        let key = URL_SAFE_NO_PAD.encode(key);
        let unwritable = |error: serde_json::Error| {
            tracing::error!(%error, "a command could not be written");
            Problem::new(&problems::FAULT, "the request could not be answered")
        };
        // Keyed: a command can hold a phone number, and a plain hash of one is easily undone.
        let fingerprint = vault.mac(
            "idempotency-fingerprint",
            &canonical(command).map_err(unwritable)?,
        );
        Ok(Some(IdempotencyKey {
            scope,
            key,
            fingerprint,
        }))
    }
}

/// A command as bytes that stay the same while the program changes: fields in the order of their names, and those that
/// say nothing left out. A retry may meet a newer program than the first attempt did.
fn canonical(command: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    fn ordered(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields: BTreeMap<String, Value> = fields.into_iter().collect();
                let said = fields.into_iter().filter(|(_, value)| !value.is_null());
                Value::Object(said.map(|(name, value)| (name, ordered(value))).collect())
            }
            Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
        }
    }
    serde_json::to_vec(&ordered(serde_json::to_value(command)?))
}

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let malformed = || {
            let detail = "an Idempotency-Key has 1 to 128 printable characters, for example a random UUID";
            Problem::new(&problems::MALFORMED_HEADER, detail)
        };
        let text = header.to_str().map_err(|_| malformed())?.trim();
        // The draft standard writes a quoted string; most clients write it bare.
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        if LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Some(text.to_owned())))
        } else {
            Err(malformed())
        }
    }
}

/// The key of somebody without a name, long enough; whoever has a name has keys of their own.
#[derive(Debug)]
pub struct StrangersKey(pub Key);

impl<S: Sync> FromRequestParts<S> for StrangersKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = Key::from_request_parts(parts, state).await?;
        match &key.0 {
            Some(text) if is_guessable(text) => {
                let detail = "an Idempotency-Key has 22 to 128 printable characters, 8 different ones among them, \
                              for example a random UUID";
                Err(Problem::new(&problems::MALFORMED_HEADER, detail))
            }
            Some(_) | None => Ok(Self(key)),
        }
    }
}

/// Whoever guesses the key of a stranger's hold is answered with its secret.
fn is_guessable(key: &str) -> bool {
    let different: BTreeSet<u8> = key.bytes().collect();
    key.len() < STRANGERS_MIN || different.len() < DIFFERENT_MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::MasterSecret;

    #[derive(Debug, Serialize)]
    struct Before {
        name: &'static str,
        seats: u8,
    }

    #[derive(Debug, Serialize)]
    struct After {
        seats: u8,
        note: Option<&'static str>,
        name: &'static str,
    }

    fn fingerprint(command: &impl Serialize) -> [u8; 32] {
        let key = Key(Some("0192d3a0-0000-7000-8000-00000000000k".to_owned()));
        let vault = Vault::new(&MasterSecret::new([1; 32]));
        let bound = key.bind(&vault, "test".to_owned(), command);
        bound.expect("it can be written").expect("a key").fingerprint
    }

    #[test]
    fn a_request_is_the_same_for_a_program_that_has_grown_since() {
        let before = Before { name: "a", seats: 2 };
        let after = |seats, note| After {
            seats,
            note,
            name: "a",
        };
        assert_eq!(fingerprint(&before), fingerprint(&after(2, None)));
        assert_eq!(fingerprint(&[before]), fingerprint(&[after(2, None)]));
        assert_ne!(fingerprint(&after(2, None)), fingerprint(&after(3, None)));
        assert_ne!(fingerprint(&after(2, None)), fingerprint(&after(2, Some("b"))));
    }
}
