//! `GET /v1/waitlist-entries/{id}`: the place in line, what is offered, and why not yet (DOMAIN W1); never who else
//! waits.

use aggregates::ids::ReservationId;
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};

use super::{
    super::{
        App,
        access::Waiter,
        answer::Json,
        caller::Caller,
        problem::{Problem, ProblemBody},
    },
    view::EntryView,
};

/// One waitlist entry, by its token, its customer's session or staff.
#[utoipa::path(get, path = "/v1/waitlist-entries/{id}", tag = "waitlist", operation_id = "getWaitlistEntry",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The entry", body = EntryView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody)))]
pub(in super::super) async fn show(
    State(app): State<App>,
    caller: Caller,
    waiter: Waiter,
) -> Result<Response, Problem> {
    let (slot, entry) = (waiter.time_slot, waiter.entry);
    let view = EntryView::read(&app, slot, entry, None, caller.language).await?;
    Ok(Json(view).into_response())
}
