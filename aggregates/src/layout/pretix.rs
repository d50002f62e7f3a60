//! Reads seating plans in pretix's public JSON format, with a few keys of our own; never writes it.
//!
//! Seats are placed relative to their row, rows relative to their zone. Our keys: a seat's `kind`, `aisle` and `pair`,
//! the plan's `focal_point`. Keys we don't know are skipped: pretix's format has many that draw, and grows.
//!
//! A seat's label is its `seat_guid`, as far as that can be printed on a ticket; else its row and number, behind the number
//! of its zone where an earlier zone has a row of the same name. Numbers of rows and seats are names, also where they are
//! written as JSON numbers; they differ within a zone, and within a row.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use smol_str::{SmolStr, ToSmolStr as _};

use super::{
    Area, Layout, LayoutPlan, LayoutSeat, Point, Row, SEATS_MAX, SeatCategory, SeatKind, Section, Shape, Size,
};
use crate::{
    fault::{Fault, Faults, Node, Reading},
    values::SeatLabel,
};

pub(super) fn read(document: &Value) -> Result<Layout, Faults> {
    let reading = Reading::default();
    let root = reading.of(document);
    // What contradicts itself is told together with what is only not allowed.
    let layout = plan(&root).and_then(|plan| match Layout::new(plan) {
        Ok(layout) => Some(layout),
        Err(Faults(faults)) => {
            let named = faults.into_iter().map(|fault| in_their_words(document, fault));
            named.for_each(|fault| root.nested(&fault));
            None
        }
    });
    reading.finish(layout)
}

/// Our fields by the names they have in the file.
fn in_their_words(document: &Value, fault: Fault) -> Fault {
    let mut pointer = String::new();
    for step in fault.pointer.split('/').skip(1) {
        let step = match step {
            "sections" => "zones",
            "letter" => "row_number",
            "number" => "seat_number",
            "label" => "seat_guid",
            "colour" => "color",
            "border_colour" => "border_color",
            "text" => "text/text",
            "radius_x" => "radius/x",
            "radius_y" => "radius/y",
            // The measures of an area stand below the name of its shape.
            "shape" => document
                .pointer(&format!("{pointer}/shape"))
                .and_then(Value::as_str)
                .unwrap_or(step),
            other => other,
        };
        pointer = format!("{pointer}/{step}");
    }
    let problem = fault
        .problem
        .replace("/sections/", "/zones/")
        .replace("the label of", "the seat_guid of");
    Fault { pointer, problem }
}

fn plan(root: &Node<'_>) -> Option<LayoutPlan> {
    let name = root.field("name", Node::text);
    let size = root.field("size", |size| {
        let (width, height) = pair(size, "width", "height")?;
        Some(Size { width, height })
    });
    let focal_point = root.maybe("focal_point", point);
    let categories = root.field("categories", |list| {
        list.each(SEATS_MAX, |category| {
            let (name, colour) = (
                category.field("name", Node::text),
                category.field("color", Node::text),
            );
            Some(SeatCategory {
                name: name?,
                colour: colour?,
            })
        })
    });
    let mut rows_before = HashSet::new();
    let mut number = 0;
    let sections = root.field("zones", |zones| {
        zones.each(SEATS_MAX, |zone| {
            number += 1;
            let rows = row_names(zone);
            let repeats = rows.iter().any(|row| rows_before.contains(row));
            rows_before.extend(rows);
            section(zone, repeats.then_some(number))
        })
    });
    Some(LayoutPlan {
        name: name?,
        size: size?,
        focal_point: focal_point?,
        categories: categories?,
        sections: sections?,
    })
}

/// Where a part is; nowhere else than its whole, when it does not say.
fn origin(part: &Node<'_>) -> Option<Point> {
    part.maybe("position", point).map(Option::unwrap_or_default)
}

/// The names of a zone's rows.
fn row_names(zone: &Node<'_>) -> Vec<SmolStr> {
    let rows = zone.value().get("rows").and_then(Value::as_array);
    let name = |row: &Value| as_printed(row.get("row_number")?);
    rows.into_iter().flatten().filter_map(name).collect()
}

/// A name, also where it was written as a whole number.
fn as_printed(name: &Value) -> Option<SmolStr> {
    let number = || name.as_i64().map(|number| number.to_smolstr());
    name.as_str().map(SmolStr::new).or_else(number)
}

fn printed(node: &Node<'_>) -> Option<SmolStr> {
    let name = as_printed(node.value());
    if name.is_none() {
        node.fault("must be a string, for example \"7\"");
    }
    name
}

/// Notes where names stand that must differ from each other, and what is called the same.
#[derive(Default)]
struct Once(HashMap<SmolStr, String>);

impl Once {
    fn check(&mut self, part: &Node<'_>, field: &str) {
        let Some(node) = part.get(field) else { return };
        let Some(name) = as_printed(node.value()) else {
            return;
        };
        if let Some(first) = self.0.get(&name) {
            node.fault(format!("{name} is already the {field} of {first}"));
        } else {
            self.0.insert(name, part.pointer().to_owned());
        }
    }
}

/// `number` is this zone's, if its labels must say it.
fn section(zone: &Node<'_>, number: Option<usize>) -> Option<Section> {
    let name = zone.field("name", Node::text);
    let place = origin(zone);
    let from = place.unwrap_or_default();
    let areas = zone.maybe("areas", |areas| {
        areas.each(SEATS_MAX, |area| self::area(area, from))
    });
    let mut names = Once::default();
    let rows = zone.field("rows", |rows| {
        rows.each(SEATS_MAX, |row| {
            names.check(row, "row_number");
            self::row(row, from, number)
        })
    });
    place?;
    Some(Section {
        name: name?,
        areas: areas?.unwrap_or_default(),
        rows: rows?,
    })
}

fn row(row: &Node<'_>, from: Point, zone: Option<usize>) -> Option<Row> {
    let letter = row.field("row_number", printed);
    if let Some(position) = row.get("row_number_position")
        && !matches!(position.value().as_str(), Some("start" | "end" | "both" | "none"))
    {
        position.fault("must be start, end, both or none");
    }
    let place = origin(row);
    let from = plus(from, place.unwrap_or_default());
    let mut numbers = Once::default();
    let seats = row.field("seats", |seats| {
        seats.each(SEATS_MAX, |seat| {
            numbers.check(seat, "seat_number");
            let name = letter.as_ref().map_or("", SmolStr::as_str);
            self::seat(seat, from, &|number| derived(zone, name, number))
        })
    });
    place?;
    Some(Row {
        letter: letter?,
        seats: seats?,
    })
}

/// A label of what is printed on the seat; none, if that is nothing or too long.
fn derived(zone: Option<usize>, row: &str, number: &str) -> Option<SeatLabel> {
    let zone = zone.map(|zone| format!("{zone}-")).unwrap_or_default();
    let printed = row.chars().chain(number.chars()).filter(|c| c.is_alphanumeric());
    let printed: String = printed.collect();
    // Without a number of its own it would be the label of its whole row.
    let whole = number.chars().any(char::is_alphanumeric);
    whole.then(|| format!("{zone}{printed}").parse().ok()).flatten()
}

fn seat(seat: &Node<'_>, from: Point, derived: &dyn Fn(&str) -> Option<SeatLabel>) -> Option<LayoutSeat> {
    let label = seat.field("seat_guid", |guid| {
        let fits = guid.value().as_str().and_then(|text| text.parse().ok());
        let number = seat.value().get("seat_number").and_then(as_printed);
        let derived = || derived(&guid.value().as_str().and(number)?);
        fits.or_else(derived).or_else(|| guid.text())
    });
    let number = seat.field("seat_number", printed);
    let position = seat.field("position", point);
    let category = seat.field("category", Node::text);
    let kind = seat.maybe("kind", Node::text::<SeatKind>);
    let aisle = seat.maybe("aisle", Node::truth);
    let pair = seat.maybe("pair", Node::text);
    Some(LayoutSeat {
        label: label?,
        row: SmolStr::default(),
        number: number?,
        position: plus(from, position?),
        kind: kind?.unwrap_or_default(),
        category: category?,
        aisle: aisle?.unwrap_or_default(),
        pair: pair?,
    })
}

fn area(area: &Node<'_>, from: Point) -> Option<Area> {
    let place = origin(area);
    let rotation = area.maybe("rotation", Node::number);
    let colour = area.maybe("color", Node::text);
    let border_colour = area.maybe("border_color", Node::text);
    // pretix writes an empty text on every area that has none.
    let text = area.get("text").and_then(|text| text.get("text"));
    let text = text.filter(|text| text.value().as_str() != Some(""));
    let text = text.map_or(Some(None), |text| text.text().map(Some));
    Some(Area {
        shape: shape(area)?,
        position: plus(from, place?),
        rotation: rotation?.unwrap_or_default(),
        colour: colour?,
        border_colour: border_colour?,
        text: text?,
    })
}

fn shape(area: &Node<'_>) -> Option<Shape> {
    let kind = area.need("shape")?;
    match kind.text::<SmolStr>()?.as_str() {
        "rectangle" => {
            let (width, height) = area.field("rectangle", |rectangle| pair(rectangle, "width", "height"))?;
            Some(Shape::Rectangle { width, height })
        }
        "circle" => {
            let radius = area.field("circle", |circle| circle.field("radius", Node::number))?;
            Some(Shape::Circle { radius })
        }
        "ellipse" => {
            let radius = |ellipse: &Node<'_>| ellipse.field("radius", |radius| pair(radius, "x", "y"));
            let (radius_x, radius_y) = area.field("ellipse", radius)?;
            Some(Shape::Ellipse { radius_x, radius_y })
        }
        "polygon" => {
            let points = |polygon: &Node<'_>| polygon.field("points", |points| points.each(SEATS_MAX, point));
            Some(Shape::Polygon {
                points: area.field("polygon", points)?,
            })
        }
        "text" => Some(Shape::Text),
        _ => {
            kind.fault("must be rectangle, circle, ellipse, polygon or text");
            None
        }
    }
}

fn point(node: &Node<'_>) -> Option<Point> {
    let (x, y) = pair(node, "x", "y")?;
    Some(Point { x, y })
}

/// Two numbers, both looked at even if the first is wrong.
fn pair(node: &Node<'_>, a: &str, b: &str) -> Option<(f64, f64)> {
    let (a, b) = (node.field(a, Node::number), node.field(b, Node::number));
    Some((a?, b?))
}

fn plus(a: Point, b: Point) -> Point {
    Point {
        x: a.x + b.x,
        y: a.y + b.y,
    }
}
