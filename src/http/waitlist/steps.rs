//! What can be done with an entry: accept or decline what is offered, and leave; staff say why; never decides who is
//! next.

use aggregates::{
    ids::ReservationId,
    reservation::{Reservation, ReservationError},
    values::Note,
    waitlist::Leaver,
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Waiter,
        answer::Done,
        body::{Nothing, Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
        reservations::ReservationView,
    },
    view::EntryView,
};
use crate::{language::Language, store::Committed};

/// Takes what is offered: the reservation of the same number, to be placed before the offer would have run out. It may
/// as well be placed directly.
#[utoipa::path(post, path = "/v1/waitlist-entries/{id}/accept", tag = "waitlist", operation_id = "acceptWaitlistOffer",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The reservation that holds the places, with its token", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "waitlist/not-offered", body = ProblemBody),
              (status = GONE, description = "waitlist/offer-lapsed, waitlist/over", body = ProblemBody)))]
pub(in super::super) async fn accept(
    State(app): State<App>,
    caller: Caller,
    waiter: Waiter,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let (slot, entry) = (waiter.time_slot, waiter.entry);
    let key = key.bind(
        app.store.vault(),
        waiter.scope(),
        &("waitlist-entries/accept", entry),
    )?;
    let request = caller.request(waiter.actor(), "waitlist-entries/accept", key);
    let committed = app.bookings.accept(&request, slot, entry).await?;
    let (state, _) = app
        .store
        .read_until::<Reservation>(&entry, committed.position)
        .await?;
    let missing = || Problem::refused(&ReservationError::NotFound);
    let view = ReservationView::of(entry, &state).ok_or_else(missing)?;
    let view = if waiter.is_staff() {
        view
    } else {
        view.with_token(&app)
    };
    Ok(Done::ok(&committed, view).into_response())
}

/// Gives back what is offered: it is for the next in line, and the waiting is over.
#[utoipa::path(post, path = "/v1/waitlist-entries/{id}/decline", tag = "waitlist", operation_id = "declineWaitlistOffer",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "As it is now", body = EntryView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "waitlist/not-offered", body = ProblemBody),
              (status = GONE, description = "waitlist/over", body = ProblemBody)))]
pub(in super::super) async fn decline(
    State(app): State<App>,
    caller: Caller,
    waiter: Waiter,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let (slot, entry) = (waiter.time_slot, waiter.entry);
    let key = key.bind(
        app.store.vault(),
        waiter.scope(),
        &("waitlist-entries/decline", entry),
    )?;
    let language = caller.language;
    let request = caller.request(waiter.actor(), "waitlist-entries/decline", key);
    let committed = app.bookings.decline(&request, slot, entry).await?;
    after(&app, &committed, &waiter, language).await
}

/// Why somebody leaves, or is taken off by staff.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LeaveWaitlist)]
#[schema(example = Self::example)]
pub struct Leave {
    /// In the caller's words.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for Leave {
    const EXAMPLE: &'static str = r#"{"reason":"we found another evening"}"#;
}

/// Waits no more; what is offered is given back.
#[utoipa::path(post, path = "/v1/waitlist-entries/{id}/leave", tag = "waitlist", operation_id = "leaveWaitlist",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Leave,
    responses((status = OK, description = "As it is now", body = EntryView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = GONE, description = "waitlist/over", body = ProblemBody)))]
pub(in super::super) async fn leave(
    State(app): State<App>,
    caller: Caller,
    waiter: Waiter,
    key: Key,
    Sent(body): Sent<Leave>,
) -> Result<Response, Problem> {
    let (slot, entry) = (waiter.time_slot, waiter.entry);
    let by = if waiter.is_staff() {
        Leaver::Staff
    } else {
        Leaver::Customer
    };
    let key = key.bind(
        app.store.vault(),
        waiter.scope(),
        &("waitlist-entries/leave", entry, &body),
    )?;
    let language = caller.language;
    let request = caller.request(waiter.actor(), "waitlist-entries/leave", key);
    let committed = app.bookings.leave(&request, slot, entry, by, body.reason).await?;
    after(&app, &committed, &waiter, language).await
}

async fn after(
    app: &App,
    committed: &Committed,
    waiter: &Waiter,
    language: Language,
) -> Result<Response, Problem> {
    let until = Some(committed.position);
    let view = EntryView::read(app, waiter.time_slot, waiter.entry, until, language).await?;
    Ok(Done::ok(committed, view).into_response())
}
