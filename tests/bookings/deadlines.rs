//! What is due is ended first, whoever comes to something that is overdue; and money is always recorded (DOMAIN E7, E9).

use aggregates::{
    Event,
    ids::ReservationId,
    patron::PatronEvent,
    reservation::{Pay, Reservation},
    time_slot::TimeSlot,
    waitlist::{Crowd, Waitlist},
};
use jari::{
    booking::{Joining, Nearby},
    store::{Request, Store},
    vault::{MasterSecret, Vault},
    verify::first_violation,
};
use jiff::{SignedDuration, ToSpan as _};
use serde_json::json;

use crate::support::shop::{Shop, guest, number};

async fn memory() -> Shop {
    let store = Store::in_memory(Vault::new(&MasterSecret::new([42; 32])));
    Shop::in_memory(store, 2, 5).await
}

/// A session that is reserved, to be paid by transfer before it begins in ten minutes.
async fn owing(shop: &Shop) -> ReservationId {
    let starts = shop.store.now() + 10.minutes();
    let rules = json!({ "starts_at": starts, "ends_at": starts + 1.hour(), "sales_close_at": starts });
    let id = number(
        &shop
            .hold_room(shop.session_under(&rules).await)
            .await
            .expect("it is free"),
    );
    shop.place(id, None).await.expect("it is placed");
    id
}

#[tokio::test]
async fn who_has_not_paid_in_time_expires_and_is_not_absent() {
    let shop = memory().await;
    let request = Request::system("test", "reservations/mark-no-show");
    let begin = shop.store.feed().position();
    for by_staff in [true, false] {
        let id = owing(&shop).await;
        shop.store.let_pass(SignedDuration::from_hours(3));
        let marked = if by_staff {
            shop.bookings.mark_no_show(&request, id).await
        } else {
            shop.bookings.mark_absent(&request, id).await
        };
        marked.expect("it is overdue, and ends");
        let after = shop.store.read::<Reservation>(&id).await.expect("a state");
        assert!(matches!(*after, Reservation::Expired(_)), "{after:?}");
    }
    let log = shop.store.events(begin, usize::MAX).await.expect("the log");
    let missed = |event: &Event| matches!(event, Event::Patron(PatronEvent::Missed { .. }));
    assert!(
        !log.iter().any(|recorded| missed(&recorded.event)),
        "nobody is barred"
    );
    assert_eq!(first_violation(&log), None);
}

#[tokio::test]
async fn late_money_is_recorded_though_somebody_waits_for_what_is_free() {
    let shop = memory().await;
    let slot = shop.session().await;
    let id = number(&shop.hold_room(slot).await.expect("it is free"));
    shop.place(id, None).await.expect("it is placed");
    let joining = Joining {
        time_slot: slot,
        party: aggregates::pricing::Party::Group { size: 2 },
        name: "김하늘".parse().expect("a name"),
        phone: "010-1234-0001".parse().expect("a number"),
        language: None,
    };
    let entry = shop.bookings.next_number();
    let joined = shop
        .bookings
        .join(&guest(entry, "Join"), entry, &joining, &Crowd::default)
        .await;
    joined.expect("they wait");
    // It expires while the slot is closed, and the slot opens again before anybody looked who waits.
    shop.admin::<TimeSlot>(&slot, "close", json!({})).await;
    shop.store.let_pass(SignedDuration::from_hours(13));
    let request = Request::system("test", "test");
    shop.bookings.end_due(&request, id).await.expect("it is overdue");
    shop.admin::<TimeSlot>(&slot, "reopen", json!({})).await;
    let paid = shop
        .bookings
        .pay(&request, id, &Pay::default(), &Nearby::new())
        .await;
    paid.expect("money is recorded");
    let after = shop.store.read::<Reservation>(&id).await.expect("a state");
    let Reservation::Expired(placed) = &*after else {
        panic!("it overtook who waits: {after:?}");
    };
    assert_eq!(placed.money.refund_due(), placed.money.price);
    // The place is still for who waits.
    shop.bookings
        .look_after(&request, slot)
        .await
        .expect("they are looked after");
    let waitlist = shop.store.read::<Waitlist>(&slot).await.expect("a waitlist");
    assert!(waitlist.entry(entry).is_some_and(|entry| entry.offer.is_some()));
}
