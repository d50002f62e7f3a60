//! `GET /v1/admin/deliveries`, `POST /v1/admin/deliveries/{id}/resend`: which messages reached their customers; never the
//! words of one, and never whom it was for.

use aggregates::{
    fault::Fault,
    ids::ReservationId,
    refusal::{Kind, Refusal},
    rights::Permission,
};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    App,
    access::Admin,
    body::{Nothing, Sent},
    pages::{self, Page},
    params::{Asked, Id},
    problem::{Problem, ProblemBody},
};
use crate::vault::{Delivery, Resent};

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is sent when its time comes.
    Due,
    /// It is being sent.
    Sending,
    /// Whoever carries it has it.
    Sent,
    /// It was tried too often, or is not wanted.
    Failed,
    /// It may have been sent; nobody knows.
    Unknown,
    /// There was nothing to tell any more, or nobody to be told.
    Dropped,
}

impl DeliveryState {
    const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Dropped => "dropped",
        }
    }
}

/// Why a message is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// No such message.
    #[error("there is no such message")]
    NotFound,
    /// It arrived, is on its way, or has nothing to tell.
    #[error("the message has not failed")]
    NotFailed,
}

impl DeliveryError {
    /// All of them, for the documentation.
    pub const EACH: [Self; 2] = [Self::NotFound, Self::NotFailed];
}

impl Refusal for DeliveryError {
    fn slug(&self) -> &'static str {
        match self {
            Self::NotFound => "delivery/not-found",
            Self::NotFailed => "delivery/not-failed",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::NotFailed => Kind::Conflict,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::NotFound => "Choose a message from GET /v1/admin/deliveries.",
            Self::NotFailed => "Only a message that failed, or of which nobody knows, is sent again.",
        }
    }

    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }
}

/// Which messages.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Only those that are so far.
    state: Option<DeliveryState>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Messages on a page, 1 to 200.
    limit: Option<u16>,
}

/// A message to a customer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Delivery")]
pub struct DeliveryView {
    /// Which one; carriers know it by this id.
    id: Uuid,
    /// What is told.
    #[schema(example = "placed")]
    notice: String,
    /// By which way: `sms` or `email`.
    #[schema(example = "sms")]
    channel: String,
    /// About which reservation.
    reservation: ReservationId,
    /// The log position of what is told.
    position: i64,
    /// How far it is.
    #[schema(value_type = DeliveryState)]
    state: String,
    /// When it was to be sent.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// How often it was tried.
    attempts: i32,
    /// What its carrier calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    provider_id: Option<String>,
    /// What went wrong the last time, or why it is not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<String>,
    /// When any of this changed last.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(resend))
}

/// Messages to customers, newest first.
#[utoipa::path(get, path = "/v1/admin/deliveries", tag = "admin", operation_id = "listDeliveries",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Newest first", body = Page<DeliveryView>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    admin.may_at(Permission::SeeReservations, None)?;
    let limit = pages::limit(which.limit)?;
    let before = pages::behind(which.cursor.as_deref())?;
    let state = which.state.map(DeliveryState::name);
    let deliveries = app.deliveries.list(state, before, limit + 1).await?;
    Ok(pages::page(
        &uri,
        deliveries,
        limit,
        |delivery: &Delivery| delivery.id,
        |delivery| {
            Some(DeliveryView {
                id: delivery.id,
                notice: delivery.notice,
                channel: delivery.channel,
                reservation: delivery.reservation,
                position: delivery.position,
                state: delivery.state,
                due_at: delivery.due_at,
                attempts: delivery.attempts,
                provider_id: delivery.provider_id,
                problem: delivery.problem,
                changed_at: delivery.changed_at,
            })
        },
    ))
}

/// Sends a message again that failed or of which nobody knows. Asked again before it is sent, it changes nothing.
#[utoipa::path(post, path = "/v1/admin/deliveries/{id}/resend", tag = "admin", operation_id = "resendDelivery",
    params(("id" = Uuid, Path)), security(("admin" = [])),
    responses((status = NO_CONTENT, description = "It is due"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody),
              (status = NOT_FOUND, description = "No such message", body = ProblemBody),
              (status = CONFLICT, description = "It has not failed", body = ProblemBody)))]
pub(super) async fn resend(
    State(app): State<App>,
    admin: Admin,
    Id(id): Id<Uuid>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    admin.may_at(Permission::ChangeReservations, None)?;
    match app.deliveries.resend(id).await? {
        Resent::Due => {
            tracing::info!(%id, by = ?admin.actor(), "a message is sent again");
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Resent::NotFailed => Err(Problem::refused(&DeliveryError::NotFailed)),
        Resent::Unknown => Err(Problem::refused(&DeliveryError::NotFound)),
    }
}
