//! A placed reservation moves to another slot or other seats, whole or not at all; one customer has so many seats of a slot.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field, named::names};
use crate::support::{
    api::{Answer, Call, Hold},
    house::{Sale, admin},
};

/// Holds these seats and places them, to be paid on site.
async fn placed(field: &Field, slot: Uuid, seats: &[&str]) -> Hold {
    let hold = field.api.done(&Call::hold(slot, seats)).await.hold();
    field.api.done(&Call::place(&hold, None)).await;
    hold
}

fn reschedule(hold: &Hold, body: Value) -> Call {
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    Call::post(path, body).with_token(&hold.token)
}

async fn taken(field: &Field, slot: Uuid) -> i64 {
    let shown = field.settled(slot).await;
    shown["capacity"].as_i64().expect("a number") - shown["remaining"].as_i64().expect("a number")
}

async fn shown(field: &Field, hold: &Hold) -> Value {
    field.api.done(&Call::show(hold)).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reservation_moves_to_another_slot_and_everything_follows() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let from = house.screening(api, 2, 5, Sale::Long).await;
    let to = house
        .screening(api, 2, 5, Sale::Until(Timestamp::now() + 2.hours()))
        .await;
    let hold = placed(&field, from, &["A1", "A2"]).await;
    let before = shown(&field, &hold).await;
    let call = reschedule(&hold, json!({ "time_slot": to, "seats": ["B4", "B5"] })).keyed();
    let moved = api.done(&call).await;
    let view = moved.json();
    assert_eq!(
        (&view["time_slot"], &view["seats"]),
        (&json!(to), &json!(["B4", "B5"]))
    );
    assert_eq!(view["placed"]["short_code"], before["placed"]["short_code"]);
    assert_eq!(view["placed"]["rescheduled"]["times"], 1);
    assert_eq!((taken(&field, from).await, taken(&field, to).await), (0, 2));
    // Sent again, it is the same answer; asked again, there is nothing more to do.
    let again = api.done(&call).await;
    assert!(again.repeated);
    assert_eq!(again.body, moved.body);
    let same = api
        .done(&reschedule(
            &hold,
            json!({ "time_slot": to, "seats": ["B5", "B4"] }),
        ))
        .await;
    assert_eq!(same.json()["placed"]["rescheduled"]["times"], 1);
    // Staff find it where it is, and read how it came there.
    let listed = Call::get(format!(
        "/v1/reservations?time_slot={to}&min_position={}",
        field.position()
    ));
    let listed = api.done(&listed.by_staff()).await.json();
    assert_eq!(listed["items"][0]["number"], json!(hold.number));
    let told = Call::get(format!("/v1/audit/reservation/{}", hold.number)).by_staff();
    let told = api.done(&told).await.json();
    let sentence = told[2]["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.starts_with("the reservation was rescheduled online from time slot"),
        "{sentence}"
    );
    // The old seats are anybody's, the new ones go when it is called off.
    api.done(&Call::hold(from, &["A1", "A2"])).await;
    api.ask(&Call::hold(to, &["B4"])).await.refused(409, "seat/taken");
    api.done(&Call::step(&hold, "cancel")).await;
    api.done(&Call::hold(to, &["B4"])).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_that_stay_are_never_let_go_and_taken_ones_are_named() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let hold = placed(&field, slot, &["A1", "A2"]).await;
    placed(&field, slot, &["A4", "A5"]).await;
    let refused = reschedule(&hold, json!({ "time_slot": slot, "seats": ["A3", "A4"] }));
    let refused = field.api.ask(&refused).await;
    refused.refused(409, "seat/taken");
    assert_eq!(refused.seats(), ["A4"]);
    assert_eq!(
        shown(&field, &hold).await["seats"],
        json!(["A1", "A2"]),
        "as before"
    );
    let position = field.position();
    let moved = reschedule(&hold, json!({ "time_slot": slot, "seats": ["A2", "A3"] }));
    let moved = field.api.done(&moved).await.json();
    assert_eq!(moved["seats"], json!(["A2", "A3"]));
    let told = Call::get(format!(
        "/v1/audit/events?kind=seat&after_position={position}&min_position={}",
        field.position()
    ));
    let told = field.api.done(&told.by_staff()).await.json();
    let seats: Vec<&str> = told["items"]
        .as_array()
        .expect("a page")
        .iter()
        .filter_map(|told| told["id"].as_str())
        .collect();
    assert!(seats.iter().all(|seat| !seat.ends_with(":A2")), "{seats:?}");
    assert_eq!(taken(&field, slot).await, 4);
    // The orphan rule and the best places hold as for a hold.
    let best = reschedule(&hold, json!({ "time_slot": slot, "best_available": 2 }));
    let best = field.api.done(&best).await.json();
    assert_eq!(best["seats"].as_array().map(Vec::len), Some(2), "{best}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_paid_is_set_off_against_the_new_price() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let hold = placed(&field, slot, &["A1", "A2"]).await;
    let pay = |amount: Option<i64>| {
        let amount = amount.map(|amount| json!({ "amount": amount, "currency": "KRW" }));
        Call::admin(
            format!("/v1/reservations/{}/mark-paid", hold.number),
            json!({ "amount": amount }),
        )
    };
    field.api.done(&pay(None)).await;
    let three = json!({ "time_slot": slot, "seats": ["A1", "A2", "A3"], "persons": { "adult": 3 } });
    let dearer = field.api.done(&reschedule(&hold, three)).await.json();
    let money = |view: &Value, name: &str| view["placed"]["rescheduled"][name]["amount"].as_i64();
    assert_eq!(
        (money(&dearer, "received"), money(&dearer, "due")),
        (Some(28_000), Some(14_000))
    );
    assert_eq!(dearer["placed"]["paid"], false);
    assert!(
        dearer["placed"].get("pay_by").is_none(),
        "what is paid in part does not expire"
    );
    let paid = field.api.done(&pay(Some(14_000))).await.json();
    assert_eq!(
        (&paid["placed"]["paid"], money(&paid, "due")),
        (&json!(true), Some(0))
    );
    let one = json!({ "time_slot": slot, "seats": ["A1"], "persons": { "adult": 1 } });
    let cheaper = field.api.done(&reschedule(&hold, one)).await.json();
    assert_eq!(
        (money(&cheaper, "received"), money(&cheaper, "overpaid")),
        (Some(42_000), Some(28_000))
    );
    assert_eq!(cheaper["placed"]["paid"], true);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_moved_says_why() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 2, 5, Sale::Long).await;
    let other = house.screening(api, 2, 5, Sale::Long).await;
    let hold = api.done(&Call::hold(slot, &["A1"])).await.hold();
    let elsewhere = json!({ "time_slot": other });
    api.ask(&reschedule(&hold, elsewhere.clone()))
        .await
        .refused(409, "reservation/not-placed");
    api.done(&Call::place(&hold, None)).await;
    let session = house.session(api, Sale::Long).await;
    names(
        &field,
        &reschedule(&hold, json!({ "time_slot": session })),
        "reservation/other-branch",
        &["/time_slot"],
    )
    .await;
    names(
        &field,
        &reschedule(&hold, json!({ "time_slot": other, "seats": ["Z9"] })),
        "choice/no-such-seats",
        &["/seats/0"],
    )
    .await;
    names(
        &field,
        &reschedule(
            &hold,
            json!({ "time_slot": other, "seats": ["A1"], "best_available": 1 }),
        ),
        "request/invalid-fields",
        &["/best_available"],
    )
    .await;
    api.ask(&reschedule(&hold, json!({ "time_slot": Uuid::now_v7() })))
        .await
        .refused(404, "time-slot/not-found");
    admin(api, "time-slots", other, "close", json!({})).await;
    api.ask(&reschedule(&hold, elsewhere.clone()))
        .await
        .refused(409, "time-slot/closed");
    admin(api, "time-slots", other, "reopen", json!({})).await;
    // Without its secret nobody moves it.
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    api.ask(&Call::post(path, elsewhere.clone()))
        .await
        .refused(404, "reservation/not-found");
    // The same labels, the same people.
    let moved = api.done(&reschedule(&hold, elsewhere)).await.json();
    assert_eq!(
        (&moved["seats"], &moved["party"]),
        (
            &json!(["A1"]),
            &json!({ "persons": { "adult": 1, "teen": 0, "senior": 0, "preferential": 0 } })
        )
    );
    for turn in 1..5 {
        let target = if turn % 2 == 0 { other } else { slot };
        api.done(&reschedule(&hold, json!({ "time_slot": target }))).await;
    }
    let often = reschedule(&hold, json!({ "time_slot": slot }));
    api.ask(&often).await.refused(409, "reservation/moved-too-often");
    api.done(&often.clone().by_staff()).await;
    api.done(&Call::step(&hold, "cancel")).await;
    api.ask(&often.by_staff())
        .await
        .refused(410, "reservation/cancelled");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_move_until_a_while_before_and_staff_until_the_start() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let near = json!({ "cancel_minutes": 240 });
    let slot = house
        .screening_in(api, crate::support::house::layout(1, 5), Sale::Long, near)
        .await;
    let other = house.screening(api, 1, 5, Sale::Long).await;
    let hold = placed(&field, slot, &["A1"]).await;
    let call = reschedule(&hold, json!({ "time_slot": other }));
    api.ask(&call)
        .await
        .refused(410, "reservation/too-late-to-reschedule");
    api.done(&call.by_staff()).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_goes_along_where_it_is_good() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 5, Sale::Long).await;
    let same_movie = house.screening(api, 1, 5, Sale::Long).await;
    let other_movie = another_movie(&field, slot).await;
    let now = Timestamp::now();
    let terms = json!({ "discount": { "rate": { "percent": 50 } }, "scope": { "movie": house.movie },
        "valid_from": now - 1.hour(), "valid_until": now + 24.hours() });
    let issued = api
        .done(&Call::admin("/v1/coupons", json!({ "terms": terms })))
        .await
        .json();
    let code = issued["codes"][0].as_str().expect("a code").to_owned();
    let hold = api.done(&Call::hold(slot, &["A1"])).await.hold();
    api.done(&Call::place(&hold, Some(&code))).await;
    let refused = reschedule(&hold, json!({ "time_slot": other_movie }));
    api.ask(&refused).await.refused(409, "coupon/out-of-scope");
    let moved = api
        .done(&reschedule(&hold, json!({ "time_slot": same_movie })))
        .await
        .json();
    assert_eq!(
        (&moved["placed"]["coupon"], &moved["quote"]["total"]),
        (&json!(code), &json!(7_000))
    );
    // It stays redeemed, and comes back when the reservation ends.
    let other = api.done(&Call::hold(slot, &["A1"])).await.hold();
    api.ask(&Call::place(&other, Some(&code)))
        .await
        .refused(409, "coupon/already-redeemed");
    api.done(&Call::step(&hold, "cancel")).await;
    api.done(&Call::place(&other, Some(&code))).await;
    field.close().await;
}

/// A screening of another movie in the same auditorium, after this one.
async fn another_movie(field: &Field, slot: Uuid) -> Uuid {
    let api = &field.api;
    let (movie, other) = (Uuid::now_v7(), Uuid::now_v7());
    let announced = json!({ "title": "겨울 바다", "running_time_minutes": 60, "rating": "ALL" });
    admin(api, "movies", movie, "announce", announced).await;
    let known = api
        .done(&Call::get(format!("/v1/admin/time-slots/{slot}")).by_staff())
        .await
        .json();
    let mut plan = known["state"].clone();
    let starts_at: Timestamp = plan["starts_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("a moment");
    plan.as_object_mut().expect("a plan").remove("state");
    plan["show"]["movie"] = json!(movie);
    plan["starts_at"] = json!(starts_at + 3.hours());
    plan["ends_at"] = json!(starts_at + 4.hours());
    admin(api, "time-slots", other, "schedule", json!({ "plan": plan })).await;
    other
}

fn placing(hold: &Hold, phone: &str) -> Call {
    let body = json!({ "name": "김하늘", "phone": phone, "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    let path = format!("/v1/reservations/{}/place", hold.number);
    Call::post(path, body).with_token(&hold.token)
}

async fn held(field: &Field, slot: Uuid, row: char, seats: std::ops::RangeInclusive<u8>) -> Hold {
    let seats: Vec<String> = seats.map(|seat| format!("{row}{seat}")).collect();
    field.api.done(&Call::hold(slot, &seats)).await.hold()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_has_so_many_seats_of_a_slot_in_all_their_reservations() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 3, 9, Sale::Long).await;
    let first = held(&field, slot, 'A', 1..=5).await;
    api.done(&placing(&first, "010-7777-0001")).await;
    let second = held(&field, slot, 'B', 1..=4).await;
    let refused: Answer = api.ask(&placing(&second, "+82 10 7777 0001")).await;
    refused.refused(409, "allowance/used-up");
    let detail = refused.json()["detail"].to_string();
    assert!(
        detail.contains("at most 8 seats") && detail.contains("5 are in other"),
        "{detail}"
    );
    // The hold is as it was, and fits somebody else, or a smaller choice, or another slot.
    let three = Call::change(&second, &["B1", "B2", "B3"]);
    api.done(&three).await;
    api.done(&placing(&second, "010-7777-0001")).await;
    let third = held(&field, slot, 'C', 1..=1).await;
    api.ask(&placing(&third, "010-7777-0001"))
        .await
        .refused(409, "allowance/used-up");
    api.done(&placing(&third, "010-7777-0002")).await;
    let other = house.screening(api, 1, 5, Sale::Long).await;
    let fourth = held(&field, other, 'A', 1..=1).await;
    api.done(&placing(&fourth, "010-7777-0001")).await;
    // Moving counts like booking.
    let one = json!({ "time_slot": slot, "seats": ["C5"] });
    api.ask(&reschedule(&fourth, one.clone()))
        .await
        .refused(409, "allowance/used-up");
    let six: Vec<String> = (1..=6).map(|seat| format!("A{seat}")).collect();
    let six = json!({ "time_slot": slot, "seats": six, "persons": { "adult": 6 } });
    api.ask(&reschedule(&first, six))
        .await
        .refused(409, "allowance/used-up");
    // What is given up can be taken again.
    api.done(&Call::step(&first, "cancel")).await;
    api.done(&reschedule(&fourth, one)).await;
    // No number to call stands where anybody reads it.
    let told = Call::get(format!(
        "/v1/audit/events?kind=allowance&min_position={}",
        field.position()
    ));
    let told = api.done(&told.by_staff()).await;
    assert!(
        told.json()["items"]
            .as_array()
            .is_some_and(|items| items.len() >= 6),
        "{told}"
    );
    assert!(!told.to_string().contains("7777"), "{told}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_one_person_whatever_number_they_give() {
    let field = Field::open().await;
    let api = &field.api;
    let token = customer(api, "haneul@example.com", "하늘").await;
    let slot = field.house.screening(api, 2, 9, Sale::Long).await;
    for (row, seats, phone, done) in [
        ('A', 1..=8, "010-7777-0001", true),
        ('B', 1..=1, "010-7777-0002", false),
    ] {
        let seats: Vec<String> = seats.map(|seat| format!("{row}{seat}")).collect();
        let hold = api
            .done(&Call::hold(slot, &seats).with_token(&token))
            .await
            .hold();
        let answer = api.ask(&placing(&hold, phone)).await;
        if done {
            assert_eq!(answer.status, 200, "{answer}");
        } else {
            answer.refused(409, "allowance/used-up");
        }
    }
    field.close().await;
}
