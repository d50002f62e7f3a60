//! An `id_token`: read strictly, its signature checked before anything in it is believed, then what it claims; never where its
//! keys come from, and never more of a token in a message than why it is wrong.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use subtle::ConstantTimeEq as _;

use super::keys::Key;

/// Characters of a token at most; Google's have some 1,200.
const LENGTH_MAX: usize = 8 * 1024;
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
/// The longest a token may be valid, in seconds: none of a provider lives for a week.
const VALID_MAX: i64 = 24 * 60 * 60;

/// The algorithms a token may be signed with; both need the provider's private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA with SHA-256, which Google uses.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// Why a token is not to be believed. Callers are never told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Longer than any token.
    #[error("it is too long")]
    TooLong,
    /// Not three parts in base64url.
    #[error("it does not have three parts in base64url")]
    Parts,
    /// The header is no header.
    #[error("its header cannot be read")]
    Header,
    /// The header says where to find a key, or asks for what we do not know.
    #[error("its header brings a key along or is critical")]
    HeaderBrings,
    /// Signed in a way that is not allowed, or not at all.
    #[error("its algorithm is not allowed")]
    Algorithm,
    /// It does not say by which key.
    #[error("it names no key")]
    NoKey,
    /// The provider has no such key.
    #[error("the provider has no such key")]
    UnknownKey,
    /// Somebody else has signed it, or it was changed.
    #[error("its signature is wrong")]
    Signature,
    /// The claims are no claims.
    #[error("its claims cannot be read")]
    Claims,
    /// From another provider.
    #[error("another issuer")]
    Issuer,
    /// For another service.
    #[error("another audience")]
    Audience,
    /// Too old.
    #[error("it has expired")]
    Expired,
    /// From the future.
    #[error("it is not valid yet")]
    NotYet,
    /// Not for this sign-in.
    #[error("another nonce")]
    Nonce,
    /// Nobody.
    #[error("its subject is none")]
    Subject,
    /// The nonce was used, has expired, or was never given out.
    #[error("the nonce is not open")]
    NonceSpent,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<IgnoredAny>,
    #[serde(default)]
    b64: Option<IgnoredAny>,
    #[serde(default)]
    zip: Option<IgnoredAny>,
    #[serde(default)]
    jku: Option<IgnoredAny>,
    #[serde(default)]
    jwk: Option<IgnoredAny>,
    #[serde(default)]
    x5u: Option<IgnoredAny>,
    #[serde(default)]
    x5c: Option<IgnoredAny>,
}

/// A token that can be read, and is not to be believed yet.
pub(super) struct Token<'a> {
    algorithm: Algorithm,
    kid: String,
    message: &'a [u8],
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Reads a token.
    pub fn parse(text: &'a str) -> Result<Self, Wrong> {
        if text.len() > LENGTH_MAX {
            return Err(Wrong::TooLong);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(Wrong::Parts);
        };
        let bytes = |part: &str| match URL_SAFE_NO_PAD.decode(part) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            Ok(_) | Err(_) => Err(Wrong::Parts),
        };
        let message = &text.as_bytes()[..header.len() + 1 + claims.len()];
        let (header, claims, signature) = (bytes(header)?, bytes(claims)?, bytes(signature)?);
        let header: Header = serde_json::from_slice(&header).map_err(|_| Wrong::Header)?;
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            _ => return Err(Wrong::Algorithm),
        };
        let brought = [
            header.jku,
            header.jwk,
            header.x5u,
            header.x5c,
            header.crit,
            header.b64,
            header.zip,
        ];
        if brought.iter().any(Option::is_some) {
            return Err(Wrong::HeaderBrings);
        }
        if header.typ.is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT")) {
            return Err(Wrong::Header);
        }
        Ok(Self {
            algorithm,
            kid: header.kid.ok_or(Wrong::NoKey)?,
            message,
            claims,
            signature,
        })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What it claims, if this key has signed it.
    pub fn signed_by(&self, key: &Key) -> Result<Claims, Wrong> {
        if !key.has_signed(self.algorithm, self.message, &self.signature) {
            return Err(Wrong::Signature);
        }
        serde_json::from_slice(&self.claims).map_err(|_| Wrong::Claims)
    }
}

/// What a token claims. A claim that stands there twice is refused, whoever has signed it.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
    nonce: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub email_verified: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token must say.
pub(super) struct Expected<'a> {
    pub issuers: [&'a str; 2],
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

impl Claims {
    /// Whether it is from the provider, for us, valid now, and for this sign-in.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Wrong> {
        let now = expected.now.as_second();
        if !expected.issuers.contains(&self.iss.as_str()) {
            return Err(Wrong::Issuer);
        }
        if !self.is_for(expected.client_id) {
            return Err(Wrong::Audience);
        }
        if self.exp <= now - LEEWAY {
            return Err(Wrong::Expired);
        }
        if self.iat > now + LEEWAY || self.nbf.is_some_and(|from| from > now + LEEWAY) {
            return Err(Wrong::NotYet);
        }
        // Both are near now from here on, so that nothing overflows.
        if self.exp > now + VALID_MAX || self.iat < now - VALID_MAX {
            return Err(Wrong::Expired);
        }
        let same: bool = self.nonce.as_bytes().ct_eq(expected.nonce.as_bytes()).into();
        if !same {
            return Err(Wrong::Nonce);
        }
        Ok(())
    }

    /// Whether the service is meant, and nobody but the service has asked for it.
    fn is_for(&self, client_id: &str) -> bool {
        let (named, others) = match &self.aud {
            Audience::One(one) => (one == client_id, false),
            Audience::Many(many) => (many.iter().any(|one| one == client_id), many.len() != 1),
        };
        let asked_by = match self.azp.as_deref() {
            Some(azp) => azp == client_id,
            None => !others,
        };
        named && asked_by
    }
}
