//! Rules about seats beside each other: what to suggest, what may be left alone, what is sold together, what is kept for
//! whom (DOMAIN C12, C13); the layout and what is taken in, labels out. Never holds anything.

mod orphans;
mod pairs;
mod pool;

use jiff::Timestamp;

pub use self::{
    orphans::{Neighbourhood, OrphanRule, SUGGESTIONS_MAX},
    pairs::whole_pairs,
    pool::{is_protected, open_to_all, stated},
};
use crate::{
    fault::Fault,
    layout::{Layout, LayoutSeat, Point, SeatKind},
    refusal::refusals,
    values::SeatLabel,
};

/// Why seats cannot be chosen together, although each of them is free.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeatingError {
    /// Single free seats would be left between what is taken (DOMAIN C12).
    #[error("{} would be left alone", listed(lone))]
    Orphan {
        /// Those seats.
        lone: Vec<SeatLabel>,
        /// Whole choices of the same size that would be accepted, the nearest first; at least one.
        suggestions: Vec<Vec<SeatLabel>>,
    },
    /// Couple seats are sold in pairs.
    #[error("{} must be chosen with it", listed(others))]
    HalfPair {
        /// Where in the choice the lonely halves stand.
        chosen: Vec<usize>,
        /// The other halves, in the same order.
        others: Vec<SeatLabel>,
    },
    /// Wheelchair and companion places are kept for those who need them, until the pool opens.
    #[error(
        "{} kept for wheelchair users and their companions until {opens_at}",
        listed(seats)
    )]
    Protected {
        /// Those of the choice.
        seats: Vec<SeatLabel>,
        /// From when everyone may have them.
        opens_at: Timestamp,
    },
    /// A companion comes with somebody.
    #[error("{} for companions of a wheelchair place of the same choice", listed(seats))]
    CompanionAlone {
        /// Where in the choice the companion places stand.
        chosen: Vec<usize>,
        /// Which they are.
        seats: Vec<SeatLabel>,
    },
}

refusals! { SeatingError:
    Self::Orphan { .. } => "seating/orphan", Conflict, "Choose one of the suggestions, or move up by a seat so that none is left alone.";
    Self::HalfPair { .. } => "seating/half-pair", Invalid, "Choose both seats of a pair; seats names the other halves.", by Self::places;
    Self::Protected { .. } => "seating/protected", Conflict, "Send accessible: true if somebody in the group needs a wheelchair place, or choose other seats.";
    Self::CompanionAlone { .. } => "seating/companion-alone", Invalid, "Choose a wheelchair place with it.", by Self::places;
}

impl SeatingError {
    /// The seats it speaks of: left alone, missing from the choice, or not to be had.
    #[must_use]
    pub fn seats(&self) -> &[SeatLabel] {
        match self {
            Self::Orphan { lone: seats, .. }
            | Self::HalfPair { others: seats, .. }
            | Self::Protected { seats, .. }
            | Self::CompanionAlone { seats, .. } => seats,
        }
    }

    fn places(&self) -> Vec<Fault> {
        let at = |index: &usize, problem: String| Fault::at(format!("/seats/{index}"), problem);
        match self {
            Self::HalfPair { chosen, others } => chosen
                .iter()
                .zip(others)
                .map(|(index, other)| at(index, format!("is sold with {other} only")))
                .collect(),
            Self::CompanionAlone { chosen, .. } => chosen
                .iter()
                .map(|index| at(index, "is sold with a wheelchair place only".to_owned()))
                .collect(),
            Self::Orphan { .. } | Self::Protected { .. } => Vec::new(),
        }
    }
}

/// `seat A1`, or `seats A1, A2`.
fn listed(seats: &[SeatLabel]) -> String {
    let labels: Vec<&str> = seats.iter().map(SeatLabel::as_str).collect();
    let noun = if labels.len() == 1 { "seat" } else { "seats" };
    format!("{noun} {}", labels.join(", "))
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish<'a> {
    /// How many seats side by side.
    pub seats: usize,
    /// Which kinds of seat will do.
    pub kinds: &'a [SeatKind],
}

impl Wish<'static> {
    /// So many seats that anyone may take: no couple seats, and wheelchair and companion places only once their pool is
    /// open.
    #[must_use]
    pub const fn of(seats: usize, pool_is_open: bool) -> Self {
        Self {
            seats,
            kinds: open_to_all(pool_is_open),
        }
    }
}

/// The best free seats side by side in one row without an aisle between: first of all those that leave nobody a lone
/// seat, among them the nearest to the focal point. None only if there is no such block.
#[must_use]
pub fn best_available(
    layout: &Layout,
    wish: Wish<'_>,
    is_taken: impl FnMut(&SeatLabel) -> bool,
) -> Option<Vec<SeatLabel>> {
    best_apart(layout, wish, 1, is_taken).pop()
}

/// At most so many blocks as by [`best_available`], the best first, no two with a seat in common, and all as good as the
/// best at leaving nobody a lone seat: for many who ask at once and must not all run for the same seats.
#[must_use]
pub fn best_apart(
    layout: &Layout,
    wish: Wish<'_>,
    most: usize,
    is_taken: impl FnMut(&SeatLabel) -> bool,
) -> Vec<Vec<SeatLabel>> {
    let mut found = candidates(layout, wish, is_taken);
    if most == 1 {
        let best = found.into_iter().min_by(|a, b| a.score.compare(&b.score));
        return best.map(|best| vec![best.labels()]).unwrap_or_default();
    }
    found.sort_by(|a, b| a.score.compare(&b.score));
    let fewest = found.first().map_or(0, |best| best.score.orphans);
    let mut apart: Vec<Candidate<'_>> = Vec::new();
    for candidate in found {
        if apart.len() == most || candidate.score.orphans > fewest {
            break;
        }
        if !apart.iter().any(|other| candidate.meets(other)) {
            apart.push(candidate);
        }
    }
    apart.iter().map(Candidate::labels).collect()
}

/// Free seats side by side, and how good they are.
struct Candidate<'a> {
    score: Score,
    /// The number of its run.
    run: usize,
    start: usize,
    block: &'a [LayoutSeat],
}

impl Candidate<'_> {
    fn labels(&self) -> Vec<SeatLabel> {
        self.block.iter().map(|seat| seat.label.clone()).collect()
    }

    fn meets(&self, other: &Self) -> bool {
        self.run == other.run && self.start.abs_diff(other.start) < self.block.len()
    }
}

fn candidates<'a>(
    layout: &'a Layout,
    wish: Wish<'_>,
    mut is_taken: impl FnMut(&SeatLabel) -> bool,
) -> Vec<Candidate<'a>> {
    let focal = layout.focal_point();
    let (mut found, mut free) = (Vec::new(), Vec::new());
    let wide_enough = |(_, run): &(usize, &[LayoutSeat])| wish.seats > 0 && run.len() >= wish.seats;
    for (number, run) in layout.runs().enumerate().filter(wide_enough) {
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
            if pairs::none_is_torn(block) {
                let score = Score {
                    orphans: lone_beside(&free, start, end),
                    distance: distance(block, focal),
                };
                let run = number;
                found.push(Candidate {
                    score,
                    run,
                    start,
                    block,
                });
            }
        }
    }
    found
}

struct Score {
    orphans: u8,
    distance: f64,
}

impl Score {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let fewer = self.orphans.cmp(&other.orphans);
        fewer.then(self.distance.total_cmp(&other.distance))
    }
}

/// How many lone free seats would stand beside the block `start..=end`.
fn lone_beside(free: &[bool], start: usize, end: usize) -> u8 {
    let is_free = |index: Option<usize>| index.and_then(|index| free.get(index)).copied().unwrap_or(false);
    let left = is_free(start.checked_sub(1)) && !is_free(start.checked_sub(2));
    let right = is_free(Some(end + 1)) && !is_free(Some(end + 2));
    u8::from(left) + u8::from(right)
}

/// The sum of the distances to a point.
fn distance(block: &[LayoutSeat], from: Point) -> f64 {
    block.iter().map(|seat| seat.position.distance(from)).sum()
}

#[cfg(test)]
mod tests;
