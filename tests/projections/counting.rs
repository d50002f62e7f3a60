//! The numbers of a day are the truth: whatever happened, they are what a recount of the log gives.

use std::collections::BTreeMap;

use aggregates::{
    Aggregate as _, Event,
    ids::{BranchId, ReservationId, TimeSlotId},
    pricing::LineItem,
    reservation::{Reservation, ReservationEvent},
    time_slot::{TimeSlot, TimeSlotEvent},
};
use jiff::Timestamp;
use projections::daily_numbers::{BusinessDay, Counts, Money, Show, numbers};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use super::{
    random::{asks, play},
    sales::{app, assert_proved, caught_up, follow},
};
use crate::support::{database, shop::Shop};

/// All there is of a branch, as one day.
const EVER: BusinessDay = BusinessDay {
    from: Timestamp::UNIX_EPOCH,
    before: Timestamp::MAX,
};

type Numbers = BTreeMap<Show, (Counts, Money)>;

/// The numbers of a branch by the events up to a position alone, one aggregate after the other.
async fn recount(shop: &Shop, branch: BranchId, position: i64) -> Numbers {
    let log = shop.store.events(0, 100_000).await.expect("the log");
    let log = log.iter().filter(|recorded| recorded.position <= position);
    let mut slots: BTreeMap<TimeSlotId, (TimeSlot, Show)> = BTreeMap::new();
    let mut reservations: BTreeMap<ReservationId, (Reservation, i64)> = BTreeMap::new();
    for recorded in log {
        if let Event::TimeSlot(event) = &recorded.event {
            let id: TimeSlotId = recorded.stream.id.parse().expect("an id");
            if let TimeSlotEvent::Scheduled { plan } = event
                && plan.branch == branch
            {
                let what = match plan.show {
                    aggregates::time_slot::Show::Movie { movie, .. } => Show::Movie(movie),
                    aggregates::time_slot::Show::Theme { theme, .. } => Show::Theme(theme),
                };
                slots.insert(id, (TimeSlot::default(), what));
            }
            if let Some((slot, _)) = slots.get_mut(&id) {
                slot.apply(event.clone());
            }
        }
        if let Event::Reservation(event) = &recorded.event {
            let id = recorded.stream.id.parse().expect("an id");
            let (reservation, paid) = reservations.entry(id).or_default();
            if let ReservationEvent::Paid { amount, .. } = event {
                *paid += amount.amount;
            }
            if let ReservationEvent::Refunded { amount, .. }
            | ReservationEvent::OfferAccepted { amount, .. } = event
            {
                *paid -= amount.amount;
            }
            reservation.apply(event.clone());
        }
    }
    let mut numbers = Numbers::new();
    for (id, (slot, what)) in &slots {
        let (counts, money) = numbers.entry(*what).or_default();
        let withdrawn = matches!(slot, TimeSlot::Withdrawn(_));
        if withdrawn {
            counts.withdrawn += 1;
        } else {
            counts.slots += 1;
            counts.capacity += i64::from(slot.plan().expect("a plan").show.capacity());
        }
        let of_slot =
            |reservation: &Reservation| reservation.hold().is_some_and(|hold| hold.time_slot == *id);
        for (reservation, paid) in reservations.values().filter(|(it, _)| of_slot(it)) {
            add(counts, money, reservation, *paid, withdrawn);
        }
    }
    numbers
}

fn add(counts: &mut Counts, money: &mut Money, reservation: &Reservation, paid: i64, withdrawn: bool) {
    match reservation {
        Reservation::Blank | Reservation::Held(_) | Reservation::Lapsed(_) | Reservation::Released(_) => {
            return;
        }
        Reservation::Cancelled(_) => {
            counts.cancelled += 1;
            money.paid_for_ended += paid;
            return;
        }
        Reservation::Expired(_) => {
            counts.expired += 1;
            money.paid_for_ended += paid;
            return;
        }
        Reservation::Placed(_) => {}
        Reservation::Attended(_) => counts.attended += 1,
        Reservation::NoShow(_) => counts.no_show += 1,
    }
    let placed = reservation.placed().expect("a placed one");
    let choice = &placed.hold.choice;
    let seats = i64::try_from(choice.seats.len()).expect("few");
    counts.reservations += 1;
    counts.sold += seats;
    counts.occupied += if withdrawn { 0 } else { seats };
    counts.people += i64::from(choice.party.size());
    money.revenue += paid;
    money.due += (placed.placement.quote.total - paid).max(0);
    money.coupons += i64::from(placed.placement.coupon.is_some());
    let lines = &placed.placement.quote.lines;
    let off = lines
        .iter()
        .filter(|line| matches!(line.item, LineItem::Coupon { .. }));
    money.coupons_off -= off.map(|line| line.amount).sum::<i64>();
}

async fn read(shop: &Shop, branch: BranchId, as_of: Option<i64>) -> Numbers {
    let mut db = app(&shop.database).await;
    let shows = numbers(&mut db, branch, &[EVER], as_of).await.expect("numbers");
    let shows = shows.into_iter().map(|show| {
        let money = show
            .money
            .values()
            .copied()
            .fold(Money::default(), |mut sum, money| {
                sum += money;
                sum
            });
        (show.show, (show.counts, money))
    });
    shows.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_numbers_are_a_recount_of_the_log_now_and_at_every_moment_before() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let script = prop::collection::vec(asks(), 80)
            .new_tree(&mut runner)
            .expect("a script")
            .current();
        let database = database::fresh().await;
        let shop = Shop::open(&database.owner(), 2, 5).await;
        let projections = follow(&shop);
        play(&shop, script).await;
        caught_up(&projections, &shop.store).await;
        let end = shop.store.feed().position();
        for branch in [shop.cinema, shop.rooms] {
            let expected = recount(&shop, branch, end).await;
            assert!(!expected.is_empty());
            assert_eq!(read(&shop, branch, None).await, expected);
            for position in (1..=end).rev().step_by(7) {
                let expected = recount(&shop, branch, position).await;
                assert_eq!(
                    read(&shop, branch, Some(position)).await,
                    expected,
                    "as of {position}"
                );
            }
        }
        assert_proved(&shop).await;
        projections.close().await;
    }
}
