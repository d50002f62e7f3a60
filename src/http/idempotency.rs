//! The `Idempotency-Key` header: what makes a repeated request one; never stores anything itself.

use std::fmt::Debug;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{problem::Problem, problems};
use crate::{store::IdempotencyKey, vault::Vault};

/// Characters of a key: few enough to store.
const LENGTH: std::ops::RangeInclusive<usize> = 1..=128;
/// Characters of a stranger's key: enough that keys of strangers don't meet (128 bits in base64).
const STRANGERS_MIN: usize = 22;

/// The key a caller sent, if any.
#[derive(Debug)]
pub struct Key(Option<String>);

impl Key {
    /// The key bound to who sent it and to the typed command, so that `010-…` and `+82 10…` are one request.
    #[must_use]
    pub fn bind(self, vault: &Vault, scope: String, command: &impl Debug) -> Option<IdempotencyKey> {
        let key = self.0?;
        // Keyed: a command can hold a phone number, and a plain hash of one is easily undone.
        let fingerprint = vault.mac("idempotency-fingerprint", format!("{command:?}").as_bytes());
        Some(IdempotencyKey {
            scope,
            key,
            fingerprint,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get("idempotency-key") else {
            return Ok(Self(None));
        };
        let malformed = || {
            let detail = "an Idempotency-Key has 1 to 128 printable characters, for example a UUID";
            Problem::new(&problems::MALFORMED_HEADER, detail)
        };
        let text = header.to_str().map_err(|_| malformed())?.trim();
        // The draft standard writes a quoted string; most clients write it bare.
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        let fits = LENGTH.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits {
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
            Some(text) if text.len() < STRANGERS_MIN => Err(Problem::new(
                &problems::MALFORMED_HEADER,
                "an Idempotency-Key has 22 to 128 printable characters, for example a UUID",
            )),
            Some(_) | None => Ok(Self(key)),
        }
    }
}
