//! Following the log: what was committed shows, once, whatever dies.

use std::sync::Arc;

use aggregates::{
    StreamId,
    reservation::{Reservation, ReservationCommand},
};
use jari::store::runner::Projections;
use projections::{
    open_holds, reservation_list,
    seat_map::{self, SeatState},
    time_slot_calendar,
};
use tokio::time::{Duration, Instant};

use super::sales::{app, assert_proved, caught_up, follow, sell, sell_many, soon, superuser};
use crate::support::{
    database,
    shop::{Shop, guest, number, phone},
};

#[tokio::test]
async fn a_read_model_shows_what_was_committed_before_its_position() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let projections = follow(&shop);
    let slot = shop.screening().await;
    let id = sell(&shop, slot, 0).await;
    caught_up(&projections, &shop.store).await;

    let mut db = app(&database.owner()).await;
    let map = seat_map::seat_map(&mut db, slot, None).await.unwrap();
    let seats: Vec<_> = map
        .seats
        .iter()
        .map(|seat| (seat.label.as_str(), seat.state, seat.reservation))
        .collect();
    assert_eq!(
        seats,
        [
            ("A1", SeatState::Reserved, Some(id)),
            ("A2", SeatState::Reserved, Some(id))
        ]
    );
    assert_eq!(map.position, shop.store.feed().position());
    let calendar = time_slot_calendar::time_slot(&mut db, slot, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((calendar.taken, calendar.remaining()), (2, 998));
    let reservation = reservation_list::reservation(&mut db, id, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reservation.phone.as_deref(), Some(phone(id).as_str()));
    assert_eq!(reservation.show_name.as_deref(), Some("한강의 밤"));
    let due = open_holds::due(&mut db, jiff::Timestamp::MAX, None, 10)
        .await
        .unwrap();
    assert_eq!(
        due.iter()
            .map(|due| (due.reservation, due.kind))
            .collect::<Vec<_>>(),
        [(id, open_holds::DueKind::Payment)]
    );
    projections.close().await;
}

#[tokio::test]
async fn an_erased_person_is_gone_from_the_list_and_does_not_come_back() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let projections = follow(&shop);
    let slot = shop.screening().await;
    let (id, other) = (sell(&shop, slot, 0).await, sell(&shop, slot, 2).await);
    caught_up(&projections, &shop.store).await;
    let mut db = app(&database.owner()).await;
    let mut known = async |id| {
        let entry = reservation_list::reservation(&mut db, id, None)
            .await
            .unwrap()
            .unwrap();
        entry.name.zip(entry.phone)
    };
    assert!(known(id).await.is_some());
    let person = StreamId::of::<Reservation>(&id);
    assert!(shop.store.erase(&person).await.unwrap());
    assert_eq!(known(id).await, None);
    assert!(known(other).await.is_some());
    assert_proved(&shop).await;

    // Whoever folds the list had the row in memory.
    let paid = ReservationCommand::Pay(aggregates::reservation::Pay {
        amount: None,
        note: None,
        source: None,
    });
    shop.bookings.record(&guest(id, "Pay"), id, paid).await.unwrap();
    caught_up(&projections, &shop.store).await;
    assert_eq!(known(id).await, None);
    assert!(known(other).await.is_some());
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test]
async fn a_reservation_is_found_by_any_part_of_its_phone_number() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let projections = follow(&shop);
    let slot = shop.screening().await;
    let id = sell(&shop, slot, 0).await;
    caught_up(&projections, &shop.store).await;
    let mut db = app(&database.owner()).await;
    let written = phone(id);
    let digits = written.replace('-', "");
    // The same number but for its last digit.
    let last = digits[10..].parse::<u8>().expect("a digit");
    let other = format!("{}{}", &digits[3..10], (last + 1) % 10);
    for (typed, found) in [
        (&digits[7..], true),
        (&digits[4..7], true),
        (&written[..6], true),
        (&digits[6..8], true),
        (&*other, false),
    ] {
        let filter = reservation_list::Filter {
            phone: Some(typed.to_owned()),
            ..Default::default()
        };
        let rows = reservation_list::reservations(&mut db, &filter, None, 10)
            .await
            .unwrap();
        let expected: &[_] = if found { &[id] } else { &[] };
        assert_eq!(
            rows.iter().map(|row| row.reservation).collect::<Vec<_>>(),
            expected,
            "{typed}"
        );
    }
    projections.close().await;
}

#[tokio::test]
async fn a_hold_is_in_the_timers_until_it_ends() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let projections = follow(&shop);
    let slot = shop.session().await;
    let held = shop.hold_room(slot).await.unwrap();
    let id = number(&held);
    assert!(projections.reached("open_holds", held.position, soon()).await);
    let mut db = app(&database.owner()).await;
    let due = open_holds::due(&mut db, jiff::Timestamp::MAX, None, 10)
        .await
        .unwrap();
    assert_eq!(
        due.iter()
            .map(|due| (due.reservation, due.kind))
            .collect::<Vec<_>>(),
        [(id, open_holds::DueKind::Hold)]
    );
    let released = shop.bookings.release(&guest(id, "Release"), id).await.unwrap();
    assert!(projections.reached("open_holds", released.position, soon()).await);
    assert_eq!(
        open_holds::due(&mut db, jiff::Timestamp::MAX, None, 10)
            .await
            .unwrap(),
        []
    );
    projections.close().await;
}

#[tokio::test]
async fn waiting_for_a_position_that_never_comes_ends_at_the_deadline() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let projections = follow(&shop);
    let deadline = Instant::now() + Duration::from_millis(50);
    assert!(!projections.reached("seat_map", i64::MAX, deadline).await);
    assert!(!projections.reached("no_such_model", 0, deadline).await);
    projections.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_folded_exactly_once_although_the_runner_is_killed_again_and_again() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 20, 20).await);
    let slot = shop.screening().await;
    let mut killer = superuser(&database.owner()).await;
    for round in 0..8 {
        let projections = follow(&shop);
        let sales = tokio::spawn({
            let shop = Arc::clone(&shop);
            async move { sell_many(&shop, slot, round * 20..round * 20 + 20).await }
        });
        let position = shop.store.feed().position();
        projections.reached("audit_trail", position + 20, soon()).await;
        if round % 2 == 0 {
            // The process dies: its tasks stop wherever they are.
            drop(projections);
            sales.await.unwrap();
        } else {
            // The database cuts its connections, in the middle of whatever they do.
            sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'jari projections' and datname = current_database()")
                .execute(&mut killer)
                .await
                .unwrap();
            sales.await.unwrap();
            caught_up(&projections, &shop.store).await;
            projections.close().await;
        }
    }
    let projections = follow(&shop);
    caught_up(&projections, &shop.store).await;
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_database_never_both_write_and_one_takes_over() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 20, 20).await);
    let other = Shop::reopen(&database.owner(), 20).await;
    let slot = shop.screening().await;
    let (one, two) = (follow(&shop), follow(&other));
    sell_many(&shop, slot, 0..50).await;
    let position = shop.store.feed().position();
    // Both know how far the models are, whoever folds them.
    for projections in [&one, &two] {
        for name in projections::NAMES {
            assert!(projections.reached(name, position, soon()).await, "{name}");
        }
    }
    assert_proved(&shop).await;
    one.close().await;
    sell_many(&shop, slot, 50..80).await;
    caught_up(&two, &shop.store).await;
    assert_proved(&shop).await;
    two.close().await;
}

#[tokio::test]
async fn a_process_that_lost_its_model_to_another_starts_over_from_the_checkpoint() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 20, 20).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    sell_many(&shop, slot, 0..5).await;
    caught_up(&projections, &shop.store).await;
    // Somebody folds behind the owner's back, as a stale owner would: a rebuild, swapped in.
    jari::store::rebuild::rebuild(&shop.store, &database.owner().as_app().sqlx(), &[], |_| ())
        .await
        .unwrap();
    sell_many(&shop, slot, 5..10).await;
    caught_up(&projections, &shop.store).await;
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test]
async fn watchers_of_a_slot_are_told_each_change_once_and_resume_by_position() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let changes = jari::store::seat_changes::SeatChanges::follow(shop.store.feed());
    let (slot, other) = (shop.screening().await, shop.screening().await);
    let mut listener = changes.listen(slot);
    shop.hold(other, vec![shop.label(0)]).await.unwrap();
    let held = shop.hold(slot, vec![shop.label(3)]).await.unwrap();
    let change = listener.next().await.unwrap();
    // Whoever leaves last leaves nothing behind.
    let (first, second) = (changes.listen(other), changes.listen(other));
    drop(first);
    assert_eq!(changes.watched(), 2);
    drop(second);
    assert_eq!(changes.watched(), 1);
    let seat = held
        .events
        .iter()
        .find(|recorded| recorded.stream.kind == "seat")
        .unwrap();
    assert_eq!(change.position, seat.position);
    assert_eq!(change.reservation, Some(number(&held)));
    assert_eq!(
        change.json,
        format!(r#"{{"label":"A4","state":"held","position":{}}}"#, seat.position)
    );

    let projections: Projections = follow(&shop);
    caught_up(&projections, &shop.store).await;
    let mut db = app(&database.owner()).await;
    assert_eq!(
        seat_map::changes(&mut db, slot, change.position)
            .await
            .unwrap()
            .seats,
        []
    );
    assert_eq!(
        seat_map::changes(&mut db, slot, change.position - 1)
            .await
            .unwrap()
            .seats
            .len(),
        1
    );
    projections.close().await;
}
