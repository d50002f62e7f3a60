//! A seat layout: where every seat of an auditorium is and what it is (DOMAIN C3); never changes once built.
//!
//! A [`LayoutPlan`] says what somebody drew; a [`Layout`] is a plan without faults, with its seats found by label.

mod check;
mod plain;
mod plan;
mod pretix;

use std::{collections::HashMap, ops::Range};

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
    /// The pair it is sold with, named by the label of the pair's first seat.
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
        let faults = check::faults(&plan);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let mut index = HashMap::new();
        let mut runs = Vec::new();
        for (s, section) in plan.sections.iter_mut().enumerate() {
            let narrowest = section
                .rows
                .iter()
                .flat_map(|row| gaps(&row.seats))
                .fold(f64::MAX, narrower);
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
    pub(crate) fn runs(&self) -> impl Iterator<Item = &[LayoutSeat]> {
        self.runs
            .iter()
            .map(|run| &self.plan.sections[run.section].rows[run.row].seats[run.seats.clone()])
    }
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
