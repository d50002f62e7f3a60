//! Tokens that must not be believed, each for one reason: all are refused, and all alike.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{SIGN_IN, bring, nonce, open, sound};
use crate::support::{
    api::Call,
    provider::{CLIENT_ID, ISSUER, Pair, Signed, claims, header, raw, token, with, without},
};

/// A broken token: why, the token, and the nonce that is sent with it.
struct Broken {
    why: String,
    token: String,
    nonce: String,
}

/// What broken tokens are made of.
struct Forge {
    /// The provider's keys.
    rsa: Pair,
    p256: Pair,
    /// Somebody else's under the provider's name.
    theirs: Pair,
    made: Vec<Broken>,
}

impl Forge {
    fn add(&mut self, why: &str, token: String, nonce: &str) {
        self.made.push(Broken {
            why: why.to_owned(),
            token,
            nonce: nonce.to_owned(),
        });
    }

    /// Soundly signed, with another header.
    fn headed(&mut self, why: &str, nonce: &str, changes: Value) {
        let header = with(header(&self.rsa), changes);
        let token = token(&header, &claims("haneul", nonce), &Signed::By(&self.rsa));
        self.add(why, token, nonce);
    }

    /// Soundly signed, with other claims.
    fn claiming(&mut self, why: &str, nonce: &str, changes: Value) {
        let claims = with(claims("haneul", nonce), changes);
        let token = token(&header(&self.rsa), &claims, &Signed::By(&self.rsa));
        self.add(why, token, nonce);
    }

    /// Soundly signed, without a claim.
    fn lacking(&mut self, name: &str, nonce: &str) {
        let claims = without(claims("haneul", nonce), name);
        let token = token(&header(&self.rsa), &claims, &Signed::By(&self.rsa));
        self.add(&format!("without {name}"), token, nonce);
    }

    /// A sound token.
    fn sound(&self, nonce: &str) -> String {
        token(
            &header(&self.rsa),
            &claims("haneul", nonce),
            &Signed::By(&self.rsa),
        )
    }

    fn keys(&mut self, nonce: &str) {
        let claims = claims("haneul", nonce);
        let rsa = header(&self.rsa);
        let with_alg = |alg: &str| with(rsa.clone(), json!({ "alg": alg }));
        self.add(
            "signed by another key",
            token(&rsa, &claims, &Signed::By(&self.theirs)),
            nonce,
        );
        for none in ["none", "None", "NONE", ""] {
            let unsigned = token(&with_alg(none), &claims, &Signed::As(b""));
            self.add(&format!("alg {none:?}, unsigned"), unsigned, nonce);
            let signed = token(&with_alg(none), &claims, &Signed::By(&self.rsa));
            self.add(&format!("alg {none:?}, signed"), signed, nonce);
        }
        let public = self.rsa.jwk();
        let modulus = URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
        for (what, secret) in [
            ("modulus", modulus.as_slice()),
            ("key as JSON", public.to_string().as_bytes()),
            ("nothing", b""),
        ] {
            let shared = token(&with_alg("HS256"), &claims, &Signed::Hmac(secret));
            self.add(&format!("HS256 with the public key: {what}"), shared, nonce);
            let disguised = token(&rsa, &claims, &Signed::Hmac(secret));
            self.add(&format!("the same said to be RS256: {what}"), disguised, nonce);
        }
        for alg in ["rs256", "RS512", "PS256", "ES256", "EdDSA", "RS256 "] {
            self.headed(&format!("alg {alg:?}"), nonce, json!({ "alg": alg }));
        }
        let crossed = with(header(&self.p256), json!({ "alg": "RS256" }));
        self.add(
            "RS256 by a P-256 key",
            token(&crossed, &claims, &Signed::By(&self.p256)),
            nonce,
        );
        let p256 = header(&self.p256);
        self.add(
            "ES256 in ASN.1",
            token(&p256, &claims, &Signed::InDer(&self.p256)),
            nonce,
        );
        self.add(
            "ES256 of zeros",
            token(&p256, &claims, &Signed::As(&[0; 64])),
            nonce,
        );
        let headless = without(rsa.clone(), "kid");
        self.add(
            "without kid",
            token(&headless, &claims, &Signed::By(&self.rsa)),
            nonce,
        );
        let headless = without(rsa, "alg");
        self.add(
            "without alg",
            token(&headless, &claims, &Signed::By(&self.rsa)),
            nonce,
        );
        for kid in [
            json!("unknown"),
            json!("third"),
            json!(1),
            json!(""),
            json!("../../first"),
            json!(["first"]),
        ] {
            self.headed(&format!("kid {kid}"), nonce, json!({ "kid": kid }));
        }
    }

    fn headers(&mut self, nonce: &str) {
        let mut own = self.theirs.jwk();
        own["kid"] = json!("mine");
        let brought = json!({ "alg": "RS256", "kid": "mine", "jwk": own });
        let claims = claims("haneul", nonce);
        self.add(
            "brings its key",
            token(&brought, &claims, &Signed::By(&self.theirs)),
            nonce,
        );
        for (name, value) in [
            ("jwk", own),
            ("jku", json!("https://evil.example/keys")),
            ("x5u", json!("https://evil.example/chain")),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("typ", json!("at+jwt")),
        ] {
            self.headed(&format!("header {name}"), nonce, json!({ name: value }));
        }
        let twice = r#"{"alg":"none","alg":"RS256","kid":"first"}"#;
        let sound = claims.to_string();
        self.add("alg twice", raw(twice, &sound, &Signed::By(&self.rsa)), nonce);
        self.add("no header", raw("[]", &sound, &Signed::By(&self.rsa)), nonce);
    }

    fn claimed(&mut self, nonce: &str) {
        let now = Timestamp::now().as_second();
        for (why, changes) in [
            ("expired", json!({ "exp": now - 60 })),
            ("exp in 1970", json!({ "exp": 0 })),
            ("exp as a text", json!({ "exp": (now + 3600).to_string() })),
            ("exp in ten years", json!({ "exp": now + 315_360_000 })),
            ("exp at the end of numbers", json!({ "exp": i64::MAX })),
            ("issued tomorrow", json!({ "iat": now + 3600 })),
            ("issued last week", json!({ "iat": now - 604_800 })),
            ("not before tomorrow", json!({ "nbf": now + 3600 })),
            ("another audience", json!({ "aud": "other.apps.example.com" })),
            ("no audience", json!({ "aud": [] })),
            (
                "audience and others, without azp",
                json!({ "aud": [CLIENT_ID, "other"], "azp": null }),
            ),
            ("asked for by another", json!({ "azp": "other.apps.example.com" })),
            ("another issuer", json!({ "iss": "https://evil.example" })),
            ("issuer with a slash", json!({ "iss": format!("{ISSUER}/") })),
            (
                "Google's, where another is configured",
                json!({ "iss": "https://accounts.google.com" }),
            ),
            ("another nonce", json!({ "nonce": "another" })),
            ("nonce as a list", json!({ "nonce": [nonce] })),
            ("sub as a number", json!({ "sub": 12345 })),
            ("sub empty", json!({ "sub": "" })),
            ("sub null", json!({ "sub": null })),
            ("sub too long", json!({ "sub": "1".repeat(256) })),
            ("sub with a gap", json!({ "sub": "haneul x" })),
            ("sub with NUL", json!({ "sub": "haneul\u{0}" })),
            ("email_verified as a text", json!({ "email_verified": "true" })),
        ] {
            self.claiming(why, nonce, changes);
        }
        for name in ["iss", "aud", "sub", "exp", "iat", "nonce"] {
            self.lacking(name, nonce);
        }
        let sound = claims("haneul", nonce).to_string();
        let twice = sound.replacen('{', r#"{"sub":"victim","#, 1);
        let header = header(&self.rsa).to_string();
        for (why, claims) in [
            ("sub twice", twice.as_str()),
            ("claims in a list", "[]"),
            ("claims of nothing", " "),
            ("claims not in UTF-8", "\u{fffd}{"),
        ] {
            self.add(why, raw(&header, claims, &Signed::By(&self.rsa)), nonce);
        }
    }

    fn shapes(&mut self, nonce: &str) {
        let sound = self.sound(nonce);
        let parts: Vec<&str> = sound.split('.').collect();
        let [head, body, signature] = parts[..] else {
            panic!("three parts");
        };
        let victim = with(claims("haneul", nonce), json!({ "sub": "victim" })).to_string();
        let padded = URL_SAFE.encode(claims("haneul", nonce).to_string() + " ");
        for (why, token) in [
            ("empty", String::new()),
            ("no token", "token".to_owned()),
            ("dots", "..".to_owned()),
            ("without signature", format!("{head}.{body}.")),
            ("without its last part", format!("{head}.{body}")),
            ("cut off", sound[..sound.len() - 4].to_owned()),
            ("one more part", format!("{sound}.{signature}")),
            (
                "five parts",
                format!("{head}.{body}.{signature}.{body}.{signature}"),
            ),
            (
                "other claims under the same signature",
                format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(victim)),
            ),
            ("padded", format!("{head}.{padded}.{signature}=")),
            (
                "in the other alphabet",
                format!("{head}.{}.{signature}", STANDARD.encode(b"\xfb\xff\xfe")),
            ),
            ("not in base64", format!("{head}.{body}.!{}", &signature[1..])),
            ("with gaps", format!(" {sound}")),
            ("with a line end", format!("{sound}\n")),
            ("as a bearer", format!("Bearer {sound}")),
            ("huge", format!("{head}.{}.{signature}", "A".repeat(40_000))),
        ] {
            self.add(why, token, nonce);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_token_is_refused_whatever_is_wrong_and_all_are_refused_alike() {
    let rsa = Pair::first();
    let (field, provider) = open(&rsa).await;
    let api = &field.api;
    let p256 = Pair::p256("third");
    provider.publish(&[&rsa, &p256]);
    let mut forge = Forge {
        rsa,
        p256,
        theirs: Pair::second("first"),
        made: Vec::new(),
    };
    // None of them spends it.
    let open = nonce(api).await;
    forge.keys(&open);
    forge.headers(&open);
    forge.claimed(&open);
    forge.shapes(&open);
    forge.add(
        "for a nonce of nobody",
        forge.sound("never given out"),
        "never given out",
    );
    let other = nonce(api).await;
    forge.add("for another open nonce", forge.sound(&other), &open);
    let late = nonce(api).await;
    let database = field.database.client().await;
    let aged = "update vault.sign_in_nonces set ends_at = clock_timestamp() - interval '1 second'
                  where ends_at = (select max(ends_at) from vault.sign_in_nonces)";
    assert_eq!(database.execute(aged, &[]).await.expect("a superuser may"), 1);
    forge.add("for a nonce that has ended", forge.sound(&late), &late);
    let spent = sound(api, &forge.rsa, "haneul").await;
    assert_eq!(bring(api, &spent).await.status, 201);
    forge.add("for a nonce that was used", spent.0, &spent.1);
    let mut refusals = Vec::new();
    for Broken { why, token, nonce } in &forge.made {
        let answer = api
            .ask(&Call::post(SIGN_IN, json!({ "id_token": token, "nonce": nonce })))
            .await;
        let mut problem: Value = answer.json();
        problem["instance"] = Value::Null;
        assert_eq!(answer.status, 401, "{why}: {answer}");
        refusals.push(problem);
    }
    assert!(
        refusals.windows(2).all(|pair| pair[0] == pair[1]),
        "{refusals:#?}"
    );
    println!("{} broken tokens refused alike", refusals.len());
    assert!(refusals.len() >= 40);
    // The nonce they were made for is still open, and what is not broken is believed.
    let fine = (forge.sound(&open), open);
    assert_eq!(bring(api, &fine).await.status, 201);
    assert!(provider.asked() <= 2, "{}", provider.asked());
    field.close().await;
}
