//! One unit of work after the other: what is appended, what is answered, what a key does.

use aggregates::{
    StreamId,
    seat::{Seat, SeatCommand, SeatError},
};
use jari::store::{Stop, StoreError};

use super::harness::{
    ALICE, BOB, assert_dense, hold, hold_all, keyed, new_seat, number, open, release, request, seats,
};
use crate::support::database;

#[tokio::test]
async fn what_a_unit_decides_is_in_the_log_whole_and_in_order() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seats = seats(4);
    let committed = hold_all(&store, &request(ALICE), &seats, ALICE).await.unwrap();
    assert_eq!(committed.position, 4);
    assert!(!committed.repeated);
    for (number, (seat, event)) in (1..).zip(seats.iter().zip(&committed.events)) {
        assert_eq!((event.position, event.sequence), (number, 1));
        assert_eq!(event.stream, StreamId::of::<Seat>(seat));
        assert_eq!(*committed.state::<Seat>(seat).unwrap(), Seat::Held { by: ALICE });
        assert_eq!(*store.read::<Seat>(seat).await.unwrap(), Seat::Held { by: ALICE });
    }
    assert!(committed.only::<Seat>().is_none());
    assert_dense(&database.client().await).await;
}

#[tokio::test]
async fn a_refusal_leaves_nothing_of_its_unit() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seats = seats(3);
    hold(&store, &request(ALICE), &seats[2], ALICE).await.unwrap();
    let refused = hold_all(&store, &request(BOB), &seats, BOB).await.err().unwrap();
    assert_eq!(refused, Stop::Refused(SeatError::Taken { by: ALICE }));
    assert_eq!(*store.read::<Seat>(&seats[0]).await.unwrap(), Seat::Free);
    assert_eq!(store.events(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_to_do_is_answered_without_an_event() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
    let again = hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
    assert!(again.events.is_empty() && !again.repeated);
    assert_eq!(again.position, 1);
}

#[tokio::test]
async fn a_repeat_of_what_had_nothing_to_do_does_nothing_however_late_it_comes() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
    let first = hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    assert!(first.events.is_empty() && !first.repeated);
    release(&store, &seat, ALICE).await.unwrap();
    let again = hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    assert!(again.events.is_empty() && again.repeated);
    assert_eq!(again.position, first.position);
    assert_eq!(*store.read::<Seat>(&seat).await.unwrap(), Seat::Free);
    let then = store.read_until::<Seat>(&seat, again.position).await.unwrap();
    assert_eq!(then, (Seat::Held { by: ALICE }.into(), 1));
    let reused = hold(&store, &keyed(ALICE, "k", 2), &seat, ALICE)
        .await
        .err()
        .unwrap();
    assert_eq!(reused, Stop::Store(StoreError::KeyReused));
    assert_dense(&database.client().await).await;
}

#[tokio::test]
async fn a_refusal_names_the_event_that_stood_in_the_way() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seats = seats(2);
    hold(&store, &request(ALICE), &seats[0], ALICE).await.unwrap();
    let taken = hold(&store, &request(ALICE), &seats[1], ALICE).await.unwrap();
    let asked = request(BOB);
    hold_all(&store, &asked, &seats[1..], BOB).await.err().unwrap();
    let blocked_by = asked.trace.blocked_by().unwrap();
    assert_eq!(blocked_by.position, taken.position);
    assert_eq!(blocked_by.recorded_at, taken.events[0].recorded_at);
    assert_eq!(
        store.vault().read_refusal(&blocked_by.proof),
        Some((asked.request_id, taken.position))
    );
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_has_no_effect() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    let first = hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    release(&store, &seat, ALICE).await.unwrap();
    let again = hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.position, first.position);
    assert_eq!(again.events[0].position, first.events[0].position);
    assert_eq!(again.only::<Seat>().unwrap().0, seat);
    assert_eq!(*again.state::<Seat>(&seat).unwrap(), Seat::Held { by: ALICE });
    assert_eq!(*store.read::<Seat>(&seat).await.unwrap(), Seat::Free);
}

#[tokio::test]
async fn a_repeat_of_what_would_be_refused_by_now_gets_the_first_answer() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    release(&store, &seat, ALICE).await.unwrap();
    hold(&store, &request(BOB), &seat, BOB).await.unwrap();
    let again = hold(&store, &keyed(ALICE, "k", 1), &seat, ALICE).await.unwrap();
    assert!(again.repeated);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused() {
    let database = database::fresh().await;
    let store = open(&database).await;
    hold(&store, &keyed(ALICE, "k", 1), &new_seat(), ALICE)
        .await
        .unwrap();
    let reused = hold(&store, &keyed(ALICE, "k", 2), &new_seat(), ALICE)
        .await
        .err()
        .unwrap();
    assert_eq!(reused, Stop::Store(StoreError::KeyReused));
    assert_eq!(store.events(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn keys_are_forgotten_only_after_their_time() {
    let database = database::fresh().await;
    let store = open(&database).await;
    hold(&store, &keyed(ALICE, "k", 1), &new_seat(), ALICE)
        .await
        .unwrap();
    assert_eq!(store.forget_old_keys().await.unwrap(), 0);
    let owner = database.client().await;
    let aged = "update idempotency_keys set recorded_at = recorded_at - interval '31 days'";
    owner.batch_execute(aged).await.unwrap();
    assert_eq!(store.forget_old_keys().await.unwrap(), 1);
}

#[tokio::test]
async fn however_many_keys_are_too_old_all_of_them_are_forgotten() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let owner = database.client().await;
    let many = "insert into idempotency_keys
        select 'test', n::text, '', 1, 1, clock_timestamp() - interval '31 days' from generate_series(1, 20001) n";
    owner.batch_execute(many).await.unwrap();
    assert_eq!(store.forget_old_keys().await.unwrap(), 20_001);
    assert_eq!(number(&owner, "select count(*) from idempotency_keys").await, 0);
}

#[tokio::test]
async fn a_stream_only_read_must_not_have_moved() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let other = open(&database).await;
    let (seats, other) = (&seats(2), &other);
    let attempts = &std::sync::atomic::AtomicU32::new(0);
    let committed = store
        .run(&request(ALICE), |mut unit| async move {
            let attempt = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let guard = *unit.load::<Seat>(&seats[0]).await?;
            if attempt == 0 {
                hold(other, &request(BOB), &seats[0], BOB).await?;
            }
            unit.load::<Seat>(&seats[1]).await?;
            // Only if Bob has the first seat.
            if guard.holder() == Some(BOB) {
                unit.execute::<Seat>(&seats[1], SeatCommand::Block { reason: None })
                    .map_err(Stop::Refused)
            } else {
                unit.execute::<Seat>(&seats[1], SeatCommand::Hold { by: ALICE })
                    .map_err(Stop::Refused)
            }
        })
        .await
        .unwrap();
    assert_eq!(attempts.load(std::sync::atomic::Ordering::Relaxed), 2);
    assert_eq!(*committed.state::<Seat>(&seats[1]).unwrap(), Seat::Blocked);
}

#[tokio::test]
async fn a_refusal_from_a_stale_cache_is_decided_again() {
    let database = database::fresh().await;
    let (store, other) = (open(&database).await, open(&database).await);
    let seat = new_seat();
    hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
    release(&other, &seat, ALICE).await.unwrap();
    // The first store's cache still says that Alice has it.
    let committed = hold(&store, &request(BOB), &seat, BOB).await.unwrap();
    assert_eq!(*committed.state::<Seat>(&seat).unwrap(), Seat::Held { by: BOB });
}

#[tokio::test]
async fn an_id_taken_as_new_that_exists_is_never_written_over() {
    let database = database::fresh().await;
    let (store, other) = (open(&database).await, open(&database).await);
    let seat = &new_seat();
    hold(&other, &request(ALICE), seat, ALICE).await.unwrap();
    let refused = store
        .run(&request(BOB), |mut unit| async move {
            unit.begin::<Seat>(seat).await?;
            unit.execute::<Seat>(seat, SeatCommand::Hold { by: BOB })
                .map_err(Stop::Refused)
        })
        .await;
    // The second attempt looks at what is there.
    assert_eq!(
        refused.err().unwrap(),
        Stop::Refused(SeatError::Taken { by: ALICE })
    );
}

#[tokio::test]
async fn every_event_says_who_did_it_and_why() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let request = jari::store::Request {
        reason: Some("broken".into()),
        address: Some("192.0.2.7".parse().unwrap()),
        causation: Some(12),
        correlation_id: Some("c".into()),
        ..keyed(ALICE, "k", 1)
    };
    hold(&store, &request, &new_seat(), ALICE).await.unwrap();
    let event = &store.events(0, 1).await.unwrap()[0];
    let id = request.request_id.to_string();
    for (name, value) in [
        ("actor_kind", "guest"),
        ("actor_id", "1"),
        ("command", "HoldSeat"),
        ("request_id", id.as_str()),
        ("correlation_id", "c"),
        ("causation_position", "12"),
        ("idempotency_key", "k"),
        ("reason", "broken"),
        ("address", "192.0.2.7"),
    ] {
        assert_eq!(
            event.metadata.get(name).map(smol_str::SmolStr::as_str),
            Some(value),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_prefix_is_read_at_once_and_kept_at_hand() {
    let database = database::fresh().await;
    let (store, other) = (open(&database).await, open(&database).await);
    let seats = &seats(5);
    hold_all(&other, &request(BOB), &seats[..2], BOB).await.unwrap();
    let prefix = &format!("{}:", seats[0].time_slot);
    let committed = store
        .run(&request(ALICE), |mut unit| async move {
            unit.load_prefix::<Seat>(prefix, seats).await?;
            let free: Vec<_> = seats
                .iter()
                .filter(|seat| matches!(unit.state::<Seat>(seat), Ok(Seat::Free)))
                .collect();
            assert_eq!(free.len(), 3);
            unit.execute::<Seat>(free[0], SeatCommand::Hold { by: ALICE })
                .map_err(Stop::<SeatError>::Refused)
        })
        .await
        .unwrap();
    assert_eq!(committed.only::<Seat>().unwrap().0, seats[2]);
}

#[tokio::test]
async fn a_unit_that_looks_at_what_it_did_not_load_fails() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let asked = request(ALICE);
    let failed = store.run::<SeatError, _>(&asked, |unit| async move {
        unit.state::<Seat>(&new_seat())?;
        Ok(())
    });
    let failed = failed.await.err().unwrap();
    assert!(matches!(failed, Stop::Store(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_unit_that_decides_on_what_it_did_not_load_fails() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let asked = request(ALICE);
    let failed = store.run(&asked, |mut unit| async move {
        unit.execute::<Seat>(&new_seat(), SeatCommand::Hold { by: ALICE })
            .map_err(Stop::Refused)
    });
    let failed = failed.await.err().unwrap();
    assert!(matches!(failed, Stop::Store(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn after_closing_every_command_is_refused_as_unavailable() {
    let database = database::fresh().await;
    let store = open(&database).await;
    let seat = new_seat();
    hold(&store, &request(ALICE), &seat, ALICE).await.unwrap();
    store.clone().close().await;
    let refused = hold(&store, &request(BOB), &new_seat(), BOB).await.err().unwrap();
    assert!(matches!(refused, Stop::Store(StoreError::Unavailable(_))));
}
