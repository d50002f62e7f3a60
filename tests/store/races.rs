//! Many at once, on one store and on two: at most one gets each thing, and nothing is lost or done twice.

use std::collections::HashSet;

use aggregates::{ids::ReservationId, seat::SeatError};
use jari::store::{Stop, Store};
use tokio::task::JoinSet;

use super::harness::{
    ALICE, assert_dense, hold, hold_all, keyed, new_seat, number, open, release, request, seats,
};
use crate::support::database;

fn guest(number: usize) -> ReservationId {
    ReservationId::new(i64::try_from(number).unwrap() + 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_five_hundred_who_want_one_seat_one_gets_it() {
    let database = database::fresh().await;
    let stores = [open(&database).await, open(&database).await];
    let seat = new_seat();
    let mut tasks = JoinSet::new();
    for task in 0..500 {
        let (store, seat) = (stores[task % 2].clone(), seat.clone());
        tasks.spawn(async move { hold(&store, &request(guest(task)), &seat, guest(task)).await });
    }
    let mut winners = 0;
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            Ok(_) => winners += 1,
            Err(Stop::Refused(SeatError::Taken { .. })) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(
        number(&database.client().await, "select count(*) from events").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_of_seats_are_granted_whole_and_disjoint() {
    let database = database::fresh().await;
    let stores = [open(&database).await, open(&database).await];
    let seats = seats(40);
    let mut tasks = JoinSet::new();
    for task in 0..200 {
        let store = stores[task % 2].clone();
        let wanted: Vec<_> = (0..4)
            .map(|n| seats[(task * 3 + n) % seats.len()].clone())
            .collect();
        tasks.spawn(async move {
            let granted = hold_all(&store, &request(guest(task)), &wanted, guest(task)).await;
            (granted, wanted)
        });
    }
    let mut taken = HashSet::new();
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            (Ok(committed), wanted) => {
                assert_eq!(committed.events.len(), 4);
                assert!(
                    wanted.into_iter().all(|seat| taken.insert(seat)),
                    "a seat was granted twice"
                );
            }
            (Err(Stop::Refused(SeatError::Taken { .. })), _) => {}
            (Err(other), _) => panic!("{other:?}"),
        }
    }
    assert!(!taken.is_empty());
    assert_dense(&database.client().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_sent_fifty_times_at_once_has_one_effect_and_one_answer() {
    let database = database::fresh().await;
    let stores = [open(&database).await, open(&database).await];
    let seats = seats(50);
    let mut tasks = JoinSet::new();
    for task in 0..50 {
        let (store, seats) = (stores[task % 2].clone(), seats.clone());
        tasks.spawn(async move { hold_all(&store, &keyed(ALICE, "k", 1), &seats[..2], ALICE).await });
    }
    let (mut firsts, mut positions) = (0, HashSet::new());
    while let Some(result) = tasks.join_next().await {
        let committed = result.unwrap().unwrap();
        firsts += u32::from(!committed.repeated);
        assert_eq!(committed.events.len(), 2);
        positions.insert(committed.position);
    }
    assert_eq!((firsts, positions.len()), (1, 1));
    assert_eq!(
        number(&database.client().await, "select count(*) from events").await,
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_that_all_change_loses_no_change() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    let mut tasks = JoinSet::new();
    for task in 0..24 {
        let (store, seat) = (store.clone(), seat.clone());
        tasks.spawn(async move { hold_and_release(&store, &seat, guest(task)).await });
    }
    let mut held = 0;
    while let Some(result) = tasks.join_next().await {
        held += result.unwrap();
    }
    let client = database.client().await;
    assert_eq!(number(&client, "select count(*) from events").await, 2 * held);
    assert_dense(&client).await;
}

async fn hold_and_release(store: &Store, seat: &aggregates::ids::SeatId, by: ReservationId) -> i64 {
    let mut held = 0;
    for _ in 0..10 {
        match hold(store, &request(by), seat, by).await {
            Ok(_) => {
                held += 1;
                release(store, seat, by).await.unwrap();
            }
            Err(Stop::Refused(SeatError::Taken { .. })) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_are_dense_under_sixty_four_writers() {
    let database = database::fresh().await;
    let stores = [open(&database).await, open(&database).await];
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let store = stores[task % 2].clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                hold_all(&store, &request(ALICE), &seats(3), ALICE).await.unwrap();
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let client = database.client().await;
    assert_eq!(
        number(&client, "select max(position) from events").await,
        64 * 20 * 3
    );
    assert_dense(&client).await;
}
