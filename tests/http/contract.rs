//! Holds every answer of the HTTP stories against the OpenAPI document: nothing is answered that it does not say.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jari::{
    http::{messages, openapi, problems},
    language::Language,
};
use jsonschema::{Draft, Validator};
use reqwest::{Method, Response, header::HeaderMap};
use serde_json::{Value, json};

/// The document.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(openapi::text()).expect("the document is JSON"));

static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Headers that are part of the contract: none may come without being said.
const HEADERS: [&str; 9] = [
    "content-language",
    "etag",
    "link",
    "location",
    "retry-after",
    "www-authenticate",
    "x-jari-position",
    "x-jari-repeated",
    "x-request-id",
];

/// Everything wrong with a value by a schema of the document.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let name = schema.to_string();
    let mut compiled = COMPILED.lock().expect("nobody panicked");
    let validator = compiled.entry(name).or_insert_with(|| {
        let whole =
            json!({ "allOf": [schema], "components": { "schemas": DOCUMENT["components"]["schemas"] } });
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true);
        Arc::new(options.build(&whole).expect("a schema"))
    });
    let validator = Arc::clone(validator);
    drop(compiled);
    let told = validator.iter_errors(value);
    told.map(|error| format!("{} at {:?}", error, error.instance_path().to_string()))
        .collect()
}

/// What a reference leads to; other values are themselves.
pub fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .expect("references lead somewhere"),
        None => value,
    }
}

/// The documented path that takes this one, literal segments before parameters; and what can be asked there.
fn operations(path: &str) -> Option<(&'static str, &'static Value)> {
    let segments: Vec<&str> = path.split('/').collect();
    let literal = |template: &str| {
        template
            .split('/')
            .filter(|segment| !segment.starts_with('{'))
            .count()
    };
    let takes = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let mut pairs = template.iter().zip(&segments);
        template.len() == segments.len() && pairs.all(|(known, sent)| known.starts_with('{') || known == sent)
    };
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let found = paths.iter().filter(|(template, _)| takes(template));
    found
        .max_by_key(|(template, _)| literal(template))
        .map(|(template, operations)| (template.as_str(), operations))
}

/// Fails unless the document says that this can be answered.
pub fn check(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let wrong = wrong(method, path, status, headers, body);
    assert!(
        wrong.is_empty(),
        "{method} {path} is answered as the document does not say, {status} {}: {wrong:#?}",
        String::from_utf8_lossy(body)
    );
}

/// The status, media type and text of an answer, held against the document.
pub async fn heard(method: &Method, path: &str, answer: Response) -> (u16, String, String) {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a whole answer");
    check(method, path, status, &headers, text.as_bytes());
    let media = headers
        .get("content-type")
        .map(|media| media.to_str().expect("a text"));
    (status, media.unwrap_or_default().to_owned(), text)
}

fn wrong(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let media = headers
        .get("content-type")
        .and_then(|media| media.to_str().ok())
        .and_then(|media| media.split(';').next())
        .unwrap_or_default();
    let asked = if *method == Method::HEAD {
        "get"
    } else {
        &*method.as_str().to_lowercase()
    };
    let operation = operations(path).and_then(|(_, operations)| operations.get(asked));
    let Some(operation) = operation else {
        // Only the document and its page are outside of it; all else has no such route or method.
        return match (status, media) {
            (200..400, _) if path == "/openapi.json" || path.starts_with("/docs") => Vec::new(),
            (400.., "application/problem+json") => {
                body_faults(&json!({ "$ref": "#/components/schemas/ProblemBody" }), body)
            }
            _ => vec!["there is no such operation".to_owned()],
        };
    };
    let Some(said) = operation["responses"].get(status.to_string()).map(resolved) else {
        return vec![format!("status {status} is not documented")];
    };
    let mut wrong = Vec::new();
    if media == "application/problem+json" && *method != Method::HEAD {
        wrong.extend(problem_faults(operation, headers, body));
    }
    let known = said["headers"].as_object();
    for (name, header) in known.into_iter().flatten() {
        let header = resolved(header);
        match headers.get(name).map(|value| value.to_str().expect("a text")) {
            None if header["required"] == true => wrong.push(format!("{name} is missing")),
            Some(text) if header["schema"]["type"] == "integer" && text.parse::<i64>().is_err() => {
                wrong.push(format!("{name} is no number: {text}"));
            }
            Some(_) | None => {}
        }
    }
    let unsaid = |name: &&&str| {
        let mut known = known.into_iter().flatten();
        headers.contains_key(**name) && !known.any(|(said, _)| said.eq_ignore_ascii_case(name))
    };
    wrong.extend(
        HEADERS
            .iter()
            .filter(unsaid)
            .map(|name| format!("{name} is not documented")),
    );
    if *method == Method::HEAD {
        return wrong;
    }
    match said["content"].as_object() {
        None if !body.is_empty() => wrong.push("no body is documented".to_owned()),
        None => {}
        Some(content) => match content.get(media) {
            None => wrong.push(format!("{media:?} is not documented")),
            Some(content) if media.ends_with("json") => wrong.extend(body_faults(&content["schema"], body)),
            Some(_) => {}
        },
    }
    wrong
}

/// What is wrong with a problem beyond its schema: its operation does not list it, or it is not told in every language.
fn problem_faults(operation: &Value, headers: &HeaderMap, body: &[u8]) -> Vec<String> {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let slug = problem["type"]
        .as_str()
        .and_then(|kind| kind.strip_prefix("/problems/"));
    let slug = slug.unwrap_or_default();
    let listed = operation["x-jari-problems"]
        .as_array()
        .expect("a list of problems");
    let mut wrong = Vec::new();
    // These are about requests that no operation takes, though its path may look like theirs.
    let elsewhere = ["request/no-such-route", "request/method-not-allowed"].contains(&slug);
    if !elsewhere && !listed.iter().any(|known| known == slug) {
        wrong.push(format!("the operation does not list {slug}"));
    }
    if headers
        .get("content-language")
        .is_some_and(|language| language != "en")
    {
        return wrong;
    }
    let errors = problem["errors"].as_array().into_iter().flatten();
    let details = errors.map(|error| &error["detail"]).chain([&problem["detail"]]);
    // A place in a body can have any name, also one that reads like a sentence; what is wrong there stands in errors.
    let is_place = |english: &&str| english.starts_with('/');
    for language in Language::ALL {
        let untold = details
            .clone()
            .filter_map(Value::as_str)
            .filter(|english| !is_place(english) && messages::said(language, english).is_none());
        wrong.extend(untold.map(|english| format!("{english:?} is not told in {}", language.tag())));
        let help = problem["help"].as_str().unwrap_or_default();
        let usual = problems::pages()
            .iter()
            .any(|page| page.slug() == slug && page.help() == help);
        if !usual && messages::said(language, help).is_none() {
            wrong.push(format!("{help:?} is not told in {}", language.tag()));
        }
    }
    wrong
}

fn body_faults(schema: &Value, body: &[u8]) -> Vec<String> {
    match serde_json::from_slice(body) {
        Ok(value) => faults(schema, &value),
        Err(error) => vec![format!("the body is no JSON: {error}")],
    }
}

#[test]
fn an_answer_that_the_document_does_not_say_is_noticed() {
    let headers = |media: &str, more: &[(&'static str, &str)]| {
        let all = [("content-type", media), ("x-request-id", "1")];
        let all = all.iter().chain(more);
        all.map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
            .collect::<HeaderMap>()
    };
    let said = |path: &str, status, headers: &HeaderMap, body: &str| {
        wrong(&Method::GET, path, status, headers, body.as_bytes())
    };
    let (json, body) = (headers("application/json", &[]), r#"{"status":"ok"}"#);
    assert!(said("/health/live", 200, &json, body).is_empty());
    assert_eq!(
        said("/health/live", 202, &json, body),
        ["status 202 is not documented"]
    );
    assert_eq!(said("/health/live", 200, &HeaderMap::new(), body).len(), 2);
    assert_eq!(said("/health/live", 200, &json, r#"{"status":1}"#).len(), 1);
    assert_eq!(
        said("/health/live", 200, &headers("text/html", &[]), body).len(),
        1
    );
    assert_eq!(
        said(
            "/health/live",
            200,
            &headers("application/json", &[("etag", "1")]),
            body
        )
        .len(),
        1
    );
    assert_eq!(
        said("/health/late", 200, &json, body),
        ["there is no such operation"]
    );
    assert_eq!(said("/v1/branches/x", 404, &json, "{}").len(), 3);
    let problem = headers(
        "application/problem+json",
        &[("content-language", "en"), ("vary", "accept-language")],
    );
    let told = |slug: &str, detail: &str| {
        let body = json!({ "type": format!("/problems/{slug}"), "title": "", "status": 404, "detail": detail,
            "help": "Choose a branch from GET /v1/branches.", "instance": "urn:uuid:1" });
        said("/v1/branches/x", 404, &problem, &body.to_string())
    };
    let known = "there is no such branch";
    assert_eq!(told("branch/not-found", known), [""; 0]);
    assert_eq!(
        told("seat/taken", known)[0],
        "the operation does not list seat/taken"
    );
    assert_eq!(
        told("branch/not-found", "a branch of nobody's knowing"),
        [r#""a branch of nobody's knowing" is not told in ko"#]
    );
}
