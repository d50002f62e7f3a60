//! A reservation of the model: its stage, its money in places and single won, and why it says no.

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
    pub until: i64,
    pub cap: i64,
    pub extended: bool,
    /// For how many places was paid, each of which costs the same, and how many times one won more than that.
    pub paid_for: usize,
    pub won: usize,
    /// Whether something had been paid when it was last moved: then the rest may wait.
    pub rest_waits: bool,
    /// How often it was moved.
    pub moves: u8,
    /// The deadline of a transfer.
    pub pay_by: Option<i64>,
    pub coupon: Option<usize>,
}

impl Reservation {
    pub fn due(&self) -> Option<i64> {
        match self.stage {
            Stage::Held => Some(self.until),
            Stage::Placed if !self.is_paid() && !self.rest_waits => self.pay_by,
            Stage::Lapsed
            | Stage::Released
            | Stage::Placed
            | Stage::Attended
            | Stage::NoShow
            | Stage::Cancelled
            | Stage::Expired => None,
        }
    }

    /// How many places it pays for; a room is one.
    pub fn places(&self) -> usize {
        match self.slot {
            Slot::Screening => self.seats.numbers().count(),
            Slot::Session => 1,
        }
    }

    pub fn is_paid(&self) -> bool {
        self.paid_for >= self.places()
    }

    /// Why it says no to what does not fit its stage.
    pub fn in_the_way(&self) -> &'static str {
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
pub fn running(reservation: &Reservation, now: i64) -> Outcome {
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
