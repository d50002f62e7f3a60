//! Days and slots that shall do no business: what stands there is told before, handled some at a time, and taken back.

use jiff::{Timestamp, ToSpan as _, civil::date};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{field::Field, named::names};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, admin, label},
};

fn preview(body: Value) -> Call {
    Call::admin("/v1/admin/closing-days/preview", body)
}

fn carry_out(body: Value) -> Call {
    Call::admin("/v1/admin/closing-days/carry-out", body)
}

/// A slot with a hold, and one reservation that is paid and one that is not.
async fn sold(field: &Field) -> (Uuid, String, [Hold; 3]) {
    let slot = field.house.screening(&field.api, 2, 5, Sale::Long).await;
    let mut holds = Vec::new();
    for label in ["A1", "A2", "A3"] {
        holds.push(field.api.done(&Call::hold(slot, &[label])).await.hold());
    }
    let holds: [Hold; 3] = holds.try_into().expect("three");
    field.api.done(&Call::place(&holds[1], None)).await;
    let paid = Call::admin(
        format!("/v1/reservations/{}/mark-paid", holds[1].number),
        json!({}),
    );
    field.api.done(&paid).await;
    field.api.done(&Call::place(&holds[2], None)).await;
    let (day, _) = field.day(slot).await;
    (slot, day, holds)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn a_closing_day_is_told_before_carried_out_and_taken_back() {
    let field = Field::open().await;
    let (slot, day, holds) = sold(&field).await;
    let (api, cinema) = (&field.api, field.house.cinema);
    let of_day = json!({ "branch": cinema, "date": day });
    let position = field.position();
    let told = api.done(&preview(of_day.clone())).await.json();
    assert_eq!(
        (&told["held"], &told["unpaid"], &told["paid"]),
        (&json!(1), &json!(1), &json!(1)),
        "{told}"
    );
    assert_eq!(told["slots"][0]["name"], "한강의 밤");
    let due = json!([{ "amount": 14_000, "currency": "KRW" }]);
    assert_eq!(
        told["handlings"]["cancel"],
        json!({ "reservations": 2, "due_back": due })
    );
    assert_eq!(field.position(), position, "nothing has happened");

    // Another slot of the day that staff had closed for a reason of its own.
    let other = field.house.screening(api, 1, 5, Sale::Long).await;
    admin(
        api,
        "time-slots",
        other,
        "close",
        json!({ "reason": "영사기 수리" }),
    )
    .await;

    let with = |name: &str, value: Value| {
        let mut body = of_day.clone();
        body["handling"] = json!(name);
        for (name, value) in value.as_object().expect("fields") {
            body[name] = value.clone();
        }
        carry_out(body)
    };
    let kept = api.done(&with("keep", json!({}))).await.json();
    assert_eq!(
        (&kept["handled"], &kept["unchanged"]),
        (&json!(0), &json!(2)),
        "{kept}"
    );
    api.ask(&Call::hold(slot, &["B1"]))
        .await
        .refused(409, "branch/closed-on");
    api.ask(&Call::place(&holds[0], None))
        .await
        .refused(409, "branch/closed-on");

    let until = Timestamp::now() + 2.hours();
    let offered = api
        .done(&with(
            "offer_reschedule",
            json!({ "until": until, "reason": "정전" }),
        ))
        .await
        .json();
    assert_eq!(
        (&offered["handled"], &offered["left"]),
        (&json!(2), &json!(0)),
        "{offered}"
    );
    let again = api
        .done(&with("offer_reschedule", json!({ "until": until })))
        .await
        .json();
    assert_eq!(
        (&again["handled"], &again["unchanged"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    let shown = api.done(&Call::show(&holds[1])).await.json();
    assert_eq!(shown["placed"]["reschedule_until"], json!(until), "{shown}");
    api.done(&Call::step(&holds[2], "cancel")).await;

    let cancelled = api
        .done(&with("cancel", json!({ "reason": "정전" })))
        .await
        .json();
    assert_eq!(cancelled["handled"], 1, "{cancelled}");
    let again = api.done(&with("cancel", json!({}))).await.json();
    assert_eq!(
        (&again["handled"], &again["unchanged"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    let trail = Call::get(format!("/v1/audit/reservation/{}", holds[1].number)).by_staff();
    let trail = api.done(&trail).await.json().to_string();
    assert!(
        trail.contains("cancelled by the branch, which does no business then"),
        "{trail}"
    );

    // The day opens again: what it had closed sells, what staff had closed does not.
    admin(api, "branches", cinema, "reopen-on", json!({ "date": day })).await;
    api.done(&Call::hold(slot, &["A2", "A3"])).await;
    api.ask(&Call::hold(other, &["A1"]))
        .await
        .refused(409, "time-slot/closed");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slot_is_emptied_so_that_it_can_be_withdrawn() {
    let field = Field::open().await;
    let (slot, _, holds) = sold(&field).await;
    let api = &field.api;
    let withdraw = Call::admin(format!("/v1/time-slots/{slot}/withdraw"), json!({}));
    let refused = api.ask(&withdraw).await;
    refused.refused(409, "programme/in-use");
    let help = refused.json()["help"].as_str().unwrap().to_owned();
    assert!(help.contains("/v1/admin/closing-days/carry-out"), "{help}");
    api.done(&Call::step(&holds[0], "release")).await;
    let done = api
        .done(&carry_out(json!({ "time_slot": slot, "handling": "cancel" })))
        .await
        .json();
    assert_eq!(
        (&done["handled"], &done["left"]),
        (&json!(2), &json!(0)),
        "{done}"
    );
    api.ask(&Call::hold(slot, &["A1"]))
        .await
        .refused(409, "time-slot/closed");
    api.done(&withdraw).await;
    let told = api.done(&preview(json!({ "time_slot": slot }))).await.json();
    assert_eq!(told["slots"], json!([]), "it is off the programme");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_day_is_handled_some_at_a_time_and_goes_on_where_it_was() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 6, 20, Sale::Long).await;
    let api = &field.api;
    let seat = |number: u16| label(number / 20, number % 20 + 1);
    for number in 0..103 {
        let hold = api.done(&Call::hold(slot, &[seat(number)])).await.hold();
        api.done(&Call::place(&hold, None)).await;
    }
    let mut body = json!({ "time_slot": slot, "handling": "cancel" });
    let first = api.done(&carry_out(body.clone())).await.json();
    assert_eq!(
        (&first["handled"], &first["left"]),
        (&json!(100), &json!(3)),
        "{first}"
    );
    body["next"] = first["next"].clone();
    let rest = api.done(&carry_out(body)).await.json();
    assert_eq!(
        (&rest["handled"], &rest["left"]),
        (&json!(3), &json!(0)),
        "{rest}"
    );
    assert!(rest.get("next").is_none(), "{rest}");
    assert_eq!(field.settled(slot).await["remaining"], 120);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closing_that_says_too_little_or_too_much_is_told_where() {
    let field = Field::open().await;
    let cinema = field.house.cinema;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let day = date(2030, 1, 1);
    for (body, fields) in [
        (json!({}), &["/branch", "/date"][..]),
        (json!({ "branch": cinema }), &["/date"]),
        (
            json!({ "time_slot": slot, "branch": cinema, "date": day }),
            &["/branch", "/date"],
        ),
    ] {
        names(&field, &preview(body.clone()), "request/invalid-fields", fields).await;
        let mut body = body;
        body["handling"] = json!("keep");
        names(&field, &carry_out(body), "request/invalid-fields", fields).await;
    }
    let past = Timestamp::now() - 1.hour();
    for (handling, until) in [
        ("keep", json!(past)),
        ("cancel", json!(past)),
        ("offer_reschedule", json!(past)),
        ("offer_reschedule", json!(null)),
    ] {
        let body = json!({ "branch": cinema, "date": day, "handling": handling, "until": until });
        names(&field, &carry_out(body), "request/invalid-fields", &["/until"]).await;
    }
    let unknown = json!({ "branch": Uuid::nil(), "date": day });
    field
        .api
        .ask(&preview(unknown))
        .await
        .refused(404, "branch/not-found");
    let unknown = json!({ "time_slot": Uuid::nil() });
    field
        .api
        .ask(&preview(unknown))
        .await
        .refused(404, "time-slot/not-found");
    field.close().await;
}
