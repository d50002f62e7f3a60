//! The business as DOMAIN tells it, in the simplest form: places with a holder, reservations with a stage, a line of people
//! who wait, coupons with a user, money in won, and a clock in minutes. Shares nothing with the rules it is held against.

mod holds;
mod money;
mod placed;
mod waiting;

use super::{
    ask::{Ask, COUPONS, SEATS, SEATS_MAX, SINGLE, Seats, Slot},
    reservation::{Reservation, Stage, stage},
};
pub use money::{Deposit, Fate};
pub use waiting::{Entry, Wait};

/// Minutes a hold lives, and at most from its first touch (DOMAIN H1).
const HOLD: i64 = 10;
const CAP: i64 = 20;
/// Minutes before the start until which customers cancel (DOMAIN C14).
const ONLINE: i64 = 20;
/// Minutes before the start from which a cancellation costs half the price, and leaves the coupon used (DOMAIN C14, K2).
pub const HALF: i64 = 60;
/// How often a customer moves a reservation.
const MOVES: u8 = 5;
/// Minutes before the start from which customers check in, and after it until which that is undone (DOMAIN E9).
const CHECK_IN: i64 = 60;
const UNDO: i64 = 24 * 60;
/// Minutes a slot lasts.
pub const LASTS: i64 = 120;
/// Minutes after the start from which who did not come to a game counts as absent; to a screening, when it is over.
const ABSENT: i64 = 30;
/// How many missed reservations bar somebody (DOMAIN E9); no sequence is so long that the bar ends.
const MISSES: usize = 2;
/// Minutes from the start of the first session to that of the later one.
pub const LATER: i64 = 60;
/// What a seat costs, and a room with two and with three people; a coupon takes off a fifth.
pub const SEAT: i64 = 10_000;
const ROOM: [i64; 2] = [48_000, 66_000];

/// Accepted, or the stable type of the refusal.
pub type Outcome = Result<(), &'static str>;

/// Everything there is.
#[derive(Debug, Clone)]
pub struct Business {
    now: i64,
    starts: i64,
    sales: [Sale; 3],
    day_is_closed: bool,
    pub places: [Place; Seats::ALL],
    pub reservations: Vec<Reservation>,
    pub entries: Vec<Entry>,
    pub deposits: Vec<Deposit>,
    pub coupons: [Coupon; COUPONS],
    misses: Vec<Miss>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sale {
    Open,
    Closed,
    Withdrawn,
}

/// One seat, or a room.
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

/// That somebody did not come, and whether it is held against them.
#[derive(Debug, Clone, Copy)]
struct Miss {
    who: usize,
    counts: bool,
}

impl Business {
    /// Three slots on sale, the first of which start in so many minutes, and nothing sold.
    pub const fn opening(starts_in: i64) -> Self {
        Self {
            now: 0,
            starts: starts_in,
            sales: [Sale::Open; 3],
            day_is_closed: false,
            places: [Place::Free; Seats::ALL],
            reservations: Vec::new(),
            entries: Vec::new(),
            deposits: Vec::new(),
            coupons: [Coupon::Unused; COUPONS],
            misses: Vec::new(),
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

    #[expect(
        clippy::too_many_lines,
        reason = "one table: what is asked, and by which rule"
    )]
    fn carry_out(&mut self, ask: &Ask) -> Outcome {
        match ask {
            Ask::Hold { seats } => self.hold(*seats),
            Ask::HoldRoom { slot, size } => self.hold_room(*slot, *size),
            Ask::Extend(which) => self.extend(*which),
            Ask::Change { which, seats } => self.change(*which, *seats),
            Ask::Release(which) => self.release(*which),
            Ask::Revive(which) => self.revive(*which),
            Ask::Place {
                which,
                who,
                coupon,
                on_site,
            } => self.place(*which, *who, *coupon, *on_site),
            Ask::MarkPaid { which, wrong } => self.pay(*which, wrong.then_some(1)),
            Ask::Deposit { told, .. } => self.deposit(*told),
            Ask::MatchDeposit { deposit, which } => self.match_deposit(*deposit, *which),
            Ask::ReturnDeposit(deposit) => self.return_deposit(*deposit),
            Ask::Refund { which, told, .. } => self.refund(*which, told.won),
            Ask::TakeSlot(which) => self.take_slot(*which),
            Ask::RefuseSlot(which) => self.refuse_slot(*which),
            Ask::MarkNotified(which) => {
                let reservation = self.known(*which)?;
                stage(reservation, Stage::Placed)
            }
            Ask::CheckIn(which) => self.check_in(*which),
            Ask::UndoCheckIn(which) => self.undo_check_in(*which),
            Ask::MarkNoShow(which) => self.mark_no_show(*which),
            Ask::MarkAbsent(which) => self.mark_absent(*which),
            Ask::LiftBar(which) => self.lift_bar(*which),
            Ask::Cancel { which, by } => self.cancel(*which, *by),
            Ask::OfferMove { which, minutes } => self.offer_move(*which, *minutes),
            Ask::Reschedule { which, seats, staff } => self.reschedule(*which, *seats, *staff),
            Ask::EndDue(which) => self.end_due(*which),
            Ask::Join { slot, count, who } => self.join(*slot, *count, *who),
            Ask::Leave(entry) => self.leave(*entry),
            Ask::Accept(entry) => self.accept(*entry),
            Ask::Decline(entry) => self.decline(*entry),
            Ask::LookAfter(slot) => {
                self.look(*slot);
                Ok(())
            }
            Ask::Block(seat) => self.block(*seat),
            Ask::Unblock(seat) => {
                if self.places[*seat] == Place::Blocked {
                    self.places[*seat] = Place::Free;
                    self.look(Slot::Screening);
                }
                Ok(())
            }
            Ask::Close(slot) => self.turn(*slot, Sale::Closed),
            Ask::Reopen(slot) => {
                self.turn(*slot, Sale::Open)?;
                self.look(*slot);
                Ok(())
            }
            Ask::Withdraw(slot) => self.withdraw(*slot),
            Ask::CloseDay | Ask::ReopenDay => {
                self.day_is_closed = *ask == Ask::CloseDay;
                Ok(())
            }
            Ask::Revoke(coupon) => self.revoke(*coupon),
            Ask::RevokeBatch => {
                // Whoever used one keeps what it gave them.
                for coupon in SINGLE..COUPONS {
                    let _used = self.revoke(coupon);
                }
                Ok(())
            }
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

    const fn starts(&self, slot: Slot) -> i64 {
        match slot {
            Slot::Screening | Slot::Session => self.starts,
            Slot::Later => self.starts + LATER,
        }
    }

    const fn sale(&self, slot: Slot) -> Sale {
        self.sales[slot as usize]
    }

    /// Whether the branch of a slot does business on its day (DOMAIN E3).
    fn day_is_open(&self, slot: Slot) -> Outcome {
        if slot == Slot::Screening && self.day_is_closed {
            Err("branch/closed-on")
        } else {
            Ok(())
        }
    }

    /// Whether the slot takes holds now (DOMAIN C4, H1).
    fn on_sale(&self, slot: Slot) -> Outcome {
        match self.sale(slot) {
            Sale::Withdrawn => Err("time-slot/withdrawn"),
            Sale::Open | Sale::Closed if self.now >= self.starts(slot) => Err("time-slot/started"),
            Sale::Closed => Err("time-slot/closed"),
            Sale::Open => self.day_is_open(slot),
        }
    }

    fn countable(count: usize) -> Outcome {
        match count {
            0 => Err("choice/nothing-chosen"),
            count if count > SEATS_MAX => Err("choice/too-many-seats"),
            _fits => Ok(()),
        }
    }

    fn playable(size: u8) -> Outcome {
        match size {
            2 | 3 => Ok(()),
            // The theme is for up to four, but its prices are for two and for three.
            4 => Err("price/no-price-for-size"),
            _other => Err("choice/party-size"),
        }
    }

    /// What so many people pay.
    fn price(slot: Slot, people: u8, with_coupon: bool) -> i64 {
        let whole = match slot {
            Slot::Screening => SEAT * i64::from(people),
            Slot::Session | Slot::Later => ROOM[usize::from(people) - 2],
        };
        if with_coupon { whole * 4 / 5 } else { whole }
    }

    /// All of them, or the refusal of the first that cannot be had. Whoever's time is up gives way, to those who wait first:
    /// nobody overtakes them (DOMAIN W2).
    fn take(&mut self, id: usize, slot: Slot, seats: Seats) -> Outcome {
        let (mut refused, mut waited_for) = (None, false);
        for seat in seats.numbers() {
            let place = self.places[seat];
            match place {
                Place::Free => self.places[seat] = Place::Of(id),
                Place::Of(other) if other == id => {}
                Place::Of(other) if self.end_if_due(other) => match self.places[seat] {
                    Place::Free => self.places[seat] = Place::Of(id),
                    Place::Of(_) | Place::Blocked => waited_for = true,
                },
                Place::Of(_) => refused = refused.or(Some("seat/taken")),
                Place::Blocked => refused = refused.or(Some("seat/not-for-sale")),
            }
        }
        match refused {
            Some(refused) => Err(refused),
            None if waited_for || self.is_waited_for(slot, seats) => Err("waitlist/somebody-waits"),
            None => Ok(()),
        }
    }

    /// Whoever waits gets what is given back first.
    fn give_back(&mut self, id: usize, slot: Slot, seats: Seats) {
        if seats.0 == 0 {
            return;
        }
        for seat in seats.numbers() {
            if self.places[seat] == Place::Of(id) {
                self.places[seat] = Place::Free;
            }
        }
        self.look(slot);
    }

    /// Ends it and gives everything back; a coupon that may be used again is unused then (DOMAIN K2).
    fn end(&mut self, id: usize, stage: Stage, keeps_coupon: bool) {
        self.reservations[id].stage = stage;
        let Reservation {
            slot, seats, coupon, ..
        } = self.reservations[id];
        self.give_back(id, slot, seats);
        if let Some(coupon) = coupon
            && self.coupons[coupon] == Coupon::Of(id)
            && coupon < SINGLE
            && !keeps_coupon
        {
            self.coupons[coupon] = Coupon::Unused;
        }
    }

    /// Ends what time has ended: a hold lapses, an unpaid reservation expires, and what is offered for late money lapses.
    fn end_if_due(&mut self, id: usize) -> bool {
        let reservation = &mut self.reservations[id];
        if !reservation.is_due(self.now) {
            return false;
        }
        match reservation.stage {
            Stage::Held => {
                self.settle(id, Wait::Lapsed);
                self.end(id, Stage::Lapsed, false);
            }
            Stage::Placed => self.end(id, Stage::Expired, false),
            Stage::Expired => reservation.offer = None,
            Stage::Lapsed | Stage::Released | Stage::Attended | Stage::NoShow | Stage::Cancelled => {}
        }
        true
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

    fn block(&mut self, seat: usize) -> Outcome {
        debug_assert!(seat < SEATS, "rooms are not blocked here");
        match self.places[seat] {
            Place::Of(_) => Err("seat/taken"),
            Place::Free | Place::Blocked => {
                self.places[seat] = Place::Blocked;
                Ok(())
            }
        }
    }

    fn revoke(&mut self, coupon: usize) -> Outcome {
        match self.coupons[coupon] {
            Coupon::Of(_) => Err("coupon/already-redeemed"),
            Coupon::Unused | Coupon::Revoked => {
                self.coupons[coupon] = Coupon::Revoked;
                Ok(())
            }
        }
    }

    fn turn(&mut self, slot: Slot, sale: Sale) -> Outcome {
        if self.sale(slot) == Sale::Withdrawn {
            return Err("time-slot/withdrawn");
        }
        self.sales[slot as usize] = sale;
        Ok(())
    }

    fn withdraw(&mut self, slot: Slot) -> Outcome {
        let is_had = |place: usize| matches!(self.places[place], Place::Of(_));
        if Seats::of(slot).numbers().any(is_had) {
            return Err("programme/in-use");
        }
        self.sales[slot as usize] = Sale::Withdrawn;
        self.look(slot);
        Ok(())
    }
}
