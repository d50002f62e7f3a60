//! `GET /v1/time-slots/{id}/seat-map`: who may still have which seat, now or as of any moment (DOMAIN C8, A3); never
//! who has which.

use std::collections::HashSet;

use aggregates::ids::{CustomerId, ReservationId, TimeSlotId};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use projections::{
    reservation_list::{self, Filter},
    seat_map::{self, SeatState},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::{self, MaybeCustomer},
        answer::{Json, POSITION},
        fresh,
        params::{Asked, Id, Moment},
        problem::{Problem, ProblemBody},
    },
    as_of::AsOf,
    show::find,
};

/// A seat map.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "SeatMap")]
pub struct SeatMapView {
    /// Of which time slot.
    time_slot: TimeSlotId,
    /// Up to which log position it is complete: listen on from here at `/live?after=`.
    position: i64,
    /// Seats that are or were not free. Seats of the layout that are not listed are free.
    seats: Vec<SeatView>,
}

/// A seat.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "SeatOfMap")]
pub struct SeatView {
    /// Its label in the layout.
    label: String,
    /// How it stands: `free`, `held`, `reserved` or `blocked`.
    #[schema(value_type = String, example = "held")]
    state: SeatState,
    /// Since which log position.
    position: i64,
    /// Whether it belongs to the reservation asked for, or to the customer who asks.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    mine: bool,
}

/// Which map.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// As it was right after this log position.
    #[serde(default)]
    position: Option<i64>,
    /// As it was at this moment.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Moment>,
    /// Wait until the answer is as new as this log position.
    #[serde(default)]
    min_position: Option<i64>,
    /// Mark the seats of this reservation as `mine`; needs its token. Those of a customer who is signed in are marked anyway.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    reservation: Option<ReservationId>,
}

/// Reservations of one customer in one slot that are looked at.
const THEIRS_MAX: i64 = 100;

/// The newest reservations of a customer in a slot, whatever has become of them.
async fn theirs(app: &App, slot: TimeSlotId, customer: CustomerId) -> Result<Vec<ReservationId>, Problem> {
    let filter = Filter {
        customer: Some(customer),
        time_slot: Some(slot),
        ..Filter::default()
    };
    let mut connection = app.reads.acquire().await?;
    let found = reservation_list::reservations(&mut connection, &filter, None, THEIRS_MAX).await?;
    Ok(found.into_iter().map(|entry| entry.reservation).collect())
}

/// The seats of a time slot.
#[utoipa::path(get, path = "/v1/time-slots/{id}/seat-map", tag = "catalogue", operation_id = "getSeatMap",
    params(("id" = TimeSlotId, Path), Which),
    security((), ("reservation" = []), ("customer" = [])),
    responses((status = OK, description = "The seats", body = SeatMapView, headers(("X-Jari-Position" = i64))),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody)))]
pub(in super::super) async fn seat_map(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(which): Asked<Which>,
    customer: Result<MaybeCustomer, Problem>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let as_of = AsOf {
        position: which.position,
        at: which.at,
        min_position: which.min_position,
    };
    find(&app, id, &as_of).await?;
    let position = as_of.position(&app, "seat_map").await?;
    let mut mine: HashSet<ReservationId> = which
        .reservation
        .filter(|reservation| access::holds(&app, &headers, *reservation))
        .into_iter()
        .collect();
    // Whose session has ended sees what everybody sees.
    if let Ok(MaybeCustomer(Some(customer))) = customer {
        fresh::reached(&app, "reservation_list", which.min_position).await?;
        mine.extend(theirs(&app, id, customer.id).await?);
    }
    let map = seat_map::seat_map(&app.reads, id, position).await?;
    let seats = map.seats.into_iter().map(|seat| SeatView {
        mine: seat
            .reservation
            .is_some_and(|reservation| mine.contains(&reservation)),
        label: seat.label,
        state: seat.state,
        position: seat.from_position,
    });
    let view = SeatMapView {
        time_slot: id,
        position: map.position,
        seats: seats.collect(),
    };
    let mut response = Json(view).into_response();
    response.headers_mut().insert(POSITION, map.position.into());
    Ok(response)
}
