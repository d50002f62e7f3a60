//! A seat of one time slot, the thing that is sold: at most one holder at any moment; never looks at the clock.
//!
//! ```text
//!          hold            reserve
//!   Free ───────▶ Held ───────────▶ Reserved
//!    ▲ ◀──────────┘ release             │ release
//!    ├──────────────────────────────────┘
//!    └──▶ Blocked ──▶ Free      (block, unblock)
//! ```
//!
//! Time alone changes nothing: a hold that has run out is released by an event, in the same append in which its
//! reservation lapses. An escape-room slot is a time slot with the one seat `room`, so this rule sells both (DOMAIN C6, E4).

use serde::{Deserialize, Serialize};

use crate::{
    decider::aggregate,
    ids::{ReservationId, SeatId},
    personal::{Personal, sealable},
    refusal::refusals,
    values::Note,
};

/// What can be asked of a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SeatCommand {
    /// Keep it for a reservation that is not placed yet.
    Hold { by: ReservationId },
    /// Give it to the reservation that holds it.
    Reserve { by: ReservationId },
    /// Give it back.
    Release { by: ReservationId },
    /// Take it off sale (staff).
    Block { reason: Option<Note> },
    /// Put it back on sale (staff).
    Unblock,
}

/// What happened to a seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeatEvent {
    /// Kept for a reservation.
    Held { by: ReservationId },
    /// Given to a reservation.
    Reserved { by: ReservationId },
    /// Given back by the reservation that had it.
    Released { by: ReservationId },
    /// Taken off sale.
    Blocked { reason: Option<Personal<Note>> },
    /// Put back on sale.
    Unblocked,
}

/// Why a seat says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeatError {
    /// Somebody else has it.
    #[error("the seat is taken")]
    Taken {
        /// Who has it; for the rule that lets a lapsed hold give way, never shown to others.
        by: ReservationId,
    },
    /// Staff took it off sale.
    #[error("the seat is not for sale")]
    NotForSale,
    /// The hold is gone.
    #[error("the hold on the seat has lapsed")]
    HoldLapsed,
}

refusals! { SeatError:
    Self::Taken { .. } => "seat/taken", Conflict, "Choose another seat; the seat map shows which are free.";
    Self::NotForSale => "seat/not-for-sale", Conflict, "Choose another seat; this one was taken off sale.";
    Self::HoldLapsed => "seat/hold-lapsed", Gone, "Hold the seat again, or revive the reservation.";
}

/// What a seat remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seat {
    /// Anyone may hold it.
    #[default]
    Free,
    /// Kept for a reservation that is not placed yet.
    Held { by: ReservationId },
    /// Sold.
    Reserved { by: ReservationId },
    /// Off sale.
    Blocked,
}

aggregate! {
    Seat = "seat", id: SeatId, command: SeatCommand, event: SeatEvent, error: SeatError,
    stored: "Seat" [Held, Reserved, Released, Blocked, Unblocked],
    personal: |event| match event {
        // Staff may name whoever the seat is kept for.
        SeatEvent::Blocked { reason } => sealable(reason),
        SeatEvent::Held { .. }
        | SeatEvent::Reserved { .. }
        | SeatEvent::Released { .. }
        | SeatEvent::Unblocked => Vec::new(),
    }
}

impl Seat {
    fn rule(&self, command: SeatCommand, _now: jiff::Timestamp) -> Result<Vec<SeatEvent>, SeatError> {
        use Seat::{Blocked, Free, Held, Reserved};
        use SeatCommand::{Block, Hold, Release, Reserve, Unblock};
        match (command, *self) {
            (Hold { by }, Free) => Ok(vec![SeatEvent::Held { by }]),
            (Hold { by }, Held { by: holder }) if by == holder => Ok(vec![]),
            (Hold { .. }, Held { by } | Reserved { by }) => Err(SeatError::Taken { by }),

            (Reserve { by }, Held { by: holder }) if by == holder => Ok(vec![SeatEvent::Reserved { by }]),
            (Reserve { by }, Reserved { by: holder }) if by == holder => Ok(vec![]),
            (Reserve { .. }, Held { by } | Reserved { by }) => Err(SeatError::Taken { by }),
            (Reserve { .. }, Free) => Err(SeatError::HoldLapsed),

            (Release { by }, Held { by: holder } | Reserved { by: holder }) if by == holder => {
                Ok(vec![SeatEvent::Released { by }])
            }
            (Release { .. }, Free | Held { .. } | Reserved { .. } | Blocked) => Ok(vec![]),

            (Block { reason }, Free) => Ok(vec![SeatEvent::Blocked {
                reason: reason.map(Personal::Plain),
            }]),
            (Block { .. }, Held { by } | Reserved { by }) => Err(SeatError::Taken { by }),
            (Block { .. }, Blocked) => Ok(vec![]),

            (Unblock, Blocked) => Ok(vec![SeatEvent::Unblocked]),
            (Unblock, Free | Held { .. } | Reserved { .. }) => Ok(vec![]),

            (Hold { .. } | Reserve { .. }, Blocked) => Err(SeatError::NotForSale),
        }
    }

    fn evolve(&mut self, event: SeatEvent) {
        *self = match event {
            SeatEvent::Held { by } => Self::Held { by },
            SeatEvent::Reserved { by } => Self::Reserved { by },
            SeatEvent::Released { .. } | SeatEvent::Unblocked => Self::Free,
            SeatEvent::Blocked { .. } => Self::Blocked,
        };
    }

    /// Who has it, held or reserved.
    #[must_use]
    pub const fn holder(&self) -> Option<ReservationId> {
        match self {
            Self::Held { by } | Self::Reserved { by } => Some(*by),
            Self::Free | Self::Blocked => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SeatCommand::*, *};
    use crate::decider::testing::given;

    const ALICE: ReservationId = ReservationId::new(1);
    const BOB: ReservationId = ReservationId::new(2);

    fn held(by: ReservationId) -> SeatEvent {
        SeatEvent::Held { by }
    }

    fn reserved(by: ReservationId) -> SeatEvent {
        SeatEvent::Reserved { by }
    }

    fn blocked() -> SeatEvent {
        SeatEvent::Blocked { reason: None }
    }

    #[test]
    fn a_free_seat_can_be_held() {
        given::<Seat>([]).when(Hold { by: ALICE }).then([held(ALICE)]);
    }

    #[test]
    fn a_held_seat_is_taken_for_everyone_else() {
        given::<Seat>([held(ALICE)])
            .when(Hold { by: BOB })
            .refused(&SeatError::Taken { by: ALICE });
        given::<Seat>([held(ALICE)])
            .when(Reserve { by: BOB })
            .refused(&SeatError::Taken { by: ALICE });
        given::<Seat>([held(ALICE)])
            .when(Block { reason: None })
            .refused(&SeatError::Taken { by: ALICE });
    }

    #[test]
    fn holding_again_what_one_holds_changes_nothing() {
        given::<Seat>([held(ALICE)]).when(Hold { by: ALICE }).then([]);
        given::<Seat>([held(ALICE), reserved(ALICE)])
            .when(Reserve { by: ALICE })
            .then([]);
    }

    #[test]
    fn only_the_holder_reserves_and_only_once_held() {
        given::<Seat>([held(ALICE)])
            .when(Reserve { by: ALICE })
            .then([reserved(ALICE)]);
        given::<Seat>([])
            .when(Reserve { by: ALICE })
            .refused(&SeatError::HoldLapsed);
    }

    #[test]
    fn a_reserved_seat_is_taken_even_for_its_own_holder() {
        given::<Seat>([held(ALICE), reserved(ALICE)])
            .when(Hold { by: ALICE })
            .refused(&SeatError::Taken { by: ALICE });
    }

    #[test]
    fn only_the_holder_gives_a_seat_back() {
        given::<Seat>([held(ALICE)])
            .when(Release { by: ALICE })
            .then([SeatEvent::Released { by: ALICE }]);
        given::<Seat>([held(ALICE), reserved(ALICE)])
            .when(Release { by: ALICE })
            .then([SeatEvent::Released { by: ALICE }]);
        given::<Seat>([held(ALICE)]).when(Release { by: BOB }).then([]);
    }

    #[test]
    fn a_blocked_seat_is_not_for_sale_until_it_is_unblocked() {
        given::<Seat>([]).when(Block { reason: None }).then([blocked()]);
        given::<Seat>([blocked()])
            .when(Hold { by: ALICE })
            .refused(&SeatError::NotForSale);
        given::<Seat>([blocked()])
            .when(Reserve { by: ALICE })
            .refused(&SeatError::NotForSale);
        given::<Seat>([blocked()]).when(Block { reason: None }).then([]);
        given::<Seat>([blocked(), SeatEvent::Unblocked])
            .when(Hold { by: ALICE })
            .then([held(ALICE)]);
        given::<Seat>([]).when(Unblock).then([]);
    }

    #[test]
    fn why_a_seat_is_blocked_is_personal() {
        let reason: Note = "김하늘 님 자리".parse().expect("a note");
        let mut blocked = SeatEvent::Blocked {
            reason: Some(Personal::Plain(reason.clone())),
        };
        let reason = Some(reason);
        given::<Seat>([]).when(Block { reason }).then([blocked.clone()]);
        assert_eq!(crate::StoredEvent::personal(&mut blocked).len(), 1);
    }

    #[test]
    fn a_released_seat_is_free_for_the_next() {
        given::<Seat>([held(ALICE), SeatEvent::Released { by: ALICE }])
            .when(Hold { by: BOB })
            .then([held(BOB)]);
    }
}
