//! The rules of a day, one sentence each.

use jiff::ToSpan;
use proptest::prelude::*;
use uuid::Uuid;

use super::{ScheduleCommand::*, *};
use crate::decider::testing::{NOON, given};

const A: TimeSlotId = TimeSlotId::new(Uuid::from_u128(1));
const B: TimeSlotId = TimeSlotId::new(Uuid::from_u128(2));

fn at(minutes: i64) -> Timestamp {
    NOON + minutes.minutes()
}

fn enter(time_slot: TimeSlotId, from: i64, to: i64) -> ScheduleCommand {
    Enter {
        time_slot,
        starts_at: at(from),
        ends_at: at(to),
    }
}

fn entered(time_slot: TimeSlotId, from: i64, to: i64) -> ScheduleEvent {
    ScheduleEvent::Entered {
        time_slot,
        starts_at: at(from),
        ends_at: at(to),
    }
}

fn entry(time_slot: TimeSlotId, from: i64, to: i64) -> Entry {
    Entry {
        time_slot,
        starts_at: at(from),
        ends_at: at(to),
    }
}

#[test]
fn a_free_span_is_kept_once() {
    given::<Schedule>([])
        .when(enter(A, 0, 60))
        .then([entered(A, 0, 60)]);
    given::<Schedule>([entered(A, 0, 60)])
        .when(enter(A, 0, 60))
        .then([]);
}

#[test]
fn a_slot_that_overlaps_another_is_refused_with_what_is_in_the_way() {
    let clash = ScheduleError::Overlaps(entry(A, 0, 60));
    for (from, to) in [(0, 60), (-30, 1), (59, 90), (10, 20), (-10, 70)] {
        given::<Schedule>([entered(A, 0, 60)])
            .when(enter(B, from, to))
            .refused(&clash);
    }
}

#[test]
fn a_slot_may_start_when_the_one_before_has_ended() {
    given::<Schedule>([entered(A, 0, 60)])
        .when(enter(B, 60, 90))
        .then([entered(B, 60, 90)]);
    given::<Schedule>([entered(A, 0, 60)])
        .when(enter(B, -30, 0))
        .then([entered(B, -30, 0)]);
}

#[test]
fn a_slot_keeps_the_span_it_entered_with() {
    given::<Schedule>([entered(A, 0, 60)])
        .when(enter(A, 60, 120))
        .refused(&ScheduleError::AlreadyEntered(entry(A, 0, 60)));
}

#[test]
fn a_slot_ends_after_it_starts() {
    given::<Schedule>([])
        .when(enter(A, 0, 0))
        .refused(&ScheduleError::EndsBeforeStart);
    given::<Schedule>([])
        .when(enter(A, 0, -1))
        .refused(&ScheduleError::EndsBeforeStart);
}

#[test]
fn a_slot_that_left_frees_its_span() {
    given::<Schedule>([entered(A, 0, 60)])
        .when(Leave { time_slot: A })
        .then([ScheduleEvent::Left { time_slot: A }]);
    given::<Schedule>([]).when(Leave { time_slot: A }).then([]);
    given::<Schedule>([entered(A, 0, 60), ScheduleEvent::Left { time_slot: A }])
        .when(enter(B, 0, 60))
        .then([entered(B, 0, 60)]);
}

#[test]
fn a_day_has_room_for_only_so_many() {
    let id = |n: usize| TimeSlotId::new(Uuid::from_u128(1_000 + n as u128));
    let minute = |n: usize| i64::try_from(n).expect("few");
    let full = (0..ENTRIES_MAX).map(|n| entered(id(n), minute(n), minute(n) + 1));
    given::<Schedule>(full)
        .when(enter(A, 1_000, 1_001))
        .refused(&ScheduleError::Full);
}

proptest! {
    #[test]
    fn slots_never_overlap_and_stay_in_order(
        commands in prop::collection::vec((any::<bool>(), 0_u128..12, 0_i64..1_440, -5_i64..200), 1..60),
    ) {
        use cqrs_es::Aggregate as _;
        let mut day = Schedule::default();
        for (enters, slot, from, length) in commands {
            let time_slot = TimeSlotId::new(Uuid::from_u128(slot));
            let command = if enters { enter(time_slot, from, from + length) } else { Leave { time_slot } };
            for event in day.rule(command, NOON).unwrap_or_default() {
                day.apply(event);
            }
            for pair in day.entries().windows(2) {
                prop_assert!(pair[0].ends_at <= pair[1].starts_at);
            }
        }
    }
}
