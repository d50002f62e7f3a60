//! The audit trail over HTTP: the log as a filtered list, and the whole story of one entity; for admins only.

mod naming;

use std::sync::Arc;

use aggregates::{StreamId, event::KINDS};
use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use projections::audit_trail::{self, Filter};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    access::Admin,
    answer::Json,
    fresh,
    pages::{self, Page},
    params::{Asked, PathTexts},
    problem::{Problem, ProblemBody},
    problems,
};
use crate::audit::{self, Told};

/// What belongs to the audit trail.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(events))
        .routes(routes!(timeline))
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
    /// Written at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Written before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Timestamp>,
    /// Behind this log position.
    after_position: Option<i64>,
    /// Before this log position.
    before_position: Option<i64>,
    /// The newest first.
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
    fn filter(self) -> Result<Filter, Problem> {
        let place = pages::behind::<i64>(self.cursor.as_deref())?;
        let (mut after, mut before) = (self.after_position, self.before_position);
        match place {
            Some(place) if self.newest_first => before = Some(place),
            Some(place) => after = Some(place),
            None => {}
        }
        Ok(Filter {
            kind: self.kind,
            id: self.id,
            event_type: self.event,
            actor_kind: self.actor_kind,
            actor_id: self.actor_id,
            branch: self.branch,
            after,
            before,
            recorded_from: self.from,
            recorded_before: self.before,
        })
    }
}

/// Events of the log, as sentences.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", operation_id = "listAuditEvents",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In log order, or the newest first", body = Page<Told>),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(super) async fn events(
    State(app): State<App>,
    _: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    if which.id.is_some() && which.kind.is_none() {
        return Err(Problem::new(&problems::MALFORMED_QUERY, "id needs kind"));
    }
    let limit = pages::limit(which.limit)?;
    fresh::reached(&app, "audit_trail", which.min_position).await?;
    let newest_first = which.newest_first;
    let filter = which.filter()?;
    let mut connection = app.reads.acquire().await?;
    let entries = audit_trail::events(&mut connection, &filter, newest_first, limit + 1).await?;
    drop(connection);
    let mut told: Vec<Told> = entries.iter().map(audit::tell_entry).collect();
    naming::name(&app.reads, &mut told).await?;
    Ok(pages::page(&uri, told, limit, |told: &Told| told.position, Some))
}

/// The whole story of one entity: every event with who, when, why, and old → new.
#[utoipa::path(get, path = "/v1/audit/{entity}/{id}", tag = "audit", operation_id = "getTimeline",
    params(("entity" = String, Path, description = "Its stored kind, for example `reservation`"), ("id" = String, Path)),
    security(("admin" = [])),
    responses((status = OK, description = "The story, the oldest first", body = [Told]),
              (status = NOT_FOUND, description = "Nothing happened to it", body = ProblemBody)))]
pub(super) async fn timeline(State(app): State<App>, _: Admin, path: PathTexts) -> Result<Response, Problem> {
    let (kind, id) = (path.text("entity")?.replace('-', "_"), path.text("id")?);
    if !KINDS.contains(&kind.as_str()) {
        let detail = format!(
            "there is no kind of entity `{kind}`; there are {}",
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
    if events.is_empty() {
        return Err(Problem::new(
            &problems::NO_SUCH_THING,
            format!("nothing happened to {kind} {id}"),
        ));
    }
    let mut told = audit::timeline(&events);
    naming::name(&app.reads, &mut told).await?;
    Ok(Json(told).into_response())
}
