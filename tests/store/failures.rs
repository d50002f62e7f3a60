//! When the database goes away or refuses data: nothing acknowledged is lost, nothing is done twice, neighbours are spared.

use std::{sync::Arc, time::Duration};

use aggregates::seat::Seat;
use cqrs_es::persist::{PersistedEventRepository as _, PersistenceError, SerializedEvent};
use jari::store::{Stop, StoreError, cqrs::LogRepository};
use serde_json::json;
use tokio::task::JoinSet;

use super::harness::{ALICE, assert_dense, hold, hold_all, keyed, new_seat, number, open, request, seats};
use crate::support::database;

const KILL: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'jari %'";

#[tokio::test(flavor = "multi_thread")]
async fn connections_killed_under_load_lose_nothing_and_double_nothing() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let killer = database.client().await;
    let mut tasks = JoinSet::new();
    for task in 0..32 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut acknowledged = 0;
            for turn in 0..40 {
                // Half of them without a key: those are known by their request id.
                let request = if task % 2 == 0 {
                    request(ALICE)
                } else {
                    keyed(ALICE, &format!("{task}/{turn}"), 1)
                };
                match hold_all(&store, &request, &seats(2), ALICE).await {
                    Ok(committed) => {
                        assert_eq!(committed.events.len(), 2);
                        acknowledged += 1;
                    }
                    Err(Stop::Store(StoreError::Unavailable(_))) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            acknowledged
        });
    }
    for _ in 0..10 {
        killer.query(KILL, &[]).await.unwrap();
        // Let some work pass between two kills.
        let reached = store.feed().position() + 100;
        store
            .feed()
            .reached(reached, tokio::time::Instant::now() + Duration::from_secs(2))
            .await;
    }
    let mut acknowledged = 0;
    while let Some(result) = tasks.join_next().await {
        acknowledged += result.unwrap();
    }
    assert_eq!(acknowledged, 32 * 40, "reconnecting was no reason to refuse");
    assert_eq!(
        number(&killer, "select count(*) from events").await,
        2 * acknowledged
    );
    assert_dense(&killer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_the_database_refuses_fails_alone() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let repository = Arc::new(LogRepository::new(store.clone()));
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let (store, repository) = (store.clone(), Arc::clone(&repository));
        tasks.spawn(async move {
            if task % 16 == 0 {
                // PostgreSQL's text cannot hold a NUL.
                let id = format!("bad\0{task}");
                let event = SerializedEvent::new(
                    id,
                    1,
                    "seat".to_owned(),
                    "SeatHeld".to_owned(),
                    "1.0".to_owned(),
                    json!({"Held": {"by": "1"}}),
                    json!({}),
                );
                let error = repository.persist::<Seat>(&[event], None).await.unwrap_err();
                assert!(
                    matches!(error, PersistenceError::DeserializationError(_)),
                    "{error:?}"
                );
            } else {
                hold(&store, &request(ALICE), &new_seat(), ALICE).await.unwrap();
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    assert_eq!(
        number(&database.client().await, "select count(*) from events").await,
        60
    );
}

#[tokio::test]
async fn a_moment_after_the_databases_clock_is_refused() {
    let database = database::fresh().await;
    let client = database.client().await;
    let append =
        "select verdicts from append(array[clock_timestamp() + interval '1 hour'], array['{}'::json],
        array[1], array[1], '{}', '{}', '{}', '{}', array[1], array['seat'], array['a'], array[0::bigint],
        array[1], array[1::bigint], array['SeatHeld'], array['1.0'], array['{}'::json], '{}', '{}', '{}')";
    let verdicts: Vec<String> = client.query_one(append, &[]).await.unwrap().get(0);
    assert_eq!(verdicts, ["clock"]);
    assert_eq!(number(&client, "select count(*) from events").await, 0);
}

#[tokio::test]
async fn the_stores_clock_is_never_ahead_of_the_databases_and_never_goes_back() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let client = database.client().await;
    let mut before = store.now();
    for _ in 0..50 {
        let now = store.now();
        let shown: jiff::Timestamp = client
            .query_one("select clock_timestamp()", &[])
            .await
            .unwrap()
            .get(0);
        assert!(before <= now && now <= shown, "{before} {now} {shown}");
        before = now;
        hold(&store, &request(ALICE), &new_seat(), ALICE).await.unwrap();
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_unavailable() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let owner = database::client(&database.owner().with_database("postgres")).await;
    let name = database.owner().database().to_owned();
    let allow = |allowed: bool| format!("alter database {name} allow_connections {allowed}");
    owner.batch_execute(&allow(false)).await.unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    owner.query(kill, &[&name]).await.unwrap();
    let refused = store.read::<Seat>(&new_seat()).await;
    assert!(matches!(refused.unwrap_err(), StoreError::Unavailable(_)));

    owner.batch_execute(&allow(true)).await.unwrap();
    let again = async || hold(&store, &request(ALICE), &new_seat(), ALICE).await;
    let mut answer = again().await;
    for _ in 0..1_000 {
        if answer.is_ok() {
            break;
        }
        tokio::task::yield_now().await;
        answer = again().await;
    }
    answer.expect("it comes back by itself");
}
