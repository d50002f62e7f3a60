//! The `Idempotency-Key` header: what makes a repeated request one; never stores anything itself.

use std::{collections::BTreeSet, fmt::Debug};

use axum::{extract::FromRequestParts, http::request::Parts};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{problem::Problem, problems};
use crate::{store::IdempotencyKey, vault::Vault};

/// Characters of a key: enough that keys of strangers don't meet (128 bits in base64), few enough to store.
const LENGTH: std::ops::RangeInclusive<usize> = 22..=128;

/// Different characters a key has at least: a random one has more, and one that has fewer can be guessed.
const DIFFERENT_MIN: usize = 8;

/// The key a caller sent, if any.
#[derive(Debug)]
pub struct Key(Option<String>);

impl Key {
    /// The key bound to who sent it and to the typed command, so that `010-…` and `+82 10…` are one request.
    #[must_use]
    pub fn bind(self, vault: &Vault, scope: String, command: &impl Debug) -> Option<IdempotencyKey> {
        let key = self.0?;
        // Keyed too: what is remembered must not let anybody ask again in the caller's name.
        let key = vault.mac("idempotency-key", key.as_bytes());
        let key = URL_SAFE_NO_PAD.encode(key);
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
            let detail = "an Idempotency-Key has 22 to 128 printable characters, 8 different ones among them, \
                          for example a random UUID";
            Problem::new(&problems::MALFORMED_HEADER, detail)
        };
        let text = header.to_str().map_err(|_| malformed())?.trim();
        // The draft standard writes a quoted string; most clients write it bare.
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        let different: BTreeSet<u8> = text.bytes().collect();
        let fits = LENGTH.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && different.len() >= DIFFERENT_MIN;
        if fits {
            Ok(Self(Some(text.to_owned())))
        } else {
            Err(malformed())
        }
    }
}
