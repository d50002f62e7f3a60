//! Who leaves is forgotten to the end, though their request was cut off in the middle.

use serde_json::{Value, json};

use super::{Field, HttpArgs, Pair, Provider, profile, signed_in, sound};
use crate::support::{api::Call, house::Sale, process::Server, standstill::Standstill, waiting::eventually};

/// So short that a request is cut off where it stands still.
const REQUEST_SECONDS: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_without_a_password_is_forgotten_though_their_farewell_was_cut_off() {
    let key = Pair::first();
    let provider = Provider::start(&[&key]).await;
    let oidc = provider.settings();
    let field = Field::configured(|http| HttpArgs {
        oidc,
        request_seconds: REQUEST_SECONDS,
        ..http
    })
    .await;
    let api = &field.api;
    let session = signed_in(api, &sound(api, &key, "haneul").await).await;
    let id = profile(api, &session).await["id"].clone();
    let slot = field.house.screening(api, 1, 3, Sale::Long).await;
    let hold = api
        .done(&Call::hold(slot, &["A1"]).with_token(&session))
        .await
        .hold();
    api.done(&Call::place(&hold, None).with_token(&session)).await;
    let room = field.house.session(api, Sale::Long).await;
    api.done(&Call::hold_room(room, 2)).await;
    let wait = json!({ "party_size": 2, "name": "김하늘", "phone": "010-1234-5678" });
    let wait = Call::post(format!("/v1/time-slots/{room}/waitlist"), wait).with_token(&session);
    let entry = api.done(&wait).await.json()["entry"].clone();
    assert_eq!(entry["state"], "waiting", "{entry}");

    // No list moves, so nobody knows what there is to be forgotten.
    let lists = Standstill::of(&field.database, "read_models.checkpoints").await;
    let (id_token, nonce) = sound(api, &key, "haneul").await;
    let leave = json!({ "id_token": id_token, "nonce": nonce });
    let leave = Call::post("/v1/customer/leave", leave).with_token(&session);
    api.ask(&leave).await.refused(503, "server/timed-out");
    // Whoever has left is nobody, on every route.
    let another = Call::hold(slot, &["A3"]).with_token(&session);
    for call in [Call::get("/v1/customer").with_token(&session), another, leave] {
        api.ask(&call).await.refused(401, "request/unauthorized");
    }
    lists.end().await;

    let database = field.database.client().await;
    let left = "select (select count(*) from vault.subject_keys
                         where subject = 'customer:' || $1 or subject = 'reservation:' || $2
                            or subject = 'reservation:' || $3)
                     + (select count(*) from vault.sessions where principal = 'customer:' || $1)";
    let known: [&str; 3] = [
        id.as_str().unwrap(),
        &hold.number,
        entry["number"].as_str().unwrap(),
    ];
    eventually("everything is forgotten", || async {
        let row = database.query_one(left, &[&known[0], &known[1], &known[2]]).await;
        (row.expect("a count").get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    let shown = api.done(&Call::show(&hold)).await.json();
    assert_eq!(shown["placed"]["name"], Value::Null, "{shown}");
    let waited = Call::get(format!("/v1/waitlist-entries/{}", known[2])).by_staff();
    assert_eq!(api.done(&waited).await.json()["state"], "left");
    let anew = signed_in(api, &sound(api, &key, "haneul").await).await;
    assert_ne!(profile(api, &anew).await["id"], id, "somebody nobody knows");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_left_before_a_server_stopped_is_forgotten_when_the_next_one_starts() {
    let field = Field::open().await;
    let api = &field.api;
    let token = super::customer(api, "haneul@example.com", "하늘").await;
    let id = profile(api, &token).await["id"].as_str().unwrap().to_owned();
    let sessions = Standstill::of(&field.database, "vault.sessions").await;
    let leave = json!({ "password": super::PASSWORD });
    let leave = Call::post("/v1/customer/leave", leave).with_token(&token);
    // It is not waited for longer than a moment.
    assert_eq!(api.ask(&leave).await.status, 202);
    sessions.felt().await;
    sessions.end().await;
    // Another server finishes what it finds, as often as it likes.
    let mut other = Server::start(&field.database.url()).await;
    let database = field.database.client().await;
    eventually("they are forgotten", || async {
        let left = "select (select count(*) from vault.subject_keys where subject = 'customer:' || $1)
                         + (select count(*) from vault.credentials) + (select count(*) from vault.sessions)";
        let row = database.query_one(left, &[&id]).await;
        (row.expect("a count").get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    assert!(other.stop().success());
    field.close().await;
}
