//! Anything as of any position or moment: from the row and its former states.

use projections::{
    moments::position_at,
    reservation_list::{self, Stage},
    seat_map::{self, SeatState},
    time_slot_calendar,
};

use super::sales::{app, caught_up, follow};
use crate::support::{
    database,
    shop::{Shop, guest, number},
};

#[tokio::test]
async fn a_seat_a_slot_and_a_reservation_are_shown_as_they_were_at_every_position() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let slot = shop.screening().await;
    let projections = follow(&shop);
    let begun = shop.store.feed().position();
    let held = shop.hold(slot, vec![shop.label(0)]).await.unwrap();
    let id = number(&held);
    let placed = shop.place(id, None).await.unwrap();
    let cancelled = shop
        .bookings
        .cancel(
            &guest(id, "Cancel"),
            id,
            aggregates::reservation::Canceller::Customer,
            None,
        )
        .await
        .unwrap();
    caught_up(&projections, &shop.store).await;
    let mut db = app(&database.owner()).await;
    let expected = [
        (begun, None, 0, None),
        (held.position, Some(SeatState::Held), 1, Some(Stage::Held)),
        (placed.position, Some(SeatState::Reserved), 1, Some(Stage::Placed)),
        (
            cancelled.position,
            Some(SeatState::Free),
            0,
            Some(Stage::Cancelled),
        ),
    ];
    for (position, seat, taken, stage) in expected {
        let map = seat_map::seat_map(&mut db, slot, Some(position)).await.unwrap();
        assert_eq!(map.seats.first().map(|seat| seat.state), seat, "at {position}");
        assert_eq!(map.position, position);
        let slot = time_slot_calendar::time_slot(&mut db, slot, Some(position))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(slot.taken, taken, "at {position}");
        let reservation = reservation_list::reservation(&mut db, id, Some(position))
            .await
            .unwrap();
        assert_eq!(
            reservation.map(|reservation| reservation.stage),
            stage,
            "at {position}"
        );
    }
    let before = time_slot_calendar::time_slot(&mut db, slot, Some(1))
        .await
        .unwrap();
    assert_eq!(before, None, "the slot was not scheduled yet");
    projections.close().await;
}

#[tokio::test]
async fn a_moment_is_the_last_position_recorded_by_then() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let mut db = app(&database.owner()).await;
    let events = shop.store.events(0, 1_000).await.unwrap();
    for event in &events {
        let by_then = events
            .iter()
            .filter(|other| other.recorded_at <= event.recorded_at)
            .count();
        assert_eq!(
            position_at(&mut db, event.recorded_at).await.unwrap(),
            i64::try_from(by_then).unwrap()
        );
    }
    assert_eq!(
        position_at(&mut db, "1999-01-01T00:00:00Z".parse().unwrap())
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        position_at(&mut db, "2999-01-01T00:00:00Z".parse().unwrap())
            .await
            .unwrap(),
        shop.store.feed().position()
    );
}
