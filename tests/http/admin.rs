//! What admins do over the one command route: names are unique, nobody overwrites what they have not read.

use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::field::Field;
use crate::support::{api::Call, house::Sale};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_changes_a_movie() {
    let field = Field::open().await;
    let [movie, other] = [(); 2].map(|()| Uuid::now_v7());
    let film =
        json!({ "title": "북쪽 항로", "director": "김하람", "running_time_minutes": 141, "rating": "12" });
    let mut talk = field.talk();
    talk.as_staff();
    talk.remark(
        "It begins under an id of the admin's choice; a repeat changes nothing, another one is refused.",
    );
    talk.post(&format!("/v1/movies/{movie}/announce"), film.clone())
        .await;
    talk.post(&format!("/v1/movies/{movie}/announce"), film.clone())
        .await;
    let mut longer = film.clone();
    longer["running_time_minutes"] = json!(150);
    talk.post(&format!("/v1/movies/{movie}/announce"), longer).await;
    talk.remark("Its title is unique.");
    talk.post(&format!("/v1/movies/{other}/announce"), film).await;
    talk.remark("Whoever has read an older one is told.");
    talk.get(&format!("/v1/admin/movies/{movie}")).await;
    let rate = format!("/v1/movies/{movie}/rate");
    talk.ask(
        Method::POST,
        &rate,
        Some(json!({ "rating": "15" })),
        &[("if-match", "\"1\"")],
    )
    .await;
    talk.ask(
        Method::POST,
        &rate,
        Some(json!({ "rating": "19" })),
        &[("if-match", "\"1\"")],
    )
    .await;
    talk.ask(
        Method::POST,
        &rate,
        Some(json!({ "rating": "19" })),
        &[("if-match", "first")],
    )
    .await;
    talk.remark("Wrong fields, unknown commands, unknown movies.");
    talk.post(&rate, json!({ "rating": "13", "colour": "red" })).await;
    talk.post(&format!("/v1/movies/{movie}/explode"), json!({})).await;
    talk.post(&format!("/v1/movies/{other}/rate"), json!({ "rating": "15" }))
        .await;
    talk.post("/v1/movies/one/rate", json!({ "rating": "15" })).await;
    talk.remark("And it is all on record.");
    talk.get(&format!("/v1/audit/movie/{movie}")).await;
    talk.kept_as("http_admin_conversation");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_somebody_has_a_seat_in_is_not_withdrawn() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(slot, 2)).await.hold();
    let withdraw = Call::admin(format!("/v1/time-slots/{slot}/withdraw"), json!({}));
    field.api.ask(&withdraw).await.refused(409, "programme/in-use");
    field.api.done(&Call::step(&hold, "release")).await;
    field.api.done(&withdraw).await;
    field
        .api
        .ask(&Call::hold_room(slot, 2))
        .await
        .refused(410, "time-slot/withdrawn");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_seat_is_not_for_sale_until_it_is_unblocked() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 3, Sale::Long).await;
    let seat = |label: &str, verb: &str| {
        Call::admin(format!("/v1/time-slots/{slot}/seats/{label}/{verb}"), json!({}))
    };
    field.api.done(&seat("A2", "block")).await;
    field
        .api
        .ask(&Call::hold(slot, &["A2"]))
        .await
        .refused(409, "seat/not-for-sale");
    field
        .api
        .ask(&seat("Z1", "block"))
        .await
        .refused(404, "seat/not-found");
    field.api.done(&seat("A2", "unblock")).await;
    field.api.done(&Call::hold(slot, &["A2"])).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_counts_once_and_is_free_again_when_its_reservation_is_cancelled() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 4, Sale::Long).await;
    let coupon = field.house.coupon(&field.api).await;
    let [first, second] = ["A1", "A2"].map(|seat| Call::hold(slot, &[seat]));
    let first = field.api.done(&first).await.hold();
    let second = field.api.done(&second).await.hold();
    field.api.done(&Call::place(&first, Some(&coupon))).await;
    field
        .api
        .ask(&Call::place(&second, Some(&coupon)))
        .await
        .refused(409, "coupon/already-redeemed");
    let cancelled = field.api.done(&Call::step(&first, "cancel")).await;
    field.api.done(&Call::place(&second, Some(&coupon))).await;
    let listed = Call::get(format!(
        "/v1/coupons?code={coupon}&min_position={}",
        cancelled.position.unwrap() + 1
    ));
    let listed = field.api.done(&listed.by_staff()).await.json();
    assert_eq!(listed["items"][0]["state"], "redeemed", "{listed}");
    assert_eq!(listed["items"][0]["reservation"], second.number.as_str());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_read_page_by_page() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 7, Sale::Long).await;
    let mut last = 0;
    for seat in 1..=7 {
        last = field
            .api
            .done(&Call::hold(slot, &[format!("A{seat}")]))
            .await
            .position
            .unwrap();
    }
    let mut path = format!("/v1/reservations?time_slot={slot}&limit=3&min_position={last}");
    let mut seen = Vec::new();
    loop {
        let page = field.api.done(&Call::get(path.clone()).by_staff()).await.json();
        let items = page["items"].as_array().unwrap();
        seen.extend(
            items
                .iter()
                .map(|item| item["number"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/reservations?time_slot={slot}&limit=3&cursor={next}");
    }
    assert_eq!(seen.len(), 7);
    assert!(
        seen.is_sorted_by(|a, b| a > b),
        "the newest first, none twice: {seen:?}"
    );
    field.close().await;
}
