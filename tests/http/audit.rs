//! The audit trail: what happened is found at its branch, and whoever said why is heard.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::{conversation::Conversation, field::Field};
use crate::support::{api::Call, house::Sale, waiting::eventually};

async fn events(field: &Field, query: &str) -> Vec<Value> {
    let path = format!("/v1/audit/events?limit=200{query}");
    let page = field.api.done(&Call::get(path).by_staff()).await.json();
    page["items"].as_array().expect("a page").clone()
}

fn names(events: &[Value]) -> BTreeSet<&str> {
    events
        .iter()
        .map(|event| event["event"].as_str().expect("a name"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn what_happened_is_found_at_its_branch() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 2, 8, Sale::Long).await;
    let until = Timestamp::now() + 2.seconds();
    let ending = field.house.screening(api, 1, 2, Sale::Until(until)).await;
    api.done(&Call::hold(ending, &["A1"])).await;
    let coupon = field.house.coupon(api).await;
    let hold = api.done(&Call::hold(slot, &["A1"])).await.hold();
    let other = json!({ "seats": ["A2"], "persons": { "adult": 1 } });
    api.done(&Call::admin(
        format!("/v1/reservations/{}/change", hold.number),
        other,
    ))
    .await;
    api.done(&Call::step(&hold, "extend")).await;
    api.done(&Call::place_unpaid(&hold, &coupon)).await;
    for verb in ["mark-notified", "mark-paid"] {
        let path = format!("/v1/reservations/{}/{verb}", hold.number);
        api.done(&Call::admin(path, json!({}))).await;
    }
    api.done(&Call::step(&hold, "cancel")).await;
    let given_up = api.done(&Call::hold(slot, &["B1"])).await.hold();
    api.done(&Call::step(&given_up, "release")).await;
    for verb in ["seats/B2/block", "seats/B2/unblock", "close", "reopen"] {
        let path = format!("/v1/time-slots/{slot}/{verb}");
        api.done(&Call::admin(path, json!({}))).await;
    }
    eventually("the hold lapses", || async {
        let lapsed = events(&field, "&event=ReservationLapsed").await;
        (!lapsed.is_empty()).then_some(())
    })
    .await;

    let branch = field.settled(slot).await["branch"]
        .as_str()
        .expect("an id")
        .to_owned();
    let position = events(&field, "&newest_first=true").await[0]["position"].clone();
    let here = events(&field, &format!("&branch={branch}&min_position={position}")).await;
    let shop = field.house.session(api, Sale::Long).await;
    let shop = field.settled(shop).await["branch"]
        .as_str()
        .expect("an id")
        .to_owned();
    let opened = ["BranchOpened", "ThemeActivated", "TimeSlotScheduled"].into();
    let there = eventually("the trail shows the shop", || async {
        let there = events(&field, &format!("&branch={shop}")).await;
        names(&there).is_superset(&opened).then_some(there)
    })
    .await;
    assert!(there.iter().all(|event| !here.contains(event)));

    let all = events(&field, "").await;
    let nowhere: Vec<Value> = all
        .into_iter()
        .filter(|event| !here.contains(event) && !there.contains(event))
        .collect();
    let nowhere = names(&nowhere);
    let anywhere = [
        "ClaimTaken",
        "CouponIssued",
        "MovieAnnounced",
        "PricePolicyAdopted",
    ];
    assert_eq!(nowhere, anywhere.into(), "these belong to no branch");
    let found = names(&here);
    for name in [
        "BranchOpened",
        "AuditoriumBuilt",
        "AuditoriumLayoutDrawn",
        "TimeSlotScheduled",
        "ScheduleEntered",
        "SeatHeld",
        "ReservationHeld",
        "ReservationChanged",
        "ReservationExtended",
        "ReservationPlaced",
        "CouponRedeemed",
        "ReservationNotified",
        "ReservationPaid",
        "ReservationCancelled",
        "CouponRestored",
        "ReservationReleased",
        "ReservationLapsed",
        "SeatBlocked",
        "SeatUnblocked",
        "TimeSlotClosed",
    ] {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
    field.close().await;
}

async fn told(talk: &mut Conversation, path: &str) -> Value {
    let story = talk.get(path).await;
    let events = story.as_array().or_else(|| story["items"].as_array());
    events.and_then(|events| events.last()).expect("an event").clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_says_why_and_the_timeline_repeats_it() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let mut talk = field.talk();
    talk.as_staff();
    let close = format!("/v1/time-slots/{slot}/close");
    let encoded = "%EC%98%81%EC%82%AC%EA%B8%B0%20%EA%B3%A0%EC%9E%A5";
    talk.ask(Method::POST, &close, Some(json!({})), &[("jari-reason", encoded)])
        .await;
    let last = told(&mut talk, &format!("/v1/audit/time-slot/{slot}")).await;
    assert_eq!(last["why"], "영사기 고장", "{last}");
    let position = &last["position"];
    let listed = format!("/v1/audit/events?event=TimeSlotClosed&min_position={position}");
    assert_eq!(told(&mut talk, &listed).await["why"], "영사기 고장");
    // What was not said is not there.
    talk.post(&format!("/v1/time-slots/{slot}/reopen"), json!({}))
        .await;
    let last = told(&mut talk, &format!("/v1/audit/time-slot/{slot}")).await;
    assert_eq!(last.get("why"), None);

    let refused = talk
        .ask(Method::POST, &close, Some(json!({})), &[("jari-reason", "a%00b")])
        .await;
    assert_eq!(refused["type"], "/problems/request/malformed-header", "{refused}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cancels_says_why_in_the_body_or_the_header() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 2, Sale::Long).await;
    let mut talk = field.talk();
    for (seat, headers, why) in [
        ("A1", &[][..], "we cannot come"),
        ("A2", &[("jari-reason", "by phone")][..], "by phone"),
    ] {
        let hold = field.api.done(&Call::hold(slot, &[seat])).await.hold();
        field.api.done(&Call::place(&hold, None)).await;
        talk.speaking_as(Some(&hold.token));
        let path = format!("/v1/reservations/{}/cancel", hold.number);
        let body = json!({ "reason": "we cannot come" });
        talk.ask(Method::POST, &path, Some(body), headers).await;
        talk.as_staff();
        let last = told(&mut talk, &format!("/v1/audit/reservation/{}", hold.number)).await;
        assert_eq!(
            (&last["event"], &last["why"]),
            (&json!("ReservationCancelled"), &json!(why))
        );
    }
    field.close().await;
}
