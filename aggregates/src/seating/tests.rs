//! What a suggestion promises, one sentence each.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::layout::{LayoutPlan, RowsAndColumns};

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
    assert_eq!(best(&hall(4, 9, &[]), Wish::of(1), &[]), ["C5"]);
    assert_eq!(best(&hall(4, 9, &[]), Wish::of(3), &[]), ["C4", "C5", "C6"]);
}

#[test]
fn seats_across_an_aisle_are_not_adjacent() {
    assert_eq!(
        best(&hall(1, 4, &[2]), Wish::of(2), &["A1", "A4"]),
        Vec::<String>::new()
    );
    assert_eq!(best(&hall(1, 4, &[2]), Wish::of(2), &["A2"]), ["A3", "A4"]);
}

#[test]
fn nobody_is_left_a_lone_seat_where_it_can_be_helped() {
    assert_eq!(best(&hall(1, 5, &[]), Wish::of(3), &[]), ["A1", "A2", "A3"]);
    assert_eq!(best(&hall(1, 5, &[]), Wish::of(2), &["A1"]), ["A2", "A3"]);
    assert_eq!(best(&hall(1, 4, &[]), Wish::of(3), &[]), ["A1", "A2", "A3"]);
}

#[test]
fn places_for_others_are_only_suggested_when_asked_for() {
    let layout = changed(4, |plan| {
        plan.sections[0].rows[0].seats[1].kind = SeatKind::Wheelchair;
        plan.sections[0].rows[0].seats[2].kind = SeatKind::Companion;
    });
    assert_eq!(best(&layout, Wish::of(2), &[]), Vec::<String>::new());
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

#[test]
fn no_seats_are_no_wish() {
    assert_eq!(best(&hall(1, 4, &[]), Wish::of(0), &[]), Vec::<String>::new());
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
        let found = best_available(&layout, Wish::of(seats), |seat| taken.contains(seat));
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
}
