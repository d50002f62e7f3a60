//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, the coming days go on sale,
//! customers are told;
//! never what someone asked for.

mod deadlines;
mod notifications;
mod openings;

pub use deadlines::Deadlines;
pub use notifications::Notifications;
pub use openings::{Openings, open_themes};
