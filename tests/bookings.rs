//! Booking commands as units of work, on a real log.

mod deadlines;
mod orphans;
mod waitlist;

use aggregates::{
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{ReservationError, ReservationEvent},
};
use jari::{
    booking::{Places, Refused, Wish},
    store::{IdempotencyKey, Request, Stop},
};

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
        said: Statement::default(),
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

#[tokio::test]
async fn ending_what_is_not_due_is_refused_and_not_remembered() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let held = shop
        .hold(shop.screening().await, vec![shop.label(0)])
        .await
        .unwrap();
    let timer = Request {
        key: Some(IdempotencyKey {
            scope: "deadlines".to_owned(),
            key: "timer".to_owned(),
            fingerprint: [0; 32],
        }),
        ..Request::system("deadlines", "reservations/end-due")
    };
    // A clock that was ahead and is set back makes the timer come too early; it must work when its time has come.
    let early = shop.bookings.end_due(&timer, number(&held)).await;
    assert!(matches!(
        early,
        Err(Stop::Refused(Refused::Reservation(
            ReservationError::NotYetDue { .. }
        )))
    ));
    let remembered = "select count(*) from idempotency_keys where scope = 'deadlines'";
    let row = database.client().await.query_one(remembered, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}
