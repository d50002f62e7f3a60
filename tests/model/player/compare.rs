//! Holds what the log says against what the model has. Never asks for anything.

use aggregates::{
    Decider,
    coupon::Coupon,
    deposit::Deposit,
    ids::{ReservationId, SeatId},
    reservation::Reservation,
    seat::Seat,
    values::SeatLabel,
    waitlist::{Past, Waitlist},
};

use super::{
    super::{
        ask::{SEATS, Seats, Slot},
        business::{self, Business, Fate, Place, Wait},
        reservation::Stage,
    },
    Player,
};

/// A reservation as far as both know it: stage, price, what is there and what is due back.
type Standing = (Stage, [i64; 3]);

impl Player<'_> {
    /// Whether everything is as the model has it, read from the log.
    pub async fn compare(&self, business: &Business) -> Result<(), String> {
        self.compare_reservations(business).await?;
        self.compare_places(business).await?;
        self.compare_entries(business).await?;
        self.compare_others(business).await
    }

    async fn compare_reservations(&self, business: &Business) -> Result<(), String> {
        same("reservations", self.begun.len(), business.reservations.len())?;
        for (index, id) in self.begun.iter().enumerate() {
            let seen = standing(&*self.read::<Reservation>(id).await);
            let known = &business.reservations[index];
            let expected = Some((known.stage, [known.price, known.kept, known.due_back()]));
            same(&format!("reservation {index}"), seen, expected)?;
        }
        Ok(())
    }

    async fn compare_places(&self, business: &Business) -> Result<(), String> {
        let as_place = |seat: Seat| match (seat, seat.holder()) {
            (Seat::Blocked, _) => Some(Place::Blocked),
            (_, Some(by)) => self.number(by).map(Place::Of),
            (_, None) => Some(Place::Free),
        };
        for slot in Slot::EACH {
            for place in Seats::of(slot).numbers() {
                let label = if place < SEATS {
                    self.shop.label(place)
                } else {
                    SeatLabel::room()
                };
                let id = SeatId {
                    time_slot: self.slot(slot),
                    label,
                };
                let seen = as_place(*self.read::<Seat>(&id).await);
                same(&format!("seat {id}"), seen, Some(business.places[place]))?;
            }
        }
        Ok(())
    }

    async fn compare_entries(&self, business: &Business) -> Result<(), String> {
        same("entries", self.entries.len(), business.entries.len())?;
        for (index, (id, slot)) in self.entries.iter().enumerate() {
            let waitlist = self.read::<Waitlist>(&self.slot(*slot)).await;
            let seen = match (waitlist.entry(*id), waitlist.past(*id)) {
                (Some(entry), _) if entry.offer.is_some() => self.number(*id).map(Wait::Offered),
                (Some(_), _) => Some(Wait::Waiting),
                (None, Some(Past::Accepted)) => Some(Wait::Accepted),
                (None, Some(Past::Declined)) => Some(Wait::Declined),
                (None, Some(Past::Lapsed)) => Some(Wait::Lapsed),
                (None, Some(Past::Left)) => Some(Wait::Left),
                (None, Some(Past::Ended(_))) => Some(Wait::Ended),
                (None, None) => None,
            };
            same(
                &format!("entry {index}"),
                seen,
                Some(business.entries[index].wait),
            )?;
        }
        Ok(())
    }

    async fn compare_others(&self, business: &Business) -> Result<(), String> {
        for (index, expected) in business.coupons.iter().enumerate() {
            let seen = match &*self.read::<Coupon>(&self.coupons[index]).await {
                Coupon::Unknown => None,
                Coupon::Issued { .. } => Some(business::Coupon::Unused),
                Coupon::Redeemed { by, .. } => self.number(*by).map(business::Coupon::Of),
                Coupon::Revoked { .. } => Some(business::Coupon::Revoked),
            };
            same(&format!("coupon {index}"), seen, Some(*expected))?;
        }
        same("deposits", self.deposits.len(), business.deposits.len())?;
        for (index, id) in self.deposits.iter().enumerate() {
            let seen = match &*self.read::<Deposit>(id).await {
                Deposit::Unknown => None,
                Deposit::Unmatched(_) => Some(Fate::Unmatched),
                Deposit::Matched { reservation, .. } => self.number(*reservation).map(Fate::For),
                Deposit::Returned(_) => Some(Fate::Returned),
            };
            same(
                &format!("deposit {index}"),
                seen,
                Some(business.deposits[index].fate),
            )?;
        }
        Ok(())
    }

    fn number(&self, by: ReservationId) -> Option<usize> {
        self.begun.iter().position(|id| *id == by)
    }

    async fn read<A: Decider>(&self, id: &A::Id) -> std::sync::Arc<A> {
        self.shop.store.read::<A>(id).await.expect("the log can be read")
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, expected: T) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{what} is {seen:?}, the model has {expected:?}"))
    }
}

fn standing(reservation: &Reservation) -> Option<Standing> {
    let stage = match reservation {
        Reservation::Blank => return None,
        Reservation::Held(_) => Stage::Held,
        Reservation::Lapsed(_) => Stage::Lapsed,
        Reservation::Released(_) => Stage::Released,
        Reservation::Placed(_) => Stage::Placed,
        Reservation::Attended(_) => Stage::Attended,
        Reservation::NoShow(_) => Stage::NoShow,
        Reservation::Cancelled(_) => Stage::Cancelled,
        Reservation::Expired(_) => Stage::Expired,
    };
    let money = reservation.placed().map_or([0; 3], |placed| {
        let money = &placed.money;
        [money.price, money.kept(), money.refund_due()]
    });
    Some((stage, money))
}
