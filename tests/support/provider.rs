//! An `OpenID` provider on this machine: keys that can change, tokens that can be forged; never a mock of anything of ours.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jari::oidc::OidcArgs;
use jiff::Timestamp;
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        RSA_PKCS1_SHA256,
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

pub const ISSUER: &str = "https://accounts.example.com";
pub const CLIENT_ID: &str = "jari.apps.example.com";

const RSA_A: &str = include_str!("../fixtures/only-for-tests-rsa-a.txt");
const RSA_B: &str = include_str!("../fixtures/only-for-tests-rsa-b.txt");

/// A key pair with its name.
pub struct Pair {
    pub kid: &'static str,
    secret: Secret,
}

enum Secret {
    Rsa(Box<RsaKeyPair>),
    P256(Vec<u8>),
}

impl Pair {
    fn rsa(kid: &'static str, text: &str) -> Self {
        let der = STANDARD
            .decode(text.split_whitespace().collect::<String>())
            .unwrap();
        let secret = Secret::Rsa(Box::new(RsaKeyPair::from_pkcs8(&der).unwrap()));
        Self { kid, secret }
    }

    /// The key the provider begins with.
    pub fn first() -> Self {
        Self::rsa("first", RSA_A)
    }

    /// The key it has later, or that somebody else has.
    pub fn second(kid: &'static str) -> Self {
        Self::rsa(kid, RSA_B)
    }

    /// A key on P-256, made anew.
    pub fn p256(kid: &'static str) -> Self {
        let der =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let secret = Secret::P256(der.as_ref().to_vec());
        Self { kid, secret }
    }

    /// Its public half as RFC 7517 writes it.
    pub fn jwk(&self) -> Value {
        match &self.secret {
            Secret::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
                json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
                    "n": text(&n), "e": text(&e) })
            }
            Secret::P256(der) => {
                let pair = ec(der, false);
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid,
                    "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]) })
            }
        }
    }

    fn sign(&self, message: &[u8], der: bool) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Secret::P256(key) => ec(key, der).sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }
}

fn ec(der: &[u8], asn1: bool) -> EcdsaKeyPair {
    let way = if asn1 {
        &ECDSA_P256_SHA256_ASN1_SIGNING
    } else {
        &ECDSA_P256_SHA256_FIXED_SIGNING
    };
    EcdsaKeyPair::from_pkcs8(way, der, &SystemRandom::new()).unwrap()
}

/// How a token is to be signed.
pub enum Signed<'a> {
    By(&'a Pair),
    /// The same, written as ASN.1.
    InDer(&'a Pair),
    /// With a shared secret.
    Hmac(&'a [u8]),
    /// So.
    As(&'a [u8]),
}

/// A token of any header and claims.
pub fn token(header: &Value, claims: &Value, signed: &Signed<'_>) -> String {
    raw(&header.to_string(), &claims.to_string(), signed)
}

/// A token of any two texts.
pub fn raw(header: &str, claims: &str, signed: &Signed<'_>) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = match signed {
        Signed::By(pair) => pair.sign(message.as_bytes(), false),
        Signed::InDer(pair) => pair.sign(message.as_bytes(), true),
        Signed::Hmac(secret) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
        }
        Signed::As(bytes) => bytes.to_vec(),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a sound header says.
pub fn header(pair: &Pair) -> Value {
    let alg = match pair.secret {
        Secret::Rsa(_) => "RS256",
        Secret::P256(_) => "ES256",
    };
    json!({ "alg": alg, "kid": pair.kid, "typ": "JWT" })
}

/// What a sound token claims.
pub fn claims(subject: &str, nonce: &str) -> Value {
    let now = Timestamp::now().as_second();
    json!({ "iss": ISSUER, "aud": CLIENT_ID, "azp": CLIENT_ID, "sub": subject, "iat": now, "exp": now + 3600,
        "nonce": nonce, "email": format!("{subject}@example.com"), "email_verified": true, "name": "김하늘" })
}

/// These claims with others in place.
pub fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// These claims without one.
pub fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

/// A provider that answers with what it was told last.
pub struct Provider {
    port: u16,
    answer: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Provider {
    /// Starts it with these keys.
    pub async fn start(keys: &[&Pair]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer = Arc::new(Mutex::new(String::new()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { break };
                    request.push(byte);
                }
                assert!(request.starts_with(b"GET /keys HTTP/1.1\r\n"), "asked otherwise");
                count.fetch_add(1, Ordering::SeqCst);
                let text = answers.lock().unwrap().clone();
                // Whoever has read enough goes away.
                let _gone = stream.write_all(text.as_bytes()).await;
            }
        });
        let provider = Self {
            port,
            answer,
            asked,
            task,
        };
        provider.publish(keys);
        provider
    }

    /// From now on it has these keys.
    pub fn publish(&self, keys: &[&Pair]) {
        let keys: Vec<Value> = keys.iter().map(|pair| pair.jwk()).collect();
        self.answer_with("200 OK", "", &json!({ "keys": keys }).to_string());
    }

    /// From now on it answers so.
    pub fn answer_with(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        *self.answer.lock().unwrap() = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\
             connection: close\r\n\r\n{body}"
        );
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The settings of a server that takes its accounts.
    pub fn settings(&self) -> OidcArgs {
        OidcArgs {
            google_client_id: Some(CLIENT_ID.to_owned()),
            oidc_issuer: ISSUER.to_owned(),
            oidc_jwks_url: format!("http://127.0.0.1:{}/keys", self.port).parse().unwrap(),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}
