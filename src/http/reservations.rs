//! The resource customers work on: held, placed, looked at, given up; its rules are those of the aggregates; never has
//! rules of its own.

mod asked;
mod cancel;
mod cancel_quote;
mod change;
mod check_coupon;
mod export;
mod hold;
mod list;
mod look_up;
mod money;
mod place;
mod reschedule;
mod search;
mod show;
mod staff;
mod steps;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::{hold::begun, list::Listed, search::PhonePart, view::ReservationView};

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
        .routes(routes!(check_coupon::check))
        .routes(routes!(place::place))
        .routes(routes!(cancel::cancel))
        .routes(routes!(reschedule::reschedule))
        .routes(routes!(cancel_quote::cancel_quote))
        .routes(routes!(money::mark_paid))
        .routes(routes!(money::refund))
        .routes(routes!(money::accept_offer))
        .routes(routes!(money::decline_offer))
        .routes(routes!(staff::mark_notified))
        .routes(routes!(staff::check_in))
        .routes(routes!(staff::undo_check_in))
        .routes(routes!(staff::mark_no_show))
        .routes(routes!(staff::lift_bar))
}
