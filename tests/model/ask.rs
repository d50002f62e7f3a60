//! What people ask for in a sequence, and how one request is told from another. Never knows what is answered.

use super::business::Business;

/// Seats of the screening, one row side by side.
pub const SEATS: usize = 8;
/// Seats one customer may take.
pub const SEATS_MAX: usize = 3;
/// Coupons that were issued; one more is asked for that never was.
pub const COUPONS: usize = 4;
/// The last of them were issued in bulk, and are used up even if their reservation ends.
pub const SINGLE: usize = 2;
/// People who book; each has a name and a number to call.
pub const PEOPLE: usize = 5;

/// One thing somebody asks for. Which reservation, entry or deposit is meant is drawn first and settled by [`Ask::about`];
/// they are counted in the order they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Hold these seats of the screening.
    Hold {
        seats: Seats,
    },
    /// Hold a session.
    HoldRoom {
        slot: Slot,
        size: u8,
    },
    Extend(usize),
    Change {
        which: usize,
        seats: Seats,
    },
    Release(usize),
    Revive(usize),
    Place {
        which: usize,
        who: usize,
        coupon: Option<usize>,
        on_site: bool,
    },
    MarkPaid {
        which: usize,
        wrong: bool,
    },
    /// Money comes to the branch of a slot: what is due of a reservation, or one won more, from whoever placed it.
    Deposit {
        which: usize,
        more: bool,
        told: Told,
    },
    MatchDeposit {
        deposit: usize,
        which: usize,
    },
    ReturnDeposit(usize),
    /// Give back what is due back, or one won more.
    Refund {
        which: usize,
        more: bool,
        told: Told,
    },
    /// Take the equal slot that is offered for late money.
    TakeSlot(usize),
    /// Want the money back instead.
    RefuseSlot(usize),
    MarkNotified(usize),
    CheckIn(usize),
    UndoCheckIn(usize),
    MarkNoShow(usize),
    /// Time's own command.
    MarkAbsent(usize),
    LiftBar(usize),
    Cancel {
        which: usize,
        by: By,
    },
    /// Offer to move it within so many minutes, because the branch does no business then.
    OfferMove {
        which: usize,
        minutes: i64,
    },
    /// Move it to these seats of the screening.
    Reschedule {
        which: usize,
        seats: Seats,
        staff: bool,
    },
    /// Time's own command.
    EndDue(usize),
    /// Wait for so many seats side by side, or for the room with so many people.
    Join {
        slot: Slot,
        count: u8,
        who: usize,
    },
    Leave(usize),
    Accept(usize),
    Decline(usize),
    /// Time's own command.
    LookAfter(Slot),
    Block(usize),
    Unblock(usize),
    Close(Slot),
    Reopen(Slot),
    Withdraw(Slot),
    /// The cinema does no business on the day of the screening; or does again.
    CloseDay,
    ReopenDay,
    Revoke(usize),
    /// All of those that were issued in bulk.
    RevokeBatch,
    /// The same request as so many before, with the same key.
    Again(usize),
    /// So many minutes pass.
    Pass(i64),
}

/// What is said of money, settled when it is known which reservation is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    pub won: i64,
    pub who: usize,
    pub at_the_cinema: bool,
}

/// Who calls a reservation off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Customer,
    Staff,
    Branch,
}

/// One of the three time slots: a screening, a session, and a later session of the same theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    Screening,
    Session,
    Later,
}

impl Slot {
    pub const EACH: [Self; 3] = [Self::Screening, Self::Session, Self::Later];
}

/// Which places, each once, in order: seats of the screening, or the room of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seats(pub u16);

impl Seats {
    /// Places of all slots together.
    pub const ALL: usize = SEATS + 2;

    /// Their numbers.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (0..Self::ALL).filter(move |seat| self.0 & (1 << seat) != 0)
    }

    pub fn count(self) -> usize {
        self.numbers().count()
    }

    /// All places of a slot.
    pub const fn of(slot: Slot) -> Self {
        match slot {
            Slot::Screening => Self((1 << SEATS) - 1),
            Slot::Session => Self(1 << SEATS),
            Slot::Later => Self(1 << (SEATS + 1)),
        }
    }
}

impl std::fmt::Debug for Seats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.numbers()).finish()
    }
}

/// An index that nothing has.
const NOBODY: usize = usize::MAX;
/// So many indices are drawn; the last one is nobody's.
pub const DRAWN: usize = 24;

/// Rather one of the last of those that have begun.
const fn settled(drawn: usize, begun: usize) -> usize {
    if begun == 0 || drawn == DRAWN {
        NOBODY
    } else {
        begun - 1 - (drawn * drawn / DRAWN) % begun
    }
}

impl Ask {
    /// The same about something that has begun, now that it is known how much has.
    pub fn about(&self, business: &Business) -> Self {
        let mut ask = self.clone();
        let (begun, entries, deposits) = (
            business.reservations.len(),
            business.entries.len(),
            business.deposits.len(),
        );
        match &mut ask {
            Self::Extend(which)
            | Self::Release(which)
            | Self::Revive(which)
            | Self::TakeSlot(which)
            | Self::RefuseSlot(which)
            | Self::MarkNotified(which)
            | Self::CheckIn(which)
            | Self::UndoCheckIn(which)
            | Self::MarkNoShow(which)
            | Self::MarkAbsent(which)
            | Self::LiftBar(which)
            | Self::EndDue(which)
            | Self::Change { which, .. }
            | Self::Place { which, .. }
            | Self::MarkPaid { which, .. }
            | Self::OfferMove { which, .. }
            | Self::Reschedule { which, .. }
            | Self::Cancel { which, .. } => *which = settled(*which, begun),
            Self::Deposit { which, more, told } => {
                *which = settled(*which, begun);
                *told = business.due_of(*which, *more);
            }
            Self::Refund { which, more, told } => {
                *which = settled(*which, begun);
                *told = business.due_back_of(*which, *more);
            }
            Self::MatchDeposit { deposit, which } => {
                *which = settled(*which, begun);
                *deposit = settled(*deposit, deposits);
            }
            Self::ReturnDeposit(deposit) => *deposit = settled(*deposit, deposits),
            Self::Leave(entry) | Self::Accept(entry) | Self::Decline(entry) => {
                *entry = settled(*entry, entries);
            }
            Self::Hold { .. }
            | Self::HoldRoom { .. }
            | Self::Join { .. }
            | Self::LookAfter(_)
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Withdraw(_)
            | Self::CloseDay
            | Self::ReopenDay
            | Self::Revoke(_)
            | Self::RevokeBatch
            | Self::Again(_)
            | Self::Pass(_) => {}
        }
        ask
    }
}
