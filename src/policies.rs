//! What happens by itself: holds lapse and unpaid reservations expire when their time is up; never what someone asked for.

mod deadlines;

pub use deadlines::Deadlines;
