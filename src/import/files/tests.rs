//! What is said about bad files, one sentence each.

use serde_json::json;

use super::*;
use crate::{import::samples, timetable::Seating};

const HALL: &str = r##"{"name":"소극장","categories":[{"name":"일반","color":"#3b82f6"}],"size":{"width":96,"height":96},
    "zones":[{"name":"본관","rows":[{"row_number":"A","seats":[
        {"seat_guid":"A1","seat_number":"1","position":{"x":32,"y":64},"category":"일반"}]}]}]}"##;

fn cinemas() -> Value {
    json!({
        "chain": "체인",
        "movies": [{ "title": "새벽", "director": "이", "running_time_minutes": 100, "rating": "12",
                     "description": null, "poster_url": null }],
        "price_policy": {
            "currency": "KRW",
            "persons": { "adult": 0, "teen": -3000, "senior": -7000, "preferential": -9000 },
            "bands": [{ "name": "일반", "until": "29:00", "weekday": 14000, "weekend": 15000 }],
            "categories": { "일반": 0 },
        },
        "cinemas": [{
            "name": "시네마", "address": "예시대로 1", "time_zone": "Asia/Seoul",
            "accounts": [{ "bank": "국민은행", "number": "500-300", "holder": "주식회사" }],
            "auditoriums": [{ "name": "1관", "layout": "halls/small.json", "cleaning_minutes": 15 }],
            "schedule": [
                { "auditorium": "1관", "movie": "새벽", "starts": "08:30", "weekdays": "daily" },
                { "auditorium": "1관", "movie": "새벽", "starts": "10:25", "weekdays": ["monday"] },
            ],
        }],
        "cancellation_policy": { "tiers": [{ "until_minutes_before": 20, "refund_percent": 100, "channel": "online" }] },
    })
}

fn escape_rooms() -> Value {
    json!({
        "chain": "방탈출",
        "branches": [{
            "name": "강남점", "address": "예시로 1", "time_zone": "Asia/Seoul", "welcome": "환영합니다.",
            "notices": [], "accounts": [],
            "themes": [{
                "name": "달빛 서고", "price": { "per": "person", "table": { "2": 48000, "3": 66000 } },
                "currency": "KRW", "party": { "min": 2, "max": 3 }, "duration_minutes": 60, "turnover_minutes": 20,
                "opens": { "days_ahead": 6, "time": "00:00" },
                "discounts": { "early_bird": { "before": "11:00", "rate_percent": 20 } },
                "active": true, "slots": ["09:00", "10:25"],
            }],
        }],
    })
}

/// Reads `catalogue` beside a hall.
fn read_with(catalogue: &Value, hall: &str) -> Result<Vec<Catalogue>, Vec<String>> {
    let text = catalogue.to_string();
    let source = Source::Embedded(&[("a/catalogue.json", &text), ("a/halls/small.json", hall)]);
    read(source, &[Path::new("a/catalogue.json")]).map_err(|error| match error {
        ImportError::Faults(faults) => faults
            .into_iter()
            .map(|found| format!("{} {}", found.file, found.fault.pointer))
            .collect(),
        ImportError::Overtaken(_) | ImportError::Store(_) => panic!("{error}"),
    })
}

fn faults(catalogue: &Value) -> Vec<String> {
    let faults = read_with(catalogue, HALL).expect_err("it has faults");
    faults
        .into_iter()
        .map(|fault| fault.replace("a/catalogue.json ", ""))
        .collect()
}

#[test]
fn the_sample_files_are_sound() {
    let paths = samples::CATALOGUES.map(Path::new);
    let catalogues = read(samples::SOURCE, &paths).expect("sound files");
    match [&catalogues[0].content, &catalogues[1].content] {
        [Content::Cinemas(chain), Content::EscapeRooms(shops)] => {
            assert_eq!(
                (chain.movies.len(), chain.cinemas.len(), chain.cancel_minutes),
                (5, 4, 20)
            );
            assert_eq!(
                chain
                    .cinemas
                    .iter()
                    .map(|cinema| cinema.screenings.len())
                    .sum::<usize>(),
                43
            );
            assert_eq!(
                (
                    shops.len(),
                    shops.iter().map(|shop| shop.themes.len()).sum::<usize>()
                ),
                (13, 51)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn sound_files_are_read() {
    assert!(read_with(&cinemas(), HALL).is_ok());
    assert!(read_with(&escape_rooms(), HALL).is_ok());
    assert!(
        read_with(
            &json!({ "name": "작은 관", "rows": 7, "columns": 15, "category": "일반" }),
            HALL
        )
        .is_ok()
    );
}

#[test]
fn every_fault_of_a_cinemas_file_is_reported() {
    let mut file = cinemas();
    file["movies"][0]["rating"] = json!("18");
    file["movies"][0]["running_time_minutes"] = json!(0);
    file["price_policy"]["persons"]["teen"] = json!("-3000");
    file["cinemas"][0]["time_zone"] = json!("Asia/Nowhere");
    file["cinemas"][0]["accounts"][0]["number"] = json!("abc");
    file["cinemas"][0]["colour"] = json!("red");
    file["cinemas"][0]["auditoriums"][0]["cleaning_minutes"] = json!(-1);
    file["cancellation_policy"]["tiers"][0]["channel"] = json!("phone");
    assert_eq!(
        faults(&file),
        [
            "/movies/0/running_time_minutes",
            "/movies/0/rating",
            "/price_policy/persons/teen",
            "/cancellation_policy/tiers/0/channel",
            "/cinemas/0/colour",
            "/cinemas/0/time_zone",
            "/cinemas/0/accounts/0/number",
            "/cinemas/0/auditoriums/0/cleaning_minutes",
        ]
    );
}

#[test]
fn what_does_not_fit_together_is_reported() {
    let mut file = cinemas();
    let cinema = &mut file["cinemas"][0];
    cinema["schedule"][0]["movie"] = json!("없는 영화");
    cinema["schedule"][1]["auditorium"] = json!("2관");
    let again = cinema.clone();
    file["cinemas"].as_array_mut().expect("a list").push(again);
    file["price_policy"]["bands"][0]["until"] = json!("23:00");
    file["price_policy"]["categories"] = json!({ "프라임": 0 });
    assert_eq!(
        faults(&file),
        [
            "/price_policy/bands",
            "/cinemas/0/auditoriums/0/layout",
            "/cinemas/0/schedule/0/movie",
            "/cinemas/0/schedule/1/auditorium",
            "/cinemas/1/auditoriums/0/layout",
            "/cinemas/1/schedule/0/movie",
            "/cinemas/1/schedule/1/auditorium",
            "/cinemas/1/name",
        ]
    );
}

#[test]
fn a_fault_hides_no_other_one() {
    let mut file = cinemas();
    file["movies"][0]["rating"] = json!("R");
    file["price_policy"]["currency"] = json!("WON");
    file["price_policy"]["bands"][0]["until"] = json!("23:00");
    file["price_policy"]["categories"] = json!({ "프라임": "free" });
    file["cinemas"][0]["time_zone"] = json!("Seoul");
    let account = file["cinemas"][0]["accounts"][0].clone();
    file["cinemas"][0]["accounts"]
        .as_array_mut()
        .expect("a list")
        .push(account);
    file["cinemas"][0]["auditoriums"][0]["cleaning_minutes"] = json!("long");
    file["cinemas"][0]["schedule"][0]["movie"] = json!("없는 영화");
    file["cinemas"][0]["schedule"][1]["auditorium"] = json!("2관");
    file["cinemas"][0]["schedule"][1]["starts"] = json!("noon");
    assert_eq!(
        faults(&file),
        [
            "/movies/0/rating",
            "/price_policy/currency",
            "/price_policy/categories/프라임",
            "/price_policy/bands",
            "/cinemas/0/time_zone",
            "/cinemas/0/accounts",
            "/cinemas/0/auditoriums/0/cleaning_minutes",
            "/cinemas/0/auditoriums/0/layout",
            "/cinemas/0/schedule/0/movie",
            "/cinemas/0/schedule/1/starts",
            "/cinemas/0/schedule/1/auditorium",
        ]
    );
    let mut file = cinemas();
    file["movies"][0]["rating"] = json!("R");
    file["cinemas"][0]["schedule"][1]["starts"] = json!("10:24");
    assert_eq!(faults(&file), ["/movies/0/rating", "/cinemas/0/schedule/1"]);

    let mut file = escape_rooms();
    let theme = &mut file["branches"][0]["themes"][0];
    theme["party"] = json!({ "min": 3, "max": 2, "default": 9 });
    theme["slots"] = json!(["09:00", "09:30"]);
    theme["price"] = json!({ "per": "room", "amount": -1 });
    theme["opens"]["time"] = json!("24:00");
    assert_eq!(
        faults(&file),
        [
            "/price/amount",
            "/party/default",
            "/party/max",
            "/opens/time",
            "/slots"
        ]
        .map(|field| format!("/branches/0/themes/0{field}"))
    );
}

#[test]
fn a_key_given_twice_is_reported() {
    let text = escape_rooms().to_string();
    let text = text.replacen("{\"branches\"", "{\"chain\":\"둘\",\"branches\"", 1);
    assert_eq!(text.matches("\"chain\"").count(), 2, "{text}");
    let text = text.replacen("\"min\":2", "\"min\":2,\"min\":3", 1);
    let error = read(
        Source::Embedded(&[("twice.json", &text)]),
        &[Path::new("twice.json")],
    )
    .expect_err("which one counts?");
    let places: Vec<String> = match error {
        ImportError::Faults(faults) => faults.into_iter().map(|found| found.fault.pointer).collect(),
        ImportError::Overtaken(_) | ImportError::Store(_) => panic!("{error}"),
    };
    assert!(places.contains(&"/chain".to_owned()), "{places:?}");
    assert!(
        places.contains(&"/branches/0/themes/0/party/min".to_owned()),
        "{places:?}"
    );
}

#[test]
fn without_a_cancellation_policy_customers_cancel_until_twenty_minutes_before() {
    let mut file = cinemas();
    file.as_object_mut()
        .expect("an object")
        .remove("cancellation_policy");
    let catalogues = read_with(&file, HALL).expect("a sound file");
    match &catalogues[0].content {
        Content::Cinemas(chain) => assert_eq!(chain.cancel_minutes, 20),
        other @ (Content::EscapeRooms(_) | Content::Hall(..)) => panic!("{other:?}"),
    }
}

#[test]
fn seating_rules_are_those_of_the_auditorium_else_of_the_chain_else_the_usual() {
    let mut file = cinemas();
    let rules = |file: &Value| match &read_with(file, HALL).expect("a sound file")[0].content {
        Content::Cinemas(chain) => {
            let own = chain.cinemas[0].auditoriums[0].value.seating;
            let of = |seating: Seating| (seating.orphan_rule.as_str(), seating.pool_minutes);
            (of(chain.seating), own.map(of))
        }
        other @ (Content::EscapeRooms(_) | Content::Hall(..)) => panic!("{other:?}"),
    };
    assert_eq!(rules(&file), (("off", 60), None));
    file["seating"] = json!({ "orphan_rule": "lenient" });
    file["cinemas"][0]["auditoriums"][0]["seating"] = json!({ "orphan_rule": "strict", "pool_minutes": 0 });
    assert_eq!(rules(&file), (("lenient", 60), Some(("strict", 0))));
    file["seating"] = json!({ "orphan_rule": "on", "colour": "red" });
    file["cinemas"][0]["auditoriums"][0]["seating"]["pool_minutes"] = json!(43_201);
    assert_eq!(
        faults(&file),
        [
            "/seating/colour",
            "/seating/orphan_rule",
            "/cinemas/0/auditoriums/0/seating/pool_minutes",
        ]
    );
}

#[test]
fn screenings_of_one_auditorium_leave_time_for_cleaning() {
    let mut file = cinemas();
    file["cinemas"][0]["schedule"][1]["starts"] = json!("10:24");
    assert_eq!(faults(&file), ["/cinemas/0/schedule/1"]);
    // Sunday night runs into Monday morning.
    let late = json!({ "auditorium": "1관", "movie": "새벽", "starts": "28:59", "weekdays": ["sunday"] });
    let mut file = cinemas();
    file["cinemas"][0]["schedule"] = json!([late, { "auditorium": "1관", "movie": "새벽", "starts": "05:00",
        "weekdays": ["monday"] }]);
    assert_eq!(faults(&file), ["/cinemas/0/schedule/1"]);
}

#[test]
fn a_screening_starts_within_the_business_day() {
    let mut file = cinemas();
    file["cinemas"][0]["schedule"][0]["starts"] = json!("04:59");
    file["cinemas"][0]["schedule"][1]["starts"] = json!("25:70");
    assert_eq!(
        faults(&file),
        ["/cinemas/0/schedule/0/starts", "/cinemas/0/schedule/1/starts"]
    );
}

#[test]
fn the_faults_of_a_hall_are_reported_once_and_under_its_own_name() {
    let mut file = cinemas();
    let second = json!({ "name": "2관", "layout": "halls/small.json", "cleaning_minutes": 15 });
    file["cinemas"][0]["auditoriums"]
        .as_array_mut()
        .expect("a list")
        .push(second);
    let hall = HALL.replace(r##""color":"#3b82f6""##, r#""color":"blue""#);
    let found = read_with(&file, &hall).expect_err("a faulty hall");
    assert_eq!(found, ["a/halls/small.json /categories/0/color"]);
    assert_eq!(
        read_with(&file, "{").expect_err("no JSON"),
        ["a/halls/small.json "]
    );
}

#[test]
fn a_hall_lies_below_the_folder_of_its_catalogue() {
    for path in ["../halls/small.json", "/etc/passwd", "halls/missing.json"] {
        let mut file = cinemas();
        file["cinemas"][0]["auditoriums"][0]["layout"] = json!(path);
        file["cinemas"][0]["schedule"] = json!([]);
        assert_eq!(faults(&file), ["/cinemas/0/auditoriums/0/layout"], "{path}");
    }
}

#[test]
fn every_fault_of_an_escape_rooms_file_is_reported() {
    let mut file = escape_rooms();
    let theme = &mut file["branches"][0]["themes"][0];
    theme["price"]["table"]["7"] = json!(1);
    theme["currency"] = json!("WON");
    theme["discounts"]["early_bird"]["amount"] = json!(1);
    theme["party"]["max"] = json!(7);
    theme["opens"]["time"] = json!("25");
    theme["slots"][1] = json!("9:00");
    theme["activ"] = json!(true);
    assert_eq!(
        faults(&file),
        [
            "/branches/0/themes/0/activ",
            "/branches/0/themes/0/currency",
            "/branches/0/themes/0/price/table/7",
            "/branches/0/themes/0/discounts/early_bird",
            "/branches/0/themes/0/party/max",
            "/branches/0/themes/0/opens/time",
            "/branches/0/themes/0/slots/1",
        ]
    );
}

#[test]
fn a_theme_that_contradicts_itself_is_reported() {
    let change = |path: &str, value: Value| {
        let mut file = escape_rooms();
        *file
            .pointer_mut(&format!("/branches/0/themes/0{path}"))
            .expect("a place") = value;
        faults(&file)
    };
    let at = |field: &str| [format!("/branches/0/themes/0{field}")];
    assert_eq!(
        change("/party", json!({ "min": 3, "max": 2, "default": 2 })),
        at("/party/max")
    );
    assert_eq!(
        change("/party", json!({ "min": 3, "max": 3 })),
        at("/party/default")
    );
    assert_eq!(change("/slots", json!(["09:00", "10:19"])), at("/slots"));
    assert_eq!(
        change("/slots", json!({ "monday": ["28:50"], "tuesday": ["05:00"] })),
        at("/slots")
    );
    assert_eq!(change("/slots", json!({ "someday": [] })), at("/slots/someday"));
    assert_eq!(change("/slots", json!(["09:00", "09:00"])), at("/slots/1"));
    assert_eq!(change("/opens/time", json!("24:00")), at("/opens/time"));
    assert_eq!(change("/duration_minutes", json!(0)), at("/duration_minutes"));
    assert_eq!(change("/price", json!({ "per": "hour" })), at("/price/per"));
    assert_eq!(change("/price/table", json!({ "2": 48000 })), at("/price/table"));
    assert_eq!(
        change("/discounts", json!({ "closing": { "from": "21:00" } })),
        at("/discounts/closing")
    );
}

#[test]
fn a_theme_s_name_is_unique_over_all_branches() {
    let mut file = escape_rooms();
    let mut again = file["branches"][0].clone();
    again["name"] = json!("홍대점");
    file["branches"].as_array_mut().expect("a list").push(again);
    assert_eq!(faults(&file), ["/branches/1/themes/0/name"]);
}

#[test]
fn other_files_are_refused() {
    assert_eq!(faults(&json!({ "people": [] })), [""]);
    assert_eq!(faults(&json!([1])), [""]);
    let unreadable = read(Source::Embedded(&[]), &[Path::new("missing.json")]).expect_err("nothing there");
    assert_eq!(
        unreadable.to_string(),
        "missing.json: cannot be read: entity not found"
    );
}
