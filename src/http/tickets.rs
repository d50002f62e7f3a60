//! What a holder carries to the door and what the door makes of it: tickets, their keys, calendar entries, check-ins; never
//! decides who is let in.

mod calendar;
mod door;
mod keys;
mod show;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::App;

/// What belongs to tickets.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show::ticket))
        .routes(routes!(show::picture))
        .routes(routes!(calendar::calendar))
        .routes(routes!(keys::list, keys::begin))
        .routes(routes!(door::check_in))
        .routes(routes!(door::check_in_all))
}
