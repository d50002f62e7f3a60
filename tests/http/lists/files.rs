//! Lists taken away as files: what the list shows, whole, in order, and harmless to whoever opens it.

use reqwest::Client;
use serde_json::json;

use super::{Day, field_of, first_placement, lines, numbers, of};
use crate::{http::field::Field, support::api::Call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_can_be_taken_away_as_a_file() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let listed = numbers(&field.api.done(&day.list("")).await);
    let path = format!("/v1/reservations.csv?min_position={}", day.position);
    let file = field.api.done(&Call::get(&path).by_staff()).await;
    let table = lines(&file);
    assert_eq!(field_of(&table, "number"), listed);
    assert_eq!(
        field_of(&table, "name")[2],
        "'=HYPERLINK(\"x\"), 이바다",
        "no spreadsheet runs it"
    );
    assert_eq!(field_of(&table, "phone")[3], "010-1111-5678");
    let (local, utc) = (field_of(&table, "starts_at"), field_of(&table, "starts_at_utc"));
    assert!(
        local[0].ends_with("+09:00") && utc[0].ends_with('Z'),
        "{local:?} {utc:?}"
    );
    let moment = |text: &str| text.parse::<jiff::Timestamp>().expect("a moment");
    assert_eq!(moment(&local[0]), moment(&utc[0]));
    assert!(file.body.windows(2).any(|two| two == b"\r\n"));
    let marked = field
        .api
        .done(&Call::get(format!("{path}&bom=true")).by_staff())
        .await;
    assert_eq!(marked.body, [b"\xef\xbb\xbf".as_slice(), &file.body].concat());
    // Filters and order are those of the list.
    let game = format!("{path}&branch={}&sort=starts_at", field.house.shop);
    let game = lines(&field.api.done(&Call::get(game).by_staff()).await);
    assert_eq!(field_of(&game, "number"), of(&[&day.game]));
    // As it was before anything was placed.
    let early = format!(
        "/v1/reservations.csv?position={}",
        first_placement(&field).await - 1
    );
    let early = lines(&field.api.done(&Call::get(early).by_staff()).await);
    assert!(
        field_of(&early, "state").iter().all(|state| state == "held"),
        "{early:?}"
    );
    assert_eq!(early.len(), 6);
    let client = Client::builder().no_proxy().build().expect("a client");
    let head = client
        .get(format!("http://{}{path}", field.address()))
        .bearer_auth(crate::support::process::ADMIN_TOKEN);
    let head = head.send().await.expect("an answer");
    let header = |name: &str| head.headers()[name].to_str().expect("a text").to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"reservations.csv\""
    );
    for (path, column, expected) in [
        ("/v1/coupons.csv".to_owned(), "code", vec![day.coupon.clone()]),
        (
            format!(
                "/v1/admin/time-slots.csv?branch={}&day={}",
                field.house.shop,
                field.day(day.session).await.0
            ),
            "id",
            vec![day.session.to_string()],
        ),
        ("/v1/admin/customers.csv".to_owned(), "id", vec![]),
        ("/v1/admins.csv".to_owned(), "id", vec![]),
    ] {
        let table = lines(&field.api.done(&Call::get(&path).by_staff()).await);
        assert_eq!(field_of(&table, column), expected, "{path}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn who_waits_and_what_money_came_can_be_taken_away_too() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let api = &field.api;
    let waits = async |name: &str, phone: &str| {
        let body = json!({ "name": name, "phone": phone, "party_size": 2 });
        let path = format!("/v1/time-slots/{}/waitlist", day.session);
        api.done(&Call::post(path, body)).await.json()["entry"]["number"].clone()
    };
    let first = waits("=cmd|' /C calc'!A0", "010-1234-0001").await;
    let second = waits("이바다", "010-1234-0002").await;
    let deposit = async |amount: i64, depositor: &str, came: &str| {
        let id = uuid::Uuid::now_v7();
        let body = json!({ "branch": field.house.shop, "amount": { "amount": amount, "currency": "KRW" },
            "depositor": depositor, "deposited_at": came, "reference": format!("＝{amount}") });
        api.done(&Call::admin(format!("/v1/deposits/{id}/record"), body))
            .await;
        id.to_string()
    };
    let small = deposit(7, "＋82 홍길동", "2026-11-20T10:00:00Z").await;
    let great = deposit(7_000_000, "박구름", "2026-11-19T15:30:00Z").await;
    let position = field.position();
    let file = async |path: &str, query: &str| {
        let path = format!("{path}?min_position={position}&{query}");
        lines(&api.done(&Call::get(path).by_staff()).await)
    };
    let table = file("/v1/waitlist-entries.csv", "").await;
    let both = |one: &serde_json::Value, other: &serde_json::Value| {
        [one, other].map(|number| number.as_str().expect("a number").to_owned())
    };
    assert_eq!(field_of(&table, "number"), both(&first, &second));
    assert_eq!(field_of(&table, "name"), ["'=cmd|' /C calc'!A0", "이바다"]);
    assert_eq!(field_of(&table, "phone"), ["010-1234-0001", "010-1234-0002"]);
    assert_eq!(field_of(&table, "position"), ["1", "2"]);
    assert!(field_of(&table, "starts_at")[0].ends_with("+09:00"));
    let table = file("/v1/waitlist-entries.csv", "order=desc&state=waiting").await;
    assert_eq!(field_of(&table, "number"), both(&second, &first));
    let elsewhere = format!("branch={}", field.house.cinema);
    for path in ["/v1/waitlist-entries.csv", "/v1/deposits.csv"] {
        assert_eq!(
            file(path, &elsewhere).await.len(),
            1,
            "{path}: the names of the fields"
        );
    }
    let table = file("/v1/deposits.csv", "").await;
    assert_eq!(
        field_of(&table, "id"),
        [great.clone(), small.clone()],
        "the last first"
    );
    assert_eq!(field_of(&table, "depositor"), ["박구름", "'＋82 홍길동"]);
    assert_eq!(field_of(&table, "reference"), ["'＝7000000", "'＝7"]);
    assert_eq!(field_of(&table, "amount"), ["7000000", "7"]);
    assert_eq!(
        field_of(&table, "deposited_at"),
        ["2026-11-20T00:30:00+09:00", "2026-11-20T19:00:00+09:00"]
    );
    for (query, expected) in [
        ("sort=amount&order=asc", [&small, &great]),
        ("sort=amount", [&great, &small]),
        ("sort=deposited_at", [&small, &great]),
        ("sort=deposited_at&order=asc", [&great, &small]),
        ("sort=recorded&order=asc", [&small, &great]),
    ] {
        let table = file("/v1/deposits.csv", query).await;
        assert_eq!(field_of(&table, "id"), expected.map(String::clone), "{query}");
        // The list goes the same way, page by page.
        let path = format!("/v1/deposits?min_position={position}&{query}&limit=1");
        let page = api.done(&Call::get(&path).by_staff()).await.json();
        let next = page["next"].as_str().expect("a next page");
        let rest = api
            .done(&Call::get(format!("{path}&cursor={next}")).by_staff())
            .await
            .json();
        assert_eq!(
            [&page["items"][0]["id"], &rest["items"][0]["id"]],
            expected,
            "{query}"
        );
        assert!(rest["next"].is_null());
        let other = format!("/v1/deposits?sort=recorded&order=desc&limit=1&cursor={next}");
        api.ask(&Call::get(other).by_staff())
            .await
            .refused(400, "request/malformed-query");
    }
    let unmatched = file("/v1/deposits.csv", "state=matched").await;
    assert_eq!(unmatched.len(), 1);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_list_is_sent_part_by_part_and_whole() {
    let field = Field::open().await;
    let terms = json!({ "discount": { "rate": { "percent": 20 } }, "scope": {},
        "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z", "note": "-1" });
    for _ in 0..3 {
        let many = json!({ "terms": terms, "count": 1000 });
        field.api.done(&Call::admin("/v1/coupons", many)).await;
    }
    let path = format!("/v1/coupons.csv?order=asc&min_position={}", field.position());
    let table = lines(&field.api.done(&Call::get(path).by_staff()).await);
    assert_eq!(table.len(), 3001);
    let positions: Vec<i64> = field_of(&table, "issued_position")
        .iter()
        .map(|text| text.parse().expect("a position"))
        .collect();
    assert!(positions.is_sorted_by(|a, b| a < b), "each once, in order");
    assert_eq!(field_of(&table, "note")[0], "'-1");
    field.close().await;
}
