//! A seat layout: where every seat of an auditorium is and what it is (DOMAIN C3); never changes once built.
//!
//! A [`LayoutPlan`] says what somebody drew; a [`Layout`] is a plan without faults, with its seats found by label.

mod check;
mod pairs;
mod plain;
mod plan;
mod pretix;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;
use utoipa::openapi::{
    ArrayBuilder, Object, ObjectBuilder, RefOr, Schema, Type, schema::AdditionalProperties,
};

pub use plain::RowsAndColumns;
pub use plan::{
    Area, Colour, LayoutPlan, NotAColour, Point, Row, SeatCategory, SeatKind, Section, Shape, Size,
};

use crate::{
    fault::Faults,
    values::{Category, Name, SeatLabel},
};

/// The most seats one layout may have.
pub const SEATS_MAX: usize = 10_000;
/// A gap between neighbours wider than this many seat pitches is an aisle.
const GAP: f64 = 1.5;

/// One seat of a layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutSeat {
    /// What is printed on the ticket; unique in the layout.
    pub label: SeatLabel,
    /// The row's letter.
    #[serde(skip)]
    pub row: SmolStr,
    /// The seat's number in its row.
    #[schema(value_type = String)]
    pub number: SmolStr,
    /// Its middle.
    pub position: Point,
    /// What it is.
    #[serde(default, skip_serializing_if = "SeatKind::is_standard")]
    pub kind: SeatKind,
    /// What it costs.
    pub category: Category,
    /// Whether it is beside an aisle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aisle: bool,
    /// The pair it is sold with, named by the label of the pair's first seat; couple seats that name none are paired
    /// two by two as they stand beside each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<SeatLabel>,
}

/// A plan without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    plan: LayoutPlan,
    /// Where each label is: section, row, seat.
    index: HashMap<SeatLabel, [u16; 3]>,
    /// Seats side by side without a gap.
    runs: Vec<Run>,
    capacity: usize,
}

/// The forms in which a layout may be sent.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Drawing {
    /// Every seat.
    Plan(LayoutPlan),
    /// A rectangle with aisles.
    RowsAndColumns(RowsAndColumns),
    /// A seating plan in pretix's public JSON format: known by its `zones`.
    #[schema(value_type = SeatingPlan)]
    Pretix(serde_json::Value),
}

/// A seating plan in pretix's public JSON format: known by its `zones`, and what else it has is not closed.
#[derive(Debug)]
pub struct SeatingPlan;

impl utoipa::PartialSchema for SeatingPlan {
    fn schema() -> RefOr<Schema> {
        let object = Object::with_type(Type::Object);
        ObjectBuilder::new()
            .description(Some("A seating plan in pretix's public JSON format"))
            .property("zones", ArrayBuilder::new().items(object))
            .required("zones")
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .into()
    }
}

impl utoipa::ToSchema for SeatingPlan {}

/// Seats of one row side by side without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    section: usize,
    row: usize,
    seats: Range<usize>,
}

impl Layout {
    /// The layout of `plan`, or everything wrong with it.
    pub fn new(mut plan: LayoutPlan) -> Result<Self, Faults> {
        plan.round();
        pairs::complete(&mut plan);
        let faults = check::faults(&plan);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let mut index = HashMap::new();
        let mut runs = Vec::new();
        for (s, section) in plan.sections.iter_mut().enumerate() {
            let narrowest = narrowest_gap(&section.rows);
            for (r, row) in section.rows.iter_mut().enumerate() {
                for (n, seat) in row.seats.iter_mut().enumerate() {
                    seat.row = row.letter.clone();
                    // The check bounds all three far below 65,536.
                    let place = [s, r, n].map(|step| u16::try_from(step).unwrap_or(u16::MAX));
                    index.insert(seat.label.clone(), place);
                }
                runs.extend(side_by_side(&row.seats, narrowest).into_iter().map(|seats| Run {
                    section: s,
                    row: r,
                    seats,
                }));
            }
        }
        Ok(Self {
            capacity: index.len(),
            plan,
            index,
            runs,
        })
    }

    /// The layout of a seating plan in pretix's public JSON format, or everything wrong with it.
    pub fn from_pretix(document: &serde_json::Value) -> Result<Self, Faults> {
        pretix::read(document)
    }

    /// The layout of a document in one of the forms that are not a [`LayoutPlan`]; none if it looks like one.
    pub fn from_other_form(document: &serde_json::Value) -> Result<Option<Self>, Faults> {
        if document.get("zones").is_some() {
            pretix::read(document).map(Some)
        } else if document.get("sections").is_none() && document.get("columns").is_some() {
            RowsAndColumns::read(document)?.layout().map(Some)
        } else {
            Ok(None)
        }
    }

    /// What was drawn.
    #[must_use]
    pub const fn plan(&self) -> &LayoutPlan {
        &self.plan
    }

    /// The layout's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.plan.name
    }

    /// The seat with this label.
    #[must_use]
    pub fn seat(&self, label: &SeatLabel) -> Option<&LayoutSeat> {
        let [section, row, seat] = self.index.get(label)?.map(usize::from);
        self.plan.sections.get(section)?.rows.get(row)?.seats.get(seat)
    }

    /// All seats, section by section, row by row.
    pub fn seats(&self) -> impl Iterator<Item = &LayoutSeat> {
        self.plan
            .sections
            .iter()
            .flat_map(|section| &section.rows)
            .flat_map(|row| &row.seats)
    }

    /// How many seats there are.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The best place to sit: what was drawn, else the middle, two thirds back from the front row.
    #[must_use]
    pub fn focal_point(&self) -> Point {
        let [mut left, mut right, mut front, mut back] = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
        for Point { x, y } in self.seats().map(|seat| seat.position) {
            (left, right, front, back) = (left.min(x), right.max(x), front.min(y), back.max(y));
        }
        let middle = Point {
            x: f64::midpoint(left, right),
            y: front + (back - front) * 2.0 / 3.0,
        };
        self.plan.focal_point.unwrap_or(middle)
    }

    /// Groups of seats side by side in one row: no aisle, no gap wider than a seat's pitch.
    pub fn runs(&self) -> impl Iterator<Item = &[LayoutSeat]> {
        self.runs.iter().map(|run| self.seats_of(run))
    }

    /// The groups of seats side by side in which these seats are, each once, in order.
    #[must_use]
    pub fn runs_around(&self, labels: &[SeatLabel]) -> Vec<&[LayoutSeat]> {
        let around: BTreeSet<usize> = labels.iter().filter_map(|label| self.run_of(label)).collect();
        around
            .into_iter()
            .map(|number| self.seats_of(&self.runs[number]))
            .collect()
    }

    /// All other groups of seats side by side, those nearest to the first of these seats first.
    #[must_use]
    pub fn runs_elsewhere(&self, labels: &[SeatLabel]) -> Vec<&[LayoutSeat]> {
        let around: BTreeSet<usize> = labels.iter().filter_map(|label| self.run_of(label)).collect();
        let from = labels
            .first()
            .and_then(|label| self.seat(label))
            .map_or_else(Point::default, |seat| seat.position);
        let away = |run: &[LayoutSeat]| {
            run.iter()
                .map(|seat| seat.position.distance(from))
                .fold(f64::MAX, f64::min)
        };
        let others = self
            .runs()
            .enumerate()
            .filter(|(number, _)| !around.contains(number));
        let mut others: Vec<(f64, &[LayoutSeat])> = others.map(|(_, run)| (away(run), run)).collect();
        others.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        others.into_iter().map(|(_, run)| run).collect()
    }

    /// The seat that is sold with this couple seat.
    #[must_use]
    pub fn other_half(&self, label: &SeatLabel) -> Option<&LayoutSeat> {
        let [section, row, _] = self.index.get(label)?.map(usize::from);
        let pair = self.seat(label)?.pair.as_ref()?;
        let is_other = |seat: &&LayoutSeat| seat.pair.as_ref() == Some(pair) && seat.label != *label;
        let beside = &self.plan.sections.get(section)?.rows.get(row)?.seats;
        beside
            .iter()
            .find(is_other)
            .or_else(|| self.seats().find(is_other))
    }

    fn seats_of(&self, run: &Run) -> &[LayoutSeat] {
        &self.plan.sections[run.section].rows[run.row].seats[run.seats.clone()]
    }

    /// The number of the run a seat is in: they are in the order of the seats.
    fn run_of(&self, label: &SeatLabel) -> Option<usize> {
        let [section, row, seat] = self.index.get(label)?.map(usize::from);
        let ends_before = |run: &Run| (run.section, run.row, run.seats.end) <= (section, row, seat);
        Some(self.runs.partition_point(ends_before))
    }
}

/// The narrowest gap between neighbours in any of these rows.
fn narrowest_gap(rows: &[Row]) -> f64 {
    rows.iter()
        .flat_map(|row| gaps(&row.seats))
        .fold(f64::MAX, narrower)
}

/// From each seat of a row to the next.
fn gaps(seats: &[LayoutSeat]) -> impl Iterator<Item = f64> {
    seats
        .windows(2)
        .map(|pair| pair[0].position.distance(pair[1].position))
}

fn narrower(a: f64, b: f64) -> f64 {
    if b > 0.0 { a.min(b) } else { a }
}

/// Cuts a row where a gap is wider than one and a half seat pitches. The pitch is the row's own narrowest gap; where all
/// its seats are beside aisles, so that every gap may be one, it is the section's.
fn side_by_side(seats: &[LayoutSeat], narrowest: f64) -> Vec<Range<usize>> {
    let no_aisle = |pair: &[LayoutSeat]| !(pair[0].aisle && pair[1].aisle);
    let own = seats
        .windows(2)
        .zip(gaps(seats))
        .filter(|(pair, _)| no_aisle(pair))
        .map(|(_, gap)| gap);
    let own = own.fold(f64::MAX, narrower);
    let pitch = if own < f64::MAX { own } else { narrowest };
    let mut runs = Vec::new();
    let mut start = 0;
    for (index, gap) in gaps(seats).enumerate() {
        if gap > pitch * GAP {
            runs.push(start..index + 1);
            start = index + 1;
        }
    }
    if start < seats.len() {
        runs.push(start..seats.len());
    }
    runs
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.plan.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(LayoutPlan::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
