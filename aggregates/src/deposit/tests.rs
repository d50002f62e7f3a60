//! The rules of a deposit, one sentence each.

use super::{DepositCommand as Do, DepositError as No, DepositEvent as Event, *};
use crate::{
    StoredEvent as _,
    decider::testing::{NOON, given},
    refusal::Refusal as _,
    values::Currency,
};

fn receipt(amount: i64) -> Box<Receipt> {
    Box::new(Receipt {
        branch: None,
        account: Some("100-200".parse().expect("a number")),
        amount: Money {
            amount,
            currency: Currency::KRW,
        },
        depositor: Some(Personal::Plain("홍길동 k7mq2z".parse().expect("a name"))),
        deposited_at: NOON,
        reference: "20261121-1".parse().expect("a reference"),
    })
}

fn recorded() -> Event {
    Event::Recorded(receipt(48_000))
}

fn matching(number: i64) -> Do {
    Do::Match {
        reservation: ReservationId::new(number),
        basis: Basis::Staff,
    }
}

fn matched() -> Event {
    Event::Matched {
        reservation: ReservationId::new(7),
        basis: Basis::Staff,
    }
}

fn returning() -> Do {
    Do::Return {
        account: Some("예시은행 1-2-3".parse().expect("an account")),
        note: Some("돌려드림".parse().expect("a note")),
    }
}

fn returned() -> Event {
    Event::Returned {
        account: Some(Personal::Plain("예시은행 1-2-3".parse().expect("an account"))),
        note: Some(Personal::Plain("돌려드림".parse().expect("a note"))),
    }
}

#[test]
fn a_deposit_is_recorded_once() {
    let record = |amount| Do::Record(receipt(amount));
    given::<Deposit>([]).when(record(48_000)).then([recorded()]);
    for after in [vec![], vec![matched()], vec![returned()]] {
        let known: Vec<Event> = [recorded()].into_iter().chain(after).collect();
        given::<Deposit>(known.clone()).when(record(48_000)).then([]);
        given::<Deposit>(known)
            .when(record(1))
            .refused(&No::AlreadyRecorded);
    }
}

#[test]
fn an_amount_or_moment_that_cannot_be_is_refused_with_its_place() {
    let later = Receipt {
        deposited_at: NOON + SignedDuration::from_hours(25),
        ..*receipt(1)
    };
    for (wrong, place) in [
        (*receipt(0), "/amount/amount"),
        (*receipt(AMOUNT_MAX + 1), "/amount/amount"),
        (later, "/deposited_at"),
    ] {
        let refusal = Deposit::Unknown.rule(Do::Record(Box::new(wrong)), NOON);
        assert_eq!(refusal.expect_err("unsound").faults()[0].pointer, place);
    }
}

#[test]
fn a_deposit_pays_for_one_reservation_or_goes_back() {
    given::<Deposit>([recorded()]).when(matching(7)).then([matched()]);
    given::<Deposit>([recorded()])
        .when(returning())
        .then([returned()]);
    given::<Deposit>([recorded(), matched()])
        .when(matching(7))
        .then([]);
    given::<Deposit>([recorded(), returned()])
        .when(returning())
        .then([]);
    let taken = No::AlreadyMatched {
        reservation: ReservationId::new(7),
    };
    given::<Deposit>([recorded(), matched()])
        .when(matching(8))
        .refused(&taken);
    given::<Deposit>([recorded(), matched()])
        .when(returning())
        .refused(&taken);
    given::<Deposit>([recorded(), returned()])
        .when(matching(7))
        .refused(&No::AlreadyReturned);
    given::<Deposit>([]).when(matching(7)).refused(&No::NotFound);
    given::<Deposit>([]).when(returning()).refused(&No::NotFound);
}

#[test]
fn a_depositor_is_known_by_code_or_name() {
    let wrote = |text: &str| Receipt {
        depositor: Some(Personal::Plain(text.parse().expect("a name"))),
        ..*receipt(1)
    };
    let name: CustomerName = "홍길동".parse().expect("a name");
    assert!(wrote("홍길동 k7mq2z").names_code("K7MQ2Z"));
    assert!(wrote("K7M Q2Z").names_code("K7MQ2Z"));
    assert!(!wrote("홍길동").names_code("K7MQ2Z"));
    assert!(wrote("홍길동 Ｋ７ｍｑ２ｚ").names_code("K7MQ2Z"));
    assert!(!wrote("K7M홍길동Q2Z").names_code("K7MQ2Z"));
    assert!(!wrote("홍길동").names_code(""));
    assert!(wrote(" 홍길동 ").names(&name));
    assert!(!wrote("홍길동 k7mq2z").names(&name));
    let nobody = Receipt {
        depositor: None,
        ..*receipt(1)
    };
    assert!(!nobody.names(&name) && !nobody.names_code("K7MQ2Z"));
}

#[test]
fn what_says_who_sent_it_is_personal() {
    assert_eq!(recorded().personal().len(), 1);
    assert_eq!(returned().personal().len(), 2);
    assert_eq!(matched().personal().len(), 0);
}
