//! Every problem there is, with its help, as pages behind the types; never invents one that nothing answers with.

use std::{fmt::Write as _, sync::LazyLock};

use aggregates::refusal::Kind;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    answer::Json,
    params::PathTexts,
    problem::{Problem, status, title},
};
use crate::booking::{administered_refusals, booking_refusals};

/// A problem of the edge itself.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    pub(super) slug: &'static str,
    pub(super) status: StatusCode,
    pub(super) help: &'static str,
}

macro_rules! known {
    ($($name:ident = $slug:literal, $status:ident, $help:literal;)+) => {
        $(pub(super) const $name: Known = Known { slug: $slug, status: StatusCode::$status, help: $help };)+
        pub(super) const EDGE: &[Known] = &[$($name),+];
    };
}

known! {
    NO_SUCH_ROUTE = "request/no-such-route", NOT_FOUND, "See /docs for every route.";
    NO_SUCH_THING = "request/no-such-thing", NOT_FOUND, "Check the id in the path.";
    METHOD_NOT_ALLOWED = "request/method-not-allowed", METHOD_NOT_ALLOWED, "Use a method named in the Allow header.";
    MALFORMED_PATH = "request/malformed-path", BAD_REQUEST, "Correct the id in the path.";
    MALFORMED_QUERY = "request/malformed-query", BAD_REQUEST, "Correct the query; /docs names its parameters.";
    MALFORMED_HEADER = "request/malformed-header", BAD_REQUEST, "Correct the header.";
    NOT_VERIFIED = "request/not-verified", BAD_REQUEST, "Sign it with the shared secret, and send it within 5 minutes.";
    MALFORMED_JSON = "request/malformed-json", BAD_REQUEST, "Send one well-formed JSON value in UTF-8.";
    INVALID_FIELDS = "request/invalid-fields", UNPROCESSABLE_ENTITY, "Correct the fields listed in errors.";
    UNSUPPORTED_MEDIA = "request/unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "Send application/json.";
    TOO_LARGE = "request/too-large", PAYLOAD_TOO_LARGE, "Send a smaller body.";
    TOO_MANY = "request/too-many", TOO_MANY_REQUESTS, "Wait as long as Retry-After says.";
    UNAUTHORIZED = "request/unauthorized", UNAUTHORIZED, "Sign in, and send the token as Authorization: Bearer ….";
    WRONG_CREDENTIALS = "sign-in/wrong-credentials", UNAUTHORIZED, "Check login and password.";
    CROSS_SITE = "request/cross-site", FORBIDDEN, "Ask from a page of this server, or send the token as Authorization: Bearer ….";
    PRECONDITION_FAILED = "request/precondition-failed", PRECONDITION_FAILED, "Fetch it again and retry with the new ETag.";
    KEY_REUSED = "request/key-reused", UNPROCESSABLE_ENTITY, "Use a new Idempotency-Key for a new request.";
    BUSY = "server/busy", SERVICE_UNAVAILABLE, "Wait as long as Retry-After says and send it again.";
    UNAVAILABLE = "server/unavailable", SERVICE_UNAVAILABLE, "Wait as long as Retry-After says and send it again.";
    CONTENDED = "server/contended", SERVICE_UNAVAILABLE, "Send it again; other requests were faster each time.";
    BEHIND = "server/behind", SERVICE_UNAVAILABLE, "Wait as long as Retry-After says and ask again.";
    TIMED_OUT = "server/timed-out", SERVICE_UNAVAILABLE, "Send it again with the same Idempotency-Key.";
    FAULT = "server/fault", INTERNAL_SERVER_ERROR, "Report the request's id to the operator.";
}

/// One problem as its page shows it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ProblemPage {
    /// The stable type.
    #[serde(rename = "type")]
    #[schema(example = "/problems/seat/taken")]
    kind: String,
    /// The type in words.
    title: String,
    /// The status it is answered with.
    #[schema(value_type = u16)]
    status: u16,
    /// What the caller can do.
    help: &'static str,
}

static PAGES: LazyLock<Vec<ProblemPage>> = LazyLock::new(|| {
    let page = |slug: &str, status: StatusCode, help| ProblemPage {
        kind: format!("/problems/{slug}"),
        title: title(slug),
        status: status.as_u16(),
        help,
    };
    let rules = booking_refusals().into_iter().chain(administered_refusals());
    let mut pages: Vec<_> = rules
        .map(|(slug, kind, help): (&str, Kind, &'static str)| page(slug, status(kind), help))
        .chain(
            EDGE.iter()
                .map(|known| page(known.slug, known.status, known.help)),
        )
        .collect();
    pages.sort_by(|a, b| a.kind.cmp(&b.kind));
    pages.dedup_by(|a, b| a.kind == b.kind);
    pages
});

/// What belongs to problems.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Every problem this server answers with.
#[utoipa::path(get, path = "/problems", tag = "problems",
    operation_id = "listProblemTypes",
    responses((status = OK, description = "Every problem type",
               content((Vec<ProblemPage> = "application/json"), (String = "text/html")))))]
pub(super) async fn list(headers: HeaderMap) -> Response {
    if wants_html(&headers) {
        html(&PAGES)
    } else {
        Json(&*PAGES).into_response()
    }
}

/// One problem type.
#[utoipa::path(get, path = "/problems/{subject}/{reason}", tag = "problems",
    operation_id = "getProblemType",
    params(("subject" = String, Path, example = "seat"), ("reason" = String, Path, example = "taken")),
    responses((status = OK, description = "The problem type",
               content((ProblemPage = "application/json"), (String = "text/html"))),
              (status = NOT_FOUND, description = "No such problem type")))]
pub(super) async fn show(path: PathTexts, headers: HeaderMap) -> Result<Response, Problem> {
    let kind = format!("/problems/{}/{}", path.text("subject")?, path.text("reason")?);
    let at = PAGES.binary_search_by(|page| page.kind.as_str().cmp(&kind));
    let page = at.map_err(|_| Problem::new(&NO_SUCH_THING, "there is no such problem type"))?;
    let page = &PAGES[page..=page];
    Ok(if wants_html(&headers) {
        html(page)
    } else {
        Json(&page[0]).into_response()
    })
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|a| a.contains("text/html"))
}

/// Slugs and helps are constants of ours without markup, so nothing has to be escaped.
fn html(pages: &[ProblemPage]) -> Response {
    let rows = pages.iter().fold(String::new(), |mut rows, page| {
        // Writing to a string cannot fail.
        let _ = write!(
            rows,
            "<h2><a href=\"{0}\">{1}</a></h2><p>Status {2}. Type <code>{0}</code>.</p><p>{3}</p>",
            page.kind, page.title, page.status, page.help
        );
        rows
    });
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title>{rows}</html>"
    );
    Html(page).into_response()
}
