//! Those who wait against everybody who passes by (DOMAIN W2, I8): nobody overtakes, on one server and on two.

use serde_json::json;
use uuid::Uuid;

use super::field::{Field, parted};
use crate::support::{
    api::{Answer, Call, Hold},
    house::{Sale, label},
};

/// Asks to wait, as the person with these last digits.
fn wait(slot: Uuid, person: u16, wish: (&str, serde_json::Value)) -> Call {
    let mut body = json!({ "name": "김하늘", "phone": format!("010-1234-{person:04}") });
    body[wish.0] = wish.1;
    Call::post(format!("/v1/time-slots/{slot}/waitlist"), body)
}

/// Number and token of an entry.
fn entry(answer: &Answer) -> (String, String) {
    let joined = answer.json();
    assert_eq!(joined["outcome"], "waiting", "{answer}");
    let text = |name: &str| joined["entry"][name].as_str().expect("a text").to_owned();
    (text("number"), text("token"))
}

fn step((number, token): &(String, String), verb: &str) -> Call {
    Call::post(format!("/v1/waitlist-entries/{number}/{verb}"), json!({})).with_token(token)
}

fn assert_nobody_got_it(passers_by: &[Answer]) {
    for answer in passers_by {
        assert_eq!(answer.status, 409, "{answer}");
        let slug = answer.slug();
        assert!(
            ["seat/taken", "waitlist/somebody-waits"].contains(&slug.as_str()),
            "{answer}"
        );
    }
}

async fn a_room(servers: usize) {
    let field = Field::open(servers).await;
    let slot = field.house.session(field.api(), Sale::Long).await;
    let holder = field.api().done(&Call::hold_room(slot, 2)).await.hold();
    field.api().done(&Call::place(&holder, None)).await;
    let mut line = Vec::new();
    for person in 1..=4 {
        let call = wait(slot, person, ("party_size", json!(2)));
        line.push(entry(&field.api().done(&call).await));
    }
    // The room is freed five times, each time with a crowd at the door.
    let crowd = || vec![Call::hold_room(slot, 2); 60];
    let mut next_step = Call::step(&holder, "cancel");
    for next in &line {
        let mut calls = crowd();
        calls.insert(30, next_step);
        let mut answers = field.race(calls).await;
        let freed = answers.remove(30);
        assert!(freed.is_done(), "{freed}");
        assert_nobody_got_it(&answers);
        next_step = step(next, "decline");
    }
    // With nobody left in line it goes to one of the crowd.
    field.api().done(&next_step).await;
    let (granted, _) = parted(field.race(crowd()).await);
    assert_eq!(granted.len(), 1);
    let log = field.close().await;
    assert_eq!(
        log.named("WaitlistOffered").count(),
        4,
        "one offer per freed place"
    );
    assert_eq!(log.named("WaitlistDeclined").count(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_passes_by_gets_a_room_that_somebody_waits_for() {
    a_room(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_does_with_two_servers() {
    a_room(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seats_that_are_freed_all_at_once_go_to_those_who_wait_for_so_many_together() {
    let field = Field::open(2).await;
    let (rows, columns) = (2, 6);
    let slot = field
        .house
        .screening(field.api(), rows, columns, Sale::Long)
        .await;
    let seats: Vec<String> = (0..rows)
        .flat_map(|row| (1..=columns).map(move |column| label(row, column)))
        .collect();
    let mut holds: Vec<Hold> = Vec::new();
    for seat in &seats {
        holds.push(field.api().done(&Call::hold(slot, &[seat])).await.hold());
    }
    // Pairs wait, and somebody joins while seats are freed and a crowd wants single ones.
    let mut line = Vec::new();
    for person in 1..=3 {
        let call = wait(slot, person, ("persons", json!({ "adult": 2 })));
        line.push(entry(&field.api().done(&call).await));
    }
    let mut calls: Vec<Call> = Vec::new();
    for (number, hold) in holds.iter().enumerate() {
        calls.push(Call::step(hold, "release"));
        calls.extend(
            seats
                .iter()
                .skip(number % 2)
                .step_by(2)
                .map(|seat| Call::hold(slot, &[seat])),
        );
    }
    calls.push(wait(slot, 4, ("persons", json!({ "adult": 1 }))));
    let answers = field.race(calls).await;
    for answer in &answers {
        assert!(answer.status < 500 || answer.status == 503, "{answer}");
    }
    // Whatever the order was: nobody still waits while what they want is free, and the proof says nobody was overtaken.
    let map = Call::get(format!("/v1/time-slots/{slot}/seat-map"));
    let _shown = field.api().done(&map).await;
    for waiting in &line {
        let seen = field
            .api()
            .done(&Call::get(format!("/v1/waitlist-entries/{}", waiting.0)).with_token(&waiting.1))
            .await
            .json();
        assert!(
            ["waiting", "offered"].contains(&seen["state"].as_str().expect("a state")),
            "{seen}"
        );
    }
    let log = field.close().await;
    assert!(log.named("WaitlistOffered").count() + log.named("WaitlistPassed").count() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_joins_while_the_room_is_freed_waits_for_nothing_that_is_free() {
    let field = Field::open(2).await;
    for _ in 0..5 {
        let slot = field.house.session(field.api(), Sale::Long).await;
        let holder = field.api().done(&Call::hold_room(slot, 2)).await.hold();
        let mut calls: Vec<Call> = (1..=6)
            .map(|person| wait(slot, person, ("party_size", json!(2))))
            .collect();
        calls.insert(3, Call::step(&holder, "release"));
        let mut answers = field.race(calls).await;
        let freed = answers.remove(3);
        assert!(freed.is_done(), "{freed}");
        // Either it was free for one who joined, or it is offered to one who had: never both, never neither.
        let mut has = 0;
        for answer in &answers {
            let joined = answer.json();
            if joined["outcome"] == "held" {
                has += 1;
                continue;
            }
            let (number, token) = entry(answer);
            let look = Call::get(format!("/v1/waitlist-entries/{number}")).with_token(&token);
            let seen = field.api().done(&look).await.json();
            has += usize::from(seen["state"] == "offered");
        }
        assert_eq!(has, 1, "{answers:?}");
    }
    field.close().await;
}
