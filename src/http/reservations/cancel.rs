//! `POST /v1/reservations/{id}/cancel`: calls a placed reservation off, by its holder online or by staff; never decides
//! what it costs.

use aggregates::{ids::ReservationId, reservation::Canceller, values::Note};
use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Holder,
        body::{Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, after},
};

/// Why it is cancelled.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct Cancel {
    /// In the caller's words.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for Cancel {
    const EXAMPLE: &'static str = r#"{"reason":"we cannot come"}"#;
}

/// Cancels a placed reservation.
#[utoipa::path(post, path = "/v1/reservations/{id}/cancel", tag = "reservations", operation_id = "cancelReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Cancel,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = GONE, description = "reservation/too-late-to-cancel and others", body = ProblemBody)))]
pub(in super::super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(body): Sent<Cancel>,
) -> Result<Response, Problem> {
    let by = match holder {
        Holder::Guest(_) | Holder::Customer(..) => Canceller::Customer,
        Holder::Staff(..) => Canceller::Staff,
    };
    let key = key.bind(app.store.vault(), holder.scope(), &("cancel", holder.id(), &body))?;
    // Whoever says why in the body has said why.
    let caller = Caller {
        reason: caller.reason.or_else(|| body.reason.clone()),
        ..caller
    };
    let request = caller.request(holder.actor(), "reservations/cancel", key);
    let committed = app
        .bookings
        .cancel(&request, holder.id(), by, body.reason)
        .await?;
    after(&app, &committed, holder.id()).await
}
