//! A request sent again with its key has one effect and the same answer; its key is of no use for another request.

use reqwest::Method;
use serde_json::json;

use super::field::Field;
use crate::support::{api::Call, house::Sale};

const KEY: &str = "0192d3a0-0000-7000-8000-00000000000k";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_hold_is_the_same_hold() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = Call::hold(slot, &["A1"]).with_key(KEY);
    let first = field.api.done(&hold).await;
    let again = field.api.done(&hold).await;
    assert_eq!(
        (first.status, first.repeated, &first.body),
        (again.status, false, &again.body)
    );
    assert!(again.repeated);
    assert_eq!(first.position, again.position);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_to_a_repeat_is_the_first_one_whatever_happened_since() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let hold = Call::hold_room(slot, 2).with_key(KEY);
    let first = field.api.done(&hold).await;
    field.api.done(&Call::step(&first.hold(), "release")).await;
    let again = field.api.done(&hold).await;
    assert_eq!(first.body, again.body);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_repeat_of_a_change_that_changed_nothing_changes_nothing() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A3"])).await.hold();
    let change = |seat: &str| Call::change(&hold, &[seat]);
    let first = field.api.done(&change("A3").with_key(KEY)).await;
    field.api.done(&change("A4")).await;
    let again = field.api.done(&change("A3").with_key(KEY)).await;
    assert!(again.repeated);
    assert_eq!(first.body, again.body);
    let seats = &field.api.done(&Call::show(&hold)).await.json()["seats"];
    assert_eq!(*seats, json!(["A4"]));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_what_stood_in_the_way_and_an_auditor_can_look_it_up() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let taken = field.api.done(&Call::hold(slot, &["A1"])).await;
    let refused = field.api.ask(&Call::hold(slot, &["A1"])).await;
    refused.refused(409, "seat/taken");
    let problem = refused.json();
    let position = problem["blocked_by"]["position"].as_i64().unwrap();
    assert!(position <= taken.position.unwrap());
    assert!(problem["blocked_by"]["recorded_at"].is_string(), "{problem}");
    let trace = problem["trace"].as_str().unwrap();
    let explained = Call::get(format!("/v1/audit/refusals/{trace}")).by_staff();
    let explained = field.api.done(&explained).await.json();
    assert_eq!(explained["blocked_by"]["event"], json!("SeatHeld"));
    assert_eq!(explained["blocked_by"]["position"], json!(position));
    field
        .api
        .ask(&Call::get("/v1/audit/refusals/1.madeup").by_staff())
        .await
        .refused(404, "request/no-such-thing");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_one_request() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.api.done(&Call::hold(slot, &["A1"]).with_key(KEY)).await;
    field
        .api
        .ask(&Call::hold(slot, &["A2"]).with_key(KEY))
        .await
        .refused(422, "request/key-reused");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_request_may_be_tried_again_under_its_key() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let first = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let second = Call::hold_room(slot, 2).with_key(KEY);
    field.api.ask(&second).await.refused(409, "seat/taken");
    field.api.done(&Call::step(&first, "release")).await;
    assert!(!field.api.done(&second).await.repeated);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spellings_of_the_same_request_are_one() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let mut talk = field.talk();
    talk.speaking_as(Some(&hold.token));
    let path = format!("/v1/reservations/{}/place", hold.number);
    for phone in ["010-1234-5678", "+82 10 1234 5678"] {
        let body = json!({ "name": "김하늘", "phone": phone, "payment": "on_site",
            "agreements": { "privacy": true, "house_rules": true } });
        let answer = talk
            .ask(Method::POST, &path, Some(body), &[("idempotency-key", KEY)])
            .await;
        assert_eq!(answer["state"], "placed", "{answer}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_can_be_guessed_is_refused_and_none_is_stored_as_it_is() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    for easy in [
        "0000000000000000000000",
        "abcabcabcabcabcabcabcabc",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let hold = Call::hold(slot, &["A1"]).with_key(easy);
        field
            .api
            .ask(&hold)
            .await
            .refused(400, "request/malformed-header");
    }
    field.api.done(&Call::hold(slot, &["A1"]).with_key(KEY)).await;
    let db = field.database.client().await;
    let stored = db
        .query("select key from idempotency_keys", &[])
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.get::<_, String>(0))
        .collect::<Vec<_>>();
    assert!(!stored.is_empty());
    let noted: Vec<String> = db
        .query("select metadata ->> 'idempotency_key' from events where metadata ->> 'idempotency_key' is not null", &[])
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.get(0))
        .collect();
    assert!(!noted.is_empty());
    assert!(
        stored.iter().chain(&noted).all(|key| !key.contains(KEY)),
        "{stored:?} {noted:?}"
    );
    field.close().await;
}
