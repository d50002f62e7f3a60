//! How sequences are made: anything in any order, now and then after a beginning that chance alone would rarely find. Never
//! knows what is answered.

use proptest::prelude::*;

use super::ask::{Ask, By, COUPONS, DRAWN, PEOPLE, SEATS, SINGLE, Seats, Slot, Told};

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
    (starts_in, 0..20_u8, hold(), asks).prop_map(move |(starts_in, beginning, first, asks)| {
        // Somebody comes first: there is little to ask of nobody.
        let mut all = match beginning {
            0 => absentees(starts_in),
            1 => latecomer(Ask::TakeSlot(BEFORE)),
            2 => crowd(),
            3 => hesitant(),
            4 => forgiven(),
            5 => undecided(),
            6 => latecomer(Ask::RefuseSlot(BEFORE)),
            _other => vec![first],
        };
        all.extend(asks);
        all.retain(|ask| with_time || !matches!(ask, Ask::Pass(_)));
        Sequence { starts_in, asks: all }
    })
}

/// The last reservation, and the one before.
const LAST: usize = 0;
const BEFORE: usize = 5;

const fn place(which: usize, who: usize, on_site: bool) -> Ask {
    Ask::Place {
        which,
        who,
        coupon: None,
        on_site,
    }
}

/// Somebody who misses two screenings and wants to play a game.
fn absentees(starts_in: i64) -> Vec<Ask> {
    let held = |seats| Ask::Hold { seats: Seats(seats) };
    let game = Ask::HoldRoom {
        slot: Slot::Later,
        size: 2,
    };
    vec![
        held(1),
        place(LAST, 0, true),
        held(2),
        place(LAST, 0, true),
        Ask::Pass(starts_in),
        Ask::MarkNoShow(LAST),
        Ask::MarkNoShow(BEFORE),
        game,
        place(LAST, 0, true),
    ]
}

/// Somebody whose money comes when others have the room.
fn latecomer(then: Ask) -> Vec<Ask> {
    let room = || Ask::HoldRoom {
        slot: Slot::Session,
        size: 2,
    };
    let paid = Ask::MarkPaid {
        which: BEFORE,
        wrong: false,
    };
    vec![room(), place(LAST, 1, false), Ask::Pass(30), room(), paid, then]
}

/// A full row and a line of people who want some of it.
fn crowd() -> Vec<Ask> {
    let held = |seats| Ask::Hold { seats: Seats(seats) };
    let join = |count, who| Ask::Join {
        slot: Slot::Screening,
        count,
        who,
    };
    vec![
        held(0b0000_0111),
        held(0b0011_1000),
        held(0b1100_0000),
        join(3, 0),
        join(1, 1),
        join(2, 2),
        Ask::Release(LAST),
    ]
}

/// Somebody who waits for a room and answers too late.
fn hesitant() -> Vec<Ask> {
    let slot = Slot::Session;
    vec![
        Ask::HoldRoom { slot, size: 2 },
        Ask::Join {
            slot,
            count: 3,
            who: 4,
        },
        Ask::Release(LAST),
        Ask::Pass(10),
        Ask::Accept(LAST),
    ]
}

/// Somebody whose money comes late, and nobody else came meanwhile.
fn forgiven() -> Vec<Ask> {
    let room = Ask::HoldRoom {
        slot: Slot::Session,
        size: 3,
    };
    let paid = Ask::MarkPaid {
        which: LAST,
        wrong: false,
    };
    vec![
        room,
        place(LAST, 2, false),
        Ask::Pass(30),
        Ask::EndDue(LAST),
        paid,
    ]
}

/// Money that nobody knows the reason of, sent back, and then the right amount.
fn undecided() -> Vec<Ask> {
    let deposit = |more| Ask::Deposit {
        which: LAST,
        more,
        told: Told::default(),
    };
    let matched = Ask::MatchDeposit {
        deposit: LAST,
        which: LAST,
    };
    vec![
        Ask::Hold {
            seats: Seats(0b0001_1000),
        },
        place(LAST, 3, false),
        deposit(true),
        Ask::ReturnDeposit(LAST),
        matched,
        deposit(false),
        Ask::ReturnDeposit(LAST),
    ]
}

/// Neighbours, so that wishes meet; sometimes none, sometimes too many.
fn seats() -> impl Strategy<Value = Seats> {
    (0..SEATS, 0..5_u32).prop_map(|(first, count)| Seats(spread(first, count)))
}

fn spread(first: usize, count: u32) -> u16 {
    let first = u32::try_from(first).unwrap_or(0);
    (0..count).fold(0, |seats, next| seats | u16::from(1_u8.rotate_left(first + next)))
}

fn session() -> impl Strategy<Value = Slot> {
    prop_oneof![3 => Just(Slot::Session), 1 => Just(Slot::Later)]
}

fn slot() -> impl Strategy<Value = Slot> {
    prop::sample::select(Slot::EACH.to_vec())
}

fn hold() -> impl Strategy<Value = Ask> {
    prop_oneof![
        3 => seats().prop_map(|seats| Ask::Hold { seats }),
        2 => (session(), 1..6_u8).prop_map(|(slot, size)| Ask::HoldRoom { slot, size }),
    ]
}

fn which() -> impl Strategy<Value = usize> {
    0..=DRAWN
}

fn ask() -> impl Strategy<Value = Ask> {
    let minutes = prop::sample::select(vec![1_i64, 9, 10, 11, 15, 20, 30, 60, 12 * 60]);
    prop_oneof![
        12 => hold(),
        22 => with_a_hold(),
        24 => with_a_reservation(),
        16 => with_money(),
        14 => waiting(),
        14 => of_staff(),
        3 => (0..4_usize).prop_map(Ask::Again),
        6 => minutes.prop_map(Ask::Pass),
    ]
}

fn with_a_hold() -> impl Strategy<Value = Ask> {
    let coupon = prop::option::weighted(0.4, 0..=COUPONS);
    prop_oneof![
        3 => which().prop_map(Ask::Extend),
        5 => (which(), seats()).prop_map(|(which, seats)| Ask::Change { which, seats }),
        4 => which().prop_map(Ask::Release),
        4 => which().prop_map(Ask::Revive),
        12 => (which(), 0..PEOPLE, coupon, any::<bool>()).prop_map(|(which, who, coupon, on_site)| {
            Ask::Place { which, who, coupon, on_site }
        }),
    ]
}

fn with_a_reservation() -> impl Strategy<Value = Ask> {
    let by = prop::sample::select(vec![By::Customer, By::Customer, By::Staff, By::Branch]);
    let minutes = prop::sample::select(vec![0_i64, 5, 30, 240]);
    prop_oneof![
        1 => which().prop_map(Ask::MarkNotified),
        4 => which().prop_map(Ask::CheckIn),
        1 => which().prop_map(Ask::UndoCheckIn),
        3 => which().prop_map(Ask::MarkNoShow),
        1 => which().prop_map(Ask::MarkAbsent),
        1 => which().prop_map(Ask::LiftBar),
        4 => (which(), by).prop_map(|(which, by)| Ask::Cancel { which, by }),
        2 => (which(), minutes).prop_map(|(which, minutes)| Ask::OfferMove { which, minutes }),
        5 => (which(), seats(), any::<bool>())
            .prop_map(|(which, seats, staff)| Ask::Reschedule { which, seats, staff }),
        5 => which().prop_map(Ask::EndDue),
    ]
}

fn with_money() -> impl Strategy<Value = Ask> {
    let seldom = || prop::bool::weighted(0.2);
    let told = Told::default();
    prop_oneof![
        7 => (which(), seldom()).prop_map(|(which, wrong)| Ask::MarkPaid { which, wrong }),
        4 => (which(), seldom()).prop_map(move |(which, more)| Ask::Deposit { which, more, told }),
        2 => (which(), which()).prop_map(|(deposit, which)| Ask::MatchDeposit { deposit, which }),
        1 => which().prop_map(Ask::ReturnDeposit),
        3 => (which(), seldom()).prop_map(move |(which, more)| Ask::Refund { which, more, told }),
        2 => which().prop_map(Ask::TakeSlot),
        1 => which().prop_map(Ask::RefuseSlot),
    ]
}

fn waiting() -> impl Strategy<Value = Ask> {
    prop_oneof![
        6 => (slot(), 1..6_u8, 0..PEOPLE).prop_map(|(slot, count, who)| Ask::Join { slot, count, who }),
        2 => which().prop_map(Ask::Leave),
        2 => which().prop_map(Ask::Accept),
        2 => which().prop_map(Ask::Decline),
        1 => slot().prop_map(Ask::LookAfter),
    ]
}

fn of_staff() -> impl Strategy<Value = Ask> {
    prop_oneof![
        4 => (0..SEATS).prop_map(Ask::Block),
        4 => (0..SEATS).prop_map(Ask::Unblock),
        2 => slot().prop_map(Ask::Close),
        4 => slot().prop_map(Ask::Reopen),
        1 => slot().prop_map(Ask::Withdraw),
        1 => Just(Ask::CloseDay),
        2 => Just(Ask::ReopenDay),
        2 => (0..SINGLE).prop_map(Ask::Revoke),
        1 => Just(Ask::RevokeBatch),
    ]
}
