//! Races for seats (DOMAIN C6, C7, C13, E4): one gets each, whole sets or nothing, on one server and on two.

use std::collections::BTreeSet;

use super::field::{Field, parted};
use crate::support::{
    api::{Answer, Call},
    house::{Sale, label},
};

/// No two of these have a seat in common, and each has all it asked for.
fn assert_disjoint(granted: &[Answer], size: usize) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for answer in granted {
        assert_eq!(answer.status, 201, "{answer}");
        let seats = answer.seats();
        assert_eq!(seats.len(), size, "not whole: {answer}");
        for seat in seats {
            assert!(all.insert(seat.clone()), "{seat} was granted twice: {answer}");
        }
    }
    all
}

async fn one_seat(servers: usize) {
    let field = Field::open(servers).await;
    let slot = field.house.screening(field.api(), 2, 5, Sale::Long).await;
    let answers = field.race(vec![Call::hold(slot, &["A3"]); 500]).await;
    let (granted, refused) = parted(answers);
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0].seats(), ["A3"]);
    for answer in &refused {
        answer.refused(409, "seat/taken");
        assert_eq!(answer.seats(), ["A3"], "{answer}");
    }
    assert_eq!(field.close().await.named("SeatHeld").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_hundred_who_want_one_seat_exactly_one_gets_it() {
    one_seat(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_grant_one_seat_once() {
    one_seat(2).await;
}

async fn overlapping_sets(servers: usize) {
    let field = Field::open(servers).await;
    let (rows, columns) = (2, 20);
    let slot = field
        .house
        .screening(field.api(), rows, columns, Sale::Long)
        .await;
    // Set k begins at seat k of its row, so that each overlaps with up to six others, and some are asked in reverse.
    let wishes: Vec<Vec<String>> = (0..200_u16)
        .map(|task| {
            let (row, first) = (task % rows, 1 + (task / rows) % (columns - 3));
            let mut seats: Vec<String> = (first..first + 4).map(|column| label(row, column)).collect();
            if task % 3 == 0 {
                seats.reverse();
            }
            seats
        })
        .collect();
    let answers = field
        .race(wishes.iter().map(|seats| Call::hold(slot, seats)).collect())
        .await;
    for (answer, wish) in answers
        .iter()
        .zip(&wishes)
        .filter(|(answer, _)| !answer.is_done())
    {
        answer.refused(409, "seat/taken");
        let named = answer.seats();
        assert!(
            !named.is_empty() && named.iter().all(|seat| wish.contains(seat)),
            "{answer}"
        );
    }
    let (granted, _) = parted(answers);
    let sold = assert_disjoint(&granted, 4);
    // Nobody could be refused for ever: as long as four free seats stand together, somebody wanted just those.
    for row in 0..rows {
        let free: Vec<bool> = (1..=columns)
            .map(|column| !sold.contains(&label(row, column)))
            .collect();
        assert!(
            free.windows(4).all(|four| four.contains(&false)),
            "row {row} has four free seats: {free:?}"
        );
    }
    let log = field.close().await;
    assert_eq!(log.named("SeatHeld").count(), granted.len() * 4);
    assert_eq!(log.named("ReservationHeld").count(), granted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_overlapping_sets_those_granted_are_disjoint_and_whole() {
    overlapping_sets(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_grant_disjoint_and_whole_sets() {
    overlapping_sets(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_best_seats_go_to_each_who_asks_until_there_are_none() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 10, 20, Sale::Long).await;
    let answers = field.race(vec![Call::hold_best(slot, 2); 200]).await;
    let (granted, refused) = parted(answers);
    assert_disjoint(&granted, 2);
    for answer in &refused {
        assert_ne!(answer.status, 500, "{answer}");
        if answer.status == 503 {
            assert!(answer.retry_after.is_some(), "{answer}");
        } else {
            assert_eq!(answer.status, 409, "{answer}");
        }
    }
    // The slot has room for a hundred pairs; whoever is still told no must find it sold out.
    for _ in granted.len()..100 {
        let answer = field.api().ask(&Call::hold_best(slot, 2)).await;
        if !answer.is_done() {
            assert_eq!(answer.status, 409, "{answer}");
            break;
        }
    }
    let log = field.close().await;
    assert!(
        granted.len() >= 50,
        "only {} of 200 found a pair in an empty house",
        granted.len()
    );
    let sold = log.named("SeatHeld").count();
    assert!(sold >= 160, "only {sold} of 200 seats were sold to 200 pairs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_who_want_one_session_exactly_one_gets_it() {
    let field = Field::open(2).await;
    let slot = field.house.session(field.api(), Sale::Long).await;
    let (granted, refused) = parted(field.race(vec![Call::hold_room(slot, 2); 200]).await);
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0].seats(), ["room"]);
    for answer in &refused {
        answer.refused(409, "seat/taken");
    }
    assert_eq!(field.close().await.named("SeatHeld").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_that_is_placed_released_and_cancelled_at_once_ends_in_one_way() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 5, 10, Sale::Long).await;
    let mut calls = Vec::new();
    for column in 1..=10 {
        let hold = field
            .api()
            .done(&Call::hold(slot, &[label(0, column), label(1, column)]))
            .await
            .hold();
        calls.push(Call::place(&hold, None));
        calls.push(Call::step(&hold, "release"));
        calls.push(Call::step(&hold, "cancel"));
        calls.push(Call::place(&hold, None));
        calls.push(Call::step(&hold, "extend"));
        calls.push(Call::hold(slot, &[label(1, column), label(2, column)]));
    }
    for answer in field.race(calls).await {
        assert!(answer.is_done() || matches!(answer.status, 409 | 410), "{answer}");
    }
    let log = field.close().await;
    for (number, stored) in log.reservations() {
        assert!(
            matches!(stored.state, "held" | "placed" | "released" | "cancelled"),
            "{number}: {stored:?}"
        );
    }
}
