//! Steps of a hold that need no words: extend, release, revive; never reads a body.

use aggregates::ids::ReservationId;
use axum::{extract::State, response::Response};

use super::{
    super::{
        App,
        access::Holder,
        body::{Nothing, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, after},
};

/// A step.
#[derive(Debug, Clone, Copy)]
enum Step {
    Extend,
    Release,
    Revive,
}

async fn take(step: Step, app: &App, caller: Caller, holder: &Holder, key: Key) -> Result<Response, Problem> {
    let command = match step {
        Step::Extend => "reservations/extend",
        Step::Release => "reservations/release",
        Step::Revive => "reservations/revive",
    };
    let id = holder.id();
    let key = key.bind(app.store.vault(), holder.scope(), &(command, id))?;
    let request = caller.request(holder.actor(), command, key);
    let committed = match step {
        Step::Extend => app.bookings.extend(&request, id).await?,
        Step::Release => app.bookings.release(&request, id).await?,
        Step::Revive => app.bookings.revive(&request, id).await?,
    };
    after(app, &committed, id).await
}

/// Keeps a hold a little longer, once.
#[utoipa::path(post, path = "/v1/reservations/{id}/extend", tag = "reservations", operation_id = "extendReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/already-extended and others", body = ProblemBody)))]
pub(in super::super) async fn extend(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    take(Step::Extend, &app, caller, &holder, key).await
}

/// Gives a hold back.
#[utoipa::path(post, path = "/v1/reservations/{id}/release", tag = "reservations", operation_id = "releaseReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/already-placed and others", body = ProblemBody)))]
pub(in super::super) async fn release(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    take(Step::Release, &app, caller, &holder, key).await
}

/// Revives a lapsed hold, if everything is still free.
#[utoipa::path(post, path = "/v1/reservations/{id}/revive", tag = "reservations", operation_id = "reviveReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "seat/taken and others", body = ProblemBody)))]
pub(in super::super) async fn revive(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    take(Step::Revive, &app, caller, &holder, key).await
}
