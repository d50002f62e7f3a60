//! `GET /v1/movies`: movies that can be shown; for a cinema only those it plays (DOMAIN C1, C2); never when.

use aggregates::{
    branch::{Branch, BranchError},
    ids::{BranchId, MovieId},
    movie::{Film, Movie, MovieError},
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

/// A movie.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Movie")]
pub struct MovieView {
    /// Which one.
    id: MovieId,
    /// Whether it can be shown.
    state: MovieState,
    /// What is told about it.
    #[serde(flatten)]
    film: Film,
}

/// Whether a movie can be shown.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovieState {
    /// It can.
    Announced,
    /// It was withdrawn.
    Withdrawn,
}

fn view(entry: Entry) -> Option<MovieView> {
    match entry.details {
        Row::Movie(state) => of(MovieId::new(entry.key.id), state),
        Row::Branch(_) | Row::Auditorium(_) | Row::Layout(_) | Row::Theme(_) | Row::PricePolicy(_) => None,
    }
}

fn of(id: MovieId, state: Movie) -> Option<MovieView> {
    let view = |state, film| MovieView { id, state, film };
    match state {
        Movie::Unknown => None,
        Movie::Announced(film) => Some(view(MovieState::Announced, film)),
        Movie::Withdrawn(film) => Some(view(MovieState::Withdrawn, film)),
    }
}

/// Which movies.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only movies that this cinema plays.
    branch: Option<BranchId>,
    /// Only movies that are playing somewhere.
    #[serde(default)]
    playing: bool,
    /// Where the page begins.
    cursor: Option<String>,
    /// Movies on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Announced movies, by title.
#[utoipa::path(get, path = "/v1/movies", tag = "catalogue", operation_id = "listMovies",
    params(Which),
    responses((status = OK, description = "Ordered by title", body = Page<MovieView>),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    known::<Branch>(&app, which.branch, BranchError::NotFound).await?;
    if which.branch.is_none() && !which.playing {
        return page(
            &app,
            &uri,
            Kind::Movie,
            None,
            (which.cursor.as_deref(), which.limit, which.min_position),
            view,
        )
        .await;
    }
    fresh::reached(&app, "catalogue", which.min_position).await?;
    fresh::reached(&app, "time_slot_calendar", which.min_position).await?;
    let (from, before) = coming(app.store.now());
    let entries = catalogue::movies_on(&app.reads, which.branch, from, before).await?;
    Ok(Json(Page {
        items: entries.into_iter().filter_map(view).collect(),
        next: None,
    })
    .into_response())
}

/// One movie.
#[utoipa::path(get, path = "/v1/movies/{id}", tag = "catalogue", operation_id = "getMovie",
    params(("id" = MovieId, Path)),
    responses((status = OK, description = "The movie", body = MovieView),
              (status = NOT_FOUND, description = "movie/not-found", body = ProblemBody)))]
pub(in super::super) async fn show(State(app): State<App>, Id(id): Id<MovieId>) -> Result<Response, Problem> {
    shown::<Movie, _>(&app, &id, |state| of(id, state.clone()), MovieError::NotFound).await
}
