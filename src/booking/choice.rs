//! From a wish to a choice: which places, for whom, at which price; never holds anything.

use std::collections::HashSet;

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    business_day::on_the_wall,
    ids::{AuditoriumId, SeatId, TimeSlotId},
    layout::Layout,
    price_policy::PricePolicy,
    pricing::{self, Occasion, Party},
    ratings::Statement,
    reservation::Choice,
    seat::Seat,
    seating,
    time_slot::{Plan, Show},
    values::{Category, Name, SeatLabel},
};

use serde::Serialize;

use super::refused::{ChoiceError, Refused};
use crate::store::{Stop, UnitOfWork};

/// How many further blocks each lost race lets an attempt consider.
const SPREAD: usize = 4;
/// The most it may consider.
const SPREAD_MAX: usize = 128;

/// Which places are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Places {
    /// These seats.
    Seats(Vec<SeatLabel>),
    /// This many of the best free seats, side by side (DOMAIN C13).
    BestAvailable(u8),
    /// The whole escape-room slot.
    Room,
}

impl Places {
    /// The field of a wish that says so, as a JSON pointer.
    const fn field(&self) -> &'static str {
        match self {
            Self::Seats(_) => "/seats",
            Self::BestAvailable(_) => "/best_available",
            Self::Room => "/party_size",
        }
    }
}

/// What a customer asks to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// In which slot.
    pub time_slot: TimeSlotId,
    /// Which places.
    pub places: Places,
    /// Who comes.
    pub party: Party,
    /// Whether it is stated that somebody needs a wheelchair place.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub accessible: bool,
    /// What is said about ages.
    #[serde(skip_serializing_if = "Statement::is_silent")]
    pub said: Statement,
}

/// Decides which seats a wish means and what they cost; refuses what does not fit the slot.
pub(super) async fn choose(work: &mut UnitOfWork, plan: &Plan, wish: &Wish) -> Result<Choice, Stop<Refused>> {
    match (&plan.show, &wish.places, &wish.party) {
        (
            Show::Theme {
                party_min, party_max, ..
            },
            Places::Room,
            Party::Group { size },
        ) => {
            if !(*party_min..=*party_max).contains(size) {
                return Err(ChoiceError::PartySize {
                    min: *party_min,
                    max: *party_max,
                }
                .into());
            }
            let quote = price(work, plan, None, &wish.party, &[]).await?;
            Ok(Choice {
                seats: vec![SeatLabel::room()],
                party: wish.party,
                quote,
                accessible: false,
            })
        }
        (
            Show::Movie {
                auditorium,
                layout_version,
                ..
            },
            Places::Seats(_) | Places::BestAvailable(_),
            Party::Persons(_),
        ) => seats_of(work, plan, wish, *auditorium, *layout_version).await,
        (Show::Theme { .. }, _, _) => {
            let why = "an escape-room slot is reserved whole: send party_size";
            let field = wish.places.field();
            Err(ChoiceError::WrongKind { why, field }.into())
        }
        (Show::Movie { .. }, _, _) => {
            let why = "a cinema slot is reserved by seat: send seats and persons";
            let field = wish.places.field();
            Err(ChoiceError::WrongKind { why, field }.into())
        }
    }
}

/// Decides which seats of an auditorium a wish means, and what they cost.
async fn seats_of(
    work: &mut UnitOfWork,
    plan: &Plan,
    wish: &Wish,
    auditorium: AuditoriumId,
    layout_version: u32,
) -> Result<Choice, Stop<Refused>> {
    let auditorium = work.load::<Auditorium>(&auditorium).await?;
    let layout = auditorium
        .layout(layout_version)
        .map_err(|_| ChoiceError::Incomplete)?
        .clone();
    let hall = auditorium
        .built()
        .map_err(|_| ChoiceError::Incomplete)?
        .hall
        .clone();
    let seats = match &wish.places {
        Places::Seats(labels) => labels.clone(),
        Places::BestAvailable(count) => {
            so_many(
                usize::from(*count),
                plan.seats_per_customer_max,
                wish.places.field(),
            )?;
            best_available(work, plan, wish.time_slot, &layout, *count).await?
        }
        Places::Room => Vec::new(),
    };
    fits(&seats, plan.seats_per_customer_max)?;
    let categories = categories(&layout, &seats)?;
    let accessible = sold_together(work, plan, &layout, &seats, wish.accessible)?;
    let quote = price(work, plan, hall, &wish.party, &categories).await?;
    Ok(Choice {
        seats,
        party: wish.party,
        quote,
        accessible,
    })
}

/// Whether so many seats may be taken, each once.
pub(super) fn fits(seats: &[SeatLabel], max: u8) -> Result<(), ChoiceError> {
    so_many(seats.len(), max, "/seats")?;
    let twice = seats
        .iter()
        .enumerate()
        .find(|(index, label)| seats[..*index].contains(label));
    twice.map_or(Ok(()), |(index, label)| {
        let label = label.clone();
        Err(ChoiceError::ChosenTwice { label, index })
    })
}

/// Whether one customer may take so many, told before any are looked for.
pub(super) fn so_many(seats: usize, max: u8, field: &'static str) -> Result<(), ChoiceError> {
    match seats {
        0 => Err(ChoiceError::NothingChosen { field }),
        seats if seats > usize::from(max) => Err(ChoiceError::TooManySeats { max, field }),
        _fits => Ok(()),
    }
}

/// The category of each seat, or those that the layout does not have.
pub(super) fn categories(layout: &Layout, seats: &[SeatLabel]) -> Result<Vec<Category>, ChoiceError> {
    let unknown: Vec<_> = seats
        .iter()
        .cloned()
        .enumerate()
        .filter(|(_, label)| layout.seat(label).is_none())
        .collect();
    if !unknown.is_empty() {
        return Err(ChoiceError::NoSuchSeats(unknown));
    }
    Ok(seats
        .iter()
        .filter_map(|label| layout.seat(label))
        .map(|seat| seat.category.clone())
        .collect())
}

/// Refuses seats that are sold otherwise: half a pair, or places of the protected pool to whom they are not for. Tells
/// whether there are any of the pool among them, on the statement that they are needed: of whom it is not true, nothing is
/// kept.
fn sold_together(
    work: &UnitOfWork,
    plan: &Plan,
    layout: &Layout,
    seats: &[SeatLabel],
    accessible: bool,
) -> Result<bool, Stop<Refused>> {
    seating::whole_pairs(layout, seats)?;
    if !plan.pool_is_open(work.now()) {
        seating::stated(layout, seats, accessible, plan.pool_opens_at())?;
    }
    let mut seats = seats.iter().filter_map(|label| layout.seat(label));
    Ok(accessible && seats.any(|seat| seating::is_protected(seat.kind)))
}

/// The best free seats side by side. After a lost race the next attempt also considers blocks further down the list, so
/// that many who ask at once do not all run for the same seats again.
async fn best_available(
    work: &mut UnitOfWork,
    plan: &Plan,
    time_slot: TimeSlotId,
    layout: &Layout,
    count: u8,
) -> Result<Vec<SeatLabel>, Stop<Refused>> {
    let ids: Vec<SeatId> = layout
        .seats()
        .map(|seat| SeatId {
            time_slot,
            label: seat.label.clone(),
        })
        .collect();
    let seats = work.peek_prefix::<Seat>(&format!("{time_slot}:"), &ids).await?;
    let taken: HashSet<SeatLabel> = ids
        .into_iter()
        .zip(seats)
        .filter(|(_, seat)| **seat != Seat::Free)
        .map(|(id, _)| id.label)
        .collect();
    let wish = seating::Wish::of(usize::from(count), plan.pool_is_open(work.now()));
    let lost = usize::try_from(work.attempt()).unwrap_or(SPREAD_MAX);
    let most = 1 + rand::random_range(0..=lost.saturating_mul(SPREAD).min(SPREAD_MAX));
    let found = seating::best_apart(layout, wish, most, |label: &SeatLabel| taken.contains(label));
    let found = found.into_iter().next_back();
    Ok(found.ok_or(ChoiceError::NothingAdjacent(count))?)
}

/// On which business day, when and in which kind of hall a slot is.
pub(super) async fn occasion(
    work: &mut UnitOfWork,
    plan: &Plan,
    hall: Option<Name>,
) -> Result<Occasion, Stop<Refused>> {
    let branch = work.load::<Branch>(&plan.branch).await?;
    let zone = branch.open()?.premises.time_zone.zone();
    let (business_date, starts) = on_the_wall(&zone, plan.starts_at);
    Ok(Occasion {
        business_date,
        starts,
        hall,
    })
}

async fn price(
    work: &mut UnitOfWork,
    plan: &Plan,
    hall: Option<Name>,
    party: &Party,
    categories: &[Category],
) -> Result<pricing::Quote, Stop<Refused>> {
    let occasion = occasion(work, plan, hall).await?;
    let policy = work.load::<PricePolicy>(&plan.price_policy).await?;
    let tariff = policy
        .tariff(plan.price_version)
        .map_err(|_| ChoiceError::Incomplete)?;
    Ok(pricing::quote(tariff, &occasion, party, categories)?)
}
