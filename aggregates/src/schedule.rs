//! One local day of an auditorium or a theme: its time slots never overlap (DOMAIN C4, E3); never knows what is shown.
//!
//! Slots that run past midnight meet those of the next days: whoever enters a slot also asks the days near it for a
//! [`Schedule::clash`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    decider::aggregate,
    ids::{ScheduleId, TimeSlotId},
    refusal::refusals,
};

/// The most slots of one place on one day.
pub const ENTRIES_MAX: usize = 200;

/// What can be asked of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScheduleCommand {
    /// Keep this span for a slot.
    Enter {
        /// Which slot.
        time_slot: TimeSlotId,
        /// When it begins.
        starts_at: Timestamp,
        /// When the place is ready for the next: with cleaning or turnover.
        ends_at: Timestamp,
    },
    /// Free the span of a slot.
    Leave {
        /// Which slot.
        time_slot: TimeSlotId,
    },
}

/// What happened to a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScheduleEvent {
    /// The span belongs to this slot.
    Entered {
        time_slot: TimeSlotId,
        starts_at: Timestamp,
        ends_at: Timestamp,
    },
    /// The slot's span is free.
    Left { time_slot: TimeSlotId },
}

/// Why a day says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Another slot is in the way.
    #[error("it overlaps a time slot from {} to {}, cleaning included", .0.starts_at, .0.ends_at)]
    Overlaps(Entry),
    /// The slot has another span already.
    #[error("the time slot is already entered, from {} to {}", .0.starts_at, .0.ends_at)]
    AlreadyEntered(Entry),
    /// It ends before it starts.
    #[error("a time slot must end after it starts")]
    EndsBeforeStart,
    /// The day is full.
    #[error("a day has at most {ENTRIES_MAX} time slots")]
    Full,
}

refusals! { ScheduleError:
    Self::Overlaps(_) => "schedule/overlaps", Conflict, "Choose a time when the place is free, cleaning included.";
    Self::AlreadyEntered(_) => "schedule/already-entered", Conflict, "Withdraw the time slot and schedule a new one.";
    Self::EndsBeforeStart => "schedule/ends-before-start", Invalid, "Correct the start or the end.",
        at ["/plan/ends_at"];
    Self::Full => "schedule/full", Conflict, "Choose another day.";
}

/// A slot's span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which slot.
    pub time_slot: TimeSlotId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When the place is ready for the next.
    pub ends_at: Timestamp,
}

/// What a day remembers: spans that don't overlap, early ones first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    entries: Vec<Entry>,
}

aggregate! {
    Schedule = "schedule", id: ScheduleId, command: ScheduleCommand, event: ScheduleEvent, error: ScheduleError,
    stored: "Schedule" [Entered, Left]
}

impl Schedule {
    fn rule(&self, command: ScheduleCommand, _now: Timestamp) -> Result<Vec<ScheduleEvent>, ScheduleError> {
        use ScheduleCommand::{Enter, Leave};
        match command {
            Enter {
                time_slot,
                starts_at,
                ends_at,
            } => {
                let entry = Entry {
                    time_slot,
                    starts_at,
                    ends_at,
                };
                match (self.entry(time_slot), self.clash(starts_at, ends_at)) {
                    _ if ends_at <= starts_at => Err(ScheduleError::EndsBeforeStart),
                    (Some(known), _) if *known == entry => Ok(vec![]),
                    (Some(known), _) => Err(ScheduleError::AlreadyEntered(*known)),
                    (None, Some(other)) => Err(ScheduleError::Overlaps(*other)),
                    (None, None) if self.entries.len() >= ENTRIES_MAX => Err(ScheduleError::Full),
                    (None, None) => Ok(vec![ScheduleEvent::Entered {
                        time_slot,
                        starts_at,
                        ends_at,
                    }]),
                }
            }
            Leave { time_slot } if self.entry(time_slot).is_some() => {
                Ok(vec![ScheduleEvent::Left { time_slot }])
            }
            Leave { .. } => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: ScheduleEvent) {
        match event {
            ScheduleEvent::Entered {
                time_slot,
                starts_at,
                ends_at,
            } => {
                let place = self.entries.partition_point(|entry| entry.starts_at <= starts_at);
                self.entries.insert(
                    place,
                    Entry {
                        time_slot,
                        starts_at,
                        ends_at,
                    },
                );
            }
            ScheduleEvent::Left { time_slot } => self.entries.retain(|entry| entry.time_slot != time_slot),
        }
    }

    /// The spans of the day, early ones first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The span of a slot.
    #[must_use]
    pub fn entry(&self, time_slot: TimeSlotId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.time_slot == time_slot)
    }

    /// The first slot in the way of a span; one that ends when the other starts is not.
    #[must_use]
    pub fn clash(&self, starts_at: Timestamp, ends_at: Timestamp) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.starts_at < ends_at && starts_at < entry.ends_at)
    }
}

#[cfg(test)]
mod tests;
