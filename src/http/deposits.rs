//! `/v1/deposits`: money that came to a branch's account: recorded and matched at once, or listed for staff to match or
//! return (DOMAIN E7); never counts money twice.

mod list;

use aggregates::{
    deposit::{Basis, Deposit, DepositCommand, DepositError, Reason, Receipt, reason},
    ids::{BranchId, DepositId, ReservationId},
    personal::Personal,
    reservation::Reservation,
    rights::Permission,
    values::{AccountNumber, BankReference, CustomerName, Money, Note, RefundAccount},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use projections::deposit_list::DepositState;
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::Admin,
    answer::Done,
    body::{Sendable, Sent},
    caller::Caller,
    idempotency::Key,
    params::Id,
    problem::{Problem, ProblemBody},
};
use crate::{
    booking::{candidates, nearby},
    store::Committed,
};

/// What belongs to deposits.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(record))
        .routes(routes!(match_to))
        .routes(routes!(give_back))
}

/// The list of them as a file, which is worth compressing.
pub(super) fn export_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list::export))
}

/// A deposit.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Deposit")]
pub struct DepositView {
    /// Which one.
    id: DepositId,
    /// `unmatched`, `matched` or `returned`.
    #[schema(value_type = String, example = "unmatched")]
    state: DepositState,
    /// At which branch; none if it came through the payment provider for nothing that is known.
    branch: Option<BranchId>,
    /// To which of its accounts.
    account: Option<AccountNumber>,
    /// How much.
    amount: Money,
    /// What whoever sent it wrote as their name, unless it was erased.
    depositor: Option<CustomerName>,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    deposited_at: Timestamp,
    /// What the bank calls it.
    reference: BankReference,
    /// The reservation it paid for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationId>,
    /// Why that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
    /// While it is unmatched: reservations it may be for, with what speaks for them.
    candidates: Vec<DepositCandidate>,
}

/// A reservation that a deposit may be for.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DepositCandidate {
    /// Its number.
    reservation: ReservationId,
    /// What speaks for it.
    reason: Reason,
    /// What is still to be paid for it.
    outstanding: Money,
    /// Whether it expired before the money came.
    expired: bool,
    /// Its short code.
    short_code: String,
}

/// What a bank says about money that came.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct DepositToRecord {
    /// At which branch.
    branch: BranchId,
    /// To which of its accounts.
    #[serde(default)]
    account: Option<AccountNumber>,
    /// How much.
    amount: Money,
    /// What whoever sent it wrote as their name; a short code may be part of it.
    depositor: CustomerName,
    /// When it came.
    #[schema(value_type = String, format = DateTime)]
    deposited_at: Timestamp,
    /// What the bank calls it; unique among the deposits of the branch.
    reference: BankReference,
}

impl Sendable for DepositToRecord {
    const EXAMPLE: &'static str = r#"{"branch":"0192d3a0-0000-7000-8000-000000000001","account":"100-200-345670",
        "amount":{"amount":48000,"currency":"KRW"},"depositor":"홍길동K7MQ2Z","deposited_at":"2026-11-20T10:00:00Z",
        "reference":"20261120-000123"}"#;
}

/// Which reservation a deposit is for.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct DepositMatch {
    /// Its number.
    reservation: ReservationId,
}

impl Sendable for DepositMatch {
    const EXAMPLE: &'static str = r#"{"reservation":"301422961418752000"}"#;
}

/// How a deposit went back.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct DepositReturn {
    /// To which account.
    #[serde(default)]
    account: Option<RefundAccount>,
    /// A remark.
    #[serde(default)]
    note: Option<Note>,
}

impl Sendable for DepositReturn {
    const EXAMPLE: &'static str =
        r#"{"account":"예시은행 100-200-300 홍길동","note":"nobody knows what for"}"#;
}

/// Records money that came, and matches it if exactly one reservation must be meant.
#[utoipa::path(post, path = "/v1/deposits/{id}/record", tag = "admin", operation_id = "recordDeposit",
    params(("id" = DepositId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("admin" = [])),
    request_body = DepositToRecord,
    responses((status = OK, description = "As it is now: matched and paid, or unmatched with candidates", body = DepositView),
              (status = CONFLICT, description = "deposit/reference-in-use and others", body = ProblemBody)))]
pub(super) async fn record(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Id(id): Id<DepositId>,
    key: Key,
    Sent(body): Sent<DepositToRecord>,
) -> Result<Response, Problem> {
    admin.may_at(Permission::ChangeReservations, Some(body.branch))?;
    let key = key.bind(app.store.vault(), admin.scope(), &("deposits/record", id, &body))?;
    let request = caller.request(admin.actor(), "deposits/record", key);
    let receipt = Receipt {
        branch: Some(body.branch),
        account: body.account,
        amount: body.amount,
        depositor: Some(Personal::Plain(body.depositor)),
        deposited_at: body.deposited_at,
        reference: body.reference,
    };
    let candidates = candidates(&app.reads, &receipt).await?;
    let nearby = nearby(&app.store, &app.reads, &candidates).await?;
    let committed = app
        .bookings
        .record_deposit(&request, id, &receipt, &candidates, &nearby)
        .await?;
    after(&app, &committed, id).await
}

/// Matches a deposit to the reservation it is for: it is paid in the same moment.
#[utoipa::path(post, path = "/v1/deposits/{id}/match", tag = "admin", operation_id = "matchDeposit",
    params(("id" = DepositId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("admin" = [])),
    request_body = DepositMatch,
    responses((status = OK, description = "As it is now", body = DepositView),
              (status = NOT_FOUND, description = "deposit/not-found, reservation/not-found", body = ProblemBody),
              (status = CONFLICT, description = "deposit/already-matched and others", body = ProblemBody)))]
pub(super) async fn match_to(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Id(id): Id<DepositId>,
    key: Key,
    Sent(DepositMatch { reservation }): Sent<DepositMatch>,
) -> Result<Response, Problem> {
    may(&app, &admin, id).await?;
    let key = key.bind(
        app.store.vault(),
        admin.scope(),
        &("deposits/match", id, reservation),
    )?;
    let request = caller.request(admin.actor(), "deposits/match", key);
    let nearby = nearby(&app.store, &app.reads, &[reservation]).await?;
    let committed = app
        .bookings
        .match_deposit(&request, id, reservation, &nearby)
        .await?;
    after(&app, &committed, id).await
}

/// Records that a deposit went back to who sent it.
#[utoipa::path(post, path = "/v1/deposits/{id}/return", tag = "admin", operation_id = "returnDeposit",
    params(("id" = DepositId, Path), ("Idempotency-Key" = Option<String>, Header)),
    security(("admin" = [])),
    request_body = DepositReturn,
    responses((status = OK, description = "As it is now", body = DepositView),
              (status = NOT_FOUND, description = "deposit/not-found", body = ProblemBody),
              (status = CONFLICT, description = "deposit/already-matched and others", body = ProblemBody)))]
pub(super) async fn give_back(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Id(id): Id<DepositId>,
    key: Key,
    Sent(body): Sent<DepositReturn>,
) -> Result<Response, Problem> {
    may(&app, &admin, id).await?;
    let key = key.bind(app.store.vault(), admin.scope(), &("deposits/return", id, &body))?;
    let request = caller.request(admin.actor(), "deposits/return", key);
    let DepositReturn { account, note } = body;
    let command = DepositCommand::Return { account, note };
    let committed = app.bookings.work_on_deposit(&request, id, &command).await?;
    after(&app, &committed, id).await
}

/// Refuses unless they work at the branch that the deposit came to.
async fn may(app: &App, admin: &Admin, id: DepositId) -> Result<(), Problem> {
    let deposit = app.store.read::<Deposit>(&id).await?;
    let receipt = deposit
        .receipt()
        .ok_or_else(|| Problem::refused(&DepositError::NotFound))?;
    admin.may_at(Permission::ChangeReservations, receipt.branch)
}

/// The answer to a command: the deposit as it is after it.
async fn after(app: &App, committed: &Committed, id: DepositId) -> Result<Response, Problem> {
    let (deposit, _) = app.store.read_until::<Deposit>(&id, committed.position).await?;
    let view = view(app, id, &deposit).await?;
    let view = view.ok_or_else(|| Problem::refused(&DepositError::NotFound))?;
    Ok(Done::ok(committed, view).into_response())
}

async fn view(app: &App, id: DepositId, deposit: &Deposit) -> Result<Option<DepositView>, Problem> {
    let Some(receipt) = deposit.receipt().cloned() else {
        return Ok(None);
    };
    let (state, basis, candidates) = match deposit {
        Deposit::Unknown | Deposit::Unmatched(_) => (
            DepositState::Unmatched,
            None,
            shown_candidates(app, &receipt).await?,
        ),
        Deposit::Matched { basis, .. } => (DepositState::Matched, Some(*basis), Vec::new()),
        Deposit::Returned(_) => (DepositState::Returned, None, Vec::new()),
    };
    Ok(Some(DepositView {
        id,
        state,
        branch: receipt.branch,
        account: receipt.account,
        amount: receipt.amount,
        depositor: receipt.depositor.as_ref().and_then(Personal::plain).cloned(),
        deposited_at: receipt.deposited_at,
        reference: receipt.reference,
        reservation: deposit.reservation(),
        basis,
        candidates,
    }))
}

async fn shown_candidates(app: &App, receipt: &Receipt) -> Result<Vec<DepositCandidate>, Problem> {
    let mut shown = Vec::new();
    for id in candidates(&app.reads, receipt).await? {
        let reservation = app.store.read::<Reservation>(&id).await?;
        if let (Some(reason), Some(placed)) = (reason(receipt, &reservation), reservation.placed()) {
            shown.push(DepositCandidate {
                reservation: id,
                reason,
                outstanding: placed.money_of(placed.money.outstanding()),
                expired: matches!(*reservation, Reservation::Expired(_)),
                short_code: placed.placement.short_code.clone(),
            });
        }
    }
    Ok(shown)
}
