//! Where waiting meets the rest: what is moved in place, what is done to many at once, and who fills a line.

use std::{collections::BTreeSet, sync::Arc};

use aggregates::{Event, Recorded, reservation::ReservationEvent};
use jari::{config::RateLimits, verify::first_violation};
use serde_json::json;
use smol_str::SmolStr;

use super::{Entry, for_room, for_seats};
use crate::{
    http::{customers::customer, field::Field},
    support::{
        api::{Api, Call, Hold},
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_tries_numbers_on_a_waitlist_is_stopped_like_who_looks_reservations_up() {
    let limits = RateLimits {
        guesses_per_minute: 3,
        ..RateLimits::LOOSE
    };
    let field = Field::limited(limits).await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(slot, 2)).await;
    field.waits(&for_room(slot, 1)).await;
    for _ in 0..2 {
        field
            .api
            .ask(&for_room(slot, 1))
            .await
            .refused(409, "waitlist/already-waiting");
    }
    let stopped = field.api.ask(&for_room(slot, 1)).await;
    stopped.refused(429, "request/too-many");
    assert!(stopped.retry_after.is_some_and(|seconds| seconds > 0));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_of_one_network_fill_no_line() {
    let limits = RateLimits {
        waiting_guests: 2,
        ..RateLimits::LOOSE
    };
    let field = Field::limited(limits).await;
    let slot = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(slot, 2)).await;
    // All at once, and no more of them wait.
    let calls = [1, 2, 3].map(|person| for_room(slot, person));
    let (one, two, three) = tokio::join!(
        field.api.ask(&calls[0]),
        field.api.ask(&calls[1]),
        field.api.ask(&calls[2]),
    );
    let (waiting, stopped): (Vec<_>, Vec<_>) = [one, two, three]
        .into_iter()
        .partition(|answer| answer.status == 201);
    assert_eq!((waiting.len(), stopped.len()), (2, 1));
    stopped[0].refused(429, "waitlist/crowded");
    assert!(stopped[0].retry_after.is_some_and(|seconds| seconds > 0));
    let korean = field.api.ask(&for_room(slot, 4).in_language("ko")).await;
    korean.refused(429, "waitlist/crowded");
    assert_eq!(
        korean.json()["detail"],
        "로그인하지 않은 2명이 이 네트워크에서 이 회차를 이미 기다리고 있습니다"
    );
    // Another slot has a line of its own, and who signs in waits as themselves.
    let other = field.house.session(&field.api, Sale::Long).await;
    field.api.done(&Call::hold_room(other, 2)).await;
    field.waits(&for_room(other, 1)).await;
    let port = field.api.address().rsplit(':').next().unwrap().parse().unwrap();
    let door = Api::new(port, Arc::default());
    let token = customer(&door, "waits@example.com", "waits").await;
    field.waits(&for_room(slot, 5).with_token(&token)).await;
    // Who leaves makes room; a repeat is answered as the first time, even where there is none.
    let entry = Entry::of(&waiting[0]);
    field.api.done(&entry.step("leave")).await;
    let call = for_room(slot, 6).keyed();
    let again = field.waits(&call).await;
    field
        .api
        .ask(&for_room(slot, 7))
        .await
        .refused(429, "waitlist/crowded");
    assert_eq!(Entry::of(&field.api.ask(&call).await).number, again.number);
    field.assert_sound().await;
    field.close().await;
}
