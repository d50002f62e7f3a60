//! Waiting for a slot or for seats together (DOMAIN W1–W3): joined, looked at, accepted, declined, left; never decides
//! whose turn it is.

mod export;
mod join;
mod list;
mod show;
mod steps;
mod story;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

/// What belongs to waitlists.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(join::join))
        .routes(routes!(list::list))
        .routes(routes!(list::search))
        .routes(routes!(show::show))
        .routes(routes!(steps::accept))
        .routes(routes!(steps::decline))
        .routes(routes!(steps::leave))
}

/// The list of who waits as a file, which is worth compressing.
pub(super) fn export_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export::export))
}
