//! The slots of a day, and the numbers of days: who comes, what is sold, what was paid.

use serde_json::json;
use uuid::Uuid;

use super::{Day, field_of, first_placement, lines};
use crate::{
    http::field::Field,
    support::{api::Call, house::Sale},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slots_of_a_day_say_who_comes_and_who_has_paid() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let (date, _) = field.day(day.screening).await;
    let block = Call::admin(
        format!("/v1/time-slots/{}/seats/B8/block", day.screening),
        json!({}),
    );
    field.api.done(&block).await;
    let path = |branch: Uuid| {
        let position = field.position();
        Call::get(format!(
            "/v1/admin/time-slots?branch={branch}&day={date}&min_position={position}"
        ))
        .by_staff()
    };
    let slots = field.api.done(&path(field.house.cinema)).await.json();
    let slot = &slots["items"][0];
    let expected = json!({ "capacity": 16, "free": 10, "held": 1, "reserved": 4, "blocked": 1, "paid": 2, "unpaid": 2,
        "attended": 0, "no_show": 0, "reservations": 2, "state": "on_sale", "show_name": "한강의 밤", "day": date });
    for (name, value) in expected.as_object().expect("fields") {
        assert_eq!(&slot[name], value, "{name} in {slot}");
    }
    // A withdrawn slot stays in this list.
    let other = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field
        .api
        .done(&Call::admin(
            format!("/v1/time-slots/{other}/withdraw"),
            json!({}),
        ))
        .await;
    let slots = field.api.done(&path(field.house.cinema)).await.json();
    assert_eq!(slots["items"][1]["state"], "withdrawn", "{slots}");
    let first = field.api.done(&path(field.house.cinema)).await.json();
    let limited = Call::get(format!(
        "/v1/admin/time-slots?branch={}&day={date}&limit=1",
        field.house.cinema
    ));
    let page = field.api.done(&limited.by_staff()).await.json();
    let next = page["next"].as_str().expect("a next page");
    let rest = format!(
        "/v1/admin/time-slots?branch={}&day={date}&cursor={next}",
        field.house.cinema
    );
    let rest = field.api.done(&Call::get(rest).by_staff()).await.json();
    assert_eq!(
        [page["items"][0].clone(), rest["items"][0].clone()],
        [first["items"][0].clone(), first["items"][1].clone()]
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_of_a_day_say_what_was_sold_cancelled_and_paid() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let (date, _) = field.day(day.screening).await;
    let ask = |branch: Uuid, more: &str| {
        Call::get(format!(
            "/v1/admin/daily-numbers?branch={branch}&from={date}&until={date}{more}"
        ))
        .by_staff()
    };
    let settled = format!("&min_position={}", day.position);
    let numbers = field.api.done(&ask(field.house.cinema, &settled)).await.json();
    let today = &numbers["items"][0];
    let expected = json!({ "day": date, "slots": 1, "capacity": 16, "sold": 4, "occupancy_permille": 250, "people": 4,
        "reservations": 2, "attended": 0, "no_show": 0, "cancelled": 1, "expired": 0, "withdrawn": 0,
        "money": [{ "currency": "KRW", "revenue": 22400, "due": 28000, "coupons_off": 5600, "coupons": 1, "paid_for_ended": 0 }] });
    for (name, value) in expected.as_object().expect("fields") {
        assert_eq!(&today[name], value, "{name} in {today}");
    }
    assert_eq!(today["shows"][0]["name"], "한강의 밤");
    assert_eq!(today["shows"][0]["money"], today["money"]);
    // Before anything was placed, nothing was sold.
    let before = format!("&position={}", first_placement(&field).await - 1);
    let before = field.api.done(&ask(field.house.cinema, &before)).await.json();
    assert_eq!(before["items"][0]["sold"], 0, "{before}");
    assert_eq!(before["items"][0]["slots"], 1, "{before}");
    let file = ask(field.house.shop, &settled);
    let game = field.api.done(&file).await.json();
    assert_eq!(game["items"][0]["shows"][0]["kind"], "theme", "{game}");
    assert_eq!(game["items"][0]["occupancy_permille"], 1000, "{game}");
    let csv = format!(
        "/v1/admin/daily-numbers.csv?branch={}&from={date}{settled}",
        field.house.cinema
    );
    let table = lines(&field.api.done(&Call::get(csv).by_staff()).await);
    assert_eq!(field_of(&table, "revenue"), ["22400"]);
    assert_eq!(field_of(&table, "sold"), ["4"]);
    field.close().await;
}
