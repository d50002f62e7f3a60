//! What happens by itself: holds lapse and unpaid reservations expire when their time is up; never what someone asked for.

mod deadlines;
pub mod openings;

pub use deadlines::Deadlines;
pub use openings::Openings;
