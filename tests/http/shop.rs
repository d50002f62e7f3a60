//! What runs a shop: coupons come in bulk, sales open by themselves, lists speak in names and say what is over.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{field::Field, named::names};
use crate::support::{
    api::Call,
    house::{Sale, admin},
    waiting::eventually,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coupons_are_issued_in_bulk_under_codes_nobody_guesses() {
    let field = Field::open().await;
    let now = Timestamp::now();
    let body = |count: u16, percent: u8| {
        json!({ "count": count, "terms": { "discount": { "rate": { "percent": percent } },
            "valid_from": now - 1.hour(), "valid_until": now + 24.hours() } })
    };
    let issue = Call::admin("/v1/coupons", body(1_000, 20)).with_key("winter-campaign");
    let issued = field.api.done(&issue).await;
    assert_eq!(issued.status, 201);
    let codes: BTreeSet<String> = serde_json::from_value(issued.json()["codes"].clone()).unwrap();
    assert_eq!(codes.len(), 1_000);
    let again = field.api.done(&issue).await;
    assert!(again.repeated);
    assert_eq!(again.body, issued.body, "the same codes, not new ones");
    // Any of them is a coupon like any other.
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(session, 2)).await.hold();
    field
        .api
        .done(&Call::place(&hold, codes.first().map(String::as_str)))
        .await;
    names(
        &field,
        &Call::admin("/v1/coupons", body(0, 20)),
        "request/invalid-fields",
        &["/count"],
    )
    .await;
    names(
        &field,
        &Call::admin("/v1/coupons", body(1_001, 20)),
        "request/invalid-fields",
        &["/count"],
    )
    .await;
    names(
        &field,
        &Call::admin("/v1/coupons", body(1, 130)),
        "coupon/inconsistent-terms",
        &["/terms/discount"],
    )
    .await;
    field
        .api
        .ask(&Call::post("/v1/coupons", body(1, 20)))
        .await
        .refused(401, "request/unauthorized");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_theme_that_is_activated_is_sold_by_its_template_without_further_ado() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let known = field.settled(session).await;
    let known = Call::get(format!("/v1/themes/{}", known["theme"].as_str().unwrap()));
    let game = field.api.done(&known).await.json();
    let theme = Uuid::now_v7();
    let daily: Value = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    .into_iter()
    .map(|day| (day.to_owned(), json!(["10:00", "12:00"])))
    .collect::<serde_json::Map<_, _>>()
    .into();
    let introduced = json!({ "branch": game["branch"], "name": "등대지기", "price_policy": game["price_policy"],
        "party": { "min": 2, "max": 4, "default": 2 }, "duration_minutes": 60, "turnover_minutes": 20,
        "opens": { "days_ahead": 9, "time": "00:00" }, "slots": daily });
    admin(&field.api, "themes", theme, "introduce", introduced).await;
    admin(&field.api, "themes", theme, "activate", json!({})).await;
    let day = (Timestamp::now() + (5 * 24).hours()).to_string();
    let listed = Call::get(format!("/v1/time-slots?theme={theme}&date={}", &day[..10]));
    let items = eventually("two slots", || async {
        let items = field.api.done(&listed).await.json()["items"].clone();
        let two = items.as_array().is_some_and(|items| items.len() == 2);
        two.then_some(items)
    })
    .await;
    assert_eq!(
        (&items[0]["starts"], &items[1]["starts"]),
        (&json!("10:00"), &json!("12:00"))
    );
    // Who withdraws one does not find it there again after the next change.
    let withdrawn = items[0]["id"].as_str().unwrap();
    admin(&field.api, "time-slots", withdrawn, "withdraw", json!({})).await;
    admin(
        &field.api,
        "themes",
        theme,
        "retime",
        json!({ "duration_minutes": 60, "turnover_minutes": 20,
        "slots": { "monday": ["10:00", "12:00", "14:00"], "tuesday": ["10:00", "12:00", "14:00"],
            "wednesday": ["10:00", "12:00", "14:00"], "thursday": ["10:00", "12:00", "14:00"],
            "friday": ["10:00", "12:00", "14:00"], "saturday": ["10:00", "12:00", "14:00"],
            "sunday": ["10:00", "12:00", "14:00"] } }),
    )
    .await;
    eventually("the slots of the new template", || async {
        let items = field.api.done(&listed).await.json()["items"].clone();
        let items = items.as_array().expect("items").iter();
        let starts: Vec<Value> = items.map(|slot| slot["starts"].clone()).collect();
        (starts == ["12:00", "14:00"]).then_some(())
    })
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_slot_says_what_it_shows_by_name() {
    let field = Field::open().await;
    let screening = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let (day, slot) = field.day(screening).await;
    let names = |slot: &Value| {
        ["branch_name", "movie_title", "auditorium_name", "theme_name"]
            .map(|name| slot[name].as_str().map(str::to_owned))
    };
    let expected = [Some("한강"), Some("한강의 밤"), Some("1관"), None].map(|name| name.map(str::to_owned));
    assert_eq!(names(&slot), expected);
    let listed = Call::get(format!(
        "/v1/time-slots?branch={}&date={day}",
        slot["branch"].as_str().unwrap()
    ));
    let listed = field.api.done(&listed).await.json();
    assert_eq!(names(&listed["items"][0]), expected);
    let played = field.settled(session).await;
    let expected = [Some("강남점"), None, None, Some("달빛 서고")].map(|name| name.map(str::to_owned));
    assert_eq!(names(&played), expected);
    // Whoever reads the history meets the same names.
    let position = field.position();
    let told = Call::get(format!("/v1/audit/events?kind=time_slot&min_position={position}")).by_staff();
    let told = field.api.done(&told).await.json();
    let sentences: Vec<&str> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["sentence"].as_str().unwrap())
        .collect();
    assert!(sentences[0].contains("movie 한강의 밤"), "{sentences:?}");
    assert!(sentences[1].contains("theme 달빛 서고"), "{sentences:?}");
    let hold = field.api.done(&Call::hold(screening, &["A1"])).await;
    let path = format!("/v1/audit/reservation/{}", hold.hold().number);
    let told = field.api.done(&Call::get(path).by_staff()).await.json();
    let sentence = told[0]["sentence"].as_str().unwrap();
    assert!(sentence.contains("time slot 한강의 밤, 1관, "), "{sentence}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_told_once_and_the_reservation_shows_it() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(session, 2)).await.hold();
    let placed = field.api.done(&Call::place(&hold, None)).await.json();
    assert_eq!(placed["placed"]["notified"], false, "{placed}");
    let tell = Call::admin(
        format!("/v1/reservations/{}/mark-notified", hold.number),
        json!({}),
    );
    let told = field.api.done(&tell).await;
    assert_eq!(told.json()["placed"]["notified"], true);
    let position = field.position();
    field.api.done(&tell).await;
    assert_eq!(field.position(), position, "a repeat appends nothing");
    let shown = field.api.done(&Call::show(&hold)).await.json();
    assert_eq!(shown["placed"]["notified"], true, "{shown}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_stranger_needs_a_long_key() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = Call::hold_room(session, 2).with_key("abc");
    field
        .api
        .ask(&hold)
        .await
        .refused(400, "request/malformed-header");
    let branch = field.settled(session).await["branch"]
        .as_str()
        .unwrap()
        .to_owned();
    let rename = Call::admin(
        format!("/v1/branches/{branch}/rename"),
        json!({ "name": "강남 1호점" }),
    )
    .with_key("abc");
    assert!(!field.api.done(&rename).await.repeated);
    assert!(field.api.done(&rename).await.repeated);
    let hold = field.api.done(&Call::hold_room(session, 2)).await.hold();
    field.api.done(&Call::step(&hold, "extend").with_key("abc")).await;
    assert!(
        field
            .api
            .done(&Call::step(&hold, "extend").with_key("abc"))
            .await
            .repeated
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_offered_any_more_says_so() {
    let field = Field::open().await;
    let screening = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let screening = field.settled(screening).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let session = field.settled(session).await;
    for (collection, id, before, verb, body, after) in [
        (
            "movies",
            &screening["movie"],
            "announced",
            "withdraw",
            json!({}),
            "withdrawn",
        ),
        (
            "themes",
            &session["theme"],
            "active",
            "deactivate",
            json!({}),
            "inactive",
        ),
        (
            "branches",
            &session["branch"],
            "open",
            "close",
            json!({ "reason": "moved" }),
            "closed",
        ),
    ] {
        let id = id.as_str().unwrap();
        let path = format!("/v1/{collection}/{id}");
        let shown = field.api.done(&Call::get(&path)).await.json();
        assert_eq!(shown["state"], before, "{shown}");
        let listed = field
            .api
            .done(&Call::get(format!("/v1/{collection}")))
            .await
            .json();
        assert_eq!(listed["items"][0]["state"], before, "{listed}");
        let changed = field.api.ask(&Call::admin(format!("{path}/{verb}"), body)).await;
        assert!(changed.is_done(), "{changed}");
        let shown = field.api.done(&Call::get(&path)).await.json();
        assert_eq!(shown["state"], after, "{shown}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_for_something_unknown_is_not_found() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let slot = field.settled(slot).await;
    let (known, nobody) = (slot["branch"].as_str().unwrap(), Uuid::nil());
    for (path, slug) in [
        (format!("/v1/branches?movie={nobody}"), "movie/not-found"),
        (format!("/v1/branches?theme={nobody}"), "theme/not-found"),
        (format!("/v1/movies?branch={nobody}"), "branch/not-found"),
        (format!("/v1/themes?branch={nobody}"), "branch/not-found"),
        (format!("/v1/auditoriums?branch={nobody}"), "branch/not-found"),
        (format!("/v1/time-slots?branch={nobody}"), "branch/not-found"),
        (format!("/v1/time-slots?theme={nobody}"), "theme/not-found"),
        (
            format!("/v1/time-slots?branch={known}&theme={nobody}"),
            "theme/not-found",
        ),
        (
            format!("/v1/time-slots?branch={known}&movie={nobody}"),
            "movie/not-found",
        ),
        (
            format!("/v1/time-slots?branch={known}&auditorium={nobody}"),
            "auditorium/not-found",
        ),
    ] {
        field.api.ask(&Call::get(path)).await.refused(404, slug);
    }
    // What is there and has nothing to list has an empty list.
    let movie = slot["movie"].as_str().unwrap();
    let far = Call::get(format!(
        "/v1/time-slots?branch={known}&movie={movie}&date=2040-01-01"
    ));
    assert_eq!(field.api.done(&far).await.json()["items"], json!([]));
    field.close().await;
}
