//! Offers to those who wait, as far as they run: read from the events of their waitlists, since no rule remembers whom to
//! call; never kept, and never sent from here.

use std::collections::{BTreeSet, HashMap};

use aggregates::{
    Event, Recorded, StreamId,
    ids::{CustomerId, ReservationId, TimeSlotId},
    language::Language,
    reservation::Contact,
    values::SeatLabel,
    waitlist::{Waitlist, WaitlistEvent},
};
use jiff::Timestamp;

use crate::store::{Store, StoreError};

/// Somebody to whom places are offered.
pub(super) struct Offered {
    /// Who to call.
    pub contact: Contact,
    /// Whose entry it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// The language they asked in, if they named one.
    pub language: Option<Language>,
    /// In which slot.
    pub time_slot: TimeSlotId,
    /// Which places.
    pub seats: Vec<SeatLabel>,
    /// Until when.
    pub until: Timestamp,
}

/// Those of these entries whose offer was neither taken nor given back nor has lapsed; all slots are read in one go.
pub(super) async fn running(
    store: &Store,
    entries: &[(ReservationId, TimeSlotId)],
) -> Result<HashMap<ReservationId, Offered>, StoreError> {
    let slots: BTreeSet<TimeSlotId> = entries.iter().map(|(_, slot)| *slot).collect();
    let streams = slots.iter().map(StreamId::of::<Waitlist>).collect();
    let stories = store.events_of_all(streams).await?;
    let mut running = HashMap::new();
    for (slot, events) in slots.into_iter().zip(&stories) {
        for (entry, _) in entries.iter().filter(|(_, of)| *of == slot) {
            running.extend(offered(slot, *entry, events).map(|offered| (*entry, offered)));
        }
    }
    Ok(running)
}

fn offered(time_slot: TimeSlotId, entry: ReservationId, events: &[Recorded]) -> Option<Offered> {
    let (mut who, mut offer) = (None, None);
    for recorded in events {
        let Event::Waitlist(event) = &recorded.event else {
            continue;
        };
        if event.entry() != Some(entry) {
            continue;
        }
        match event {
            WaitlistEvent::Joined {
                contact,
                customer,
                language,
                ..
            } => who = Some((contact, *customer, *language)),
            WaitlistEvent::Offered { seats, until, .. } => offer = Some((seats, *until)),
            WaitlistEvent::Left { .. }
            | WaitlistEvent::Accepted { .. }
            | WaitlistEvent::Declined { .. }
            | WaitlistEvent::Lapsed { .. }
            | WaitlistEvent::Ended { .. } => offer = None,
            WaitlistEvent::Passed { .. } => {}
        }
    }
    let ((contact, customer, language), (seats, until)) = (who?, offer?);
    Some(Offered {
        contact: contact.clone(),
        customer,
        language,
        time_slot,
        seats: seats.clone(),
        until,
    })
}
