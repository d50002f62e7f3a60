//! What every request may carry because the extractors read it, whichever route it is for; never a field of one route.

use serde_json::{Value, json};

use super::{
    super::{idempotency, pages, reason},
    for_each_operation, reference, takes,
};

pub(super) fn complete(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for_each_operation(document, |_, method, operation| {
        if takes(operation, "Idempotency-Key") {
            add_reason(operation);
        }
        // A stranger's key must be hard to guess.
        let strangers = operation.get("security").is_none();
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            tighten(parameter, strangers);
        }
        if method == "post" {
            say_body(operation, &schemas);
        }
    });
}

/// Every command can carry a reason: what takes a key is a command.
fn add_reason(operation: &mut Value) {
    let parameter = json!({ "name": "Jari-Reason", "in": "header", "required": false, "schema": { "type": "string" },
        "description": reason::DESCRIPTION });
    if let Value::Array(parameters) = &mut operation["parameters"] {
        parameters.push(parameter);
    }
}

/// The bounds that all parameters of this name have. What may be left out is never sent as null.
fn tighten(parameter: &mut Value, strangers: bool) {
    let schema = &mut parameter["schema"];
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        schema["type"] = kind.unwrap_or_default();
    }
    match parameter["name"].as_str() {
        Some("limit") => {
            parameter["schema"]["minimum"] = json!(1);
            parameter["schema"]["maximum"] = json!(pages::LIMIT_MAX);
            parameter["schema"]["default"] = json!(pages::LIMIT_DEFAULT);
        }
        Some("position" | "after") => {
            parameter["schema"]["minimum"] = json!(0);
        }
        Some("Idempotency-Key") => {
            let shortest = if strangers {
                idempotency::STRANGERS_MIN
            } else {
                *idempotency::LENGTH.start()
            };
            parameter["schema"]["minLength"] = json!(shortest);
            parameter["schema"]["maxLength"] = json!(idempotency::LENGTH.end());
        }
        Some(_) | None => {}
    }
}

/// Every command reads a body, which may be empty where nothing has to be said.
fn say_body(operation: &mut Value, schemas: &Value) {
    let body = &mut operation["requestBody"];
    if body.is_null() {
        *body = json!({ "content": { "application/json": { "schema": reference("schemas", "Nothing") } } });
    }
    let mut schema = &body["content"]["application/json"]["schema"];
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next())
    {
        schema = &schemas[name];
    }
    let needed = schema["required"]
        .as_array()
        .is_some_and(|fields| !fields.is_empty());
    body["required"] = json!(needed);
}
