//! What callers are told is of use to them: of the field, the person and the moment it is about.

use reqwest::{Client, Method, header, redirect::Policy};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{api::Call, house::Sale, process::ADMIN_TOKEN};

fn errors(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors
        .iter()
        .filter_map(|error| Some((error["pointer"].as_str()?, error["detail"].as_str()?)))
        .collect()
}

async fn refusal(field: &Field, path: &str, body: Value) -> Value {
    field.api.ask(&Call::admin(path, body)).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_checked_before_anything_is_waited_for() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let (near, far) = (field.position() + 50_000, field.position() + 200_000);
    for path in [
        format!("/v1/branches?min_position={near}&cursor=mine"),
        format!("/v1/time-slots?min_position={near}"),
        format!("/v1/time-slots/{slot}?min_position={near}&position=1&at=2026-01-01T00:00:00Z"),
        format!("/v1/time-slots/{slot}/seat-map?min_position={near}&position=1&at=2026-01-01T00:00:00Z"),
        format!("/v1/audit/events?min_position={near}&kind=foo"),
        format!("/v1/branches?min_position={far}"),
        "/v1/branches?min_position=-1".to_owned(),
    ] {
        let answer = field.api.ask(&Call::get(path).by_staff()).await;
        answer.refused(400, "request/malformed-query");
    }
    // Another server may have written it a moment ago.
    let near = field
        .api
        .ask(&Call::get(format!("/v1/branches?min_position={near}")))
        .await;
    near.refused(503, "server/behind");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kinds_of_the_trail_can_be_spelled_as_in_routes() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let position = field.position();
    field.settled(slot).await;
    let found = async |kind: &str| {
        let path = format!("/v1/audit/events?kind={kind}&min_position={position}");
        field.api.done(&Call::get(path).by_staff()).await.json()
    };
    let slots = found("time-slot").await;
    assert_eq!(slots, found("time_slot").await);
    assert!(
        slots["items"].as_array().is_some_and(|items| !items.is_empty()),
        "{slots}"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn themes_belong_to_shops_and_auditoriums_to_cinemas() {
    let field = Field::open().await;
    let (screening, session) = (
        field.house.screening(&field.api, 1, 5, Sale::Long).await,
        field.house.session(&field.api, Sale::Long).await,
    );
    let cinema = field.settled(screening).await["branch"].clone();
    let (shop, theme) = {
        let slot = field.settled(session).await;
        (
            slot["branch"].clone(),
            slot["theme"].as_str().expect("an id").to_owned(),
        )
    };
    let known = Call::get(format!("/v1/admin/themes/{theme}")).by_staff();
    let mut game = field.api.done(&known).await.json()["state"].take();
    let fields = game.as_object_mut().expect("a theme");
    fields.remove("state");
    fields.insert("branch".to_owned(), cinema);
    fields.insert("name".to_owned(), json!("다른 테마"));
    let introduce = format!("/v1/themes/{}/introduce", Uuid::now_v7());
    let answer = field.api.ask(&Call::admin(introduce, game)).await;
    answer.refused(422, "branch/no-escape-room");
    let build = format!("/v1/auditoriums/{}/build", Uuid::now_v7());
    let hall = json!({ "branch": shop, "name": "1관", "cleaning_minutes": 15 });
    let answer = field.api.ask(&Call::admin(build, hall)).await;
    answer.refused(422, "branch/no-cinema");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_forgets_the_token_is_told_how_to_send_it() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let client = Client::builder().no_proxy().build().unwrap();
    let place = format!("http://{}/v1/reservations/{}/place", field.address(), hold.number);
    for sent in [
        None,
        Some(format!("Basic {}", hold.token)),
        Some(hold.token.clone()),
    ] {
        let mut request = client.post(&place).json(&json!({}));
        if let Some(sent) = sent {
            request = request.header(header::AUTHORIZATION, sent);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404);
        let problem: Value = answer.json().await.unwrap();
        let help = problem["help"].as_str().unwrap();
        assert!(
            help.contains("token of the reservation as Authorization: Bearer"),
            "{help}"
        );
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_wrong_with_a_body_is_said_at_once() {
    let field = Field::open().await;
    let holds = "/v1/reservations";
    let number = "must be a whole number from 1 to 8";
    for (body, expected) in [
        (
            json!({}),
            vec![
                ("/persons", "is missing; it says who takes the seats"),
                ("/seats", "is missing; send seats, best_available or party_size"),
                ("/time_slot", "is missing"),
            ],
        ),
        (
            json!({ "seat": ["A1"], "best_available": true, "persons": { "adult": 1 } }),
            vec![
                ("/best_available", number),
                ("/seat", "is not a known field; did you mean seats?"),
                ("/time_slot", "is missing"),
            ],
        ),
        (
            json!({ "seats": ["A\u{0}"], "persons": {} , "time_slot": "x" }),
            vec![
                ("/seats/0", "must not contain control characters (found U+0000)"),
                ("/time_slot", "must be a UUID"),
            ],
        ),
        (json!([]), vec![("", "must be an object")]),
    ] {
        let problem = refusal(&field, holds, body).await;
        assert_eq!(errors(&problem), expected, "{problem}");
    }
    let problem = refusal(&field, holds, json!([])).await;
    assert_eq!(problem["detail"], "the body must be an object");
    let coupon = json!({ "terms": { "discount": { "rate": { "percent": 20 } }, "scope": {},
        "valid_from": "2026-11-01", "valid_until": "soon" } });
    let problem = refusal(&field, "/v1/coupons", coupon).await;
    let moment = "must be a moment like 2026-12-24T10:00:00Z";
    let expected = [("/terms/valid_from", moment), ("/terms/valid_until", moment)];
    assert_eq!(errors(&problem), expected, "{problem}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_reservation_is_paid_stays_known_and_its_price_is_told_once() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let coupon = field.house.coupon(&field.api).await;
    let placed = field.api.done(&Call::place_unpaid(&hold, &coupon)).await.json();
    assert_eq!(placed["placed"]["payment"], "bank_transfer", "{placed}");
    let pay = format!("/v1/reservations/{}/mark-paid", hold.number);
    let paid = field.api.done(&Call::admin(pay.clone(), json!({}))).await.json();
    assert_eq!(paid["placed"]["payment"], "bank_transfer", "{paid}");
    let other = json!({ "amount": { "amount": 1, "currency": "USD" } });
    let answer = field.api.ask(&Call::admin(pay, other)).await;
    answer.refused(409, "reservation/amount-differs");

    let timeline = Call::get(format!("/v1/audit/reservation/{}", hold.number)).by_staff();
    let timeline = field.api.done(&timeline).await.json();
    let changes = timeline[1]["changes"].as_array().expect("changes");
    let whole = changes.iter().find(|change| change["field"] == "/quote");
    assert_eq!(whole, None, "{timeline:#}");
    assert!(
        changes.iter().any(|change| change["field"] == "/quote/total"),
        "{timeline:#}"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layout_that_a_proxy_knows_weakly_is_not_sent_again() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let layout = format!("http://{}/v1/time-slots/{slot}/layout", field.address());
    let first = client.get(&layout).send().await.unwrap();
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    for (tags, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", W/{tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let again = client.get(&layout).header(header::IF_NONE_MATCH, &tags);
        assert_eq!(again.send().await.unwrap().status(), status, "{tags}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_to_the_door_finds_the_way() {
    let field = Field::open().await;
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let base = format!("http://{}", field.address());
    let root = client.get(&base).send().await.unwrap();
    assert_eq!(
        (root.status().as_u16(), &root.headers()[header::LOCATION]),
        (303, &"/docs".parse().unwrap())
    );
    let health: Value = client
        .get(format!("{base}/health"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["status"], "ok");
    let page = client
        .get(format!("{base}/docs/"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains("<title>Jari API</title>"), "{page}");

    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let metrics = client
        .request(Method::GET, format!("{base}/metrics"))
        .bearer_auth(ADMIN_TOKEN);
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    for line in metrics.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(name.starts_with("jari_"), "{line}");
        assert!(metrics.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
    assert!(
        metrics.contains("jari_log_batch_commands_bucket{le=\"1024\"}"),
        "{metrics}"
    );
    field.close().await;
}
