//! `GET /v1/branches`: cinemas and escape-room shops; for a movie only the cinemas that play it (DOMAIN C1, E1); never
//! what only staff know of them.

use aggregates::{
    branch::{Branch, BranchError, Premises},
    ids::{BranchId, MovieId, ThemeId},
    movie::{Movie, MovieError},
    theme::{Theme, ThemeError},
};
use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use projections::catalogue::{self, Entry, Kind, Row};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        answer::Json,
        fresh,
        pages::Page,
        params::{Asked, Id},
        problem::{Problem, ProblemBody},
    },
    coming, known, page, shown,
};

/// A branch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Branch")]
pub struct BranchView {
    /// Which one.
    id: BranchId,
    /// Whether it does business.
    state: BranchState,
    /// What is known about it.
    #[serde(flatten)]
    premises: Premises,
}

/// Whether a branch does business.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BranchState {
    /// It does.
    Open,
    /// It was closed for good.
    Closed,
}

fn view(entry: Entry) -> Option<BranchView> {
    match entry.details {
        Row::Branch(state) => of(BranchId::new(entry.key.id), state),
        Row::Auditorium(_) | Row::Layout(_) | Row::Movie(_) | Row::Theme(_) | Row::PricePolicy(_) => None,
    }
}

fn of(id: BranchId, state: Branch) -> Option<BranchView> {
    let view = |state, premises| BranchView { id, state, premises };
    match state {
        Branch::Unknown => None,
        Branch::Open(site) => Some(view(BranchState::Open, site.premises)),
        Branch::Closed(site) => Some(view(BranchState::Closed, site.premises)),
    }
}

/// Which branches.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only branches that play this movie.
    movie: Option<MovieId>,
    /// Only branches that have this theme.
    theme: Option<ThemeId>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Branches on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Open branches, by name.
#[utoipa::path(get, path = "/v1/branches", tag = "catalogue", operation_id = "listBranches",
    params(Which),
    responses((status = OK, description = "Ordered by name", body = Page<BranchView>),
              (status = NOT_FOUND, description = "movie/not-found, theme/not-found", body = ProblemBody),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    known::<Movie>(&app, which.movie, MovieError::NotFound).await?;
    known::<Theme>(&app, which.theme, ThemeError::NotFound).await?;
    if which.movie.is_none() && which.theme.is_none() {
        return page(
            &app,
            &uri,
            Kind::Branch,
            None,
            (which.cursor.as_deref(), which.limit, which.min_position),
            view,
        )
        .await;
    }
    fresh::reached(&app, "catalogue", which.min_position).await?;
    fresh::reached(&app, "time_slot_calendar", which.min_position).await?;
    let (from, before) = coming(app.store.now());
    let entries = catalogue::branches_with(&app.reads, which.movie, which.theme, from, before).await?;
    Ok(Json(Page {
        items: entries.into_iter().filter_map(view).collect(),
        next: None,
    })
    .into_response())
}

/// One branch.
#[utoipa::path(get, path = "/v1/branches/{id}", tag = "catalogue", operation_id = "getBranch",
    params(("id" = BranchId, Path)),
    responses((status = OK, description = "The branch", body = BranchView),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody)))]
pub(in super::super) async fn show(
    State(app): State<App>,
    Id(id): Id<BranchId>,
) -> Result<Response, Problem> {
    shown::<Branch, _>(&app, &id, |state| of(id, state.clone()), BranchError::NotFound).await
}
