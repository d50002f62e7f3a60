//! The rules of a reservation, one sentence each.

mod arrivals;
mod moves;
mod offers;

use jiff::ToSpan;
use uuid::Uuid;

use super::{ReservationCommand as Do, ReservationError as No, ReservationEvent as Event, *};
use crate::{
    decider::testing::{NOON, given},
    refusal::Refusal as _,
    values::Currency,
};

fn until() -> Timestamp {
    NOON + 10.minutes()
}

fn cap() -> Timestamp {
    NOON + 20.minutes()
}

fn quote(total: i64) -> Quote {
    Quote {
        currency: Currency::KRW,
        lines: vec![],
        total,
    }
}

fn choice(label: &str) -> Choice {
    Choice {
        seats: vec![label.parse().expect("a label")],
        party: Party::Group { size: 2 },
        quote: quote(60_000),
        accessible: false,
    }
}

fn slot() -> TimeSlotId {
    TimeSlotId::new(Uuid::nil())
}

fn placement(total: i64, payment: Payment) -> Box<Placement> {
    Box::new(Placement {
        contact: Contact {
            name: Personal::Plain("홍길동".parse().expect("a name")),
            phone: Personal::Plain("010-1234-5678".parse().expect("a number")),
        },
        agreements: Agreements {
            privacy: true,
            house_rules: true,
        },
        coupon: None,
        quote: quote(total),
        payment,
        short_code: "K7MQ2Z".to_owned(),
        starts_at: NOON + 3.hours(),
        cancel_until: NOON + 160.minutes(),
        admitted: None,
        attendance: Some(times(NOON + 3.hours())),
        patrons: vec![],
        language: None,
        cancellation: Frozen::default(),
    })
}

/// When customers of a slot that begins then are let in.
fn times(starts_at: Timestamp) -> Attendance {
    Attendance {
        check_in_from: starts_at - 1.hour(),
        ends_at: starts_at + 2.hours(),
        no_show_at: starts_at + 30.minutes(),
    }
}

fn transfer() -> Payment {
    let account = crate::branch::Account {
        bank: "국민은행".parse().expect("a name"),
        number: "100-200-345670".parse().expect("a number"),
        holder: "예시주식회사".parse().expect("a name"),
    };
    Payment::BankTransfer {
        pay_by: NOON + 30.minutes(),
        accounts: vec![account],
    }
}

fn held() -> Event {
    Event::Held {
        time_slot: slot(),
        choice: choice("C7"),
        until: until(),
        cap: cap(),
        customer: None,
        offered: false,
        said: Statement::default(),
    }
}

fn placed(payment: Payment) -> [Event; 2] {
    [held(), Event::Placed(placement(60_000, payment))]
}

fn paid() -> Event {
    Event::Paid {
        amount: Money {
            amount: 60_000,
            currency: Currency::KRW,
        },
        note: None,
        source: None,
    }
}

fn mark_paid(amount: Option<i64>) -> Do {
    Do::Pay(Pay {
        amount: amount.map(|amount| Money {
            amount,
            currency: Currency::KRW,
        }),
        note: None,
        source: None,
    })
}

fn cancel(by: Canceller) -> Do {
    Do::Cancel { by, reason: None }
}

fn cancelled(by: Canceller) -> Event {
    Event::Cancelled {
        by,
        reason: None,
        settlement: None,
    }
}

#[test]
fn a_reservation_begins_once_and_never_outlives_its_cap() {
    let hold = |until| Do::Hold {
        time_slot: slot(),
        choice: choice("C7"),
        until,
        cap: cap(),
        customer: None,
        said: Statement::default(),
    };
    given::<Reservation>([]).when(hold(until())).then([held()]);
    given::<Reservation>([held()])
        .when(hold(until()))
        .refused(&No::AlreadyBegun);
    given::<Reservation>([])
        .when(hold(cap() + 1.hour()))
        .then([Event::Held {
            time_slot: slot(),
            choice: choice("C7"),
            until: cap(),
            cap: cap(),
            customer: None,
            offered: false,
            said: Statement::default(),
        }]);
}

#[test]
fn a_hold_is_extended_once_within_its_cap() {
    let extended = || Event::Extended { until: cap() };
    given::<Reservation>([held()])
        .when(Do::Extend {
            until: NOON + 1.hour(),
        })
        .then([extended()]);
    given::<Reservation>([held(), extended()])
        .when(Do::Extend {
            until: NOON + 1.hour(),
        })
        .refused(&No::AlreadyExtended { until: cap() });
}

#[test]
fn a_hold_lapses_never_early() {
    let early = until() - 1.microsecond();
    given::<Reservation>([held()])
        .at(early)
        .when(Do::Lapse)
        .refused(&No::NotYetDue { due_at: until() });
    given::<Reservation>([held()])
        .at(until())
        .when(Do::Lapse)
        .then([Event::Lapsed]);
    given::<Reservation>([held(), Event::Lapsed])
        .at(until())
        .when(Do::Lapse)
        .then([]);
    given::<Reservation>([held(), Event::Extended { until: cap() }])
        .at(until())
        .when(Do::Lapse)
        .refused(&No::NotYetDue { due_at: cap() });
}

#[test]
fn after_its_time_a_hold_is_good_for_nothing_even_before_the_lapse_is_recorded() {
    let lapsed = No::HoldLapsed { until: until() };
    given::<Reservation>([held()])
        .at(until())
        .when(Do::Extend { until: cap() })
        .refused(&lapsed);
    given::<Reservation>([held()])
        .at(until())
        .when(Do::Change { choice: choice("C8") })
        .refused(&lapsed);
    given::<Reservation>([held()])
        .at(until())
        .when(Do::Place(placement(1, Payment::OnSite)))
        .refused(&lapsed);
    given::<Reservation>([held(), Event::Lapsed])
        .when(Do::Place(placement(1, Payment::OnSite)))
        .refused(&lapsed);
}

#[test]
fn a_lapsed_hold_can_be_revived() {
    let revive = || Do::Revive {
        until: NOON + 15.minutes(),
    };
    let revived = Event::Revived {
        until: NOON + 15.minutes(),
    };
    given::<Reservation>([held(), Event::Lapsed])
        .at(until())
        .when(revive())
        .then([revived]);
    given::<Reservation>([held()]).when(revive()).then([]);
    given::<Reservation>([held(), Event::Released])
        .when(revive())
        .refused(&No::HoldReleased);
}

#[test]
fn however_often_it_is_revived_a_hold_ends_by_the_cap_of_its_first_touch() {
    let late = Do::Revive {
        until: cap() + 10.minutes(),
    };
    given::<Reservation>([held(), Event::Lapsed])
        .at(until())
        .when(late.clone())
        .then([Event::Revived { until: cap() }]);
    let again = [
        held(),
        Event::Lapsed,
        Event::Revived { until: cap() },
        Event::Lapsed,
    ];
    given::<Reservation>(again)
        .at(cap())
        .when(late)
        .refused(&No::AtItsLongest { cap: cap() });
}

#[test]
fn extending_that_gains_nothing_is_refused_and_not_used_up() {
    given::<Reservation>([held()])
        .when(Do::Extend { until: until() })
        .refused(&No::AtItsLongest { cap: until() });
    let full = Event::Held {
        time_slot: slot(),
        choice: choice("C7"),
        until: cap(),
        cap: cap(),
        customer: None,
        offered: false,
        said: Statement::default(),
    };
    given::<Reservation>([full])
        .when(Do::Extend {
            until: NOON + 1.hour(),
        })
        .refused(&No::AtItsLongest { cap: cap() });
}

#[test]
fn a_hold_can_be_released_and_stays_released() {
    given::<Reservation>([held()])
        .when(Do::Release)
        .then([Event::Released]);
    given::<Reservation>([held(), Event::Released])
        .when(Do::Release)
        .then([]);
    given::<Reservation>([held(), Event::Lapsed])
        .when(Do::Release)
        .then([]);
    given::<Reservation>(placed(transfer()))
        .when(Do::Release)
        .refused(&No::AlreadyPlaced);
}

#[test]
fn a_hold_can_be_changed_while_it_runs() {
    let other = Event::Changed { choice: choice("C8") };
    given::<Reservation>([held()])
        .when(Do::Change { choice: choice("C8") })
        .then([other]);
    given::<Reservation>([held()])
        .when(Do::Change { choice: choice("C7") })
        .then([]);
}

#[test]
fn placing_needs_both_agreements_and_happens_once() {
    given::<Reservation>([held()])
        .when(Do::Place(placement(60_000, transfer())))
        .then([Event::Placed(placement(60_000, transfer()))]);
    given::<Reservation>(placed(transfer()))
        .when(Do::Place(placement(60_000, transfer())))
        .refused(&No::AlreadyPlaced);
    for (privacy, house_rules, named) in [
        (false, true, vec!["/agreements/privacy"]),
        (true, false, vec!["/agreements/house_rules"]),
        (
            false,
            false,
            vec!["/agreements/privacy", "/agreements/house_rules"],
        ),
    ] {
        let given_ones = Agreements { privacy, house_rules };
        let placement = Box::new(Placement {
            agreements: given_ones,
            ..*placement(60_000, transfer())
        });
        let refusal = No::AgreementMissing { given: given_ones };
        let faults = refusal.faults();
        assert_eq!(
            faults.iter().map(|fault| &*fault.pointer).collect::<Vec<_>>(),
            named
        );
        given::<Reservation>([held()])
            .when(Do::Place(placement))
            .refused(&refusal);
    }
}

#[test]
fn a_transfer_needs_an_account_to_go_to() {
    let nowhere = || Payment::BankTransfer {
        pay_by: NOON + 30.minutes(),
        accounts: vec![],
    };
    given::<Reservation>([held()])
        .when(Do::Place(placement(60_000, nowhere())))
        .refused(&No::NoAccount);
    assert_eq!(No::NoAccount.faults()[0].pointer, "/payment");
    // Nothing is due, so nothing has to go anywhere.
    given::<Reservation>([held()])
        .when(Do::Place(placement(0, nowhere())))
        .then([Event::Placed(placement(0, nowhere()))]);
}

#[test]
fn a_customer_is_told_once() {
    let told = || Event::Notified { note: None };
    given::<Reservation>(placed(Payment::OnSite))
        .when(Do::MarkNotified { note: None })
        .then([told()]);
    given::<Reservation>(placed(Payment::OnSite).into_iter().chain([told()]))
        .when(Do::MarkNotified { note: None })
        .then([]);
}

#[test]
fn an_unpaid_transfer_expires_at_its_deadline_and_never_before() {
    let due_at = NOON + 30.minutes();
    given::<Reservation>(placed(transfer()))
        .when(Do::Expire)
        .refused(&No::NotYetDue { due_at });
    given::<Reservation>(placed(transfer()))
        .at(due_at)
        .when(Do::Expire)
        .then([Event::Expired]);
    given::<Reservation>(placed(transfer()).into_iter().chain([paid()]))
        .at(due_at)
        .when(Do::Expire)
        .then([]);
    given::<Reservation>(placed(Payment::OnSite))
        .at(due_at)
        .when(Do::Expire)
        .then([]);
}

#[test]
fn a_free_reservation_owes_nothing() {
    let events = [held(), Event::Placed(placement(0, transfer()))];
    given::<Reservation>(events.clone())
        .at(NOON + 1.hour())
        .when(Do::Expire)
        .then([]);
    given::<Reservation>(events)
        .at(NOON + 150.minutes())
        .when(Do::CheckIn)
        .then([Event::CheckedIn]);
}

#[test]
fn customers_cancel_until_a_while_before_and_staff_until_the_start() {
    let (online, start) = (NOON + 160.minutes(), NOON + 3.hours());
    for (by, until) in [(Canceller::Customer, online), (Canceller::Staff, start)] {
        let just = until - 1.microsecond();
        given::<Reservation>(placed(transfer()))
            .at(just)
            .when(cancel(by))
            .then([cancelled(by)]);
        given::<Reservation>(placed(transfer()))
            .at(until)
            .when(cancel(by))
            .refused(&No::TooLateToCancel { until });
    }
    let gone = placed(transfer())
        .into_iter()
        .chain([cancelled(Canceller::Customer)]);
    given::<Reservation>(gone.clone())
        .when(cancel(Canceller::Customer))
        .then([]);
    given::<Reservation>(gone)
        .when(mark_paid(None))
        .refused(&No::Cancelled);
}

#[test]
fn what_people_write_about_a_reservation_is_personal() {
    let words: Note = "제 번호는 010-9876-5432".parse().expect("a note");
    let personal = Some(Personal::Plain(words.clone()));
    let due = Money {
        amount: 60_000,
        currency: Currency::KRW,
    };
    let by = Canceller::Customer;
    let note = Some(words);
    for (command, mut event) in [
        (
            Do::Cancel {
                by,
                reason: note.clone(),
            },
            Event::Cancelled {
                by,
                reason: personal.clone(),
                settlement: None,
            },
        ),
        (
            Do::Pay(Pay {
                amount: None,
                note: note.clone(),
                source: None,
            }),
            Event::Paid {
                amount: due,
                note: personal.clone(),
                source: None,
            },
        ),
        (Do::MarkNotified { note }, Event::Notified { note: personal }),
    ] {
        given::<Reservation>(placed(transfer()))
            .when(command)
            .then([event.clone()]);
        assert_eq!(crate::StoredEvent::personal(&mut event).len(), 1, "{event:?}");
    }
}

#[test]
fn whoever_paid_can_check_in() {
    given::<Reservation>(placed(transfer()))
        .at(NOON + 150.minutes())
        .when(Do::CheckIn)
        .refused(&No::NotPaid);
    let paid_for: Vec<_> = placed(transfer()).into_iter().chain([paid()]).collect();
    given::<Reservation>(paid_for.clone())
        .at(NOON + 150.minutes())
        .when(Do::CheckIn)
        .then([Event::CheckedIn]);
    let there = paid_for.into_iter().chain([Event::CheckedIn]);
    given::<Reservation>(there.clone()).when(Do::CheckIn).then([]);
    given::<Reservation>(there)
        .when(cancel(Canceller::Staff))
        .refused(&No::Attended);
}

#[test]
fn a_no_show_is_known_only_after_the_start() {
    let starts_at = NOON + 3.hours();
    given::<Reservation>(placed(Payment::OnSite))
        .when(Do::MarkNoShow)
        .refused(&No::NotStarted { starts_at });
    given::<Reservation>(placed(Payment::OnSite))
        .at(starts_at)
        .when(Do::MarkNoShow)
        .then([Event::MarkedNoShow]);
}

#[test]
fn a_number_nobody_was_given_is_not_found() {
    for command in [Do::Release, Do::Lapse, Do::CheckIn, Do::Expire, mark_paid(None)] {
        given::<Reservation>([]).when(command).refused(&No::NotFound);
    }
}

fn offer(until: Timestamp) -> Do {
    Do::OfferReschedule { until, reason: None }
}

fn offered(until: Timestamp) -> Event {
    Event::RescheduleOffered { until, reason: None }
}

#[test]
fn an_offer_to_move_has_a_deadline_and_is_never_shortened() {
    let (until, start) = (NOON + 1.hour(), NOON + 3.hours());
    given::<Reservation>(placed(transfer()))
        .when(offer(until))
        .then([offered(until)]);
    let told = || placed(transfer()).into_iter().chain([offered(until)]);
    given::<Reservation>(told()).when(offer(until)).then([]);
    given::<Reservation>(told())
        .when(offer(until - 1.minute()))
        .then([]);
    given::<Reservation>(told())
        .when(offer(start + 1.hour()))
        .then([offered(start)]);
    given::<Reservation>(placed(transfer()))
        .at(until)
        .when(offer(until))
        .refused(&No::TooLateToOffer { until });
    given::<Reservation>([held()])
        .when(offer(until))
        .refused(&No::NotPlaced);
}

#[test]
fn who_was_offered_to_move_cancels_for_nothing_until_the_deadline() {
    let (until, start) = (NOON + 170.minutes(), NOON + 3.hours());
    let told = || placed(transfer()).into_iter().chain([offered(until)]);
    let by = Canceller::Customer;
    given::<Reservation>(told())
        .at(until - 1.minute())
        .when(cancel(by))
        .then([cancelled(by)]);
    given::<Reservation>(told())
        .at(until)
        .when(cancel(by))
        .refused(&No::TooLateToCancel { until });
    let mut state = Reservation::default();
    for event in told() {
        cqrs_es::Aggregate::apply(&mut state, event);
    }
    let known = state.placed().expect("it is placed");
    assert!(known.cancels_free(by, until - 1.minute()));
    assert!(!known.cancels_free(by, until));
    assert!(known.cancels_free(Canceller::Branch, until));
    given::<Reservation>(told())
        .at(start - 1.minute())
        .when(cancel(Canceller::Branch))
        .then([cancelled(Canceller::Branch)]);
    given::<Reservation>(told())
        .at(start)
        .when(cancel(Canceller::Branch))
        .refused(&No::TooLateToCancel { until: start });
}
