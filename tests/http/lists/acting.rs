//! What is done to many reservations or slots at once: each is answered for itself.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Day;
use crate::{
    http::field::Field,
    support::api::{Answer, Call},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn what_is_done_to_many_is_answered_for_each() {
    let field = Field::open().await;
    let day = Day::begin(&field).await;
    let bulk = |action: &str, ids: &[&str]| {
        let body = json!({ "action": action, "ids": ids, "reason": "at the counter" });
        Call::admin("/v1/admin/reservations/bulk", body)
    };
    let outcomes = |answer: &Answer| {
        let body = answer.json();
        let items = body["items"].as_array().expect("items").clone();
        let outcome = |item: &Value| {
            let kind = item["problem"]["type"].as_str().unwrap_or_default();
            format!("{} {kind}", item["outcome"].as_str().expect("an outcome"))
                .trim_end()
                .to_owned()
        };
        items.iter().map(outcome).collect::<Vec<_>>()
    };
    let Day {
        held,
        unpaid,
        paid,
        cancelled,
        game,
        ..
    } = &day;
    let all: Vec<&str> = [unpaid, paid, held, cancelled]
        .map(|hold| hold.number.as_str())
        .into();
    let pay = bulk("mark-paid", &[&all[..], &["4711"]].concat()).keyed();
    let expected = [
        "done",
        "already",
        "refused /problems/reservation/not-placed",
        "refused /problems/reservation/cancelled",
        "refused /problems/reservation/not-found",
    ];
    let first = field.api.done(&pay).await;
    assert_eq!(outcomes(&first), expected, "{first}");
    assert_eq!(
        (first.json()["done"].clone(), first.json()["refused"].clone()),
        (json!(1), json!(3))
    );
    // Sent again with the same key, what was done stays done by the first request.
    let again = field.api.done(&pay).await;
    assert_eq!(outcomes(&again), expected, "{again}");
    // Without the key it is another request, and there is nothing left to do.
    let other = field.api.done(&bulk("mark-paid", &all)).await;
    assert_eq!(outcomes(&other)[..2], ["already", "already"]);
    for (action, expected) in [
        ("mark-no-show", "refused /problems/reservation/not-started"),
        ("mark-notified", "done"),
        ("check-in", "refused /problems/reservation/too-early"),
        ("cancel", "done"),
    ] {
        let answer = field.api.done(&bulk(action, &[&unpaid.number])).await;
        assert_eq!(outcomes(&answer), [expected], "{action}");
    }
    let cancel = field
        .api
        .done(&bulk("cancel", &[&paid.number, &game.number]))
        .await;
    assert_eq!(outcomes(&cancel), ["done", "done"]);
    // Each is a command of its own under one correlation, with its reason.
    let position = field.position();
    let trail =
        format!("/v1/audit/events?event=ReservationCancelled&newest_first=true&min_position={position}");
    let trail = field.api.done(&Call::get(trail).by_staff()).await.json();
    let told = trail["items"].as_array().expect("a trail");
    assert_eq!(told.len(), 4, "{trail}");
    let slots = |action: &str| {
        let ids = [day.screening, day.session, Uuid::nil()];
        Call::admin(
            "/v1/admin/time-slots/bulk",
            json!({ "action": action, "ids": ids }),
        )
    };
    for (action, expected) in [
        ("close", ["done", "done", "refused /problems/time-slot/not-found"]),
        (
            "close",
            ["already", "already", "refused /problems/time-slot/not-found"],
        ),
        (
            "reopen",
            ["done", "done", "refused /problems/time-slot/not-found"],
        ),
        (
            "withdraw",
            [
                "refused /problems/programme/in-use",
                "done",
                "refused /problems/time-slot/not-found",
            ],
        ),
    ] {
        assert_eq!(
            outcomes(&field.api.done(&slots(action)).await),
            expected,
            "{action}"
        );
    }
    field.close().await;
}
