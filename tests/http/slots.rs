//! Time slots by the dozen: batches that are made whole or not at all, terms adjusted on the way, and clocks that are set
//! forward and back meanwhile.

use aggregates::business_day::on_the_wall;
use jiff::{
    Timestamp, ToSpan as _, Zoned,
    civil::{Date, time},
    tz::TimeZone,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{field::Field, named::names};
use crate::support::{
    api::{Answer, Call},
    house::{Sale, admin, layout},
    waiting::eventually,
};

/// An auditorium of this cinema with one row of five seats.
async fn auditorium(field: &Field, cinema: Uuid) -> Uuid {
    let id = Uuid::now_v7();
    let built = json!({ "branch": cinema, "name": id.to_string(), "hall": null, "cleaning_minutes": 15 });
    admin(&field.api, "auditoriums", id, "build", built).await;
    let drawn = json!({ "layout": layout(1, 5) });
    admin(&field.api, "auditoriums", id, "draw-layout", drawn).await;
    id
}

/// A batch in this auditorium of the movie, which lasts an hour.
fn batch(field: &Field, auditorium: Uuid, when: Value) -> Value {
    let mut body = json!({ "auditorium": auditorium, "movie": field.house.movie,
        "price_policy": field.house.screening_prices, "opens": { "days_ahead": 30, "time": "10:00" } });
    for (name, value) in when.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

fn schedule(body: &Value) -> Call {
    Call::admin("/v1/admin/schedules/batch", body.clone())
}

/// So many days from today in Seoul.
fn in_days(days: i64) -> Date {
    let seoul = TimeZone::get("Asia/Seoul").expect("a zone");
    on_the_wall(&seoul, Timestamp::now())
        .0
        .saturating_add(days.days())
}

fn slots(answer: &Answer) -> Vec<Value> {
    answer.json()["slots"].as_array().expect("slots").clone()
}

fn details(answer: &Answer) -> Vec<String> {
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{answer}"));
    errors
        .iter()
        .map(|error| error["detail"].as_str().expect("a text").to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_tried_then_made_whole_and_once() {
    let field = Field::open().await;
    let hall = auditorium(&field, field.house.cinema).await;
    let (first, second) = (in_days(3), in_days(4));
    // From the second day on there are other prices.
    let tariff = json!({ "screening": { "currency": "KRW", "categories": { "일반": 0 },
        "persons": { "adult": 0, "teen": 0, "senior": 0, "preferential": 0 },
        "bands": [{ "name": "일반", "until": "29:00", "weekday": 16000, "weekend": 16000 }] } });
    let revised = json!({ "tariff": tariff, "effective_from": second });
    admin(
        &field.api,
        "price-policies",
        field.house.screening_prices,
        "revise",
        revised,
    )
    .await;
    let when = json!({ "days": [first, second], "times": ["10:00", "13:00", "25:10"], "dry_run": true,
        "terms": { "orphan_rule": "lenient", "cancel_minutes": 45 } });
    let mut body = batch(&field, hall, when);
    let position = field.position();
    let tried = field.api.done(&schedule(&body)).await;
    assert_eq!((tried.status, field.position()), (200, position), "{tried}");
    let told = slots(&tried);
    let starts: Vec<&str> = told.iter().map(|slot| slot["starts"].as_str().unwrap()).collect();
    assert_eq!(starts, ["10:00", "13:00", "25:10", "10:00", "13:00", "25:10"]);
    assert_eq!(
        (
            &told[2]["business_date"],
            &told[2]["price_version"],
            &told[3]["price_version"]
        ),
        (&json!(first), &json!(1), &json!(2)),
        "the version by the business day, not by the calendar's"
    );
    assert!(
        told.iter()
            .all(|slot| slot.get("id").is_none() && slot["capacity"] == 5)
    );

    body["dry_run"] = json!(false);
    let made = field.api.done(&schedule(&body).with_key("christmas")).await;
    assert_eq!(made.status, 201);
    let again = field.api.done(&schedule(&body).with_key("christmas")).await;
    assert!(again.repeated && again.body == made.body, "the same slots");
    let made = slots(&made);
    for (made, told) in made.iter().zip(&told) {
        for name in ["starts_at", "ends_at", "ready_at", "sales_open_at"] {
            assert_eq!(made[name], told[name], "as it was told before");
        }
    }
    let id: Uuid = made[2]["id"].as_str().unwrap().parse().unwrap();
    let slot = field.settled(id).await;
    assert_eq!(
        (&slot["orphan_rule"], &slot["starts"], &slot["state"]),
        (&json!("lenient"), &json!("25:10"), &json!("on_sale"))
    );
    // They are slots like any other.
    field.api.done(&Call::hold(id, &["A1", "A2"])).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_in_the_way_of_something_names_every_start_and_makes_none() {
    let field = Field::open().await;
    let hall = auditorium(&field, field.house.cinema).await;
    let (day, closed) = (in_days(3), in_days(5));
    let when = json!({ "days": [day], "times": ["10:00"] });
    field.api.done(&schedule(&batch(&field, hall, when))).await;
    let close = json!({ "date": closed, "reason": "공사" });
    admin(&field.api, "branches", field.house.cinema, "close-on", close).await;
    let position = field.position();
    // An hour of film and a quarter of cleaning: 11:10 is too early, 11:15 is not; 12:29 is too early for that one.
    let when = json!({ "days": [day, closed], "times": ["11:10", "11:15", "12:29", "14:00"] });
    let refused = field.api.ask(&schedule(&batch(&field, hall, when))).await;
    refused.refused(409, "schedule/batch-refused");
    let told = details(&refused);
    assert_eq!(told.len(), 7, "each start once: {refused}");
    assert!(
        told[0].starts_with(&format!("on {day} overlaps the time slot")),
        "{told:?}"
    );
    assert!(told[1].contains("overlaps /times/0"), "{told:?}");
    assert!(told[2].contains("overlaps /times/1"), "{told:?}");
    let shut = told.iter().filter(|why| why.contains("the branch is closed on"));
    assert_eq!(shut.count(), 4, "{told:?}");
    assert_eq!(field.position(), position, "nothing was made");

    let moments = json!({ "starts": [Timestamp::now() - 1.hour(), Timestamp::now() + 200.hours()] });
    let call = schedule(&batch(&field, hall, moments));
    names(&field, &call, "schedule/batch-refused", &["/starts/0"]).await;
    // More cleaning than usual keeps them further apart.
    let close_by = json!({ "days": [day], "times": ["14:00", "15:15"] });
    let mut body = batch(&field, hall, close_by);
    body["cleaning_minutes"] = json!(30);
    names(&field, &schedule(&body), "schedule/batch-refused", &["/times/1"]).await;
    body["cleaning_minutes"] = json!(5);
    names(
        &field,
        &schedule(&body),
        "schedule/batch-refused",
        &["/cleaning_minutes"],
    )
    .await;
    body["cleaning_minutes"] = json!(null);
    assert_eq!(slots(&field.api.done(&schedule(&body)).await).len(), 2);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_says_too_little_or_too_much_is_told_where() {
    let field = Field::open().await;
    let hall = auditorium(&field, field.house.cinema).await;
    let day = in_days(3);
    let many: Vec<Date> = (3..44).map(in_days).collect();
    for (when, fields) in [
        (json!({}), &["/starts"][..]),
        (json!({ "days": [day] }), &["/times"]),
        (json!({ "times": ["10:00"] }), &["/days"]),
        (
            json!({ "starts": [], "days": [day], "times": ["10:00"] }),
            &["/starts"],
        ),
        (json!({ "starts": [] }), &["/starts"]),
        (
            json!({ "days": many, "times": ["06:00", "09:00", "12:00", "15:00", "18:00"] }),
            &["/times"],
        ),
        (json!({ "days": [day], "times": ["29:30"] }), &["/times/0"]),
        (
            json!({ "days": [day], "times": ["10:00"], "opens": { "days_ahead": 400, "time": "10:00" } }),
            &["/opens/days_ahead"],
        ),
    ] {
        let call = schedule(&batch(&field, hall, when));
        names(&field, &call, "request/invalid-fields", fields).await;
    }
    let when = json!({ "days": [day], "times": ["10:00"] });
    let with = |name: &str, value: Value| {
        let mut body = batch(&field, hall, when.clone());
        body[name] = value;
        schedule(&body)
    };
    for (call, status, slug) in [
        (
            with("auditorium", json!(Uuid::nil())),
            404,
            "auditorium/not-found",
        ),
        (with("movie", json!(Uuid::nil())), 404, "movie/not-found"),
        (with("layout_version", json!(2)), 404, "auditorium/no-such-layout"),
        (with("price_version", json!(9)), 409, "schedule/batch-refused"),
        (
            with("price_policy", json!(field.house.session_prices)),
            409,
            "schedule/batch-refused",
        ),
        (
            with("terms", json!({ "hold_minutes": 500 })),
            409,
            "schedule/batch-refused",
        ),
    ] {
        field.api.ask(&call).await.refused(status, slug);
    }
    field.close().await;
}

/// The next changes of the clock in a zone: the day before each, when the hour that is skipped or repeated begins, and
/// whether it is skipped.
fn changes(zone: &TimeZone) -> Vec<(Date, u8, bool)> {
    let next = zone.following(Timestamp::now()).take(2);
    next.map(|change| {
        let at = change.timestamp();
        let before = zone.to_datetime(at - 1.second());
        let after = zone.to_datetime(at);
        let skipped = after > before + 1.hour();
        let hour = if skipped { before.hour() + 1 } else { after.hour() };
        (
            before.date().yesterday().expect("a day"),
            u8::try_from(hour).unwrap(),
            skipped,
        )
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_clocks_change_every_start_is_one_moment() {
    let field = Field::open().await;
    for name in ["Europe/Berlin", "America/New_York"] {
        let zone = TimeZone::get(name).expect("a zone");
        let cinema = Uuid::now_v7();
        let premises = json!({ "kind": "cinema", "name": name, "address": "Example 1", "time_zone": name });
        admin(&field.api, "branches", cinema, "open", premises).await;
        let hall = auditorium(&field, cinema).await;
        let changes = changes(&zone);
        assert!(changes.iter().any(|(_, _, skipped)| *skipped));
        assert!(changes.iter().any(|(_, _, skipped)| !*skipped));
        for (day, hour, skipped) in changes {
            // Half past the hour in question: after midnight, so of the business day before.
            let asked = format!("{}:30", hour + 24);
            let when =
                json!({ "days": [day], "times": [asked], "opens": { "days_ahead": 0, "time": "10:00" } });
            let made = field.api.done(&schedule(&batch(&field, hall, when))).await;
            let slot = &slots(&made)[0];
            let starts_at: Timestamp = slot["starts_at"].as_str().unwrap().parse().unwrap();
            let wall = starts_at.to_zoned(zone.clone());
            let hour = i8::try_from(hour).unwrap();
            assert_eq!(slot["business_date"], json!(day), "{name} {wall}");
            if skipped {
                // That time is on no clock: as much later as the clocks are set forward.
                assert_eq!(wall.time(), time(hour + 1, 30, 0, 0), "{name}");
            } else {
                // That time is on the clocks twice: the first.
                assert_eq!(wall.time(), time(hour, 30, 0, 0), "{name}");
                assert_eq!((&wall + 1.hour()).time(), wall.time(), "{name}: it comes again");
            }
            let opens: Timestamp = slot["sales_open_at"].as_str().unwrap().parse().unwrap();
            let opens = opens.to_zoned(zone.clone());
            assert_eq!((opens.date(), opens.time()), (day, time(10, 0, 0, 0)), "{name}");
            // What ends up at the same moment overlaps, whatever the clocks showed.
            if skipped {
                let same = json!({ "days": [day], "times": [format!("{}:30", hour + 25)] });
                let call = schedule(&batch(&field, hall, same));
                names(&field, &call, "schedule/batch-refused", &["/times/0"]).await;
            }
        }
    }
    field.close().await;
}

/// The slots of a theme on a business day, once there are so many.
async fn listed(field: &Field, theme: Uuid, day: Date, count: usize) -> Vec<Value> {
    let path = format!("/v1/time-slots?theme={theme}&date={day}");
    eventually("the slots of the theme", || async {
        let page = field.api.done(&Call::get(&path)).await.json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        (items.len() == count).then_some(items)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weekly_template_goes_on_through_changes_of_the_clock() {
    let field = Field::open().await;
    for name in ["Europe/Berlin", "America/New_York"] {
        let zone = TimeZone::get(name).expect("a zone");
        let (shop, theme) = (Uuid::now_v7(), Uuid::now_v7());
        let premises =
            json!({ "kind": "escape_room", "name": name, "address": "Example 1", "time_zone": name });
        admin(&field.api, "branches", shop, "open", premises).await;
        let game = |slots: Value| {
            json!({ "branch": shop, "name": name, "price_policy": field.house.session_prices,
                "party": { "min": 2, "max": 4 }, "duration_minutes": 60, "turnover_minutes": 20,
                "opens": { "days_ahead": 365, "time": "10:00" }, "slots": slots })
        };
        let introduce = |slots| Call::admin(format!("/v1/themes/{theme}/introduce"), game(slots));
        let too_near = introduce(json!({ "saturday": ["26:30", "27:40"] }));
        names(&field, &too_near, "theme/slots-overlap", &["/slots"]).await;
        // In the night in which clocks are set forward, these two come to lie ten minutes apart.
        let night = json!({ "saturday": ["12:00", "25:30", "27:00"] });
        field.api.done(&introduce(night)).await;
        admin(&field.api, "themes", theme, "activate", json!({})).await;
        for (day, _, skipped) in changes(&zone) {
            let expected = if skipped { 2 } else { 3 };
            let slots = listed(&field, theme, day, expected).await;
            let starts = |slot: &Value| -> Zoned {
                let at: Timestamp = slot["starts_at"].as_str().unwrap().parse().unwrap();
                at.to_zoned(zone.clone())
            };
            assert_eq!(
                (starts(&slots[0]).date(), starts(&slots[0]).time()),
                (day, time(12, 0, 0, 0))
            );
            assert_eq!(starts(&slots[1]).time(), time(1, 30, 0, 0), "{name} {day}");
            let opens: Timestamp = slots[0]["sales_open_at"].as_str().unwrap().parse().unwrap();
            let opens = opens.to_zoned(zone.clone());
            let expected = (day.saturating_sub(365.days()), time(10, 0, 0, 0));
            assert_eq!(
                (opens.date(), opens.time()),
                expected,
                "the wall's ten o'clock, summer or winter"
            );
            for pair in slots.windows(2) {
                let apart = starts(&pair[1])
                    .timestamp()
                    .duration_since(starts(&pair[0]).timestamp());
                assert!(apart.as_mins() >= 80, "{name} {day}: {slots:?}");
            }
        }
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_template_keeps_what_somebody_reserved() {
    let field = Field::open().await;
    let theme = field.house.theme;
    let (api, path) = (&field.api, format!("/v1/themes/{theme}"));
    let week = |start: &str| -> Value {
        let days = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let slots: serde_json::Map<_, _> = days
            .iter()
            .map(|day| ((*day).to_owned(), json!([start])))
            .collect();
        json!({ "duration_minutes": 60, "turnover_minutes": 20, "slots": slots })
    };
    api.done(&Call::admin(format!("{path}/retime"), week("10:00")))
        .await;
    let day = in_days(4);
    let slot = listed(&field, theme, day, 1).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let slot: Uuid = slot.parse().unwrap();
    let hold = api.done(&Call::hold_room(slot, 2)).await.hold();
    api.done(&Call::place(&hold, None)).await;
    // Half an hour later every day: where the old slot stands, the new one is in its way.
    api.done(&Call::admin(format!("{path}/retime"), week("10:30")))
        .await;
    // Sales open so many days ahead, and no further.
    let opening = json!({ "opens": { "days_ahead": 20, "time": "00:00" } });
    api.done(&Call::admin(format!("{path}/move-opening"), opening))
        .await;
    let later = listed(&field, theme, in_days(18), 1).await;
    assert_eq!(later[0]["starts"], "10:30");
    let kept = listed(&field, theme, day, 1).await;
    assert_eq!(
        (&kept[0]["id"], &kept[0]["starts"]),
        (&json!(slot), &json!("10:00"))
    );
    assert_eq!(api.done(&Call::show(&hold)).await.json()["state"], "placed");
    let none = format!("/v1/time-slots?theme={theme}&date={}", in_days(30));
    assert_eq!(api.done(&Call::get(none)).await.json()["items"], json!([]));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_sold_otherwise_from_the_moment_it_is_adjusted() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 6, Sale::Long).await;
    let before = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    field.api.done(&Call::place(&before, None)).await;
    let position = field.position();
    let path = format!("/v1/time-slots/{slot}/adjust");
    let terms = json!({ "orphan_rule": "lenient", "hold_minutes": 5, "cancel_minutes": 60 });
    field.api.done(&Call::admin(&path, terms.clone())).await;
    let adjusted = field.position();
    field.api.done(&Call::admin(&path, terms)).await;
    assert_eq!(field.position(), adjusted, "a repeat appends nothing");

    // What is new follows the new terms; what was placed keeps its own.
    field
        .api
        .ask(&Call::hold(slot, &["A3"]))
        .await
        .refused(409, "seating/orphan");
    let hold = field.api.done(&Call::hold(slot, &["A2"])).await.hold();
    let lasts = hold.expires_at.duration_since(Timestamp::now());
    assert!(lasts.as_mins() < 5, "{lasts}");
    let placed = field.api.done(&Call::place(&hold, None)).await.json();
    let minutes = |view: &Value| {
        let moment = |name: &str| -> Timestamp { view["placed"][name].as_str().unwrap().parse().unwrap() };
        moment("starts_at")
            .duration_since(moment("cancel_until"))
            .as_mins()
    };
    assert_eq!(minutes(&placed), 60);
    assert_eq!(minutes(&field.api.done(&Call::show(&before)).await.json()), 20);

    // The list tells both, each at its time; the trail tells old and new.
    assert_eq!(field.settled(slot).await["orphan_rule"], "lenient");
    let then = Call::get(format!("/v1/time-slots/{slot}?position={position}"));
    assert_eq!(field.api.done(&then).await.json()["orphan_rule"], "off");
    let trail = Call::get(format!("/v1/audit/time-slot/{slot}")).by_staff();
    let trail = field.api.done(&trail).await.json();
    let told = trail
        .as_array()
        .unwrap()
        .iter()
        .find(|told| told["event"] == "TimeSlotAdjusted")
        .unwrap_or_else(|| panic!("{trail}"));
    let changes: Vec<(&str, &Value, &Value)> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (change["field"].as_str().unwrap(), &change["old"], &change["new"]))
        .collect();
    assert!(
        changes.contains(&("/hold_minutes", &json!(10), &json!(5))),
        "{changes:?}"
    );
    assert!(
        changes.contains(&("/cancel_minutes", &json!(20), &json!(60))),
        "{changes:?}"
    );

    let wrong = Call::admin(&path, json!({ "hold_minutes": 30, "cancel_minutes": 20_000 }));
    names(
        &field,
        &wrong,
        "time-slot/inconsistent-plan",
        &["/hold_cap_minutes", "/cancel_minutes"],
    )
    .await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let rule = Call::admin(
        format!("/v1/time-slots/{session}/adjust"),
        json!({ "orphan_rule": "strict" }),
    );
    names(&field, &rule, "time-slot/inconsistent-plan", &["/orphan_rule"]).await;
    admin(&field.api, "time-slots", session, "withdraw", json!({})).await;
    field.api.ask(&rule).await.refused(410, "time-slot/withdrawn");
    field.close().await;
}
