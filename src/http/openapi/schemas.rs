//! Schemas as they are meant: what types say in Rust and the derived schemas lose; never a schema of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{for_each_operation, reference};

const SCHEMAS: &str = "#/components/schemas/";

pub(super) fn complete(document: &mut Value) {
    name_entries(&mut document["components"]["schemas"]);
    let known = document["components"]["schemas"].clone();
    each(document, &mut |schema| {
        join(schema, &known);
        write_keys(schema);
    });
    close(document);
}

/// Does something with every object in `value`, the inner ones first.
fn each(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| each(field, change));
            change(fields);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The entries of a page are the same things as anywhere else.
fn name_entries(schemas: &mut Value) {
    let names: BTreeSet<String> = schemas
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .cloned()
        .collect();
    for name in &names {
        if let Some(entry) = name.strip_prefix("Page_").filter(|entry| names.contains(*entry)) {
            schemas[name]["properties"]["items"]["items"] = reference("schemas", entry);
        }
    }
}

/// A flattened field is part of its object: one schema with the fields of both. Next to each other, each would refuse the
/// other's fields where it is closed.
fn join(schema: &mut Map<String, Value>, known: &Value) {
    let Some(Value::Array(parts)) = schema.remove("allOf") else {
        return;
    };
    let (mut fields, mut required, mut closed) = (Map::new(), BTreeSet::new(), false);
    for part in &parts {
        let part = match part["$ref"].as_str().and_then(|name| name.strip_prefix(SCHEMAS)) {
            Some(name) => &known[name],
            None => part,
        };
        fields.extend(part["properties"].as_object().cloned().into_iter().flatten());
        required.extend(
            part["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        );
        closed |= part["additionalProperties"] == false;
    }
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(fields));
    schema.insert("required".to_owned(), json!(required));
    if closed {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// Numbers as keys of an object are written as texts.
fn write_keys(schema: &mut Map<String, Value>) {
    if let Some(names) = schema.get_mut("propertyNames")
        && names["type"] == "integer"
    {
        *names = json!({ "type": "string", "pattern": "^(0|[1-9][0-9]*)$" });
    }
}

/// No body may have a field that nobody knows, in the variants of enums neither.
fn close(document: &mut Value) {
    let mut reached = BTreeSet::new();
    let mut bodies = Vec::new();
    for_each_operation(document, |_, _, operation| {
        if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
            each(schema, &mut shut);
            // A command without fields has not even a list of them.
            if schema["type"] == "object" {
                schema["additionalProperties"] = json!(false);
            }
            bodies.push(schema.clone());
        }
    });
    while let Some(schema) = bodies.pop() {
        for name in named(&schema) {
            let schema = &mut document["components"]["schemas"][&name];
            if reached.insert(name) {
                bodies.push(schema.clone());
                each(schema, &mut shut);
            }
        }
    }
}

fn shut(schema: &mut Map<String, Value>) {
    if schema.get("type").is_some_and(|kind| kind == "object") && schema.contains_key("properties") {
        schema.entry("additionalProperties").or_insert(json!(false));
    }
}

/// The schemas that this one names.
fn named(schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    each(&mut schema.clone(), &mut |fields| {
        let reference = fields.get("$ref").and_then(Value::as_str);
        names.extend(
            reference
                .and_then(|name| name.strip_prefix(SCHEMAS))
                .map(str::to_owned),
        );
    });
    names
}
