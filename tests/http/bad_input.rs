//! Whatever is sent, no answer is the server's fault, and nothing half done is left.

use jiff::{Timestamp, ToSpan as _};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{contract, field::Field};
use crate::support::{api::Call, house::Sale, process::ADMIN_TOKEN};

/// Requests of each kind; the seed is fixed, so that a failure comes again.
const CASES: usize = 300;

/// Any JSON, with words our bodies use among its keys and texts.
fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 16] = [
        "time_slot",
        "seats",
        "persons",
        "party_size",
        "best_available",
        "name",
        "phone",
        "agreements",
        "payment",
        "coupon",
        "on_site",
        "A1",
        "adult",
        "title",
        "plan",
        "terms",
    ];
    let word = prop_oneof![
        proptest::sample::select(&WORDS[..]).prop_map(str::to_owned),
        any::<String>()
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        Just(Value::from(Uuid::nil().to_string())),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn runner() -> TestRunner {
    TestRunner::new_with_rng(
        Config::default(),
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_is_the_servers_fault() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let mut runner = runner();
    let id = Uuid::now_v7();
    let paths = [
        "/v1/reservations".to_owned(),
        "/v1/reservations/look-up".to_owned(),
        "/v1/reservations/search".to_owned(),
        "/v1/reservations/301422961418752000/place".to_owned(),
        format!("/v1/time-slots/{id}/schedule"),
        format!("/v1/branches/{id}/open"),
        format!("/v1/auditoriums/{id}/draw-layout"),
        format!("/v1/price-policies/{id}/adopt"),
        "/v1/coupons/7KQ4MZ2H/issue".to_owned(),
        format!("/v1/time-slots/{slot}/seats/A1/block"),
    ];
    for case in 0..CASES {
        let path = &paths[case % paths.len()];
        let body = any_json().new_tree(&mut runner).unwrap().current();
        let request = client
            .post(format!("http://{}{path}", field.address()))
            .bearer_auth(ADMIN_TOKEN)
            .json(&body);
        let answer = request.send().await.unwrap();
        let (status, _, text) = contract::heard(&Method::POST, path, answer).await;
        assert!(status < 500, "{path} {body}: {status} {text}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_or_query_is_the_servers_fault() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let mut runner = runner();
    let paths = [
        "/v1/time-slots/{}",
        "/v1/reservations/{}",
        "/v1/branches?cursor={}",
        "/v1/audit/{}/x",
        "/v1/audit/seat/{}",
        "/v1/time-slots?branch=00000000-0000-0000-0000-000000000000&date={}",
        "/v1/coupons?code={}",
        "/{}",
        "/v1/time-slots?theme={}",
        "/v1/movies?limit={}",
        "/v1/audit/events?from={}",
        "/v1/coupons/{}/issue",
        "/problems/{}/x",
        "/v1/branches?min_position={}",
    ];
    for case in 0..CASES {
        let text = any::<String>().new_tree(&mut runner).unwrap().current();
        let text = encoded(&text);
        let path = paths[case % paths.len()].replace("{}", &text);
        let method = if case % 7 == 0 { Method::POST } else { Method::GET };
        let address = format!("http://{}{path}", field.address());
        let answer = client
            .request(method.clone(), &address)
            .bearer_auth(ADMIN_TOKEN)
            .send()
            .await
            .unwrap();
        let (status, media, text) = contract::heard(&method, &path, answer).await;
        assert!(status < 500, "{path}: {status} {text}");
        assert!(status < 400 || media == "application/problem+json", "{path}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extreme_numbers_and_moments_are_answered() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let map = format!("/v1/time-slots/{slot}/seat-map");
    for path in [
        format!("{map}?position={}", i64::MAX),
        format!("{map}?position=-1"),
        format!("{map}?at=9999-12-31T23:59:59Z"),
        format!("{map}?at=-009999-01-01T00:00:00Z"),
        "/v1/time-slots?branch=00000000-0000-0000-0000-000000000000&date=9999-12-31".to_owned(),
        format!(
            "/v1/audit/events?after_position={}&before_position={}",
            i64::MIN,
            i64::MAX
        ),
        "/v1/audit/events?from=-009999-01-01T00:00:00Z&before=9999-12-31T00:00:00Z".to_owned(),
        "/v1/reservations?from=9999-12-31T00:00:00Z".to_owned(),
        format!("/v1/reservations/{}", i64::MAX),
        format!("/v1/reservations/{}", u64::MAX),
    ] {
        let answer = client
            .get(format!("http://{}{path}", field.address()))
            .bearer_auth(ADMIN_TOKEN);
        let answer = answer.send().await.unwrap();
        let (status, _, text) = contract::heard(&Method::GET, &path, answer).await;
        assert!(status < 500, "{path}: {status} {text}");
    }
    let plan = json!({ "plan": { "branch": Uuid::nil(), "show": { "kind": "theme", "theme": Uuid::nil(), "party_min": 0,
        "party_max": 255 }, "starts_at": "9999-12-30T00:00:00Z", "ends_at": "9999-12-30T22:00:00Z",
        "sales_open_at": "-009999-01-02T00:00:00Z", "sales_close_at": "9999-12-30T00:00:00Z",
        "price_policy": Uuid::nil(), "price_version": 1, "seats_per_customer_max": 1, "hold_minutes": 10,
        "hold_cap_minutes": 20, "cancel_minutes": 65535 } });
    let schedule = format!(
        "http://{}/v1/time-slots/{}/schedule",
        field.address(),
        Uuid::now_v7()
    );
    let answer = client
        .post(schedule)
        .bearer_auth(ADMIN_TOKEN)
        .json(&plan)
        .send()
        .await
        .unwrap();
    assert!(answer.status().as_u16() < 500);
    field.close().await;
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        write!(encoded, "%{byte:02X}").expect("a string grows");
        encoded
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_slot_at_the_end_of_time_is_refused_and_no_fault() {
    let field = Field::open().await;
    let (screening, session) = (
        field.house.screening(&field.api, 1, 5, Sale::Long).await,
        field.house.session(&field.api, Sale::Long).await,
    );
    let last = Timestamp::MAX;
    for (slot, starts_at, slug) in [
        // The movie would end behind the last moment; so would cleaning and turnover.
        (screening, last - 30.minutes(), "programme/too-short"),
        (screening, last - 1.hour(), "time-slot/inconsistent-plan"),
        (session, last - 1.hour(), "time-slot/inconsistent-plan"),
    ] {
        let known = Call::get(format!("/v1/admin/time-slots/{slot}")).by_staff();
        let mut plan = field.api.done(&known).await.json()["state"].take();
        plan.as_object_mut().expect("a slot").remove("state");
        for name in ["starts_at", "sales_close_at"] {
            plan[name] = json!(starts_at);
        }
        plan["ends_at"] = json!(last);
        let path = format!("/v1/time-slots/{}/schedule", Uuid::now_v7());
        let answer = field.api.ask(&Call::admin(path, json!({ "plan": plan }))).await;
        answer.refused(422, slug);
    }
    field.close().await;
}
