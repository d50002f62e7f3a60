//! `GET /v1/themes`: what is played in escape-room shops (DOMAIN E1, E2); never when.

use aggregates::{
    branch::{Branch, BranchError},
    ids::{BranchId, ThemeId},
    theme::{Game, Theme, ThemeError},
};
use axum::{extract::State, http::Uri, response::Response};
use projections::catalogue::{Entry, Kind, Row};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        pages::Page,
        params::{Asked, Id},
        problem::{Problem, ProblemBody},
    },
    known, page, shown,
};

/// A theme.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Theme")]
pub struct ThemeView {
    /// Which one.
    id: ThemeId,
    /// Whether it is offered.
    state: ThemeState,
    /// What is known about it.
    #[serde(flatten)]
    game: Game,
}

/// Whether a theme is offered.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThemeState {
    /// It is.
    Active,
    /// It is not.
    Inactive,
}

fn view(entry: Entry) -> Option<ThemeView> {
    match entry.details {
        Row::Theme(state) => of(ThemeId::new(entry.key.id), state),
        Row::Branch(_) | Row::Auditorium(_) | Row::Layout(_) | Row::Movie(_) | Row::PricePolicy(_) => None,
    }
}

fn of(id: ThemeId, state: Theme) -> Option<ThemeView> {
    let view = |state, game| ThemeView { id, state, game };
    match state {
        Theme::Unknown => None,
        Theme::Active(game) => Some(view(ThemeState::Active, game)),
        Theme::Inactive(game) => Some(view(ThemeState::Inactive, game)),
    }
}

/// Which themes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only themes of this shop.
    branch: Option<BranchId>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Themes on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Themes, by name.
#[utoipa::path(get, path = "/v1/themes", tag = "catalogue", operation_id = "listThemes",
    params(Which),
    responses((status = OK, description = "Ordered by name", body = Page<ThemeView>),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    known::<Branch>(&app, which.branch, BranchError::NotFound).await?;
    page(
        &app,
        &uri,
        Kind::Theme,
        which.branch,
        (which.cursor.as_deref(), which.limit, which.min_position),
        view,
    )
    .await
}

/// One theme.
#[utoipa::path(get, path = "/v1/themes/{id}", tag = "catalogue", operation_id = "getTheme",
    params(("id" = ThemeId, Path)),
    responses((status = OK, description = "The theme", body = ThemeView),
              (status = NOT_FOUND, description = "theme/not-found", body = ProblemBody)))]
pub(in super::super) async fn show(State(app): State<App>, Id(id): Id<ThemeId>) -> Result<Response, Problem> {
    shown::<Theme, _>(&app, &id, |state| of(id, state.clone()), ThemeError::NotFound).await
}
