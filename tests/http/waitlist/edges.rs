//! Where waiting meets the rest: what is moved in place, what is done to many at once, and who fills a line.

use std::{collections::BTreeSet, sync::Arc};

use aggregates::{Event, Recorded, reservation::ReservationEvent};
use jari::verify::first_violation;
use serde_json::json;
use smol_str::SmolStr;

use super::{for_room, for_seats};
use crate::{
    http::field::Field,
    support::{
        api::{Call, Hold},
        house::Sale,
    },
};

async fn placed(field: &Field, hold: &Call) -> Hold {
    let hold = field.api.done(hold).await.hold();
    field.api.done(&Call::place(&hold, None)).await;
    hold
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_in_their_room_with_more_people_overtakes_nobody() {
    let field = Field::open().await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    let hold = placed(&field, &Call::hold_room(slot, 2)).await;
    field.waits(&for_room(slot, 1)).await;
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    let more = Call::post(path, json!({ "time_slot": slot, "party_size": 3 })).with_token(&hold.token);
    let moved = field.api.done(&more).await.json();
    assert_eq!(moved["seats"], json!(["room"]), "{moved}");
    assert_eq!(moved["party"]["group"]["size"], 3, "{moved}");
    field.assert_sound().await;
    field.close().await;
}

/// The origins of all cancellations: request and correlation.
fn cancelled(log: &[Arc<Recorded>]) -> Vec<(SmolStr, Option<SmolStr>)> {
    let cancelled = log.iter().filter(|recorded| {
        matches!(
            &recorded.event,
            Event::Reservation(ReservationEvent::Cancelled { .. })
        )
    });
    cancelled
        .map(|recorded| {
            let of = |name: &str| recorded.metadata.get(name).cloned();
            (of("request_id").expect("a request"), of("correlation_id"))
        })
        .collect()
}

fn assert_each_is_a_request_of_its_own(log: &[Arc<Recorded>]) {
    let origins = cancelled(log);
    let requests: BTreeSet<&SmolStr> = origins.iter().map(|(request, _)| request).collect();
    assert_eq!((origins.len(), requests.len()), (2, 2), "{origins:?}");
    assert!(
        origins[0].1.is_some() && origins[0].1 == origins[1].1,
        "{origins:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_cancelled_at_once_are_offered_together_and_the_log_is_sound() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 2, Sale::Long).await;
    let first = placed(&field, &Call::hold(slot, &["A1"])).await;
    let second = placed(&field, &Call::hold(slot, &["A2"])).await;
    let pair = field.waits(&for_seats(slot, 1, 2)).await;
    let body = json!({ "action": "cancel", "ids": [first.number, second.number] });
    let bulk = Call::admin("/v1/admin/reservations/bulk", body);
    assert_eq!(field.api.done(&bulk).await.json()["done"], 2);
    let offered = field.seen(&pair).await;
    assert_eq!(offered["offer"]["seats"], json!(["A1", "A2"]), "{offered}");
    let log = field.log().await;
    assert_each_is_a_request_of_its_own(&log);
    field.proved().await;
    // Logs in which all commands of such a request have its id are as sound: a place that was passed and then offered
    // with another one was offered once.
    let id = cancelled(&log)[0].0.clone();
    let of_old: Vec<Arc<Recorded>> = log
        .iter()
        .map(|recorded| {
            let mut recorded = Recorded::clone(recorded);
            if recorded
                .metadata
                .get("command")
                .is_some_and(|command| command == "reservations/cancel")
            {
                let mut metadata = aggregates::Metadata::clone(&recorded.metadata);
                metadata.insert("request_id".into(), id.clone());
                recorded.metadata = Arc::new(metadata);
            }
            Arc::new(recorded)
        })
        .collect();
    assert_eq!(first_violation(&of_old), None);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reservation_of_a_closing_day_is_called_off_by_a_request_of_its_own() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 2, Sale::Long).await;
    placed(&field, &Call::hold(slot, &["A1"])).await;
    placed(&field, &Call::hold(slot, &["A2"])).await;
    let pair = field.waits(&for_seats(slot, 1, 2)).await;
    let body = json!({ "time_slot": slot, "handling": "cancel" });
    let closed = field
        .api
        .done(&Call::admin("/v1/admin/closing-days/carry-out", body))
        .await;
    assert_eq!(closed.json()["handled"], 2, "{closed}");
    assert_each_is_a_request_of_its_own(&field.log().await);
    let reopen = Call::admin(format!("/v1/time-slots/{slot}/reopen"), json!({}));
    field.api.done(&reopen).await;
    assert_eq!(field.seen(&pair).await["offer"]["seats"], json!(["A1", "A2"]));
    field.proved().await;
    field.close().await;
}
