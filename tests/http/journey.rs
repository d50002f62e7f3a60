//! What customers do, from the first list to the seat: a cinema and an escape room.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::{conversation::golden, field::Field};
use crate::support::house::Sale;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {value}"))
}

fn placing(payment: &str, coupon: Option<&str>) -> Value {
    let mut body = json!({ "name": "김하늘", "phone": "+82 10-1234-5678", "payment": payment,
        "agreements": { "privacy": true, "house_rules": true } });
    if let Some(code) = coupon {
        body["coupon"] = json!(code);
    }
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_books_seats_in_a_cinema() {
    let field = Field::open().await;
    // So near that check-in has begun.
    let soon = Timestamp::now() + 50.minutes();
    let slot = field
        .house
        .screening(&field.api, 2, 5, Sale::UntilItBegins(soon))
        .await;
    let coupon = field.house.coupon(&field.api).await;
    let (day, shown) = field.day(slot).await;
    let (movie, branch) = (text(&shown, "movie"), text(&shown, "branch"));
    let mut talk = field.talk();

    talk.remark("Movie, cinema, day, time slot, seats.");
    talk.get("/v1/movies").await;
    talk.get(&format!("/v1/branches?movie={movie}")).await;
    talk.get(&format!(
        "/v1/time-slots?branch={branch}&movie={movie}&date={day}"
    ))
    .await;
    talk.get(&format!("/v1/time-slots/{slot}/layout")).await;

    talk.remark("Two seats are held; whoever else wants one of them hears which is taken.");
    let wish = json!({ "time_slot": slot, "seats": ["A1", "A2"], "persons": { "adult": 1, "teen": 1 } });
    let held = talk.post("/v1/reservations", wish).await;
    talk.post(
        "/v1/reservations",
        json!({ "time_slot": slot, "seats": ["A2", "A3"], "persons": { "adult": 2 } }),
    )
    .await;
    let (number, token) = (text(&held, "number"), text(&held, "token"));
    // The hold's own position: the map must not be asked for before it has followed.
    talk.get(&format!("/v1/time-slots/{slot}/seat-map?min_position=22"))
        .await;

    talk.remark("The hold is changed, extended once, and placed with a coupon.");
    let path = format!("/v1/reservations/{number}");
    talk.speaking_as(Some(token));
    let other = json!({ "seats": ["A2", "A3"], "persons": { "adult": 2 } });
    talk.post(&format!("{path}/change"), other).await;
    talk.post(&format!("{path}/extend"), json!({})).await;
    talk.post(&format!("{path}/extend"), json!({})).await;
    talk.post(&format!("{path}/place"), placing("bank_transfer", Some(&coupon)))
        .await;

    talk.remark("It is found again by number and phone, paid, and used.");
    talk.speaking_as(None);
    talk.get(&path).await;
    talk.post(
        "/v1/reservations/look-up",
        json!({ "number": number, "phone": "010-1234-9999" }),
    )
    .await;
    talk.post(
        "/v1/reservations/look-up",
        json!({ "number": number, "phone": "01012345678" }),
    )
    .await;
    talk.as_staff();
    talk.post(&format!("{path}/check-in"), json!({})).await;
    talk.post(&format!("{path}/mark-paid"), json!({ "note": "by transfer" }))
        .await;
    talk.post(&format!("{path}/check-in"), json!({})).await;

    talk.remark("Nothing of it is forgotten.");
    talk.get(&format!("/v1/audit/reservation/{number}")).await;
    golden("http_cinema_journey", &talk.text().replace(&coupon, "[coupon]"));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_books_an_escape_room_and_gives_it_up() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let (day, shown) = field.day(slot).await;
    let (theme, branch) = (text(&shown, "theme"), text(&shown, "branch"));
    let mut talk = field.talk();

    talk.remark("Shop, theme, time slot.");
    talk.get(&format!("/v1/themes?branch={branch}")).await;
    talk.get(&format!("/v1/time-slots?theme={theme}&date={day}"))
        .await;

    talk.remark("The whole room is held, by a group the theme is made for.");
    talk.post("/v1/reservations", json!({ "time_slot": slot, "party_size": 5 }))
        .await;
    talk.post(
        "/v1/reservations",
        json!({ "time_slot": slot, "seats": ["room"], "persons": { "adult": 2 } }),
    )
    .await;
    let held = talk
        .post("/v1/reservations", json!({ "time_slot": slot, "party_size": 3 }))
        .await;
    talk.post("/v1/reservations", json!({ "time_slot": slot, "party_size": 2 }))
        .await;
    let path = format!("/v1/reservations/{}", text(&held, "number"));
    talk.speaking_as(Some(text(&held, "token")));
    let mut missing = placing("on_site", None);
    missing["agreements"]["privacy"] = json!(false);
    talk.post(&format!("{path}/place"), missing).await;
    talk.post(&format!("{path}/place"), placing("on_site", None))
        .await;
    talk.post(&format!("{path}/release"), json!({})).await;

    talk.remark("Called off, the room is free for the next.");
    talk.post(&format!("{path}/cancel"), json!({ "reason": "we cannot come" }))
        .await;
    talk.post(&format!("{path}/revive"), json!({})).await;
    talk.speaking_as(None);
    talk.post("/v1/reservations", json!({ "time_slot": slot, "party_size": 2 }))
        .await;
    talk.kept_as("http_escape_room_journey");
    field.close().await;
}
