//! Steps of a hold that need no words: extend, release, revive.

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

/// Keeps a hold a little longer, once.
#[utoipa::path(post, path = "/v1/reservations/{id}/extend", tag = "reservations", operation_id = "extendReservation",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("admin" = [])),
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
    let key = key.bind(app.store.vault(), holder.scope(), &("extend", holder.id()));
    let request = caller.request(holder.actor(), "reservations/extend", key);
    let committed = app.bookings.extend(&request, holder.id()).await?;
    after(&app, &committed, holder.id()).await
}

/// Gives a hold back.
#[utoipa::path(post, path = "/v1/reservations/{id}/release", tag = "reservations", operation_id = "releaseReservation",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("admin" = [])),
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
    let key = key.bind(app.store.vault(), holder.scope(), &("release", holder.id()));
    let request = caller.request(holder.actor(), "reservations/release", key);
    let committed = app.bookings.release(&request, holder.id()).await?;
    after(&app, &committed, holder.id()).await
}

/// Takes a lapsed hold up again, if everything is still free.
#[utoipa::path(post, path = "/v1/reservations/{id}/revive", tag = "reservations", operation_id = "reviveReservation",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("admin" = [])),
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
    let key = key.bind(app.store.vault(), holder.scope(), &("revive", holder.id()));
    let request = caller.request(holder.actor(), "reservations/revive", key);
    let committed = app.bookings.revive(&request, holder.id()).await?;
    after(&app, &committed, holder.id()).await
}
