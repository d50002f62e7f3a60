//! The plain description of an auditorium: so many rows of so many seats; never more than a rectangle with aisles.

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, ToSmolStr};

use super::{Colour, Layout, LayoutPlan, LayoutSeat, Point, Row, SeatCategory, SeatKind, Section, Size};
use crate::{
    fault::{Fault, Faults, Node, Reading},
    values::{Category, Name},
};

/// The most rows, and the most columns.
const SIDE_MAX: i64 = 200;
/// The most aisles.
const AISLES_MAX: usize = 200;
/// From one seat's middle to the next one's.
const PITCH: f64 = 32.0;
/// From one row to the next.
const DEPTH: f64 = 35.2;
/// From the screen to the first row.
const FRONT: f64 = 70.4;

/// Rows and columns, front row `A`, seats numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RowsAndColumns {
    /// The layout's name.
    pub name: Name,
    /// How many rows, 1 to 200.
    pub rows: u16,
    /// How many seats in each, 1 to 200.
    pub columns: u16,
    /// The price category of every seat.
    pub category: Category,
    /// After which columns there is an aisle.
    #[serde(default)]
    pub aisles_after: Vec<u16>,
}

impl RowsAndColumns {
    /// The description in a document, or everything wrong with it.
    pub fn read(document: &serde_json::Value) -> Result<Self, Faults> {
        let reading = Reading::default();
        let root = reading.of(document);
        root.only(&["name", "rows", "columns", "category", "aisles_after"]);
        let name = root.field("name", Node::text);
        let rows = root.field("rows", |rows| rows.integer(1..=SIDE_MAX));
        let columns = root.field("columns", |columns| columns.integer(1..=SIDE_MAX));
        let category = root.field("category", Node::text);
        let aisles_after = root.maybe("aisles_after", |list| {
            list.each(AISLES_MAX, |column| column.integer(1..=SIDE_MAX))
        });
        let read = || {
            Some(Self {
                name: name?,
                rows: rows?,
                columns: columns?,
                category: category?,
                aisles_after: aisles_after?.unwrap_or_default(),
            })
        };
        let described = read();
        reading.finish(described)
    }

    /// The layout, or everything wrong with the description.
    pub fn layout(&self) -> Result<Layout, Faults> {
        let mut faults = Vec::new();
        for (pointer, count) in [("/rows", self.rows), ("/columns", self.columns)] {
            if !(1..=200).contains(&count) {
                faults.push(Fault::at(pointer, "must be a whole number from 1 to 200"));
            }
        }
        for (index, after) in self.aisles_after.iter().enumerate() {
            if *after == 0 || *after >= self.columns {
                let problem = "must be a column with another one after it";
                faults.push(Fault::at(format!("/aisles_after/{index}"), problem));
            }
        }
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let row = |number: u16| Row {
            letter: letters(number),
            seats: (1..=self.columns)
                .map(|column| self.seat(number, column))
                .collect(),
        };
        Layout::new(LayoutPlan {
            name: self.name.clone(),
            size: Size {
                width: self.x(self.columns) + PITCH * 2.0,
                height: y(self.rows) + FRONT,
            },
            focal_point: None,
            categories: vec![SeatCategory {
                name: self.category.clone(),
                colour: Colour::BLUE,
            }],
            sections: vec![Section {
                name: self.name.clone(),
                areas: Vec::new(),
                rows: (0..self.rows).map(row).collect(),
            }],
        })
    }

    fn x(&self, column: u16) -> f64 {
        let aisles = self.aisles_after.iter().filter(|after| **after < column).count();
        PITCH * (f64::from(column) + f64::from(u16::try_from(aisles).unwrap_or(u16::MAX)))
    }

    fn seat(&self, row: u16, column: u16) -> LayoutSeat {
        let letter = letters(row);
        LayoutSeat {
            // Letters and digits, at most six of them: always a label.
            label: smol_str::format_smolstr!("{letter}{column}")
                .parse()
                .unwrap_or(crate::values::SeatLabel::room()),
            row: letter,
            number: column.to_smolstr(),
            position: Point {
                x: self.x(column),
                y: y(row),
            },
            kind: SeatKind::Standard,
            category: self.category.clone(),
            aisle: self
                .aisles_after
                .iter()
                .any(|after| column == *after || column == after + 1),
            pair: None,
        }
    }
}

fn y(row: u16) -> f64 {
    FRONT + DEPTH * f64::from(row)
}

/// `A` to `Z`, then `AA`, `AB` …
fn letters(number: u16) -> SmolStr {
    let letter = |index: u16| char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
    match number.checked_sub(26) {
        None => letter(number).to_smolstr(),
        Some(rest) => [letter(rest / 26), letter(rest)].into_iter().collect(),
    }
}
