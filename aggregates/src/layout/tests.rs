//! What a layout promises, one sentence each.

use serde_json::{Value, json};

use super::*;

fn plain(rows: u16, columns: u16, aisles_after: &[u16]) -> RowsAndColumns {
    RowsAndColumns {
        name: "상영관".parse().expect("a name"),
        rows,
        columns,
        category: "일반".parse().expect("a category"),
        aisles_after: aisles_after.to_vec(),
    }
}

fn label(text: &str) -> SeatLabel {
    text.parse().expect("a label")
}

/// Two rows of two seats, as pretix writes them, with our keys.
fn pretix() -> Value {
    let seat = |guid: &str, number: &str, x: f64| json!({ "seat_guid": guid, "seat_number": number, "uuid": "x", "position": { "x": x, "y": 0.1 }, "category": "일반" });
    json!({
        "name": "소극장",
        "categories": [{ "name": "일반", "color": "#3B82F6" }],
        "zones": [{
            "name": "본관", "zone_id": "z", "uuid": "y", "position": { "x": 100, "y": 50 },
            "areas": [
                { "shape": "text", "position": { "x": 1, "y": 2 }, "text": { "text": "무대", "size": 16 } },
                { "shape": "rectangle", "position": { "x": 0, "y": 0 }, "rotation": 45, "color": "#cccccc",
                  "rectangle": { "width": 10, "height": 20 }, "text": { "text": "" } },
            ],
            "rows": [
                { "row_number": "A", "position": { "x": 10, "y": 20.2 },
                  "seats": [seat("A1", "1", 0.0), seat("A2", "2", 32.0)] },
                { "row_number": "B", "position": { "x": 10, "y": 60 },
                  "seats": [seat("B1", "1", 0.0), seat("B2", "2", 32.0)] },
            ],
        }],
        "size": { "width": 300, "height": 200 },
    })
}

fn faults(document: &Value) -> Vec<String> {
    let faults = Layout::from_pretix(document).expect_err("it has faults");
    faults.0.into_iter().map(|fault| fault.pointer).collect()
}

#[test]
fn a_pretix_plan_is_read_with_absolute_positions() {
    let layout = Layout::from_pretix(&pretix()).expect("a sound plan");
    assert_eq!(layout.capacity(), 4);
    let seat = layout.seat(&label("A2")).expect("a seat");
    assert_eq!(
        (seat.position, seat.row.as_str(), seat.number.as_str()),
        (Point { x: 142.0, y: 70.3 }, "A", "2")
    );
    assert!(layout.seat(&label("C1")).is_none());
    let areas = &layout.plan().sections[0].areas;
    assert_eq!(
        (&areas[0].shape, areas[0].position),
        (&Shape::Text, Point { x: 101.0, y: 52.0 })
    );
    assert_eq!(
        areas[1].shape,
        Shape::Rectangle {
            width: 10.0,
            height: 20.0
        }
    );
}

#[test]
fn every_fault_of_a_pretix_plan_is_reported_at_its_place() {
    let mut plan = pretix();
    plan["size"]["width"] = json!("wide");
    plan["zones"][0]["rows"][0]["seats"][1]["seat_guid"] = json!("A 2");
    plan["zones"][0]["rows"][0]["seats"][1]["seat_number"] = json!("–");
    plan["zones"][0]["rows"][1]["seats"][0]["kind"] = json!("throne");
    plan["zones"][0]["rows"][1]["row_number"] = json!(7.5);
    assert_eq!(
        faults(&plan),
        [
            "/size/width",
            "/zones/0/rows/0/seats/1/seat_guid",
            "/zones/0/rows/1/row_number",
            "/zones/0/rows/1/seats/0/kind",
        ]
    );
}

#[test]
fn a_seat_whose_guid_is_no_label_is_called_by_its_row_and_number() {
    let mut plan = pretix();
    let zone = &mut plan["zones"][0];
    zone["rows"][0]["seats"][0]["seat_guid"] = json!("0192d3a0-5d4e-7c1a-8000-000000000001");
    zone["rows"][0]["seats"][1]["seat_guid"] = json!("Row A, seat 2");
    let mut balcony = zone.clone();
    for row in 0..2 {
        for seat in 0..2 {
            balcony["rows"][row]["seats"][seat]["seat_guid"] = json!(format!("balcony {row} {seat}"));
        }
    }
    plan["zones"].as_array_mut().expect("a list").push(balcony);
    let layout = Layout::from_pretix(&plan).expect("a sound plan");
    let labels: Vec<&str> = layout.seats().map(|seat| seat.label.as_str()).collect();
    assert_eq!(labels, ["A1", "A2", "B1", "B2", "2-A1", "2-A2", "2-B1", "2-B2"]);
}

#[test]
fn the_measures_of_an_area_are_at_fault_where_the_file_has_them() {
    let area = |measures: Value| {
        let mut plan = pretix();
        let mut area = json!({ "position": { "x": 0, "y": 0 } });
        area.as_object_mut()
            .expect("an object")
            .extend(measures.as_object().expect("an object").clone());
        plan["zones"][0]["areas"] = json!([area]);
        faults(&plan)
    };
    let corners = json!([{ "x": 0, "y": 0 }, { "x": 1e9, "y": 0 }]);
    assert_eq!(
        area(json!({ "shape": "polygon", "polygon": { "points": corners } })),
        [
            "/zones/0/areas/0/polygon/points",
            "/zones/0/areas/0/polygon/points/1/x"
        ]
    );
    assert_eq!(
        area(json!({ "shape": "rectangle", "rectangle": { "width": 0, "height": 1 } })),
        ["/zones/0/areas/0/rectangle/width"]
    );
    assert_eq!(
        area(json!({ "shape": "ellipse", "ellipse": { "radius": { "x": 1, "y": 0 } } })),
        ["/zones/0/areas/0/ellipse/radius/y"]
    );
    assert_eq!(area(json!({ "shape": "text" })), ["/zones/0/areas/0/text/text"]);
}

#[test]
fn rows_of_a_zone_and_seats_of_a_row_have_numbers_of_their_own() {
    let mut plan = pretix();
    let rows = &mut plan["zones"][0]["rows"];
    rows[1]["row_number"] = json!("A");
    rows[1]["seats"][1]["seat_number"] = json!("1");
    rows[1]["seats"][1]["category"] = json!("없음");
    let found = Layout::from_pretix(&plan).expect_err("two of a name").to_string();
    for fault in [
        "/zones/0/rows/1/row_number: A is already the row_number of /zones/0/rows/0",
        "/zones/0/rows/1/seats/1/seat_number: 1 is already the seat_number of /zones/0/rows/1/seats/0",
        "/zones/0/rows/1/seats/1/category",
    ] {
        assert!(found.contains(fault), "{found}");
    }
}

#[test]
fn numbers_of_rows_and_seats_may_be_json_numbers() {
    let mut plan = pretix();
    let row = &mut plan["zones"][0]["rows"][0];
    row["row_number"] = json!(7);
    row["seats"][0]["seat_number"] = json!(1);
    row["seats"][0]["seat_guid"] = json!("row 7, seat 1");
    let layout = Layout::from_pretix(&plan).expect("a sound plan");
    let seat = layout.seat(&label("71")).expect("its derived label");
    assert_eq!((seat.row.as_str(), seat.number.as_str()), ("7", "1"));
}

#[test]
fn a_row_s_number_stands_where_pretix_knows_to_draw_it() {
    let mut plan = pretix();
    for position in [
        json!("start"),
        json!("end"),
        json!("both"),
        json!("none"),
        json!(null),
    ] {
        plan["zones"][0]["rows"][0]["row_number_position"] = position;
        assert!(Layout::from_pretix(&plan).is_ok());
    }
    for position in [json!("diag"), json!(1)] {
        plan["zones"][0]["rows"][0]["row_number_position"] = position;
        assert_eq!(faults(&plan), ["/zones/0/rows/0/row_number_position"]);
    }
}

#[test]
fn a_couple_seat_without_a_pair_is_told_what_to_add() {
    let mut plan = pretix();
    plan["zones"][0]["rows"][0]["seats"][0]["kind"] = json!("couple");
    let found = Layout::from_pretix(&plan).expect_err("no pair").to_string();
    assert_eq!(
        found,
        "/zones/0/rows/0/seats/0/pair: is missing: an odd number of couple seats stands together; give both seats of a couple the seat_guid of their first seat as `pair`"
    );
}

#[test]
fn colours_are_written_as_in_css() {
    let read = |text: &str| text.parse::<Colour>().map(|colour| colour.to_string());
    for (text, colour) in [
        ("#FFF", "#ffffff"),
        ("#3B82F6", "#3b82f6"),
        ("#3b82f680", "#3b82f680"),
        ("#abcd", "#aabbccdd"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(colour), "{text}");
    }
    for text in ["fff", "#ff", "#fffff", "#fffffff", "#ggg", "red", "#１２３"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn seats_that_contradict_each_other_are_reported_in_the_words_of_the_file() {
    let mut plan = pretix();
    let rows = &mut plan["zones"][0]["rows"];
    rows[0]["seats"][1]["seat_guid"] = json!("A1");
    rows[1]["row_number"] = json!("한 줄");
    rows[1]["seats"][0]["category"] = json!("없음");
    rows[1]["seats"][1]["kind"] = json!("couple");
    plan["size"]["height"] = json!(-1);
    assert_eq!(
        faults(&plan),
        [
            "/size/height",
            "/zones/0/rows/0/seats/1/seat_guid",
            "/zones/0/rows/1/row_number",
            "/zones/0/rows/1/seats/0/category",
            "/zones/0/rows/1/seats/1/pair",
        ]
    );
}

#[test]
fn a_pair_is_two_couple_seats() {
    let mut plan = pretix();
    for seat in [0, 1] {
        let seat = &mut plan["zones"][0]["rows"][0]["seats"][seat];
        seat["kind"] = json!("couple");
        seat["pair"] = json!("A1");
    }
    assert!(Layout::from_pretix(&plan).is_ok());
    plan["zones"][0]["rows"][0]["seats"][1]["pair"] = json!("A2");
    assert_eq!(
        faults(&plan),
        ["/zones/0/rows/0/seats/0/pair", "/zones/0/rows/0/seats/1/pair"]
    );
}

#[test]
fn couple_seats_that_name_no_pair_are_paired_as_they_stand() {
    let mut plan = plain(1, 8, &[2]).layout().expect("a layout").plan().clone();
    let couples = |plan: &mut LayoutPlan, numbers: &[usize]| {
        for number in numbers {
            plan.sections[0].rows[0].seats[*number].kind = SeatKind::Couple;
        }
    };
    couples(&mut plan, &[0, 1, 2, 3, 5, 6]);
    let layout = Layout::new(plan.clone()).expect("a sound plan");
    let other = |text: &str| layout.other_half(&label(text)).map(|seat| seat.label.to_string());
    for (one, two) in [("A1", "A2"), ("A3", "A4"), ("A6", "A7")] {
        assert_eq!(
            (other(one).as_deref(), other(two).as_deref()),
            (Some(two), Some(one))
        );
    }
    assert_eq!(other("A5"), None);
    // Once drawn, the pairs are part of the plan.
    let text = serde_json::to_string(&layout).expect("a layout can be written");
    assert_eq!(serde_json::from_str::<Layout>(&text).expect("and read"), layout);
    // Two by two needs an even number, and an aisle parts them.
    couples(&mut plan, &[4]);
    let pointers = |plan: LayoutPlan| {
        let faults = Layout::new(plan).expect_err("an odd number");
        faults
            .0
            .into_iter()
            .map(|fault| fault.pointer)
            .collect::<Vec<_>>()
    };
    assert_eq!(pointers(plan.clone()), ["/sections/0/rows/0/seats/6/pair"]);
    plan.sections[0].rows[0].seats[0].kind = SeatKind::Standard;
    assert_eq!(
        pointers(plan),
        [
            "/sections/0/rows/0/seats/1/pair",
            "/sections/0/rows/0/seats/6/pair"
        ]
    );
}

#[test]
fn the_block_around_a_seat_ends_at_aisles_and_rows() {
    let layout = plain(3, 6, &[2]).layout().expect("a layout");
    let first = |runs: Vec<&[LayoutSeat]>| {
        runs.iter()
            .map(|run| run[0].label.to_string())
            .collect::<Vec<_>>()
    };
    let chosen = [label("A4"), label("A3"), label("B2")];
    assert_eq!(first(layout.runs_around(&chosen)), ["A3", "B1"]);
    assert_eq!(first(layout.runs_elsewhere(&chosen)), ["B3", "C3", "A1", "C1"]);
}

#[test]
fn a_plan_without_seats_and_no_plan_at_all_are_refused() {
    let mut plan = pretix();
    plan["zones"] = json!([]);
    assert_eq!(faults(&plan), ["/zones"]);
    assert_eq!(faults(&json!([])), ["", "", "", ""]);
    assert_eq!(faults(&json!({})), ["/name", "/size", "/categories", "/zones"]);
}

#[test]
fn rows_and_columns_make_a_layout() {
    let layout = plain(28, 4, &[2]).layout().expect("a layout");
    assert_eq!(layout.capacity(), 112);
    let seat = layout.seat(&label("AB3")).expect("a seat");
    assert!(seat.aisle && seat.row == "AB");
    assert_eq!(layout.runs().map(<[_]>::len).collect::<Vec<_>>(), [2; 56]);
    let pointers = |plain: RowsAndColumns| {
        plain
            .layout()
            .expect_err("faults")
            .0
            .into_iter()
            .map(|fault| fault.pointer)
    };
    assert_eq!(
        pointers(plain(0, 201, &[0])).collect::<Vec<_>>(),
        ["/rows", "/columns", "/aisles_after/0"]
    );
    assert_eq!(
        pointers(plain(1, 4, &[4])).collect::<Vec<_>>(),
        ["/aisles_after/0"]
    );
}

#[test]
fn an_aisle_is_a_wide_gap_and_not_two_flags() {
    // As in the sample hall of pairs: every seat is beside an aisle, but each second gap is none.
    let mut plan = plain(2, 4, &[2]).layout().expect("a layout").plan().clone();
    plan.sections[0]
        .rows
        .iter_mut()
        .flat_map(|row| &mut row.seats)
        .for_each(|seat| seat.aisle = true);
    let layout = Layout::new(plan).expect("a sound plan");
    assert_eq!(layout.runs().map(<[_]>::len).collect::<Vec<_>>(), [2; 4]);
}

#[test]
fn too_many_seats_are_refused() {
    assert!(plain(50, 200, &[]).layout().is_ok());
    let faults = plain(51, 200, &[]).layout().expect_err("10,200 seats");
    assert_eq!(faults.0[0].pointer, "/sections");
}

#[test]
fn the_best_place_is_in_the_middle_two_thirds_back_unless_drawn() {
    let layout = plain(4, 3, &[]).layout().expect("a layout");
    let focal = layout.focal_point();
    assert!((focal.x - 64.0).abs() < 0.01 && (focal.y - (70.4 + 2.0 * 35.2)).abs() < 0.1);
    let mut plan = layout.plan().clone();
    plan.focal_point = Some(Point { x: 1.0, y: 2.0 });
    assert_eq!(
        Layout::new(plan).expect("sound").focal_point(),
        Point { x: 1.0, y: 2.0 }
    );
}

#[test]
fn a_layout_reads_as_it_was_written() {
    let layout = Layout::from_pretix(&pretix()).expect("a sound plan");
    let text = serde_json::to_string(&layout).expect("a layout can be written");
    assert_eq!(serde_json::from_str::<Layout>(&text).expect("and read"), layout);
    let broken = text.replace("\"A2\"", "\"A1\"");
    assert!(serde_json::from_str::<Layout>(&broken).is_err());
}

proptest::proptest! {
    #[test]
    fn couple_seats_have_one_partner_beside_them_or_the_plan_a_fault(
        couples in proptest::collection::vec(proptest::bool::ANY, 3..12), aisle in 1_u16..12,
    ) {
        let columns = u16::try_from(couples.len()).expect("a short row");
        let aisles: Vec<u16> = (1..columns).filter(|after| *after == aisle).collect();
        let mut plan = plain(1, columns, &aisles).layout().expect("a layout").plan().clone();
        let seats = &mut plan.sections[0].rows[0].seats;
        for (seat, couple) in seats.iter_mut().zip(&couples) {
            seat.kind = if *couple { SeatKind::Couple } else { SeatKind::Standard };
        }
        let (left, right) = couples.split_at(aisles.first().map_or(couples.len(), |after| usize::from(*after)));
        let even = |part: &[bool]| part.split(|couple| !couple).all(|together| together.len() % 2 == 0);
        match Layout::new(plan) {
            Ok(layout) => {
                proptest::prop_assert!(even(left) && even(right));
                for (seat, couple) in layout.seats().zip(&couples) {
                    let other = layout.other_half(&seat.label);
                    proptest::prop_assert_eq!(other.is_some(), *couple);
                    let back = other.and_then(|other| layout.other_half(&other.label));
                    proptest::prop_assert!(other.is_none() || back.map(|seat| &seat.label) == Some(&seat.label));
                    proptest::prop_assert!(other.is_none_or(|other| other.position.distance(seat.position) < 33.0));
                }
            }
            Err(_) => proptest::prop_assert!(!even(left) || !even(right)),
        }
    }
}
