//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, and the coming days go on sale;
//! never what someone asked for.

mod deadlines;
mod openings;

pub use deadlines::Deadlines;
pub use openings::{Openings, open_themes};
