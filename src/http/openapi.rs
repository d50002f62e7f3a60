//! The OpenAPI 3.1 document, made from the types and routes themselves, and its page; never written by hand.
//!
//! The routes say what is special about them. What the machinery around them does for all of them alike is added here:
//! `commands` the admin route verb by verb, `requests` what every command reads, `answers` what everybody may hear,
//! `examples` what all of it looks like.

mod answers;
mod commands;
mod examples;
mod refusals;
mod requests;
mod schemas;

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Value, json};
use utoipa::{
    OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use super::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Jari",
        description = "A booking engine whose database is its history: cinemas and escape rooms.\n\n\
            Every refusal is a problem (RFC 9457) whose `type` is a page of this server, in the language \
            that `Accept-Language` asks for (en, ko). Each operation lists what it refuses, and `x-jari-problems` lists \
            the types for programs; those at the top are about requests that no operation takes. Commands take an \
            `Idempotency-Key` and answer with `X-Jari-Position`, the log position of their effect; questions take \
            `min_position` to wait for it.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "catalogue", description = "What is on, where and when"),
        (name = "reservations", description = "Hold, place, change, give up"),
        (name = "waitlist", description = "Wait for what is taken, and take what is offered"),
        (name = "customers", description = "Sign up, sign in, and what is one's own"),
        (name = "payments", description = "What the payment provider tells; signed by it"),
        (name = "admin", description = "What staff and admins do; needs a session or the admin token"),
        (name = "audit", description = "Who did what, when and why; needs a session or the admin token"),
        (name = "operation", description = "Health and metrics"),
        (name = "problems", description = "What refusals mean"),
    ),
    components(schemas(super::administer::AdministeredView, super::body::Nothing, super::ProblemBody))
)]
struct Document;

/// The document without its paths.
pub(super) fn base() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    let scheme = |description: &str| {
        let mut http = Http::new(HttpAuthScheme::Bearer);
        http.description = Some(description.to_owned());
        SecurityScheme::Http(http)
    };
    components.add_security_scheme(
        "admin",
        scheme(
            "The token of an admin's session (POST /v1/admin/sessions), or the admin token of this server",
        ),
    );
    components.add_security_scheme(
        "customer",
        scheme("The token of a customer's session (POST /v1/customer/sessions)"),
    );
    components.add_security_scheme(
        "reservation",
        scheme("The token that was handed out with the reservation"),
    );
    document
}

static TEXT: LazyLock<String> =
    LazyLock::new(|| serde_json::to_string_pretty(&document()).unwrap_or_default());

/// The whole document as JSON text.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

/// Where the document and its page are; they are about the routes, not among them.
pub(super) fn routes() -> Router<App> {
    let page =
        utoipa_swagger_ui::SwaggerUi::new("/docs").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    Router::<App>::from(page)
        .layer(axum::middleware::map_response(allow_page))
        .layer(axum::middleware::map_response(super::titled::titled))
        .route(
            "/openapi.json",
            get(async || ([(header::CONTENT_TYPE, "application/json")], text())),
        )
}

/// The page runs scripts and styles of its own; everything else stays forbidden.
async fn allow_page(response: Response) -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], response).into_response()
}

fn document() -> Value {
    let (_, document) = super::documented().split_for_parts();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    commands::add(&mut document);
    requests::complete(&mut document);
    schemas::complete(&mut document);
    answers::complete(&mut document);
    examples::complete(&mut document);
    without_references(&mut document);
    document
}

/// Leaves out of every text which of our requirements it comes from: whoever reads the document does not have them.
fn without_references(value: &mut Value) {
    match value {
        Value::String(text) => {
            while let Some((before, (_, after))) = text
                .split_once(" (DOMAIN ")
                .and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
            {
                *text = format!("{before}{after}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_references),
        Value::Object(fields) => fields.values_mut().for_each(without_references),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Does something with every operation: its path, its method, and what is said about it.
fn for_each_operation(document: &mut Value, mut change: impl FnMut(&str, &str, &mut Value)) {
    let paths = document["paths"].as_object_mut();
    for (path, operations) in paths.into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            change(path, method, operation);
        }
    }
}

/// The parameters of an operation.
fn parameters(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten()
}

/// Whether an operation takes this header.
fn takes(operation: &Value, header: &str) -> bool {
    parameters(operation).any(|parameter| parameter["in"] == "header" && parameter["name"] == header)
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}
