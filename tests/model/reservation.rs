//! A reservation of the model: its stage, its money in won, and why it says no.

use super::{
    ask::{Seats, Slot},
    business::Outcome,
};

/// How far a reservation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Held,
    Lapsed,
    Released,
    Placed,
    Attended,
    NoShow,
    Cancelled,
    Expired,
}

/// What becomes of a reservation.
#[derive(Debug, Clone, Copy)]
pub struct Reservation {
    pub slot: Slot,
    pub stage: Stage,
    pub seats: Seats,
    /// How many people come.
    pub people: u8,
    pub until: i64,
    pub cap: i64,
    pub extended: bool,
    /// The entry of the waitlist it was offered to.
    pub entry: Option<usize>,
    /// Who placed it.
    pub who: Option<usize>,
    /// What it costs, what is there of it, and what a cancellation keeps.
    pub price: i64,
    pub kept: i64,
    pub retained: i64,
    /// The equal slot that is offered for late money, and until when.
    pub offer: Option<(Slot, i64)>,
    /// Until when it may be moved or cancelled for nothing, because the branch offered that.
    pub free_until: Option<i64>,
    /// Whether something had been paid when it was last moved: then the rest may wait.
    pub rest_waits: bool,
    /// How often it was moved.
    pub moves: u8,
    /// The deadline of a transfer.
    pub pay_by: Option<i64>,
    pub coupon: Option<usize>,
}

impl Reservation {
    /// Held from now on.
    pub const fn held(slot: Slot, seats: Seats, people: u8, until: i64, cap: i64) -> Self {
        Self {
            slot,
            stage: Stage::Held,
            seats,
            people,
            until,
            cap,
            extended: false,
            entry: None,
            who: None,
            price: 0,
            kept: 0,
            retained: 0,
            offer: None,
            free_until: None,
            rest_waits: false,
            moves: 0,
            pay_by: None,
            coupon: None,
        }
    }

    /// When time ends something about it.
    pub fn due(&self) -> Option<i64> {
        match self.stage {
            Stage::Held => Some(self.until),
            Stage::Placed if !self.is_paid() && !self.rest_waits => self.pay_by,
            Stage::Expired => self.offer.map(|(_, until)| until),
            Stage::Lapsed
            | Stage::Released
            | Stage::Placed
            | Stage::Attended
            | Stage::NoShow
            | Stage::Cancelled => None,
        }
    }

    pub fn is_due(&self, now: i64) -> bool {
        self.due().is_some_and(|due| now >= due)
    }

    pub const fn is_paid(&self) -> bool {
        self.kept >= self.price
    }

    /// What must go back: too much, or what an end leaves over; nothing while an equal slot is offered for it.
    pub fn due_back(&self) -> i64 {
        let stays = match self.stage {
            Stage::Held | Stage::Lapsed | Stage::Released => return 0,
            Stage::Placed | Stage::Attended | Stage::NoShow => self.price,
            Stage::Cancelled => self.retained,
            Stage::Expired if self.offer.is_some() => return 0,
            Stage::Expired => 0,
        };
        (self.kept - stays).max(0)
    }

    /// Whether its places are its own.
    pub const fn counts(&self) -> bool {
        matches!(self.stage, Stage::Placed | Stage::Attended | Stage::NoShow)
    }

    /// Why it says no to what does not fit its stage.
    pub const fn in_the_way(&self) -> &'static str {
        match self.stage {
            Stage::Held => "reservation/not-placed",
            Stage::Lapsed => "reservation/hold-lapsed",
            Stage::Released => "reservation/hold-released",
            Stage::Placed => "reservation/already-placed",
            Stage::Attended => "reservation/attended",
            Stage::NoShow => "reservation/no-show",
            Stage::Cancelled => "reservation/cancelled",
            Stage::Expired => "reservation/expired",
        }
    }
}

/// Refuses unless it is at this stage.
pub fn stage(reservation: &Reservation, stage: Stage) -> Outcome {
    if reservation.stage == stage {
        Ok(())
    } else {
        Err(reservation.in_the_way())
    }
}

/// Refuses unless it is held, and its time not up.
pub const fn running(reservation: &Reservation, now: i64) -> Outcome {
    match reservation.stage {
        Stage::Held if now >= reservation.until => Err("reservation/hold-lapsed"),
        Stage::Held => Ok(()),
        Stage::Lapsed
        | Stage::Released
        | Stage::Placed
        | Stage::Attended
        | Stage::NoShow
        | Stage::Cancelled
        | Stage::Expired => Err(reservation.in_the_way()),
    }
}
