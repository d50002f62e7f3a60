//! What is binding in the model: placed, moved, cancelled, attended or missed (DOMAIN C4, C14, E5, E9).

use super::{
    super::{
        ask::{By, SEATS_MAX, Seats, Slot},
        reservation::{Stage, running, stage},
    },
    ABSENT, Business, CHECK_IN, Coupon, HALF, LASTS, MISSES, MOVES, Miss, ONLINE, Outcome, Sale, UNDO, Wait,
};

impl Business {
    pub(super) fn place(
        &mut self,
        which: usize,
        who: usize,
        coupon: Option<usize>,
        on_site: bool,
    ) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        if self.sale(slot) == Sale::Withdrawn {
            return Err("time-slot/withdrawn");
        }
        self.day_is_open(slot)?;
        if self.sale(slot) == Sale::Closed && self.known(which)?.stage == Stage::Held {
            // Nothing new stands in a slot that is closed, for it may be about to be emptied (DOMAIN E3).
            return Err("time-slot/closed");
        }
        if let Some(coupon) = coupon {
            self.redeem(coupon, which)?;
        }
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        running(reservation, now)?;
        reservation.stage = Stage::Placed;
        reservation.who = Some(who);
        reservation.coupon = coupon;
        reservation.price = Self::price(slot, reservation.people, coupon.is_some());
        reservation.pay_by = (!on_site).then_some(pay_by(now, starts));
        if self.is_barred(who) {
            return Err("patron/barred");
        }
        self.allowed(which)?;
        self.settle(which, Wait::Accepted);
        Ok(())
    }

    /// Uses a coupon, once (DOMAIN K2).
    pub(super) fn redeem(&mut self, coupon: usize, by: usize) -> Outcome {
        match self.coupons.get_mut(coupon) {
            None => Err("coupon/not-found"),
            Some(Coupon::Revoked) => Err("coupon/revoked"),
            Some(Coupon::Of(other)) if *other != by => Err("coupon/already-redeemed"),
            Some(unused) => {
                *unused = Coupon::Of(by);
                Ok(())
            }
        }
    }

    /// Whether whoever placed it may have so many seats with all they have of the slot (DOMAIN C4).
    pub(super) fn allowed(&self, which: usize) -> Outcome {
        let reservation = self.reservations[which];
        if reservation.slot != Slot::Screening {
            return Ok(());
        }
        let all = self.reservations.iter().enumerate();
        let others = all.filter(|(index, other)| {
            *index != which && other.slot == Slot::Screening && other.who == reservation.who && other.counts()
        });
        let had: usize = others.map(|(_, other)| other.seats.count()).sum();
        if had + reservation.seats.count() > SEATS_MAX {
            Err("allowance/used-up")
        } else {
            Ok(())
        }
    }

    pub(super) fn check_in(&mut self, which: usize) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Attended => Ok(()),
            Stage::Placed if now < starts - CHECK_IN => Err("reservation/too-early"),
            Stage::Placed if now >= starts + LASTS => Err("reservation/over"),
            Stage::Placed if !reservation.is_paid() => Err("reservation/not-paid"),
            Stage::Placed => {
                reservation.stage = Stage::Attended;
                Ok(())
            }
            Stage::Held
            | Stage::Lapsed
            | Stage::Released
            | Stage::NoShow
            | Stage::Cancelled
            | Stage::Expired => Err(reservation.in_the_way()),
        }
    }

    pub(super) fn undo_check_in(&mut self, which: usize) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Attended if now >= starts + UNDO => Err("reservation/too-late-to-undo"),
            Stage::Attended | Stage::Placed => {
                reservation.stage = Stage::Placed;
                Ok(())
            }
            Stage::Held
            | Stage::Lapsed
            | Stage::Released
            | Stage::NoShow
            | Stage::Cancelled
            | Stage::Expired => Err(reservation.in_the_way()),
        }
    }

    pub(super) fn mark_no_show(&mut self, which: usize) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::NoShow => Ok(()),
            Stage::Placed if reservation.is_due(now) => {
                // What was not paid in time expires and is nobody's no-show (DOMAIN E7, E9).
                self.end_if_due(which);
                Ok(())
            }
            Stage::Placed if now < starts => Err("reservation/not-started"),
            Stage::Placed => {
                self.missed(which);
                Ok(())
            }
            Stage::Held
            | Stage::Lapsed
            | Stage::Released
            | Stage::Attended
            | Stage::Cancelled
            | Stage::Expired => Err(reservation.in_the_way()),
        }
    }

    pub(super) fn mark_absent(&mut self, which: usize) -> Outcome {
        let Some(reservation) = self.reservations.get(which) else {
            return Ok(());
        };
        let after = if reservation.slot == Slot::Screening {
            LASTS
        } else {
            ABSENT
        };
        if reservation.stage != Stage::Placed {
            return Ok(());
        }
        if self.now < self.starts(reservation.slot) + after {
            return Err("reservation/not-yet-due");
        }
        if self.reservations[which].is_due(self.now) {
            // What was not paid in time expires and is nobody's no-show (DOMAIN E7, E9).
            self.end_if_due(which);
        } else {
            self.missed(which);
        }
        Ok(())
    }

    fn missed(&mut self, which: usize) {
        self.reservations[which].stage = Stage::NoShow;
        if let Some(who) = self.reservations[which].who {
            self.misses.push(Miss { who, counts: true });
        }
    }

    fn is_barred(&self, who: usize) -> bool {
        let held_against = |miss: &&Miss| miss.who == who && miss.counts;
        self.misses.iter().filter(held_against).count() >= MISSES
    }

    pub(super) fn lift_bar(&mut self, which: usize) -> Outcome {
        let who = self.known(which)?.who.ok_or("reservation/not-placed")?;
        if self.is_barred(who) {
            let theirs = self.misses.iter_mut().filter(|miss| miss.who == who);
            theirs.for_each(|miss| miss.counts = false);
        }
        Ok(())
    }

    /// Until when it can be called off or moved (DOMAIN C14).
    fn until(&self, which: usize, by: By) -> i64 {
        let reservation = self.reservations[which];
        let starts = self.starts(reservation.slot);
        match by {
            By::Customer => reservation.free_until.unwrap_or(i64::MIN).max(starts - ONLINE),
            By::Staff | By::Branch => starts,
        }
    }

    pub(super) fn cancel(&mut self, which: usize, by: By) -> Outcome {
        let now = self.now;
        let reservation = *self.known(which)?;
        match reservation.stage {
            Stage::Cancelled => {
                self.give_back(which, reservation.slot, reservation.seats);
                Ok(())
            }
            Stage::Placed if now >= self.until(which, by) => Err("reservation/too-late-to-cancel"),
            Stage::Placed => {
                let is_free = by == By::Branch || reservation.free_until.is_some_and(|until| now < until);
                let is_near = now >= self.starts(reservation.slot) - HALF;
                let fee = if is_near && !is_free {
                    reservation.price / 2
                } else {
                    0
                };
                self.reservations[which].retained = fee.min(reservation.kept);
                self.end(which, Stage::Cancelled, fee > 0);
                Ok(())
            }
            Stage::Held
            | Stage::Lapsed
            | Stage::Released
            | Stage::Attended
            | Stage::NoShow
            | Stage::Expired => Err(reservation.in_the_way()),
        }
    }

    pub(super) fn offer_move(&mut self, which: usize, minutes: i64) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        let until = (now + minutes).min(self.starts(slot));
        let reservation = self.known(which)?;
        stage(reservation, Stage::Placed)?;
        if now >= until {
            return Err("reservation/too-late-to-offer");
        }
        reservation.free_until = reservation.free_until.max(Some(until));
        Ok(())
    }

    pub(super) fn reschedule(&mut self, which: usize, seats: Seats, staff: bool) -> Outcome {
        let now = self.now;
        let reservation = self.known(which)?;
        stage(reservation, Stage::Placed)?;
        let slot = reservation.slot;
        self.on_sale(Slot::Screening)?;
        if slot != Slot::Screening {
            return Err("reservation/other-branch");
        }
        let count = seats.count();
        Self::countable(count)?;
        let until = self.until(which, if staff { By::Staff } else { By::Customer });
        let starts = self.starts(slot);
        let reservation = self.known(which)?;
        let before = reservation.seats;
        if before == seats {
            return Ok(());
        }
        if now >= until {
            return Err("reservation/too-late-to-reschedule");
        }
        if reservation.is_due(now) {
            return Err("reservation/expired");
        }
        if !staff && reservation.moves >= MOVES {
            return Err("reservation/moved-too-often");
        }
        reservation.rest_waits = reservation.kept > 0;
        reservation.moves += 1;
        reservation.seats = seats;
        reservation.people = u8::try_from(count).unwrap_or(u8::MAX);
        reservation.price = Self::price(slot, reservation.people, reservation.coupon.is_some());
        // Moved, it needs no other offer.
        reservation.free_until = None;
        let latest = pay_by(now, starts);
        reservation.pay_by = reservation.pay_by.map(|due| due.max(now + 30).min(latest));
        self.give_back(which, slot, Seats(before.0 & !seats.0));
        self.take_more(which, slot, before, seats)?;
        self.allowed(which)
    }
}

/// The deadline of a transfer: half an hour, or half a day when the slot is more than a day ahead (DOMAIN E7).
pub(super) fn pay_by(now: i64, starts: i64) -> i64 {
    let far = starts - now > 24 * 60;
    (now + if far { 12 * 60 } else { 30 }).min(starts)
}
