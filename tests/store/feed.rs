//! The log in order, as followers see it: every position once, whoever wrote it.

use std::time::Duration;

use jari::store::Store;
use tokio::{task::JoinSet, time::Instant};

use super::harness::{ALICE, hold, hold_all, new_seat, open, request, seats};
use crate::support::database;

async fn follow(store: Store, last: i64) {
    let mut position = 0;
    while position < last {
        let events = tokio::time::timeout(Duration::from_secs(60), store.feed().after(position, 100)).await;
        let events = events.expect("the feed goes on");
        assert!(!events.is_empty() && events.len() <= 100);
        for event in events {
            position += 1;
            assert_eq!(event.position, position, "a position was skipped or repeated");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_follower_sees_each_position_once_and_in_order() {
    let database = database::fresh().await;
    let stores = [open(&database).await, open(&database).await];
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        tasks.spawn(follow(stores[task % 2].clone(), 32 * 20 * 2));
    }
    for task in 0..32 {
        let store = stores[task % 2].clone();
        tasks.spawn(async move {
            for _ in 0..20 {
                hold_all(&store, &request(ALICE), &seats(2), ALICE).await.unwrap();
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
}

#[tokio::test]
async fn a_follower_that_comes_late_is_served_from_the_log() {
    let database = database::fresh().await;
    let first = open(&database).await;
    for _ in 0..5 {
        hold(&first, &request(ALICE), &new_seat(), ALICE).await.unwrap();
    }
    let second = open(&database).await;
    assert_eq!(second.feed().position(), 5);
    follow(second, 5).await;
}

#[tokio::test]
async fn what_another_process_wrote_is_reached() {
    let database = database::fresh().await;
    let (here, there) = (open(&database).await, open(&database).await);
    let committed = hold(&there, &request(ALICE), &new_seat(), ALICE).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    assert!(here.feed().reached(committed.position, deadline).await);
    assert!(!here.feed().reached(committed.position + 1, Instant::now()).await);
}

#[tokio::test]
async fn what_a_stock_program_wrote_is_reached() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let insert =
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
        metadata) values ('other', 'a', 1, 'Happened', '3', '{\"x\": 1}', '{\"n\": 5}')";
    database.client().await.batch_execute(insert).await.unwrap();
    let events = store.feed().after(0, 10).await;
    assert_eq!(events.len(), 1);
    assert!(matches!(events[0].event, aggregates::Event::Foreign));
    assert_eq!(events[0].metadata.get("n").unwrap(), "5");
}
