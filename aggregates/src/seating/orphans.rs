//! The orphan rule (DOMAIN C12): no single free seat is left between what is taken, where it can be helped. Never knows who
//! has a seat.
//!
//! A *block* is a stretch of one row without an aisle or gap. Within it a seat is *free* if it is sold to everyone one by
//! one and nobody has it; all others (taken, blocked, couple seats, the protected pool before it opens) are walls like the
//! block's ends. A free seat is *lone* if both its neighbours are walls. A choice *leaves a lone seat* if it makes a free
//! seat lone that was not lone before; a seat that was lone already may be bought or left.
//!
//! A choice of n seats in g groups (seats side by side are one group) that leaves a lone seat is refused, if n seats in at
//! most g groups could be had that leave none: under `lenient` in the blocks the choice touches, under `strict` anywhere in
//! the hall. Otherwise it is accepted, so whatever is free can always be sold.
//!
//! Why it suffices to take one group from each stretch of free seats: of a stretch of `length` seats, k can be taken without
//! leaving a lone one exactly if `length − k` is not 1, and then from one of its ends in one group; more groups need two
//! free seats between them, and with those left over one group does as well.

use serde::{Deserialize, Serialize};

use super::distance;
use crate::{
    layout::{LayoutSeat, Point},
    values::SeatLabel,
};

/// Suggestions that go with one refusal.
pub const SUGGESTIONS_MAX: usize = 3;

/// Whether a choice may leave a single seat alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrphanRule {
    /// It may.
    #[default]
    Off,
    /// It may not, if as many seats of the same stretches of a row could be had without.
    Lenient,
    /// It may not, if as many seats anywhere in the hall could be had without.
    Strict,
}

impl OrphanRule {
    /// Each, by the word it is written as.
    pub const ALL: [(&'static str, Self); 3] = [
        ("off", Self::Off),
        ("lenient", Self::Lenient),
        ("strict", Self::Strict),
    ];

    /// The word it is written as.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => Self::ALL[0].0,
            Self::Lenient => Self::ALL[1].0,
            Self::Strict => Self::ALL[2].0,
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(crate) fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

impl std::str::FromStr for OrphanRule {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|(word, _)| *word == text);
        known
            .map(|(_, rule)| rule)
            .ok_or("must be off, lenient or strict")
    }
}

/// A choice and the blocks around it, as they would be without it.
#[derive(Debug)]
pub struct Neighbourhood<'a> {
    chosen: &'a [SeatLabel],
    blocks: Vec<Block<'a>>,
}

#[derive(Debug)]
struct Block<'a> {
    seats: &'a [LayoutSeat],
    /// Which seats are free, those of the choice included.
    free: Vec<bool>,
    /// Which free seats are chosen.
    chosen: Vec<bool>,
}

/// Free seats side by side.
#[derive(Debug, Clone, Copy)]
struct Stretch<'a>(&'a [LayoutSeat]);

impl<'a> Neighbourhood<'a> {
    /// Of this choice; its blocks come next.
    #[must_use]
    pub const fn of(chosen: &'a [SeatLabel]) -> Self {
        Self {
            chosen,
            blocks: Vec::new(),
        }
    }

    /// Takes a block in. `is_free` says which of its seats are free without the choice.
    pub fn add(&mut self, seats: &'a [LayoutSeat], is_free: impl FnMut(&LayoutSeat) -> bool) {
        let free: Vec<bool> = seats.iter().map(is_free).collect();
        let is_chosen = |(seat, free): (&LayoutSeat, &bool)| *free && self.chosen.contains(&seat.label);
        let chosen = seats.iter().zip(&free).map(is_chosen).collect();
        self.blocks.push(Block { seats, free, chosen });
    }

    /// The seats the choice would leave alone.
    #[must_use]
    pub fn lone(&self) -> Vec<SeatLabel> {
        self.blocks.iter().flat_map(Block::lone).cloned().collect()
    }

    /// Whole choices of the same size in no more groups that leave nobody alone, the nearest first: at most
    /// [`SUGGESTIONS_MAX`], and one at least if the blocks have any.
    #[must_use]
    pub fn others(&self) -> Vec<Vec<SeatLabel>> {
        let size = self
            .blocks
            .iter()
            .flat_map(|block| &block.chosen)
            .filter(|is| **is)
            .count();
        let groups = self.blocks.iter().map(Block::groups).sum();
        if size == 0 {
            return Vec::new();
        }
        let middle = self.middle();
        let mut stretches: Vec<Stretch<'_>> = self.blocks.iter().flat_map(Block::stretches).collect();
        stretches.sort_by(|a, b| a.from(middle).total_cmp(&b.from(middle)));
        let mut together: Vec<&[LayoutSeat]> =
            stretches.iter().flat_map(|stretch| stretch.ways(size)).collect();
        together.sort_by(|a, b| distance(a, middle).total_cmp(&distance(b, middle)));
        together.truncate(SUGGESTIONS_MAX);
        let found: Vec<Vec<&[LayoutSeat]>> = if together.is_empty() {
            apart(&stretches, size, groups, middle).into_iter().collect()
        } else {
            together.into_iter().map(|way| vec![way]).collect()
        };
        found.iter().map(|parts| self.with_the_rest(parts)).collect()
    }

    /// These seats instead of the free ones that were chosen; what else was chosen stays.
    fn with_the_rest(&self, parts: &[&[LayoutSeat]]) -> Vec<SeatLabel> {
        let replaced: Vec<&SeatLabel> = self.blocks.iter().flat_map(Block::chosen_labels).collect();
        let rest = self.chosen.iter().filter(|label| !replaced.contains(label));
        let new = parts.iter().flat_map(|part| part.iter().map(|seat| &seat.label));
        rest.chain(new).cloned().collect()
    }

    /// The middle of the chosen seats.
    fn middle(&self) -> Point {
        let chosen = self.blocks.iter().flat_map(Block::chosen_seats);
        let (mut x, mut y, mut count) = (0.0, 0.0, 0.0);
        for seat in chosen {
            (x, y, count) = (x + seat.position.x, y + seat.position.y, count + 1.0);
        }
        Point {
            x: x / count,
            y: y / count,
        }
    }
}

impl<'a> Block<'a> {
    fn lone(&self) -> impl Iterator<Item = &'a SeatLabel> {
        let before = |index: Option<usize>| index.and_then(|index| self.free.get(index)) == Some(&true);
        let after = move |index: Option<usize>| {
            before(index) && index.and_then(|index| self.chosen.get(index)) == Some(&false)
        };
        let is_lone = move |index: &usize| {
            let beside = [index.checked_sub(1), Some(index + 1)];
            after(Some(*index)) && beside.iter().any(|at| before(*at)) && !beside.iter().any(|at| after(*at))
        };
        let seats = self.seats;
        (0..seats.len()).filter(is_lone).map(|index| &seats[index].label)
    }

    fn groups(&self) -> usize {
        self.chosen.chunk_by(|a, b| a == b).filter(|part| part[0]).count()
    }

    fn chosen_seats(&self) -> impl Iterator<Item = &'a LayoutSeat> {
        self.seats
            .iter()
            .zip(&self.chosen)
            .filter(|(_, is)| **is)
            .map(|(seat, _)| seat)
    }

    fn chosen_labels(&self) -> impl Iterator<Item = &'a SeatLabel> {
        self.chosen_seats().map(|seat| &seat.label)
    }

    fn stretches(&self) -> Vec<Stretch<'a>> {
        let (mut found, mut start) = (Vec::new(), 0);
        for part in self.free.chunk_by(|a, b| a == b) {
            let end = start + part.len();
            if part[0] {
                found.push(Stretch(&self.seats[start..end]));
            }
            start = end;
        }
        found
    }
}

impl<'a> Stretch<'a> {
    /// Every way to take so many of its seats side by side without leaving one alone.
    fn ways(self, size: usize) -> impl Iterator<Item = &'a [LayoutSeat]> {
        let Self(seats) = self;
        let last = seats.len().checked_sub(size);
        let starts = last.into_iter().flat_map(|last| 0..=last);
        starts
            .filter(move |start| *start != 1 && seats.len() - size - start != 1)
            .map(move |start| &seats[start..start + size])
    }

    /// How far its nearest seat is.
    fn from(self, point: Point) -> f64 {
        self.0
            .iter()
            .map(|seat| seat.position.distance(point))
            .fold(f64::MAX, f64::min)
    }
}

/// From which stretches seats come, and how many from each.
type Parts = Vec<(usize, usize)>;

/// So many seats in at most so many groups, each of a stretch of its own, that leave nobody alone; near stretches first.
fn apart<'a>(
    stretches: &[Stretch<'a>],
    size: usize,
    groups: usize,
    middle: Point,
) -> Option<Vec<&'a [LayoutSeat]>> {
    // For every number of seats and of groups.
    let mut reached: Vec<Vec<Option<Parts>>> = vec![vec![None; groups + 1]; size + 1];
    reached[0][0] = Some(Vec::new());
    'found: for (number, stretch) in stretches.iter().enumerate() {
        let length = stretch.0.len();
        for seats in (1..=size).rev() {
            for group in (1..=groups).rev() {
                if reached[seats][group].is_some() {
                    continue;
                }
                let mut ways = (1..=seats.min(length)).rev().filter(|taken| taken + 1 != length);
                let way = ways.find_map(|taken| {
                    let mut parts = reached[seats - taken][group - 1].clone()?;
                    parts.push((number, taken));
                    Some(parts)
                });
                reached[seats][group] = way;
            }
        }
        if reached[size].iter().any(Option::is_some) {
            break 'found;
        }
    }
    let parts = reached[size].iter().flatten().next()?;
    let nearest = |(number, taken): &(usize, usize)| {
        let ways = stretches[*number].ways(*taken);
        ways.min_by(|a, b| distance(a, middle).total_cmp(&distance(b, middle)))
    };
    parts.iter().map(nearest).collect()
}

#[cfg(test)]
mod tests;
