//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, and the coming days go on sale;
//! money goes back the way it came; never what someone asked for.

mod deadlines;
mod openings;
mod refunds;

pub use deadlines::Deadlines;
pub use openings::{Openings, open_themes};
pub use refunds::Refunds;
