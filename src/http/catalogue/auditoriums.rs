//! `GET /v1/auditoriums`: where movies are shown (DOMAIN C2); never their seats: a time slot has them.

use aggregates::{
    auditorium::{Auditorium, AuditoriumError},
    branch::{Branch, BranchError},
    ids::{AuditoriumId, BranchId},
    values::Name,
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

/// An auditorium.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Auditorium")]
pub struct AuditoriumView {
    /// Which one.
    id: AuditoriumId,
    /// The cinema it belongs to.
    branch: BranchId,
    /// Its name.
    name: Name,
    /// The kind price policies may charge extra for.
    hall: Option<Name>,
    /// How long it is cleaned between two time slots.
    cleaning_minutes: u16,
}

impl AuditoriumView {
    fn of(id: AuditoriumId, hall: projections::catalogue::Auditorium) -> Self {
        let projections::catalogue::Auditorium {
            branch,
            name,
            hall,
            cleaning_minutes,
        } = hall;
        Self {
            id,
            branch,
            name,
            hall,
            cleaning_minutes,
        }
    }
}

fn view(entry: Entry) -> Option<AuditoriumView> {
    let id = AuditoriumId::new(entry.key.id);
    match entry.details {
        Row::Auditorium(hall) => Some(AuditoriumView::of(id, hall)),
        Row::Branch(_) | Row::Layout(_) | Row::Movie(_) | Row::Theme(_) | Row::PricePolicy(_) => None,
    }
}

/// Which auditoriums.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only auditoriums of this cinema.
    branch: Option<BranchId>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Auditoriums on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Auditoriums, by name.
#[utoipa::path(get, path = "/v1/auditoriums", tag = "catalogue", operation_id = "listAuditoriums",
    params(Which),
    responses((status = OK, description = "Ordered by name", body = Page<AuditoriumView>),
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
        Kind::Auditorium,
        which.branch,
        (which.cursor.as_deref(), which.limit, which.min_position),
        view,
    )
    .await
}

/// One auditorium.
#[utoipa::path(get, path = "/v1/auditoriums/{id}", tag = "catalogue", operation_id = "getAuditorium",
    params(("id" = AuditoriumId, Path)),
    responses((status = OK, description = "The auditorium", body = AuditoriumView),
              (status = NOT_FOUND, description = "auditorium/not-found", body = ProblemBody)))]
pub(in super::super) async fn show(
    State(app): State<App>,
    Id(id): Id<AuditoriumId>,
) -> Result<Response, Problem> {
    let view = |state: &Auditorium| Some(AuditoriumView::of(id, state.built().ok()?.into()));
    shown::<Auditorium, _>(&app, &id, view, AuditoriumError::NotFound).await
}
