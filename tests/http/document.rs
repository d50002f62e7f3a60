//! The OpenAPI document is a contract: it is kept as a golden, and it says exactly what the router does.

use std::{fs, path::Path};

use jari::{cli, http::openapi};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    contract::{self, DOCUMENT, faults, resolved},
    conversation::golden,
    customers::customer,
    field::Field,
};
use crate::support::{api::Call, staff::Colleague};

const METHODS: [&str; 4] = ["delete", "get", "post", "put"];

#[test]
fn the_document_is_the_one_on_record() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/openapi.json");
    let document = format!("{}\n", openapi::text());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&path, &document).expect("the golden can be written");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(document.lines()).position(|(a, b)| a != b);
    assert!(
        golden == document,
        "snapshots/openapi.json differs from line {differs:?}: INSTA_UPDATE=always writes it anew"
    );
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn look(value: &Value, document: &Value, wrong: &mut Vec<String>) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str)
            && document.pointer(reference.trim_start_matches('#')).is_none()
        {
            wrong.push(reference.to_owned());
        }
        match value {
            Value::Object(fields) => fields.values().for_each(|field| look(field, document, wrong)),
            Value::Array(items) => items.iter().for_each(|item| look(item, document, wrong)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    let mut wrong = Vec::new();
    look(&document, &document, &mut wrong);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_and_the_router_agree() {
    let field = Field::open().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let document: Value = serde_json::from_str(openapi::text()).unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let concrete = concrete(path);
        let address = format!("http://{}{concrete}", field.address());
        let mut documented: Vec<&str> = METHODS
            .into_iter()
            .filter(|method| operations.get(method).is_some())
            .collect();
        if documented.contains(&"get") {
            documented.push("head");
        }
        for method in &documented {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let answer = client.request(method.clone(), &address).send().await.unwrap();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let body = answer.text().await.unwrap_or_default();
            contract::check(&method, &concrete, status.as_u16(), &headers, body.as_bytes());
            assert!(
                status != 405 && status != 500 && !(status == 404 && body.contains("/request/no-such-route")),
                "{path}: {status} {body}"
            );
        }
        // A method nobody has tells which ones there are.
        let answer = client.request(Method::PATCH, &address).send().await.unwrap();
        let allow = answer.headers()["allow"].to_str().unwrap().to_lowercase();
        let mut allowed: Vec<&str> = allow.split(',').map(str::trim).collect();
        let generic = path.starts_with("/v1/") && operations.get("post").is_some() && allowed == ["post"];
        allowed.sort_unstable();
        documented.sort_unstable();
        assert!(
            generic || allowed == documented,
            "{path}: the router takes {allowed:?}, the document says {documented:?}"
        );
    }
    field.close().await;
}

/// Every example in the document, with its schema and where it is.
fn examples() -> Vec<(String, Value, Value)> {
    fn look(value: &Value, place: &str, found: &mut Vec<(String, Value, Value)>) {
        match value {
            Value::Object(fields) => {
                if let Some(example) = fields.get("example") {
                    // Beside a schema, or a keyword of one.
                    let schema = fields.get("schema").unwrap_or(value);
                    found.push((place.to_owned(), schema.clone(), example.clone()));
                }
                let below = fields.iter().filter(|(name, _)| *name != "example");
                below.for_each(|(name, field)| look(field, &format!("{place}/{name}"), found));
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(n, item)| look(item, &format!("{place}/{n}"), found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    look(&DOCUMENT, "", &mut found);
    found
}

/// Every operation of the document, with where it is.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().expect("paths").iter();
    paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations").iter();
        operations.map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

#[test]
fn every_operation_has_a_name_of_its_own_in_one_style() {
    let mut known = std::collections::BTreeMap::new();
    for (place, operation) in operations() {
        let name = operation["operationId"].as_str().expect("a name");
        let camel = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric());
        assert!(camel, "{place}: {name}");
        let other = known.insert(name, place.clone());
        assert_eq!(other, None, "{place}: {name} is the name of another one, too");
    }
    assert!(known.len() > 150, "{}", known.len());
}

#[test]
fn every_body_has_a_whole_example() {
    let mut found = 0;
    for (place, operation) in operations() {
        let answers = operation["responses"].as_object().expect("answers").iter();
        let answers = answers.filter(|(status, _)| status.starts_with('2'));
        let bodies = answers
            .map(|(_, answer)| answer)
            .chain([&operation["requestBody"]]);
        for body in bodies.filter_map(|said| said["content"].get("application/json")) {
            let example = body.get("example");
            let example = example.unwrap_or_else(|| panic!("{place} has no example"));
            // Whatever a body needs is there, and a page shows an entry.
            let required = resolved(&body["schema"])["required"].as_array();
            let fields = required.into_iter().flatten().filter_map(Value::as_str);
            assert!(
                fields.clone().all(|field| example.get(field).is_some()),
                "{place}: {example}"
            );
            assert_ne!(example.get("items"), Some(&json!([])), "{place}: {example}");
            assert!(!example.to_string().contains(r#":"text""#), "{place}: {example}");
            found += 1;
        }
    }
    assert!(found > 250, "{found}");
}

#[test]
fn every_problem_stands_in_the_document() {
    let listed = |value: &'static Value| value["x-jari-problems"].as_array().expect("a list").iter();
    let said: std::collections::BTreeSet<&str> = operations()
        .flat_map(|(_, operation)| listed(operation))
        .chain(listed(&DOCUMENT))
        .filter_map(Value::as_str)
        .collect();
    let missing: Vec<&str> = jari::http::problems::pages()
        .iter()
        .map(jari::http::problems::ProblemPage::slug)
        .filter(|slug| !said.contains(slug))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_example_is_what_its_schema_says() {
    let examples = examples();
    assert!(examples.len() > 300, "{}", examples.len());
    for (place, schema, example) in examples {
        let faults = faults(&schema, &example);
        assert!(faults.is_empty(), "{place}: {example} {faults:#?}");
    }
}

/// The same body with a field nobody knows in each of its objects.
fn misspelt(body: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    if let Value::Object(fields) = body {
        let mut with_more = fields.clone();
        with_more.insert("misspelt".to_owned(), json!(1));
        all.push(Value::Object(with_more));
        for (name, field) in fields {
            for changed in misspelt(field) {
                let mut with_other = fields.clone();
                with_other.insert(name.clone(), changed);
                all.push(Value::Object(with_other));
            }
        }
    }
    if let Value::Array(items) = body {
        for (n, item) in items.iter().enumerate() {
            for changed in misspelt(item) {
                let mut others = items.clone();
                others[n] = changed;
                all.push(Value::Array(others));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_knows_is_refused_by_the_document_and_the_server_alike() {
    let field = Field::open().await;
    let customer = customer(&field.api, "haneul@example.com", "하늘").await;
    let colleague = Colleague::enlist(&field.api, "minseo", "HEAD_OFFICE", &[]).await;
    let colleague = colleague.sign_in(&field.api).await;
    let mut tried = 0;
    for (path, operations) in DOCUMENT["paths"].as_object().unwrap() {
        let body = &operations["post"]["requestBody"]["content"]["application/json"];
        let schema = &body["schema"];
        let example = body.get("example").or(resolved(schema).get("example"));
        let example = example.cloned().unwrap_or_else(|| json!({}));
        for sent in misspelt(&example) {
            if operations.get("post").is_none() {
                continue;
            }
            let documented = faults(schema, &sent).is_empty();
            let call = Call::admin(concrete(path), sent.clone());
            let call = match path.split('/').nth(2) {
                Some("customer") => call.with_token(&customer),
                Some("admin") => call.with_token(&colleague),
                Some(_) | None => call,
            };
            let answer = field.api.ask(&call).await;
            let taken = answer.status != 422 || answer.slug() != "request/invalid-fields";
            assert_eq!(taken, documented, "{path} {sent}: {answer}");
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried}");
    field.close().await;
}

fn concrete(path: &str) -> String {
    let id = if path.contains("/reservations/") || path.contains("/waitlist-entries/") {
        "301422961418752000".to_owned()
    } else if path.contains("/coupons/") {
        "7KQ4MZ2H".to_owned()
    } else if path.contains("/roles/") {
        "NIGHT_SHIFT".to_owned()
    } else {
        Uuid::now_v7().to_string()
    };
    let path = path
        .replace("{id}", &id)
        .replace("{time_slot}", &id)
        .replace("{label}", "A1");
    path.replace("{subject}", "seat")
        .replace("{reason}", "taken")
        .replace("{entity}", "movie")
}

#[test]
fn the_help_is_the_one_on_record() {
    golden("cli_help", &cli::help());
}
