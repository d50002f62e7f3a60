//! The stored form of every event is a contract for ever: what was written once is read and written the same.

use std::{collections::BTreeMap, fs};

use aggregates::event::{Event, NAMES};
use serde_json::Value;

fn golden() -> BTreeMap<String, Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/stored_events.json");
    let text = fs::read_to_string(path).expect("the golden");
    serde_json::from_str(&text).expect("the golden is JSON")
}

#[test]
fn every_stored_event_has_its_form_on_record() {
    let golden = golden();
    let names: Vec<&str> = NAMES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let missing: Vec<_> = names.iter().filter(|name| !golden.contains_key(**name)).collect();
    let unknown: Vec<_> = golden
        .keys()
        .filter(|name| !names.contains(&name.as_str()))
        .collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}, unknown: {unknown:?}"
    );
}

#[test]
fn a_stored_event_is_read_and_written_back_unchanged() {
    let golden = golden();
    for (kind, names) in NAMES {
        for name in *names {
            let stored = &golden[*name];
            let event =
                Event::read(kind, &stored.to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(event.name(), *name);
            let written = serde_json::to_value(&event).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(&written, stored, "{name}");
        }
    }
}

/// Fields that events have gained since they were first written, by kind: the older form is the golden.
const GAINED: &[(&str, &str)] = &[
    (
        "reservation",
        r#"{"Paid":{"amount":{"amount":48000,"currency":"KRW"},"note":null,"source":{"deposit":{"deposit":"0192d3a0-0000-7000-8000-000000000009"}}}}"#,
    ),
    (
        "reservation",
        r#"{"Paid":{"amount":{"amount":48000,"currency":"KRW"},"note":null,"source":{"provider":{"payment":"pay_7f3a"}}}}"#,
    ),
    (
        "reservation",
        r#"{"Paid":{"amount":{"amount":48000,"currency":"KRW"},"note":null,"source":{"moved":{"from":"301422961418752000"}}}}"#,
    ),
    (
        "reservation",
        r#"{"Cancelled":{"by":"staff","reason":null,"settlement":{"at":"2026-12-24T10:00:00Z","retained":{"amount":24000,"currency":"KRW"},"refund_due":{"amount":24000,"currency":"KRW"},"keeps_coupon":true}}}"#,
    ),
    (
        "reservation",
        r#"{"Placed":{"contact":{"name":"c2VhbGVk","phone":"c2VhbGVk"},"agreements":{"privacy":true,"house_rules":true},"quote":{"currency":"KRW","lines":[],"total":0},"payment":{"kind":"provider","pay_by":"2026-12-24T10:00:00Z","intent":"reservation-301422961418752000","checkout_url":"https://pay.example.com/checkout"},"short_code":"K7MQ2Z","starts_at":"2026-12-25T10:00:00Z","cancel_until":"2026-12-25T09:40:00Z","cancellation":{"policy":"0192d3a0-0000-7000-8000-000000000004","version":2,"tiers":[{"minutes_before":0,"fee":{"rate":{"percent":50}}}],"coupon":"when_free"}}}"#,
    ),
    (
        "reservation",
        r#"{"Placed":{"contact":{"name":"c2VhbGVk","phone":"c2VhbGVk"},"agreements":{"privacy":true,"house_rules":true},"quote":{"currency":"KRW","lines":[],"total":0},"payment":{"kind":"on_site"},"short_code":"K7MQ2Z","starts_at":"2026-12-25T10:00:00Z","cancel_until":"2026-12-25T09:40:00Z","language":"ko"}}"#,
    ),
    (
        "waitlist",
        r#"{"Joined":{"entry":"301422961418752000","party":{"persons":{"adult":3,"teen":0,"senior":0,"preferential":0}},"contact":{"name":"c2VhbGVk","phone":"c2VhbGVk"},"mark":"a2V5ZWQgaGFzaA","language":"en"}}"#,
    ),
    (
        "patron",
        r#"{"Barred":{"until":"2027-01-23T12:00:00Z","missed":["301422961418752000"],"no_shows":2}}"#,
    ),
];

#[test]
fn what_events_have_gained_is_read_and_written_back_unchanged() {
    for (kind, stored) in GAINED {
        let event = Event::read(kind, stored).unwrap_or_else(|error| panic!("{error}: {stored}"));
        let written = serde_json::to_value(&event).unwrap_or_else(|error| panic!("{error}: {stored}"));
        let stored: Value = serde_json::from_str(stored).expect("JSON");
        assert_eq!(written, stored);
    }
}
