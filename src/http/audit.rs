//! The audit trail over HTTP: the log as a filtered list, and the whole story of one entity; for admins only; never
//! changes anything, and never shows what was erased.

use std::sync::Arc;

use aggregates::{
    Recorded, StreamId,
    event::{KINDS, NAMES},
    ids::BranchId,
    rights::Permission,
};
use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use projections::audit_trail::{self, Filter};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    access::Admin,
    answer::Json,
    caller::Caller,
    fresh, messages, nearest,
    pages::{self, Page},
    params::{Asked, Moment, PathTexts},
    problem::{Problem, ProblemBody},
    problems,
};
use crate::{
    audit::{self, Told},
    language::Language,
    store::Actor,
};

/// What belongs to the audit trail.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(timeline))
        .routes(routes!(refusal))
}

/// Which events.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of streams of this kind, for example `reservation`.
    kind: Option<String>,
    /// Of the stream with this id; needs `kind`.
    id: Option<String>,
    /// With this stored name, for example `SeatHeld`.
    event: Option<String>,
    /// By this kind of actor: `guest`, `customer`, `admin` or `system`.
    actor_kind: Option<String>,
    /// By this actor.
    actor_id: Option<String>,
    /// At this branch.
    branch: Option<Uuid>,
    /// Written at this moment or later; a day like `2026-12-24` is its first moment in UTC.
    #[param(value_type = Option<String>, example = "2026-12-24T10:00:00Z")]
    from: Option<Moment>,
    /// Written before this moment; a day like `2026-12-24` is its first moment in UTC.
    #[param(value_type = Option<String>, example = "2026-12-24T10:00:00Z")]
    before: Option<Moment>,
    /// After this log position.
    after_position: Option<i64>,
    /// Before this log position.
    before_position: Option<i64>,
    /// Newest first.
    #[serde(default)]
    newest_first: bool,
    /// Where the page begins.
    cursor: Option<String>,
    /// Events on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the trail is as new as this log position.
    min_position: Option<i64>,
}

impl Which {
    fn filter(self, branches: Option<Vec<BranchId>>) -> Result<Filter, Problem> {
        let place = pages::behind::<i64>(self.cursor.as_deref())?;
        let kind = self.kind.map(|kind| kind.replace('-', "_"));
        let names: Vec<&str> = NAMES
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        let faults: Vec<String> = [
            unknown("kind", kind.as_deref(), KINDS),
            unknown("event", self.event.as_deref(), &names),
            unknown("actor_kind", self.actor_kind.as_deref(), &Actor::KINDS),
            (self.id.is_some() && kind.is_none())
                .then(|| "id can only be given together with kind".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !faults.is_empty() {
            return Err(Problem::new(&problems::MALFORMED_QUERY, faults.join("; ")));
        }
        let (mut after, mut before) = (self.after_position, self.before_position);
        match place {
            Some(place) if self.newest_first => before = Some(place),
            Some(place) => after = Some(place),
            None => {}
        }
        Ok(Filter {
            kind,
            id: self.id,
            event_type: self.event,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            branch: self.branch,
            branches,
            after,
            before,
            recorded_from: self.from.map(|Moment(from)| from),
            recorded_before: self.before.map(|Moment(before)| before),
        })
    }
}

/// What is said of a value that a filter does not know: nothing could ever be found by it.
fn unknown(name: &str, value: Option<&str>, known: &[&str]) -> Option<String> {
    let value = value.filter(|value| !known.contains(value))?;
    Some(format!(
        "{name}: {}",
        nearest::unknown(&format!("`{value}` is not known"), value, known)
    ))
}

/// The same in this language; what has no translation stays English.
fn in_words_of(language: Language, told: &mut [Told]) {
    for told in told {
        for words in [&mut told.sentence, &mut told.who] {
            if let Some(said) = messages::told(language, words) {
                *words = said;
            }
        }
    }
}

/// Events of the log, as sentences in the caller's language.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", operation_id = "listAuditEvents",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In log order, or newest first", body = Page<Told>),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(super) async fn events(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let (newest_first, min_position) = (which.newest_first, which.min_position);
    let filter = which.filter(admin.sees(Permission::SeeAudit))?;
    fresh::reached(&app, "audit_trail", min_position).await?;
    let mut connection = app.reads.acquire().await?;
    let entries = audit_trail::events(&mut connection, &filter, newest_first, limit + 1).await?;
    drop(connection);
    let sealed: Vec<_> = entries.iter().map(audit::metadata_of).collect();
    let opened = app.store.open_metadata(&sealed).await?;
    let mut told: Vec<Told> = entries
        .iter()
        .zip(opened)
        .map(|(entry, metadata)| audit::tell_entry(entry, metadata))
        .collect();
    audit::name(&app.reads, &mut told).await?;
    in_words_of(caller.language, &mut told);
    Ok(pages::page(&uri, told, limit, |told: &Told| told.position, Some))
}

/// Whether an admin may read these events of one stream: all of them, or those of their own branches as far as they say
/// where they happened, one at least.
fn visible(admin: &Admin, events: &[Arc<Recorded>]) -> bool {
    let Some(own) = admin.sees(Permission::SeeAudit) else {
        return true;
    };
    let branch = |event: &Arc<Recorded>| event.metadata.get("branch")?.parse::<BranchId>().ok();
    let mut branches = events.iter().filter_map(branch).peekable();
    branches.peek().is_some() && branches.all(|branch| own.contains(&branch))
}

/// The whole story of one entity: every event with who, when, why, and old → new.
#[utoipa::path(get, path = "/v1/audit/{entity}/{id}", tag = "audit", operation_id = "getTimeline",
    params(("entity" = String, Path, description = "Its stored kind, for example `reservation`"), ("id" = String, Path)),
    security(("admin" = [])),
    responses((status = OK, description = "Its history, oldest first", body = [Told]),
              (status = NOT_FOUND, description = "It has no history", body = ProblemBody)))]
pub(super) async fn timeline(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    path: PathTexts,
) -> Result<Response, Problem> {
    let (kind, id) = (path.text("entity")?.replace('-', "_"), path.text("id")?);
    if !KINDS.contains(&kind.as_str()) {
        let detail = format!(
            "there is no kind of entity `{kind}`; the kinds are {}",
            KINDS.join(", ")
        );
        return Err(Problem::new(&problems::NO_SUCH_THING, detail));
    }
    let events: Vec<Arc<_>> = app
        .store
        .events_of(&StreamId::stored(&kind, id))
        .await?
        .into_iter()
        .map(Arc::new)
        .collect();
    if events.is_empty() || !visible(&admin, &events) {
        return Err(Problem::new(
            &problems::NO_SUCH_THING,
            format!("{kind} {id} has no history"),
        ));
    }
    let mut told = audit::timeline(&events);
    audit::name(&app.reads, &mut told).await?;
    in_words_of(caller.language, &mut told);
    Ok(Json(told).into_response())
}

/// A refusal, explained.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Explained {
    /// The request that was refused.
    request_id: Uuid,
    /// What stood in its way.
    blocked_by: Told,
}

/// What stood in the way of a refused request: the `trace` of its problem, opened.
#[utoipa::path(get, path = "/v1/audit/refusals/{trace}", tag = "audit", operation_id = "explainRefusal",
    params(("trace" = String, Path, description = "As the problem carried it")),
    security(("admin" = [])),
    responses((status = OK, description = "The event that stood in the way", body = Explained),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody),
              (status = NOT_FOUND, description = "This server never refused anything with this trace", body = ProblemBody)))]
pub(super) async fn refusal(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    path: PathTexts,
) -> Result<Response, Problem> {
    let unknown = || {
        Problem::new(
            &problems::NO_SUCH_THING,
            "this trace is not of a refusal by this server",
        )
    };
    let (request_id, position) = app
        .store
        .vault()
        .read_refusal(path.text("trace")?)
        .ok_or_else(unknown)?;
    let events = app.store.events(position - 1, 1).await?;
    let blocking = events.first().filter(|event| event.position == position);
    let blocking = blocking.filter(|event| visible(&admin, std::slice::from_ref(*event)));
    let mut blocked_by = Told::of(blocking.ok_or_else(unknown)?);
    in_words_of(caller.language, std::slice::from_mut(&mut blocked_by));
    Ok(Json(Explained {
        request_id,
        blocked_by,
    })
    .into_response())
}
