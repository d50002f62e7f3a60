//! What serde alone would let pass is refused, at any depth, and whatever is sound is read as before.

use aggregates::{
    price_policy::PricePolicyCommand, pricing::Persons, time_slot::TimeSlotCommand, values::Money,
};
use rstest::rstest;
use serde::Deserialize;
use serde_json::json;

use super::*;

fn reads<T: DeserializeOwned>(text: &str) -> bool {
    sound::<T>(text.as_bytes()).is_some()
}

#[test]
fn a_list_never_stands_for_an_object() {
    assert!(reads::<Persons>(r#"{"adult":1}"#));
    assert!(!reads::<Persons>("[1,0,0,0]"));
    assert!(reads::<Vec<Money>>(r#"[{"amount":1,"currency":"KRW"}]"#));
    assert!(!reads::<Vec<Money>>(r#"[[1,"KRW"]]"#));
    let show = |show| {
        let example =
            <aggregates::time_slot::TimeSlot as aggregates::administered::Administered>::EXAMPLES[0].1;
        let mut plan: Value = serde_json::from_str(example).unwrap();
        if let Some(show) = show {
            plan["plan"]["show"] = show;
        }
        reads::<TimeSlotCommand>(&json!({ "schedule": plan }).to_string())
    };
    assert!(show(None));
    let theme = "0192d3a0-0000-7000-8000-000000000002";
    assert!(!show(Some(json!(["theme", theme, 2, 4]))));
    assert!(!show(Some(
        json!(["theme", { "theme": theme, "party_min": 2, "party_max": 4 }])
    )));
    assert!(!show(Some(
        json!({ "kind": "theme", "theme": theme, "party_min": 2, "party_max": 4, "colour": "red" })
    )));
}

/// Ignores what it does not know, as serde does unless told otherwise.
#[derive(Deserialize)]
struct Lenient {
    #[expect(dead_code, reason = "only its shape matters")]
    name: Option<String>,
}

#[test]
fn a_field_that_is_not_known_is_refused_whatever_the_type_says() {
    assert!(reads::<Vec<Lenient>>(r#"[{"name":"a"},{}]"#));
    assert!(!reads::<Vec<Lenient>>(r#"[{"name":"a","colour":"red"}]"#));
}

#[test]
fn fields_that_stand_there_twice_are_found_at_any_depth() {
    let (_, faults) = parse(br#"{"a":1,"b":[{"c":1,"c":2}],"a":2}"#).unwrap();
    let places: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
    assert_eq!(places, ["/b/0/c", "/a"]);
}

#[test]
fn unprintable_characters_are_found_at_any_depth() {
    let (_, faults) = parse(br#"{"a":["x\u0000"],"b":{"c":"line\nbreak"},"d\u001b":1}"#).unwrap();
    let places: Vec<&str> = faults.iter().map(|fault| &*fault.pointer).collect();
    assert_eq!(places, ["/a/0", "/d"]);
}

#[test]
fn maps_that_go_by_numbers_or_choices_are_read() {
    let adopt = json!({ "adopt": { "name": "테마", "effective_from": null, "tariff": { "session": { "currency": "KRW",
        "price": { "person": { "table": { "2": 48000, "3": 66000 } } } } } } });
    assert!(reads::<PricePolicyCommand>(&adopt.to_string()));
    let wrong = adopt.to_string().replace("\"3\"", "\"three\"");
    assert!(!reads::<PricePolicyCommand>(&wrong));
}

#[rstest]
#[case("{}")]
#[case(r#"{"on_site":null,"bank_transfer":null}"#)]
#[case(r#"["on_site"]"#)]
#[case("7")]
fn a_choice_is_one_name(#[case] text: &str) {
    assert!(reads::<aggregates::reservation::PaymentChoice>("\"on_site\""));
    assert!(!reads::<aggregates::reservation::PaymentChoice>(text));
}

#[test]
fn more_than_one_document_is_none() {
    assert!(parse(b"{} {}").is_err());
    assert!(parse(b"").is_err());
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
}
