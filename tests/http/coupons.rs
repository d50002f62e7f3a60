//! Coupons by the thousand: issued once, exported, revoked together, tried without being used, and not to be guessed.

use std::collections::BTreeSet;

use jari::{config::RateLimits, verify::first_violation};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{customers::customer, field::Field, named::names};
use crate::support::{
    api::{Call, Hold},
    house::Sale,
};

fn terms(note: &str) -> Value {
    let now = Timestamp::now();
    json!({ "discount": { "rate": { "percent": 20 } }, "valid_from": now - 1.hour(),
        "valid_until": now + 24.hours(), "note": note })
}

fn bulk(count: u16, terms: &Value) -> Call {
    let body = json!({ "batch": "겨울 행사", "count": count, "terms": terms });
    Call::admin("/v1/admin/coupons/bulk", body)
}

async fn held(field: &Field) -> Hold {
    let session = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(session, 2)).await.hold()
}

fn check(hold: &Hold, code: &str) -> Call {
    let path = format!("/v1/reservations/{}/check-coupon", hold.number);
    Call::post(path, json!({ "coupon": code })).with_token(&hold.token)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn a_batch_is_issued_once_exported_and_revoked_but_for_what_was_used() {
    let field = Field::open().await;
    let api = &field.api;
    let terms = terms("=HYPERLINK(\"https://example.com\")");
    let issue = bulk(2_300, &terms).with_key("winter-campaign");
    let issued = api.done(&issue).await;
    assert_eq!(issued.status, 201);
    let again = api.done(&issue).await;
    assert!(
        again.repeated && again.body == issued.body,
        "the same codes, not new ones"
    );
    api.ask(&bulk(2_301, &terms).with_key("winter-campaign"))
        .await
        .refused(422, "request/key-reused");
    let issued = issued.json();
    let codes: Vec<String> = serde_json::from_value(issued["codes"].clone()).unwrap();
    let different: BTreeSet<&String> = codes.iter().collect();
    assert_eq!((codes.len(), different.len()), (2_300, 2_300));
    let batch = issued["batch"]["id"].as_str().unwrap();

    // One of them is used; only these are in the list of the batch.
    let hold = held(&field).await;
    api.done(&Call::place(&hold, Some(&codes[7]))).await;
    let position = field.position();
    let list = format!("/v1/coupons?batch={batch}&state=redeemed&min_position={position}");
    let listed = api.done(&Call::get(list).by_staff()).await.json();
    assert_eq!(
        (&listed["items"][0]["code"], &listed["items"][0]["batch"]["name"]),
        (&json!(codes[7]), &json!("겨울 행사"))
    );
    let none = format!("/v1/coupons?batch={}", Uuid::nil());
    assert_eq!(
        api.done(&Call::get(none).by_staff()).await.json()["items"],
        json!([])
    );

    let path = format!("/v1/admin/coupon-batches/{batch}");
    let csv = api.done(&Call::get(format!("{path}/codes.csv")).by_staff()).await;
    let csv = String::from_utf8(csv.body).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2_301);
    assert_eq!(
        lines[0],
        "code,state,reservation,discount,valid_from,valid_until,restorable,batch,note"
    );
    let used = lines.iter().find(|line| line.starts_with(&codes[7])).unwrap();
    assert!(
        used.contains(&format!(",redeemed,{},20%,", hold.number)),
        "{used}"
    );
    assert!(
        used.ends_with(",true,겨울 행사,\"'=HYPERLINK(\"\"https://example.com\"\")\""),
        "no spreadsheet takes it for a formula: {used}"
    );

    let revoke = Call::admin(format!("{path}/revoke"), json!({ "reason": "잘못 보냄" }));
    let revoked = api.done(&revoke).await.json();
    assert_eq!(
        (&revoked["revoked"], &revoked["used"]),
        (&json!(2_299), &json!([codes[7]])),
        "{revoked}"
    );
    let position = field.position();
    let again = api.done(&revoke).await.json();
    assert_eq!(
        (&again["revoked"], &again["revoked_before"], &again["used"]),
        (&json!(0), &json!(2_299), &json!([codes[7]]))
    );
    assert_eq!(field.position(), position, "a repeat does nothing");
    let other = held(&field).await;
    api.ask(&Call::place(&other, Some(&codes[8])))
        .await
        .refused(410, "coupon/revoked");
    let unknown = format!("/v1/admin/coupon-batches/{}", Uuid::nil());
    api.ask(&Call::get(format!("{unknown}/codes.csv")).by_staff())
        .await
        .refused(404, "request/no-such-thing");
    api.ask(&Call::admin(format!("{unknown}/revoke"), json!({})))
        .await
        .refused(404, "request/no-such-thing");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_has_bounds() {
    let field = Field::open().await;
    let terms = terms("bounds");
    for count in [0, 10_001] {
        names(
            &field,
            &bulk(count, &terms),
            "request/invalid-fields",
            &["/count"],
        )
        .await;
    }
    let mut senseless = terms.clone();
    senseless["discount"] = json!({ "rate": { "percent": 130 } });
    names(
        &field,
        &bulk(2, &senseless),
        "coupon/inconsistent-terms",
        &["/terms/discount"],
    )
    .await;
    let mut nowhere = terms.clone();
    nowhere["scope"] = json!({ "theme": Uuid::nil() });
    field
        .api
        .ask(&bulk(2, &nowhere))
        .await
        .refused(404, "theme/not-found");
    // A batch is made by issuing one, not by naming one.
    let issue = json!({ "terms": terms, "batch": { "id": Uuid::nil(), "name": "x" } });
    names(
        &field,
        &Call::admin("/v1/coupons/7KQ4MZ2H/issue", issue),
        "request/invalid-fields",
        &["/batch"],
    )
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_coupon_takes_off_is_told_without_using_it() {
    let field = Field::open().await;
    let api = &field.api;
    let (hold, coupon) = (held(&field).await, field.house.coupon(api).await);
    let position = field.position();
    let told = api.done(&check(&hold, &coupon)).await.json();
    assert_eq!(
        (&told["off"], &told["quote"]["total"]),
        (&json!(9_600), &json!(38_400)),
        "{told}"
    );
    assert_eq!(field.position(), position, "nothing was redeemed");
    let placed = api.done(&Call::place(&hold, Some(&coupon))).await.json();
    assert_eq!(placed["quote"], told["quote"], "as it was told");

    // Who is not signed in hears the same of what is used, elsewhere or not there at all.
    let mut elsewhere = terms("elsewhere");
    elsewhere["scope"] = json!({ "branch": field.house.cinema });
    let issued = api
        .done(&Call::admin("/v1/coupons", json!({ "terms": elsewhere })))
        .await
        .json();
    let elsewhere = issued["codes"][0].as_str().unwrap();
    let other = held(&field).await;
    let mut answers = Vec::new();
    for code in [&*coupon, elsewhere, "ZZZZ2222"] {
        let refused = api.ask(&check(&other, code)).await;
        refused.refused(404, "coupon/not-found");
        answers.push(refused.json()["detail"].clone());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // Staff and whoever is signed in are told what is wrong.
    for (code, status, slug) in [
        (&*coupon, 409, "coupon/already-redeemed"),
        (elsewhere, 409, "coupon/out-of-scope"),
        ("ZZZZ2222", 404, "coupon/not-found"),
    ] {
        api.ask(&check(&other, code).by_staff())
            .await
            .refused(status, slug);
    }
    let token = customer(api, "owner@example.com", "owner").await;
    let session = field.house.session(api, Sale::Long).await;
    let own = api
        .done(&Call::hold_room(session, 2).with_token(&token))
        .await
        .hold();
    api.ask(&check(&own, elsewhere).with_token(&token))
        .await
        .refused(409, "coupon/out-of-scope");
    // What is no hold any more has no price to take something off.
    api.ask(&check(&hold, &coupon))
        .await
        .refused(409, "reservation/already-placed");
    api.done(&Call::step(&other, "release")).await;
    api.ask(&check(&other, &coupon))
        .await
        .refused(410, "reservation/hold-released");
    api.ask(&check(&hold, &coupon).with_token("somebody else's"))
        .await
        .refused(404, "reservation/not-found");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_that_do_not_fit_are_tried_so_often_and_no_more() {
    let field = Field::limited(RateLimits {
        coupon_failures: 3,
        ..RateLimits::LOOSE
    })
    .await;
    let api = &field.api;
    let coupon = field.house.coupon(api).await;
    let [one, two, three] = [held(&field).await, held(&field).await, held(&field).await];
    // What fits never counts.
    for _ in 0..5 {
        api.done(&check(&one, &coupon)).await;
    }
    api.ask(&check(&one, "ZZZZ2222"))
        .await
        .refused(404, "coupon/not-found");
    api.ask(&Call::place(&two, Some("ZZZZ2223")))
        .await
        .refused(404, "coupon/not-found");
    let placed = Call::place(&held(&field).await, Some(&field.house.coupon(api).await)).with_key("four");
    let answered = api.done(&placed).await.json();
    // What is refused for another reason does not count either.
    let mut unsigned = json!({ "name": "김하늘", "phone": "010-1234-5678", "payment": "on_site", "coupon": coupon,
        "agreements": { "privacy": false, "house_rules": true } });
    let path = format!("/v1/reservations/{}/place", two.number);
    api.ask(&Call::post(&path, unsigned.clone()).with_token(&two.token))
        .await
        .refused(422, "reservation/agreement-missing");
    api.ask(&Call::place(&three, Some("ZZZZ2224")))
        .await
        .refused(404, "coupon/not-found");
    // From this address nothing is tried any more, with whatever hold; without a coupon everything goes on.
    for call in [check(&one, &coupon), Call::place(&two, Some(&coupon))] {
        let refused = api.ask(&call).await;
        refused.refused(429, "request/too-many");
        let wait = refused.retry_after.expect("when to come back");
        assert!((1..=600).contains(&wait), "{wait}");
    }
    // What was placed before is answered as it was, though.
    assert_eq!(api.done(&placed).await.json(), answered);
    unsigned["agreements"] = json!({ "privacy": true, "house_rules": true });
    unsigned["coupon"] = json!(null);
    api.done(&Call::post(path, unsigned).with_token(&two.token)).await;
    // Staff are known by name: their mistakes do not stop the guests, nor the other way round.
    api.done(&check(&one, &coupon).by_staff()).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_that_is_not_restorable_stays_used() {
    let field = Field::open().await;
    let api = &field.api;
    let mut once = terms("once");
    once["restorable"] = json!(false);
    let issued = api
        .done(&Call::admin("/v1/coupons", json!({ "terms": once, "count": 1 })))
        .await
        .json();
    assert_eq!(issued["terms"]["restorable"], false);
    let (once, often) = (
        issued["codes"][0].as_str().unwrap().to_owned(),
        field.house.coupon(api).await,
    );
    for (code, again) in [(once, false), (often, true)] {
        let hold = held(&field).await;
        api.done(&Call::place(&hold, Some(&code))).await;
        api.done(&Call::step(&hold, "cancel")).await;
        let next = held(&field).await;
        let answer = api.ask(&Call::place(&next, Some(&code))).await;
        if again {
            assert!(answer.is_done(), "{answer}");
        } else {
            answer.refused(409, "coupon/already-redeemed");
        }
    }
    // What stays used is no contradiction in the log.
    let wrong = first_violation(&field.log().await);
    assert!(wrong.is_none(), "{wrong:?}");
    field.close().await;
}
