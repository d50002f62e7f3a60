//! The OpenAPI 3.1 document, made from the types and routes themselves, and its page; never written by hand.

use std::sync::LazyLock;

use aggregates::{
    administered::Administered, auditorium::Auditorium, branch::Branch, coupon::Coupon, movie::Movie,
    price_policy::PricePolicy, theme::Theme, time_slot::TimeSlot,
};
use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi, PartialSchema as _, ToSchema,
    openapi::{
        RefOr, Schema,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

use super::{App, administer::for_each_administered, reason};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Jari",
        description = "A booking engine whose database is its history: cinemas and escape rooms.\n\n\
            Every refusal is a problem (RFC 9457) whose `type` is a page of this server. Commands take an \
            `Idempotency-Key` and answer with `X-Jari-Position`, the log position of their effect; questions take \
            `min_position` to wait for it.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "catalogue", description = "What is on, where and when"),
        (name = "reservations", description = "Hold, place, change, give up"),
        (name = "admin", description = "What staff and admins do; needs the admin token"),
        (name = "audit", description = "Who did what, when and why; needs the admin token"),
        (name = "operation", description = "Health and metrics"),
        (name = "problems", description = "What refusals mean"),
    ),
    components(schemas(super::administer::AdministeredView, super::ProblemBody))
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
    components.add_security_scheme("admin", scheme("The admin token of this server"));
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
    macro_rules! add {
        ($($aggregate:ident),+) => {
            $(add_commands::<$aggregate>(&mut document);)+
        };
    }
    for_each_administered!(add);
    add_reason(&mut document);
    document
}

/// Every command can carry a reason: what takes a key is a command.
fn add_reason(document: &mut Value) {
    let parameter = json!({ "name": "Jari-Reason", "in": "header", "required": false, "schema": { "type": "string" },
        "description": reason::DESCRIPTION });
    let paths = document["paths"].as_object_mut();
    for path in paths.into_iter().flat_map(|paths| paths.values_mut()) {
        let parameters = path.get_mut("post").and_then(|post| post.get_mut("parameters"));
        if let Some(Value::Array(parameters)) = parameters
            && parameters.iter().any(|known| known["name"] == "Idempotency-Key")
        {
            parameters.push(parameter.clone());
        }
    }
}

/// One operation per command of an aggregate, and the one that reads it.
fn add_commands<A: Administered<Command: ToSchema>>(document: &mut Value) {
    let mut schemas = Vec::new();
    <A::Command as ToSchema>::schemas(&mut schemas);
    for (name, schema) in schemas {
        document["components"]["schemas"][name] = value(&schema);
    }
    let variants = value(&A::Command::schema());
    let collection = A::COLLECTION;
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } });
    for (verb, example) in A::EXAMPLES {
        let (schema, description) = variant(&variants, verb);
        let example: Value = serde_json::from_str(example).unwrap_or_default();
        let operation = json!({
            "tags": ["admin"],
            "summary": description,
            "operationId": format!("{verb}-{collection}"),
            "parameters": [
                id,
                { "name": "If-Match", "in": "header", "required": false, "schema": { "type": "string" },
                  "description": "The ETag it was read with; refused if it has changed since" },
                { "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string" } },
            ],
            "requestBody": { "content": { "application/json": { "schema": schema, "example": example } } },
            "responses": {
                "200": answer("As it is now"),
                "201": answer("It was created"),
                "401": problem("The admin token is needed"),
                "404": problem("Not found"),
                "409": problem("A rule refuses it, or its name is taken"),
                "412": problem("It has changed since"),
                "422": problem("Some fields are wrong"),
            },
            "security": [{ "admin": [] }],
        });
        document["paths"][format!("/v1/{collection}/{{id}}/{verb}")]["post"] = operation;
    }
    document["paths"][format!("/v1/admin/{collection}/{{id}}")]["get"] = json!({
        "tags": ["admin"],
        "summary": "Its whole state, with its sequence as ETag",
        "operationId": format!("read-{collection}"),
        "parameters": [id],
        "responses": {
            "200": answer("As it is now"),
            "401": problem("The admin token is needed"),
            "404": problem("Not found"),
        },
        "security": [{ "admin": [] }],
    });
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
    let schema = json!({ "$ref": "#/components/schemas/AdministeredView" });
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn problem(description: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/ProblemBody" });
    json!({ "description": description, "content": { "application/problem+json": { "schema": schema } } })
}
