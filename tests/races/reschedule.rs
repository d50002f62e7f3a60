//! Races of those who move with those who come new (DOMAIN C6, C7): one gets each seat, nobody loses what they had; and of one
//! customer with themselves for more seats than one may have (C4).

use serde_json::json;
use uuid::Uuid;

use super::field::{Field, parted};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, label},
};

fn reschedule(hold: &Hold, slot: Uuid, seats: &[String]) -> Call {
    let path = format!("/v1/reservations/{}/reschedule", hold.number);
    Call::post(path, json!({ "time_slot": slot, "seats": seats })).with_token(&hold.token)
}

/// Reservations of one seat each in the first row.
async fn placed(field: &Field, slot: Uuid, count: u16) -> Vec<Hold> {
    let calls = (1..=count)
        .map(|column| Call::hold(slot, &[label(0, column)]))
        .collect();
    let holds: Vec<Hold> = field
        .race(calls)
        .await
        .iter()
        .map(crate::support::api::Answer::hold)
        .collect();
    let places = holds.iter().map(|hold| Call::place(hold, None)).collect();
    let (_, refused) = parted(field.race(places).await);
    assert_eq!(refused.len(), 0, "{refused:?}");
    holds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_move_to_a_seat_and_those_who_hold_it_one_gets_it() {
    let field = Field::open(2).await;
    let from = field.house.screening(field.api(), 1, 20, Sale::Long).await;
    let to = field.house.screening(field.api(), 1, 20, Sale::Long).await;
    let movers = placed(&field, from, 20).await;
    let wanted = ["A7".to_owned()];
    let asked = movers.iter().map(|hold| reschedule(hold, to, &wanted));
    let holds = (0..20).map(|_| Call::hold(to, &wanted));
    let calls: Vec<Call> = asked.zip(holds).flat_map(|(mover, hold)| [mover, hold]).collect();
    let (granted, refused) = parted(field.race(calls).await);
    assert_eq!(granted.len(), 1, "{granted:?}");
    for answer in &refused {
        answer.refused(409, "seat/taken");
        assert_eq!(answer.seats(), wanted, "{answer}");
    }
    let log = field.close().await;
    let of_seat = format!("{to}:A7");
    let held = log.named("SeatHeld").filter(|row| row.id == of_seat);
    assert_eq!(held.count(), 1);
    // Whoever did not get it has what they had.
    let moved = log.named("ReservationRescheduled").count();
    let kept = log
        .reservations()
        .filter(|(_, stored)| stored.state == "placed" && stored.time_slot == from.to_string());
    assert_eq!(kept.count(), 20 - moved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_want_each_others_seats_keep_their_own() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 4, Sale::Long).await;
    let holds = placed(&field, slot, 2).await;
    let (first, second) = (["A1".to_owned()], ["A2".to_owned()]);
    let calls: Vec<Call> = (0..20)
        .flat_map(|_| {
            [
                reschedule(&holds[0], slot, &second),
                reschedule(&holds[1], slot, &first),
            ]
        })
        .collect();
    for answer in field.race(calls).await {
        answer.refused(409, "seat/taken");
    }
    assert_eq!(field.close().await.named("ReservationRescheduled").count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_moves_by_one_seat_at_once_stays_whole() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 11, Sale::Long).await;
    let holds = placed(&field, slot, 10).await;
    // Each wants the seat of the next; whoever is first must wait for nobody, the others until it is free.
    for _ in 0..3 {
        let calls = (2..)
            .zip(&holds)
            .map(|(column, hold)| reschedule(hold, slot, &[label(0, column)]))
            .collect();
        for answer in field.race(calls).await {
            if !answer.is_done() {
                answer.refused(409, "seat/taken");
            }
        }
        let log = field.log().await;
        assert!(
            log.reservations()
                .all(|(_, stored)| stored.state == "placed" && stored.seats.len() == 1)
        );
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_gets_no_more_seats_than_one_may_have_however_many_ask_for_them() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 2, 20, Sale::Long).await;
    let calls = (0..30_u16)
        .map(|seat| Call::hold(slot, &[label(seat / 20, seat % 20 + 1)]))
        .collect();
    let holds: Vec<Hold> = field
        .race(calls)
        .await
        .iter()
        .map(crate::support::api::Answer::hold)
        .collect();
    let place = |hold: &Hold| {
        let body = json!({ "name": "김하늘", "phone": "010-7777-0001", "payment": "on_site",
            "agreements": { "privacy": true, "house_rules": true } });
        Call::post(format!("/v1/reservations/{}/place", hold.number), body).with_token(&hold.token)
    };
    let answers = field.race(holds.iter().map(place).collect()).await;
    let (mut mine, mut refused) = (Vec::new(), Vec::new());
    for (answer, hold) in answers.iter().zip(&holds) {
        if answer.is_done() {
            mine.push(hold);
        } else {
            answer.refused(409, "allowance/used-up");
            refused.push(hold);
        }
    }
    assert_eq!(mine.len(), 8);
    // What is given up can be taken again, once.
    field.api().done(&Call::step(mine[0], "cancel")).await;
    let (granted, _) = parted(field.race(refused.into_iter().map(place).collect()).await);
    assert_eq!(granted.len(), 1);
    let log = field.close().await;
    assert_eq!(log.named("AllowanceTaken").count(), 9);
    assert_eq!(log.named("AllowanceGivenBack").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_scan_one_ticket_somebody_comes_in_once() {
    let field = Field::open(2).await;
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(30);
    let slot = field
        .house
        .screening(field.api(), 1, 4, Sale::UntilItBegins(soon))
        .await;
    let hold = field.api().done(&Call::hold(slot, &["A1"])).await.hold();
    field.api().done(&Call::place(&hold, None)).await;
    let paid = Call::admin(format!("/v1/reservations/{}/mark-paid", hold.number), json!({}));
    field.api().done(&paid).await;
    let ticket = Call::get(format!("/v1/reservations/{}/ticket", hold.number)).with_token(&hold.token);
    let ticket = field.api().done(&ticket).await.json();
    let scan = Call::admin("/v1/check-ins", json!({ "code": ticket["code"] }));
    let answers = field.race(vec![scan; 60]).await;
    let outcomes: Vec<String> = answers
        .iter()
        .map(|answer| answer.json()["outcome"].as_str().expect("an outcome").to_owned())
        .collect();
    let first = outcomes.iter().filter(|outcome| *outcome == "checked_in").count();
    assert_eq!(first, 1, "{outcomes:?}");
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome == "checked_in" || outcome == "already")
    );
    assert_eq!(field.close().await.named("ReservationAdmitted").count(), 1);
}
