//! Holds of the model (DOMAIN C6, C7, H1).

use super::{
    super::{
        ask::{Seats, Slot},
        reservation::{Reservation, Stage, running},
    },
    Business, CAP, HOLD, Outcome, Wait,
};

impl Business {
    pub(super) fn hold(&mut self, seats: Seats) -> Outcome {
        self.on_sale(Slot::Screening)?;
        let count = seats.count();
        Self::countable(count)?;
        self.begin(Slot::Screening, seats, u8::try_from(count).unwrap_or(u8::MAX))
    }

    pub(super) fn hold_room(&mut self, slot: Slot, size: u8) -> Outcome {
        self.on_sale(slot)?;
        Self::playable(size)?;
        self.begin(slot, Seats::of(slot), size)
    }

    pub(super) fn begin(&mut self, slot: Slot, seats: Seats, people: u8) -> Outcome {
        let cap = (self.now + CAP).min(self.starts(slot));
        let until = (self.now + HOLD).min(cap);
        self.reservations
            .push(Reservation::held(slot, seats, people, until, cap));
        self.take(self.reservations.len() - 1, slot, seats)
    }

    pub(super) fn extend(&mut self, which: usize) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        running(reservation, now)?;
        let until = (reservation.until + HOLD).min(starts).min(reservation.cap);
        if reservation.extended {
            return Err("reservation/already-extended");
        }
        if until <= reservation.until {
            return Err("reservation/at-its-longest");
        }
        reservation.until = until;
        reservation.extended = true;
        Ok(())
    }

    pub(super) fn change(&mut self, which: usize, seats: Seats) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
        if slot != Slot::Screening {
            return Err("choice/wrong-kind");
        }
        let count = seats.count();
        Self::countable(count)?;
        let reservation = self.known(which)?;
        running(reservation, now)?;
        let before = std::mem::replace(&mut reservation.seats, seats);
        reservation.people = u8::try_from(count).unwrap_or(u8::MAX);
        if before == seats {
            return Ok(());
        }
        // Whoever changes what was offered to them has taken it.
        self.settle(which, Wait::Accepted);
        self.give_back(which, slot, Seats(before.0 & !seats.0));
        self.take_more(which, slot, before, seats)
    }

    /// What of these was not among those from before.
    pub(super) fn take_more(&mut self, which: usize, slot: Slot, before: Seats, seats: Seats) -> Outcome {
        let more = Seats(seats.0 & !before.0);
        if more.0 == 0 {
            return Ok(());
        }
        self.take(which, slot, more)
    }

    pub(super) fn release(&mut self, which: usize) -> Outcome {
        let reservation = self.known(which)?;
        let (slot, seats) = (reservation.slot, reservation.seats);
        match reservation.stage {
            Stage::Held => {
                self.settle(which, Wait::Declined);
                self.end(which, Stage::Released, false);
                Ok(())
            }
            Stage::Released | Stage::Lapsed => {
                self.give_back(which, slot, seats);
                Ok(())
            }
            Stage::Placed | Stage::Attended | Stage::NoShow | Stage::Cancelled | Stage::Expired => {
                Err(reservation.in_the_way())
            }
        }
    }

    pub(super) fn revive(&mut self, which: usize) -> Outcome {
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
        self.end_if_due(which);
        let (now, starts) = (self.now, self.starts(slot));
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Held => Ok(()),
            Stage::Lapsed if now >= reservation.cap => Err("reservation/at-its-longest"),
            Stage::Lapsed => {
                reservation.stage = Stage::Held;
                reservation.until = (now + HOLD).min(starts).min(reservation.cap);
                let seats = reservation.seats;
                self.take(which, slot, seats)
            }
            Stage::Released
            | Stage::Placed
            | Stage::Attended
            | Stage::NoShow
            | Stage::Cancelled
            | Stage::Expired => Err(reservation.in_the_way()),
        }
    }
}
