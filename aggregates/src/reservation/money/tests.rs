//! The rules of a reservation's money, one sentence each.

use jiff::ToSpan;
use proptest::prelude::*;
use uuid::Uuid;

use super::{super::*, *};
use crate::{
    Decider as _, StoredEvent as _,
    cancellation::{CouponRule, Fee, Frozen, Tier},
    decider::testing::{NOON, given},
    values::Currency,
};

use ReservationCommand as Do;
use ReservationError as No;
use ReservationEvent as Event;

const PRICE: i64 = 60_000;

fn won(amount: i64) -> Money {
    Money {
        amount,
        currency: Currency::KRW,
    }
}

fn begin() -> Vec<Event> {
    placed_under(Frozen::default())
}

fn placed_under(cancellation: Frozen) -> Vec<Event> {
    let quote = |total| Quote {
        currency: Currency::KRW,
        lines: vec![],
        total,
    };
    let held = Event::Held {
        time_slot: TimeSlotId::new(Uuid::nil()),
        choice: Choice {
            seats: vec![SeatLabel::room()],
            party: Party::Group { size: 2 },
            quote: quote(PRICE),
            accessible: false,
        },
        until: NOON,
        cap: NOON,
        customer: None,
        offered: false,
        said: Statement::default(),
    };
    let placement = Placement {
        contact: Contact {
            name: Personal::Plain("홍길동".parse().expect("a name")),
            phone: Personal::Plain("010-1234-5678".parse().expect("a number")),
        },
        agreements: Agreements {
            privacy: true,
            house_rules: true,
        },
        coupon: Some("7KQ4MZ2H".parse().expect("a code")),
        quote: quote(PRICE),
        payment: Payment::BankTransfer {
            pay_by: NOON + 30.minutes(),
            accounts: vec![],
        },
        short_code: "K7MQ2Z".to_owned(),
        starts_at: NOON + 48.hours(),
        cancel_until: NOON + 47.hours(),
        cancellation,
        admitted: None,
        attendance: None,
        patrons: vec![],
        language: None,
    };
    vec![held, Event::Placed(Box::new(placement))]
}

fn half_from_tomorrow() -> Frozen {
    let tier = |minutes_before, percent| Tier {
        minutes_before,
        fee: Fee::Rate { percent },
    };
    Frozen {
        tiers: vec![tier(24 * 60, 0), tier(0, 50)],
        coupon: CouponRule::WhenFree,
        ..Frozen::default()
    }
}

fn paid(amount: i64) -> Event {
    Event::Paid {
        amount: won(amount),
        note: None,
        source: None,
    }
}

fn pay(amount: i64) -> Do {
    Do::Pay(Pay {
        amount: Some(won(amount)),
        note: None,
        source: None,
    })
}

fn pay_rest() -> Do {
    Do::Pay(Pay {
        amount: None,
        note: None,
        source: None,
    })
}

fn refund(amount: i64) -> Do {
    Do::Settle(MoneyCommand::Refund {
        amount: won(amount),
        account: None,
        note: None,
        payment: None,
    })
}

fn refunded(amount: i64) -> Event {
    Event::Refunded {
        amount: won(amount),
        account: None,
        note: None,
        payment: None,
    }
}

fn offer() -> Offer {
    Offer {
        time_slot: TimeSlotId::new(Uuid::from_u128(2)),
        seats: vec![SeatLabel::room()],
        until: NOON + 12.hours(),
    }
}

fn expired(after: impl IntoIterator<Item = Event>) -> Vec<Event> {
    begin().into_iter().chain([Event::Expired]).chain(after).collect()
}

fn offered() -> Vec<Event> {
    expired([paid(PRICE), Event::Offered(offer())])
}

fn with(after: impl IntoIterator<Item = Event>) -> Vec<Event> {
    begin().into_iter().chain(after).collect()
}

fn state(events: impl IntoIterator<Item = Event>) -> Reservation {
    let mut state = Reservation::default();
    events.into_iter().for_each(|event| state.evolve(event));
    state
}

fn balance(events: Vec<Event>) -> Balance {
    let state = state(events);
    state.placed().expect("placed").money.balance()
}

#[test]
fn payments_add_up_and_their_sum_has_a_name() {
    given::<Reservation>(begin()).when(pay_rest()).then([paid(PRICE)]);
    given::<Reservation>(begin()).when(pay(PRICE)).then([paid(PRICE)]);
    given::<Reservation>(begin())
        .when(pay(20_000))
        .then([paid(20_000)]);
    given::<Reservation>(with([paid(20_000)]))
        .when(pay_rest())
        .then([paid(40_000)]);
    given::<Reservation>(with([paid(PRICE)]))
        .when(pay_rest())
        .then([]);
    given::<Reservation>(with([paid(PRICE)]))
        .when(pay(1))
        .then([paid(1)]);
    for (events, name) in [
        (vec![], Balance::Unpaid),
        (vec![paid(20_000)], Balance::UnderPaid),
        (vec![paid(20_000), paid(40_000)], Balance::Paid),
        (vec![paid(PRICE), paid(1)], Balance::OverPaid),
        (vec![paid(PRICE), paid(1), refunded(1)], Balance::Paid),
    ] {
        assert_eq!(balance(with(events)), name);
    }
}

#[test]
fn an_amount_that_is_none_or_of_another_currency_is_refused() {
    for amount in [0, -1, crate::values::AMOUNT_MAX + 1] {
        given::<Reservation>(begin())
            .when(pay(amount))
            .refused(&No::NotAnAmount);
        given::<Reservation>(with([paid(PRICE), paid(5)]))
            .when(refund(amount))
            .refused(&No::NotAnAmount);
    }
    let dollars = Do::Pay(Pay {
        amount: Some(Money {
            amount: 1,
            currency: Currency::USD,
        }),
        note: None,
        source: None,
    });
    given::<Reservation>(begin())
        .when(dollars)
        .refused(&No::AmountDiffers { due: won(PRICE) });
}

#[test]
fn only_what_is_placed_takes_money() {
    let held = begin().swap_remove(0);
    given::<Reservation>([]).when(pay(1)).refused(&No::NotFound);
    given::<Reservation>([held.clone()])
        .when(pay(1))
        .refused(&No::NotPlaced);
    given::<Reservation>([held.clone(), Event::Lapsed])
        .when(pay(1))
        .refused(&No::HoldLapsed { until: NOON });
    given::<Reservation>([held, Event::Released])
        .when(refund(1))
        .refused(&No::HoldReleased);
}

#[test]
fn who_came_or_did_not_pays_only_what_is_said() {
    for (end, refusal) in [
        (Event::CheckedIn, No::Attended),
        (Event::MarkedNoShow, No::NoShow),
    ] {
        let over = with([paid(PRICE), end]);
        given::<Reservation>(over.clone())
            .when(pay_rest())
            .refused(&refusal);
        given::<Reservation>(over).when(pay(5)).then([paid(5)]);
    }
}

#[test]
fn what_was_paid_too_much_goes_back_and_no_more() {
    let over = with([paid(PRICE), paid(5_000)]);
    given::<Reservation>(over.clone())
        .when(refund(5_001))
        .refused(&No::RefundExceedsDue { due: won(5_000) });
    given::<Reservation>(over.clone())
        .when(refund(5_000))
        .then([refunded(5_000)]);
    given::<Reservation>(over.into_iter().chain([refunded(5_000)]))
        .when(refund(1))
        .refused(&No::RefundExceedsDue { due: won(0) });
}

#[test]
fn a_cancellation_keeps_the_fee_of_the_tier_and_the_rest_goes_back() {
    let cancel = || Do::Cancel {
        by: Canceller::Customer,
        reason: None,
    };
    let cancelled = |at, retained, refund_due, keeps_coupon| Event::Cancelled {
        by: Canceller::Customer,
        reason: None,
        settlement: Some(Settlement {
            at,
            retained: won(retained),
            refund_due: won(refund_due),
            keeps_coupon,
        }),
    };
    let events = |payment| {
        let placed = placed_under(half_from_tomorrow());
        placed.into_iter().chain([paid(payment)]).collect::<Vec<_>>()
    };
    let late = NOON + 24.hours();
    given::<Reservation>(events(PRICE))
        .when(cancel())
        .then([cancelled(NOON, 0, PRICE, false)]);
    given::<Reservation>(events(PRICE))
        .at(late)
        .when(cancel())
        .then([cancelled(late, 30_000, 30_000, true)]);
    // Nobody is kept more than was paid.
    given::<Reservation>(events(10_000))
        .at(late)
        .when(cancel())
        .then([cancelled(late, 10_000, 0, true)]);
    let over = events(PRICE)
        .into_iter()
        .chain([cancelled(late, 30_000, 30_000, true)]);
    let over: Vec<Event> = over.collect();
    given::<Reservation>(over.clone())
        .when(refund(30_001))
        .refused(&No::RefundExceedsDue { due: won(30_000) });
    let settled: Vec<Event> = over.iter().cloned().chain([refunded(30_000)]).collect();
    let ledger = state(settled).placed().expect("placed").money;
    assert_eq!(
        (ledger.kept(), ledger.retained, ledger.refund_due()),
        (30_000, 30_000, 0)
    );
    // Money that comes even later goes back, and that is on record at once.
    given::<Reservation>(over.clone()).when(pay(PRICE)).then([
        paid(PRICE),
        Event::RefundDue {
            amount: won(PRICE + 30_000),
        },
    ]);
    given::<Reservation>(over)
        .when(pay_rest())
        .refused(&No::Cancelled);
}

#[test]
fn what_was_paid_in_part_goes_back_when_the_rest_does_not_come() {
    given::<Reservation>(with([paid(20_000)]))
        .at(NOON + 30.minutes())
        .when(Do::Expire)
        .then([Event::Expired, Event::RefundDue { amount: won(20_000) }]);
}

#[test]
fn late_money_takes_a_reservation_up_again_before_its_start_and_only_if_it_is_all_there() {
    let reinstate = || Do::Settle(MoneyCommand::Reinstate);
    given::<Reservation>(expired([]))
        .when(pay_rest())
        .then([paid(PRICE)]);
    given::<Reservation>(expired([paid(PRICE)]))
        .when(reinstate())
        .then([Event::Reinstated { no_show_at: None }]);
    given::<Reservation>(expired([paid(PRICE - 1)]))
        .when(reinstate())
        .refused(&No::NotPaid);
    given::<Reservation>(expired([paid(PRICE)]))
        .at(NOON + 48.hours())
        .when(reinstate())
        .refused(&No::Expired);
    let again = expired([paid(PRICE), Event::Reinstated { no_show_at: None }]);
    given::<Reservation>(again.clone()).when(reinstate()).then([]);
    assert!(matches!(state(again.clone()), Reservation::Placed(_)));
    given::<Reservation>(again)
        .at(NOON + 1.hour())
        .when(Do::Expire)
        .then([]);
}

#[test]
fn an_equal_slot_is_offered_accepted_declined_or_lapses() {
    let into = ReservationId::new(8);
    let accept = || Do::Settle(MoneyCommand::AcceptOffer { into });
    let decline = || Do::Settle(MoneyCommand::DeclineOffer);
    let lapse = || Do::Settle(MoneyCommand::LapseOffer);
    let offering = || Do::Settle(MoneyCommand::Offer(offer()));
    let until = offer().until;
    let due = Event::RefundDue { amount: won(PRICE) };
    given::<Reservation>(expired([paid(PRICE)]))
        .when(offering())
        .then([Event::Offered(offer())]);
    given::<Reservation>(offered()).when(offering()).then([]);
    given::<Reservation>(expired([]))
        .when(offering())
        .refused(&No::NotPaid);
    given::<Reservation>(offered())
        .when(accept())
        .then([Event::OfferAccepted {
            into,
            amount: won(PRICE),
        }]);
    given::<Reservation>(offered())
        .at(until)
        .when(accept())
        .refused(&No::NoOffer);
    given::<Reservation>(offered())
        .when(decline())
        .then([Event::OfferDeclined, due.clone()]);
    given::<Reservation>(offered())
        .when(lapse())
        .refused(&No::NotYetDue { due_at: until });
    given::<Reservation>(offered())
        .at(until)
        .when(lapse())
        .then([Event::OfferLapsed, due]);
    for command in [accept(), decline()] {
        given::<Reservation>(expired([paid(PRICE)]))
            .when(command)
            .refused(&No::NoOffer);
    }
    given::<Reservation>(expired([])).when(lapse()).then([]);
    assert_eq!(state(offered()).due_at(), Some(until));
    assert_eq!(state(offered()).placed().expect("placed").money.refund_due(), 0);
    let moved = Event::OfferAccepted {
        into,
        amount: won(PRICE),
    };
    let moved = state(offered().into_iter().chain([moved]));
    let ledger = moved.placed().expect("placed").money;
    assert_eq!((ledger.kept(), ledger.refund_due()), (0, 0));
}

#[test]
fn late_money_that_fits_nothing_is_due_back() {
    let give_back = || Do::Settle(MoneyCommand::GiveBack);
    given::<Reservation>(expired([paid(PRICE)]))
        .when(give_back())
        .then([Event::RefundDue { amount: won(PRICE) }]);
    given::<Reservation>(expired([])).when(give_back()).then([]);
    given::<Reservation>(begin())
        .when(give_back())
        .refused(&No::AlreadyPlaced);
}

#[test]
fn what_came_through_the_provider_goes_back_that_way() {
    let came = |payment: &str, amount| Event::Paid {
        amount: won(amount),
        note: None,
        source: Some(Source::Provider {
            payment: payment.parse().expect("a reference"),
        }),
    };
    let went = |payment: &str, amount| Event::Refunded {
        amount: won(amount),
        account: None,
        note: None,
        payment: Some(payment.parse().expect("a reference")),
    };
    let next = |events: Vec<Event>| {
        let state = state(events);
        let next = state.placed().expect("placed").refundable_by_provider();
        next.map(|(known, money)| (known.payment.to_string(), money.amount))
    };
    let mut events = expired([came("p1", 40_000), came("p2", 20_000)]);
    assert_eq!(next(events.clone()), Some(("p1".to_owned(), 40_000)));
    events.push(went("p1", 40_000));
    assert_eq!(next(events.clone()), Some(("p2".to_owned(), 20_000)));
    events.push(went("p2", 20_000));
    assert_eq!(next(events), None);
    assert_eq!(next(with([came("p1", PRICE)])), None, "nothing is due back");
}

#[test]
fn what_the_provider_gave_back_is_recorded_as_far_as_there_was_money() {
    let payment: BankReference = "p1".parse().expect("a reference");
    let told = |amount| {
        Do::Settle(MoneyCommand::Refund {
            amount: won(amount),
            account: None,
            note: None,
            payment: Some(payment.clone()),
        })
    };
    let went = |amount| Event::Refunded {
        amount: won(amount),
        account: None,
        note: None,
        payment: Some(payment.clone()),
    };
    // Nothing is due back, and by hand nothing goes.
    given::<Reservation>(with([paid(PRICE)]))
        .when(refund(1))
        .refused(&No::RefundExceedsDue { due: won(0) });
    given::<Reservation>(with([paid(PRICE)]))
        .when(told(20_000))
        .then([went(20_000)]);
    given::<Reservation>(with([paid(PRICE)]))
        .when(told(PRICE + 1))
        .refused(&No::RefundExceedsDue { due: won(PRICE) });
    given::<Reservation>(begin())
        .when(told(1))
        .refused(&No::RefundExceedsDue { due: won(0) });
    let short = with([paid(PRICE), went(20_000)]);
    assert_eq!(balance(short.clone()), Balance::UnderPaid);
    // It was paid in time, so it does not expire for the rest, which is still to be paid.
    assert_eq!(state(short.clone()).due_at(), None);
    given::<Reservation>(short).when(pay_rest()).then([paid(20_000)]);
    // Who never paid all of it does.
    let part = with([paid(20_000), went(20_000)]);
    assert_eq!(state(part.clone()).due_at(), state(begin()).due_at());
    assert_eq!(balance(part), Balance::Unpaid);
}

#[test]
fn an_offer_whose_money_went_back_is_not_accepted_and_ends_with_what_is_left() {
    let payment: BankReference = "p1".parse().expect("a reference");
    let went = |amount| Event::Refunded {
        amount: won(amount),
        account: None,
        note: None,
        payment: Some(payment.clone()),
    };
    let accept = || {
        Do::Settle(MoneyCommand::AcceptOffer {
            into: ReservationId::new(9),
        })
    };
    let decline = || Do::Settle(MoneyCommand::DeclineOffer);
    let after = |amount| offered().into_iter().chain([went(amount)]);
    given::<Reservation>(after(PRICE))
        .when(accept())
        .refused(&No::NotPaid);
    given::<Reservation>(after(PRICE))
        .when(decline())
        .then([Event::OfferDeclined]);
    given::<Reservation>(after(20_000))
        .when(accept())
        .refused(&No::NotPaid);
    given::<Reservation>(after(20_000)).when(decline()).then([
        Event::OfferDeclined,
        Event::RefundDue {
            amount: won(PRICE - 20_000),
        },
    ]);
}

#[test]
fn the_account_money_goes_back_to_is_personal() {
    let command = MoneyCommand::Refund {
        amount: won(5),
        account: Some("예시은행 1-2-3".parse().expect("an account")),
        note: Some("과입금".parse().expect("a note")),
        payment: None,
    };
    let over = state(with([paid(PRICE), paid(5)]));
    let mut events = over.settle(command, NOON).expect("it is due");
    assert_eq!(events[0].personal().len(), 2);
}

proptest! {
    /// I9: whatever comes and goes, what goes back is never more than came, and a settled end keeps exactly its fee.
    #[test]
    fn money_is_neither_made_nor_lost(
        steps in prop::collection::vec((0..8_u8, 1..100_000_i64, 0..96_i64), 1..30),
    ) {
        let mut reservation = state(placed_under(half_from_tomorrow()));
        let (mut came, mut went) = (0, 0);
        for (step, amount, hours) in steps {
            let command = match step {
                0..=2 => pay(amount),
                3 => Do::Cancel { by: Canceller::Staff, reason: None },
                4 => Do::Expire,
                5 | 6 => refund(amount),
                _ => Do::Settle(MoneyCommand::Reinstate),
            };
            for event in reservation.decide(command, NOON + hours.hours()).unwrap_or_default() {
                if let Event::Paid { amount, .. } = &event {
                    came += amount.amount;
                }
                if let Event::Refunded { amount, .. } = &event {
                    went += amount.amount;
                }
                reservation.evolve(event);
            }
            let placed = reservation.placed().expect("placed");
            prop_assert_eq!(placed.money.kept(), came - went);
            prop_assert!(went <= came);
            prop_assert!(placed.money.kept() >= placed.money.retained);
            if placed.money.ended && placed.money.refund_due() == 0 {
                prop_assert_eq!(placed.money.kept(), placed.money.retained);
            }
        }
    }
}
