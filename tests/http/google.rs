//! Signing in with an account at a provider: only sound tokens are believed, and only the account says who somebody is.

mod broken;
mod leaving;

use jari::config::HttpArgs;
use serde_json::{Value, json};

use super::{customers::customer, field::Field};
use crate::support::{
    api::{Answer, Api, Call},
    provider::{Pair, Provider, Signed, claims, header, token, with},
    staff::PASSWORD,
};

const SIGN_IN: &str = "/v1/customer/sessions/google";

/// A server that takes accounts of a provider with this key.
async fn open(key: &Pair) -> (Field, Provider) {
    let provider = Provider::start(&[key]).await;
    let field = accepting(&provider).await;
    (field, provider)
}

async fn accepting(provider: &Provider) -> Field {
    let oidc = provider.settings();
    Field::configured(|http| HttpArgs { oidc, ..http }).await
}

/// A nonce that is open.
async fn nonce(api: &Api) -> String {
    let given = api
        .done(&Call::post("/v1/customer/sign-in-nonces", json!({})))
        .await
        .json();
    given["nonce"].as_str().expect("a nonce").to_owned()
}

/// A sound token for this account, and its nonce.
async fn sound(api: &Api, key: &Pair, subject: &str) -> (String, String) {
    changed(api, key, subject, json!({})).await
}

/// The same with other claims.
async fn changed(api: &Api, key: &Pair, subject: &str, changes: Value) -> (String, String) {
    let nonce = nonce(api).await;
    let claims = with(claims(subject, &nonce), changes);
    (token(&header(key), &claims, &Signed::By(key)), nonce)
}

async fn bring(api: &Api, (token, nonce): &(String, String)) -> Answer {
    api.ask(&Call::post(SIGN_IN, json!({ "id_token": token, "nonce": nonce })))
        .await
}

/// The token of the session that begins.
async fn signed_in(api: &Api, brought: &(String, String)) -> String {
    let begun = bring(api, brought).await;
    assert_eq!(begun.status, 201, "{begun}");
    begun.json()["token"].as_str().expect("a token").to_owned()
}

async fn profile(api: &Api, token: &str) -> Value {
    api.done(&Call::get("/v1/customer").with_token(token))
        .await
        .json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_at_the_provider_is_one_customer_whatever_its_e_mail_address_becomes() {
    let key = Pair::first();
    let (field, provider) = open(&key).await;
    let api = &field.api;
    let first = signed_in(api, &sound(api, &key, "haneul").await).await;
    let known = profile(api, &first).await;
    assert_eq!(known["email"], "haneul@example.com");
    assert_eq!(known["linked"], true);
    assert_eq!(known["birth_date"], Value::Null);
    assert!(
        known["nickname"].as_str().unwrap().starts_with("손님-"),
        "{known}"
    );
    let moved = json!({ "email": "moved@example.com" });
    let again = signed_in(api, &changed(api, &key, "haneul", moved).await).await;
    assert_eq!(profile(api, &again).await["id"], known["id"]);
    // Another account that has the address now is somebody else.
    let taken = json!({ "email": "haneul@example.com" });
    bring(api, &changed(api, &key, "other", taken).await)
        .await
        .refused(409, "customer/email-in-use");
    // A token for us and others counts if we have asked for it; so does a single audience in a list.
    for audience in [
        json!(["jari.apps.example.com", "other"]),
        json!(["jari.apps.example.com"]),
    ] {
        let both = changed(api, &key, "haneul", json!({ "aud": audience })).await;
        assert_eq!(bring(api, &both).await.status, 201);
    }
    // Case counts in what the provider calls somebody.
    let unlike = json!({ "email": "upper@example.com" });
    let other = signed_in(api, &changed(api, &key, "HANEUL", unlike).await).await;
    assert_ne!(profile(api, &other).await["id"], known["id"]);
    assert_eq!(provider.asked(), 1, "the keys are kept");
    let database = field.database.client().await;
    let everything =
        "select string_agg(e.aggregate_id || e.payload::text || e.metadata::text, '') from events e";
    let text: String = database.query_one(everything, &[]).await.unwrap().get(0);
    for secret in ["haneul", "accounts.example.com", "손님-"] {
        assert!(!text.contains(secret), "{secret}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_equal_e_mail_address_opens_no_account_until_its_owner_links_it() {
    let key = Pair::first();
    let (field, _provider) = open(&key).await;
    let api = &field.api;
    let owner = customer(api, "haneul@example.com", "하늘").await;
    let own = profile(api, &owner).await;
    let brought = sound(api, &key, "haneul").await;
    let refused = bring(api, &brought).await;
    refused.refused(409, "customer/email-in-use");
    let help = refused.json()["help"].clone();
    assert!(
        help.as_str().unwrap().contains("/v1/customer/link-google"),
        "{help}"
    );
    // The nonce is spent.
    bring(api, &brought).await.refused(401, "sign-in/wrong-token");
    let link = async |token: &str, subject: &str, password: &str| {
        let (id_token, nonce) = sound(api, &key, subject).await;
        let body = json!({ "id_token": id_token, "nonce": nonce, "password": password });
        api.ask(&Call::post("/v1/customer/link-google", body).with_token(token))
            .await
    };
    link(&owner, "haneul", "wrong horse battery")
        .await
        .refused(401, "sign-in/wrong-credentials");
    for _ in 0..2 {
        let linked = link(&owner, "haneul", PASSWORD).await;
        assert_eq!(
            (linked.status, &linked.json()["linked"]),
            (200, &json!(true)),
            "{linked}"
        );
    }
    let session = signed_in(api, &sound(api, &key, "haneul").await).await;
    assert_eq!(profile(api, &session).await["id"], own["id"]);
    link(&owner, "another", PASSWORD)
        .await
        .refused(409, "customer/already-linked");
    let bada = customer(api, "bada@example.com", "바다").await;
    link(&bada, "haneul", PASSWORD).await.refused(409, "claim/taken");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_signs_up_with_an_address_that_is_not_verified() {
    let key = Pair::first();
    let (field, _provider) = open(&key).await;
    let api = &field.api;
    for unverified in [
        json!({ "email_verified": false }),
        json!({ "email_verified": null }),
        json!({ "email": null }),
        json!({ "email": "no address" }),
    ] {
        bring(api, &changed(api, &key, "haneul", unverified).await)
            .await
            .refused(403, "sign-in/email-not-verified");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_from_the_provider_sets_a_password_and_leaves_by_a_fresh_token() {
    let key = Pair::first();
    let (field, _provider) = open(&key).await;
    let api = &field.api;
    let session = signed_in(api, &sound(api, &key, "haneul").await).await;
    let ask = async |path: &str, body: Value| {
        let call = Call::post(format!("/v1/customer/{path}"), body).with_token(&session);
        api.ask(&call).await
    };
    ask("change-password", json!({ "new": PASSWORD }))
        .await
        .refused(422, "request/invalid-fields");
    ask("change-password", json!({ "current": "", "new": PASSWORD }))
        .await
        .refused(401, "sign-in/wrong-credentials");
    let (id_token, nonce) = sound(api, &key, "somebody-else").await;
    ask("leave", json!({ "id_token": id_token, "nonce": nonce }))
        .await
        .refused(401, "sign-in/wrong-token");
    ask("leave", json!({ "id_token": id_token }))
        .await
        .refused(422, "request/invalid-fields");
    let (id_token, nonce) = sound(api, &key, "haneul").await;
    let first = json!({ "id_token": id_token, "nonce": nonce, "new": PASSWORD });
    assert_eq!(ask("change-password", first).await.status, 204);
    super::customers::token(api, "haneul@example.com").await;
    let (id_token, nonce) = sound(api, &key, "haneul").await;
    let left = ask("leave", json!({ "id_token": id_token, "nonce": nonce })).await;
    assert_eq!(left.status, 204, "{left}");
    // The account begins anew, as somebody nobody knows.
    let anew = signed_in(api, &sound(api, &key, "haneul").await).await;
    assert_eq!(profile(api, &anew).await["birth_date"], Value::Null);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_keys_are_found_and_made_up_ones_are_not_looked_for_each_time() {
    let (old, new, p256) = (Pair::first(), Pair::second("second"), Pair::p256("third"));
    let (field, provider) = open(&old).await;
    let api = &field.api;
    signed_in(api, &sound(api, &old, "haneul").await).await;
    provider.publish(&[&new, &p256]);
    signed_in(api, &sound(api, &new, "haneul").await).await;
    assert_eq!(provider.asked(), 2, "the new key was looked for");
    signed_in(api, &sound(api, &p256, "haneul").await).await;
    bring(api, &sound(api, &old, "haneul").await)
        .await
        .refused(401, "sign-in/wrong-token");
    for _ in 0..5 {
        let made_up = sound(api, &Pair::second("made up"), "haneul").await;
        bring(api, &made_up).await.refused(401, "sign-in/wrong-token");
    }
    assert_eq!(provider.asked(), 2, "not again so soon");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_cannot_be_asked_lets_nobody_in_and_is_not_followed_elsewhere() {
    let key = Pair::first();
    for answer in ["moved", "failing", "endless", "no keys"] {
        let provider = Provider::start(&[]).await;
        let elsewhere = Provider::start(&[&key]).await;
        let keys = json!({ "keys": [key.jwk()] }).to_string();
        let location = format!("location: {}\r\n", "http://127.0.0.1:1/keys");
        match answer {
            "moved" => provider.answer_with("302 Found", &location, &keys),
            "failing" => provider.answer_with("500 Internal Server Error", "", &keys),
            "endless" => provider.answer_with("200 OK", "", &format!("{keys}{}", " ".repeat(70_000))),
            _ => provider.answer_with("200 OK", "", "<html>"),
        }
        let field = accepting(&provider).await;
        let api = &field.api;
        let refused = bring(api, &sound(api, &key, "haneul").await).await;
        refused.refused(503, "sign-in/provider-away");
        assert!(refused.retry_after.is_some());
        // Nor is it asked again at once.
        let asked = provider.asked();
        bring(api, &sound(api, &key, "haneul").await)
            .await
            .refused(503, "sign-in/provider-away");
        assert!(provider.asked() <= asked + 1);
        assert_eq!(elsewhere.asked(), 0);
        field.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_it_is_said_that_there_is_none() {
    let field = Field::open().await;
    let api = &field.api;
    for call in [
        Call::post("/v1/customer/sign-in-nonces", json!({})),
        Call::post(SIGN_IN, json!({ "id_token": "a.b.c", "nonce": "n" })),
    ] {
        api.ask(&call).await.refused(404, "sign-in/not-offered");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_at_once_are_one_customer() {
    let key = Pair::first();
    let (field, _provider) = open(&key).await;
    let api = &field.api;
    let (one, other) = (sound(api, &key, "haneul").await, sound(api, &key, "haneul").await);
    let (one, other) = tokio::join!(signed_in(api, &one), signed_in(api, &other));
    assert_eq!(profile(api, &one).await["id"], profile(api, &other).await["id"]);
    field.close().await;
}
