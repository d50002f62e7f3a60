//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, who has not come counts as absent,
//! the coming days go on sale, and waiting ends with the sale; never what someone asked for.

mod absences;
mod deadlines;
mod openings;
mod waitlists;

pub use absences::Absences;
pub use deadlines::Deadlines;
pub use openings::{Openings, open_themes};
pub use waitlists::Waitlists;
