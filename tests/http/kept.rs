//! What must not get lost: reservations that were never paid, and passwords in any form but their own hash (DOMAIN §9).

use serde_json::json;

use super::{
    customers::customer,
    field::Field,
    money::{expired, reached},
};
use crate::support::{api::Call, house::Sale};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_that_expired_stays_readable_and_listed() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    let view = api.done(&Call::show(&hold)).await.json();
    assert_eq!(view["state"], "expired", "{view}");
    assert_eq!(view["quote"]["total"], 48_000, "{view}");
    let look_up = json!({ "number": hold.number, "phone": "010-1234-5678" });
    let found = api
        .done(&Call::post("/v1/reservations/look-up", look_up))
        .await
        .json();
    assert_eq!(found["state"], "expired", "{found}");
    reached(&field).await;
    for query in ["", "?state=expired"] {
        let listed = Call::get(format!("/v1/reservations{query}")).by_staff();
        let page = api.done(&listed).await.json();
        let items = page["items"].as_array().expect("a list");
        let item = items.iter().find(|item| item["number"] == json!(hold.number));
        let item = item.unwrap_or_else(|| panic!("not with {query}: {page}"));
        assert_eq!(item["state"], "expired", "{item}");
    }
    let placed = Call::get("/v1/reservations?state=placed").by_staff();
    assert_eq!(api.done(&placed).await.json()["items"], json!([]));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_passwords_have_different_hashes() {
    let field = Field::open().await;
    for (email, nickname) in [("haneul@example.com", "하늘"), ("bada@example.com", "바다")] {
        customer(&field.api, email, nickname).await;
    }
    let database = field.database.client().await;
    let rows = database.query("select hash from vault.credentials", &[]).await;
    let hashes: Vec<String> = rows.expect("rows").iter().map(|row| row.get(0)).collect();
    assert_eq!(hashes.len(), 2);
    assert_ne!(hashes[0], hashes[1]);
    for hash in &hashes {
        assert!(hash.starts_with("$argon2id$"), "{hash}");
    }
    field.close().await;
}
