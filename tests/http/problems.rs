//! Every way to ask wrongly has its answer: a status, a stable type, and a page behind the type.

use reqwest::{Client, Method, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{contract, conversation::golden, field::Field};
use crate::support::{api::Call, house::Sale, process::ADMIN_TOKEN};
use jari::config::RateLimits;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn each_wrong_request_has_its_own_problem() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let unknown = Uuid::now_v7();
    let mut talk = field.talk();
    talk.remark("Paths and methods.");
    talk.get("/v1/nothing").await;
    talk.ask(Method::DELETE, "/v1/branches", None, &[]).await;
    talk.get("/v1/time-slots/not-an-id").await;
    talk.get(&format!("/v1/time-slots/{unknown}")).await;
    talk.get(&format!("/v1/auditoriums/{unknown}/time-slots/{slot}"))
        .await;
    talk.get("/v1/reservations/007").await;
    talk.get("/v1/reservations/301422961418752000").await;
    talk.remark("Queries.");
    talk.get("/v1/branches?colour=red").await;
    talk.get("/v1/time-slots").await;
    talk.get("/v1/time-slots?branch=x").await;
    talk.get("/v1/movies?limit=0").await;
    talk.get("/v1/movies?cursor=mine").await;
    talk.get(&format!(
        "/v1/time-slots/{slot}/seat-map?position=1&at=2026-01-01T00:00:00Z"
    ))
    .await;
    talk.get("/v1/branches?min_position=50000").await;
    talk.get("/v1/branches?min_position=1000000").await;
    talk.get("/v1/time-slots?branch=&date=tomorrow&limit=1000&film=x")
        .await;
    talk.remark("Bodies: every wrong field is named.");
    let wrong = json!({ "time_slot": "x", "seats": ["A1", "A 2", 3], "persons": { "adult": -1, "child": 1 }, "price": 1 });
    talk.post("/v1/reservations", wrong).await;
    talk.post("/v1/reservations", json!({})).await;
    talk.post("/v1/reservations", json!({ "time_slot": slot })).await;
    talk.post(
        "/v1/reservations",
        json!({ "seat": ["A1"], "best_available": true }),
    )
    .await;
    talk.post(
        "/v1/reservations/look-up",
        json!({ "number": "ANEDNY", "phone": "5678" }),
    )
    .await;
    talk.post("/v1/reservations", json!({ "time_slot": slot, "seats": ["A1"] }))
        .await;
    talk.post(
        "/v1/reservations",
        json!({ "time_slot": slot, "party_size": 2, "seats": ["A1"] }),
    )
    .await;
    talk.post("/v1/reservations", json!([])).await;
    talk.post(
        "/v1/reservations",
        json!({ "time_slot": slot, "seats": ["Z9", "A1"], "persons": { "adult": 2 } }),
    )
    .await;
    talk.remark("Headers.");
    talk.ask(
        Method::POST,
        "/v1/reservations",
        Some(json!({})),
        &[("idempotency-key", "short")],
    )
    .await;
    talk.remark("Staff only.");
    talk.get("/v1/reservations").await;
    talk.speaking_as(Some("a guess that is long enough"))
        .get("/v1/audit/events")
        .await;
    talk.as_staff().get("/v1/audit/nothing/1").await;
    talk.get("/v1/audit/events?id=1").await;
    talk.get("/v1/audit/events?kind=foo&event=SeatHelt&actor_kind=zz")
        .await;
    talk.post("/v1/reservations/search", json!({})).await;
    talk.post("/v1/reservations/search", json!({ "phone": "five" }))
        .await;
    talk.kept_as("http_problems");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_json_say_what_is_wrong() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let address = format!("http://{}/v1/reservations", field.address());
    let large = format!("{{\"time_slot\":\"{}\"}}", "x".repeat(70_000));
    let cases: [(&str, &str, u16, &str); 9] = [
        ("application/json", "{", 400, "request/malformed-json"),
        ("application/json", "{} {}", 400, "request/malformed-json"),
        ("application/json", "\u{feff}{}", 400, "request/malformed-json"),
        (
            "application/json",
            "{\"seats\":[],\"seats\":[]}",
            422,
            "request/invalid-fields",
        ),
        ("text/plain", "{}", 415, "request/unsupported-media-type"),
        (
            "application/x-www-form-urlencoded",
            "a=b",
            415,
            "request/unsupported-media-type",
        ),
        ("application/json", &large, 413, "request/too-large"),
        (
            "application/json",
            "{\"seats\":[\"A\\u0000\"]}",
            422,
            "request/invalid-fields",
        ),
        (
            "application/json; charset=utf-8",
            "",
            422,
            "request/invalid-fields",
        ),
    ];
    for (media, body, status, slug) in cases {
        let request = client
            .post(&address)
            .header(header::CONTENT_TYPE, media)
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        let (answered, media, text) = contract::heard(&Method::POST, "/v1/reservations", answer).await;
        assert_eq!(media, "application/problem+json");
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (answered, problem["type"].as_str()),
            (status, Some(&*format!("/problems/{slug}"))),
            "{body:.80}"
        );
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_problem_has_a_page() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let base = format!("http://{}", field.address());
    let pages: Vec<Value> = client
        .get(format!("{base}/problems"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let lines: Vec<String> = pages
        .iter()
        .map(|page| {
            format!(
                "{} {} {}",
                page["status"],
                page["type"].as_str().unwrap(),
                page["help"].as_str().unwrap()
            )
        })
        .collect();
    golden("http_problem_types", &lines.join("\n"));
    let first = pages[0]["type"].as_str().unwrap();
    let page = client
        .get(format!("{base}{first}"))
        .header(header::ACCEPT, "text/html")
        .send()
        .await
        .unwrap();
    let (_, _, page) = contract::heard(&Method::GET, first, page).await;
    assert!(page.contains(first));
    assert_eq!(
        client
            .get(format!("{base}/problems/no/such"))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_asks_or_guesses_too_much_is_told_when_to_come_back() {
    let field = Field::limited(RateLimits {
        requests_per_second: 20,
        guesses_per_minute: 3,
        ..RateLimits::LOOSE
    })
    .await;
    let client = Client::builder().no_proxy().build().unwrap();
    let look_up = format!("http://{}/v1/reservations/look-up", field.address());
    let guess = json!({ "number": "301422961418752000", "phone": "010-1234-5678" });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(client.post(&look_up).json(&guess).send().await.unwrap());
    }
    let last = statuses.pop().unwrap();
    assert!(statuses.iter().all(|answer| answer.status() == 404));
    assert_eq!(last.status(), 429);
    assert!(
        last.headers()[header::RETRY_AFTER]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    let live = format!("http://{}/health/live", field.address());
    let mut refused = false;
    for _ in 0..200 {
        refused |= client.get(&live).send().await.unwrap().status() == 429;
    }
    assert!(refused, "200 requests at once are more than 20 a second");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_is_no_place_to_guess_tokens() {
    let field = Field::limited(RateLimits {
        guesses_per_minute: 3,
        ..RateLimits::LOOSE
    })
    .await;
    let client = Client::builder().no_proxy().build().unwrap();
    let reservation = format!("http://{}/v1/reservations/301422961418752000", field.address());
    let release = format!("{reservation}/release");
    let guess = |method, address: &str| client.request(method, address).bearer_auth("x".repeat(31)).send();
    for method in [Method::GET, Method::GET, Method::GET] {
        assert_eq!(guess(method, &reservation).await.unwrap().status(), 404);
    }
    assert_eq!(guess(Method::GET, &reservation).await.unwrap().status(), 429);
    assert_eq!(guess(Method::POST, &release).await.unwrap().status(), 429);
    // Whoever sends none does not guess, and whoever knows the token is let in.
    assert_eq!(client.get(&reservation).send().await.unwrap().status(), 404);
    let slot = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    field.api.done(&Call::step(&hold, "release")).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_wrong_admin_token_opens_nothing() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let movie = format!("http://{}/v1/movies/{}/announce", field.address(), Uuid::now_v7());
    let body = json!({ "title": "x", "running_time_minutes": 60, "rating": "ALL" });
    for token in [
        "",
        "x",
        &ADMIN_TOKEN[1..],
        &format!("{ADMIN_TOKEN}x"),
        &ADMIN_TOKEN.to_uppercase(),
    ] {
        let answer = client
            .post(&movie)
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()[header::WWW_AUTHENTICATE], "Bearer");
    }
    field.close().await;
}
