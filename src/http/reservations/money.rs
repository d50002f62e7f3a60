//! What comes in and goes back for a reservation, as staff record it and its holder decides: mark paid, refund, accept
//! or decline the slot offered for late money (DOMAIN E7). Never pays anything itself.

use aggregates::{
    ids::ReservationId,
    reservation::{MoneyCommand, Pay, Reservation, ReservationCommand},
    values::{Money, Note, RefundAccount},
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::{Holder, Staff},
        answer::{Done, etag},
        body::{Nothing, Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, after, not_found},
};
use crate::booking::{self, moved_to};

/// What was paid.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct MarkPaid {
    /// How much; by default what is still to be paid. Amounts add up: less or more than the price has a name in `balance`.
    #[serde(default)]
    amount: Option<Money>,
    /// A remark.
    #[serde(default)]
    note: Option<Note>,
}

impl Sendable for MarkPaid {
    const EXAMPLE: &'static str = r#"{"amount":{"amount":48000,"currency":"KRW"},"note":"by transfer"}"#;
}

/// What went back.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct RefundSent {
    /// How much; at most what is due back.
    amount: Money,
    /// To which account of the customer's.
    #[serde(default)]
    account: Option<RefundAccount>,
    /// A remark.
    #[serde(default)]
    note: Option<Note>,
}

impl Sendable for RefundSent {
    const EXAMPLE: &'static str = r#"{"amount":{"amount":24000,"currency":"KRW"},"account":"예시은행 100-200-300 홍길동","note":"by transfer"}"#;
}

/// Records a payment. What comes for an expired reservation takes it up again if its places are still free, is offered an
/// equal time slot, or is due back.
#[utoipa::path(post, path = "/v1/reservations/{id}/mark-paid", tag = "reservations", operation_id = "markReservationPaid",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    request_body = MarkPaid,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = CONFLICT, description = "reservation/not-placed and others", body = ProblemBody)))]
pub(in super::super) async fn mark_paid(
    State(app): State<App>,
    Staff(id, admin): Staff,
    caller: Caller,
    key: Key,
    Sent(body): Sent<MarkPaid>,
) -> Result<Response, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &("mark-paid", id, &body))?;
    let request = caller.request(admin.actor(), "reservations/mark-paid", key);
    let pay = Pay {
        amount: body.amount,
        note: body.note,
        source: None,
    };
    let nearby = booking::nearby(&app.store, &app.reads, &[id]).await?;
    let committed = app.bookings.pay(&request, id, &pay, &nearby).await?;
    after(&app, &committed, id).await
}

/// Records that money went back.
#[utoipa::path(post, path = "/v1/reservations/{id}/refund", tag = "reservations", operation_id = "refundReservation",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("admin" = [])),
    request_body = RefundSent,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = CONFLICT, description = "reservation/refund-exceeds-due and others", body = ProblemBody)))]
pub(in super::super) async fn refund(
    State(app): State<App>,
    Staff(id, admin): Staff,
    caller: Caller,
    key: Key,
    Sent(body): Sent<RefundSent>,
) -> Result<Response, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &("refund", id, &body))?;
    let request = caller.request(admin.actor(), "reservations/refund", key);
    let command = ReservationCommand::Settle(MoneyCommand::Refund {
        amount: body.amount,
        account: body.account,
        note: body.note,
        payment: None,
    });
    let committed = app.bookings.record(&request, id, command).await?;
    after(&app, &committed, id).await
}

/// Accepts the equal time slot that is offered for money that came late.
#[utoipa::path(post, path = "/v1/reservations/{id}/accept-offer", tag = "reservations", operation_id = "acceptOffer",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = CREATED, description = "The new reservation, for its holder with its token; the money moved to it",
               body = ReservationView, headers(("Location" = String))),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "seat/taken and others", body = ProblemBody),
              (status = GONE, description = "reservation/no-offer and others", body = ProblemBody)))]
pub(in super::super) async fn accept_offer(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let id = holder.id();
    let key = key.bind(app.store.vault(), holder.scope(), &("accept-offer", id))?;
    let request = caller.request(holder.actor(), "reservations/accept-offer", key);
    let committed = app.bookings.accept_offer(&request, id).await?;
    let into = moved_to(&committed).ok_or_else(not_found)?;
    let (state, sequence) = app
        .store
        .read_until::<Reservation>(&into, committed.position)
        .await?;
    let view = ReservationView::of(into, &state).ok_or_else(not_found)?;
    // The secret is the customer's alone, whoever acts for them.
    let view = match &holder {
        Holder::Guest(_) | Holder::Customer(..) => view.with_token(&app),
        Holder::Staff(..) => view,
    };
    let location = format!("/v1/reservations/{into}");
    let mut response = Done::created(&committed, location, view).into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}

/// Declines the equal time slot that is offered for money that came late: the money is due back.
#[utoipa::path(post, path = "/v1/reservations/{id}/decline-offer", tag = "reservations", operation_id = "declineOffer",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = GONE, description = "reservation/no-offer and others", body = ProblemBody)))]
pub(in super::super) async fn decline_offer(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    let id = holder.id();
    let key = key.bind(app.store.vault(), holder.scope(), &("decline-offer", id))?;
    let request = caller.request(holder.actor(), "reservations/decline-offer", key);
    let command = ReservationCommand::Settle(MoneyCommand::DeclineOffer);
    let committed = app.bookings.record(&request, id, command).await?;
    after(&app, &committed, id).await
}
