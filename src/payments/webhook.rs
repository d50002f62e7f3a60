//! Signatures as the Standard Webhooks specification has them (standardwebhooks.com): who sent a message, and when; never
//! what it says.
//!
//! `webhook-signature` holds one or more `v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`, separated by
//! spaces: one of them, by one of our secrets, is enough, so that secrets can be changed while messages are under way.

use std::{fmt, str::FromStr};

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How old, or how far ahead of us, a message may be.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// Secrets that count at the same time at most.
const SECRETS_MAX: usize = 4;
/// Signatures of one message that are looked at.
const SIGNATURES_MAX: usize = 8;
/// Characters of a message's id.
const ID_MAX: usize = 256;
/// Bytes of a secret, as the specification has them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What a secret begins with when it is written.
const PREFIX: &str = "whsec_";

/// The secrets of a webhook; the first one signs.
#[derive(Clone)]
pub struct Secrets(Vec<Zeroizing<Vec<u8>>>);

/// Why a text holds no secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be whsec_ and the base64 of 24 to 64 bytes; at most 4 of them, separated by commas")]
pub struct NotASecret;

/// Why a message may be anybody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// A header is missing or is none.
    #[error("the header {0} is missing or cannot be read")]
    Header(&'static str),
    /// Too old, or from the future.
    #[error("the message is more than 5 minutes old, or ahead of us")]
    Untimely,
    /// No signature is by a secret of ours.
    #[error("no signature is right")]
    Forged,
}

impl FromStr for Secrets {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let secrets = text.split(',').map(|secret| {
            let plain = secret.trim().strip_prefix(PREFIX)?;
            let bytes = Zeroizing::new(STANDARD.decode(plain).ok()?);
            SECRET_BYTES.contains(&bytes.len()).then_some(bytes)
        });
        let secrets: Option<Vec<_>> = secrets.collect();
        match secrets {
            Some(secrets) if secrets.len() <= SECRETS_MAX => Ok(Self(secrets)),
            Some(_) | None => Err(NotASecret),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    /// The signature of a message by the first secret, as the header has it.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mac = self.0.first().and_then(|secret| mac(secret, id, timestamp, body));
        let bytes = mac.map(|mac| mac.finalize().into_bytes());
        format!("v1,{}", STANDARD.encode(bytes.as_deref().unwrap_or_default()))
    }

    /// The id of a message, if one of the secrets signed it lately.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<String, NotVerified> {
        let header = |name: &'static str| {
            let text = headers.get(name).and_then(|value| value.to_str().ok());
            text.ok_or(NotVerified::Header(name))
        };
        let id = header("webhook-id")?;
        if !(1..=ID_MAX).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotVerified::Header("webhook-id"));
        }
        let timestamp: i64 = header("webhook-timestamp")?
            .parse()
            .map_err(|_| NotVerified::Header("webhook-timestamp"))?;
        let signatures = header("webhook-signature")?;
        let sent = Timestamp::from_second(timestamp).map_err(|_| NotVerified::Untimely)?;
        if now.duration_since(sent).abs() > TOLERANCE {
            return Err(NotVerified::Untimely);
        }
        let ours = signatures
            .split(' ')
            .take(SIGNATURES_MAX)
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
            .any(|signature| {
                // Compared in constant time.
                let by = |secret: &Zeroizing<Vec<u8>>| {
                    mac(secret, id, timestamp, body).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
                };
                self.0.iter().any(by)
            });
        if ours {
            Ok(id.to_owned())
        } else {
            Err(NotVerified::Forged)
        }
    }
}

fn mac(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> Option<Hmac<Sha256>> {
    // Keys of any length are fine for HMAC.
    let mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    Some(mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The example of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a moment")
    }

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let all = [
            ("webhook-id", id),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", signature),
        ];
        let all = all.into_iter().filter(|(_, value)| !value.is_empty());
        all.map(|(name, value)| {
            let name = axum::http::HeaderName::from_static(name);
            (name, value.parse().expect("a header"))
        })
        .collect()
    }

    fn secrets(text: &str) -> Secrets {
        text.parse().expect("secrets")
    }

    #[test]
    fn a_signature_is_that_of_the_specification() {
        let signature = secrets(SECRET).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, BODY);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn one_right_signature_by_one_of_the_secrets_is_enough() {
        let right = secrets(SECRET).sign("m1", 1_000_000, BODY);
        let old = format!("{SECRET},whsec_{}", STANDARD.encode([7; 32]));
        let new = format!("whsec_{},{SECRET}", STANDARD.encode([7; 32]));
        for known in [SECRET, &old, &new] {
            for sent in [right.clone(), format!("v1,AAAA v2,x {right}")] {
                let verified = secrets(known).verify(&headers("m1", "1000000", &sent), BODY, at(1_000_299));
                assert_eq!(verified, Ok("m1".to_owned()));
            }
        }
    }

    #[rstest]
    #[case("", "1000000", "=", BODY, 1_000_000, NotVerified::Header("webhook-id"))]
    #[case("m1", "", "=", BODY, 1_000_000, NotVerified::Header("webhook-timestamp"))]
    #[case("m1", "soon", "=", BODY, 1_000_000, NotVerified::Header("webhook-timestamp"))]
    #[case(
        "m1",
        "1000000",
        "",
        BODY,
        1_000_000,
        NotVerified::Header("webhook-signature")
    )]
    #[case("m1", "1000000", "=", BODY, 1_000_301, NotVerified::Untimely)]
    #[case("m1", "1000000", "=", BODY, 999_699, NotVerified::Untimely)]
    #[case("m1", "999999999999999", "=", BODY, 1_000_000, NotVerified::Untimely)]
    #[case("m2", "1000000", "=", BODY, 1_000_000, NotVerified::Forged)]
    #[case("m1", "1000001", "=", BODY, 1_000_000, NotVerified::Forged)]
    #[case("m1", "1000000", "=", b"{}", 1_000_000, NotVerified::Forged)]
    #[case("m1", "1000000", "v1,AAAA", BODY, 1_000_000, NotVerified::Forged)]
    #[case("m1", "1000000", "v1a,AAAA", BODY, 1_000_000, NotVerified::Forged)]
    fn what_is_missing_old_altered_or_forged_is_refused(
        #[case] id: &str,
        #[case] timestamp: &str,
        #[case] signature: &str,
        #[case] body: &[u8],
        #[case] now: i64,
        #[case] refused: NotVerified,
    ) {
        let right = secrets(SECRET).sign("m1", 1_000_000, BODY);
        let signature = if signature == "=" { &right } else { signature };
        let verified = secrets(SECRET).verify(&headers(id, timestamp, signature), body, at(now));
        assert_eq!(verified, Err(refused));
    }

    #[test]
    fn another_secret_signs_otherwise() {
        let forged = secrets(&format!("whsec_{}", STANDARD.encode([7; 32]))).sign("m1", 1_000_000, BODY);
        let verified = secrets(SECRET).verify(&headers("m1", "1000000", &forged), BODY, at(1_000_000));
        assert_eq!(verified, Err(NotVerified::Forged));
    }

    #[rstest]
    #[case("")]
    #[case("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    #[case("whsec_AAAA")]
    #[case("whsec_é")]
    #[case("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,")]
    fn other_texts_are_no_secrets(#[case] text: &str) {
        assert_eq!(text.parse::<Secrets>().err(), Some(NotASecret));
        let many = [SECRET; SECRETS_MAX + 1].join(",");
        assert_eq!(many.parse::<Secrets>().err(), Some(NotASecret));
        assert_eq!(format!("{:?}", secrets(SECRET)), "Secrets(1)");
    }
}
