//! Personal values: never readable in the log, and gone for ever when the person's key is.

use std::{borrow::Borrow, collections::BTreeMap, time::Duration};

use aggregates::{
    Event, Recorded, StreamId,
    ids::ReservationId,
    personal::Personal,
    ratings::Statement,
    reservation::{
        Canceller, Placement, Reservation, ReservationCommand, ReservationError, ReservationEvent,
    },
    seat::{Seat, SeatCommand},
    values::{CustomerName, PhoneNumber},
};
use jari::{
    audit::{Told, veiled},
    store::{Request, Stop, Store},
};
use jiff::Timestamp;
use serde_json::Value;

use super::harness::{ALICE, new_seat, number, open, request};
use crate::support::{database, waiting::eventually};

const NAME: &str = "김하늘";
const PHONE: &str = "+821012345678";
const ADDRESS: &str = "192.0.2.7";
const REASON: &str = "the customer's own words";

fn golden(name: &str, variant: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/stored_events.json");
    let text = std::fs::read_to_string(path).unwrap();
    let mut golden: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    golden.get_mut(name).unwrap()[variant].take()
}

fn held() -> ReservationCommand {
    let mut stored = golden("ReservationHeld", "Held");
    ReservationCommand::Hold {
        time_slot: serde_json::from_value(stored["time_slot"].take()).unwrap(),
        choice: serde_json::from_value(stored["choice"].take()).unwrap(),
        until: Timestamp::MAX,
        cap: Timestamp::MAX,
        customer: None,
        said: Statement::default(),
    }
}

fn placement() -> Placement {
    let mut placement: Placement = serde_json::from_value(golden("ReservationPlaced", "Placed")).unwrap();
    let name: CustomerName = NAME.parse().unwrap();
    let phone: PhoneNumber = PHONE.parse().unwrap();
    placement.contact.name = Personal::Plain(name);
    placement.contact.phone = Personal::Plain(phone);
    placement
}

async fn place(store: &Store, id: ReservationId) {
    let request = Request {
        address: Some(ADDRESS.parse().unwrap()),
        reason: Some(REASON.into()),
        ..request(id)
    };
    let run = store.run(&request, |mut unit| async move {
        unit.load::<Reservation>(&id).await?;
        unit.execute::<Reservation>(&id, held()).map_err(Stop::Refused)?;
        let place = ReservationCommand::Place(Box::new(placement()));
        unit.execute::<Reservation>(&id, place)
            .map_err(Stop::<ReservationError>::Refused)
    });
    run.await.unwrap();
}

async fn name_of(store: &Store, id: ReservationId) -> Option<String> {
    let events = store.events_of(&StreamId::of::<Reservation>(&id)).await.unwrap();
    name_in(&events)
}

fn name_in(events: &[impl Borrow<Recorded>]) -> Option<String> {
    let placed = events.iter().find_map(|recorded| {
        if let Event::Reservation(ReservationEvent::Placed(placement)) = &recorded.borrow().event {
            Some(placement)
        } else {
            None
        }
    });
    let name = placed.expect("it was placed").contact.name.plain();
    name.map(|name| name.as_str().to_owned())
}

#[tokio::test]
async fn personal_values_are_unreadable_in_the_log_and_plain_for_the_rules() {
    let database = database::fresh().await;
    let store = open(&database).await;
    place(&store, ALICE).await;
    let client = database.client().await;
    let row = client
        .query_one(
            "select string_agg(payload::text || metadata::text, '') from events",
            &[],
        )
        .await
        .unwrap();
    let stored: String = row.get(0);
    for secret in [NAME, PHONE, "1012345678", ADDRESS, REASON] {
        assert!(!stored.contains(secret), "{secret} is in {stored}");
    }
    assert_eq!(
        number(&client, "select count(*) from vault.subject_keys").await,
        1
    );
    // Another process opens what this one sealed.
    let other = open(&database).await;
    assert_eq!(name_of(&other, ALICE).await.as_deref(), Some(NAME));
    let event = &other.events(0, 1).await.unwrap()[0];
    assert_eq!(event.metadata.get("address").unwrap(), ADDRESS);
    assert_eq!(event.metadata.get("reason").unwrap(), REASON);
}

#[tokio::test]
async fn what_people_write_is_unreadable_in_the_log_and_told_by_nobody() {
    const WORDS: &str = "call 010-9876-5432 first";
    let database = database::fresh().await;
    let store = open(&database).await;
    place(&store, ALICE).await;
    let seat = new_seat();
    let words = || Some(WORDS.parse().unwrap());
    let request = request(ALICE);
    let written = store.run(&request, |mut unit| {
        let seat = seat.clone();
        async move {
            unit.load::<Reservation>(&ALICE).await?;
            unit.load::<Seat>(&seat).await?;
            let commands = [
                ReservationCommand::MarkNotified { note: words() },
                ReservationCommand::Pay(aggregates::reservation::Pay {
                    amount: None,
                    note: words(),
                    source: None,
                }),
                ReservationCommand::Cancel {
                    by: Canceller::Staff,
                    reason: words(),
                },
            ];
            for command in commands {
                unit.execute::<Reservation>(&ALICE, command)
                    .map_err(Stop::<ReservationError>::Refused)?;
            }
            let block = SeatCommand::Block { reason: words() };
            unit.execute::<Seat>(&seat, block).expect("the seat is free");
            Ok(())
        }
    });
    written.await.unwrap();
    let client = database.client().await;
    let stored = "select string_agg(payload::text || metadata::text, '') from events";
    let stored: String = client.query_one(stored, &[]).await.unwrap().get(0);
    assert!(!stored.contains("9876"), "{stored}");
    let other = open(&database).await;
    let events = other.events(2, 10).await.unwrap();
    let names: Vec<&str> = events.iter().map(|recorded| recorded.event.name()).collect();
    assert_eq!(
        names,
        [
            "ReservationNotified",
            "ReservationPaid",
            "ReservationCancelled",
            "SeatBlocked"
        ]
    );
    for recorded in &events {
        let mut event = recorded.event.clone();
        let opened: Vec<_> = event.personal().iter().map(|value| value.plaintext()).collect();
        assert_eq!(opened, [Some(format!("{WORDS:?}"))]);
        let told = Told::of(recorded);
        assert!(told.sentence.contains(" (personal)"), "{}", told.sentence);
        assert!(
            !serde_json::to_string(&veiled(&recorded.event))
                .unwrap()
                .contains("9876")
        );
    }
}

#[tokio::test]
async fn an_erased_person_is_erased_from_every_answer() {
    let database = database::fresh().await;
    let store = open(&database).await;
    place(&store, ALICE).await;
    assert!(store.erase(&StreamId::of::<Reservation>(&ALICE)).await.unwrap());
    assert!(!store.erase(&StreamId::of::<Reservation>(&ALICE)).await.unwrap());
    assert_eq!(name_of(&store, ALICE).await, None);
    let event = &store.events(0, 1).await.unwrap()[0];
    assert!(!event.metadata.contains_key("address"));
    assert_eq!(
        number(&database.client().await, "select count(*) from events").await,
        2
    );
}

#[tokio::test]
async fn other_processes_hear_of_an_erasure() {
    let database = database::fresh().await;
    let (store, other) = (open(&database).await, open(&database).await);
    place(&store, ALICE).await;
    assert_eq!(name_of(&other, ALICE).await.as_deref(), Some(NAME));
    store.erase(&StreamId::of::<Reservation>(&ALICE)).await.unwrap();
    assert_forgotten(&other).await;
}

#[tokio::test]
async fn an_erasure_nobody_listened_to_is_made_up_for() {
    let database = database::fresh().await;
    let (store, other) = (open(&database).await, open(&database).await);
    place(&store, ALICE).await;
    let client = database.client().await;
    let listening = "select count(*) from pg_stat_activity where datname = current_database()
        and application_name = 'jari feed' and query like '%pg_notify%'";
    eventually("both listen", || async {
        (number(&client, listening).await == 2).then_some(())
    })
    .await;
    assert_eq!(name_of(&other, ALICE).await.as_deref(), Some(NAME));
    assert_eq!(remembered_by(&other).await.as_deref(), Some(NAME));
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and application_name = 'jari feed'";
    number(&client, cut).await;
    store.erase(&StreamId::of::<Reservation>(&ALICE)).await.unwrap();
    assert_forgotten(&other).await;
}

/// Far less than a key is kept in memory by itself.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(20);

/// Neither the log nor any memory of the process tells the name any more.
async fn assert_forgotten(store: &Store) {
    let forgotten = eventually("it is forgotten", || async {
        let known = name_of(store, ALICE).await.is_some()
            || remembered_by(store).await.is_some()
            || name_in(&store.feed().after(1, 1).await).is_some();
        (!known).then_some(())
    });
    tokio::time::timeout(FORGOTTEN_WITHIN, forgotten)
        .await
        .expect("before its key would have gone by itself");
}

/// The name as rules see it, from the cache if it is there.
async fn remembered_by(store: &Store) -> Option<String> {
    let seen = std::sync::Mutex::new(None);
    let request = request(ALICE);
    let run = store.run(&request, |mut unit| {
        let seen = &seen;
        async move {
            let placed = unit.load::<Reservation>(&ALICE).await?.placed().cloned();
            let contact = placed.map(|placed| placed.placement.contact);
            *seen.lock().unwrap() = contact.and_then(|contact| contact.name.plain().cloned());
            Ok::<(), Stop<ReservationError>>(())
        }
    });
    run.await.unwrap();
    seen.into_inner().unwrap().map(|name| name.to_string())
}

#[tokio::test]
async fn a_sealed_value_moved_to_another_event_is_shown_as_erased() {
    let database = database::fresh().await;
    let store = open(&database).await;
    place(&store, ALICE).await;
    let client = database.client().await;
    // Only by taking the guard away first, as somebody with the owner's rights could.
    client
        .batch_execute(
            "alter table events disable trigger all; update events set sequence = 3 where sequence = 2;
             insert into events select aggregate_type, aggregate_id, 2, 'ReservationNotified', '1.0',
             '{\"Notified\": {\"note\": null}}', '{}', 3, recorded_at from events where sequence = 3;",
        )
        .await
        .unwrap();
    assert_eq!(name_of(&store, ALICE).await, None);
}
