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
