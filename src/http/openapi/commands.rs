//! The one route of all admin commands, written out: an operation per command, and the one that reads before it; never
//! a rule of any of them.

use aggregates::{
    admin::Admin, administered::Administered, auditorium::Auditorium, branch::Branch,
    cancellation_policy::CancellationPolicy, coupon::Coupon, movie::Movie, price_policy::PricePolicy,
    role::Role, theme::Theme, time_slot::TimeSlot,
};
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{reference, refusals::singular};
use crate::admin_commands::for_each_administered;

pub(super) fn add(document: &mut Value) {
    macro_rules! add {
        ($($aggregate:ident),+) => {
            $(add_commands::<$aggregate>(document);)+
        };
    }
    for_each_administered!(add);
}

/// One operation per command of an aggregate, and the one that reads it.
fn add_commands<A: Administered<Command: ToSchema, Id: PartialSchema>>(document: &mut Value) {
    let mut schemas = Vec::new();
    <A::Command as ToSchema>::schemas(&mut schemas);
    for (name, schema) in schemas {
        document["components"]["schemas"][name] = value(&schema);
    }
    let variants = value(&A::Command::schema());
    let collection = A::COLLECTION;
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": value(&A::Id::schema()) });
    for (verb, example) in A::EXAMPLES {
        let (schema, description) = variant(&variants, verb);
        let example: Value = serde_json::from_str(example).unwrap_or_default();
        let operation = json!({
            "tags": ["admin"],
            "summary": description,
            "operationId": camel(&format!("{verb}-{}", singular(collection))),
            "parameters": [
                id,
                { "name": "If-Match", "in": "header", "required": false, "schema": { "type": "string" },
                  "description": "The ETag it was read with; refused if it has changed since" },
                { "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string" } },
            ],
            "requestBody": { "content": { "application/json": { "schema": schema, "example": example } } },
            "responses": {
                "200": answer("As it is now"),
                "201": begun(),
            },
            "security": [{ "admin": [] }],
        });
        document["paths"][format!("/v1/{collection}/{{id}}/{verb}")]["post"] = operation;
    }
    document["paths"][format!("/v1/admin/{collection}/{{id}}")]["get"] = json!({
        "tags": ["admin"],
        "summary": "Its whole state, with its sequence as ETag",
        "operationId": camel(&format!("read-{}", singular(collection))),
        "parameters": [id],
        "responses": { "200": answer("As it is now") },
        "security": [{ "admin": [] }],
    });
}

/// `adopt-price-policy` as `adoptPricePolicy`: as all operations are called.
fn camel(kebab: &str) -> String {
    let mut words = kebab.split(['-', '_']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut letters = word.chars();
        let capital = letters.next().map(|letter| letter.to_ascii_uppercase());
        name + &capital.into_iter().chain(letters).collect::<String>()
    })
}

fn value(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).unwrap_or_default()
}

/// The schema of one variant of a command enum, and what its documentation says.
fn variant(variants: &Value, verb: &str) -> (Value, String) {
    let all = variants
        .get("oneOf")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let found = all.iter().find_map(|variant| {
        let schema = variant.get("properties")?.get(verb)?.clone();
        let description = variant
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Some((schema, description.to_owned()))
    });
    found.unwrap_or_else(|| (Value::Object(Map::new()), String::new()))
}

fn answer(description: &str) -> Value {
    let schema = reference("schemas", "AdministeredView");
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn begun() -> Value {
    let mut answer = answer("It was created");
    answer["headers"] = json!({ "Location": {} });
    answer
}
