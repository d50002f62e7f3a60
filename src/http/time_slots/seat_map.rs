//! `GET /v1/time-slots/{id}/seat-map`: who may still have which seat, now or as of any moment (DOMAIN C8, A3).

use aggregates::ids::{ReservationId, TimeSlotId};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use projections::seat_map::{self, SeatState};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App, access,
        answer::{Json, POSITION},
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
    /// Whether it belongs to the reservation asked for.
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
    /// Mark the seats of this reservation as `mine`; needs its token.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    reservation: Option<ReservationId>,
}

/// The seats of a time slot.
#[utoipa::path(get, path = "/v1/time-slots/{id}/seat-map", tag = "catalogue", operation_id = "getSeatMap",
    params(("id" = TimeSlotId, Path), Which),
    responses((status = OK, description = "The seats", body = SeatMapView, headers(("X-Jari-Position" = i64))),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody)))]
pub(in super::super) async fn seat_map(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(which): Asked<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let as_of = AsOf {
        position: which.position,
        at: which.at,
        min_position: which.min_position,
    };
    find(&app, id, &as_of).await?;
    let position = as_of.position(&app, "seat_map").await?;
    let mine = which
        .reservation
        .filter(|reservation| access::holds(&app, &headers, *reservation));
    let map = seat_map::seat_map(&app.reads, id, position).await?;
    let seats = map.seats.into_iter().map(|seat| SeatView {
        mine: mine.is_some() && seat.reservation == mine,
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
