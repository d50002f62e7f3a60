//! Seats beside each other: none is left alone, pairs stay whole, wheelchair places are kept (DOMAIN C12, C13).

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{field::Field, named::names};
use crate::support::{
    api::{Answer, Call},
    house::{Sale, layout},
};

impl Field {
    /// A screening under these rules.
    async fn under(&self, layout: Value, rules: Value) -> Uuid {
        self.house
            .screening_in(&self.api, layout, Sale::Long, rules)
            .await
    }

    async fn ask(&self, call: &Call) -> Answer {
        self.api.ask(call).await
    }
}

/// One row whose first seats are of these kinds.
fn row(columns: u16, kinds: &[&str]) -> Value {
    let mut layout = layout(1, columns);
    for (seat, kind) in kinds.iter().enumerate() {
        layout["sections"][0]["rows"][0]["seats"][seat]["kind"] = json!(kind);
    }
    layout
}

fn hold_stating(slot: Uuid, seats: &[&str]) -> Call {
    let body =
        json!({ "time_slot": slot, "seats": seats, "persons": { "adult": seats.len() }, "accessible": true });
    Call::post("/v1/reservations", body)
}

fn suggestions(answer: &Answer) -> Vec<Vec<String>> {
    serde_json::from_value(answer.json()["suggestions"].clone())
        .unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_leave_a_seat_alone_is_told_which_and_what_would_do() {
    let field = Field::open().await;
    let slot = field
        .under(layout(2, 5), json!({ "orphan_rule": "strict" }))
        .await;
    let refused = field.ask(&Call::hold(slot, &["A2", "A3"])).await;
    refused.refused(409, "seating/orphan");
    assert_eq!(refused.seats(), ["A1"]);
    assert_eq!(refused.json()["detail"], "seat A1 would be left alone");
    assert_eq!(suggestions(&refused), [["A1", "A2"], ["A4", "A5"]]);
    assert!(
        refused.json().get("blocked_by").is_none(),
        "a wall stood in the way"
    );
    let held = field.api.done(&Call::hold(slot, &["A4", "A5"])).await.hold();
    // Now somebody stands in the way, and an auditor can ask who.
    let refused = field.ask(&Call::hold(slot, &["A2"])).await;
    refused.refused(409, "seating/orphan");
    assert_eq!(refused.seats(), ["A1", "A3"]);
    assert!(refused.json()["blocked_by"]["position"].is_i64(), "{refused}");
    for suggestion in suggestions(&refused) {
        assert_eq!(suggestion.len(), 1);
    }
    // What is free again is a neighbour again.
    field.api.done(&Call::step(&held, "release")).await;
    field.api.done(&Call::hold(slot, &["A3", "A4", "A5"])).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lenient_accepts_what_strict_refuses_for_the_sake_of_another_row() {
    let field = Field::open().await;
    for (rule, status) in [("off", 201), ("lenient", 201), ("strict", 409)] {
        let slot = field.under(layout(2, 3), json!({ "orphan_rule": rule })).await;
        assert_eq!(field.settled(slot).await["orphan_rule"], rule);
        let answer = field.ask(&Call::hold(slot, &["A1", "A2"])).await;
        assert_eq!(
            answer.status,
            if rule == "strict" { 201 } else { status },
            "{rule}: {answer}"
        );
        // In a longer row beside it there would be two that leave nobody alone.
        let mut wider = layout(1, 3);
        wider["sections"][0]["rows"].as_array_mut().expect("rows").extend(
            layout(2, 4)["sections"][0]["rows"]
                .as_array()
                .expect("rows")
                .get(1)
                .cloned(),
        );
        let slot = field.under(wider, json!({ "orphan_rule": rule })).await;
        let answer = field.ask(&Call::hold(slot, &["A1", "A2"])).await;
        assert_eq!(answer.status, status, "{rule}: {answer}");
        if status == 409 {
            assert_eq!(suggestions(&answer), [["B1", "B2"], ["B3", "B4"]]);
        }
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_seats_are_judged_as_a_new_hold_and_other_people_are_not() {
    let field = Field::open().await;
    let slot = field
        .under(layout(1, 8), json!({ "orphan_rule": "lenient" }))
        .await;
    let hold = field.api.done(&Call::hold(slot, &["A1", "A2"])).await.hold();
    let refused = field.ask(&Call::change(&hold, &["A2"])).await;
    refused.refused(409, "seating/orphan");
    assert_eq!(refused.seats(), ["A1"]);
    // Its own seats are free for itself.
    field.api.done(&Call::change(&hold, &["A1", "A2", "A3"])).await;
    field.api.done(&Call::change(&hold, &["A1", "A2", "A3"])).await;
    let best = Call::hold_best(slot, 2);
    assert_eq!(field.api.done(&best).await.seats(), ["A4", "A5"]);
    // Of the three that are left one must be alone: whatever cannot be helped is sold.
    field.api.done(&best).await;
    field.api.done(&Call::step(&hold, "extend")).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_half_of_a_pair_is_not_sold_and_the_other_half_is_named() {
    let field = Field::open().await;
    let slot = field.under(row(6, &["couple"; 4]), json!({})).await;
    let half = Call::hold(slot, &["A5", "A3"]);
    names(&field, &half, "seating/half-pair", &["/seats/1"]).await;
    assert_eq!(field.ask(&half).await.seats(), ["A4"]);
    let hold = field.api.done(&Call::hold(slot, &["A3", "A4"])).await.hold();
    field
        .ask(&Call::change(&hold, &["A3"]))
        .await
        .refused(422, "seating/half-pair");
    assert_eq!(
        field.api.done(&Call::hold_best(slot, 2)).await.seats(),
        ["A5", "A6"]
    );
    field
        .ask(&Call::hold_best(slot, 2))
        .await
        .refused(409, "choice/nothing-adjacent");
    let odd = json!({ "layout": row(5, &["couple"; 3]) });
    let draw = Call::admin(format!("/v1/auditoriums/{}/draw-layout", Uuid::now_v7()), odd);
    let answer = field.ask(&draw).await;
    answer.refused(422, "request/invalid-fields");
    assert!(
        answer.to_string().contains("/sections/0/rows/0/seats/2/pair"),
        "{answer}"
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wheelchair_places_are_for_those_who_say_so_until_the_pool_opens() {
    let field = Field::open().await;
    let hall = || row(5, &["wheelchair", "companion", "companion"]);
    let slot = field.under(hall(), json!({})).await;
    let shown = field.settled(slot).await;
    let moment = |field: &str| -> Timestamp {
        shown[field]
            .as_str()
            .expect("a moment")
            .parse()
            .expect("a moment")
    };
    assert_eq!(moment("pool_opens_at"), moment("starts_at") - 60.minutes());
    let refused = field.ask(&Call::hold(slot, &["A1", "A2", "A4"])).await;
    refused.refused(409, "seating/protected");
    assert_eq!(refused.seats(), ["A1", "A2"]);
    names(
        &field,
        &hold_stating(slot, &["A4", "A2"]),
        "seating/companion-alone",
        &["/seats/1"],
    )
    .await;
    assert_eq!(
        field.api.done(&Call::hold_best(slot, 2)).await.seats(),
        ["A4", "A5"]
    );
    let granted = field.api.done(&hold_stating(slot, &["A2", "A1"])).await;
    assert_eq!(granted.json()["accessible"], true);
    // Once said, it stays so.
    let hold = granted.hold();
    let changed = field.api.done(&Call::change(&hold, &["A1", "A3"])).await;
    assert_eq!(changed.json()["accessible"], true);
    let told = field
        .ask(&Call::get(format!("/v1/audit/reservation/{}", hold.number)).by_staff())
        .await;
    assert!(
        told.to_string().contains("a wheelchair place is needed"),
        "{told}"
    );
    // Nothing is kept of a statement that was not needed.
    let slot = field.under(hall(), json!({})).await;
    let granted = field.api.done(&hold_stating(slot, &["A4"])).await;
    assert!(granted.json().get("accessible").is_none(), "{granted}");
    // Where the pool is open, its places are like any other.
    let slot = field.under(hall(), json!({ "pool_minutes": 600 })).await;
    field.api.done(&Call::hold(slot, &["A2"])).await;
    assert_eq!(
        field.api.done(&Call::hold_best(slot, 3)).await.seats(),
        ["A3", "A4", "A5"]
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seating_rules_that_make_no_sense_are_named() {
    let field = Field::open().await;
    let known = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let known = Call::get(format!("/v1/admin/time-slots/{known}")).by_staff();
    let known = field.api.done(&known).await.json()["state"].clone();
    let schedule = |field: &str, value: Value| {
        let mut plan = known.clone();
        plan.as_object_mut().expect("a plan").remove("state");
        plan[field] = value;
        Call::admin(
            format!("/v1/time-slots/{}/schedule", Uuid::now_v7()),
            json!({ "plan": plan }),
        )
    };
    names(
        &field,
        &schedule("pool_minutes", json!(43_201)),
        "time-slot/inconsistent-plan",
        &["/plan/pool_minutes"],
    )
    .await;
    names(
        &field,
        &schedule("orphan_rule", json!("on")),
        "request/invalid-fields",
        &["/plan/orphan_rule"],
    )
    .await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let room = json!({ "time_slot": session, "party_size": 2, "accessible": true });
    names(
        &field,
        &Call::post("/v1/reservations", room),
        "request/invalid-fields",
        &["/accessible"],
    )
    .await;
    assert!(field.settled(session).await.get("orphan_rule").is_none());
    field.close().await;
}
