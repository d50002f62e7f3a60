//! `POST /v1/reservations/look-up`: finds "my reservation" by number and phone (DOMAIN E8); a POST, so that no phone
//! number stands in an address or a log. Never tells which of the two was wrong.

use aggregates::{ids::ReservationId, reservation::Reservation, values::PhoneNumber};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::{
    super::{
        App,
        answer::Json,
        body::{Sendable, Sent},
        caller::Caller,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, not_found},
};

/// What the customer knows.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "number": "301422961418752000", "phone": "010-1234-5678" }))]
pub struct LookUp {
    /// The reservation's number.
    number: ReservationId,
    /// The phone number it was placed with.
    phone: PhoneNumber,
}

impl Sendable for LookUp {
    const EXAMPLE: &'static str = r#"{"number":"301422961418752000","phone":"010-1234-5678"}"#;
}

/// Finds a placed reservation; the answer has its token.
#[utoipa::path(post, path = "/v1/reservations/look-up", tag = "reservations", operation_id = "lookUpReservation",
    request_body = LookUp,
    responses((status = OK, description = "The reservation, with its token", body = ReservationView),
              (status = NOT_FOUND, description = "No reservation has both", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many attempts", body = ProblemBody)))]
pub(in super::super) async fn look_up(
    State(app): State<App>,
    caller: Caller,
    Sent(LookUp { number, phone }): Sent<LookUp>,
) -> Result<Response, Problem> {
    app.limits.guess(caller.address)?;
    let state = app.store.read::<Reservation>(&number).await?;
    let known = state
        .placed()
        .and_then(|placed| placed.placement.contact.phone.plain());
    let view = ReservationView::of(number, &state).filter(|_| known == Some(&phone));
    let view = view.ok_or_else(not_found)?;
    Ok(Json(view.with_token(&app)).into_response())
}
