//! Races for a coupon (DOMAIN K2): redeemed once, given back when its reservation ends; never half used.

use super::field::{Field, parted};
use crate::support::{
    api::{Call, Hold},
    house::{Sale, label},
};

/// So many holds of one seat each.
async fn holds(field: &Field, slot: uuid::Uuid, count: u16) -> Vec<Hold> {
    let calls = (0..count)
        .map(|number| Call::hold(slot, &[label(number / 20, number % 20 + 1)]))
        .collect();
    let answers = field.race(calls).await;
    answers.iter().map(crate::support::api::Answer::hold).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_who_redeem_one_coupon_exactly_one_places_with_it() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 5, 20, Sale::Long).await;
    let coupon = field.house.coupon(field.api()).await;
    let holds = holds(&field, slot, 100).await;
    let calls = holds
        .iter()
        .map(|hold| Call::place(hold, Some(&coupon)))
        .collect();
    let answers = field.race(calls).await;
    for (answer, hold) in answers.iter().zip(&holds).filter(|(answer, _)| !answer.is_done()) {
        answer.refused(409, "coupon/already-redeemed");
        // The hold is as it was, and good for placing without the coupon.
        let view = field.api().done(&Call::show(hold)).await.json();
        assert_eq!(
            (view["state"].as_str(), view["seats"][0].as_str()),
            (Some("held"), Some(&*hold.seats[0]))
        );
    }
    let loser = answers
        .iter()
        .position(|answer| !answer.is_done())
        .expect("99 of them");
    field.api().done(&Call::place(&holds[loser], None)).await;
    let (granted, _) = parted(answers);
    assert_eq!(granted.len(), 1);
    assert_eq!(granted[0].json()["placed"]["coupon"].as_str(), Some(&*coupon));
    let log = field.close().await;
    assert_eq!(log.named("CouponRedeemed").count(), 1);
    assert_eq!(log.named("ReservationPlaced").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_reservation_gives_its_seats_and_its_coupon_back() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 20, Sale::Long).await;
    let coupon = field.house.coupon(field.api()).await;
    let [first, second] = [1, 2].map(|column| Call::hold(slot, &[label(0, column)]));
    let first = field.api().done(&first).await.hold();
    field.api().done(&Call::place(&first, Some(&coupon))).await;
    field.api().done(&Call::step(&first, "cancel")).await;
    // The other server knows it at once.
    let other = &field.apis[1];
    let second = other.done(&second).await.hold();
    other.done(&Call::place(&second, Some(&coupon))).await;
    other.done(&Call::hold(slot, &first.seats)).await;
    let log = field.close().await;
    let names: Vec<&str> = log
        .rows
        .iter()
        .filter(|row| row.kind == "coupon")
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "CouponIssued",
            "CouponRedeemed",
            "CouponRestored",
            "CouponRedeemed"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_hold_gives_its_seats_back_at_once() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 4, Sale::Long).await;
    let seats = ["A1", "A2"];
    for turn in 0..10 {
        let hold = field.apis[turn % 2].done(&Call::hold(slot, &seats)).await.hold();
        let refused = field.apis[(turn + 1) % 2].ask(&Call::hold(slot, &seats)).await;
        refused.refused(409, "seat/taken");
        assert_eq!(refused.seats(), seats);
        field.api().done(&Call::step(&hold, "release")).await;
    }
    assert_eq!(field.close().await.named("SeatReleased").count(), 20);
}
