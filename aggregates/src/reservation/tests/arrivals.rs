//! Who comes, who does not, and what is taken back of it.

use super::*;

fn starts_at() -> Timestamp {
    NOON + 3.hours()
}

fn admit(at: Timestamp, missed_at: Option<Timestamp>) -> Do {
    Do::Admit {
        at,
        device: None,
        missed_at,
    }
}

fn admitted(at: Timestamp) -> Event {
    Event::Admitted { at, device: None }
}

fn expected() -> Vec<Event> {
    [held(), Event::Placed(placement(60_000, transfer())), paid()].into()
}

fn and(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
    expected().into_iter().chain(events).collect()
}

#[test]
fn nobody_is_let_in_before_check_in_begins_or_after_the_end() {
    let (from, ended_at) = (starts_at() - 1.hour(), starts_at() + 2.hours());
    for (at, refusal) in [
        (from - 1.microsecond(), No::TooEarly { from }),
        (ended_at, No::Over { ended_at }),
    ] {
        given::<Reservation>(expected())
            .at(at)
            .when(Do::CheckIn)
            .refused(&refusal);
        given::<Reservation>(expected())
            .at(at)
            .when(admit(at, None))
            .refused(&refusal);
    }
    for at in [from, ended_at - 1.microsecond()] {
        given::<Reservation>(expected())
            .at(at)
            .when(Do::CheckIn)
            .then([Event::CheckedIn]);
    }
}

#[test]
fn a_scan_counts_from_its_own_moment_however_late_it_arrives() {
    let at = starts_at() + 5.minutes();
    given::<Reservation>(expected())
        .at(at + 9.hours())
        .when(admit(at, None))
        .then([admitted(at)]);
}

#[test]
fn who_is_in_is_in() {
    for inside in [Event::CheckedIn, admitted(starts_at())] {
        for again in [Do::CheckIn, admit(starts_at() + 1.minute(), None)] {
            given::<Reservation>(and([inside.clone()])).when(again).then([]);
        }
    }
}

#[test]
fn without_payment_a_ticket_opens_no_door() {
    given::<Reservation>(placed(Payment::OnSite))
        .at(starts_at())
        .when(admit(starts_at(), None))
        .refused(&No::NotPaid);
}

#[test]
fn what_was_placed_before_such_moments_were_known_is_let_in_when_paid() {
    let placed = Placement {
        attendance: None,
        ..*placement(0, Payment::OnSite)
    };
    given::<Reservation>([held(), Event::Placed(Box::new(placed))])
        .when(Do::CheckIn)
        .then([Event::CheckedIn]);
}

#[test]
fn who_was_scanned_before_being_taken_for_absent_has_come() {
    let missed_at = starts_at() + 30.minutes();
    let at = missed_at - 1.second();
    given::<Reservation>(and([Event::MarkedNoShow]))
        .at(missed_at + 1.hour())
        .when(admit(at, Some(missed_at)))
        .then([Event::NoShowWithdrawn, admitted(at)]);
    for (at, missed_at) in [(missed_at, Some(missed_at)), (at, None)] {
        given::<Reservation>(and([Event::MarkedNoShow]))
            .at(starts_at() + 1.hour())
            .when(admit(at, missed_at))
            .refused(&No::NoShow);
    }
    given::<Reservation>(and([Event::MarkedNoShow]))
        .at(starts_at() + 1.hour())
        .when(Do::CheckIn)
        .refused(&No::NoShow);
    given::<Reservation>(and([Event::MarkedNoShow, Event::NoShowWithdrawn, admitted(at)]))
        .when(Do::MarkNoShow)
        .refused(&No::Attended);
}

#[test]
fn a_check_in_is_undone_within_a_day_and_can_be_repeated() {
    let undo = || Do::UndoCheckIn { reason: None };
    let undone = Event::CheckInUndone {
        reason: None,
        no_show_at: Some(starts_at() + 30.minutes()),
    };
    given::<Reservation>(and([Event::CheckedIn]))
        .when(undo())
        .then([undone.clone()]);
    given::<Reservation>(and([Event::CheckedIn, undone.clone()]))
        .when(undo())
        .then([]);
    given::<Reservation>(and([Event::CheckedIn, undone]))
        .at(starts_at())
        .when(Do::CheckIn)
        .then([Event::CheckedIn]);
    let until = starts_at() + 24.hours();
    given::<Reservation>(and([Event::CheckedIn]))
        .at(until)
        .when(undo())
        .refused(&No::TooLateToUndo { until });
    given::<Reservation>(and([Event::MarkedNoShow]))
        .when(undo())
        .refused(&No::NoShow);
    given::<Reservation>([held()])
        .when(undo())
        .refused(&No::NotPlaced);
}

#[test]
fn a_ticket_is_made_for_who_will_be_let_in() {
    let state = |events: Vec<Event>| {
        let mut state = Reservation::default();
        for event in events {
            state.evolve(event);
        }
        state
    };
    let on_site: Vec<_> = placed(Payment::OnSite).into();
    for fine in [on_site, expected(), and([Event::CheckedIn])] {
        assert!(state(fine).admissible().is_ok());
    }
    for (events, refusal) in [
        (vec![], No::NotFound),
        (vec![held()], No::NotPlaced),
        (placed(transfer()).into(), No::NotPaid),
        (and([Event::MarkedNoShow]), No::NoShow),
        (and([cancelled(Canceller::Staff)]), No::Cancelled),
        (and([Event::Expired]), No::Expired),
    ] {
        assert_eq!(state(events).admissible().err(), Some(refusal));
    }
}

#[test]
fn a_visit_stands_until_it_is_called_off() {
    let state = |events: Vec<Event>| {
        let mut state = Reservation::default();
        for event in events {
            state.evolve(event);
        }
        state
    };
    let stands = |events| state(events).visit().map(|(_, stands)| stands);
    assert_eq!(stands(placed(transfer()).into()), Ok(true));
    assert_eq!(stands(and([Event::MarkedNoShow])), Ok(true));
    assert_eq!(stands(and([cancelled(Canceller::Staff)])), Ok(false));
    assert_eq!(stands(and([Event::Expired])), Ok(false));
    assert_eq!(stands(vec![held()]), Err(No::NotPlaced));
}
