//! A whole example for every body that is JSON: the one a type gives of itself, else one put together from the examples, choices
//! and bounds of its fields. Never an example that its own schema refuses: a test holds each against it.

use serde_json::{Map, Value, json};

use super::for_each_operation;

const SCHEMAS: &str = "#/components/schemas/";
/// How deep examples go: what contains itself ends here.
const DEPTH_MAX: usize = 32;

/// What fields are like whose schema does not tell: by the field's name, and only where the schema takes it.
const WORDS: [(&str, &str); 47] = [
    ("auditorium_name", "9관"),
    ("branch_name", "강남점"),
    ("by_band", "조조"),
    ("by_day", "2026-12-24"),
    ("by_show", "0192d3a0-0000-7000-8000-000000000001"),
    ("checked_in_by", "0192d3a0-0000-7000-8000-000000000001"),
    (
        "checkout_url",
        "https://pay.example.com/checkout?intent=reservation-301422961418752000",
    ),
    ("command", "reservations/place"),
    ("coupon", "7KQ4MZ2H"),
    ("currency", "KRW"),
    ("detail", "the seat is taken"),
    ("email", "haneul@example.com"),
    ("ended", "sales_closed"),
    ("ends_at", "2026-12-24T12:00:00Z"),
    ("event", "ReservationPlaced"),
    ("expires_at", "2026-12-24T09:10:00Z"),
    ("field", "/plan/starts_at"),
    ("help", "Choose another seat."),
    ("id", "0192d3a0-0000-7000-8000-000000000001"),
    ("kind", "reservation"),
    ("label", "C7"),
    ("letter", "C"),
    ("movie_title", "눈 오는 밤"),
    ("name", "김하늘"),
    ("new", "2026-12-24T11:00:00Z"),
    ("next", "301422961418752000"),
    ("nickname", "하늘"),
    ("nonce", "n-0S6_WzA2Mj"),
    ("number", "7"),
    ("old", "2026-12-24T10:00:00Z"),
    ("phone", "010-1234-5678"),
    ("problem", "the provider did not answer in time"),
    ("provider_id", "msg_7Hx2"),
    ("refused", "reservation/cancelled"),
    ("request_id", "0192d3a0-0000-7000-8000-00000000000a"),
    ("seats", "C7"),
    ("sentence", "the reservation was placed"),
    ("short_code", "K7MQ-2Z"),
    ("show_name", "눈 오는 밤"),
    ("theme_name", "비밀의 방"),
    ("title", "The seat is taken"),
    ("token", "Zt3c0nYl2b1Jw5kq8sVf7A"),
    ("until", "2026-12-24T12:00:00Z"),
    ("valid_until", "2027-01-01T00:00:00Z"),
    ("warnings", "the slot begins in the past"),
    ("who", "customer 0192d3a0-0000-7000-8000-000000000001"),
    ("why", "the customer called"),
];
/// The same for numbers.
const NUMBERS: [(&str, i64); 2] = [("position", 42), ("sequence", 3)];

pub(super) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for_each_operation(document, |_, _, operation| {
        if let Some(body) = operation.pointer_mut("/requestBody/content/application~1json") {
            add(body, &schemas);
        }
        let answers = operation["responses"].as_object_mut();
        for (status, answer) in answers.into_iter().flatten() {
            if status.starts_with('2')
                && let Some(body) = answer.pointer_mut("/content/application~1json")
            {
                add(body, &schemas);
            }
        }
    });
}

/// Gives a body its example, unless it has one.
fn add(body: &mut Value, schemas: &Value) {
    if body.get("example").is_none() {
        body["example"] = example(&body["schema"], schemas, "", DEPTH_MAX);
    }
}

/// Something that a schema takes, as the field of this name.
fn example(schema: &Value, schemas: &Value, field: &str, depth: usize) -> Value {
    let depth = depth.saturating_sub(1);
    for said in ["example", "const", "default"] {
        if let Some(said) = schema.get(said).filter(|said| !said.is_null()) {
            return said.clone();
        }
    }
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix(SCHEMAS))
    {
        return example(&schemas[name], schemas, field, depth);
    }
    if let Some(choice) = schema["enum"].get(0) {
        return choice.clone();
    }
    let variants = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(variants) = variants {
        let some = variants.iter().find(|variant| variant["type"] != "null");
        return some.map_or(Value::Null, |some| example(some, schemas, field, depth));
    }
    match kind(schema) {
        Some("object") if depth > 0 => object(schema, schemas, field, depth),
        Some("object") => json!({}),
        Some("array") if depth > 0 => array(schema, schemas, field, depth),
        Some("array") => json!([]),
        Some("integer" | "number") => number(schema, field),
        Some("boolean") => json!(false),
        Some("string") => text(schema, field),
        // Anything may stand there.
        Some(_) | None => word(field).map_or_else(|| json!({}), Value::from),
    }
}

/// What it is, unless it is nothing.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        Value::String(kind) => Some(kind),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn object(schema: &Value, schemas: &Value, field: &str, depth: usize) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let mut made: Map<String, Value> = fields
        .map(|(name, schema)| (name.clone(), example(schema, schemas, name, depth)))
        .collect();
    // A table: one line of it.
    if made.is_empty() && schema["additionalProperties"].is_object() {
        let key = example(&schema["propertyNames"], schemas, field, depth);
        let key = key.as_str().map_or_else(|| "2".to_owned(), str::to_owned);
        made.insert(key, example(&schema["additionalProperties"], schemas, "", depth));
    }
    Value::Object(made)
}

fn array(schema: &Value, schemas: &Value, field: &str, depth: usize) -> Value {
    let item = example(&schema["items"], schemas, field, depth);
    let least = schema["minItems"].as_u64().unwrap_or_default().max(1);
    (0..least).map(|_| item.clone()).collect()
}

fn number(schema: &Value, field: &str) -> Value {
    let known = NUMBERS.iter().find(|(name, _)| *name == field);
    let least = schema["minimum"].as_i64().unwrap_or_default().max(1);
    let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
    json!(known.map_or(least, |(_, number)| *number).max(least).min(most))
}

fn word(field: &str) -> Option<&'static str> {
    WORDS
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, word)| *word)
}

fn text(schema: &Value, field: &str) -> Value {
    let word = word(field);
    match (schema["format"].as_str(), schema["pattern"].as_str()) {
        (Some("date-time"), _) => {
            let moment = word.filter(|word| word.ends_with('Z'));
            json!(moment.unwrap_or("2026-12-24T10:00:00Z"))
        }
        (Some("date"), _) => json!("2026-12-24"),
        (Some("uuid"), _) => json!("0192d3a0-0000-7000-8000-000000000001"),
        (Some("password"), _) => json!("correct horse battery"),
        (Some("uri"), _) => json!("https://example.com/"),
        (_, Some("^(0|[1-9][0-9]*)$")) => json!("2"),
        (_, Some("^[0-9a-f]{8}$")) => json!("0a1b2c3d"),
        (_, _) => json!(word.unwrap_or("text")),
    }
}
