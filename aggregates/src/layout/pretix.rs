//! Reads seating plans in pretix's public JSON format, with a few keys of our own; never writes it.
//!
//! Seats are placed relative to their row, rows relative to their zone. Our keys: a seat's `kind`, `aisle` and `pair`,
//! the plan's `focal_point`. Keys we don't know are skipped: pretix's format has many that draw, and grows.

use smol_str::SmolStr;

use super::{
    Area, Layout, LayoutPlan, LayoutSeat, Point, Row, SEATS_MAX, SeatCategory, SeatKind, Section, Shape, Size,
};
use crate::fault::{Fault, Faults, Node, Reading};

pub(super) fn read(document: &serde_json::Value) -> Result<Layout, Faults> {
    let reading = Reading::default();
    let plan = plan(&reading.of(document));
    let plan = reading.finish(plan)?;
    Layout::new(plan).map_err(|faults| Faults(faults.0.into_iter().map(in_their_words).collect()))
}

/// Our fields by the names they have in the file.
fn in_their_words(fault: Fault) -> Fault {
    let step = |step: &str| match step {
        "sections" => "zones".to_owned(),
        "letter" => "row_number".to_owned(),
        "number" => "seat_number".to_owned(),
        "label" => "seat_guid".to_owned(),
        "colour" => "color".to_owned(),
        other => other.to_owned(),
    };
    let pointer = fault.pointer.split('/').map(step).collect::<Vec<_>>().join("/");
    Fault {
        pointer,
        problem: fault.problem.replace("/sections/", "/zones/"),
    }
}

fn plan(root: &Node<'_>) -> Option<LayoutPlan> {
    let name = root.need("name").and_then(|name| name.text());
    let size = root.need("size").and_then(|size| {
        let width = size.need("width").and_then(|width| width.number());
        let height = size.need("height").and_then(|height| height.number());
        Some(Size {
            width: width?,
            height: height?,
        })
    });
    let focal_point = root.get("focal_point").and_then(|focal| point(&focal));
    let categories = all(root.need("categories"), |category| {
        let name = category.need("name").and_then(|name| name.text());
        let colour = category.need("color").and_then(|colour| colour.text());
        Some(SeatCategory {
            name: name?,
            colour: colour?,
        })
    });
    let sections = all(root.need("zones"), section);
    Some(LayoutPlan {
        name: name?,
        size: size?,
        focal_point,
        categories: categories?,
        sections: sections?,
    })
}

/// Every element read; none, if one of them could not be.
fn all<'a, T>(list: Option<Node<'a>>, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = list?.list(SEATS_MAX).iter().map(read).collect();
    read.into_iter().collect()
}

fn section(zone: &Node<'_>) -> Option<Section> {
    let name = zone.need("name").and_then(|name| name.text());
    let origin = zone
        .get("position")
        .map_or(Some(Point::default()), |position| point(&position));
    let areas = zone.get("areas").map_or(Some(Vec::new()), |areas| {
        all(Some(areas), |area| self::area(area, origin?))
    });
    let rows = all(zone.need("rows"), |row| {
        self::row(row, origin.unwrap_or_default())
    });
    origin?;
    Some(Section {
        name: name?,
        areas: areas?,
        rows: rows?,
    })
}

fn row(row: &Node<'_>, origin: Point) -> Option<Row> {
    let letter: Option<SmolStr> = row.need("row_number").and_then(|letter| letter.text());
    let place = row
        .get("position")
        .map_or(Some(Point::default()), |position| point(&position));
    let origin = plus(origin, place.unwrap_or_default());
    let seats = all(row.need("seats"), |seat| self::seat(seat, origin));
    place?;
    Some(Row {
        letter: letter?,
        seats: seats?,
    })
}

fn seat(seat: &Node<'_>, origin: Point) -> Option<LayoutSeat> {
    let label = seat.need("seat_guid").and_then(|label| label.text());
    let number: Option<SmolStr> = seat.need("seat_number").and_then(|number| number.text());
    let position = seat.need("position").and_then(|position| point(&position));
    let category = seat.need("category").and_then(|category| category.text());
    let kind = seat
        .get("kind")
        .map_or(Some(SeatKind::Standard), |kind| kind.text());
    let aisle = seat.get("aisle").map_or(Some(false), |aisle| aisle.truth());
    let pair = seat.get("pair").map_or(Some(None), |pair| pair.text().map(Some));
    Some(LayoutSeat {
        label: label?,
        row: SmolStr::default(),
        number: number?,
        position: plus(origin, position?),
        kind: kind?,
        category: category?,
        aisle: aisle?,
        pair: pair?,
    })
}

fn area(area: &Node<'_>, origin: Point) -> Option<Area> {
    let position = area
        .get("position")
        .map_or(Some(Point::default()), |position| point(&position));
    let rotation = area
        .get("rotation")
        .map_or(Some(0.0), |rotation| rotation.number());
    let colour = area
        .get("color")
        .map_or(Some(None), |colour| colour.text().map(Some));
    let border_colour = area
        .get("border_color")
        .map_or(Some(None), |colour| colour.text().map(Some));
    let text = area.get("text").and_then(|text| text.get("text"));
    let text = text
        .filter(|text| text.value().as_str() != Some(""))
        .map_or(Some(None), |text| text.text().map(Some));
    Some(Area {
        shape: shape(area)?,
        position: plus(origin, position?),
        rotation: rotation?,
        colour: colour?,
        border_colour: border_colour?,
        text: text?,
    })
}

fn shape(area: &Node<'_>) -> Option<Shape> {
    let kind = area.need("shape")?;
    let measure = |node: &Node<'_>, key: &str| node.need(key).and_then(|value| value.number());
    match kind.text::<SmolStr>()?.as_str() {
        "rectangle" => {
            let rectangle = area.need("rectangle")?;
            Some(Shape::Rectangle {
                width: measure(&rectangle, "width")?,
                height: measure(&rectangle, "height")?,
            })
        }
        "circle" => Some(Shape::Circle {
            radius: measure(&area.need("circle")?, "radius")?,
        }),
        "ellipse" => {
            let radius = area.need("ellipse")?.need("radius")?;
            Some(Shape::Ellipse {
                radius_x: measure(&radius, "x")?,
                radius_y: measure(&radius, "y")?,
            })
        }
        "polygon" => Some(Shape::Polygon {
            points: all(area.need("polygon")?.need("points"), point)?,
        }),
        "text" => Some(Shape::Text),
        _ => {
            kind.fault("must be rectangle, circle, ellipse, polygon or text");
            None
        }
    }
}

fn point(node: &Node<'_>) -> Option<Point> {
    let x = node.need("x").and_then(|x| x.number());
    let y = node.need("y").and_then(|y| y.number());
    Some(Point { x: x?, y: y? })
}

fn plus(a: Point, b: Point) -> Point {
    Point {
        x: a.x + b.x,
        y: a.y + b.y,
    }
}
