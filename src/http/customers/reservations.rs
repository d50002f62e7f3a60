//! `GET /v1/customer/reservations`: what the customer who asks has held and placed while signed in; never anybody
//! else's.

use axum::{extract::State, http::Uri, response::Response};
use projections::reservation_list::{self, Entry, Filter};
use serde::Deserialize;

use super::super::{
    App,
    access::Customer,
    fresh,
    pages::{self, Page},
    params::Asked,
    problem::{Problem, ProblemBody},
    reservations::Listed,
};

/// Which reservations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Where the page begins.
    cursor: Option<String>,
    /// Reservations on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// One's own reservations, newest first.
#[utoipa::path(get, path = "/v1/customer/reservations", tag = "customers", operation_id = "listOwnReservations",
    params(Which), security(("customer" = [])),
    responses((status = OK, description = "Newest first", body = Page<Listed>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    Customer { id, .. }: Customer,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let after = pages::behind(which.cursor.as_deref())?;
    fresh::reached(&app, "reservation_list", which.min_position).await?;
    let filter = Filter {
        customer: Some(id),
        ..Filter::default()
    };
    let mut connection = app.reads.acquire().await?;
    let entries = reservation_list::reservations(&mut connection, &filter, after, limit + 1).await?;
    Ok(pages::page(
        &uri,
        entries,
        limit,
        |entry: &Entry| entry.reservation,
        |entry| Some(Listed::of(entry)),
    ))
}
