//! What a caller gets instead of an answer: a problem as RFC 9457 says, with a stable type; never an internal text.

use std::borrow::Cow;

use aggregates::{
    fault::Fault,
    refusal::{Kind, Refusal},
};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value};

use super::messages;
use crate::{language::Language, moments::on_the_wall, store::Trace};

/// The media type of every problem.
pub const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// When it makes sense to look again whether fewer ask from the same place.
const CROWD_SECONDS: u64 = 60;

/// A problem, not yet bound to a request: the edge adds the request's id and writes it out.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    slug: &'static str,
    detail: String,
    help: &'static str,
    retry_after: Option<u64>,
    more: Map<String, Value>,
}

/// How a problem is written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Problem")]
pub struct ProblemBody<'a> {
    /// The stable type, a relative reference that can be read: `GET` it.
    #[serde(rename = "type")]
    #[schema(example = "/problems/seat/taken")]
    kind: String,
    /// The type in words.
    #[schema(example = "Seat: taken")]
    title: String,
    /// The status code of the answer.
    #[schema(example = 409)]
    status: u16,
    /// What happened this time.
    #[schema(example = "C7: the seat is taken")]
    detail: &'a str,
    /// What the caller can do.
    #[schema(example = "Choose another seat; the seat map shows which are free.")]
    help: &'a str,
    /// The request it belongs to.
    #[schema(example = "urn:uuid:0192d3a0-0000-7000-8000-000000000001")]
    instance: String,
    /// What stood in the way, where a rule refused because of something that had happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked_by: Option<Blocking>,
    /// The same, sealed with the request: an auditor can look it up, and nobody can make one up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1.qk3J…")]
    trace: Option<&'a str>,
    /// What some of them say besides.
    #[serde(flatten)]
    #[schema(value_type = Besides)]
    more: &'a Map<String, Value>,
}

/// What some problems say besides; others may have members of their own.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "a schema of members that are put together one by one")]
pub struct Besides {
    /// Each wrong field.
    #[schema(nullable = false)]
    errors: Option<Vec<WrongField>>,
    /// The seats it speaks of: those that stood in the way, would be left alone or are missing from the choice.
    #[schema(nullable = false, example = json!(["C6"]))]
    seats: Option<Vec<String>>,
    /// Whole choices of seats that would be accepted instead, the nearest first.
    #[schema(nullable = false, example = json!([["C6", "C7"], ["C9", "C10"]]))]
    suggestions: Option<Vec<Vec<String>>>,
    /// Where to join the waitlist for what is taken: POST there.
    #[schema(
        nullable = false,
        example = "/v1/time-slots/0192d3a0-0000-7000-8000-000000000001/waitlist"
    )]
    waitlist: Option<String>,
}

/// A wrong field of a body.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "a schema of members that are put together one by one")]
pub struct WrongField {
    /// Where it is, as a JSON pointer.
    #[schema(example = "/persons/adult")]
    pointer: String,
    /// What is wrong there.
    #[schema(example = "must be a whole number from 0 to 255")]
    detail: String,
}

/// The event that stood in the way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Blocking {
    /// Its place in the log.
    #[schema(example = 4711)]
    position: i64,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

/// What people read of a problem, in one language.
struct Told<'a> {
    title: String,
    detail: Cow<'a, str>,
    help: Cow<'a, str>,
    more: Cow<'a, Map<String, Value>>,
}

impl Problem {
    /// One of the edge's own problems; see `super::problems` for the table.
    #[must_use]
    pub fn new(known: &super::problems::Known, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status: known.status,
            slug: known.slug,
            detail: detail.into(),
            help: known.help,
            retry_after: None,
            more: Map::new(),
        }))
    }

    /// A rule's refusal.
    #[must_use]
    pub fn refused(refusal: &dyn Refusal) -> Self {
        let problem = Self::rule(
            refusal.slug(),
            refusal.kind(),
            refusal.to_string(),
            refusal.help(),
        );
        match &*refusal.faults() {
            [] => problem,
            faults => problem.with_faults(faults),
        }
    }

    /// A rule's refusal in its parts.
    #[must_use]
    pub fn rule(slug: &'static str, kind: Kind, detail: String, help: &'static str) -> Self {
        let (status, more) = (status(kind), Map::new());
        let retry_after = (status == StatusCode::TOO_MANY_REQUESTS).then_some(CROWD_SECONDS);
        Self(Box::new(Parts {
            status,
            slug,
            detail,
            help,
            retry_after,
            more,
        }))
    }

    /// The same with the whole sentence of a refusal that joins several.
    #[must_use]
    pub fn saying(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// The same with help that fits this case better than that of its type.
    #[must_use]
    pub fn helping(mut self, help: &'static str) -> Self {
        self.0.help = help;
        self
    }

    /// With a member of its own.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.more.insert(member.to_owned(), value.into());
        self
    }

    /// With every wrong field.
    #[must_use]
    pub fn with_faults(self, faults: &[Fault]) -> Self {
        let errors: Vec<Value> = faults
            .iter()
            .map(|fault| serde_json::json!({ "pointer": fault.pointer, "detail": fault.problem }))
            .collect();
        self.with("errors", errors)
    }

    /// With the seconds after which trying again makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable type without `/problems/`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.0.slug
    }

    /// The problem as a part of the answer to the request with this id, which is not about it alone.
    #[must_use]
    pub fn within(&self, request_id: uuid::Uuid, language: Language) -> Value {
        let parts = &*self.0;
        let told = self.told_in(language, None);
        let body = ProblemBody {
            kind: format!("/problems/{}", parts.slug),
            title: told.title,
            status: parts.status.as_u16(),
            detail: &told.detail,
            help: &told.help,
            instance: format!("urn:uuid:{request_id}"),
            blocked_by: None,
            trace: None,
            more: &told.more,
        };
        serde_json::to_value(body).unwrap_or_default()
    }

    /// The same in another language, with moments by the clock of where it was refused.
    fn told_in(&self, language: Language, zone: Option<&TimeZone>) -> Told<'_> {
        let parts = &*self.0;
        let detail = match zone {
            None => Cow::Borrowed(&*parts.detail),
            Some(zone) => on_the_wall(&parts.detail, zone).into(),
        };
        let Some(page) = messages::page(language, parts.slug) else {
            return Told {
                title: title(parts.slug),
                detail,
                help: Cow::Borrowed(parts.help),
                more: Cow::Borrowed(&parts.more),
            };
        };
        let mut more = parts.more.clone();
        let errors = more.get_mut("errors").and_then(Value::as_array_mut);
        for error in errors.into_iter().flatten() {
            let told = error["detail"]
                .as_str()
                .and_then(|detail| messages::said(language, detail));
            if let Some(told) = told {
                error["detail"] = told.into();
            }
        }
        Told {
            title: page.title,
            detail: messages::detail(language, parts.slug, &detail).into(),
            // One case of a type may be helped better than all of them.
            help: messages::said(language, parts.help).unwrap_or(page.help).into(),
            more: Cow::Owned(more),
        }
    }

    /// The answer for the request with this id, in the language that suits the caller, by the clock of this zone.
    pub(super) fn write(
        &self,
        request_id: &str,
        trace: &Trace,
        language: Language,
        zone: Option<&TimeZone>,
    ) -> Response {
        let parts = &*self.0;
        let told = self.told_in(language, zone);
        let standing = matches!(parts.status, StatusCode::CONFLICT | StatusCode::GONE);
        let blocked_by = trace.blocked_by().filter(|_| standing);
        let body = ProblemBody {
            kind: format!("/problems/{}", parts.slug),
            title: told.title,
            status: parts.status.as_u16(),
            detail: &told.detail,
            help: &told.help,
            instance: format!("urn:uuid:{request_id}"),
            blocked_by: blocked_by.map(|event| Blocking {
                position: event.position,
                recorded_at: event.recorded_at,
            }),
            trace: blocked_by.map(|event| event.proof.as_str()),
            more: &told.more,
        };
        // Texts and JSON values only: writing them cannot fail.
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = parts.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        if let Some(seconds) = parts.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if parts.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Leaves itself in the answer, for the edge to write out.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// The class of a refusal as a status.
#[must_use]
pub const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
    }
}

/// `seat/hold-lapsed` in words: `Seat: hold lapsed`.
#[must_use]
pub fn title(slug: &str) -> String {
    let words = slug.replace('/', ": ").replace('-', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_reads_as_a_title() {
        assert_eq!(title("time-slot/not-yet-on-sale"), "Time slot: not yet on sale");
    }
}
