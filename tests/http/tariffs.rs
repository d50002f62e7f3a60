//! What places cost by day, band, seat, hall and person, line by line (DOMAIN C10, C11, E2): charged as quoted, never below
//! nothing.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    field::Field,
    money::{money, shown},
};
use crate::support::{
    api::Call,
    house::{Sale, admin, layout},
};

fn seoul() -> TimeZone {
    TimeZone::get("Asia/Seoul").expect("a bundled zone")
}

/// The next Monday but for tomorrow.
fn monday() -> Date {
    let today = Timestamp::now().to_zoned(seoul()).date();
    let days = (2..9).map(|days| today + days.days());
    days.into_iter()
        .find(|day| day.weekday() == Weekday::Monday)
        .expect("one in seven")
}

/// When the clock of that day shows this.
fn at(day: Date, hour: i8) -> Timestamp {
    let clock = day.at(hour, 0, 0, 0).to_zoned(seoul());
    clock.expect("a moment").timestamp()
}

/// Prices by band, weekend, seat, hall and person; the holiday is a weekday.
fn tariff(holiday: Date) -> Value {
    let band = |name: &str, until: &str, weekday: i64| json!({ "name": name, "until": until, "weekday": weekday, "weekend": weekday + 1_000 });
    json!({ "screening": { "currency": "KRW",
        "persons": { "adult": 0, "teen": -3000, "senior": -7000, "preferential": -9000 },
        "bands": [band("조조", "10:00", 10_000), band("일반", "23:00", 14_000), band("심야", "29:00", 12_000)],
        "weekend_days": ["saturday", "sunday"], "holidays": [holiday.to_string()],
        "categories": { "일반": 0, "프라임": 1000 }, "halls": { "large": 3000 } } })
}

async fn adopted(field: &Field, name: &str, tariff: Value) -> Uuid {
    let id = Uuid::now_v7();
    let body = json!({ "name": name, "tariff": tariff, "effective_from": null });
    admin(&field.api, "price-policies", id, "adopt", body).await;
    id
}

/// One row: two plain seats, and two better ones.
fn two_categories() -> Value {
    let mut plan = layout(1, 4);
    plan["categories"] =
        json!([{ "name": "일반", "colour": "#3b82f6" }, { "name": "프라임", "colour": "#ef4444" }]);
    for seat in 2..4 {
        plan["sections"][0]["rows"][0]["seats"][seat]["category"] = json!("프라임");
    }
    plan
}

/// A screening under these prices, in a hall of this kind.
async fn screening(field: &Field, prices: Uuid, starts: Timestamp, hall: Option<&str>) -> Uuid {
    let rules = json!({ "price_policy": prices, "sales_open_at": Timestamp::now() - 1.hour() });
    let slot = field
        .house
        .screening_in(&field.api, two_categories(), Sale::UntilItBegins(starts), rules)
        .await;
    classify(field, slot, hall).await;
    slot
}

async fn classify(field: &Field, slot: Uuid, hall: Option<&str>) {
    let auditorium = field.settled(slot).await["auditorium"].clone();
    let auditorium = auditorium.as_str().expect("an auditorium");
    admin(
        &field.api,
        "auditoriums",
        auditorium,
        "classify",
        json!({ "hall": hall }),
    )
    .await;
}

/// A plain seat and a better one, for an adult and a teenager.
fn couple(slot: Uuid) -> Call {
    let body = json!({ "time_slot": slot, "seats": ["A1", "A3"], "persons": { "adult": 1, "teen": 1 } });
    Call::post("/v1/reservations", body)
}

fn line(item: Value, count: i64, unit: i64) -> Value {
    json!({ "item": item, "count": count, "unit": unit, "amount": count * unit })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_a_price_is_told() {
    let field = Field::open().await;
    let monday = monday();
    let [tuesday, wednesday, saturday, sunday] = [1, 2, 5, 6].map(|days: i64| monday + days.days());
    let prices = adopted(&field, "요일과 시간", tariff(tuesday)).await;
    for (starts, band, weekend, unit) in [
        (at(monday, 9), "조조", false, 10_000),
        (at(monday, 10), "일반", false, 14_000),
        (at(monday, 23), "심야", false, 12_000),
        // A business day goes on after midnight: this is Monday's last showing, and not the holiday's first.
        (at(tuesday, 1), "심야", false, 12_000),
        (at(tuesday, 9), "조조", true, 11_000),
        (at(wednesday, 1), "심야", true, 13_000),
        (at(saturday, 14), "일반", true, 15_000),
        (at(sunday, 9), "조조", true, 11_000),
    ] {
        let slot = screening(&field, prices, starts, Some("large")).await;
        let held = field.api.done(&couple(slot)).await.json();
        let expected = [
            line(
                json!({ "kind": "band", "name": band, "weekend": weekend }),
                2,
                unit,
            ),
            line(json!({ "kind": "hall", "name": "large" }), 2, 3_000),
            line(json!({ "kind": "category", "name": "프라임" }), 1, 1_000),
            line(json!({ "kind": "person", "person": "teen" }), 1, -3_000),
        ];
        assert_eq!(held["quote"]["lines"], json!(expected), "{starts}: {held}");
        assert_eq!(held["quote"]["total"], json!(2 * unit + 4_000), "{starts}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_moves_between_hold_and_reservation_is_charged_as_it_was_quoted() {
    let field = Field::open().await;
    let monday = monday();
    let prices = adopted(&field, "큰 관은 더", tariff(monday + 1.day())).await;
    let slot = screening(&field, prices, at(monday, 14), None).await;
    let held = field.api.done(&couple(slot)).await;
    assert_eq!(held.json()["quote"]["total"], 26_000);
    classify(&field, slot, Some("large")).await;
    let other = json!({ "time_slot": slot, "seats": ["A2", "A4"], "persons": { "adult": 1, "teen": 1 } });
    let other = field
        .api
        .done(&Call::post("/v1/reservations", other))
        .await
        .json();
    assert_eq!(
        other["quote"]["total"], 32_000,
        "whoever comes later pays for the large hall"
    );
    let placed = field.api.done(&Call::place(&held.hold(), None)).await.json();
    assert_eq!(placed["quote"], held.json()["quote"], "{placed}");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discount_larger_than_the_price_leaves_nothing_to_pay_and_no_less() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let early = json!({ "session": { "currency": "KRW", "price": { "room": { "amount": 30_000 } },
        "early_bird": { "before": "29:00", "discount": { "amount": { "amount": 50_000 } } } } });
    let prices = adopted(&field, "조조", early).await;
    let (now, slot) = (Timestamp::now(), Uuid::now_v7());
    let starts = now + 30.hours();
    let plan = json!({ "branch": house.shop, "starts_at": starts, "ends_at": starts + 1.hour(),
        "show": { "kind": "theme", "theme": house.theme, "party_min": 2, "party_max": 4 },
        "sales_open_at": now - 1.hour(), "sales_close_at": starts, "price_policy": prices, "price_version": 1,
        "seats_per_customer_max": 1, "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20 });
    admin(api, "time-slots", slot, "schedule", json!({ "plan": plan })).await;
    let begun = api.done(&Call::hold_room(slot, 2)).await;
    let expected = [
        line(json!({ "kind": "room" }), 1, 30_000),
        line(json!({ "kind": "early_bird" }), 1, -30_000),
    ];
    let quote = &begun.json()["quote"];
    assert_eq!(
        (&quote["lines"], &quote["total"]),
        (&json!(expected), &json!(0)),
        "{quote}"
    );
    // Nor does a coupon make it less than nothing.
    let coupon = house.coupon(api).await;
    let hold = begun.hold();
    let placed = api.done(&Call::place_unpaid(&hold, &coupon)).await.json();
    assert_eq!(placed["quote"]["total"], 0, "{placed}");
    assert_eq!(
        money(&shown(&field, &hold).await),
        ("paid", 0, 0, 0),
        "nothing is due"
    );
    field.proved().await;
    field.close().await;
}
