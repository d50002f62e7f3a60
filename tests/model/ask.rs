//! What people ask for in a sequence, and how such sequences are made. Never knows what is answered.

use proptest::prelude::*;

/// Seats of the screening.
pub const SEATS: usize = 8;
/// Seats one customer may take.
pub const SEATS_MAX: usize = 3;
/// Coupons that were issued; one more is asked for that never was.
pub const COUPONS: usize = 2;

/// One thing somebody asks for. Which reservation is meant is drawn first and settled by [`Ask::about`]; they are counted in
/// the order they began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Hold these seats of the screening.
    Hold {
        seats: Seats,
    },
    /// Hold the session.
    HoldRoom {
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
        coupon: Option<usize>,
        on_site: bool,
    },
    MarkPaid {
        which: usize,
        wrong: bool,
    },
    MarkNotified(usize),
    CheckIn(usize),
    MarkNoShow(usize),
    Cancel {
        which: usize,
        staff: bool,
    },
    /// Move it to these seats of the screening.
    Reschedule {
        which: usize,
        seats: Seats,
        staff: bool,
    },
    /// Time's own command.
    EndDue(usize),
    Block(usize),
    Unblock(usize),
    Close(Slot),
    Reopen(Slot),
    Withdraw(Slot),
    Revoke(usize),
    /// The same request as so many before, with the same key.
    Again(usize),
    /// So many minutes pass.
    Pass(i64),
}

/// One of the two time slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    Screening,
    Session,
}

/// Which seats, each once, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seats(pub u8);

impl Seats {
    /// Their numbers.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        (0..SEATS).filter(move |seat| self.0 & (1 << seat) != 0)
    }
}

impl std::fmt::Debug for Seats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.numbers()).finish()
    }
}

/// An index that no reservation has.
const NOBODY: usize = usize::MAX;
/// So many indices are drawn; the last one is nobody's.
const DRAWN: usize = 24;

impl Ask {
    /// The same about one of the reservations that have begun, now that it is known how many.
    pub fn about(&self, begun: usize) -> Self {
        let mut ask = self.clone();
        match &mut ask {
            Self::Extend(which)
            | Self::Release(which)
            | Self::Revive(which)
            | Self::MarkNotified(which)
            | Self::CheckIn(which)
            | Self::MarkNoShow(which)
            | Self::EndDue(which)
            | Self::Change { which, .. }
            | Self::Place { which, .. }
            | Self::MarkPaid { which, .. }
            | Self::Reschedule { which, .. }
            | Self::Cancel { which, .. } => {
                *which = match begun {
                    0 => NOBODY,
                    _begun if *which == DRAWN => NOBODY,
                    // Rather one of the last.
                    begun => begun - 1 - (*which * *which / DRAWN) % begun,
                }
            }
            Self::Hold { .. }
            | Self::HoldRoom { .. }
            | Self::Block(_)
            | Self::Unblock(_)
            | Self::Close(_)
            | Self::Reopen(_)
            | Self::Withdraw(_)
            | Self::Revoke(_)
            | Self::Again(_)
            | Self::Pass(_) => {}
        }
        ask
    }
}

/// What a sequence begins with: in how many minutes the slots start, and what is asked for.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub starts_in: i64,
    pub asks: Vec<Ask>,
}

/// Sequences of at most so many asks; without time, none in which any passes.
pub fn sequences(asks_max: usize, with_time: bool) -> impl Strategy<Value = Sequence> {
    // Near enough that everything closes, further than the tiers, and so far that payments have half a day.
    let starts_in = prop::sample::select(vec![35_i64, 90, 30 * 60]);
    let asks = prop::collection::vec(ask(), 1..asks_max);
    // Somebody comes first: there is little to ask of nobody.
    (starts_in, hold(), asks).prop_map(move |(starts_in, first, mut asks)| {
        asks.insert(0, first);
        asks.retain(|ask| with_time || !matches!(ask, Ask::Pass(_)));
        Sequence { starts_in, asks }
    })
}

/// Neighbours, so that wishes meet; sometimes none, sometimes too many.
fn seats() -> impl Strategy<Value = Seats> {
    (0..SEATS, 0..5_u32).prop_map(|(first, count)| Seats(spread(first, count)))
}

fn hold() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => seats().prop_map(|seats| Ask::Hold { seats }),
        1 => (1..6_u8).prop_map(|size| Ask::HoldRoom { size }),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let which = || 0..=DRAWN;
    let seat = || 0..SEATS;
    let slot = || prop_oneof![Just(Slot::Screening), Just(Slot::Session)];
    let coupon = || prop::option::weighted(0.4, 0..=COUPONS);
    let minutes = prop::sample::select(vec![1_i64, 9, 10, 11, 15, 20, 30, 60, 12 * 60]);
    prop_oneof![
        12 => hold(),
        3 => which().prop_map(Ask::Extend),
        5 => (which(), seats()).prop_map(|(which, seats)| Ask::Change { which, seats }),
        3 => which().prop_map(Ask::Release),
        4 => which().prop_map(Ask::Revive),
        10 => (which(), coupon(), any::<bool>()).prop_map(|(which, coupon, on_site)| Ask::Place {
            which,
            coupon,
            on_site
        }),
        8 => (which(), prop::bool::weighted(0.2)).prop_map(|(which, wrong)| Ask::MarkPaid { which, wrong }),
        2 => which().prop_map(Ask::MarkNotified),
        4 => which().prop_map(Ask::CheckIn),
        4 => which().prop_map(Ask::MarkNoShow),
        4 => (which(), any::<bool>()).prop_map(|(which, staff)| Ask::Cancel { which, staff }),
        5 => (which(), seats(), any::<bool>())
            .prop_map(|(which, seats, staff)| Ask::Reschedule { which, seats, staff }),
        5 => which().prop_map(Ask::EndDue),
        2 => seat().prop_map(Ask::Block),
        2 => seat().prop_map(Ask::Unblock),
        1 => slot().prop_map(Ask::Close),
        2 => slot().prop_map(Ask::Reopen),
        1 => slot().prop_map(Ask::Withdraw),
        1 => (0..COUPONS).prop_map(Ask::Revoke),
        3 => (0..4_usize).prop_map(Ask::Again),
        6 => minutes.prop_map(Ask::Pass),
    ]
}

fn spread(first: usize, count: u32) -> u8 {
    (0..count).fold(0, |seats, next| {
        seats | (1_u8.rotate_left(u32::try_from(first).unwrap_or(0) + next))
    })
}
