//! The resource customers work on: held, placed, looked at, given up; its rules are those of the aggregates.

mod asked;
mod cancel;
mod change;
mod export;
mod hold;
mod list;
mod look_up;
mod place;
mod search;
mod show;
mod staff;
mod steps;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use list::Listed;
pub(super) use search::PhonePart;

use super::App;

/// The list as a file, which is worth compressing.
pub(super) fn export_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export::export))
}

/// What belongs to reservations.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, hold::hold))
        .routes(routes!(look_up::look_up))
        .routes(routes!(search::search))
        .routes(routes!(show::show))
        .routes(routes!(steps::extend))
        .routes(routes!(steps::release))
        .routes(routes!(steps::revive))
        .routes(routes!(change::change))
        .routes(routes!(place::place))
        .routes(routes!(cancel::cancel))
        .routes(routes!(staff::mark_paid))
        .routes(routes!(staff::mark_notified))
        .routes(routes!(staff::check_in))
        .routes(routes!(staff::mark_no_show))
}
