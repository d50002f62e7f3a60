//! What happens by itself: holds lapse, unpaid reservations expire when their time is up, who has not come counts as absent,
//! the coming days go on sale, waiting ends with the sale, customers are told, and money goes back the way it came; never what
//! someone asked for.

mod absences;
mod deadlines;
mod notifications;
mod openings;
mod refunds;
mod waitlists;

pub use absences::Absences;
pub use deadlines::Deadlines;
pub use notifications::Notifications;
pub use openings::{Openings, open_themes};
pub use refunds::Refunds;
pub use waitlists::Waitlists;
