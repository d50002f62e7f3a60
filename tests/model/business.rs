//! The business as DOMAIN tells it, in the simplest form: seats with a holder, reservations with a stage, coupons with a
//! user, and a clock in minutes. Shares nothing with the rules it is held against.

use std::collections::HashMap;

use super::{
    ask::{Ask, COUPONS, SEATS, SEATS_MAX, Seats, Slot},
    reservation::{Reservation, Stage, running, stage},
};

/// Minutes a hold lives, and at most from its first touch (DOMAIN H1).
const HOLD: i64 = 10;
const CAP: i64 = 20;
/// Minutes before the start until which customers cancel (DOMAIN C14).
const ONLINE: i64 = 20;
/// How often a customer moves a reservation.
const MOVES: u8 = 5;
/// Minutes before the start from which customers check in (DOMAIN E9).
const CHECK_IN: i64 = 60;
/// Minutes a slot lasts.
const LASTS: i64 = 120;

/// Accepted, or the stable type of the refusal.
pub type Outcome = Result<(), &'static str>;

/// Everything there is.
#[derive(Debug, Clone)]
pub struct Business {
    now: i64,
    starts: i64,
    slots: HashMap<Slot, Sale>,
    pub seats: [Place; SEATS],
    pub room: Place,
    pub reservations: Vec<Reservation>,
    pub coupons: [Coupon; COUPONS],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sale {
    Open,
    Closed,
    Withdrawn,
}

/// One seat, or the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Free,
    Blocked,
    Of(usize),
}

/// Who used a coupon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coupon {
    Unused,
    Of(usize),
    Revoked,
}

impl Business {
    /// Two slots on sale that start in so many minutes, and nothing sold.
    pub fn opening(starts_in: i64) -> Self {
        Self {
            now: 0,
            starts: starts_in,
            slots: HashMap::from([(Slot::Screening, Sale::Open), (Slot::Session, Sale::Open)]),
            seats: [Place::Free; SEATS],
            room: Place::Free,
            reservations: Vec::new(),
            coupons: [Coupon::Unused; COUPONS],
        }
    }

    /// What is answered; a refusal changes nothing.
    pub fn ask(&mut self, ask: &Ask) -> Outcome {
        let before = self.clone();
        let outcome = self.carry_out(ask);
        if outcome.is_err() {
            *self = before;
        }
        outcome
    }

    fn carry_out(&mut self, ask: &Ask) -> Outcome {
        match ask {
            Ask::Hold { seats } => self.hold(*seats),
            Ask::HoldRoom { size } => self.hold_room(*size),
            Ask::Extend(which) => self.extend(*which),
            Ask::Change { which, seats } => self.change(*which, *seats),
            Ask::Release(which) => self.release(*which),
            Ask::Revive(which) => self.revive(*which),
            Ask::Place {
                which,
                coupon,
                on_site,
            } => self.place(*which, *coupon, *on_site),
            Ask::MarkPaid { which, wrong } => self.mark_paid(*which, *wrong),
            Ask::MarkNotified(which) => {
                let reservation = self.known(*which)?;
                stage(reservation, Stage::Placed)
            }
            Ask::CheckIn(which) => self.check_in(*which),
            Ask::MarkNoShow(which) => self.mark_no_show(*which),
            Ask::Cancel { which, staff } => self.cancel(*which, *staff),
            Ask::Reschedule { which, seats, staff } => self.reschedule(*which, *seats, *staff),
            Ask::EndDue(which) => self.end_due(*which),
            Ask::Block(seat) => match self.seats[*seat] {
                Place::Of(_) => Err("seat/taken"),
                Place::Free | Place::Blocked => {
                    self.seats[*seat] = Place::Blocked;
                    Ok(())
                }
            },
            Ask::Unblock(seat) => {
                if self.seats[*seat] == Place::Blocked {
                    self.seats[*seat] = Place::Free;
                }
                Ok(())
            }
            Ask::Close(slot) => self.turn(*slot, Sale::Closed),
            Ask::Reopen(slot) => self.turn(*slot, Sale::Open),
            Ask::Withdraw(slot) => self.withdraw(*slot),
            Ask::Revoke(coupon) => match self.coupons[*coupon] {
                Coupon::Of(_) => Err("coupon/already-redeemed"),
                Coupon::Unused | Coupon::Revoked => {
                    self.coupons[*coupon] = Coupon::Revoked;
                    Ok(())
                }
            },
            // The player knows what was answered the first time.
            Ask::Again(_) => Ok(()),
            Ask::Pass(minutes) => {
                self.now += minutes;
                Ok(())
            }
        }
    }

    fn known(&mut self, which: usize) -> Result<&mut Reservation, &'static str> {
        self.reservations.get_mut(which).ok_or("reservation/not-found")
    }

    /// Whether the slot takes holds now (DOMAIN C4, H1).
    fn on_sale(&self, slot: Slot) -> Outcome {
        match self.slots[&slot] {
            Sale::Withdrawn => Err("time-slot/withdrawn"),
            Sale::Open | Sale::Closed if self.now >= self.starts => Err("time-slot/started"),
            Sale::Closed => Err("time-slot/closed"),
            Sale::Open => Ok(()),
        }
    }

    fn countable(seats: Seats) -> Outcome {
        match seats.numbers().count() {
            0 => Err("choice/nothing-chosen"),
            count if count > SEATS_MAX => Err("choice/too-many-seats"),
            _fits => Ok(()),
        }
    }

    fn hold(&mut self, seats: Seats) -> Outcome {
        self.on_sale(Slot::Screening)?;
        Self::countable(seats)?;
        self.begin(Slot::Screening, seats)
    }

    fn hold_room(&mut self, size: u8) -> Outcome {
        self.on_sale(Slot::Session)?;
        if !(2..=4).contains(&size) {
            return Err("choice/party-size");
        }
        // The shop asks for a price of two and of three.
        if size == 4 {
            return Err("price/no-price-for-size");
        }
        self.begin(Slot::Session, Seats(0))
    }

    fn begin(&mut self, slot: Slot, seats: Seats) -> Outcome {
        let id = self.reservations.len();
        self.take(id, slot, seats)?;
        let cap = (self.now + CAP).min(self.starts);
        self.reservations.push(Reservation {
            slot,
            stage: Stage::Held,
            seats,
            until: (self.now + HOLD).min(cap),
            cap,
            extended: false,
            paid_for: 0,
            won: 0,
            rest_waits: false,
            moves: 0,
            pay_by: None,
            coupon: None,
        });
        Ok(())
    }

    fn places(&mut self, slot: Slot, seats: Seats) -> Vec<&mut Place> {
        match slot {
            Slot::Session => vec![&mut self.room],
            Slot::Screening => {
                let seats: Vec<usize> = seats.numbers().collect();
                let all = self.seats.iter_mut().enumerate();
                all.filter(|(number, _)| seats.contains(number))
                    .map(|(_, place)| place)
                    .collect()
            }
        }
    }

    /// All of them, or the refusal of the first that cannot be had; whoever's time is up gives way.
    fn take(&mut self, id: usize, slot: Slot, seats: Seats) -> Outcome {
        let holders: Vec<Place> = self.places(slot, seats).into_iter().map(|place| *place).collect();
        for holder in holders {
            if let Place::Of(other) = holder
                && other != id
            {
                self.end_if_due(other);
            }
        }
        for place in self.places(slot, seats) {
            match *place {
                Place::Free => *place = Place::Of(id),
                Place::Of(other) if other == id => {}
                Place::Of(_) => return Err("seat/taken"),
                Place::Blocked => return Err("seat/not-for-sale"),
            }
        }
        Ok(())
    }

    fn give_back(&mut self, id: usize, slot: Slot, seats: Seats) {
        for place in self.places(slot, seats) {
            if *place == Place::Of(id) {
                *place = Place::Free;
            }
        }
    }

    /// Ends it and gives everything back (DOMAIN K2).
    fn end(&mut self, id: usize, stage: Stage) {
        let reservation = &mut self.reservations[id];
        reservation.stage = stage;
        let (slot, seats, coupon) = (reservation.slot, reservation.seats, reservation.coupon);
        self.give_back(id, slot, seats);
        if let Some(coupon) = coupon
            && self.coupons[coupon] == Coupon::Of(id)
        {
            self.coupons[coupon] = Coupon::Unused;
        }
    }

    fn end_if_due(&mut self, id: usize) -> bool {
        let reservation = &self.reservations[id];
        let due = reservation.due().is_some_and(|due| self.now >= due);
        if due {
            let stage = match reservation.stage {
                Stage::Held => Stage::Lapsed,
                Stage::Lapsed
                | Stage::Released
                | Stage::Placed
                | Stage::Attended
                | Stage::NoShow
                | Stage::Cancelled
                | Stage::Expired => Stage::Expired,
            };
            self.end(id, stage);
        }
        due
    }

    fn end_due(&mut self, which: usize) -> Outcome {
        let Some(reservation) = self.reservations.get(which) else {
            return Ok(());
        };
        let waits = reservation.due().is_some();
        if self.end_if_due(which) || !waits {
            Ok(())
        } else {
            Err("reservation/not-yet-due")
        }
    }

    fn extend(&mut self, which: usize) -> Outcome {
        let (now, starts) = (self.now, self.starts);
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
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

    fn change(&mut self, which: usize, seats: Seats) -> Outcome {
        let now = self.now;
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
        if slot == Slot::Session {
            return Err("choice/wrong-kind");
        }
        Self::countable(seats)?;
        let reservation = self.known(which)?;
        running(reservation, now)?;
        let before = std::mem::replace(&mut reservation.seats, seats);
        self.give_back(which, slot, Seats(before.0 & !seats.0));
        self.take(which, slot, Seats(seats.0 & !before.0))
    }

    fn release(&mut self, which: usize) -> Outcome {
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Held => {
                self.end(which, Stage::Released);
                Ok(())
            }
            Stage::Released | Stage::Lapsed => Ok(()),
            Stage::Placed | Stage::Attended | Stage::NoShow | Stage::Cancelled | Stage::Expired => {
                Err(reservation.in_the_way())
            }
        }
    }

    fn revive(&mut self, which: usize) -> Outcome {
        let slot = self.known(which)?.slot;
        self.on_sale(slot)?;
        self.end_if_due(which);
        let (now, starts) = (self.now, self.starts);
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

    fn place(&mut self, which: usize, coupon: Option<usize>, on_site: bool) -> Outcome {
        let (now, starts) = (self.now, self.starts);
        let slot = self.known(which)?.slot;
        if self.slots[&slot] == Sale::Withdrawn {
            return Err("time-slot/withdrawn");
        }
        if self.slots[&slot] == Sale::Closed && self.known(which)?.stage == Stage::Held {
            return Err("time-slot/closed");
        }
        if let Some(coupon) = coupon {
            match self.coupons.get_mut(coupon) {
                None => return Err("coupon/not-found"),
                Some(Coupon::Revoked) => return Err("coupon/revoked"),
                Some(Coupon::Of(other)) if *other != which => return Err("coupon/already-redeemed"),
                Some(unused) => *unused = Coupon::Of(which),
            }
        }
        let reservation = self.known(which)?;
        running(reservation, now)?;
        reservation.stage = Stage::Placed;
        reservation.coupon = coupon;
        let far = starts - now > 24 * 60;
        let minutes = if far { 12 * 60 } else { 30 };
        reservation.pay_by = (!on_site).then_some((now + minutes).min(starts));
        Ok(())
    }

    /// The rest, or one won: amounts add up, and what comes late takes it up again if it can (DOMAIN E7).
    fn mark_paid(&mut self, which: usize, one_won: bool) -> Outcome {
        let reservation = self.known(which)?;
        match (reservation.stage, one_won) {
            (Stage::Placed | Stage::Expired, _) => {}
            // Money is never turned away, but how much it was must be said where nothing is due.
            (Stage::Attended | Stage::NoShow | Stage::Cancelled, true) => {}
            (Stage::Attended | Stage::NoShow | Stage::Cancelled, false)
            | (Stage::Held | Stage::Lapsed | Stage::Released, _) => return Err(reservation.in_the_way()),
        }
        if one_won {
            reservation.won += 1;
        } else if !reservation.is_paid() {
            reservation.paid_for = reservation.places();
            reservation.won = 0;
        }
        if reservation.stage == Stage::Expired && reservation.is_paid() {
            self.take_up_again(which);
        }
        Ok(())
    }

    /// Confirms what expired, if its slot has not begun and everything it had is free.
    fn take_up_again(&mut self, which: usize) {
        let Reservation {
            slot, seats, coupon, ..
        } = self.reservations[which];
        let free = coupon.is_none_or(|coupon| self.coupons[coupon] == Coupon::Unused);
        if self.slots[&slot] != Sale::Open || self.now >= self.starts || !free {
            return;
        }
        let holders: Vec<Place> = self.places(slot, seats).into_iter().map(|place| *place).collect();
        for (index, holder) in holders.into_iter().enumerate() {
            if let Place::Of(other) = holder {
                self.end_if_due(other);
            }
            if *self.places(slot, seats)[index] != Place::Free {
                return;
            }
        }
        self.places(slot, seats)
            .into_iter()
            .for_each(|place| *place = Place::Of(which));
        if let Some(coupon) = coupon {
            self.coupons[coupon] = Coupon::Of(which);
        }
        self.reservations[which].stage = Stage::Placed;
    }

    fn check_in(&mut self, which: usize) -> Outcome {
        let (now, starts) = (self.now, self.starts);
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

    fn mark_no_show(&mut self, which: usize) -> Outcome {
        let (now, starts) = (self.now, self.starts);
        // What was not paid in time expires instead.
        if self.known(which)?.stage == Stage::Placed && self.end_if_due(which) {
            return Ok(());
        }
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::NoShow => Ok(()),
            Stage::Placed if now < starts => Err("reservation/not-started"),
            Stage::Placed => {
                reservation.stage = Stage::NoShow;
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

    fn cancel(&mut self, which: usize, staff: bool) -> Outcome {
        let until = self.starts - if staff { 0 } else { ONLINE };
        let now = self.now;
        let reservation = self.known(which)?;
        match reservation.stage {
            Stage::Cancelled => Ok(()),
            Stage::Placed if now >= until => Err("reservation/too-late-to-cancel"),
            Stage::Placed => {
                self.end(which, Stage::Cancelled);
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

    fn reschedule(&mut self, which: usize, seats: Seats, staff: bool) -> Outcome {
        let (now, starts) = (self.now, self.starts);
        let reservation = self.known(which)?;
        stage(reservation, Stage::Placed)?;
        let slot = reservation.slot;
        self.on_sale(Slot::Screening)?;
        if slot == Slot::Session {
            return Err("reservation/other-branch");
        }
        Self::countable(seats)?;
        let reservation = self.known(which)?;
        let before = reservation.seats;
        if before == seats {
            return Ok(());
        }
        if now >= starts - if staff { 0 } else { ONLINE } {
            return Err("reservation/too-late-to-reschedule");
        }
        if reservation.due().is_some_and(|due| now >= due) {
            return Err("reservation/expired");
        }
        if !staff && reservation.moves >= MOVES {
            return Err("reservation/moved-too-often");
        }
        reservation.rest_waits = reservation.paid_for > 0 || reservation.won > 0;
        reservation.moves += 1;
        reservation.seats = seats;
        let far = starts - now > 24 * 60;
        let latest = (now + if far { 12 * 60 } else { 30 }).min(starts);
        reservation.pay_by = reservation.pay_by.map(|due| due.max(now + 30).min(latest));
        self.give_back(which, slot, Seats(before.0 & !seats.0));
        self.take(which, slot, Seats(seats.0 & !before.0))
    }

    fn turn(&mut self, slot: Slot, sale: Sale) -> Outcome {
        if self.slots[&slot] == Sale::Withdrawn {
            return Err("time-slot/withdrawn");
        }
        self.slots.insert(slot, sale);
        Ok(())
    }

    fn withdraw(&mut self, slot: Slot) -> Outcome {
        let places = self.places(slot, Seats(u8::MAX));
        if places.iter().any(|place| matches!(place, Place::Of(_))) {
            return Err("programme/in-use");
        }
        self.slots.insert(slot, Sale::Withdrawn);
        Ok(())
    }
}
