//! The rules of a waitlist, one sentence each.

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use uuid::Uuid;

use super::{WaitlistCommand as Do, WaitlistError as No, WaitlistEvent as Event, *};
use crate::{
    decider::testing::{NOON, given},
    event::Event as AnyEvent,
    pricing::Persons,
};

const ALICE: ReservationId = ReservationId::new(1);
const BOB: ReservationId = ReservationId::new(2);

fn party(adult: u8) -> Party {
    Party::Persons(Persons {
        adult,
        ..Persons::default()
    })
}

fn contact() -> Contact {
    Contact {
        name: Personal::Plain("김하늘".parse().expect("a name")),
        phone: Personal::Plain("010-1234-5678".parse().expect("a phone")),
    }
}

fn mark(text: &str) -> ContactMark {
    ContactMark::new(text.to_owned())
}

fn join(entry: ReservationId, people: u8, who: &str) -> WaitlistCommand {
    Do::Join {
        entry,
        party: party(people),
        contact: contact(),
        mark: mark(who),
        customer: None,
        language: None,
        crowd: Crowd::default(),
    }
}

fn joined(entry: ReservationId, people: u8, who: &str) -> WaitlistEvent {
    Event::Joined {
        entry,
        party: party(people),
        contact: contact(),
        mark: mark(who),
        customer: None,
        language: None,
    }
}

fn seats(labels: &[&str]) -> Vec<SeatLabel> {
    labels
        .iter()
        .map(|label| label.parse().expect("a label"))
        .collect()
}

fn until() -> Timestamp {
    NOON + 10.minutes()
}

fn offered(entry: ReservationId) -> WaitlistEvent {
    Event::Offered {
        entry,
        seats: seats(&["A1"]),
        until: until(),
    }
}

fn offer(entry: ReservationId) -> WaitlistCommand {
    Do::Offer {
        entry,
        seats: seats(&["A1"]),
        until: until(),
    }
}

fn leave(entry: ReservationId) -> WaitlistCommand {
    Do::Leave {
        entry,
        by: Leaver::Customer,
        reason: None,
    }
}

fn left(entry: ReservationId) -> WaitlistEvent {
    Event::Left {
        entry,
        by: Leaver::Customer,
        reason: None,
    }
}

#[test]
fn anyone_joins_once_under_a_number() {
    given::<Waitlist>([])
        .when(join(ALICE, 2, "a"))
        .then([joined(ALICE, 2, "a")]);
    given::<Waitlist>([joined(ALICE, 2, "a")])
        .when(join(ALICE, 2, "a"))
        .then([]);
    given::<Waitlist>([joined(ALICE, 2, "a"), left(ALICE)])
        .when(join(ALICE, 2, "a"))
        .refused(&No::Over { past: Past::Left });
}

#[test]
fn one_person_waits_once_by_phone_and_by_account() {
    given::<Waitlist>([joined(ALICE, 2, "a")])
        .when(join(BOB, 1, "a"))
        .refused(&No::AlreadyWaiting);
    let customer = Some(CustomerId::new(Uuid::from_u128(1)));
    let own = |entry, who: &str| Do::Join {
        entry,
        party: party(1),
        contact: contact(),
        mark: mark(who),
        customer,
        language: None,
        crowd: Crowd::default(),
    };
    let first = Event::Joined {
        entry: ALICE,
        party: party(1),
        contact: contact(),
        mark: mark("a"),
        customer,
        language: None,
    };
    given::<Waitlist>([first.clone()])
        .when(own(BOB, "b"))
        .refused(&No::AlreadyWaiting);
    given::<Waitlist>([joined(ALICE, 2, "a"), left(ALICE)])
        .when(join(BOB, 1, "a"))
        .then([joined(BOB, 1, "a")]);
    given::<Waitlist>([joined(ALICE, 2, "a")])
        .when(join(BOB, 1, "b"))
        .then([joined(BOB, 1, "b")]);
}

#[test]
fn from_one_place_only_so_many_wait_at_the_same_time() {
    let from_there = |entry, entries: &[ReservationId]| Do::Join {
        entry,
        party: party(1),
        contact: contact(),
        mark: mark("c"),
        customer: None,
        language: None,
        crowd: Crowd {
            entries: entries.to_vec(),
            max: 2,
        },
    };
    let carol = ReservationId::new(3);
    let both = [joined(ALICE, 1, "a"), joined(BOB, 1, "b")];
    given::<Waitlist>(both.clone())
        .when(from_there(carol, &[ALICE, BOB]))
        .refused(&No::Crowded { max: 2 });
    // Whoever came from elsewhere does not count, nor who waits no more, nor who never joined.
    given::<Waitlist>(both.clone())
        .when(from_there(carol, &[ALICE, carol]))
        .then([joined(carol, 1, "c")]);
    given::<Waitlist>(both.into_iter().chain([left(BOB)]))
        .when(from_there(carol, &[ALICE, BOB]))
        .then([joined(carol, 1, "c")]);
    // An offer that runs counts still, and the same person is told so first.
    given::<Waitlist>([joined(ALICE, 1, "a"), joined(BOB, 1, "c"), offered(ALICE)])
        .when(from_there(carol, &[ALICE, BOB]))
        .refused(&No::AlreadyWaiting);
    given::<Waitlist>([joined(ALICE, 1, "a"), joined(BOB, 1, "b"), offered(ALICE)])
        .when(from_there(carol, &[ALICE, BOB]))
        .refused(&No::Crowded { max: 2 });
}

#[test]
fn a_waitlist_is_full_at_some_point() {
    let many = i64::try_from(WAITING_MAX).expect("few");
    let full = (1..=many).map(|number| joined(ReservationId::new(number), 1, &number.to_string()));
    given::<Waitlist>(full.clone())
        .when(join(ReservationId::new(many + 1), 1, "new"))
        .refused(&No::Full);
    given::<Waitlist>(full.skip(1))
        .when(join(ReservationId::new(many + 1), 1, "new"))
        .then([joined(ReservationId::new(many + 1), 1, "new")]);
}

#[test]
fn an_offer_is_made_once_and_only_to_who_waits() {
    given::<Waitlist>([joined(ALICE, 1, "a")])
        .when(offer(ALICE))
        .then([offered(ALICE)]);
    given::<Waitlist>([joined(ALICE, 1, "a"), offered(ALICE)])
        .when(offer(ALICE))
        .refused(&No::AlreadyOffered);
    given::<Waitlist>([]).when(offer(ALICE)).refused(&No::NotFound);
    given::<Waitlist>([joined(ALICE, 1, "a"), left(ALICE)])
        .when(offer(ALICE))
        .refused(&No::Over { past: Past::Left });
}

#[test]
fn an_offer_is_accepted_in_time_declined_or_lapses() {
    let running = [joined(ALICE, 1, "a"), offered(ALICE)];
    let entry = ALICE;
    given::<Waitlist>(running.clone())
        .when(Do::Accept { entry })
        .then([Event::Accepted { entry }]);
    given::<Waitlist>(running.clone())
        .at(until())
        .when(Do::Accept { entry })
        .refused(&No::OfferLapsed { until: until() });
    given::<Waitlist>(running.clone())
        .when(Do::Decline { entry })
        .then([Event::Declined { entry }]);
    given::<Waitlist>(running.clone())
        .when(Do::Lapse { entry })
        .refused(&No::NotYetDue { due_at: until() });
    given::<Waitlist>(running)
        .at(until())
        .when(Do::Lapse { entry })
        .then([Event::Lapsed { entry }]);
}

#[test]
fn what_is_settled_stays_so_and_a_repeat_changes_nothing() {
    let entry = ALICE;
    let after = |event: WaitlistEvent| given::<Waitlist>([joined(ALICE, 1, "a"), offered(ALICE), event]);
    for (settled, command, past) in [
        (Event::Accepted { entry }, Do::Accept { entry }, Past::Accepted),
        (Event::Declined { entry }, Do::Decline { entry }, Past::Declined),
        (Event::Lapsed { entry }, Do::Lapse { entry }, Past::Lapsed),
        (left(entry), leave(entry), Past::Left),
    ] {
        after(settled.clone()).when(command.clone()).then([]);
        for other in [
            Do::Accept { entry },
            Do::Decline { entry },
            Do::Lapse { entry },
            leave(entry),
        ] {
            if other != command {
                after(settled.clone()).when(other).refused(&No::Over { past });
            }
        }
    }
}

#[test]
fn nothing_is_settled_before_something_is_offered() {
    let entry = ALICE;
    for command in [Do::Accept { entry }, Do::Decline { entry }, Do::Lapse { entry }] {
        given::<Waitlist>([joined(ALICE, 1, "a")])
            .when(command.clone())
            .refused(&No::NotOffered);
        given::<Waitlist>([]).when(command).refused(&No::NotFound);
    }
    given::<Waitlist>([]).when(leave(ALICE)).refused(&No::NotFound);
}

#[test]
fn whoever_waits_or_has_an_offer_may_leave() {
    given::<Waitlist>([joined(ALICE, 1, "a")])
        .when(leave(ALICE))
        .then([left(ALICE)]);
    given::<Waitlist>([joined(ALICE, 1, "a"), offered(ALICE)])
        .when(leave(ALICE))
        .then([left(ALICE)]);
}

#[test]
fn waiting_ends_with_the_sale_but_an_offer_runs_on() {
    let end = |entry| Do::End {
        entry,
        why: WhyEnded::SalesClosed,
    };
    let ended = |entry| Event::Ended {
        entry,
        why: WhyEnded::SalesClosed,
    };
    given::<Waitlist>([joined(ALICE, 1, "a")])
        .when(end(ALICE))
        .then([ended(ALICE)]);
    given::<Waitlist>([joined(ALICE, 1, "a"), ended(ALICE)])
        .when(end(ALICE))
        .then([]);
    given::<Waitlist>([joined(ALICE, 1, "a"), offered(ALICE)])
        .when(end(ALICE))
        .then([]);
    given::<Waitlist>([]).when(end(ALICE)).refused(&No::NotFound);
    given::<Waitlist>([joined(ALICE, 1, "a"), ended(ALICE)])
        .when(leave(ALICE))
        .refused(&No::Over {
            past: Past::Ended(WhyEnded::SalesClosed),
        });
}

#[test]
fn what_passes_by_is_recorded_only_for_those_who_wait() {
    let pass = |labels: &[&str]| Do::Pass {
        seats: seats(labels),
        why: WhyPassed::NoFit,
    };
    let passed = Event::Passed {
        seats: seats(&["A1"]),
        why: WhyPassed::NoFit,
    };
    given::<Waitlist>([joined(ALICE, 3, "a")])
        .when(pass(&["A1"]))
        .then([passed]);
    given::<Waitlist>([joined(ALICE, 3, "a")])
        .when(pass(&[]))
        .then([]);
    given::<Waitlist>([]).when(pass(&["A1"])).then([]);
    given::<Waitlist>([joined(ALICE, 1, "a"), offered(ALICE)])
        .when(pass(&["A1"]))
        .then([]);
}

#[test]
fn the_place_in_line_counts_those_who_wait_before() {
    let mut line = Waitlist::default();
    for event in [joined(ALICE, 1, "a"), joined(BOB, 2, "b")] {
        line.evolve(event);
    }
    assert_eq!((line.position(ALICE), line.position(BOB)), (Some(1), Some(2)));
    line.evolve(offered(ALICE));
    assert_eq!((line.position(ALICE), line.position(BOB)), (None, Some(1)));
}

#[test]
fn who_waits_is_sealed_with_the_reservation_of_the_same_number() {
    let mut event = AnyEvent::Waitlist(joined(ALICE, 1, "a"));
    assert_eq!(event.personal().len(), 2);
    assert_eq!(event.person(), Some(StreamId::of::<Reservation>(&ALICE)));
    let passed = Event::Passed {
        seats: vec![],
        why: WhyPassed::NoFit,
    };
    assert_eq!(AnyEvent::Waitlist(passed).person(), None);
}

/// A row of numbered seats: the first block of free ones that is long enough.
fn take(free: &mut [bool], count: usize) -> Option<Vec<SeatLabel>> {
    let start = (0..free.len()).find(|start| {
        free.get(*start..start + count)
            .is_some_and(|block| block.iter().all(|free| *free))
    })?;
    free[start..start + count].fill(false);
    let label = |number: usize| format!("A{}", number + 1).parse().expect("a label");
    Some((start..start + count).map(label).collect())
}

proptest! {
    /// Against the plainest way to say it: everybody in turn, each asking for what is left.
    #[test]
    fn the_first_who_fits_is_served_and_nobody_is_overtaken(
        sizes in prop::collection::vec(1_u8..=8, 0..12),
        free in prop::collection::vec(any::<bool>(), 0..24),
    ) {
        let mut line = Waitlist::default();
        for (number, size) in (1_i64..).zip(&sizes) {
            line.evolve(joined(ReservationId::new(number), *size, &number.to_string()));
        }
        let mut left = free.clone();
        let served = serve(line.waiting(), |count| take(&mut left, count));
        let mut naive = free;
        let mut expected = Vec::new();
        for entry in line.waiting() {
            if let Some(seats) = take(&mut naive, entry.seats()) {
                expected.push((entry.id, seats));
            }
        }
        prop_assert_eq!(&served, &expected);
        for entry in line.waiting() {
            let is_served = served.iter().any(|(id, _)| *id == entry.id);
            prop_assert!(is_served || take(&mut left.clone(), entry.seats()).is_none());
        }
    }
}
