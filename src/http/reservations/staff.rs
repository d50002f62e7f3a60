//! What staff record about a placed reservation: notified, attended or not, no-show and the end of its bar (DOMAIN E5,
//! E9); money is beside it. Never does anything by itself.

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
#[schema(example = Self::example)]
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

/// Why a check-in is undone.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct UndoCheckIn {
    /// In the words of who does it.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for UndoCheckIn {
    const EXAMPLE: &'static str = r#"{"reason":"the wrong group was scanned"}"#;
}

/// Records that they had not come after all, within a day of the start.
#[utoipa::path(post, path = "/v1/reservations/{id}/undo-check-in", tag = "reservations", operation_id = "undoCheckInOfReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    request_body = UndoCheckIn,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = GONE, description = "reservation/too-late-to-undo and others", body = ProblemBody)))]
pub(in super::super) async fn undo_check_in(
    State(app): State<App>,
    staff: Staff,
    caller: Caller,
    key: Key,
    Sent(UndoCheckIn { reason }): Sent<UndoCheckIn>,
) -> Result<Response, Problem> {
    let command = ReservationCommand::UndoCheckIn { reason };
    record(&app, caller, key, staff, "reservations/undo-check-in", command).await
}

/// Records that they did not come; who does not come too often is barred from booking for a while. What was not paid in
/// time expires instead.
#[utoipa::path(post, path = "/v1/reservations/{id}/mark-no-show", tag = "reservations", operation_id = "markReservationNoShow",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = CONFLICT, description = "reservation/not-started and others", body = ProblemBody)))]
pub(in super::super) async fn mark_no_show(
    State(app): State<App>,
    Staff(id, admin): Staff,
    caller: Caller,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let command = ReservationCommand::MarkNoShow;
    let key = key.bind(app.store.vault(), admin.scope(), &(id, &command))?;
    let request = caller.request(admin.actor(), "reservations/mark-no-show", key);
    let committed = app.bookings.mark_no_show(&request, id).await?;
    after(&app, &committed, id).await
}

/// Lets who placed the reservation book again, though they did not come too often.
#[utoipa::path(post, path = "/v1/reservations/{id}/lift-bar", tag = "reservations", operation_id = "liftBarOfReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    responses((status = OK, description = "The reservation, by which they were found", body = ReservationView),
              (status = CONFLICT, description = "reservation/not-placed", body = ProblemBody)))]
pub(in super::super) async fn lift_bar(
    State(app): State<App>,
    Staff(id, admin): Staff,
    caller: Caller,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &(id, "lift-bar"))?;
    let request = caller.request(admin.actor(), "reservations/lift-bar", key);
    let committed = app.bookings.lift_bar(&request, id).await?;
    after(&app, &committed, id).await
}
