//! A waitlist entry as whoever waits and staff see it; never what others wait for.

use aggregates::{
    StreamId,
    ids::{ReservationId, TimeSlotId},
    pricing::Party,
    time_slot::TimeSlot,
    values::{CustomerName, PhoneNumber, SeatLabel},
    waitlist::{Waitlist, WaitlistError, WhyEnded, seats_for},
};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{
    super::{App, messages, problem::Problem},
    story::{Freed, State, Story},
};
use crate::language::Language;

/// Freed places that are told at most: the latest.
const FREED_MAX: usize = 50;

/// An entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "WaitlistEntry")]
pub struct EntryView {
    /// Its number, and that of the reservation it is offered.
    number: ReservationId,
    /// For which slot.
    time_slot: TimeSlotId,
    /// What became of it.
    state: State,
    /// The place in line, from 1, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    position: Option<usize>,
    /// The same in words, in the caller's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "number 1 in line")]
    position_text: Option<String>,
    /// How many places side by side it waits for.
    places: usize,
    /// Who comes.
    party: Party,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
    /// The name, unless it was erased.
    name: Option<CustomerName>,
    /// The number to call, unless it was erased.
    phone: Option<PhoneNumber>,
    /// What is or was offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferView>,
    /// Why there is nothing to wait for any more: `sales_closed`, `withdrawn` or `not_sold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    ended: Option<WhyEnded>,
    /// The places that were freed since and went to others or to nobody; the latest 50, in order.
    why_not_yet: Vec<Freed>,
    /// Its holder's secret, sent only when it is joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// What is offered to an entry.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "WaitlistOffer", as = WaitlistOffer)]
pub struct OfferView {
    /// Which places.
    seats: Vec<SeatLabel>,
    /// Until when they are held.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// The reservation that holds them, to be placed.
    reservation: ReservationId,
}

impl EntryView {
    /// An entry as its slot's events up to a position tell it, up to now without one; in words of this language.
    pub async fn read(
        app: &App,
        time_slot: TimeSlotId,
        entry: ReservationId,
        until: Option<i64>,
        language: Language,
    ) -> Result<Self, Problem> {
        let mut events = app.store.events_of(&StreamId::of::<Waitlist>(&time_slot)).await?;
        events.retain(|recorded| until.is_none_or(|until| recorded.position <= until));
        let story = Story::of(entry, &events);
        let story = story.ok_or_else(|| Problem::refused(&WaitlistError::NotFound))?;
        let slot = app.store.read::<TimeSlot>(&time_slot).await?;
        let plan = slot.plan().map_err(|error| Problem::refused(&error))?;
        let zone = app.zone(plan.branch).await?;
        Ok(Self::of(time_slot, story, language, &zone))
    }

    fn of(time_slot: TimeSlotId, story: Story, language: Language, zone: &TimeZone) -> Self {
        let position = story.position();
        let position_text = position.map(|position| {
            let detail = format!("number {position} in line");
            messages::said(language, &detail).unwrap_or(detail)
        });
        let mut freed = story.freed;
        let too_many = freed.len().saturating_sub(FREED_MAX);
        Self {
            number: story.entry,
            time_slot,
            state: story.state,
            position,
            position_text,
            places: seats_for(&story.party),
            party: story.party,
            joined_at: story.joined_at,
            name: story.contact.name.plain().cloned(),
            phone: story.contact.phone.plain().cloned(),
            offer: story.offer.map(|offer| OfferView {
                seats: offer.seats,
                until: offer.until,
                reservation: story.entry,
            }),
            ended: story.ended,
            why_not_yet: freed
                .split_off(too_many)
                .into_iter()
                .map(|freed| freed.told(language, zone))
                .collect(),
            token: None,
        }
    }

    /// With the secret of its holder.
    #[must_use]
    pub fn with_token(self, app: &App) -> Self {
        Self {
            token: Some(app.bookings.token(self.number)),
            ..self
        }
    }
}
