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
