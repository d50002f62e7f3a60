//! What every administered aggregate promises the generic route, one sentence each.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use utoipa::PartialSchema;

use super::*;
use crate::{
    admin::Admin, auditorium::Auditorium, branch::Branch, cancellation_policy::CancellationPolicy,
    coupon::Coupon, movie::Movie, price_policy::PricePolicy, role::Role, theme::Theme, time_slot::TimeSlot,
};

/// The verbs of the command's schema: one variant each.
fn verbs<A: Administered<Command: PartialSchema>>() -> BTreeSet<String> {
    let schema = serde_json::to_value(A::Command::schema()).expect("a schema is JSON");
    let variants = schema["oneOf"]
        .as_array()
        .expect("one schema per command")
        .clone();
    let verb = |variant: &Value| {
        variant["properties"]
            .as_object()
            .and_then(|fields| fields.keys().next().cloned())
    };
    variants.iter().filter_map(verb).collect()
}

fn promises<A: Administered<Command: PartialSchema>>() {
    let shown: BTreeSet<String> = A::EXAMPLES.iter().map(|(verb, _)| (*verb).to_owned()).collect();
    assert_eq!(shown, verbs::<A>(), "{}: one example per command", A::COLLECTION);
    for (verb, body) in A::EXAMPLES {
        let body: Value = serde_json::from_str(body).expect("an example is JSON");
        let command: Result<A::Command, _> = serde_json::from_value(json!({ (*verb): body }));
        assert!(command.is_ok(), "{}/{verb}: {command:?}", A::COLLECTION);
        let mut misspelt = body.clone();
        misspelt["misspelt"] = json!(1);
        let command: Result<A::Command, _> = serde_json::from_value(json!({ (*verb): misspelt }));
        assert!(
            command.is_err(),
            "{}/{verb} takes an unknown field",
            A::COLLECTION
        );
    }
    assert!(
        !A::default().exists(),
        "{}: nothing exists before its first event",
        A::COLLECTION
    );
}

#[test]
fn every_command_has_one_valid_example_and_refuses_unknown_fields() {
    promises::<Admin>();
    promises::<Auditorium>();
    promises::<Branch>();
    promises::<CancellationPolicy>();
    promises::<Coupon>();
    promises::<Movie>();
    promises::<PricePolicy>();
    promises::<Role>();
    promises::<Theme>();
    promises::<TimeSlot>();
}
