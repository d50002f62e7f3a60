//! What can be booked when: time slots with their places, their layout, and changes as they happen; never who has them.

mod as_of;
mod business;
mod days;
mod layout;
mod list;
mod live;
mod prices;
mod seat_map;
mod show;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::as_of::AsOf;
pub use self::live::Live;
use super::App;

/// What belongs to time slots and is worth compressing.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(days::days))
        .routes(routes!(show::show))
        .routes(routes!(show::show_in_auditorium))
        .routes(routes!(layout::layout))
        .routes(routes!(seat_map::seat_map))
        .routes(routes!(prices::prices))
}

/// Changes as they happen: never compressed, because every change must leave at once.
pub(super) fn live_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live::live))
}
