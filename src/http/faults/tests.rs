//! Every wrong field is found with its place, whatever the type looks like.

use aggregates::{
    coupon::CouponCommand,
    price_policy::PricePolicyCommand,
    time_slot::TimeSlotCommand,
    values::{CustomerName, PhoneNumber},
};
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape matters")]
struct Guests {
    name: CustomerName,
    phones: Vec<PhoneNumber>,
    #[serde(default)]
    size: u8,
}

fn places<T: DeserializeOwned>(body: &Value, example: &Value) -> Vec<String> {
    find::<T>(body, example)
        .into_iter()
        .map(|fault| fault.pointer)
        .collect()
}

fn example() -> Value {
    json!({ "name": "김하늘", "phones": ["010-1234-5678"], "size": 2 })
}

#[test]
fn a_sound_body_has_no_faults() {
    assert!(find::<Guests>(&example(), &example()).is_empty());
}

#[test]
fn every_wrong_field_is_found_at_once() {
    let body = json!({ "phones": ["010-1234-5678", "12", 7], "size": 300, "colour": "red", "a/b": 1 });
    assert_eq!(
        places::<Guests>(&body, &example()),
        ["/a~1b", "/colour", "/name", "/phones/1", "/phones/2", "/size"]
    );
}

#[test]
fn a_body_of_another_shape_is_one_fault_at_the_root() {
    for body in [json!([]), json!(null), json!("x"), json!(7)] {
        let places = places::<Guests>(&body, &example());
        assert!(places.iter().all(|place| !place.contains("//")), "{places:?}");
        assert!(!places.is_empty());
    }
}

#[test]
fn fields_inside_a_command_are_found_below_its_verb() {
    let example = json!({ "issue": { "terms": {
        "discount": { "rate": { "percent": 20 } },
        "valid_from": "2026-12-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z", "scope": {} } } });
    assert!(find::<CouponCommand>(&example, &example).is_empty());
    let body = json!({ "issue": { "terms": {
        "discount": { "rate": { "percent": "x" } },
        "valid_from": "yesterday", "scope": { "branch": "nowhere" }, "colour": 1 } } });
    assert_eq!(
        places::<CouponCommand>(&body, &example),
        [
            "/issue/terms/colour",
            "/issue/terms/discount/rate/percent",
            "/issue/terms/scope/branch",
            "/issue/terms/valid_from",
            "/issue/terms/valid_until",
        ]
    );
}

#[test]
fn fields_inside_a_tagged_choice_are_found_too() {
    let command = |show: Value, minutes: Value| {
        json!({ "schedule": { "plan": {
            "branch": "0192d3a0-0000-7000-8000-000000000001", "show": show,
            "starts_at": "2026-12-24T10:00:00Z", "ends_at": "2026-12-24T11:00:00Z",
            "sales_open_at": "2026-12-18T00:00:00Z", "sales_close_at": "2026-12-24T10:00:00Z",
            "price_policy": "0192d3a0-0000-7000-8000-000000000003", "price_version": 1,
            "seats_per_customer_max": 1, "hold_minutes": minutes, "hold_cap_minutes": 20, "cancel_minutes": 20 } } })
    };
    let show = json!({ "kind": "theme", "theme": "0192d3a0-0000-7000-8000-000000000002",
        "party_min": 2, "party_max": 4 });
    let mut wrong = show.clone();
    wrong["party_min"] = json!("two");
    assert_eq!(
        places::<TimeSlotCommand>(&command(wrong, json!(-1)), &command(show, json!(10))),
        ["/schedule/plan/hold_minutes", "/schedule/plan/show/party_min"]
    );
}

#[test]
fn a_field_is_named_once_even_if_the_example_has_none_like_it() {
    let example = json!({ "adopt": { "name": "테마", "tariff": { "session": { "currency": "KRW",
        "price": { "person": { "table": { "2": 48000 } } } } }, "effective_from": null } });
    let mut wrong = example.clone();
    wrong["adopt"]["tariff"]["session"]["price"] =
        json!({ "room": { "amount": 9_223_372_036_854_775_808_u64 } });
    let faults = find::<PricePolicyCommand>(&wrong, &example);
    let said: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (&*fault.pointer, &*fault.problem))
        .collect();
    assert_eq!(
        said,
        [(
            "/adopt/tariff/session/price/room/amount",
            "must be a whole number"
        )]
    );
}

#[test]
fn no_fault_speaks_of_rust() {
    let example = json!({ "schedule": { "plan": {
        "branch": "0192d3a0-0000-7000-8000-000000000001",
        "show": { "kind": "theme", "theme": "0192d3a0-0000-7000-8000-000000000002", "party_min": 2, "party_max": 4 },
        "starts_at": "2026-12-24T10:00:00Z", "ends_at": "2026-12-24T11:00:00Z",
        "sales_open_at": "2026-12-18T00:00:00Z", "sales_close_at": "2026-12-24T10:00:00Z",
        "price_policy": "0192d3a0-0000-7000-8000-000000000003", "price_version": 1,
        "seats_per_customer_max": 1, "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20 } } });
    let plan = example["schedule"]["plan"].as_object().unwrap();
    for field in plan.keys() {
        for wrong in [
            json!(null),
            json!([]),
            json!({}),
            json!(true),
            json!(-1.5),
            json!("\u{1f3ac}"),
        ] {
            let mut body = example.clone();
            body["schedule"]["plan"][field] = wrong;
            for fault in find::<TimeSlotCommand>(&body, &example) {
                let words = [
                    "enum", "struct", "tuple", "variant", "u8", "i64", "string", "sequence", "expected",
                ];
                let rust = words.iter().find(|word| fault.problem.contains(**word));
                assert_eq!(rust, None, "{fault}");
            }
        }
    }
}

#[rstest::rstest]
#[case(json!({ "name": 7 }), "/name", "must be a string")]
#[case(json!({ "size": -1 }), "/size", "must be a whole number from 0 to 255")]
#[case(json!({ "size": 1.5 }), "/size", "must be a whole number from 0 to 255")]
#[case(json!({ "phones": {} }), "/phones", "must be a list")]
#[case(json!({ "phones": ["1"] }), "/phones/0", "must be a mobile number like 010-1234-5678 (dashes may be left out, +82 10… is accepted)")]
fn a_fault_is_said_in_words(#[case] wrong: Value, #[case] place: &str, #[case] words: &str) {
    let mut body = example();
    body.as_object_mut()
        .unwrap()
        .extend(wrong.as_object().unwrap().clone());
    let faults = find::<Guests>(&body, &example());
    let said: Vec<(&str, &str)> = faults
        .iter()
        .map(|fault| (&*fault.pointer, &*fault.problem))
        .collect();
    assert_eq!(said, [(place, words)]);
}
