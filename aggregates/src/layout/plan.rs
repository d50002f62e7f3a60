//! What somebody drew: sections, rows, seats, areas; never checked here (see `check`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::{SmolStr, format_smolstr};

use super::LayoutSeat;
use crate::values::{Category, Name};

/// A drawing of an auditorium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LayoutPlan {
    /// Its name.
    pub name: Name,
    /// The drawing's size.
    pub size: Size,
    /// The best place to sit; the middle, two thirds back, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal_point: Option<Point>,
    /// The price categories of the seats.
    pub categories: Vec<SeatCategory>,
    /// Parts of the auditorium.
    pub sections: Vec<Section>,
}

impl LayoutPlan {
    /// Keeps hundredths: a number with few digits is read exactly as it was written, so a stored layout stays equal to
    /// the drawing it came from.
    pub(super) fn round(&mut self) {
        let numbers = [&mut self.size.width, &mut self.size.height].into_iter();
        numbers
            .chain(self.focal_point.iter_mut().flat_map(Point::numbers))
            .for_each(round);
        for section in &mut self.sections {
            section
                .rows
                .iter_mut()
                .flat_map(|row| &mut row.seats)
                .flat_map(|seat| seat.position.numbers())
                .for_each(round);
            for area in &mut section.areas {
                round(&mut area.rotation);
                area.position.numbers().into_iter().for_each(round);
                match &mut area.shape {
                    Shape::Rectangle { width: a, height: b }
                    | Shape::Ellipse {
                        radius_x: a,
                        radius_y: b,
                    } => {
                        [a, b].into_iter().for_each(round);
                    }
                    Shape::Circle { radius } => round(radius),
                    Shape::Polygon { points } => points.iter_mut().flat_map(Point::numbers).for_each(round),
                    Shape::Text => {}
                }
            }
        }
    }
}

fn round(number: &mut f64) {
    *number = (*number * 100.0).round() / 100.0;
}

/// A price category and its colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatCategory {
    /// Its name.
    pub name: Category,
    /// How it is drawn.
    pub colour: Colour,
}

/// A part of an auditorium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its name.
    pub name: Name,
    /// What is drawn besides seats: a stage, a pillar, a text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<Area>,
    /// Its rows, front first.
    pub rows: Vec<Row>,
}

/// A row of seats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What it is called, for example `C`.
    #[schema(value_type = String)]
    pub letter: SmolStr,
    /// Its seats, in the order people sit.
    pub seats: Vec<LayoutSeat>,
}

/// Something drawn that is not a seat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Its form.
    pub shape: Shape,
    /// Where it is.
    pub position: Point,
    /// How far it is turned, in degrees.
    #[serde(default)]
    pub rotation: f64,
    /// Its fill colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Colour>,
    /// The colour of its border.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border_colour: Option<Colour>,
    /// What is written on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Name>,
}

/// The form of an area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// From its upper left corner.
    Rectangle {
        /// To the right.
        width: f64,
        /// Downwards.
        height: f64,
    },
    /// Around its middle.
    Circle {
        /// From the middle.
        radius: f64,
    },
    /// Around its middle.
    Ellipse {
        /// To the side.
        radius_x: f64,
        /// Up and down.
        radius_y: f64,
    },
    /// Through these points, relative to its position.
    Polygon {
        /// The corners.
        points: Vec<Point>,
    },
    /// Only its text.
    Text,
}

/// A place in the drawing: x to the right, y away from the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Away from the screen.
    pub y: f64,
}

impl Point {
    fn numbers(&mut self) -> [&mut f64; 2] {
        [&mut self.x, &mut self.y]
    }

    /// How far it is to `other`.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

/// The size of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// From left to right.
    pub width: f64,
    /// From front to back.
    pub height: f64,
}

/// What a seat is.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SeatKind {
    /// For anyone.
    #[default]
    Standard,
    /// Half of a pair for two.
    Couple,
    /// A place for a wheelchair.
    Wheelchair,
    /// Beside a wheelchair place.
    Companion,
    /// With a back that leans.
    Recliner,
}

impl SeatKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Standard,
        Self::Couple,
        Self::Wheelchair,
        Self::Companion,
        Self::Recliner,
    ];

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(super) fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

impl FromStr for SeatKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "standard" => Ok(Self::Standard),
            "couple" => Ok(Self::Couple),
            "wheelchair" => Ok(Self::Wheelchair),
            "companion" => Ok(Self::Companion),
            "recliner" => Ok(Self::Recliner),
            _ => Err("must be standard, couple, wheelchair, companion or recliner"),
        }
    }
}

/// A colour as `#3b82f6`, or with its opacity as `#3b82f680`; the short forms of CSS are written out.
#[derive(Debug, Clone, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})$", example = "#3b82f6")]
pub struct Colour(SmolStr);

/// Why a text is no colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour like #3b82f6")]
pub struct NotAColour;

impl Colour {
    /// The usual colour of a seat.
    pub const BLUE: Self = Self(SmolStr::new_static("#3b82f6"));
}

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, NotAColour> {
        let digits = text.strip_prefix('#').ok_or(NotAColour)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        let digits = digits.to_ascii_lowercase();
        match digits.len() {
            3 | 4 => {
                let doubled: String = digits.chars().flat_map(|digit| [digit, digit]).collect();
                Ok(Self(format_smolstr!("#{doubled}")))
            }
            6 | 8 => Ok(Self(format_smolstr!("#{digits}"))),
            _ => Err(NotAColour),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}
