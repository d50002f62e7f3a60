//! Repeated requests (I6): the same key has one effect and one answer, whoever is asked, however often, at once.

use uuid::Uuid;

use super::field::Field;
use crate::support::{api::Call, house::Sale};

async fn fifty_at_once(servers: usize) {
    let field = Field::open(servers).await;
    let slot = field.house.screening(field.api(), 2, 10, Sale::Long).await;
    let call = Call::hold(slot, &["A1", "A2"]).keyed();
    let holds = field.race(vec![call.clone(); 50]).await;
    for answer in &holds {
        assert_eq!((answer.status, &answer.body), (201, &holds[0].body), "{answer}");
        assert_eq!(answer.position, holds[0].position, "{answer}");
    }
    let firsts = holds.iter().filter(|answer| !answer.repeated).count();
    assert_eq!(firsts, 1, "one did it, the others were told so");

    // Much later it is still the same answer, though the reservation has moved on.
    let hold = holds[0].hold();
    let coupon = field.house.coupon(field.api()).await;
    let place = Call::place(&hold, Some(&coupon)).keyed();
    let placed = field.race(vec![place; 50]).await;
    for answer in &placed {
        assert_eq!((answer.status, &answer.body), (200, &placed[0].body), "{answer}");
    }
    let again = field.apis[servers - 1].done(&call).await;
    assert_eq!((again.repeated, &again.body), (true, &holds[0].body));

    let log = field.close().await;
    for name in ["ReservationHeld", "ReservationPlaced", "CouponRedeemed"] {
        assert_eq!(log.named(name).count(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_sent_fifty_times_at_once_has_one_effect_and_one_answer() {
    fifty_at_once(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_get_the_same_key_do_it_once() {
    fifty_at_once(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sent_with_another_request_is_refused() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 2, 10, Sale::Long).await;
    let key = Uuid::now_v7().to_string();
    field.api().done(&Call::hold(slot, &["A1"]).with_key(&key)).await;
    for api in &field.apis {
        api.ask(&Call::hold(slot, &["A2"]).with_key(&key))
            .await
            .refused(422, "request/key-reused");
    }

    // Sent at once, one of the two requests wins the key, and the other never happens.
    let key = Uuid::now_v7().to_string();
    let calls = (0..40)
        .map(|task| Call::hold(slot, &[["B1", "B2"][task / 2 % 2]]).with_key(&key))
        .collect();
    let answers = field.race(calls).await;
    let winner = answers
        .iter()
        .find(|answer| answer.is_done())
        .expect("one of them")
        .clone();
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.body, winner.body),
            _ => answer.refused(422, "request/key-reused"),
        }
    }
    assert_eq!(field.close().await.named("ReservationHeld").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_decided_anew_under_the_same_key() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 4, Sale::Long).await;
    let first = field.api().done(&Call::hold(slot, &["A1"])).await.hold();
    let call = Call::hold(slot, &["A1"]).keyed();
    field.apis[1].ask(&call).await.refused(409, "seat/taken");
    field.api().done(&Call::step(&first, "release")).await;
    let granted = field.apis[1].done(&call).await;
    assert_eq!(granted.body, field.api().done(&call).await.body);
    field.close().await;
}
