//! Beside a stock cqrs-es and postgres-es program on the same table, and as its store.

use std::collections::HashMap;

use aggregates::{
    Now, StreamId,
    seat::{Seat, SeatCommand},
};
use cqrs_es::{
    AggregateError, CqrsFramework, EventStore as _,
    persist::{PersistedEventRepository as _, PersistedEventStore},
};
use jari::store::cqrs::{LogEventStore, LogRepository};
use jiff::Timestamp;
use tokio::task::JoinSet;

use super::harness::{ALICE, BOB, assert_dense, hold, new_seat, number, open, request};
use crate::support::database;

fn now() -> Now {
    Now(Timestamp::UNIX_EPOCH)
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_writers_and_ours_share_one_log() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let pool = database.pool().await;
    let mut tasks = JoinSet::new();
    for task in 0..24 {
        let (store, pool) = (store.clone(), pool.clone());
        tasks.spawn(async move {
            for _ in 0..15 {
                let seat = new_seat();
                if task % 2 == 0 {
                    let stock = postgres_es::postgres_cqrs::<Seat>(pool.clone(), Vec::new(), now());
                    stock
                        .execute(&seat.to_string(), SeatCommand::Hold { by: ALICE })
                        .await
                        .unwrap();
                    // Ours takes up a stream that stock began …
                    assert_eq!(
                        *store.read::<Seat>(&seat).await.unwrap(),
                        Seat::Held { by: ALICE }
                    );
                    assert!(hold(&store, &request(BOB), &seat, BOB).await.is_err());
                } else {
                    hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
                    // … and stock one that ours began.
                    let stock = postgres_es::postgres_cqrs::<Seat>(pool.clone(), Vec::new(), now());
                    stock
                        .execute(&seat.to_string(), SeatCommand::Release { by: ALICE })
                        .await
                        .unwrap();
                    assert_eq!(*store.read::<Seat>(&seat).await.unwrap(), Seat::Free);
                }
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap();
    }
    let client = database.client().await;
    assert_eq!(
        number(&client, "select count(*) from events").await,
        12 * 15 + 12 * 15 * 2
    );
    assert_dense(&client).await;
}

#[tokio::test]
async fn the_frameworks_own_loop_runs_over_our_log() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    let framework = CqrsFramework::<Seat, _>::new(LogEventStore::new(store.clone()), Vec::new(), now());
    let metadata = HashMap::from([("who".to_owned(), "me".to_owned())]);
    framework
        .execute_with_metadata(&seat.to_string(), SeatCommand::Hold { by: ALICE }, metadata)
        .await
        .unwrap();
    let events = store.events_of(&StreamId::of::<Seat>(&seat)).await.unwrap();
    assert_eq!(events[0].metadata.get("who").unwrap(), "me");
    let refused = framework
        .execute(&seat.to_string(), SeatCommand::Hold { by: BOB })
        .await;
    assert!(matches!(refused, Err(AggregateError::UserError(_))));
}

#[tokio::test]
async fn two_framework_commands_on_one_state_conflict() {
    let database = database::fresh().await;
    let events = LogEventStore::new(open(&database).await);
    let id = new_seat().to_string();
    let (first, second) = (load(&events, &id).await, load(&events, &id).await);
    let held = vec![aggregates::seat::SeatEvent::Held { by: ALICE }];
    commit(&events, held.clone(), first).await.unwrap();
    let conflict = commit(&events, held, second).await.unwrap_err();
    assert!(matches!(conflict, AggregateError::AggregateConflict));
}

type Context = jari::store::cqrs::Loaded<Seat>;

async fn load(events: &LogEventStore, id: &str) -> Context {
    cqrs_es::EventStore::<Seat>::load_aggregate(events, id)
        .await
        .unwrap()
}

async fn commit(
    events: &LogEventStore,
    new: Vec<aggregates::seat::SeatEvent>,
    context: Context,
) -> Result<(), AggregateError<aggregates::seat::SeatError>> {
    events.commit(new, context, HashMap::new()).await.map(|_| ())
}

#[tokio::test]
async fn the_frameworks_event_store_runs_over_our_repository() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    let repository = LogRepository::new(store.clone());
    let events = PersistedEventStore::<_, Seat>::new_event_store(repository.clone());
    let framework = CqrsFramework::new(events, Vec::new(), now());
    for command in [
        SeatCommand::Hold { by: ALICE },
        SeatCommand::Release { by: ALICE },
    ] {
        framework.execute(&seat.to_string(), command).await.unwrap();
    }
    hold(&store, &request(ALICE), &new_seat(), ALICE).await.unwrap();
    assert_eq!(
        repository
            .get_events::<Seat>(&seat.to_string())
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        repository
            .get_last_events::<Seat>(&seat.to_string(), 1)
            .await
            .unwrap()
            .len(),
        1
    );
    let mut all = repository.stream_all_events::<Seat>().await.unwrap();
    let mut seen = 0;
    while let Some(event) = all.next::<Seat>(&[]).await {
        event.unwrap();
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[tokio::test]
async fn snapshots_are_refused_rather_than_lost() {
    let database = database::fresh().await;
    let repository = LogRepository::new(open(&database).await);
    let events = PersistedEventStore::<_, Seat>::new_snapshot_store(repository, 1);
    let framework = CqrsFramework::new(events, Vec::new(), now());
    let refused = framework
        .execute(&new_seat().to_string(), SeatCommand::Hold { by: ALICE })
        .await;
    assert!(matches!(refused, Err(AggregateError::UnexpectedError(_))));
}
