//! Every problem there is, with its help, as pages behind the types; never invents one that nothing answers with.

use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use aggregates::refusal::{Kind, Refusal as _};
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    answer::Json,
    deliveries::DeliveryError,
    messages::{self, Told},
    params::PathTexts,
    problem::{Problem, status, title},
};
use crate::{admin_commands, booking, language::Language};

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
    WRONG_TOKEN = "sign-in/wrong-token", UNAUTHORIZED, "Take a new nonce and sign in with the provider anew.";
    EMAIL_NOT_VERIFIED = "sign-in/email-not-verified", FORBIDDEN, "Let the provider verify the e-mail address, or sign up with a password.";
    NOT_OFFERED = "sign-in/not-offered", NOT_FOUND, "Sign in with e-mail address and password.";
    PROVIDER_AWAY = "sign-in/provider-away", SERVICE_UNAVAILABLE, "Wait as long as Retry-After says and send it again.";
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
    /// The same in other languages, by their tags.
    #[schema(value_type = HashMap<String, TranslatedPage>,
             example = json!({ "ko": { "title": "이미 선택된 좌석", "help": "다른 좌석을 골라 주세요." } }))]
    translations: BTreeMap<&'static str, TranslatedPage>,
}

/// What a problem's page says in another language.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TranslatedPage {
    /// The type in words.
    title: String,
    /// What the caller can do.
    help: String,
}

impl ProblemPage {
    fn of(slug: &str, status: StatusCode, help: &'static str) -> Self {
        let translations = Language::ALL.into_iter().filter_map(|language| {
            let Told { title, help } = messages::page(language, slug)?;
            Some((language.tag(), TranslatedPage { title, help }))
        });
        Self {
            kind: format!("{FOLDER}{slug}"),
            title: title(slug),
            status: status.as_u16(),
            help,
            translations: translations.collect(),
        }
    }

    /// Its type without the folder it is in.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.kind.strip_prefix(FOLDER).unwrap_or_default()
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What the caller can do, in English.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help
    }
}

/// Where the pages are.
const FOLDER: &str = "/problems/";

static PAGES: LazyLock<Vec<ProblemPage>> = LazyLock::new(|| {
    let deliveries = DeliveryError::EACH
        .iter()
        .map(|error| (error.slug(), error.kind(), error.help()));
    let rules = booking::refusals().into_iter().chain(admin_commands::refusals());
    let rules = rules.chain(deliveries);
    let mut pages: Vec<_> = rules
        .map(|(slug, kind, help): (&str, Kind, &'static str)| ProblemPage::of(slug, status(kind), help))
        .chain(
            EDGE.iter()
                .map(|known| ProblemPage::of(known.slug, known.status, known.help)),
        )
        .collect();
    pages.sort_by(|a, b| a.kind.cmp(&b.kind));
    pages.dedup_by(|a, b| a.kind == b.kind);
    pages
});

/// Every problem there is, by type.
#[must_use]
pub fn pages() -> &'static [ProblemPage] {
    &PAGES
}

/// Every problem as a table in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut table = "| type | status | title | what the caller can do |\n|---|---|---|---|".to_owned();
    for page in pages() {
        let translations = page.translations.values();
        let (titles, helps) = translations.fold(
            (page.title.clone(), page.help.to_owned()),
            |(titles, helps), TranslatedPage { title, help }| {
                (format!("{titles}<br>{title}"), format!("{helps}<br>{help}"))
            },
        );
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "\n| `{}` | {} | {titles} | {helps} |",
            page.slug(),
            page.status
        );
    }
    table
}

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
        for (tag, TranslatedPage { title, help }) in &page.translations {
            let _ = write!(rows, "<p lang=\"{tag}\"><strong>{title}</strong> {help}</p>");
        }
        rows
    });
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title>{rows}</html>"
    );
    Html(page).into_response()
}
