//! The first steps of a booking: branches, movies, themes, auditoriums, each filterable by the steps before (DOMAIN C1).

mod auditoriums;
mod branches;
mod movies;
mod themes;

use aggregates::ids::BranchId;
use axum::{http::Uri, response::Response};
use jiff::{Timestamp, ToSpan as _};
use projections::catalogue::{self, Entry, Filter, Key, Kind};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{App, pages, problem::Problem};

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
    (cursor, limit): (Option<&str>, Option<u16>),
    view: impl Fn(Entry) -> Option<T>,
) -> Result<Response, Problem> {
    let limit = pages::limit(limit)?;
    let after = pages::behind::<(String, Uuid)>(cursor)?;
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

/// One thing, if it is there.
async fn find(app: &App, kind: Kind, id: Uuid) -> Result<Option<Entry>, Problem> {
    Ok(catalogue::entry(&app.reads, Key { kind, id, version: 0 }).await?)
}
