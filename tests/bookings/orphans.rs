//! The orphan rule where a hold is taken up again (DOMAIN C12, H1).

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    pricing::{Party, Persons, Quote},
    ratings::Statement,
    reservation::{Choice, Reservation, ReservationCommand},
    seat::{Seat, SeatCommand},
    seating::SeatingError,
    values::{Currency, SeatLabel},
};
use jari::{
    booking::Refused,
    store::{Stop, UnitOfWork},
};
use jiff::ToSpan as _;
use serde_json::json;

use crate::support::{
    database,
    shop::{Shop, guest},
};

/// A hold of these seats that has lapsed already.
async fn lapsed(shop: &Shop, slot: TimeSlotId, seats: &[SeatLabel]) -> ReservationId {
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
    let hold = |mut unit: UnitOfWork| {
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
                customer: None,
                said: Statement::default(),
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
