//! When a placed reservation's customers are let in, by whom ever, and what can be taken back of it (DOMAIN E9); never
//! marks anybody absent.

use jiff::{SignedDuration, Timestamp};

use super::{Placed, Reservation, ReservationError as No, ReservationEvent as Event};
use crate::{
    personal::Personal,
    values::{Name, Note},
};

/// Hours from the start within which a check-in can be undone: the day of the visit.
const UNDO_HOURS: i64 = 24;

impl Placed {
    /// Whether they are let in at this moment: paid, neither before check-in begins nor after the end. Of what was placed
    /// before such moments were frozen, only that it is paid is asked.
    pub(super) fn may_come_in(&self, at: Timestamp) -> Result<(), No> {
        match self.placement.attendance {
            Some(times) if at < times.check_in_from => Err(No::TooEarly {
                from: times.check_in_from,
            }),
            Some(times) if at >= times.ends_at => Err(No::Over {
                ended_at: times.ends_at,
            }),
            Some(_) | None if self.paid => Ok(()),
            Some(_) | None => Err(No::NotPaid),
        }
    }

    /// They came with a ticket.
    pub(super) fn admitted(&self, at: Timestamp, device: Option<Name>) -> Result<Vec<Event>, No> {
        self.may_come_in(at)?;
        Ok(vec![Event::Admitted { at, device }])
    }

    /// They had come before they were taken for absent.
    pub(super) fn admitted_after_all(&self, at: Timestamp, device: Option<Name>) -> Result<Vec<Event>, No> {
        self.may_come_in(at)?;
        Ok(vec![Event::NoShowWithdrawn, Event::Admitted { at, device }])
    }

    /// They had not come.
    pub(super) fn check_in_undone(&self, reason: Option<Note>, now: Timestamp) -> Result<Vec<Event>, No> {
        let starts_at = self.placement.starts_at;
        let until = starts_at.checked_add(SignedDuration::from_hours(UNDO_HOURS));
        match until {
            Ok(until) if now >= until => Err(No::TooLateToUndo { until }),
            Ok(_) | Err(_) => Ok(vec![Event::CheckInUndone {
                reason: reason.map(Personal::Plain),
                no_show_at: self.placement.attendance.map(|times| times.no_show_at),
            }]),
        }
    }
}

impl Reservation {
    /// The binding terms of who is still expected; else what became of it.
    pub const fn expected(&self) -> Result<&Placed, No> {
        match self {
            Self::Placed(placed) => Ok(placed),
            Self::Blank
            | Self::Held(_)
            | Self::Lapsed(_)
            | Self::Released(_)
            | Self::Attended(_)
            | Self::NoShow(_)
            | Self::Cancelled(_)
            | Self::Expired(_) => Err(self.in_the_way()),
        }
    }

    /// What a ticket is made for: a reservation that gets somebody in, now or after they paid at the door; an unpaid transfer
    /// does not. The ticket of who is in already stays readable.
    pub const fn admissible(&self) -> Result<&Placed, No> {
        match self {
            Self::Placed(placed) if placed.pay_by().is_some() => Err(No::NotPaid),
            Self::Placed(placed) | Self::Attended(placed) => Ok(placed),
            Self::Blank
            | Self::Held(_)
            | Self::Lapsed(_)
            | Self::Released(_)
            | Self::NoShow(_)
            | Self::Cancelled(_)
            | Self::Expired(_) => Err(self.in_the_way()),
        }
    }

    /// A visit that was agreed on, and whether it stands.
    pub const fn visit(&self) -> Result<(&Placed, bool), No> {
        match self {
            Self::Placed(placed) | Self::Attended(placed) | Self::NoShow(placed) => Ok((placed, true)),
            Self::Cancelled(placed) | Self::Expired(placed) => Ok((placed, false)),
            Self::Blank | Self::Held(_) | Self::Lapsed(_) | Self::Released(_) => Err(self.in_the_way()),
        }
    }
}
