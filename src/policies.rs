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

/// What one process at a time may be the worker of: the advisory lock that makes it so.
#[derive(Clone, Copy)]
enum Lock {
    Deadlines = 1,
    Absences = 2,
    Refunds = 3,
}

impl Lock {
    /// Arbitrary numbers, `jari` in ASCII and one for each.
    const fn number(self) -> i64 {
        0x6a61_7269_0000 + self as i64
    }
}
