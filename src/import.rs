//! Reads catalogue files and appends what they say and the log does not; never takes anything away, but for time slots of
//! their timetables, if that is asked for and nobody has a place in them.
//!
//! ```text
//!   files ──read──▶ catalogues ──compare──▶ changes ──carry out──▶ events
//!          every fault,         every conflict,     bounded units,
//!          or nothing           or nothing          again: nothing
//! ```
//!
//! Things are known by their unique names: what the file renames is new, what it leaves out stays as it is. A branch that
//! was closed for good, or a movie that was withdrawn, stays so with everything in it, whatever the file says.

mod carry_out;
mod catalogue;
mod cinemas;
mod compare;
mod escape_rooms;
mod files;
mod json;
mod left_out;
mod names;
mod premises;
pub mod samples;
mod timetable;

use std::fmt;

use aggregates::fault::Fault;

pub use self::{
    carry_out::{Imported, import},
    catalogue::Catalogue,
    compare::Known,
    files::{Source, read},
    timetable::{SALES_DAYS_MAX, follow_timetable, open_sales},
};
use crate::store::{Stop, StoreError};
pub use crate::timetable::{Followed, Opened, Unsettled, Why};

/// How far long work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Parts done.
    pub done: usize,
    /// All parts.
    pub total: usize,
}

/// Is told how far long work has come; must not block.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Sync);

/// A fault in one of the files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct FileFault {
    /// The file.
    pub file: String,
    /// Where in it, and what.
    pub fault: Fault,
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.fault.pointer.is_empty() { ":" } else { "" };
        write!(f, "{}{colon} {}", self.file, self.fault)
    }
}

/// Why nothing, or not everything, was imported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// The files have faults or contradict what is so already: nothing was imported.
    #[error("{}", lines(.0))]
    Faults(Vec<FileFault>),
    /// Somebody else changed the same things meanwhile; what came before it is imported. Import again.
    #[error("the catalogue changed during the import ({0}); import again")]
    Overtaken(String),
    /// The store failed; what came before is imported. Import again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn lines(faults: &[FileFault]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl<E: fmt::Display> From<Stop<E>> for ImportError {
    fn from(stop: Stop<E>) -> Self {
        match stop {
            Stop::Refused(refused) => Self::Overtaken(refused.to_string()),
            Stop::Store(error) => Self::Store(error),
        }
    }
}
