//! `POST /v1/reservations/{id}/change`: other places or people under the same hold; its slot stays; never touches what
//! was placed.

use std::ops::RangeInclusive;

use aggregates::{fault::Fault, ids::ReservationId, pricing::Persons, values::SeatLabel};
use axum::{extract::State, response::Response};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        App,
        access::Holder,
        body::{Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    hold::{ChoiceFields, bounds, chosen, missing_in},
    view::{ReservationView, after},
};

/// What to hold instead.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangeOfChoice, example = json!({ "seats": ["C7"], "persons": { "adult": 1 } }))]
pub struct Change {
    /// These seats, by their labels.
    #[serde(default)]
    #[schema(max_items = 8)]
    seats: Option<Vec<SeatLabel>>,
    /// This many of the best free seats, side by side.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 8)]
    best_available: Option<u8>,
    /// Who comes, for a cinema slot.
    #[serde(default)]
    persons: Option<Persons>,
    /// How many come, for an escape-room slot.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 6)]
    party_size: Option<u8>,
    /// The statement that somebody of the group needs a wheelchair place; it stays stated while such a place is held.
    #[serde(default)]
    accessible: bool,
}

impl Sendable for Change {
    const EXAMPLE: &'static str = r#"{"seats":["C7"],"persons":{"adult":1}}"#;

    fn also(body: &Value) -> Vec<Fault> {
        missing_in(body)
    }

    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        bounds()
    }
}

/// Changes the places or people of a hold.
#[utoipa::path(post, path = "/v1/reservations/{id}/change", tag = "reservations", operation_id = "changeReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Change,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "seat/taken, seating/orphan and others; names the seats, and suggests others", body = ProblemBody),
              (status = GONE, description = "reservation/hold-lapsed and others", body = ProblemBody)))]
pub(in super::super) async fn change(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(body): Sent<Change>,
) -> Result<Response, Problem> {
    let id = holder.id();
    let Change {
        seats,
        best_available,
        persons,
        party_size,
        accessible,
    } = body;
    let (places, party) = chosen(ChoiceFields {
        seats,
        best_available,
        persons,
        party_size,
        accessible,
    })?;
    let wish = ("change", id, &places, &party);
    let (vault, scope) = (app.store.vault(), holder.scope());
    // Without the statement it is the request it always was.
    let key = if accessible {
        key.bind(vault, scope, &(wish, "accessible"))?
    } else {
        key.bind(vault, scope, &wish)?
    };
    let request = caller.request(holder.actor(), "reservations/change", key);
    let committed = app
        .bookings
        .change(&request, id, &places, &party, accessible)
        .await?;
    after(&app, &committed, id).await
}
