//! At the edges of what can be asked: moments, texts and fields no programme has are the caller's fault, and said so.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, ToSpan as _};
use reqwest::{Client, Method};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{api::Call, house::Sale, process::ADMIN_TOKEN, shop::phone, waiting::eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_or_text_that_no_column_holds_is_the_callers_fault() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let branch = field.settled(slot).await["branch"].as_str().unwrap().to_owned();
    let far = "-009999-01-02T01:59:59Z";
    let place = URL_SAFE_NO_PAD.encode(json!([far, Uuid::nil()]).to_string());
    let nul = URL_SAFE_NO_PAD.encode(r#"["a\u0000", "00000000-0000-0000-0000-000000000000"]"#);
    let mut asked = vec![
        format!("/v1/time-slots/{slot}?at={far}"),
        format!("/v1/time-slots/{slot}/seat-map?at={far}"),
        format!("/v1/time-slots/{slot}?at=9999-12-31T00:00:00Z"),
        format!("/v1/time-slots?branch={branch}&date=-004800-01-01"),
        format!("/v1/time-slots?branch={branch}&date=9999-12-31"),
        format!("/v1/time-slots?branch={branch}&cursor={place}"),
        format!("/v1/audit/events?from={far}"),
        format!("/v1/audit/events?before={far}"),
        format!("/v1/reservations?from={far}"),
        format!("/v1/reservations?before={far}"),
        format!("/v1/coupons?valid_at={far}"),
        "/v1/reservations?short_code=%00".to_owned(),
        "/v1/audit/events?kind=seat&id=%00".to_owned(),
        "/v1/audit/seat/%00".to_owned(),
        "/v1/audit/reservation/%00".to_owned(),
        format!("/v1/audit/seat/{}", "x".repeat(600)),
        format!("/v1/audit/events?actor_id={}", "x".repeat(600)),
    ];
    for list in ["movies", "branches", "themes", "auditoriums"] {
        asked.push(format!("/v1/{list}?cursor={nul}"));
    }
    for text in ["kind", "event", "actor_kind", "actor_id"] {
        asked.push(format!("/v1/audit/events?{text}=%00"));
    }
    for path in asked {
        let answer = field.api.ask(&Call::get(path.clone()).by_staff()).await;
        let slug = if path.contains("/audit/seat/") || path.contains("/audit/reservation/") {
            "request/malformed-path"
        } else {
            "request/malformed-query"
        };
        assert_eq!(
            (answer.status, answer.slug().as_str()),
            (400, slug),
            "{path}: {answer}"
        );
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_where_none_is_read_is_refused() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    for path in [
        format!("/v1/time-slots/{slot}/layout?nonsense=1"),
        format!("/v1/admin/time-slots/{slot}?nonsense=1"),
        format!("/v1/time-slots/{slot}?nonsense=1"),
    ] {
        let answer = field.api.ask(&Call::get(path).by_staff()).await;
        answer.refused(400, "request/malformed-query");
    }
    let close = Call::admin(format!("/v1/time-slots/{slot}/close?force=true"), json!({}));
    field
        .api
        .ask(&close)
        .await
        .refused(400, "request/malformed-query");
    let hold = json!({ "time_slot": slot, "seats": ["A1"], "persons": { "adult": 1 } });
    let hold = Call::post("/v1/reservations?price=0", hold);
    field.api.ask(&hold).await.refused(400, "request/malformed-query");
    field.close().await;
}

/// A body as it stands, sent by staff.
async fn sent(field: &Field, path: &str, body: &str) -> (u16, Value) {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.request(Method::POST, format!("http://{}{path}", field.address()));
    let request = request
        .bearer_auth(ADMIN_TOKEN)
        .header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    errors
        .iter()
        .filter_map(|error| error["pointer"].as_str())
        .collect()
}

#[rstest]
#[case::list_for_persons(
    "/v1/reservations",
    r#"{"time_slot":"SLOT","seats":["A1"],"persons":[1,0,0,0]}"#,
    "/persons"
)]
#[case::list_for_agreements(
    "/v1/reservations/HELD/place",
    r#"{"name":"김하늘","phone":"010-1234-5678","payment":"on_site","agreements":[true,true]}"#,
    "/agreements"
)]
#[case::list_for_money("/v1/reservations/HELD/mark-paid", r#"{"amount":[13000,"KRW"]}"#, "/amount")]
#[case::one_name_twice(
    "/v1/movies/FRESH/announce",
    r#"{"title":"x1","title":"x2","director":"d","running_time_minutes":90,"rating":"12"}"#,
    "/title"
)]
#[case::an_unknown_field_below(
    "/v1/reservations",
    r#"{"time_slot":"SLOT","seats":["A1"],"persons":{"adult":1,"child":0}}"#,
    "/persons/child"
)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_says_exactly_one_thing(#[case] path: &str, #[case] body: &str, #[case] place: &str) {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let held = field.api.done(&Call::hold(slot, &["A2"])).await.hold();
    let path = path
        .replace("HELD", &held.number)
        .replace("FRESH", &Uuid::now_v7().to_string());
    let (status, problem) = sent(&field, &path, &body.replace("SLOT", &slot.to_string())).await;
    assert_eq!((status, pointers(&problem)), (422, vec![place]), "{problem}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_that_is_over_asks_for_no_money() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let coupon = field.house.coupon(&field.api).await;
    let placed = field.api.done(&Call::place_unpaid(&hold, &coupon)).await.json();
    assert!(placed["placed"]["pay_by"].is_string(), "{placed}");
    assert_ne!(placed["placed"]["accounts"], json!([]), "{placed}");
    let cancelled = field.api.done(&Call::step(&hold, "cancel")).await.json();
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    assert!(cancelled["placed"].get("pay_by").is_none(), "{cancelled}");
    assert_eq!(cancelled["placed"]["accounts"], json!([]), "{cancelled}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_stands_for_what_it_comes_with() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let mut talk = field.talk();
    talk.as_staff();
    for (verb, state) in [("close", "closed"), ("reopen", "on_sale")].repeat(3) {
        talk.post(&format!("/v1/time-slots/{slot}/{verb}"), json!({}))
            .await;
        let shown = talk.get(&format!("/v1/time-slots/{slot}")).await;
        assert_eq!(shown["state"], state, "{shown}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_is_judged_by_its_own_clock() {
    let field = Field::open().await;
    let closes_at = Timestamp::now() + 2.seconds();
    let slot = field
        .house
        .screening(&field.api, 1, 5, Sale::Until(closes_at))
        .await;
    let position = field.api.done(&Call::hold(slot, &["A1"])).await.position.unwrap();
    let before = Timestamp::now();
    let path = format!("/v1/time-slots/{slot}");
    eventually("sales are over", || async {
        let slot = field.settled(slot).await;
        (slot["state"] == "closed").then_some(())
    })
    .await;
    for past in [format!("at={before}"), format!("position={position}")] {
        let shown = field.api.done(&Call::get(format!("{path}?{past}"))).await.json();
        assert_eq!(shown["state"], "on_sale", "{past}: {shown}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_that_somebody_has_is_not_said_to_be_free() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let unblock =
        |label: &str| Call::admin(format!("/v1/time-slots/{slot}/seats/{label}/unblock"), json!({}));
    assert_eq!(field.api.done(&unblock("A1")).await.json()["state"], "held");
    field.api.done(&Call::place(&hold, None)).await;
    assert_eq!(field.api.done(&unblock("A1")).await.json()["state"], "reserved");
    assert_eq!(field.api.done(&unblock("A2")).await.json()["state"], "free");
    field.api.ask(&unblock("Z9")).await.refused(404, "seat/not-found");
    field.close().await;
}

/// The status of a command under this `If-Match`.
async fn under(field: &Field, path: &str, token: &str, tags: &str) -> u16 {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("http://{}{path}", field.address()))
        .bearer_auth(token)
        .header("if-match", tags)
        .json(&json!({}));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_is_not_changed_by_who_has_read_an_older_one() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let own = format!("/v1/reservations/{}", hold.number);
    let client = Client::builder().no_proxy().build().unwrap();
    let shown = client.get(format!("http://{}{own}", field.address()));
    let shown = shown.bearer_auth(&hold.token).send().await.unwrap();
    assert_eq!(shown.headers()["etag"], "\"1\"");
    let release = format!("{own}/release");
    for (tags, status) in [
        ("\"2\"", 412),
        ("W/\"1\"", 412),
        ("\"+1\"", 412),
        ("1", 400),
        ("\"2\", \"1\"", 200),
        ("*", 200),
    ] {
        assert_eq!(under(&field, &release, &hold.token, tags).await, status, "{tags}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_a_thing_to_exist_does_not_make_it() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let close = format!("/v1/time-slots/{slot}/close");
    assert_eq!(under(&field, &close, ADMIN_TOKEN, "*").await, 200);
    let client = Client::builder().no_proxy().build().unwrap();
    let announce = format!("http://{}/v1/movies/{}/announce", field.address(), Uuid::now_v7());
    let film =
        json!({ "title": "북쪽 항로", "director": "김하람", "running_time_minutes": 141, "rating": "12" });
    for (tags, status) in [("*", 412), ("\"1\"", 412), ("\"0\"", 412)] {
        let request = client
            .post(&announce)
            .bearer_auth(ADMIN_TOKEN)
            .header("if-match", tags);
        let answer = request.json(&film).send().await.unwrap();
        assert_eq!(answer.status(), status, "{tags}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_died_unused_are_nobodys_trouble() {
    let field = Field::open().await;
    let list = Call::get("/v1/branches");
    // So many at once that the server opens all of its connections.
    for _ in 0..4 {
        let asked = (0..32).map(|_| field.api.done(&list));
        futures_util::future::join_all(asked).await;
    }
    let db = field.database.client().await;
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and query like '%from catalogue%'
                 and pid <> pg_backend_pid() and state_change > clock_timestamp() - interval '150 milliseconds'";
    eventually("the connections are idle", || async {
        let busy: i64 = db.query_one(busy, &[]).await.unwrap().get(0);
        (busy == 0).then_some(())
    })
    .await;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()";
    let cut = db.execute(cut, &[]).await.unwrap();
    assert!(cut > 4, "{cut} connections");
    for _ in 0..16 {
        field.api.done(&list).await;
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_says_what_it_does_not_understand() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let position = field.api.done(&Call::place(&hold, None)).await.position.unwrap();
    let known = Call::get(format!("/v1/reservations?min_position={position}")).by_staff();
    field.api.done(&known).await;
    let path = "/v1/reservations/search";
    let found = async |what: Value| sent(&field, path, &what.to_string()).await;
    let (status, problem) = found(json!({})).await;
    assert_eq!((status, pointers(&problem)), (422, vec![""]), "{problem}");
    for wrong in [
        json!({ "phone": "%" }),
        json!({ "phone": "_" }),
        json!({ "phone": "567a" }),
        json!({ "phone": "56" }),
        json!({ "phone": "-" }),
    ] {
        let (status, problem) = found(wrong).await;
        assert_eq!((status, pointers(&problem)), (422, vec!["/phone"]), "{problem}");
    }
    let written = phone(hold.number.parse().expect("a number"));
    for part in [
        &written[9..],
        &written[4..],
        "+8210",
        &format!("+82 10-{}", &written[4..8]),
        "+82 010",
        &written.replace('-', " "),
    ] {
        let (_, found) = found(json!({ "phone": part })).await;
        assert_eq!(found["items"][0]["number"], hold.number.as_str(), "{part}");
    }
    // The same number but for its last digit.
    let last = written[12..].parse::<u8>().expect("a digit");
    let other = format!("{}{}", &written[..12], (last + 1) % 10);
    for nothing in [
        json!({ "phone": other }),
        json!({ "phone": "+8211" }),
        json!({ "name": "%" }),
    ] {
        let (status, found) = found(nothing.clone()).await;
        assert_eq!((status, &found["items"]), (200, &json!([])), "{nothing}");
    }
    field.close().await;
}
