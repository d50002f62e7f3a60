//! Money from the first payment to the last refund (DOMAIN C14, E7, K2; I9), as a customer, staff and a bank go through it.

use aggregates::ids::ReservationId;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Call, Hold},
    house::{Sale, admin, layout},
    owing::place_until,
    waiting::eventually,
};

const SEAT: i64 = 14_000;
pub const ROOM: i64 = 48_000;

pub fn won(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "KRW" })
}

pub fn step(hold: &Hold, verb: &str, body: Value) -> Call {
    Call::admin(format!("/v1/reservations/{}/{verb}", hold.number), body)
}

pub fn pay(hold: &Hold, amount: i64) -> Call {
    step(hold, "mark-paid", json!({ "amount": won(amount) }))
}

pub fn refund(hold: &Hold, amount: i64) -> Call {
    let body = json!({ "amount": won(amount), "account": "예시은행 100-200-300", "note": "by transfer" });
    step(hold, "refund", body)
}

pub async fn shown(field: &Field, hold: &Hold) -> Value {
    field.api.done(&Call::show(hold)).await.json()
}

pub fn money(view: &Value) -> (&str, i64, i64, i64) {
    let money = &view["placed"]["money"];
    let amount = |name: &str| {
        money[name]
            .as_i64()
            .unwrap_or_else(|| panic!("no {name}: {view}"))
    };
    (
        money["balance"].as_str().expect("a balance"),
        amount("received"),
        amount("retained"),
        amount("refund_due"),
    )
}

/// The names of everything that happened to a reservation.
pub async fn story(field: &Field, hold: &Hold) -> Vec<String> {
    let path = format!("/v1/audit/reservation/{}", hold.number);
    let told = field.api.done(&Call::get(path).by_staff()).await.json();
    let names = told.as_array().expect("a story").iter();
    names
        .map(|event| event["event"].as_str().expect("a name").to_owned())
        .collect()
}

pub async fn hold_room(field: &Field, session: Uuid) -> Hold {
    field.api.done(&Call::hold_room(session, 2)).await.hold()
}

/// A session reserved by this person, to be paid by transfer until a moment that has come.
pub async fn expired(field: &Field, session: Uuid, name: &str, code: &str) -> Hold {
    let hold = hold_room(field, session).await;
    owing(field, &hold, name, code, Timestamp::now() + 50.milliseconds()).await;
    eventually("it expires", || async {
        (shown(field, &hold).await["state"] == "expired").then_some(())
    })
    .await;
    hold
}

pub async fn owing(field: &Field, hold: &Hold, name: &str, code: &str, pay_by: Timestamp) {
    let number: ReservationId = hold.number.parse().expect("a number");
    place_until(field.store(), number, name, code, pay_by).await;
}

/// What a bank says, as staff of the shop record it.
fn deposit(field: &Field, id: Uuid, amount: i64, depositor: &str, reference: &str) -> Call {
    let body = json!({ "branch": field.house.shop, "account": "100-200-345670", "amount": won(amount),
        "depositor": depositor, "deposited_at": Timestamp::now(), "reference": reference });
    Call::admin(format!("/v1/deposits/{id}/record"), body)
}

pub async fn recorded(field: &Field, amount: i64, depositor: &str, reference: &str) -> Value {
    // What is matched is found in a read model first.
    let position = field.position();
    let listed = Call::get(format!("/v1/deposits?min_position={position}")).by_staff();
    field.api.done(&listed).await;
    reached(field).await;
    let call = deposit(field, Uuid::now_v7(), amount, depositor, reference);
    field.api.done(&call).await.json()
}

/// Waits until the lists of reservations show everything.
pub async fn reached(field: &Field) {
    let position = field.position();
    let listed = Call::get(format!("/v1/reservations?min_position={position}")).by_staff();
    field.api.done(&listed).await;
    let slots = Call::get(format!(
        "/v1/time-slots?branch={}&min_position={position}",
        field.house.shop
    ));
    field.api.done(&slots).await;
}

pub async fn page(field: &Field, query: &str) -> Value {
    let position = field.position();
    let path = format!("/v1/deposits?{query}&min_position={position}");
    field.api.done(&Call::get(path).by_staff()).await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn a_cancellation_costs_what_the_policy_said_when_it_was_placed() {
    let field = Field::open().await;
    let api = &field.api;
    let policy = Uuid::now_v7();
    let tier = |minutes: u32, percent: u8| json!({ "minutes_before": minutes, "fee": { "rate": { "percent": percent } } });
    let half = json!({ "tiers": [tier(240, 0), tier(60, 50), tier(0, 100)], "online_minutes": 30, "coupon": "when_free" });
    let adopt = json!({ "name": "절반", "terms": half });
    admin(api, "cancellation-policies", policy, "adopt", adopt).await;
    // It begins in three hours.
    let rules = json!({ "cancellation": { "policy": policy } });
    let slot = field
        .house
        .screening_in(api, layout(1, 5), Sale::Long, rules)
        .await;
    let coupon = field.house.coupon(api).await;
    let hold = api.done(&Call::hold(slot, &["A1"])).await.hold();
    api.ask(&Call::get(format!("/v1/reservations/{}/cancel-quote", hold.number)).with_token(&hold.token))
        .await
        .refused(409, "reservation/not-placed");
    let price = SEAT * 80 / 100;
    let placed = api.done(&Call::place_unpaid(&hold, &coupon)).await.json();
    assert_eq!(money(&placed), ("unpaid", 0, 0, 0), "{placed}");

    // A later revision changes nothing that is placed.
    let whole = json!({ "tiers": [tier(0, 100)] });
    admin(
        api,
        "cancellation-policies",
        policy,
        "revise",
        json!({ "terms": whole }),
    )
    .await;

    // Paid in parts: each is recorded, and their sum has a name.
    let view = api.done(&pay(&hold, 1_200)).await.json();
    assert_eq!(money(&view), ("under_paid", 1_200, 0, 0));
    assert_eq!(view["placed"]["paid"], false);
    assert_ne!(view["placed"]["pay_by"], Value::Null, "the clock goes on");
    let view = api.done(&step(&hold, "mark-paid", json!({}))).await.json();
    assert_eq!(money(&view), ("paid", price, 0, 0));
    let position = field.position();
    api.done(&step(&hold, "mark-paid", json!({}))).await;
    assert_eq!(field.position(), position, "nothing is due any more");
    let twice = pay(&hold, 500).keyed();
    let view = api.done(&twice).await.json();
    assert_eq!(money(&view), ("over_paid", price + 500, 0, 500));
    assert!(api.done(&twice).await.repeated);
    api.ask(&refund(&hold, 501))
        .await
        .refused(409, "reservation/refund-exceeds-due");
    let view = api.done(&refund(&hold, 500)).await.json();
    assert_eq!(money(&view), ("paid", price + 500, 0, 0));

    let ask = Call::get(format!("/v1/reservations/{}/cancel-quote", hold.number)).with_token(&hold.token);
    let quote = api.done(&ask).await.json();
    assert_eq!(
        (&quote["price"], &quote["paid"]),
        (&won(price), &won(price)),
        "{quote}"
    );
    for way in ["online", "counter"] {
        let way = &quote[way];
        assert_eq!(way["possible"], true, "{quote}");
        assert_eq!(
            (&way["fee"], &way["retained"]),
            (&won(price / 2), &won(price / 2)),
            "{quote}"
        );
        assert_eq!(
            (&way["refund"], &way["restores_coupon"]),
            (&won(price / 2), &json!(false)),
            "{quote}"
        );
        let lasts: Timestamp = way["lasts_until"]
            .as_str()
            .expect("it changes")
            .parse()
            .expect("a moment");
        let starts: Timestamp = placed["placed"]["starts_at"]
            .as_str()
            .expect("it begins")
            .parse()
            .expect("a moment");
        assert_eq!(lasts, starts - 1.hour());
    }
    assert_eq!(
        (&quote["version"], quote["tiers"].as_array().map(Vec::len)),
        (&json!(1), Some(3))
    );

    let view = api.done(&Call::step(&hold, "cancel")).await.json();
    assert_eq!(
        money(&view),
        ("paid", price + 500, price / 2, price / 2),
        "{view}"
    );
    let quote = api.done(&ask).await.json();
    assert_eq!(
        quote["online"]["refused"], "/problems/reservation/cancelled",
        "{quote}"
    );
    // The coupon stays redeemed, as the policy says of what costs something.
    let again = api.done(&Call::hold(slot, &["A1"])).await.hold();
    api.ask(&Call::place(&again, Some(&coupon)))
        .await
        .refused(409, "coupon/already-redeemed");
    api.ask(&refund(&hold, price))
        .await
        .refused(409, "reservation/refund-exceeds-due");
    api.done(&refund(&hold, price / 2)).await;
    let view = shown(&field, &hold).await;
    assert_eq!(money(&view), ("under_paid", price + 500, price / 2, 0), "{view}");
    // Money that comes even now is not lost.
    let view = api.done(&pay(&hold, 700)).await.json();
    assert_eq!(money(&view).3, 700, "{view}");
    api.ask(&step(&hold, "mark-paid", json!({})))
        .await
        .refused(410, "reservation/cancelled");
    assert!(
        story(&field, &hold)
            .await
            .contains(&"ReservationRefundDue".to_owned())
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_or_an_amount_that_makes_no_sense_is_refused() {
    let field = Field::open().await;
    let api = &field.api;
    let unknown = json!({ "cancellation": { "policy": Uuid::nil() } });
    let policy = Uuid::now_v7();
    let terms = json!({ "tiers": [{ "minutes_before": 5, "fee": { "rate": { "percent": 0 } } }] });
    let adopt = format!("/v1/cancellation-policies/{policy}/adopt");
    let refused = api
        .ask(&Call::admin(&adopt, json!({ "name": "가", "terms": terms })))
        .await;
    refused.refused(422, "cancellation-policy/unsound-terms");
    assert_eq!(
        refused.json()["errors"][0]["pointer"],
        "/terms/tiers/0/minutes_before"
    );
    let free = json!({ "tiers": [{ "minutes_before": 0, "fee": { "rate": { "percent": 0 } } }] });
    api.done(&Call::admin(&adopt, json!({ "name": "가", "terms": free })))
        .await;
    let other = Call::admin(
        format!("/v1/cancellation-policies/{}/adopt", Uuid::now_v7()),
        json!({ "name": "가", "terms": free }),
    );
    api.ask(&other).await.refused(409, "claim/taken");
    let session = field.house.session(api, Sale::Long).await;
    let path = format!("/v1/admin/time-slots/{session}");
    let mut plan = api.done(&Call::get(path).by_staff()).await.json()["state"].clone();
    plan.as_object_mut().expect("a plan").remove("state");
    for (rules, slug) in [
        (unknown, "cancellation-policy/not-found"),
        (
            json!({ "cancellation": { "policy": policy, "version": 2 } }),
            "cancellation-policy/no-such-version",
        ),
    ] {
        plan["cancellation"] = rules["cancellation"].clone();
        let call = Call::admin(
            format!("/v1/time-slots/{}/schedule", Uuid::now_v7()),
            json!({ "plan": plan }),
        );
        api.ask(&call).await.refused(404, slug);
    }
    let hold = hold_room(&field, session).await;
    api.ask(&pay(&hold, ROOM))
        .await
        .refused(409, "reservation/not-placed");
    api.done(&Call::place(&hold, None)).await;
    for amount in [0, -1, 1_000_000_001] {
        let answer = api.ask(&pay(&hold, amount)).await;
        answer.refused(422, "reservation/not-an-amount");
        assert_eq!(answer.json()["errors"][0]["pointer"], "/amount/amount");
    }
    let dollars = json!({ "amount": { "amount": 1, "currency": "USD" } });
    api.ask(&step(&hold, "mark-paid", dollars))
        .await
        .refused(409, "reservation/amount-differs");
    for verb in ["accept-offer", "decline-offer"] {
        api.ask(&Call::step(&hold, verb))
            .await
            .refused(409, "reservation/already-placed");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn a_deposit_finds_its_reservation_or_waits_for_staff() {
    let field = Field::open().await;
    let api = &field.api;
    let later = Timestamp::now() + 20.minutes();
    let mut holds = Vec::new();
    for (name, code) in [
        ("홍길동", "K7MQ2Z"),
        ("김하늘", "7QWERT"),
        ("김하늘", "9ZXCVB"),
        ("이서윤", "3ASDFG"),
    ] {
        let session = field.house.session(api, Sale::Long).await;
        let hold = hold_room(&field, session).await;
        owing(&field, &hold, name, code, later).await;
        holds.push(hold);
    }
    // By amount and short code.
    let found = recorded(&field, ROOM, "하늘 7qw-ert", "1").await;
    assert_eq!(
        (&found["state"], &found["basis"]),
        (&json!("matched"), &json!("amount_and_short_code")),
        "{found}"
    );
    assert_eq!(found["reservation"], json!(holds[1].number));
    assert_eq!(money(&shown(&field, &holds[1]).await), ("paid", ROOM, 0, 0));
    // By amount and name: the other one of that name is paid by now.
    let found = recorded(&field, ROOM, " 김하늘 ", "2").await;
    assert_eq!(
        (&found["basis"], &found["reservation"]),
        (&json!("amount_and_name"), &json!(holds[2].number)),
        "{found}"
    );
    // Nothing is certain: staff see what speaks for whom.
    let waiting = recorded(&field, ROOM, "누군가", "3").await;
    assert_eq!(waiting["state"], "unmatched", "{waiting}");
    let reasons: Vec<(&Value, &Value)> = waiting["candidates"]
        .as_array()
        .expect("candidates")
        .iter()
        .map(|candidate| (&candidate["reason"], &candidate["reservation"]))
        .collect();
    let (first, last) = (json!(holds[0].number), json!(holds[3].number));
    assert_eq!(reasons, [(&json!("amount"), &last), (&json!("amount"), &first)]);
    let less = recorded(&field, ROOM - 1, "홍길동K7MQ2Z", "4").await;
    assert_eq!(less["state"], "unmatched", "another amount is not certain");
    assert_eq!(less["candidates"][0]["reason"], "short_code", "{less}");

    let listed = page(&field, &format!("state=unmatched&branch={}", field.house.shop)).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    let first_page = page(&field, "state=unmatched&limit=1").await;
    assert_eq!(first_page["items"][0]["id"], less["id"]);
    let next = first_page["next"].as_str().expect("another page");
    let second_page = page(&field, &format!("state=unmatched&limit=1&cursor={next}")).await;
    assert_eq!(second_page["items"][0]["id"], waiting["id"]);
    assert_eq!(second_page["items"][0]["depositor"], "누군가");

    // Staff match it: under-paid, and that has a name.
    let to = |id: &Value, verb: &str, body: Value| {
        Call::admin(
            format!("/v1/deposits/{}/{verb}", id.as_str().expect("an id")),
            body,
        )
    };
    let body = json!({ "reservation": holds[0].number });
    let matched = api.done(&to(&less["id"], "match", body.clone())).await.json();
    assert_eq!(
        (&matched["state"], &matched["basis"]),
        (&json!("matched"), &json!("staff")),
        "{matched}"
    );
    assert_eq!(
        money(&shown(&field, &holds[0]).await),
        ("under_paid", ROOM - 1, 0, 0)
    );
    let position = field.position();
    api.done(&to(&less["id"], "match", body)).await;
    assert_eq!(field.position(), position, "a repeat pays nothing");
    let other = json!({ "reservation": holds[3].number });
    api.ask(&to(&less["id"], "match", other.clone()))
        .await
        .refused(409, "deposit/already-matched");
    api.ask(&to(&less["id"], "return", json!({})))
        .await
        .refused(409, "deposit/already-matched");
    let nobody = json!({ "reservation": "77" });
    api.ask(&to(&waiting["id"], "match", nobody))
        .await
        .refused(404, "reservation/not-found");
    // Or give it back.
    let returned = api
        .done(&to(
            &waiting["id"],
            "return",
            json!({ "account": "예시은행 1-2-3" }),
        ))
        .await
        .json();
    assert_eq!(
        (&returned["state"], &returned["candidates"]),
        (&json!("returned"), &json!([]))
    );
    api.done(&to(&waiting["id"], "return", json!({}))).await;
    api.ask(&to(&waiting["id"], "match", other))
        .await
        .refused(410, "deposit/already-returned");

    // What is on record is not recorded twice.
    let id: Uuid = waiting["id"].as_str().expect("an id").parse().expect("a UUID");
    api.ask(&deposit(&field, id, 1, "누군가", "3"))
        .await
        .refused(409, "deposit/already-recorded");
    let again = api
        .ask(&deposit(&field, Uuid::now_v7(), ROOM, "누군가", "3"))
        .await;
    again.refused(409, "deposit/reference-in-use");
    assert_eq!(again.json()["detail"], "another deposit has this reference");
    api.ask(&deposit(&field, Uuid::now_v7(), 0, "누군가", "9"))
        .await
        .refused(422, "deposit/unsound");
    api.ask(&to(&json!(Uuid::nil()), "match", json!({ "reservation": "77" })))
        .await
        .refused(404, "deposit/not-found");
    let cinema = field.house.screening(api, 1, 5, Sale::Long).await;
    let elsewhere = api.done(&Call::hold(cinema, &["A1"])).await.hold();
    api.done(&Call::place_paid_by(&elsewhere, "bank_transfer")).await;
    let waiting = recorded(&field, 5, "누군가", "5").await;
    api.ask(&to(
        &waiting["id"],
        "match",
        json!({ "reservation": elsewhere.number }),
    ))
    .await
    .refused(409, "deposit/other-branch");
    // Who sent it is told to nobody who reads the history.
    let told = Call::get(format!(
        "/v1/audit/deposit/{}",
        waiting["id"].as_str().expect("an id")
    ))
    .by_staff();
    let told = api.done(&told).await;
    assert!(!String::from_utf8_lossy(&told.body).contains("누군가"), "{told}");
    field.proved().await;
    field.close().await;
}
