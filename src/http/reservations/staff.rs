//! What staff record about a placed reservation: notified, attended, no-show (DOMAIN E5, E9); money is beside it.

use aggregates::{ids::ReservationId, reservation::ReservationCommand, values::Note};
use axum::{extract::State, response::Response};
use serde::Deserialize;

use super::{
    super::{
        App,
        access::Staff,
        body::{Nothing, Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, after},
};

/// How the customer was notified.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkNotified {
    /// A remark.
    #[serde(default)]
    note: Option<Note>,
}

impl Sendable for MarkNotified {
    const EXAMPLE: &'static str = r#"{"note":"called"}"#;
}

async fn record(
    app: &App,
    caller: Caller,
    key: Key,
    Staff(id, admin): Staff,
    name: &'static str,
    command: ReservationCommand,
) -> Result<Response, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &(id, &command))?;
    let request = caller.request(admin.actor(), name, key);
    let committed = app.bookings.record(&request, id, command).await?;
    after(app, &committed, id).await
}

/// Records that the customer was notified.
#[utoipa::path(post, path = "/v1/reservations/{id}/mark-notified", tag = "reservations", operation_id = "markReservationNotified",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    request_body = MarkNotified,
    responses((status = OK, description = "As it is now", body = ReservationView)))]
pub(in super::super) async fn mark_notified(
    State(app): State<App>,
    staff: Staff,
    caller: Caller,
    key: Key,
    Sent(MarkNotified { note }): Sent<MarkNotified>,
) -> Result<Response, Problem> {
    record(
        &app,
        caller,
        key,
        staff,
        "reservations/mark-notified",
        ReservationCommand::MarkNotified { note },
    )
    .await
}

/// Records that they came.
#[utoipa::path(post, path = "/v1/reservations/{id}/check-in", tag = "reservations", operation_id = "checkInReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = CONFLICT, description = "reservation/not-paid and others", body = ProblemBody)))]
pub(in super::super) async fn check_in(
    State(app): State<App>,
    staff: Staff,
    caller: Caller,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    record(
        &app,
        caller,
        key,
        staff,
        "reservations/check-in",
        ReservationCommand::CheckIn,
    )
    .await
}

/// Records that they did not come.
#[utoipa::path(post, path = "/v1/reservations/{id}/mark-no-show", tag = "reservations", operation_id = "markReservationNoShow",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = CONFLICT, description = "reservation/not-started and others", body = ProblemBody)))]
pub(in super::super) async fn mark_no_show(
    State(app): State<App>,
    staff: Staff,
    caller: Caller,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    record(
        &app,
        caller,
        key,
        staff,
        "reservations/mark-no-show",
        ReservationCommand::MarkNoShow,
    )
    .await
}
