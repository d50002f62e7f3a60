//! Whether the process lives and whether it can serve; and its metrics. Never shows an internal error to strangers.

use axum::{
    extract::State,
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{App, access::Admin, answer::Json, caller::Caller, metrics, problem::Problem};

/// What belongs to running the server.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics_text))
}

/// The state of the process.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or what is missing.
    #[schema(example = "ok")]
    status: &'static str,
    /// What an operator should know although the server works.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// The process is alive.
#[utoipa::path(get, path = "/health/live", tag = "operation", operation_id = "getLiveness",
    responses((status = OK, description = "It is alive", body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(Health {
        status: "ok",
        warnings: Vec::new(),
    })
}

/// The server can take requests: its database answers.
#[utoipa::path(get, path = "/health/ready", tag = "operation", operation_id = "getReadiness",
    responses((status = OK, description = "It is ready", body = Health),
              (status = SERVICE_UNAVAILABLE, description = "It is not ready", body = Health)))]
pub(super) async fn ready(State(app): State<App>) -> Response {
    match app.readiness().await {
        Ok(_) if !app.store.takes_commands() => unready("no commands are taken: the server is going down"),
        Ok(warning) => Json(Health {
            status: "ok",
            warnings: warning.into_iter().collect(),
        })
        .into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            unready("the database is not available")
        }
    }
}

fn unready(status: &'static str) -> Response {
    let health = Json(Health {
        status,
        warnings: Vec::new(),
    });
    let mut response = health.into_response();
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(header::RETRY_AFTER, 2.into());
    response
}

/// Counts and times for Prometheus; open to this machine, else with the admin token.
#[utoipa::path(get, path = "/metrics", tag = "operation", operation_id = "getMetrics",
    security((), ("admin" = [])),
    responses((status = OK, description = "In Prometheus' text format", content_type = "text/plain", body = String),
              (status = UNAUTHORIZED, description = "From elsewhere, the admin token is needed")))]
pub(super) async fn metrics_text(
    State(app): State<App>,
    caller: Caller,
    mut parts: Parts,
) -> Result<Response, Problem> {
    use axum::extract::FromRequestParts as _;
    // A proxy on this machine asks for somebody else, and says so.
    let forwarded = ["forwarded", "x-forwarded-for"]
        .iter()
        .any(|name| parts.headers.contains_key(*name));
    if forwarded || !caller.address.is_loopback() {
        Admin::from_request_parts(&mut parts, &app).await?;
    }
    let position = |model: &'static str| Some((model, app.projections.position(model)?));
    let models = projections::NAMES.iter().filter_map(|model| position(model));
    metrics::standing(app.store.feed().position(), models);
    Ok((
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        metrics::text(),
    )
        .into_response())
}
