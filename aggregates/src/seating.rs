//! Which seats to suggest (DOMAIN C13): the layout and what is taken in, labels out; never holds anything.

use crate::{
    layout::{Layout, LayoutSeat, Point, SeatKind},
    values::SeatLabel,
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish<'a> {
    /// How many seats side by side.
    pub seats: usize,
    /// Which kinds of seat will do.
    pub kinds: &'a [SeatKind],
}

impl Wish<'static> {
    /// So many seats that anyone may take: no wheelchair, companion or couple places.
    #[must_use]
    pub const fn of(seats: usize) -> Self {
        Self {
            seats,
            kinds: &[SeatKind::Standard, SeatKind::Recliner],
        }
    }
}

/// The best free seats side by side in one row without an aisle between: first of all those that leave nobody a lone
/// seat, among them the nearest to the focal point. None only if there is no such block.
#[must_use]
pub fn best_available(
    layout: &Layout,
    wish: Wish<'_>,
    mut is_taken: impl FnMut(&SeatLabel) -> bool,
) -> Option<Vec<SeatLabel>> {
    let focal = layout.focal_point();
    let mut best: Option<(Score, &[LayoutSeat])> = None;
    let mut free = Vec::new();
    for run in layout
        .runs()
        .filter(|run| wish.seats > 0 && run.len() >= wish.seats)
    {
        free.clear();
        free.extend(
            run.iter()
                .map(|seat| wish.kinds.contains(&seat.kind) && !is_taken(&seat.label)),
        );
        let mut length = 0;
        for end in 0..run.len() {
            length = if free[end] { length + 1 } else { 0 };
            if length < wish.seats {
                continue;
            }
            let start = end + 1 - wish.seats;
            let block = &run[start..=end];
            let score = Score {
                orphans: orphans(&free, start, end),
                distance: distance(block, focal),
            };
            if best.as_ref().is_none_or(|(known, _)| score.beats(known)) && keeps_pairs(block) {
                best = Some((score, block));
            }
        }
    }
    best.map(|(_, block)| block.iter().map(|seat| seat.label.clone()).collect())
}

struct Score {
    orphans: u8,
    distance: f64,
}

impl Score {
    fn beats(&self, other: &Self) -> bool {
        (self.orphans, self.distance) < (other.orphans, other.distance)
    }
}

/// How many lone free seats would stand beside the block `start..=end`.
fn orphans(free: &[bool], start: usize, end: usize) -> u8 {
    let is_free = |index: Option<usize>| index.and_then(|index| free.get(index)).copied().unwrap_or(false);
    let left = is_free(start.checked_sub(1)) && !is_free(start.checked_sub(2));
    let right = is_free(Some(end + 1)) && !is_free(Some(end + 2));
    u8::from(left) + u8::from(right)
}

/// The sum of the distances to the focal point.
fn distance(block: &[LayoutSeat], focal: Point) -> f64 {
    block.iter().map(|seat| seat.position.distance(focal)).sum()
}

/// Whether no pair is torn apart.
fn keeps_pairs(block: &[LayoutSeat]) -> bool {
    block.iter().all(|seat| match &seat.pair {
        None => true,
        Some(pair) => {
            block
                .iter()
                .filter(|other| other.pair.as_ref() == Some(pair))
                .count()
                == 2
        }
    })
}

#[cfg(test)]
mod tests;
