//! Which couple seats are a pair (DOMAIN C3): whoever draws a plan may name pairs; all other couple seats are paired here.
//! Never changes a pair that is named.

use super::{LayoutPlan, LayoutSeat, SeatKind, narrowest_gap, side_by_side};

/// Pairs the couple seats that name no pair: neighbours of one row without an aisle or gap between, two by two, in their
/// order. Where an odd number of them stands together, the last keeps no pair, and that is a fault of the plan.
pub(super) fn complete(plan: &mut LayoutPlan) {
    for section in &mut plan.sections {
        let lacks = section.rows.iter().flat_map(|row| &row.seats).any(is_unpaired);
        if !lacks {
            continue;
        }
        let narrowest = narrowest_gap(&section.rows);
        for row in &mut section.rows {
            for run in side_by_side(&row.seats, narrowest) {
                let Some(seats) = row.seats.get_mut(run) else {
                    continue;
                };
                seats
                    .chunk_by_mut(|a, b| is_unpaired(a) == is_unpaired(b))
                    .filter(|together| together.first().is_some_and(is_unpaired))
                    .flat_map(|together| together.chunks_exact_mut(2))
                    .for_each(pair);
            }
        }
    }
}

fn is_unpaired(seat: &LayoutSeat) -> bool {
    seat.kind == SeatKind::Couple && seat.pair.is_none()
}

/// Both get the name of the first.
fn pair(two: &mut [LayoutSeat]) {
    let name = two.first().map(|first| first.label.clone());
    for seat in two {
        seat.pair.clone_from(&name);
    }
}
