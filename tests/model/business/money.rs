//! Money of the model: what comes in time, what comes late, what comes without a word, and what goes back (DOMAIN E7).

use super::{
    super::{
        ask::{SEATS, SINGLE, Seats, Slot, Told},
        reservation::{Reservation, Stage},
    },
    Business, Coupon, Outcome, Place, Sale,
};

/// Minutes an equal slot is offered for late money.
const OFFER: i64 = 12 * 60;

/// Money that came to a branch.
#[derive(Debug, Clone, Copy)]
pub struct Deposit {
    told: Told,
    pub fate: Fate,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Unmatched,
    For(usize),
    Returned,
}

const fn is_at_the_cinema(slot: Slot) -> bool {
    match slot {
        Slot::Screening => true,
        Slot::Session | Slot::Later => false,
    }
}

impl Business {
    /// What somebody would pay for a reservation, or one won more.
    pub fn due_of(&self, which: usize, more: bool) -> Told {
        let known = self.reservations.get(which);
        Told {
            won: known.map_or(1, |known| (known.price - known.kept).max(1)) + i64::from(more),
            who: known.and_then(|known| known.who).unwrap_or(0),
            at_the_cinema: known.is_none_or(|known| is_at_the_cinema(known.slot)),
        }
    }

    /// What is due back of a reservation, or one won more.
    pub fn due_back_of(&self, which: usize, more: bool) -> Told {
        let due_back = self.reservations.get(which).map_or(0, Reservation::due_back);
        Told {
            won: (due_back + i64::from(more)).max(1),
            ..Told::default()
        }
    }

    /// So much, or the rest: amounts add up, and what comes late takes it up again, or is offered an equal slot if it can be.
    pub(super) fn pay(&mut self, which: usize, won: Option<i64>) -> Outcome {
        let reservation = self.known(which)?;
        match (reservation.stage, won) {
            (Stage::Placed | Stage::Expired, _) => {}
            // Money is never turned away, but how much it was must be said where nothing is due.
            (Stage::Attended | Stage::NoShow | Stage::Cancelled, Some(_)) => {}
            (Stage::Attended | Stage::NoShow | Stage::Cancelled, None)
            | (Stage::Held | Stage::Lapsed | Stage::Released, _) => return Err(reservation.in_the_way()),
        }
        reservation.kept += won.unwrap_or_else(|| (reservation.price - reservation.kept).max(0));
        if reservation.stage == Stage::Expired && reservation.offer.is_none() && reservation.is_paid() {
            self.settle_late(which);
        }
        Ok(())
    }

    fn settle_late(&mut self, which: usize) {
        if self.take_up_again(which) {
            return;
        }
        if let Some(slot) = self.equal_slot(which) {
            self.reservations[which].offer = Some((slot, (self.now + OFFER).min(self.starts(slot))));
        }
    }

    /// Confirms what expired, if its slot is sold and everything it had is free, and nobody waits for it.
    fn take_up_again(&mut self, which: usize) -> bool {
        let Reservation { slot, seats, .. } = self.reservations[which];
        if self.sale(slot) == Sale::Withdrawn || self.now >= self.starts(slot) {
            return false;
        }
        // Money that comes when the slot is closed confirms nothing there (DOMAIN E3, E7).
        if self.sale(slot) == Sale::Closed {
            return false;
        }
        if self.day_is_open(slot).is_err() || !self.coupon_fits(which) {
            return false;
        }
        for seat in seats.numbers() {
            if !self.is_to_be_had(seat) {
                return false;
            }
        }
        self.reservations[which].stage = Stage::Placed;
        // What somebody waits for is not free, and the money is not refused for that (DOMAIN E7, W2).
        if self.is_waited_for(slot, seats) || self.allowed(which).is_err() {
            self.reservations[which].stage = Stage::Expired;
            return false;
        }
        for seat in seats.numbers() {
            self.places[seat] = Place::Of(which);
        }
        if let Some(coupon) = self.reservations[which].coupon {
            self.coupons[coupon] = Coupon::Of(which);
        }
        true
    }

    /// The other session, if it is sold and free.
    fn equal_slot(&mut self, which: usize) -> Option<Slot> {
        let (slot, room) = match self.reservations[which].slot {
            Slot::Screening => return None,
            Slot::Session => (Slot::Later, SEATS + 1),
            Slot::Later => (Slot::Session, SEATS),
        };
        if self.on_sale(slot).is_err() || !self.coupon_fits(which) {
            return None;
        }
        // A coupon that stays used for this reservation is of no use to another one (DOMAIN E7, K2).
        if self.reservations[which]
            .coupon
            .is_some_and(|coupon| coupon >= SINGLE)
        {
            return None;
        }
        let is_free = self.is_to_be_had(room) && !self.is_waited_for(slot, Seats::of(slot));
        is_free.then_some(slot)
    }

    fn coupon_fits(&self, which: usize) -> bool {
        self.reservations[which].coupon.is_none_or(|coupon| {
            let coupon = self.coupons[coupon];
            coupon == Coupon::Unused || coupon == Coupon::Of(which)
        })
    }

    /// Whether a place is free, once whoever's time is up has given way.
    fn is_to_be_had(&mut self, seat: usize) -> bool {
        if let Place::Of(holder) = self.places[seat] {
            self.end_if_due(holder);
        }
        self.places[seat] == Place::Free
    }

    /// Takes the offered slot under the same terms; the money moves there.
    pub(super) fn take_slot(&mut self, which: usize) -> Outcome {
        let now = self.now;
        let old = *self.known(which)?;
        let slot = match (old.stage, old.offer) {
            (Stage::Expired, Some((slot, until))) if now < until => slot,
            (Stage::Expired, _) => return Err("reservation/no-offer"),
            (_, _) => return Err(old.in_the_way()),
        };
        self.on_sale(slot)?;
        let (new, seats) = (self.reservations.len(), Seats::of(slot));
        self.reservations.push(Reservation {
            slot,
            seats,
            stage: Stage::Placed,
            entry: None,
            offer: None,
            free_until: None,
            rest_waits: false,
            moves: 0,
            pay_by: old.pay_by.map(|_| self.starts(slot)),
            ..old
        });
        self.take(new, slot, seats)?;
        if let Some(coupon) = old.coupon {
            self.redeem(coupon, new)?;
        }
        let old = &mut self.reservations[which];
        (old.kept, old.offer) = (0, None);
        Ok(())
    }

    pub(super) fn refuse_slot(&mut self, which: usize) -> Outcome {
        let reservation = self.known(which)?;
        match (reservation.stage, reservation.offer) {
            (Stage::Expired, Some(_)) => {
                reservation.offer = None;
                Ok(())
            }
            (Stage::Expired, None) => Err("reservation/no-offer"),
            (_, _) => Err(reservation.in_the_way()),
        }
    }

    pub(super) fn refund(&mut self, which: usize, won: i64) -> Outcome {
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Held | Stage::Lapsed | Stage::Released => Err(reservation.in_the_way()),
            Stage::Placed | Stage::Attended | Stage::NoShow | Stage::Cancelled | Stage::Expired => {
                if won > reservation.due_back() {
                    return Err("reservation/refund-exceeds-due");
                }
                reservation.kept -= won;
                Ok(())
            }
        }
    }

    /// Money that came without a word finds its reservation, if only one can be meant: the amount is due there, and whoever
    /// sent it placed it; rather one that is placed than one that expired.
    pub(super) fn deposit(&mut self, told: Told) -> Outcome {
        let fate = Fate::Unmatched;
        self.deposits.push(Deposit { told, fate });
        for stage in [Stage::Placed, Stage::Expired] {
            let all = self.reservations.iter().enumerate();
            let meant = all.filter(|(_, known)| {
                known.stage == stage
                    && known.who == Some(told.who)
                    && is_at_the_cinema(known.slot) == told.at_the_cinema
                    && known.pay_by.is_some()
                    && known.offer.is_none()
                    && known.kept < known.price
                    && known.price - known.kept == told.won
            });
            let meant: Vec<usize> = meant.map(|(index, _)| index).collect();
            match *meant {
                [] => {}
                [only] => return self.match_deposit(self.deposits.len() - 1, only),
                [_, _, ..] => break,
            }
        }
        Ok(())
    }

    pub(super) fn match_deposit(&mut self, deposit: usize, which: usize) -> Outcome {
        let Deposit { told, fate } = *self.deposits.get(deposit).ok_or("deposit/not-found")?;
        let slot = self.known(which)?.slot;
        if is_at_the_cinema(slot) != told.at_the_cinema {
            return Err("deposit/other-branch");
        }
        match fate {
            Fate::For(known) if known == which => Ok(()),
            Fate::For(_) => Err("deposit/already-matched"),
            Fate::Returned => Err("deposit/already-returned"),
            Fate::Unmatched => {
                self.deposits[deposit].fate = Fate::For(which);
                self.pay(which, Some(told.won))
            }
        }
    }

    pub(super) fn return_deposit(&mut self, deposit: usize) -> Outcome {
        let deposit = self.deposits.get_mut(deposit).ok_or("deposit/not-found")?;
        match deposit.fate {
            Fate::For(_) => Err("deposit/already-matched"),
            Fate::Unmatched | Fate::Returned => {
                deposit.fate = Fate::Returned;
                Ok(())
            }
        }
    }
}
