//! Booking commands as units of work, on a real log.

use aggregates::{
    ids::{ReservationId, SeatId},
    pricing::{Party, Persons, Quote},
    reservation::{Choice, Reservation, ReservationCommand, ReservationEvent},
    seat::{Seat, SeatCommand},
    seating::SeatingError,
    values::{Currency, SeatLabel},
};
use jari::{
    booking::{Places, Refused, Wish},
    store::Stop,
};
use jiff::ToSpan as _;
use serde_json::json;

use crate::support::{
    database,
    shop::{Shop, guest, number},
};

#[tokio::test]
async fn a_number_that_was_given_already_gives_way_to_the_next() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let slot = shop.screening().await;
    let wish = |seat: usize| Wish {
        time_slot: slot,
        places: Places::Seats(vec![shop.label(seat)]),
        party: Party::Persons(Persons {
            adult: 1,
            ..Persons::default()
        }),
        accessible: false,
    };
    // Two servers under one worker number made the same one.
    let twice = shop.bookings.next_number();
    let hold = async |seat| {
        let wish = wish(seat);
        shop.bookings.hold(&guest(twice, "Hold"), twice, &wish).await
    };
    assert_eq!(number(&hold(0).await.expect("the first has it")), twice);
    let second = hold(1).await.expect("the second has another");
    let given = number(&second);
    assert_ne!(given, twice);
    for recorded in &second.events {
        assert_eq!(recorded.metadata["actor_id"], given.to_string());
    }
    let begins = |event: &aggregates::Event| {
        matches!(
            event,
            aggregates::Event::Reservation(ReservationEvent::Held { .. })
        )
    };
    assert!(second.events.iter().any(|recorded| begins(&recorded.event)));
}

/// A hold of these seats that has lapsed already.
async fn lapsed(shop: &Shop, slot: aggregates::ids::TimeSlotId, seats: &[SeatLabel]) -> ReservationId {
    let id = shop.bookings.next_number();
    let quote = Quote {
        currency: Currency::KRW,
        lines: vec![],
        total: 14_000,
    };
    let choice = Choice {
        seats: seats.to_vec(),
        party: Party::Persons(Persons::default()),
        quote,
        accessible: false,
    };
    let hold = |mut unit: jari::store::UnitOfWork| {
        let choice = choice.clone();
        async move {
            for label in choice.seats.clone() {
                let seat = SeatId {
                    time_slot: slot,
                    label,
                };
                unit.load::<Seat>(&seat).await?;
                unit.execute::<Seat>(&seat, SeatCommand::Hold { by: id })
                    .expect("a free seat");
            }
            unit.begin::<Reservation>(&id).await?;
            let (until, cap) = (unit.now(), unit.now() + 20.minutes());
            let command = ReservationCommand::Hold {
                time_slot: slot,
                choice,
                until,
                cap,
            };
            unit.execute::<Reservation>(&id, command).expect("a new hold");
            Ok::<(), Stop<Refused>>(())
        }
    };
    shop.store.run(&guest(id, "Hold"), hold).await.expect("a hold");
    shop.bookings
        .end_due(&guest(id, "Lapse"), id)
        .await
        .expect("its time is up");
    id
}

#[tokio::test]
async fn a_hold_taken_up_again_leaves_no_seat_alone_that_a_new_one_would_not() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 1, 8).await;
    let slot = shop.screening_under(&json!({ "orphan_rule": "lenient" })).await;
    let [first, second, last] = [0, 1, 7].map(|seat| shop.label(seat));
    let id = lapsed(&shop, slot, std::slice::from_ref(&second)).await;
    let revive = async || shop.bookings.revive(&guest(id, "Revive"), id).await;
    match revive().await.map(|_| ()) {
        Err(Stop::Refused(Refused::Seating(SeatingError::Orphan { lone, suggestions }))) => {
            assert_eq!(lone, std::slice::from_ref(&first));
            assert!(!suggestions.is_empty());
        }
        other => panic!("{other:?}"),
    }
    // With the seat beside it gone, nobody is left alone.
    shop.hold(slot, vec![first]).await.expect("the end of the row");
    revive().await.expect("everything is still free");
    // What runs already has its seats, whatever stands around them.
    shop.hold(slot, vec![last]).await.expect("the other end");
    revive().await.expect("nothing to do");
}
