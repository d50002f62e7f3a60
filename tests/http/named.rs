//! Whoever is refused is told which fields were wrong, in words of what was asked; what is usual may be left out.

use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Answer, Call},
    house::{Sale, admin, layout},
};

/// The fields a refusal names.
fn named(answer: &Answer) -> Vec<String> {
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{answer}"));
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

/// What is refused as `slug`, names these fields.
pub async fn names(field: &Field, call: &Call, slug: &str, fields: &[&str]) {
    let answer = field.api.ask(call).await;
    assert_eq!(answer.slug(), slug, "{answer}");
    assert_eq!(named(&answer), fields, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_does_not_fit_names_its_wrong_fields() {
    let field = Field::open().await;
    let screening = field.house.screening(&field.api, 2, 10, Sale::Long).await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = |body: Value| Call::post("/v1/reservations", body);
    let seats = |labels: &[&str], adults: usize| {
        hold(json!({ "time_slot": screening, "seats": labels, "persons": { "adult": adults } }))
    };
    let best = |count: u8| {
        hold(json!({ "time_slot": screening, "best_available": count, "persons": { "adult": count } }))
    };
    let nine = ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9"];
    for (call, slug, fields) in [
        (
            seats(&["A1", "A2", "A1"], 3),
            "choice/chosen-twice",
            &["/seats/2"][..],
        ),
        (
            seats(&["A1", "Z1", "Z2"], 3),
            "choice/no-such-seats",
            &["/seats/1", "/seats/2"],
        ),
        (seats(&[], 1), "choice/nothing-chosen", &["/seats"]),
        (best(0), "choice/nothing-chosen", &["/best_available"]),
        (seats(&nine, 9), "choice/too-many-seats", &["/seats"]),
        (best(9), "choice/too-many-seats", &["/best_available"]),
        (seats(&["A1", "A2"], 3), "price/seats-differ", &["/persons"]),
        (Call::hold_room(session, 5), "choice/party-size", &["/party_size"]),
        (
            Call::hold_room(screening, 2),
            "choice/wrong-kind",
            &["/party_size"],
        ),
        (Call::hold(session, &["A1"]), "choice/wrong-kind", &["/seats"]),
        (
            Call::hold_best(session, 2),
            "choice/wrong-kind",
            &["/best_available"],
        ),
    ] {
        names(&field, &call, slug, fields).await;
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_does_not_fit_names_its_wrong_fields() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let known = field
        .api
        .done(&Call::get(format!("/v1/admin/time-slots/{slot}")).by_staff())
        .await;
    let state = known.json()["state"].clone();
    let plan = |change: fn(&mut Value)| {
        let mut plan = json!({});
        for name in [
            "branch",
            "show",
            "starts_at",
            "ends_at",
            "sales_open_at",
            "sales_close_at",
            "price_policy",
        ] {
            plan[name] = state[name].clone();
        }
        change(&mut plan);
        Call::admin(
            format!("/v1/time-slots/{}/schedule", Uuid::now_v7()),
            json!({ "plan": plan }),
        )
    };
    names(
        &field,
        &plan(|plan| plan["show"]["capacity"] = json!(4)),
        "programme/capacity-differs",
        &["/plan/show/capacity"],
    )
    .await;
    names(
        &field,
        &plan(|plan| {
            let starts_at: Timestamp = plan["starts_at"].as_str().unwrap().parse().unwrap();
            plan["ends_at"] = json!(starts_at + 59.minutes());
        }),
        "programme/too-short",
        &["/plan/ends_at"],
    )
    .await;
    names(
        &field,
        &plan(|plan| plan["hold_minutes"] = json!(0)),
        "time-slot/inconsistent-plan",
        &["/plan/hold_minutes"],
    )
    .await;
    names(
        &field,
        &plan(|plan| {
            let past = Timestamp::now() - 1.hour();
            (plan["starts_at"], plan["sales_close_at"]) = (json!(past), json!(past));
        }),
        "time-slot/inconsistent-plan",
        &["/plan/starts_at"],
    )
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_may_leave_out_what_is_usual_and_what_the_server_knows() {
    let field = Field::open().await;
    let first = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let known = Call::get(format!("/v1/admin/time-slots/{first}")).by_staff();
    let known = field.api.done(&known).await.json()["state"].clone();
    let (slot, starts_at) = (Uuid::now_v7(), Timestamp::now() + 48.hours());
    let mut show = known["show"].clone();
    show.as_object_mut().unwrap().remove("capacity");
    let plan = json!({ "branch": known["branch"], "show": show, "starts_at": starts_at, "ends_at": starts_at + 1.hour(),
        "sales_open_at": starts_at - 24.hours(), "sales_close_at": starts_at, "price_policy": known["price_policy"] });
    let schedule = Call::admin(format!("/v1/time-slots/{slot}/schedule"), json!({ "plan": plan }));
    let state = field.api.done(&schedule).await.json()["state"].clone();
    let expected = json!({ "capacity": 10, "price_version": 1, "seats_per_customer_max": 8, "hold_minutes": 10,
        "hold_cap_minutes": 20, "cancel_minutes": 20 });
    assert_eq!(state["show"]["capacity"], expected["capacity"]);
    for name in [
        "price_version",
        "seats_per_customer_max",
        "hold_minutes",
        "hold_cap_minutes",
        "cancel_minutes",
    ] {
        assert_eq!(state[name], expected[name], "{name}: {state}");
    }
    // Sent again, it is the same plan.
    assert_eq!(field.api.done(&schedule).await.status, 200);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn placing_names_the_agreement_that_is_missing_and_a_payment_nobody_can_make() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = field.api.done(&Call::hold_room(session, 2)).await.hold();
    let mut talk = field.talk();
    talk.speaking_as(Some(&hold.token));
    let path = format!("/v1/reservations/{}/place", hold.number);
    let body = |house_rules: bool| {
        json!({ "name": "김하늘", "phone": "010-1234-5678", "payment": "bank_transfer",
            "agreements": { "privacy": true, "house_rules": house_rules } })
    };
    let refused = talk.ask(Method::POST, &path, Some(body(false)), &[]).await;
    assert_eq!(
        refused["errors"][0]["pointer"], "/agreements/house_rules",
        "{refused}"
    );
    let slot = field.settled(session).await;
    let branch = slot["branch"].as_str().unwrap();
    admin(
        &field.api,
        "branches",
        branch,
        "list-accounts",
        json!({ "accounts": [] }),
    )
    .await;
    let refused = talk.ask(Method::POST, &path, Some(body(true)), &[]).await;
    assert_eq!(refused["type"], "/problems/reservation/no-account", "{refused}");
    assert_eq!(refused["errors"][0]["pointer"], "/payment", "{refused}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_speak_of_what_was_asked() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(session, 2)).await;
    let taken = field.api.ask(&Call::hold_room(session, 2)).await;
    taken.refused(409, "seat/taken");
    let taken = taken.json();
    assert_eq!(taken["detail"], "the time slot is taken");
    assert!(!taken["help"].as_str().unwrap().contains("seat"), "{taken}");

    let amount = json!({ "terms": { "discount": { "amount": 500_000 }, "valid_from": "2026-12-01T00:00:00Z",
        "valid_until": "2027-01-01T00:00:00Z" } });
    let wrong = field
        .api
        .ask(&Call::admin("/v1/coupons/7KQ4MZ2H/issue", amount))
        .await;
    assert_eq!(
        wrong.json()["errors"],
        json!([{ "pointer": "/terms/discount/amount", "detail": "must be an object" }])
    );

    let bogus = field
        .api
        .ask(&Call::get("/v1/coupons?state=bogus").by_staff())
        .await
        .json();
    let detail = bogus["detail"].as_str().unwrap();
    assert!(
        detail.contains("state") && detail.contains("issued, redeemed, revoked"),
        "{detail}"
    );
    let bogus = field
        .api
        .ask(&Call::get("/v1/reservations?state=bogus").by_staff())
        .await
        .json();
    let detail = bogus["detail"].as_str().unwrap();
    assert!(detail.contains("state") && detail.contains("held, "), "{detail}");

    let slot = field.settled(session).await;
    let other = Uuid::now_v7();
    let film = json!({ "title": "한강의 밤", "running_time_minutes": 60, "rating": "ALL" });
    names(
        &field,
        &Call::admin(format!("/v1/movies/{other}/announce"), film),
        "claim/taken",
        &["/title"],
    )
    .await;
    let rename = Call::admin(
        format!("/v1/branches/{}/rename", slot["branch"].as_str().unwrap()),
        json!({ "name": "한강" }),
    );
    names(&field, &rename, "claim/taken", &["/name"]).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layout_is_drawn_from_any_of_its_forms() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let auditorium = field.settled(slot).await["auditorium"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/auditoriums/{auditorium}/draw-layout");
    let draw = |layout: Value| Call::admin(path.clone(), json!({ "layout": layout }));
    let plain = |columns: u16| json!({ "name": "본관", "rows": 3, "columns": columns, "category": "일반", "aisles_after": [2] });
    let pretix = |label: &str| {
        json!({ "name": "소극장", "size": { "width": 300, "height": 200 },
            "categories": [{ "name": "일반", "color": "#3B82F6" }],
            "zones": [{ "name": "본관", "position": { "x": 100, "y": 50 }, "areas": [], "rows": [
                { "row_number": "A", "position": { "x": 10, "y": 20 }, "seats": [
                    { "seat_guid": "A1", "seat_number": "1", "position": { "x": 0, "y": 0 }, "category": "일반" },
                    { "seat_guid": label, "seat_number": "2", "position": { "x": 32, "y": 0 }, "category": "일반" },
                ] },
            ] }] })
    };
    for (drawing, version, seats) in [(plain(4), 2, 12), (pretix("A2"), 3, 2), (layout(1, 7), 4, 7)] {
        let drawn = field.api.done(&draw(drawing)).await.json();
        let layouts = drawn["state"]["layouts"].as_array().unwrap();
        assert_eq!(layouts.len(), version);
        let rows = layouts[version - 1]["sections"][0]["rows"].as_array().unwrap();
        let count: usize = rows
            .iter()
            .map(|row| row["seats"].as_array().unwrap().len())
            .sum();
        assert_eq!(count, seats);
    }
    names(
        &field,
        &draw(plain(500)),
        "request/invalid-fields",
        &["/layout/columns"],
    )
    .await;
    names(
        &field,
        &draw(pretix("A1")),
        "request/invalid-fields",
        &["/layout/zones/0/rows/0/seats/1/seat_guid"],
    )
    .await;
    field.close().await;
}
