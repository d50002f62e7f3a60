//! Moving a placed reservation: until when, how often, and what it costs.

use super::*;
use crate::payment_rules::PaymentRules;

fn usual() -> PaymentRules {
    PaymentRules::default()
}

fn other_slot() -> TimeSlotId {
    TimeSlotId::new(Uuid::max())
}

fn target(by: Canceller, total: i64) -> Target {
    Target {
        by,
        time_slot: other_slot(),
        choice: choice("D4"),
        quote: quote(total),
        payment: Payment::OnSite,
        starts_at: NOON + 50.hours(),
        cancel_until: NOON + 49.hours(),
        attendance: times(NOON + 50.hours()),
    }
}

fn reschedule(target: Target) -> Do {
    Do::Reschedule(Box::new(target))
}

fn moved(total: i64, received: i64, payment: Payment) -> Event {
    Event::Rescheduled(Box::new(Move {
        by: Canceller::Customer,
        from: slot(),
        to: other_slot(),
        former: quote(60_000),
        choice: choice("D4"),
        quote: quote(total),
        received,
        payment,
        starts_at: NOON + 50.hours(),
        cancel_until: NOON + 49.hours(),
        attendance: times(NOON + 50.hours()),
    }))
}

fn after(events: impl IntoIterator<Item = Event>) -> Placed {
    let mut state = Reservation::default();
    events.into_iter().for_each(|event| state.evolve(event));
    state.placed().expect("placed").clone()
}

#[test]
fn a_placed_reservation_moves_with_all_its_terms() {
    given::<Reservation>(placed(Payment::OnSite))
        .when(reschedule(target(Canceller::Customer, 70_000)))
        .then([moved(70_000, 0, Payment::OnSite)]);
    let after = after([
        held(),
        Event::Placed(placement(60_000, Payment::OnSite)),
        moved(70_000, 0, Payment::OnSite),
    ]);
    assert_eq!(after.hold.time_slot, other_slot());
    assert_eq!(after.hold.choice, choice("D4"));
    assert_eq!(after.placement.starts_at, NOON + 50.hours());
    assert_eq!(after.placement.cancel_until, NOON + 49.hours());
    assert_eq!(after.placement.attendance, Some(times(NOON + 50.hours())));
    assert_eq!(
        (after.money.outstanding(), after.moves, after.paid),
        (70_000, 1, false)
    );
}

#[test]
fn customers_move_until_a_while_before_and_staff_until_the_start() {
    for (by, until) in [
        (Canceller::Customer, NOON + 160.minutes()),
        (Canceller::Staff, NOON + 3.hours()),
    ] {
        given::<Reservation>(placed(Payment::OnSite))
            .at(until)
            .when(reschedule(target(by, 60_000)))
            .refused(&No::TooLateToReschedule { until });
    }
}

#[test]
fn what_is_the_same_already_is_not_moved_again() {
    let same = Target {
        time_slot: slot(),
        choice: choice("C7"),
        ..target(Canceller::Customer, 60_000)
    };
    given::<Reservation>(placed(Payment::OnSite))
        .when(reschedule(same.clone()))
        .then([]);
    // Not even when it is too late for anything else.
    given::<Reservation>(placed(Payment::OnSite))
        .at(NOON + 5.hours())
        .when(reschedule(same))
        .then([]);
}

#[test]
fn what_was_paid_is_set_off_against_the_new_price() {
    let history = |total| {
        [
            held(),
            Event::Placed(placement(60_000, transfer())),
            paid(),
            total,
        ]
    };
    for (total, due, over, is_paid) in [
        (70_000, 10_000, 0, false),
        (60_000, 0, 0, true),
        (45_000, 0, 15_000, true),
    ] {
        let payment = transfer().moved(NOON, NOON + 50.hours(), &usual());
        let target = Target {
            payment: payment.clone(),
            ..target(Canceller::Customer, total)
        };
        given::<Reservation>([held(), Event::Placed(placement(60_000, transfer())), paid()])
            .when(reschedule(target))
            .then([moved(total, 60_000, payment.clone())]);
        let after = after(history(moved(total, 60_000, payment)));
        assert_eq!(
            (after.money.outstanding(), after.money.refund_due(), after.paid),
            (due, over, is_paid)
        );
        // What was paid in part is not lost by itself.
        assert_eq!(after.pay_by(), None);
    }
}

#[test]
fn the_rest_is_paid_and_nothing_but_the_rest() {
    let history = [
        held(),
        Event::Placed(placement(60_000, Payment::OnSite)),
        paid(),
        moved(70_000, 60_000, Payment::OnSite),
    ];
    given::<Reservation>(history)
        .when(mark_paid(None))
        .then([Event::Paid {
            amount: Money {
                amount: 10_000,
                currency: Currency::KRW,
            },
            note: None,
            source: None,
        }]);
}

#[test]
fn an_unpaid_one_gains_no_more_time_to_pay_than_somebody_needs() {
    let pay_by = |payment: &Payment| match payment {
        Payment::BankTransfer { pay_by, .. } | Payment::Provider { pay_by, .. } => Some(*pay_by),
        Payment::OnSite => None,
    };
    // Ten minutes are left of thirty: there are thirty again, wherever it goes, but never beyond the start.
    let now = NOON + 20.minutes();
    for (starts_at, deadline) in [
        (NOON + 50.hours(), NOON + 50.minutes()),
        (NOON + 3.hours(), NOON + 50.minutes()),
        (NOON + 25.minutes(), NOON + 25.minutes()),
    ] {
        assert_eq!(
            pay_by(&transfer().moved(now, starts_at, &usual())),
            Some(deadline)
        );
    }
    // Hours are left; near the start there are thirty minutes.
    let far = Payment::BankTransfer {
        pay_by: NOON + 12.hours(),
        accounts: vec![],
    };
    assert_eq!(
        pay_by(&far.moved(NOON, NOON + 50.hours(), &usual())),
        Some(NOON + 12.hours())
    );
    assert_eq!(
        pay_by(&far.moved(NOON, NOON + 3.hours(), &usual())),
        Some(NOON + 30.minutes())
    );
    assert_eq!(Payment::OnSite.moved(NOON, NOON, &usual()), Payment::OnSite);
}

#[test]
fn what_is_overdue_is_not_saved_by_moving_it() {
    given::<Reservation>(placed(transfer()))
        .at(NOON + 30.minutes())
        .when(reschedule(target(Canceller::Customer, 60_000)))
        .refused(&No::Expired);
}

#[test]
fn a_customer_moves_so_often_and_staff_may_once_more() {
    let moves = std::iter::repeat_n(moved(60_000, 0, Payment::OnSite), usize::from(MOVES_MAX));
    let history = || placed(Payment::OnSite).into_iter().chain(moves.clone());
    let elsewhere = |by| Target {
        time_slot: slot(),
        ..target(by, 60_000)
    };
    given::<Reservation>(history())
        .when(reschedule(elsewhere(Canceller::Customer)))
        .refused(&No::MovedTooOften { max: MOVES_MAX });
    let by_staff = reschedule(elsewhere(Canceller::Staff));
    let mut state = Reservation::default();
    history().for_each(|event| state.evolve(event));
    assert!(state.rule(by_staff, NOON).is_ok_and(|events| events.len() == 1));
}

#[test]
fn prices_in_two_currencies_are_not_set_off() {
    let dollars = Quote {
        currency: Currency::USD,
        ..quote(60)
    };
    let target = Target {
        quote: dollars,
        ..target(Canceller::Customer, 60)
    };
    given::<Reservation>(placed(Payment::OnSite))
        .when(reschedule(target))
        .refused(&No::OtherCurrency);
}

#[test]
fn only_what_is_placed_can_be_moved() {
    let reschedule = || reschedule(target(Canceller::Customer, 60_000));
    given::<Reservation>([]).when(reschedule()).refused(&No::NotFound);
    given::<Reservation>([held()])
        .when(reschedule())
        .refused(&No::NotPlaced);
    for (event, refusal) in [
        (cancelled(Canceller::Customer), No::Cancelled),
        (Event::Expired, No::Expired),
        (Event::CheckedIn, No::Attended),
        (Event::MarkedNoShow, No::NoShow),
    ] {
        let history = placed(Payment::OnSite).into_iter().chain([event]);
        given::<Reservation>(history).when(reschedule()).refused(&refusal);
    }
}
