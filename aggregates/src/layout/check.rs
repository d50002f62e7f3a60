//! Everything that can be wrong with a plan, all of it at once; never repairs anything.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{LayoutPlan, LayoutSeat, Point, SEATS_MAX, SeatKind, Section, Shape};
use crate::{
    fault::Fault,
    values::{Category, SeatLabel},
};

/// The greatest coordinate, to either side.
const COORDINATE_MAX: f64 = 1_000_000.0;
/// The most categories, sections, rows of a section, or areas of a section.
const PARTS_MAX: usize = 1_000;
/// The most corners of a polygon.
const CORNERS_MAX: usize = 1_000;
/// The most characters of a row's letter or a seat's number.
const LETTERS_MAX: usize = 16;

pub(super) fn faults(plan: &LayoutPlan) -> Vec<Fault> {
    let mut check = Check { faults: Vec::new() };
    check.whole(plan);
    let mut known = HashSet::new();
    for (index, category) in plan.categories.iter().enumerate() {
        if !known.insert(&category.name) {
            check.fault(
                format!("/categories/{index}/name"),
                "names a category that is already listed",
            );
        }
    }
    let mut labels = HashMap::new();
    let mut pairs: BTreeMap<&SeatLabel, Vec<String>> = BTreeMap::new();
    for (s, section) in plan.sections.iter().enumerate() {
        check.section(section, &format!("/sections/{s}"));
        for (r, row) in section.rows.iter().enumerate() {
            let here = format!("/sections/{s}/rows/{r}");
            check.word(&row.letter, &format!("{here}/letter"));
            if row.seats.is_empty() {
                check.fault(format!("{here}/seats"), "must not be empty");
            }
            for (n, seat) in row.seats.iter().enumerate() {
                let here = format!("{here}/seats/{n}");
                check.seat(seat, &known, &here);
                if let Some(first) = labels.insert(&seat.label, here.clone()) {
                    check.fault(
                        format!("{here}/label"),
                        format!("{} is already the label of {first}", seat.label),
                    );
                }
                if let Some(pair) = &seat.pair {
                    pairs.entry(pair).or_default().push(here);
                }
            }
        }
    }
    for (pair, seats) in pairs {
        if seats.len() != 2 || !labels.contains_key(pair) {
            for here in seats {
                check.fault(
                    format!("{here}/pair"),
                    format!("the pair {pair} must be two seats, {pair} among them"),
                );
            }
        }
    }
    if labels.is_empty() || labels.len() > SEATS_MAX {
        check.fault(
            "/sections".to_owned(),
            format!("must have 1 to {SEATS_MAX} seats, has {}", labels.len()),
        );
    }
    check.faults
}

struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, pointer: String, problem: impl Into<String>) {
        self.faults.push(Fault::at(pointer, problem));
    }

    fn whole(&mut self, plan: &LayoutPlan) {
        self.length(plan.size.width, "/size/width");
        self.length(plan.size.height, "/size/height");
        if let Some(point) = plan.focal_point {
            self.point(point, "/focal_point");
        }
        self.count(plan.categories.len(), "/categories");
        self.count(plan.sections.len(), "/sections");
    }

    fn count(&mut self, count: usize, pointer: &str) {
        if count > PARTS_MAX {
            self.fault(
                pointer.to_owned(),
                format!("must have at most {PARTS_MAX} elements, has {count}"),
            );
        }
    }

    fn length(&mut self, length: f64, pointer: &str) {
        if !(length > 0.0 && length <= COORDINATE_MAX) {
            self.fault(pointer.to_owned(), "must be more than 0 and at most a million");
        }
    }

    fn point(&mut self, point: Point, pointer: &str) {
        for (axis, value) in [("x", point.x), ("y", point.y)] {
            if !(-COORDINATE_MAX..=COORDINATE_MAX).contains(&value) {
                self.fault(format!("{pointer}/{axis}"), "must be at most a million");
            }
        }
    }

    fn word(&mut self, word: &str, pointer: &str) {
        let fits = (1..=LETTERS_MAX).contains(&word.chars().count());
        if !fits || word.chars().any(|c| c.is_control() || c.is_whitespace()) {
            self.fault(
                pointer.to_owned(),
                format!("must have 1 to {LETTERS_MAX} characters without spaces"),
            );
        }
    }

    fn seat(&mut self, seat: &LayoutSeat, categories: &HashSet<&Category>, here: &str) {
        self.word(&seat.number, &format!("{here}/number"));
        self.point(seat.position, &format!("{here}/position"));
        if !categories.contains(&seat.category) {
            self.fault(
                format!("{here}/category"),
                format!("there is no category {}", seat.category),
            );
        }
        match (seat.kind == SeatKind::Couple, seat.pair.is_some()) {
            (true, false) => self.fault(
                format!("{here}/pair"),
                "is missing: an odd number of couple seats stands together; give both seats of a couple the label of \
                 their first seat as `pair`",
            ),
            (false, true) => self.fault(format!("{here}/pair"), "is only for seats of the kind couple"),
            (true, true) | (false, false) => {}
        }
    }

    fn section(&mut self, section: &Section, here: &str) {
        self.count(section.rows.len(), &format!("{here}/rows"));
        self.count(section.areas.len(), &format!("{here}/areas"));
        for (index, area) in section.areas.iter().enumerate() {
            let here = format!("{here}/areas/{index}");
            self.point(area.position, &format!("{here}/position"));
            if !(-360.0..=360.0).contains(&area.rotation) {
                self.fault(format!("{here}/rotation"), "must be from -360 to 360 degrees");
            }
            match &area.shape {
                Shape::Rectangle { width, height } => {
                    self.length(*width, &format!("{here}/shape/width"));
                    self.length(*height, &format!("{here}/shape/height"));
                }
                Shape::Circle { radius } => self.length(*radius, &format!("{here}/shape/radius")),
                Shape::Ellipse { radius_x, radius_y } => {
                    self.length(*radius_x, &format!("{here}/shape/radius_x"));
                    self.length(*radius_y, &format!("{here}/shape/radius_y"));
                }
                Shape::Polygon { points } => {
                    if !(3..=CORNERS_MAX).contains(&points.len()) {
                        self.fault(
                            format!("{here}/shape/points"),
                            format!("must be 3 to {CORNERS_MAX} corners"),
                        );
                    }
                    for (index, point) in points.iter().enumerate() {
                        self.point(*point, &format!("{here}/shape/points/{index}"));
                    }
                }
                Shape::Text if area.text.is_none() => self.fault(format!("{here}/text"), "is missing"),
                Shape::Text => {}
            }
        }
    }
}
