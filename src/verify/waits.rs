//! I8, event by event: a place that is freed while somebody waits is offered once or passed on record, to the first in
//! line that fits, and an offer is held by the one it was made to until it is settled; never reads a table.

use std::collections::HashMap;

use aggregates::{
    Recorded,
    ids::{ReservationId, SeatId, TimeSlotId},
    reservation::ReservationEvent,
    seat::SeatEvent,
    values::SeatLabel,
    waitlist::{WaitlistEvent, seats_for},
};

use super::{Violation, rules::fail};

/// All waitlists, and what the running unit did to them.
#[derive(Default)]
pub(super) struct Waits {
    lines: HashMap<TimeSlotId, Vec<Waiter>>,
    /// How often the unit freed a place that somebody waited for, and how often it said what became of it.
    freed: HashMap<SeatId, Said>,
    offered: Vec<(TimeSlotId, ReservationId)>,
    /// Offers by what their reservations say.
    held: Vec<(TimeSlotId, ReservationId)>,
    /// Reservations that were placed or ended.
    gone_on: Vec<ReservationId>,
}

struct Waiter {
    entry: ReservationId,
    places: usize,
    offer: Option<Vec<SeatLabel>>,
}

#[derive(Default)]
struct Said {
    freed: usize,
    named: usize,
    /// It was offered to nobody, for now: with a place that is freed later it may still fit somebody.
    passed: bool,
}

impl Waits {
    /// A seat of a slot for which nobody waits is nothing to wait for.
    pub fn seat(&mut self, id: &SeatId, event: &SeatEvent) {
        let frees = match event {
            SeatEvent::Released { .. } | SeatEvent::Unblocked => true,
            SeatEvent::Held { .. } | SeatEvent::Reserved { .. } | SeatEvent::Blocked { .. } => false,
        };
        if frees && self.somebody_waits(id.time_slot) {
            self.freed.entry(id.clone()).or_default().freed += 1;
        }
    }

    pub fn reservation(&mut self, id: ReservationId, event: &ReservationEvent) {
        use ReservationEvent as Is;
        match event {
            Is::Held {
                time_slot,
                offered: true,
                ..
            } => self.held.push((*time_slot, id)),
            Is::Released | Is::Lapsed | Is::Placed(_) => self.gone_on.push(id),
            Is::Held { offered: false, .. }
            | Is::Extended { .. }
            | Is::Changed { .. }
            | Is::Revived { .. }
            | Is::Paid { .. }
            | Is::Notified { .. }
            | Is::CheckedIn
            | Is::MarkedNoShow
            | Is::Admitted { .. }
            | Is::CheckInUndone { .. }
            | Is::NoShowWithdrawn
            | Is::Rescheduled(_)
            | Is::RescheduleOffered { .. }
            | Is::Cancelled { .. }
            | Is::Expired
            | Is::Refunded { .. }
            | Is::RefundDue { .. }
            | Is::Reinstated { .. }
            | Is::Offered(_)
            | Is::OfferAccepted { .. }
            | Is::OfferDeclined
            | Is::OfferLapsed => {}
        }
    }

    pub fn waitlist(&mut self, recorded: &Recorded, event: &WaitlistEvent) -> Result<(), Violation> {
        let Ok(slot) = recorded.stream.id.parse::<TimeSlotId>() else {
            return Ok(());
        };
        let wrong = |sentence: String| fail("I8", recorded.position, sentence);
        let line = self.lines.entry(slot).or_default();
        let place = event
            .entry()
            .and_then(|entry| line.iter().position(|waiter| waiter.entry == entry));
        match (event, place) {
            (WaitlistEvent::Joined { entry, party, .. }, None) => line.push(Waiter {
                entry: *entry,
                places: seats_for(party),
                offer: None,
            }),
            (WaitlistEvent::Joined { entry, .. }, Some(_)) => {
                return wrong(format!("entry {entry} joined twice"));
            }
            (WaitlistEvent::Offered { entry, seats, .. }, Some(place)) => {
                self.check_offer(recorded, slot, place, seats)?;
                self.offered.push((slot, *entry));
            }
            (WaitlistEvent::Passed { seats, .. }, _) => self.name(slot, seats, true),
            (
                WaitlistEvent::Accepted { entry }
                | WaitlistEvent::Declined { entry }
                | WaitlistEvent::Lapsed { entry },
                Some(place),
            ) => {
                if line.remove(place).offer.is_none() {
                    return wrong(format!("entry {entry} settled an offer it did not have"));
                }
            }
            (WaitlistEvent::Left { .. }, Some(place)) => {
                line.remove(place);
            }
            (WaitlistEvent::Ended { entry, .. }, Some(place)) => {
                if line.remove(place).offer.is_some() {
                    return wrong(format!("entry {entry} ended while its offer ran"));
                }
            }
            (
                WaitlistEvent::Offered { entry, .. }
                | WaitlistEvent::Accepted { entry }
                | WaitlistEvent::Declined { entry }
                | WaitlistEvent::Lapsed { entry }
                | WaitlistEvent::Left { entry, .. }
                | WaitlistEvent::Ended { entry, .. },
                None,
            ) => return wrong(format!("entry {entry} does not wait")),
        }
        Ok(())
    }

    fn check_offer(
        &mut self,
        recorded: &Recorded,
        slot: TimeSlotId,
        place: usize,
        seats: &[SeatLabel],
    ) -> Result<(), Violation> {
        let wrong = |sentence: String| fail("I8", recorded.position, sentence);
        let line = self.lines.entry(slot).or_default();
        let taken = line.iter().filter_map(|waiter| waiter.offer.as_ref()).flatten();
        if let Some(seat) = taken.into_iter().find(|seat| seats.contains(seat)) {
            return wrong(format!("place {seat} of time slot {slot} is offered twice"));
        }
        let Some(waiter) = line.get(place) else {
            return Ok(());
        };
        if waiter.offer.is_some() || waiter.places != seats.len() {
            return wrong(format!(
                "entry {} was offered what it does not wait for",
                waiter.entry
            ));
        }
        // Whoever waits for as many or fewer fits wherever this one does.
        let overtaken = line[..place]
            .iter()
            .find(|before| before.offer.is_none() && before.places <= waiter.places);
        if let Some(before) = overtaken {
            return wrong(format!(
                "entry {} was overtaken by {}",
                before.entry, waiter.entry
            ));
        }
        line[place].offer = Some(seats.to_vec());
        self.name(slot, seats, false);
        Ok(())
    }

    /// What became of places. One that was passed and is offered afterwards was named once.
    fn name(&mut self, time_slot: TimeSlotId, seats: &[SeatLabel], passed: bool) {
        for label in seats {
            let label = label.clone();
            let said = self.freed.entry(SeatId { time_slot, label }).or_default();
            if passed || !said.passed {
                said.named += 1;
            }
            said.passed = passed;
        }
    }

    fn somebody_waits(&self, slot: TimeSlotId) -> bool {
        let line = self.lines.get(&slot);
        line.is_some_and(|line| line.iter().any(|waiter| waiter.offer.is_none()))
    }

    /// What must be so between units; `holder` tells who has a seat.
    pub fn end_unit(
        &mut self,
        position: i64,
        holder: impl Fn(&SeatId) -> Option<ReservationId>,
    ) -> Result<(), Violation> {
        let wrong = |sentence: String| fail("I8", position, sentence);
        for (seat, Said { freed, named, .. }) in std::mem::take(&mut self.freed) {
            if named > freed.max(1) {
                return wrong(format!("place {seat} was freed once and offered {named} times"));
            }
            if named < freed && self.somebody_waits(seat.time_slot) {
                return wrong(format!(
                    "place {seat} was freed and not offered, though somebody waits"
                ));
            }
        }
        let (offered, held) = (std::mem::take(&mut self.offered), std::mem::take(&mut self.held));
        if let Some((_, entry)) = held.iter().find(|hold| !offered.contains(hold)) {
            return wrong(format!("reservation {entry} holds an offer that was not made"));
        }
        for (time_slot, entry) in offered {
            if !held.contains(&(time_slot, entry)) {
                return wrong(format!("what was offered to entry {entry} is not held for it"));
            }
            let line = self.lines.get(&time_slot).into_iter().flatten();
            let offers = line
                .filter(|waiter| waiter.entry == entry)
                .filter_map(|waiter| waiter.offer.as_ref());
            for label in offers.flatten() {
                let label = label.clone();
                if holder(&SeatId { time_slot, label }) != Some(entry) {
                    return wrong(format!("what was offered to entry {entry} is not held for it"));
                }
            }
        }
        for id in std::mem::take(&mut self.gone_on) {
            let runs = |waiter: &Waiter| waiter.entry == id && waiter.offer.is_some();
            if self.lines.values().flatten().any(runs) {
                return wrong(format!("the offer to entry {id} was not settled"));
            }
        }
        Ok(())
    }
}
