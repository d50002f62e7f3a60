//! The rules of the log, event by event: who holds a seat, who redeemed a coupon, what adds up, what is dense, who may; never
//! reads a table.
//!
//! Within a unit of work seats and reservations may disagree for some events, so what concerns several streams is checked
//! when the unit ends: at the next event of another request or another moment.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use aggregates::{
    Event, Recorded,
    coupon::CouponEvent,
    ids::{ReservationId, SeatId, TimeSlotId},
    pricing::Quote,
    reservation::ReservationEvent,
    seat::SeatEvent,
    values::{CouponCode, SeatLabel},
};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{Violation, money::Books, rights::Rights, waits::Waits};

/// Everything that must be remembered to judge the next event.
#[derive(Default)]
pub(super) struct Rules {
    position: i64,
    recorded_at: Option<Timestamp>,
    request: Option<SmolStr>,
    streams: Streams,
    seats: HashMap<SeatId, Seat>,
    reservations: HashMap<ReservationId, Reservation>,
    coupons: HashMap<CouponCode, Option<ReservationId>>,
    rights: Rights,
    books: Books,
    /// What the running unit touched.
    touched_seats: Vec<SeatId>,
    touched_reservations: Vec<ReservationId>,
    touched_coupons: Vec<CouponCode>,
    waits: Waits,
    /// Coupons that are not restored when their reservation ends.
    used_up: HashSet<CouponCode>,
}

/// The last sequence of every stream, by a hash of its name wide enough that no two meet.
struct Streams {
    hashers: [RandomState; 2],
    last: HashMap<(u64, u64), i64>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            last: HashMap::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Free,
    Held(ReservationId),
    Reserved(ReservationId),
    Blocked,
}

impl Seat {
    const fn holder(self) -> Option<ReservationId> {
        match self {
            Self::Held(by) | Self::Reserved(by) => Some(by),
            Self::Free | Self::Blocked => None,
        }
    }
}

struct Reservation {
    time_slot: TimeSlotId,
    seats: Vec<SeatLabel>,
    /// Whether its seats are its own.
    has_seats: bool,
    coupon: Option<CouponCode>,
    /// Whether its coupon stays redeemed though it has ended.
    keeps_coupon: bool,
}

impl Rules {
    /// For what comes after this position.
    pub fn after(position: i64) -> Self {
        Self {
            position,
            ..Self::default()
        }
    }

    /// Judges events; the first that must not be is answered.
    pub fn check_all(&mut self, events: &[Arc<Recorded>]) -> Option<Violation> {
        events.iter().find_map(|recorded| self.check(recorded).err())
    }

    /// Judges the last unit and whether the log ends where it should.
    pub fn finish(&mut self, end: i64) -> Option<Violation> {
        if self.position != end {
            return Some(violation(
                "I5",
                self.position,
                format!("the log should end at {end}"),
            ));
        }
        self.end_unit(end).err()
    }

    fn check(&mut self, recorded: &Recorded) -> Result<(), Violation> {
        let request = recorded.metadata.get("request_id");
        // A stock program's rows are recorded one by one, so the moment tells units apart only where no request does.
        let begins = match request {
            Some(_) => request != self.request.as_ref(),
            None => self.request.is_some() || self.recorded_at != Some(recorded.recorded_at),
        };
        let before = self.position;
        self.check_place(recorded)?;
        if begins {
            self.end_unit(before)?;
        }
        self.request = request.cloned();
        self.rights.check(recorded)?;
        match &recorded.event {
            Event::Seat(event) => self.check_seat(recorded, event),
            Event::Reservation(event) => self.check_reservation(recorded, event),
            Event::Coupon(event) => self.check_coupon(recorded, event),
            Event::Waitlist(event) => self.waits.waitlist(recorded, event),
            Event::Deposit(event) => self.books.deposit(recorded, event),
            Event::TimeSlot(_)
            | Event::Schedule(_)
            | Event::Branch(_)
            | Event::Auditorium(_)
            | Event::Movie(_)
            | Event::Theme(_)
            | Event::PricePolicy(_)
            | Event::Claim(_)
            | Event::Role(_)
            | Event::Admin(_)
            | Event::Customer(_)
            | Event::Allowance(_)
            | Event::Patron(_)
            | Event::CancellationPolicy(_)
            | Event::Foreign => Ok(()),
        }
    }

    /// I5: positions and sequences are dense, moments never go back.
    fn check_place(&mut self, recorded: &Recorded) -> Result<(), Violation> {
        let Recorded {
            position,
            recorded_at,
            stream,
            sequence,
            ..
        } = recorded;
        if *position != self.position + 1 {
            return fail(
                "I5",
                *position,
                format!("the event before it has position {}", self.position),
            );
        }
        self.position = *position;
        if let Some(before) = self.recorded_at.filter(|before| before > recorded_at) {
            return fail(
                "I5",
                *position,
                format!("it was recorded at {recorded_at}, the event before it at {before}"),
            );
        }
        self.recorded_at = Some(*recorded_at);
        let [first, second] = &self.streams.hashers;
        let last = self
            .streams
            .last
            .entry((first.hash_one(stream), second.hash_one(stream)))
            .or_default();
        // A stock cqrs-es program may begin a stream at 0.
        let begins = *last == 0 && *sequence == 0;
        if *sequence != *last + 1 && !begins {
            return fail(
                "I5",
                *position,
                format!("{stream} has sequence {sequence} after {last}"),
            );
        }
        *last = *sequence;
        Ok(())
    }

    /// I1: held only when free, reserved and released only by the holder.
    fn check_seat(&mut self, recorded: &Recorded, event: &SeatEvent) -> Result<(), Violation> {
        let Ok(id) = recorded.stream.id.parse::<SeatId>() else {
            return Ok(());
        };
        let before = self.seats.get(&id).copied().unwrap_or(Seat::Free);
        let after = match (event, before) {
            (SeatEvent::Held { by }, Seat::Free) => Seat::Held(*by),
            (SeatEvent::Reserved { by }, Seat::Held(holder)) if *by == holder => Seat::Reserved(*by),
            (SeatEvent::Released { by }, Seat::Held(holder) | Seat::Reserved(holder)) if *by == holder => {
                Seat::Free
            }
            (SeatEvent::Blocked { .. }, Seat::Free) => Seat::Blocked,
            (SeatEvent::Unblocked, Seat::Blocked) => Seat::Free,
            (
                SeatEvent::Held { .. }
                | SeatEvent::Reserved { .. }
                | SeatEvent::Released { .. }
                | SeatEvent::Blocked { .. }
                | SeatEvent::Unblocked,
                _,
            ) => {
                let sentence = format!("seat {id} was {before:?} when {event:?} was recorded");
                return fail("I1", recorded.position, sentence);
            }
        };
        self.seats.insert(id.clone(), after);
        self.waits.seat(&id, event);
        self.touched_seats.push(id);
        Ok(())
    }

    fn check_reservation(&mut self, recorded: &Recorded, event: &ReservationEvent) -> Result<(), Violation> {
        use ReservationEvent as Is;
        let Ok(id) = recorded.stream.id.parse::<ReservationId>() else {
            return Ok(());
        };
        if let Some(quote) = quote_of(event).filter(|quote| !quote.adds_up()) {
            let sentence = format!(
                "the price {} of reservation {id} is not the sum of its lines",
                quote.total
            );
            return fail("I9", recorded.position, sentence);
        }
        self.waits.reservation(id, event);
        self.books.reservation(recorded, id, event)?;
        if let Is::Held {
            time_slot, choice, ..
        } = event
        {
            let seats = choice.seats.clone();
            let begun = Reservation {
                time_slot: *time_slot,
                seats,
                has_seats: true,
                coupon: None,
                keeps_coupon: false,
            };
            self.reservations.insert(id, begun);
        } else {
            let Some(known) = self.reservations.get_mut(&id) else {
                return fail("I1", recorded.position, format!("reservation {id} never began"));
            };
            // Seats it had must not be left behind.
            let had = known.seats.iter().map(|label| SeatId {
                time_slot: known.time_slot,
                label: label.clone(),
            });
            self.touched_seats.extend(had);
            match event {
                Is::Changed { choice } => known.seats.clone_from(&choice.seats),
                Is::Placed(placement) => known.coupon.clone_from(&placement.coupon),
                Is::Rescheduled(moved) => {
                    known.time_slot = moved.to;
                    known.seats.clone_from(&moved.choice.seats);
                }
                Is::Held { .. } | Is::Revived { .. } | Is::Reinstated { .. } => known.has_seats = true,
                Is::Cancelled { settlement, .. } => {
                    known.has_seats = false;
                    known.keeps_coupon = settlement.is_some_and(|settlement| settlement.keeps_coupon);
                }
                Is::Released | Is::Lapsed | Is::Expired => known.has_seats = false,
                Is::Extended { .. }
                | Is::Paid { .. }
                | Is::Notified { .. }
                | Is::CheckedIn
                | Is::Admitted { .. }
                | Is::CheckInUndone { .. }
                | Is::RescheduleOffered { .. }
                | Is::MarkedNoShow
                | Is::NoShowWithdrawn
                | Is::Refunded { .. }
                | Is::RefundDue { .. }
                | Is::Offered(_)
                | Is::OfferAccepted { .. }
                | Is::OfferDeclined
                | Is::OfferLapsed => {}
            }
        }
        self.touched_reservations.push(id);
        Ok(())
    }

    /// I2: redeemed only while it is not, restored only by whoever redeemed it.
    fn check_coupon(&mut self, recorded: &Recorded, event: &CouponEvent) -> Result<(), Violation> {
        let Ok(code) = recorded.stream.id.parse::<CouponCode>() else {
            return Ok(());
        };
        if let CouponEvent::Issued { terms, .. } = event
            && !terms.restorable
        {
            self.used_up.insert(code.clone());
        }
        let holder = self.coupons.entry(code.clone()).or_default();
        let after = match (event, *holder) {
            (CouponEvent::Redeemed { by }, None) => Some(*by),
            (CouponEvent::Restored { by }, Some(redeemed_by)) if *by == redeemed_by => None,
            (CouponEvent::Issued { .. } | CouponEvent::Revoked { .. }, None) => None,
            (CouponEvent::Redeemed { by }, Some(other)) => {
                let sentence = format!("coupon {code} was redeemed by {by} while {other} had it");
                return fail("I2", recorded.position, sentence);
            }
            (
                CouponEvent::Restored { .. } | CouponEvent::Issued { .. } | CouponEvent::Revoked { .. },
                holder,
            ) => {
                let sentence = format!("coupon {code} was held by {holder:?} when {event:?} was recorded");
                return fail("I2", recorded.position, sentence);
            }
        };
        *holder = after;
        self.touched_coupons.push(code);
        Ok(())
    }

    /// What must be so between units, the last of which ended at `position`: seats, reservations and coupons agree.
    fn end_unit(&mut self, position: i64) -> Result<(), Violation> {
        self.books.end_unit(position)?;
        for id in std::mem::take(&mut self.touched_seats) {
            let Some(holder) = self.seats.get(&id).and_then(|seat| seat.holder()) else {
                continue;
            };
            let listed = self.reservations.get(&holder).is_some_and(|reservation| {
                reservation.has_seats
                    && reservation.time_slot == id.time_slot
                    && reservation.seats.contains(&id.label)
            });
            if !listed {
                return fail(
                    "I1",
                    position,
                    format!("seat {id} is held by reservation {holder}, which does not have it"),
                );
            }
        }
        for id in std::mem::take(&mut self.touched_reservations) {
            let Some(reservation) = self.reservations.get(&id) else {
                continue;
            };
            if reservation.has_seats {
                for label in &reservation.seats {
                    let seat = SeatId {
                        time_slot: reservation.time_slot,
                        label: label.clone(),
                    };
                    if self.seats.get(&seat).and_then(|seat| seat.holder()) != Some(id) {
                        return fail(
                            "I1",
                            position,
                            format!("reservation {id} has seat {seat}, which is not held by it"),
                        );
                    }
                }
            }
            if let Some(code) = &reservation.coupon {
                let redeemed = self.coupons.get(code).copied().flatten() == Some(id);
                // What cannot be used again stays with the reservation that had it.
                let keeps = reservation.has_seats
                    || reservation.keeps_coupon
                    || redeemed && self.used_up.contains(code);
                if redeemed != keeps {
                    let sentence = format!("reservation {id} names coupon {code}, which disagrees");
                    return fail("I2", position, sentence);
                }
            }
        }
        for code in std::mem::take(&mut self.touched_coupons) {
            let Some(holder) = self.coupons.get(&code).copied().flatten() else {
                continue;
            };
            let named = self
                .reservations
                .get(&holder)
                .and_then(|reservation| reservation.coupon.as_ref());
            if named != Some(&code) {
                let sentence =
                    format!("coupon {code} is redeemed by reservation {holder}, which does not name it");
                return fail("I2", position, sentence);
            }
        }
        let seats = &self.seats;
        self.waits
            .end_unit(position, |seat| seats.get(seat).and_then(|seat| seat.holder()))
    }
}

/// The price that an event fixes.
fn quote_of(event: &ReservationEvent) -> Option<&Quote> {
    use ReservationEvent as Is;
    match event {
        Is::Held { choice, .. } | Is::Changed { choice } => Some(&choice.quote),
        Is::Placed(placement) => Some(&placement.quote),
        Is::Rescheduled(moved) => Some(&moved.quote),
        Is::Extended { .. }
        | Is::Released
        | Is::Lapsed
        | Is::Revived { .. }
        | Is::Paid { .. }
        | Is::Notified { .. }
        | Is::CheckedIn
        | Is::Admitted { .. }
        | Is::CheckInUndone { .. }
        | Is::MarkedNoShow
        | Is::NoShowWithdrawn
        | Is::Cancelled { .. }
        | Is::RescheduleOffered { .. }
        | Is::Expired
        | Is::Refunded { .. }
        | Is::RefundDue { .. }
        | Is::Reinstated { .. }
        | Is::Offered(_)
        | Is::OfferAccepted { .. }
        | Is::OfferDeclined
        | Is::OfferLapsed => None,
    }
}

fn violation(invariant: &'static str, position: i64, sentence: String) -> Violation {
    Violation {
        invariant,
        position,
        sentence,
    }
}

pub(super) fn fail<T>(invariant: &'static str, position: i64, sentence: String) -> Result<T, Violation> {
    Err(violation(invariant, position, sentence))
}
