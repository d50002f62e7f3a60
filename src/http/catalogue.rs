//! The first steps of a booking: branches, movies, themes, auditoriums, each filterable by the steps before (DOMAIN
//! C1); never who booked what.

mod auditoriums;
mod branches;
mod movies;
mod themes;

use aggregates::{Decider, administered::Administered, ids::BranchId, refusal::Refusal};
use axum::{
    http::{Uri, header},
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, ToSpan as _};
use projections::catalogue::{self, Entry, Filter, Kind};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    answer::{Json, etag},
    fresh, pages,
    problem::Problem,
};

/// What belongs to the catalogue.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(branches::list))
        .routes(routes!(branches::show))
        .routes(routes!(movies::list))
        .routes(routes!(movies::show))
        .routes(routes!(themes::list))
        .routes(routes!(themes::show))
        .routes(routes!(auditoriums::list))
        .routes(routes!(auditoriums::show))
}

/// How far ahead "plays" and "is played" look.
const AHEAD_DAYS: i64 = 60;

/// From now to as far as the lists look.
fn coming(now: Timestamp) -> (Timestamp, Timestamp) {
    (now, now + (AHEAD_DAYS * 24).hours())
}

/// A page of active things of one kind.
async fn page<T: Serialize>(
    app: &App,
    uri: &Uri,
    kind: Kind,
    branch: Option<BranchId>,
    (cursor, limit, min_position): (Option<&str>, Option<u16>, Option<i64>),
    view: impl Fn(Entry) -> Option<T>,
) -> Result<Response, Problem> {
    let limit = pages::limit(limit)?;
    let after = pages::behind::<(String, Uuid)>(cursor)?;
    fresh::reached(app, "catalogue", min_position).await?;
    let filter = Filter {
        branch,
        active: Some(true),
        after,
    };
    let entries = catalogue::entries(&app.reads, kind, &filter, limit + 1).await?;
    Ok(pages::page(
        uri,
        entries,
        limit,
        |entry: &Entry| (entry.name.clone(), entry.key.id),
        view,
    ))
}

/// Refuses to list what goes with something that is not there: an empty list would say that it is.
pub(super) async fn known<A: Administered>(
    app: &App,
    id: Option<A::Id>,
    missing: impl Refusal,
) -> Result<(), Problem> {
    match id {
        Some(id) if !app.store.read::<A>(&id).await?.exists() => Err(Problem::refused(&missing)),
        Some(_) | None => Ok(()),
    }
}

/// One thing straight from the log, so never behind, with its sequence as `ETag`: what `If-Match` must name.
async fn shown<A: Decider, T: Serialize>(
    app: &App,
    id: &A::Id,
    view: impl FnOnce(&A) -> Option<T>,
    missing: impl Refusal,
) -> Result<Response, Problem> {
    let (state, sequence) = app.store.read_with_sequence::<A>(id).await?;
    let view = view(&state).ok_or_else(|| Problem::refused(&missing))?;
    let mut response = Json(view).into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}
