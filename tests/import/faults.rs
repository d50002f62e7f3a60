//! A bad file is refused whole, with the path of every fault in it as the file has it.

use super::*;

/// A hall as pretix writes it.
fn plan() -> Value {
    let seat = |guid: &str, number: &str, x: u8| {
        json!({ "seat_guid": guid, "seat_number": number,
        "position": { "x": x, "y": 0 }, "category": "일반" })
    };
    json!({
        "name": "소극장", "size": { "width": 96, "height": 96 },
        "categories": [{ "name": "일반", "color": "#3b82f6" }],
        "zones": [{ "name": "본관", "rows": [
            { "row_number": "A", "position": { "x": 0, "y": 0 }, "seats": [seat("A1", "1", 0), seat("A2", "2", 32)] },
            { "row_number": "B", "position": { "x": 0, "y": 40 }, "seats": [seat("B1", "1", 0), seat("B2", "2", 32)] },
        ] }],
    })
}

/// What is said about one file.
fn said(name: &str, document: &Value) -> Vec<String> {
    let text = document.to_string();
    let files = [(name, text.as_str()), ("small.json", &*hall(1))];
    match read(Source::Embedded(&files), &[Path::new(name)]) {
        Ok(_) => Vec::new(),
        Err(ImportError::Faults(faults)) => faults.iter().map(|found| found.fault.to_string()).collect(),
        Err(other @ (ImportError::Overtaken(_) | ImportError::Store(_))) => panic!("{other}"),
    }
}

#[test]
fn the_faults_of_a_seating_plan_have_the_paths_of_the_file() {
    let mut plan = plan();
    plan["zones"][0]["areas"] = json!([{ "shape": "polygon", "position": { "x": 0, "y": 0 },
        "polygon": { "points": [{ "x": 0, "y": 0 }] } }]);
    let rows = &mut plan["zones"][0]["rows"];
    rows[0]["row_number_position"] = json!("diag");
    rows[0]["seats"][1]["seat_number"] = json!("1");
    rows[1]["row_number"] = json!("A");
    rows[1]["seats"][0]["kind"] = json!("couple");
    assert_eq!(
        said("hall.json", &plan),
        [
            "/zones/0/rows/0/row_number_position: must be start, end, both or none",
            "/zones/0/rows/0/seats/1/seat_number: 1 is already the seat_number of /zones/0/rows/0/seats/0",
            "/zones/0/rows/1/row_number: A is already the row_number of /zones/0/rows/0",
            "/zones/0/areas/0/polygon/points: must be 3 to 1000 corners",
            "/zones/0/rows/1/seats/0/pair: is missing: an odd number of couple seats stands together; give both seats of a couple the seat_guid of their first seat as `pair`",
        ]
    );
}

#[test]
fn numbers_of_rows_and_seats_may_be_written_as_numbers() {
    let mut plan = plan();
    plan["zones"][0]["rows"][0]["row_number"] = json!(1);
    plan["zones"][0]["rows"][0]["seats"][0]["seat_number"] = json!(1);
    assert_eq!(said("hall.json", &plan), [""; 0]);
    plan["zones"][0]["rows"][0]["seats"][1]["seat_number"] = json!(1.5);
    assert_eq!(
        said("hall.json", &plan),
        ["/zones/0/rows/0/seats/1/seat_number: must be a string, for example \"7\""]
    );
}

#[test]
fn a_price_is_for_a_hall_of_the_file() {
    let mut file = chain();
    file["price_policy"]["halls"] = json!({ "small": 1000, "nope": 3000 });
    assert_eq!(
        said("chain.json", &file),
        ["/price_policy/halls/nope: no auditorium of the file has the hall nope"]
    );
}

#[test]
fn a_theme_s_faults_are_at_their_own_fields() {
    let said_of = |field: &str, value: Value| {
        let mut file = shop();
        file["branches"][0]["themes"][0][field] = value;
        said("shop.json", &file)
    };
    let at = |field: &str, problem: &str| [format!("/branches/0/themes/0/{field}: {problem}")];
    assert_eq!(
        said_of("duration_minutes", json!(0)),
        at("duration_minutes", "must be a whole number from 1 to 600")
    );
    assert_eq!(
        said_of("opens", json!({ "time": "25:00" })),
        at("opens/time", "must be before 24:00")
    );
    assert_eq!(
        said_of("party", json!({ "min": 4, "max": 2 })),
        at("party/max", "must not be below min")
    );
    assert_eq!(
        said_of("party", json!({ "min": 2, "max": 4, "default": 5 })),
        at(
            "party/default",
            "must be from min to max; it is 2, where it is left out"
        )
    );
    assert_eq!(
        said_of("party", json!({ "max": 7 })),
        at("party/max", "must be a whole number from 1 to 6")
    );
}
