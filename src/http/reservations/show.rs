//! `GET /v1/reservations/{id}`: one reservation straight from the log, so it is never behind.

use aggregates::{ids::ReservationId, reservation::Reservation};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

use super::{
    super::{
        App,
        access::Holder,
        answer::{Json, etag},
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, not_found},
};

/// One reservation, for its holder or staff.
#[utoipa::path(get, path = "/v1/reservations/{id}", tag = "reservations", operation_id = "getReservation",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The reservation", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody)))]
pub(in super::super) async fn show(State(app): State<App>, holder: Holder) -> Result<Response, Problem> {
    let (state, sequence) = app.store.read_with_sequence::<Reservation>(&holder.id()).await?;
    let view = ReservationView::of(holder.id(), &state).ok_or_else(not_found)?;
    let mut response = Json(view).into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}
