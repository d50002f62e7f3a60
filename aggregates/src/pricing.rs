//! What a place costs (DOMAIN C10, C11, E2): tariff, occasion and party in, explained lines out; never below zero.

mod quote;
mod tariff;

use serde::{Deserialize, Serialize};

pub use quote::{LineItem, Quote, QuoteLine};
pub use tariff::{
    Band, Closing, EarlyBird, PersonDeltas, ScreeningTariff, SessionPrice, SessionTariff, Tariff,
};

use crate::{
    refusal::refusals,
    values::{AMOUNT_MAX, Category, Name, WallTime},
};

/// The most people (and seats) of one reservation (DOMAIN C10).
pub const PEOPLE_MAX: u8 = 8;

/// What is taken off a price (DOMAIN E2, K1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Discount {
    /// A part of the price, rounded down to a whole minor unit.
    Rate {
        /// 1 to 100.
        percent: u8,
    },
    /// A fixed amount.
    Amount {
        /// In minor units, more than nothing.
        amount: i64,
    },
    /// All of it.
    Free,
}

impl Discount {
    /// Whether it takes off something, and not more than everything.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Rate { percent } => (1..=100).contains(percent),
            Self::Amount { amount } => (1..=AMOUNT_MAX).contains(amount),
            Self::Free => true,
        }
    }

    /// What is really taken off `price`: at least nothing, at most all of it.
    #[must_use]
    pub fn off(&self, price: i64) -> i64 {
        let wanted = match self {
            Self::Rate { percent } => price.saturating_mul(i64::from(*percent)) / 100,
            Self::Amount { amount } => *amount,
            Self::Free => price,
        };
        wanted.clamp(0, price.max(0))
    }
}

/// A kind of person with a price of its own (DOMAIN C10).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PersonKind {
    /// 성인.
    Adult,
    /// 청소년.
    Teen,
    /// 경로, 65 and older.
    Senior,
    /// 우대.
    Preferential,
}

impl PersonKind {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Adult, Self::Teen, Self::Senior, Self::Preferential];
}

/// How many people of each kind come, for a cinema slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Persons {
    /// 성인.
    pub adult: u8,
    /// 청소년.
    pub teen: u8,
    /// 경로.
    pub senior: u8,
    /// 우대.
    pub preferential: u8,
}

impl Persons {
    /// One person of this kind alone.
    #[must_use]
    pub fn one(person: PersonKind) -> Self {
        let mut persons = Self::default();
        match person {
            PersonKind::Adult => persons.adult = 1,
            PersonKind::Teen => persons.teen = 1,
            PersonKind::Senior => persons.senior = 1,
            PersonKind::Preferential => persons.preferential = 1,
        }
        persons
    }

    /// All of them together.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.each().into_iter().map(|(_, count)| count).sum()
    }

    fn each(&self) -> [(PersonKind, u32); 4] {
        [
            (PersonKind::Adult, self.adult.into()),
            (PersonKind::Teen, self.teen.into()),
            (PersonKind::Senior, self.senior.into()),
            (PersonKind::Preferential, self.preferential.into()),
        ]
    }
}

/// Who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Party {
    /// In a cinema: as many seats as people.
    Persons(Persons),
    /// In an escape room: one room for all.
    Group {
        /// How many people.
        size: u8,
    },
}

impl Party {
    /// How many people.
    #[must_use]
    pub fn size(&self) -> u32 {
        match self {
            Self::Persons(persons) => persons.total(),
            Self::Group { size } => (*size).into(),
        }
    }
}

/// What the price depends on besides the people and the seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// The business day (DOMAIN C5).
    pub business_date: jiff::civil::Date,
    /// When it starts, on the wall of that business day.
    pub starts: WallTime,
    /// The kind of auditorium.
    pub hall: Option<Name>,
}

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// Kinds of person are for cinema slots, a group's size for escape-room slots.
    #[error("a cinema slot is priced by kinds of person, an escape-room slot by the size of the group")]
    WrongParty,
    /// Nobody, or too many.
    #[error("a party has 1 to {PEOPLE_MAX} people, not {size}")]
    PartyOutOfRange {
        /// How many came.
        size: u32,
    },
    /// As many seats as people (DOMAIN C10).
    #[error("{people} people need {people} seats, not {seats}")]
    SeatsDiffer {
        /// How many people.
        people: u32,
        /// How many seats.
        seats: u32,
    },
    /// The tariff does not know this category.
    #[error("the price policy has no price for seats of category {category}")]
    UnknownCategory {
        /// The seat's category.
        category: Category,
    },
    /// The tariff has no price for a group of this size.
    #[error("the price policy has no price for {size} people")]
    NoPriceForSize {
        /// How many people.
        size: u8,
    },
}

refusals! { PricingError:
    Self::WrongParty => "price/wrong-party", Invalid, "Send persons for a cinema slot, party_size for an escape-room slot.",
        at ["/persons", "/party_size"];
    Self::PartyOutOfRange { .. } => "price/party-out-of-range", Invalid, "Reserve for 1 to 8 people at a time.", at ["/persons"];
    Self::SeatsDiffer { .. } => "price/seats-differ", Invalid, "Choose exactly one seat for each person.", at ["/persons"];
    Self::UnknownCategory { .. } => "price/unknown-category", Conflict, "Choose other seats, or ask the branch.";
    Self::NoPriceForSize { .. } => "price/no-price-for-size", Invalid, "Choose another party size.", at ["/party_size"];
}

/// The price of `party` at `occasion`; `categories` are those of its seats, one per seat, and none for a room.
pub fn quote(
    tariff: &Tariff,
    occasion: &Occasion,
    party: &Party,
    categories: &[Category],
) -> Result<Quote, PricingError> {
    let size = party.size();
    if !(1..=u32::from(PEOPLE_MAX)).contains(&size) {
        return Err(PricingError::PartyOutOfRange { size });
    }
    match (tariff, party) {
        (Tariff::Screening(tariff), Party::Persons(persons)) => {
            quote::screening(tariff, occasion, persons, categories)
        }
        (Tariff::Session(tariff), Party::Group { size }) => quote::session(tariff, occasion, *size),
        (Tariff::Screening(_), Party::Group { .. }) | (Tariff::Session(_), Party::Persons(_)) => {
            Err(PricingError::WrongParty)
        }
    }
}

#[cfg(test)]
mod tests;
