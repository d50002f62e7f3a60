//! The provider's keys: fetched when they are first needed, kept as long as their answer counts, and fetched again when
//! a token names one that is not among them, but not each time somebody makes one up. Never decides whether a token is
//! sound.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{
    fetch::{Fetch, KeysUrl, Unreachable},
    token::Algorithm,
};

/// Keys of one provider at most.
const KEYS_MAX: usize = 32;
/// How often keys are fetched because a token names one that is not known.
const UNKNOWN_EVERY: Duration = Duration::from_secs(30);
/// How soon the provider is asked again that could not be reached.
const IN_VAIN_EVERY: Duration = Duration::from_secs(2);

/// A public key, fit for one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    kid: String,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
}

impl Key {
    /// Whether this key has made the signature; with the algorithm of its own kind and no other.
    pub fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, Algorithm::Rs256) => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                    .is_ok()
            }
            (Material::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signature)
                    .is_ok()
            }
            (Material::Rsa { .. }, Algorithm::Es256) | (Material::P256(_), Algorithm::Rs256) => false,
        }
    }

    const fn fits(&self, algorithm: Algorithm) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa { .. }, Algorithm::Rs256) | (Material::P256(_), Algorithm::Es256) => true,
            (Material::Rsa { .. }, Algorithm::Es256) | (Material::P256(_), Algorithm::Rs256) => false,
        }
    }
}

/// The keys of one provider. Nobody asks twice at the same time: the others wait for the answer.
#[derive(Debug)]
pub(super) struct Keys {
    fetch: Fetch,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Vec<Key>,
    /// Until when they count.
    until: Option<Instant>,
    /// When they were fetched last because of an unknown one.
    sought: Option<Instant>,
    /// When the provider was asked in vain.
    in_vain: Option<Instant>,
}

impl Known {
    fn find(&self, kid: &str, algorithm: Algorithm) -> Option<Key> {
        let found = self.keys.iter().find(|key| key.kid == kid && key.fits(algorithm));
        found.cloned()
    }
}

/// Whether this was longer ago, or never.
fn over(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

impl Keys {
    pub fn at(url: KeysUrl) -> Self {
        Self {
            fetch: Fetch::new(url),
            known: Mutex::default(),
        }
    }

    /// The key that a token names; none if the provider has no such key.
    pub async fn find(&self, kid: &str, algorithm: Algorithm) -> Result<Option<Key>, Unreachable> {
        let mut known = self.known.lock().await;
        let counts = known.until.is_some_and(|until| Instant::now() < until);
        if counts {
            let found = known.find(kid, algorithm);
            if found.is_some() || !over(known.sought, UNKNOWN_EVERY) {
                return Ok(found);
            }
            known.sought = Some(Instant::now());
        }
        if !over(known.in_vain, IN_VAIN_EVERY) {
            return Err(Unreachable::LatelyInVain);
        }
        match self.fetched().await {
            Ok((keys, kept)) => {
                known.keys = keys;
                known.until = Some(Instant::now() + kept);
                known.in_vain = None;
                Ok(known.find(kid, algorithm))
            }
            Err(error) => {
                known.in_vain = Some(Instant::now());
                Err(error)
            }
        }
    }

    async fn fetched(&self) -> Result<(Vec<Key>, Duration), Unreachable> {
        let (body, kept) = self.fetch.get().await?;
        let keys = parse(&body).ok_or(Unreachable::NoKeys)?;
        Ok((keys, kept))
    }
}

/// A key set as RFC 7517 writes it.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: String,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// The keys of a set that are of use to us; none if it is no set.
fn parse(body: &[u8]) -> Option<Vec<Key>> {
    let Set { keys } = serde_json::from_slice(body).ok()?;
    let keys = keys.into_iter().take(KEYS_MAX);
    Some(
        keys.filter_map(|key| Key::of(serde_json::from_value(key).ok()?))
            .collect(),
    )
}

impl Key {
    fn of(written: Written) -> Option<Self> {
        if written.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let alg = written.alg.as_deref();
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
        let material = match (written.kty.as_str(), alg) {
            ("RSA", None | Some("RS256")) => {
                let modulus = bytes(written.n)?;
                // ring takes no leading zeros, which some providers write.
                let begins = modulus.iter().position(|byte| *byte != 0)?;
                Material::Rsa {
                    modulus: modulus[begins..].to_vec(),
                    exponent: bytes(written.e)?,
                }
            }
            ("EC", None | Some("ES256")) if written.crv.as_deref() == Some("P-256") => {
                let (x, y) = (bytes(written.x)?, bytes(written.y)?);
                (x.len() == 32 && y.len() == 32).then(|| Material::P256([vec![4], x, y].concat()))?
            }
            _ => return None,
        };
        Some(Self {
            kid: written.kid,
            material,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_for_signatures_we_know_are_taken() {
        let coordinate = URL_SAFE_NO_PAD.encode([7; 32]);
        let set = json!({ "keys": [
            { "kty": "RSA", "kid": "a", "use": "sig", "alg": "RS256", "n": "AAcH", "e": "AQAB" },
            { "kty": "RSA", "kid": "b", "use": "enc", "n": "Bwc", "e": "AQAB" },
            { "kty": "RSA", "kid": "c", "alg": "RS512", "n": "Bwc", "e": "AQAB" },
            { "kty": "RSA", "kid": "d", "alg": "RS256", "e": "AQAB" },
            { "kty": "EC", "kid": "e", "crv": "P-256", "x": coordinate, "y": coordinate },
            { "kty": "EC", "kid": "f", "crv": "P-384", "x": coordinate, "y": coordinate },
            { "kty": "EC", "kid": "g", "crv": "P-256", "x": "Bwc", "y": coordinate },
            { "kty": "oct", "kid": "h", "k": "Bwc" },
            { "kty": "RSA", "n": "Bwc", "e": "AQAB" },
            7
        ] });
        let keys = parse(set.to_string().as_bytes()).expect("a set");
        let kids: Vec<&str> = keys.iter().map(|key| key.kid.as_str()).collect();
        assert_eq!(kids, ["a", "e"]);
        let Material::Rsa { modulus, .. } = &keys[0].material else {
            panic!("an RSA key");
        };
        assert_eq!(*modulus, [7, 7], "without the leading zero");
        assert!(keys[0].fits(Algorithm::Rs256) && !keys[0].fits(Algorithm::Es256));
    }

    #[test]
    fn what_is_no_set_has_no_keys() {
        for no_set in ["", "[]", "{}", "<html>", r#"{"keys":7}"#] {
            assert_eq!(parse(no_set.as_bytes()), None, "{no_set}");
        }
        assert_eq!(parse(br#"{"keys":[]}"#), Some(vec![]));
    }
}
