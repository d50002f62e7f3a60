//! Money that comes after its reservation expired (DOMAIN E7): taken up again, offered an equal slot, or due back; each told.

use aggregates::{
    ids::{ReservationId, TimeSlotId},
    reservation::{MoneyCommand, Offer, Reservation, ReservationCommand},
    values::SeatLabel,
};
use jari::store::{Request, Stop};
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{
    field::Field,
    money::{ROOM, expired, hold_room, money, owing, pay, reached, recorded, refund, shown, step, story},
};
use crate::support::{
    api::{Answer, Call},
    house::Sale,
    waiting::eventually,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_money_takes_a_reservation_up_again_while_its_slot_is_free() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    let found = recorded(&field, ROOM, "홍길동", "1").await;
    assert_eq!(found["reservation"], json!(hold.number), "{found}");
    let view = shown(&field, &hold).await;
    assert_eq!(
        (&view["state"], money(&view)),
        (&json!("placed"), ("paid", ROOM, 0, 0)),
        "{view}"
    );
    field
        .api
        .ask(&Call::hold_room(session, 2))
        .await
        .refused(409, "seat/taken");
    let story = story(&field, &hold).await;
    let end: Vec<&str> = story.iter().rev().take(3).rev().map(String::as_str).collect();
    assert_eq!(
        end,
        ["ReservationExpired", "ReservationPaid", "ReservationReinstated"]
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_money_is_offered_an_equal_slot_and_moves_there() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let other = field.house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    // Somebody else was faster.
    hold_room(&field, session).await;
    reached(&field).await;
    let view = api.done(&step(&hold, "mark-paid", json!({}))).await.json();
    assert_eq!(
        (&view["state"], money(&view)),
        (&json!("expired"), ("paid", ROOM, 0, 0)),
        "{view}"
    );
    let offer = &view["placed"]["offer"];
    assert_eq!(
        (&offer["time_slot"], &offer["seats"]),
        (&json!(other), &json!(["room"])),
        "{view}"
    );
    let accept = Call::step(&hold, "accept-offer").keyed();
    let moved = api.done(&accept).await;
    assert_eq!(moved.status, 201);
    let again = api.done(&accept).await;
    assert!(again.repeated);
    assert_eq!(again.body, moved.body, "the same reservation, not another one");
    let moved: Answer = moved;
    let new = moved.json();
    assert_eq!(
        (&new["state"], &new["time_slot"]),
        (&json!("placed"), &json!(other)),
        "{new}"
    );
    assert_eq!(
        (money(&new), &new["placed"]["name"]),
        (("paid", ROOM, 0, 0), &json!("홍길동"))
    );
    let view = shown(&field, &hold).await;
    assert_eq!(
        (&view["state"], view["placed"]["money"]["given_back"].as_i64()),
        (&json!("expired"), Some(ROOM))
    );
    assert_eq!(money(&view).3, 0, "nothing is left to go back");
    api.ask(&Call::step(&hold, "accept-offer"))
        .await
        .refused(410, "reservation/no-offer");
    api.ask(&Call::hold_room(other, 2))
        .await
        .refused(409, "seat/taken");
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_who_accept_for_a_customer_are_not_handed_their_secret() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    field.house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    hold_room(&field, session).await;
    reached(&field).await;
    api.done(&step(&hold, "mark-paid", json!({}))).await;
    let accept = Call::step(&hold, "accept-offer").by_staff().keyed();
    for _ in 0..2 {
        let moved = api.done(&accept).await;
        assert_eq!(moved.status, 201, "{moved}");
        assert_eq!(moved.json().get("token"), None, "{moved}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_money_that_is_not_wanted_elsewhere_goes_back() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let other = field.house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    hold_room(&field, session).await;
    reached(&field).await;
    api.done(&pay(&hold, ROOM)).await;
    // What is offered is not held: it may go, and then it is refused.
    let rival = hold_room(&field, other).await;
    api.ask(&Call::step(&hold, "accept-offer"))
        .await
        .refused(409, "seat/taken");
    let view = api.done(&Call::step(&hold, "decline-offer")).await.json();
    assert_eq!(money(&view).3, ROOM, "{view}");
    api.ask(&Call::step(&hold, "decline-offer"))
        .await
        .refused(410, "reservation/no-offer");
    api.done(&refund(&hold, ROOM)).await;
    assert_eq!(money(&shown(&field, &hold).await).3, 0);

    // Where nothing equal is free, it is due back at once.
    api.done(&Call::step(&rival, "release")).await;
    let late = expired(&field, other, "김하늘", "7QWERT").await;
    hold_room(&field, other).await;
    reached(&field).await;
    let view = api.done(&pay(&late, ROOM)).await.json();
    assert_eq!(
        (view["placed"].get("offer"), money(&view).3),
        (None, ROOM),
        "{view}"
    );
    let story = story(&field, &late).await;
    assert_eq!(story.last().map(String::as_str), Some("ReservationRefundDue"));
    // Too little takes nothing up again.
    let third = field.house.session(api, Sale::Long).await;
    let short = expired(&field, third, "이서윤", "9ZXCVB").await;
    let view = api.done(&pay(&short, 5)).await.json();
    assert_eq!((&view["state"], money(&view).3), (&json!("expired"), 5), "{view}");
    let view = api.done(&step(&short, "mark-paid", json!({}))).await.json();
    assert_eq!(
        (&view["state"], money(&view)),
        (&json!("placed"), ("paid", ROOM, 0, 0)),
        "{view}"
    );
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_the_price_does_not_stop_the_clock_and_goes_back() {
    let field = Field::open().await;
    let session = field.house.session(&field.api, Sale::Long).await;
    let hold = hold_room(&field, session).await;
    let pay_by = Timestamp::now() + 3.seconds();
    owing(&field, &hold, "홍길동", "K7MQ2Z", pay_by).await;
    field.api.done(&pay(&hold, 5)).await;
    eventually("it expires", || async {
        (shown(&field, &hold).await["state"] == "expired").then_some(())
    })
    .await;
    assert!(Timestamp::now() >= pay_by, "never early");
    assert_eq!(money(&shown(&field, &hold).await), ("under_paid", 5, 0, 5));
    field.proved().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_answers_lapses_and_the_money_is_due_back() {
    let field = Field::open().await;
    let api = &field.api;
    let session = field.house.session(api, Sale::Long).await;
    let hold = expired(&field, session, "홍길동", "K7MQ2Z").await;
    hold_room(&field, session).await;
    api.done(&pay(&hold, ROOM)).await;
    // The policy offers for hours; this one is offered for a moment.
    let number: ReservationId = hold.number.parse().expect("a number");
    let offer = Offer {
        time_slot: TimeSlotId::new(session),
        seats: vec![SeatLabel::room()],
        until: Timestamp::now() + 50.milliseconds(),
    };
    let request = Request::system("test", "reservations/offer");
    let offered = field.store().run(&request, |mut unit| {
        let offer = offer.clone();
        async move {
            unit.load::<Reservation>(&number).await?;
            let command = ReservationCommand::Settle(MoneyCommand::Offer(offer));
            unit.execute::<Reservation>(&number, command)
                .map_err(|error| Stop::Refused(error.to_string()))
        }
    });
    offered.await.expect("it is offered");
    let story = eventually("it lapses", || async {
        let story = story(&field, &hold).await;
        story
            .contains(&"ReservationOfferLapsed".to_owned())
            .then_some(story)
    })
    .await;
    assert_eq!(story.last().map(String::as_str), Some("ReservationRefundDue"));
    assert_eq!(money(&shown(&field, &hold).await).3, ROOM);
    api.ask(&Call::step(&hold, "accept-offer"))
        .await
        .refused(410, "reservation/no-offer");
    field.proved().await;
    field.close().await;
}
