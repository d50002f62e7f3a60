//! `POST /v1/time-slots/{id}/seats/{label}/block` and `/unblock`: staff take one seat off sale and put it back; never
//! one that somebody has.

use aggregates::{
    ids::{SeatId, TimeSlotId},
    rights::Permission,
    seat::{Seat, SeatCommand},
    values::{Note, SeatLabel},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use projections::seat_map::SeatState;
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::Admin,
    answer::Done,
    body::{Nothing, Sendable, Sent},
    caller::Caller,
    idempotency::Key,
    params::PathTexts,
    problem::{Problem, ProblemBody},
};

/// What belongs to single seats.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(block))
        .routes(routes!(unblock))
}

/// Why a seat is taken off sale.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct Block {
    /// In the words of staff.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for Block {
    const EXAMPLE: &'static str = r#"{"reason":"broken"}"#;
}

/// A seat after a command of staff.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeatAnswer {
    /// Of which slot.
    time_slot: TimeSlotId,
    /// Which seat.
    label: SeatLabel,
    /// How it stands: `free`, `held`, `reserved` or `blocked`.
    #[schema(value_type = String, example = "blocked")]
    state: SeatState,
}

/// Takes a seat off sale.
#[utoipa::path(post, path = "/v1/time-slots/{id}/seats/{label}/block", tag = "admin", operation_id = "blockSeat",
    params(("id" = TimeSlotId, Path), ("label" = SeatLabel, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Block, security(("admin" = [])),
    responses((status = OK, description = "As it is now", body = SeatAnswer),
              (status = NOT_FOUND, description = "No such slot or seat", body = ProblemBody),
              (status = CONFLICT, description = "seat/taken", body = ProblemBody)))]
async fn block(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    path: PathTexts,
    key: Key,
    Sent(Block { reason }): Sent<Block>,
) -> Result<Response, Problem> {
    command(&app, &admin, caller, &path, key, SeatCommand::Block { reason }).await
}

/// Puts a seat back on sale.
#[utoipa::path(post, path = "/v1/time-slots/{id}/seats/{label}/unblock", tag = "admin", operation_id = "unblockSeat",
    params(("id" = TimeSlotId, Path), ("label" = SeatLabel, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("admin" = [])),
    responses((status = OK, description = "As it is now", body = SeatAnswer),
              (status = NOT_FOUND, description = "No such slot or seat", body = ProblemBody)))]
async fn unblock(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    path: PathTexts,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    command(&app, &admin, caller, &path, key, SeatCommand::Unblock).await
}

async fn command(
    app: &App,
    admin: &Admin,
    caller: Caller,
    path: &PathTexts,
    key: Key,
    command: SeatCommand,
) -> Result<Response, Problem> {
    let seat = SeatId {
        time_slot: path.get("id")?,
        label: path.get("label")?,
    };
    admin
        .may_in_slot(app, Permission::ChangeSlots, seat.time_slot)
        .await?;
    let key = key.bind(app.store.vault(), admin.scope(), &(seat.to_string(), &command))?;
    let name = match command {
        SeatCommand::Block { .. } => "seats/block",
        SeatCommand::Unblock
        | SeatCommand::Hold { .. }
        | SeatCommand::Reserve { .. }
        | SeatCommand::Release { .. } => "seats/unblock",
    };
    let request = caller.request(admin.actor(), name, key);
    let committed = app.bookings.work_on_seat(&request, &seat, command).await?;
    let after = match committed.state::<Seat>(&seat) {
        Some(after) => after,
        // Nothing had to be done to it, whoever has it.
        None => app.store.read::<Seat>(&seat).await?,
    };
    let body = SeatAnswer {
        time_slot: seat.time_slot,
        label: seat.label,
        state: match *after {
            Seat::Free => SeatState::Free,
            Seat::Held { .. } => SeatState::Held,
            Seat::Reserved { .. } => SeatState::Reserved,
            Seat::Blocked => SeatState::Blocked,
        },
    };
    Ok(Done::ok(&committed, body).into_response())
}
