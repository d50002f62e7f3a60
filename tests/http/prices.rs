//! What places cost before they are held, and what a period would have brought under other prices.

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{field::Field, named::names};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, layout},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_is_told_before_a_hold_and_is_the_one_it_is_quoted() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let told = api
        .done(&Call::get(format!("/v1/time-slots/{session}/prices")))
        .await
        .json();
    let sizes: Vec<(&Value, &Value)> = told["prices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|price| (&price["party_size"], &price["quote"]["total"]))
        .collect();
    let expected = [(2, 48_000), (3, 66_000), (4, 84_000)].map(|(size, total)| (json!(size), json!(total)));
    assert_eq!(sizes, expected.each_ref().map(|(size, total)| (size, total)));
    assert_eq!(told["from"], json!({ "amount": 48_000, "currency": "KRW" }));
    assert!(told.get("quote").is_none());
    let asked = Call::get(format!("/v1/time-slots/{session}/prices?party_size=3"));
    let quoted = api.done(&asked).await.json()["quote"].clone();
    let hold = api.done(&Call::hold_room(session, 3)).await.json();
    assert_eq!(hold["quote"], quoted);

    let screening = field.house.screening(api, 1, 5, Sale::Long).await;
    let position = field.position();
    let path = format!("/v1/time-slots/{screening}/prices");
    let told = api.done(&Call::get(&path)).await.json();
    let kinds: Vec<&Value> = told["prices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|price| &price["person"])
        .collect();
    assert_eq!(kinds, ["adult", "teen", "senior", "preferential"]);
    assert_eq!(told["from"]["amount"], 5_000);
    let asked = Call::get(format!("{path}?adult=1&teen=1&seats=A1,A2"));
    let quoted = api.done(&asked).await.json()["quote"].clone();
    let cheapest = Call::get(format!("{path}?adult=1&teen=1&category=일반"));
    assert_eq!(api.done(&cheapest).await.json()["quote"], quoted);
    assert_eq!(field.position(), position, "nothing is held");
    let body = json!({ "time_slot": screening, "seats": ["A1", "A2"], "persons": { "adult": 1, "teen": 1 } });
    let hold = api.done(&Call::post("/v1/reservations", body)).await.json();
    assert_eq!((&hold["quote"], &quoted["total"]), (&quoted, &json!(25_000)));

    for (query, status, slug) in [
        ("?party_size=2", 422, "price/wrong-party"),
        ("?adult=0", 422, "price/party-out-of-range"),
        ("?adult=9", 422, "price/party-out-of-range"),
        ("?adult=2&seats=A1", 422, "price/seats-differ"),
        ("?adult=2&seats=A1,A1", 422, "choice/chosen-twice"),
        ("?adult=1&seats=Z1", 422, "choice/no-such-seats"),
        ("?adult=1&category=프라임", 409, "price/unknown-category"),
        ("?adult=1&party_size=1", 400, "request/malformed-query"),
        ("?adult=-1", 400, "request/malformed-query"),
        ("?adult=1&seats=,", 400, "request/malformed-query"),
    ] {
        api.ask(&Call::get(format!("{path}{query}")))
            .await
            .refused(status, slug);
    }
    let rooms = format!("/v1/time-slots/{session}/prices");
    for (query, slug) in [
        ("?adult=2", "price/wrong-party"),
        ("?party_size=5", "choice/party-size"),
    ] {
        api.ask(&Call::get(format!("{rooms}{query}")))
            .await
            .refused(422, slug);
    }
    let nowhere = Call::get(format!("/v1/time-slots/{}/prices", Uuid::nil()));
    api.ask(&nowhere).await.refused(404, "time-slot/not-found");
    field.close().await;
}

/// A draft of session prices.
fn draft(table: Value) -> Value {
    json!({ "session": { "currency": "KRW", "price": { "person": { "table": table } } } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn a_draft_is_tried_on_what_was_sold_and_changes_nothing() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let coupon = house.coupon(api).await;
    let mut days = Vec::new();
    let mut placed: Vec<Hold> = Vec::new();
    for (party, coupon) in [(2, None), (3, Some(&*coupon)), (4, None), (2, None)] {
        let session = house.session(api, Sale::Long).await;
        let hold = api.done(&Call::hold_room(session, party)).await.hold();
        api.done(&Call::place(&hold, coupon)).await;
        days.push(field.day(session).await.0);
        placed.push(hold);
    }
    // What was called off brought nothing.
    api.done(&Call::step(&placed[3], "cancel")).await;
    let path = format!("/v1/admin/price-policies/{}/simulate", house.session_prices);
    let simulate = |tariff: Value| {
        let body = json!({ "tariff": tariff, "from": days[0], "until": days[3], "branch": house.shop });
        Call::admin(&path, body)
    };
    let position = field.position();
    let told = api
        .done(&simulate(draft(json!({ "2": 50_000, "3": 60_000 }))))
        .await
        .json();
    assert_eq!(field.position(), position);
    // 48,000 → 50,000, and with the coupon's 20 percent 52,800 → 48,000.
    let total = json!({ "count": 2, "old": 100_800, "new": 98_000, "difference": -2_800 });
    assert_eq!(told["total"], total, "{told}");
    assert_eq!(told["by_band"], json!({ "regular": total }));
    assert_eq!(told["by_show"], json!({ house.theme.to_string(): total }));
    let by_day = told["by_day"].as_object().unwrap();
    let sum: i64 = by_day
        .values()
        .map(|day| day["difference"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, -2_800, "{told}");
    let unpriced = &told["unpriced"][0];
    assert_eq!(
        (
            &unpriced["type"],
            &unpriced["count"],
            &unpriced["reservations"][0]["reservation"]
        ),
        (
            &json!("/problems/price/no-price-for-size"),
            &json!(1),
            &json!(placed[2].number)
        ),
        "{told}"
    );
    // Where nothing else is asked for, the prices as they are give what was paid.
    let same = draft(json!({ "2": 48_000, "3": 66_000, "4": 84_000 }));
    let told = api.done(&simulate(same.clone())).await.json();
    assert_eq!(
        (
            &told["total"]["count"],
            &told["total"]["difference"],
            &told["unpriced"]
        ),
        (&json!(3), &json!(0), &json!([]))
    );
    let elsewhere = json!({ "tariff": same, "from": days[0], "until": days[3], "branch": house.cinema });
    let told = api.done(&Call::admin(&path, elsewhere)).await.json();
    assert_eq!(told["total"]["count"], 0);

    let unsound = draft(json!({ "9": 1 }));
    names(
        &field,
        &simulate(unsound),
        "price-policy/unsound-tariff",
        &["/tariff/price/table/9"],
    )
    .await;
    let mut dollars = same.clone();
    dollars["session"]["currency"] = json!("USD");
    names(
        &field,
        &simulate(dollars),
        "price-policy/other-currency",
        &["/tariff"],
    )
    .await;
    for (from, until) in [("2026-01-02", "2026-01-01"), ("2026-01-01", "2026-04-03")] {
        let body = json!({ "tariff": same, "from": from, "until": until });
        names(
            &field,
            &Call::admin(&path, body),
            "request/invalid-fields",
            &["/until"],
        )
        .await;
    }
    let body = json!({ "tariff": same, "from": "2026-01-01", "until": "2026-04-02" });
    api.done(&Call::admin(&path, body.clone())).await;
    let unknown = format!("/v1/admin/price-policies/{}/simulate", Uuid::nil());
    api.ask(&Call::admin(unknown, body))
        .await
        .refused(404, "price-policy/not-found");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_for_a_cinema_prices_the_seats_and_halls_that_were_sold() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening_in(api, layout(1, 6), Sale::Long, json!({})).await;
    let body = json!({ "time_slot": slot, "seats": ["A1", "A2"], "persons": { "adult": 1, "senior": 1 } });
    let hold = api.done(&Call::post("/v1/reservations", body)).await.hold();
    api.done(&Call::place(&hold, None)).await;
    let (day, shown) = field.day(slot).await;
    let auditorium = shown["auditorium"].as_str().unwrap();
    // Classified only after it was sold, and without a price then: today's kind counts.
    let classify = Call::admin(
        format!("/v1/auditoriums/{auditorium}/classify"),
        json!({ "hall": "IMAX" }),
    );
    api.done(&classify).await;
    let draft = |categories: Value| {
        json!({ "screening": { "currency": "KRW", "categories": categories, "halls": { "IMAX": 2000 },
            "persons": { "adult": 0, "teen": 0, "senior": -5000, "preferential": 0 },
            "bands": [{ "name": "조조", "until": "29:00", "weekday": 15000, "weekend": 15000 }] } })
    };
    let path = format!("/v1/admin/price-policies/{}/simulate", house.screening_prices);
    let simulate = |tariff: Value| Call::admin(&path, json!({ "tariff": tariff, "from": day, "until": day }));
    let told = api.done(&simulate(draft(json!({ "일반": 1000 })))).await.json();
    // 14,000 × 2 − 7,000 before; (15,000 + 2,000 + 1,000) × 2 − 5,000 then.
    let total = json!({ "count": 1, "old": 21_000, "new": 31_000, "difference": 10_000 });
    assert_eq!(told["total"], total, "{told}");
    assert_eq!(
        told["by_band"],
        json!({ "일반": total }),
        "the band it was sold in"
    );
    assert_eq!(told["by_day"], json!({ day.clone(): total }));
    let told = api.done(&simulate(draft(json!({ "프라임": 0 })))).await.json();
    assert_eq!(
        (&told["total"]["count"], &told["unpriced"][0]["type"]),
        (&json!(0), &json!("/problems/price/unknown-category")),
        "{told}"
    );
    let far = Timestamp::now() + (24 * 40).hours();
    let beside = json!({ "tariff": draft(json!({ "일반": 0 })), "from": far.to_string()[..10], "until": far.to_string()[..10] });
    assert_eq!(
        api.done(&Call::admin(&path, beside)).await.json()["total"]["count"],
        0
    );
    field.close().await;
}
