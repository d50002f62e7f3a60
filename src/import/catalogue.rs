//! What a catalogue file says, once it is known to be sound; never ids, those are found by name later.

use std::{collections::BTreeSet, sync::Arc};

use aggregates::{
    branch::Premises,
    business_day::Weekday,
    layout::Layout,
    movie::Film,
    pricing::Tariff,
    theme::{PartyRange, SalesOpening, WeeklyTemplate},
    values::{Name, Title, WallTime},
};

use crate::timetable::Seating;

/// What one file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    /// The file, as it was named.
    pub(super) file: String,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Cinemas(CinemaChain),
    EscapeRooms(Vec<Shop>),
    /// A hall alone: the layout of every auditorium of this kind in the other files.
    Hall(Name, Arc<Layout>),
}

/// A chain of cinemas.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CinemaChain {
    pub movies: Vec<At<Film>>,
    /// The chain's price policy is named like the chain.
    pub chain: Name,
    pub tariff: At<Arc<Tariff>>,
    /// Minutes before the start until which customers cancel online.
    pub cancel_minutes: u16,
    /// Which seats may be chosen together, where an auditorium does not say otherwise.
    pub seating: Seating,
    pub cinemas: Vec<Cinema>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cinema {
    pub premises: At<Premises>,
    pub auditoriums: Vec<At<Room>>,
    pub screenings: Vec<Screening>,
}

/// An auditorium as the file describes it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Room {
    pub name: Name,
    /// The layout file's name without its ending; price policies charge by it.
    pub hall: Name,
    pub layout: Arc<Layout>,
    pub cleaning_minutes: u16,
    /// Which seats may be chosen together, if not as in the rest of the chain.
    pub seating: Option<Seating>,
}

/// A movie shown at the same time on some days of every week.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Screening {
    pub auditorium: Name,
    pub movie: Title,
    pub starts: WallTime,
    pub days: BTreeSet<Weekday>,
}

/// A branch of an escape-room chain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shop {
    pub premises: At<Premises>,
    pub themes: Vec<At<Play>>,
}

/// A theme as the file describes it; its price policy is named like it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Play {
    pub name: Name,
    pub tariff: Arc<Tariff>,
    pub party: PartyRange,
    pub duration_minutes: u16,
    pub turnover_minutes: u16,
    pub opens: SalesOpening,
    pub slots: WeeklyTemplate,
    pub active: bool,
}

/// A value and where in its file it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub pointer: String,
    pub value: T,
}

impl<T> At<T> {
    pub fn new(pointer: &str, value: T) -> Self {
        Self {
            pointer: pointer.to_owned(),
            value,
        }
    }
}
