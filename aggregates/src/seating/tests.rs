//! What a suggestion promises, one sentence each.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::{
    layout::{LayoutPlan, RowsAndColumns},
    refusal::Refusal as _,
};

fn label(text: &str) -> SeatLabel {
    text.parse().expect("a label")
}

fn hall(rows: u16, columns: u16, aisles_after: &[u16]) -> Layout {
    let plain = RowsAndColumns {
        name: "상영관".parse().expect("a name"),
        rows,
        columns,
        category: "일반".parse().expect("a category"),
        aisles_after: aisles_after.to_vec(),
    };
    plain.layout().expect("a layout")
}

fn best(layout: &Layout, wish: Wish<'_>, taken: &[&str]) -> Vec<String> {
    let taken: HashSet<SeatLabel> = taken.iter().map(|text| label(text)).collect();
    let found = best_available(layout, wish, |seat| taken.contains(seat)).unwrap_or_default();
    found.iter().map(ToString::to_string).collect()
}

/// One row whose seats are changed by `change`.
fn changed(columns: u16, change: impl FnOnce(&mut LayoutPlan)) -> Layout {
    let mut plan = hall(1, columns, &[]).plan().clone();
    change(&mut plan);
    Layout::new(plan).expect("a sound plan")
}

#[test]
fn the_middle_two_thirds_back_is_best() {
    assert_eq!(best(&hall(4, 9, &[]), Wish::of(1, false), &[]), ["C5"]);
    assert_eq!(
        best(&hall(4, 9, &[]), Wish::of(3, false), &[]),
        ["C4", "C5", "C6"]
    );
}

#[test]
fn seats_across_an_aisle_are_not_adjacent() {
    assert_eq!(
        best(&hall(1, 4, &[2]), Wish::of(2, false), &["A1", "A4"]),
        Vec::<String>::new()
    );
    assert_eq!(best(&hall(1, 4, &[2]), Wish::of(2, false), &["A2"]), ["A3", "A4"]);
}

#[test]
fn nobody_is_left_a_lone_seat_where_it_can_be_helped() {
    assert_eq!(
        best(&hall(1, 5, &[]), Wish::of(3, false), &[]),
        ["A1", "A2", "A3"]
    );
    assert_eq!(best(&hall(1, 5, &[]), Wish::of(2, false), &["A1"]), ["A2", "A3"]);
    assert_eq!(
        best(&hall(1, 4, &[]), Wish::of(3, false), &[]),
        ["A1", "A2", "A3"]
    );
}

#[test]
fn places_for_others_are_only_suggested_when_asked_for() {
    let layout = changed(4, |plan| {
        plan.sections[0].rows[0].seats[1].kind = SeatKind::Wheelchair;
        plan.sections[0].rows[0].seats[2].kind = SeatKind::Companion;
    });
    assert_eq!(best(&layout, Wish::of(2, false), &[]), Vec::<String>::new());
    let wish = Wish {
        seats: 2,
        kinds: &[SeatKind::Wheelchair, SeatKind::Companion],
    };
    assert_eq!(best(&layout, wish, &[]), ["A2", "A3"]);
}

#[test]
fn a_pair_is_never_torn_apart() {
    let layout = changed(4, |plan| {
        for (index, seat) in plan.sections[0].rows[0].seats.iter_mut().enumerate() {
            seat.kind = SeatKind::Couple;
            seat.pair = Some(label(if index < 2 { "A1" } else { "A3" }));
        }
    });
    let couple = |seats| Wish {
        seats,
        kinds: &[SeatKind::Couple],
    };
    assert_eq!(best(&layout, couple(2), &["A1", "A2"]), ["A3", "A4"]);
    assert_eq!(best(&layout, couple(2), &["A1"]), ["A3", "A4"]);
    assert_eq!(best(&layout, couple(1), &[]), Vec::<String>::new());
    assert_eq!(best(&layout, couple(3), &[]), Vec::<String>::new());
    assert_eq!(best(&layout, couple(4), &[]), ["A1", "A2", "A3", "A4"]);
}

/// Two couple seats, a wheelchair place with its companion's, two seats for anyone.
fn mixed() -> Layout {
    changed(6, |plan| {
        let seats = &mut plan.sections[0].rows[0].seats;
        let kinds = [
            SeatKind::Couple,
            SeatKind::Couple,
            SeatKind::Wheelchair,
            SeatKind::Companion,
        ];
        seats
            .iter_mut()
            .zip(kinds)
            .for_each(|(seat, kind)| seat.kind = kind);
    })
}

fn labels(texts: &[&str]) -> Vec<SeatLabel> {
    texts.iter().map(|text| label(text)).collect()
}

#[test]
fn one_half_of_a_pair_is_refused_with_the_other_half_named() {
    let layout = mixed();
    assert_eq!(whole_pairs(&layout, &labels(&["A2", "A5", "A1"])), Ok(()));
    assert_eq!(whole_pairs(&layout, &labels(&["A5", "A3"])), Ok(()));
    let refused = whole_pairs(&layout, &labels(&["A5", "A2"])).expect_err("half a pair");
    assert_eq!(
        refused,
        SeatingError::HalfPair {
            chosen: vec![1],
            others: labels(&["A1"])
        }
    );
    assert_eq!(refused.to_string(), "seat A1 must be chosen with it");
    assert_eq!(refused.faults(), [Fault::at("/seats/1", "is sold with A1 only")]);
}

#[rstest::rstest]
#[case::anyone(&["A5", "A6"], false, None)]
#[case::a_wheelchair_place_unsaid(&["A5", "A3"], false, Some("seating/protected"))]
#[case::a_companion_unsaid(&["A4"], false, Some("seating/protected"))]
#[case::said(&["A3"], true, None)]
#[case::said_with_a_companion(&["A4", "A3"], true, None)]
#[case::a_companion_of_nobody(&["A5", "A4"], true, Some("seating/companion-alone"))]
#[case::said_for_nothing(&["A5"], true, None)]
fn before_the_pool_opens_its_places_are_for_those_who_need_them(
    #[case] seats: &[&str],
    #[case] accessible: bool,
    #[case] refused: Option<&str>,
) {
    let opens_at = crate::decider::testing::NOON;
    let answer = stated(&mixed(), &labels(seats), accessible, opens_at);
    assert_eq!(answer.err().map(|error| error.slug()), refused);
}

#[test]
fn the_best_available_are_of_the_pool_only_once_it_is_open() {
    let layout = mixed();
    let best = |wish| best(&layout, wish, &["A5"]);
    assert_eq!(best(Wish::of(2, false)), Vec::<String>::new());
    assert_eq!(best(Wish::of(2, true)), ["A3", "A4"]);
}

#[test]
fn further_suggestions_have_no_seat_in_common_and_leave_no_more_lone_seats() {
    let layout = hall(1, 7, &[]);
    let found = best_apart(&layout, Wish::of(2, false), 5, |_| false);
    let found: Vec<Vec<String>> = found
        .iter()
        .map(|block| block.iter().map(ToString::to_string).collect())
        .collect();
    assert_eq!(found, [["A3", "A4"], ["A1", "A2"], ["A6", "A7"]]);
    assert_eq!(
        best_apart(&layout, Wish::of(8, false), 5, |_| false),
        Vec::<Vec<SeatLabel>>::new()
    );
}

#[test]
fn no_seats_are_no_wish() {
    assert_eq!(
        best(&hall(1, 4, &[]), Wish::of(0, false), &[]),
        Vec::<String>::new()
    );
}

proptest! {
    #[test]
    fn a_suggestion_is_free_adjacent_and_found_whenever_there_is_one(
        rows in 1_u16..6, columns in 3_u16..12, aisle in 0_u16..12, seats in 1_usize..6,
        taken in prop::collection::hash_set((0_usize..6, 0_usize..12), 0..40),
    ) {
        let aisles: Vec<u16> = (1..columns).filter(|after| *after == aisle).collect();
        let layout = hall(rows, columns, &aisles);
        let all = &layout.plan().sections[0].rows;
        let taken: HashSet<SeatLabel> = taken
            .into_iter()
            .filter_map(|(row, seat)| Some(all.get(row)?.seats.get(seat)?.label.clone()))
            .collect();
        // Every block in the plainest way: neighbours by number, the aisle not between them.
        let exists = all.iter().any(|row| row.seats.windows(seats).any(|block| {
            let crosses = aisles.iter().any(|after| {
                let number = |seat: &LayoutSeat| seat.number.parse::<u16>().expect("a number");
                number(&block[0]) <= *after && *after < number(&block[seats - 1])
            });
            !crosses && block.iter().all(|seat| !taken.contains(&seat.label))
        }));
        let found = best_available(&layout, Wish::of(seats, false), |seat| taken.contains(seat));
        prop_assert_eq!(found.is_some(), exists);
        if let Some(block) = found {
            prop_assert_eq!(block.len(), seats);
            prop_assert!(block.iter().all(|seat| !taken.contains(seat)));
            let places: Vec<&LayoutSeat> = block.iter().filter_map(|seat| layout.seat(seat)).collect();
            for pair in places.windows(2) {
                prop_assert_eq!(&pair[0].row, &pair[1].row);
                prop_assert!(pair[0].position.distance(pair[1].position) < 33.0);
            }
        }
    }

    #[test]
    fn the_best_available_are_sold_to_anyone_as_they_are(
        kinds in prop::collection::vec((0_usize..5, any::<bool>()), 4..14), seats in 1_usize..5,
    ) {
        let columns = u16::try_from(kinds.len()).expect("a short row");
        let mut plan = hall(1, columns, &[]).plan().clone();
        for (seat, (kind, _)) in plan.sections[0].rows[0].seats.iter_mut().zip(&kinds) {
            seat.kind = SeatKind::ALL[*kind];
        }
        // Where an odd number of couple seats stands together there is no layout.
        if let Ok(layout) = Layout::new(plan) {
            let taken: HashSet<&SeatLabel> =
                layout.seats().zip(&kinds).filter(|(_, (_, taken))| *taken).map(|(seat, _)| &seat.label).collect();
            for pool_is_open in [false, true] {
                let best = best_available(&layout, Wish::of(seats, pool_is_open), |seat| taken.contains(seat));
                let best = best.unwrap_or_default();
                prop_assert!(best.iter().all(|seat| !taken.contains(seat)));
                prop_assert_eq!(whole_pairs(&layout, &best), Ok(()));
                if !pool_is_open {
                    let opens_at = crate::decider::testing::NOON;
                    prop_assert_eq!(stated(&layout, &best, false, opens_at), Ok(()));
                }
            }
        }
    }
}
