//! `GET /v1/ticket-keys`: the public keys by which anybody checks tickets; `POST`: from now on a new one signs; never
//! shows the private one.

use aggregates::rights::Permission;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::super::{
    App,
    access::Admin,
    answer::Json,
    body::{Nothing, Sent},
    problem::{Problem, ProblemBody},
};
use crate::{ticket::PublicKey, vault::Published};

/// The keys tickets are checked by.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "TicketKeys")]
pub struct KeysView {
    /// All of them, the newest first: that one signs.
    keys: Vec<KeyView>,
}

/// One key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "TicketKey")]
pub struct KeyView {
    /// Id and key.
    #[serde(flatten)]
    key: PublicKey,
    /// Since when it signs, or did.
    #[schema(value_type = String, format = DateTime)]
    begun_at: Timestamp,
}

async fn view(app: &App) -> Result<KeysView, Problem> {
    let view = |Published { key, begun_at }| KeyView { key, begun_at };
    let published = app.ticket_keys.published().await?;
    let keys = published.into_iter().map(view).collect();
    Ok(KeysView { keys })
}

/// The public keys of tickets.
#[utoipa::path(get, path = "/v1/ticket-keys", tag = "catalogue", operation_id = "listTicketKeys",
    responses((status = OK, description = "All keys, the newest first", body = KeysView)))]
pub(in super::super) async fn list(State(app): State<App>) -> Result<Response, Problem> {
    Ok(Json(view(&app).await?).into_response())
}

/// Begins a new key for tickets.
#[utoipa::path(post, path = "/v1/ticket-keys", tag = "admin", operation_id = "beginTicketKey",
    description = "Tickets are signed with a new key from now on, within a minute by every server. Tickets signed before stay \
        good; scanners need the new key.",
    security(("admin" = [])),
    responses((status = CREATED, description = "All keys, the newest first", body = KeysView),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn begin(
    State(app): State<App>,
    admin: Admin,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    admin.may_at(Permission::ChangeAdmins, None)?;
    app.ticket_keys.rotate().await?;
    let mut response = Json(view(&app).await?).into_response();
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}
