//! Those who wait, against a simple model of the business: whatever happens in whichever order, nobody is overtaken, and no
//! place is free and waited for.

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    ids::{ReservationId, SeatId, TimeSlotId},
    pricing::{Party, Persons},
    reservation::{Canceller, Reservation, ReservationCommand},
    seat::{Seat, SeatCommand},
    waitlist::{Crowd, Leaver, Waitlist, WaitlistCommand, WaitlistEvent},
};
use jari::{
    booking::{Answer, Joining, Places},
    store::{Request, Store, UnitOfWork},
    vault::{MasterSecret, Vault},
    verify::first_violation,
};
use jiff::ToSpan as _;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};

use crate::support::{
    database,
    shop::{Shop, guest, number},
};

/// Seats of the one row.
const SEATS: usize = 6;
/// Sequences that are played.
const SEQUENCES: u32 = 200;

fn adults(adult: u8) -> Party {
    Party::Persons(Persons {
        adult,
        ..Persons::default()
    })
}

/// The entry that joined by this event.
fn entry_of(event: &Event) -> Option<ReservationId> {
    if let Event::Waitlist(WaitlistEvent::Joined { entry, .. }) = event {
        Some(*entry)
    } else {
        None
    }
}

impl Shop {
    /// Asks to wait, as the person with these last digits.
    async fn join(&self, time_slot: TimeSlotId, person: usize, party: Party) -> Answer {
        let joining = Joining {
            time_slot,
            party,
            name: "김하늘".parse().unwrap(),
            phone: format!("010-1234-{person:04}").parse().unwrap(),
            language: None,
        };
        let id = self.bookings.next_number();
        self.bookings
            .join(&guest(id, "Join"), id, &joining, &Crowd::default)
            .await
    }

    async fn joined(&self, time_slot: TimeSlotId, person: usize, party: Party) -> ReservationId {
        let committed = self.join(time_slot, person, party).await.expect("they wait");
        let joined = committed
            .events
            .iter()
            .find_map(|recorded| entry_of(&recorded.event));
        joined.expect("an entry")
    }
}

/// One thing somebody does.
#[derive(Debug, Clone)]
enum Do {
    Join(u8),
    Hold(Vec<usize>),
    Change { which: usize, seats: Vec<usize> },
    Release(usize),
    Place(usize),
    Cancel(usize),
    Leave(usize),
    Accept(usize),
    Decline(usize),
    Block { seat: usize, block: bool },
}

fn doings() -> impl Strategy<Value = Do> {
    let seats = || prop::collection::hash_set(0..SEATS, 1..4).prop_map(|seats| seats.into_iter().collect());
    let which = || 0..12_usize;
    prop_oneof![
        5 => (1..=4_u8).prop_map(Do::Join),
        5 => seats().prop_map(Do::Hold),
        1 => (which(), seats()).prop_map(|(which, seats)| Do::Change { which, seats }),
        4 => which().prop_map(Do::Release),
        3 => which().prop_map(Do::Place),
        3 => which().prop_map(Do::Cancel),
        1 => which().prop_map(Do::Leave),
        1 => which().prop_map(Do::Accept),
        1 => which().prop_map(Do::Decline),
        2 => (0..SEATS, any::<bool>()).prop_map(|(seat, block)| Do::Block { seat, block }),
    ]
}

/// What is free and who waits, as plainly as it can be said.
async fn assert_nobody_waits_for_what_is_free(shop: &Shop, slot: TimeSlotId) {
    let mut free = [false; SEATS];
    for (seat, free) in free.iter_mut().enumerate() {
        let id = SeatId {
            time_slot: slot,
            label: shop.label(seat),
        };
        *free = *shop.store.read::<Seat>(&id).await.unwrap() == Seat::Free;
    }
    let longest = free.split(|free| !free).map(<[bool]>::len).max().unwrap_or(0);
    let waitlist = shop.store.read::<Waitlist>(&slot).await.unwrap();
    for entry in waitlist.waiting() {
        assert!(
            entry.seats() > longest,
            "{entry:?} waits for what is free: {free:?}"
        );
    }
}

/// Asks for everything in turn; refusals are part of the game.
#[expect(clippy::too_many_lines, reason = "one table: what is asked, and how")]
async fn play(script: Vec<Do>) -> Vec<Arc<Recorded>> {
    let store = Store::in_memory(Vault::new(&MasterSecret::new([42; 32])));
    let shop = Shop::in_memory(store, 1, u16::try_from(SEATS).unwrap()).await;
    let slot = shop.screening().await;
    let (mut begun, mut people) = (Vec::<ReservationId>::new(), 0);
    // Full, so that there is something to wait for.
    for seat in 0..SEATS {
        let held = shop.hold(slot, vec![shop.label(seat)]).await.unwrap();
        begun.push(number(&held));
    }
    for doing in script {
        let known = |which: usize| {
            let count = begun.len().max(1);
            begun.get(which % count).copied().unwrap_or(ReservationId::new(1))
        };
        let labels = |seats: &[usize]| seats.iter().map(|seat| shop.label(*seat)).collect::<Vec<_>>();
        let bookings = &shop.bookings;
        let answer = match doing {
            Do::Join(count) => {
                people += 1;
                shop.join(slot, people, adults(count)).await
            }
            Do::Hold(seats) => shop.hold(slot, labels(&seats)).await,
            Do::Change { which, seats } => {
                let (id, places) = (known(which), Places::Seats(labels(&seats)));
                let party = adults(u8::try_from(seats.len()).unwrap());
                bookings
                    .change(&guest(id, "Change"), id, &places, &party, false)
                    .await
            }
            Do::Release(which) => {
                bookings
                    .release(&guest(known(which), "Release"), known(which))
                    .await
            }
            Do::Place(which) => shop.place(known(which), None).await,
            Do::Cancel(which) => {
                let id = known(which);
                bookings
                    .cancel(&guest(id, "Cancel"), id, Canceller::Customer, None)
                    .await
            }
            Do::Leave(which) => {
                let id = known(which);
                bookings
                    .leave(&guest(id, "Leave"), slot, id, Leaver::Customer, None)
                    .await
            }
            Do::Accept(which) => {
                bookings
                    .accept(&guest(known(which), "Accept"), slot, known(which))
                    .await
            }
            Do::Decline(which) => {
                bookings
                    .decline(&guest(known(which), "Decline"), slot, known(which))
                    .await
            }
            Do::Block { seat, block } => {
                let label = shop.label(seat);
                let seat = SeatId {
                    time_slot: slot,
                    label,
                };
                let command = if block {
                    SeatCommand::Block { reason: None }
                } else {
                    SeatCommand::Unblock
                };
                let request = Request::system("test", "Block");
                bookings.work_on_seat(&request, &seat, command).await
            }
        };
        for recorded in answer.into_iter().flat_map(|committed| committed.events) {
            let is_new = recorded.stream.kind == "reservation" && recorded.sequence == 1;
            let held = if is_new {
                recorded.stream.id.parse().ok()
            } else {
                None
            };
            let number = entry_of(&recorded.event).or(held);
            begun.extend(number.filter(|id| !begun.contains(id)));
        }
        assert_nobody_waits_for_what_is_free(&shop, slot).await;
    }
    shop.store.events(0, 100_000).await.unwrap()
}

#[test]
fn whatever_happens_nobody_is_overtaken_and_each_freed_place_is_offered_once() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: SEQUENCES,
        ..Config::default()
    });
    let mut offers = 0;
    for _ in 0..SEQUENCES {
        let script = prop::collection::vec(doings(), 5..40)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let told = format!("{script:?}");
        let log = runtime.block_on(play(script));
        let violation = first_violation(&log);
        assert_eq!(violation, None, "after {told}");
        let offered = |recorded: &&Arc<Recorded>| {
            matches!(recorded.event, Event::Waitlist(WaitlistEvent::Offered { .. }))
        };
        offers += log.iter().filter(offered).count();
    }
    assert!(offers > 50, "only {offers} offers were made");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn an_offer_that_lapses_goes_to_the_next_in_the_same_append() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 1, 3).await;
    let slot = shop.session().await;
    let party = Party::Group { size: 2 };
    let held = shop.hold_room(slot).await.unwrap();
    let first = shop.joined(slot, 1, party).await;
    let second = shop.joined(slot, 2, party).await;
    let request = guest(number(&held), "Release");
    shop.bookings.release(&request, number(&held)).await.unwrap();
    let reservation = shop.store.read::<Reservation>(&first).await.unwrap();
    let offered = reservation.hold().expect("an offer");
    assert!(offered.offered && offered.until == offered.cap);
    assert!(offered.until <= shop.store.now() + 10.minutes());

    // An offer whose time was up a moment ago, as only a clock can make it.
    let slot = shop.session().await;
    shop.hold_room(slot).await.unwrap();
    let late = shop.joined(slot, 1, party).await;
    let next = shop.joined(slot, 2, party).await;
    let room = SeatId {
        time_slot: slot,
        label: aggregates::values::SeatLabel::room(),
    };
    let holder = shop.store.read::<Seat>(&room).await.unwrap().holder().unwrap();
    let choice = offered.choice.clone();
    let run_out = |mut unit: UnitOfWork| {
        let (choice, room) = (choice.clone(), room.clone());
        async move {
            let until = unit.now() - 1.second();
            unit.load::<Seat>(&room).await?;
            unit.load::<Reservation>(&holder).await?;
            unit.load::<Waitlist>(&slot).await?;
            unit.begin::<Reservation>(&late).await?;
            unit.execute::<Reservation>(&holder, ReservationCommand::Release)
                .unwrap();
            unit.execute::<Seat>(&room, SeatCommand::Release { by: holder })
                .unwrap();
            let offer = ReservationCommand::Offer {
                time_slot: slot,
                choice,
                until,
                customer: None,
            };
            unit.execute::<Reservation>(&late, offer).unwrap();
            unit.execute::<Seat>(&room, SeatCommand::Hold { by: late })
                .unwrap();
            let offer = WaitlistCommand::Offer {
                entry: late,
                seats: vec![room.label.clone()],
                until,
            };
            unit.execute::<Waitlist>(&slot, offer).unwrap();
            Ok::<(), jari::store::Stop<()>>(())
        }
    };
    shop.store
        .run(&Request::system("test", "Offer"), run_out)
        .await
        .unwrap();
    let ended = shop
        .bookings
        .end_due(&Request::system("test", "Lapse"), late)
        .await
        .unwrap();
    let names: Vec<&str> = ended
        .events
        .iter()
        .map(|recorded| recorded.event.name())
        .collect();
    for name in [
        "ReservationLapsed",
        "WaitlistLapsed",
        "WaitlistOffered",
        "ReservationHeld",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    let waitlist = shop.store.read::<Waitlist>(&slot).await.unwrap();
    assert!(waitlist.entry(next).is_some_and(|entry| entry.offer.is_some()));
    assert_ne!(second, next);
    let log = shop.store.events(0, 10_000).await.unwrap();
    assert_eq!(first_violation(&log), None);
}

#[tokio::test]
async fn a_hold_that_ran_out_gives_way_to_who_waits_and_not_to_who_passes_by() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 1, 3).await;
    let slot = shop.session().await;
    let holder = shop.bookings.next_number();
    let room = SeatId {
        time_slot: slot,
        label: aggregates::values::SeatLabel::room(),
    };
    // Any session's price will do.
    let other = number(&shop.hold_room(shop.session().await).await.unwrap());
    let choice = shop.store.read::<Reservation>(&other).await.unwrap();
    let choice = choice.hold().expect("a hold").choice.clone();
    let run_out = |mut unit: UnitOfWork| {
        let (choice, room) = (choice.clone(), room.clone());
        async move {
            let until = unit.now() - 1.second();
            unit.load::<Seat>(&room).await?;
            unit.begin::<Reservation>(&holder).await?;
            let hold = ReservationCommand::Hold {
                time_slot: slot,
                choice,
                until,
                cap: until,
                customer: None,
                said: aggregates::ratings::Statement::default(),
            };
            unit.execute::<Reservation>(&holder, hold).unwrap();
            unit.execute::<Seat>(&room, SeatCommand::Hold { by: holder })
                .unwrap();
            Ok::<(), jari::store::Stop<()>>(())
        }
    };
    shop.store.run(&guest(holder, "Hold"), run_out).await.unwrap();
    let entry = shop.joined(slot, 1, Party::Group { size: 2 }).await;
    let refused = shop
        .hold_room(slot)
        .await
        .map(|_| ())
        .expect_err("somebody waits");
    assert!(format!("{refused:?}").contains("SomebodyWaits"), "{refused:?}");
    shop.bookings
        .end_due(&Request::system("test", "Lapse"), holder)
        .await
        .unwrap();
    let waitlist = shop.store.read::<Waitlist>(&slot).await.unwrap();
    assert!(waitlist.entry(entry).is_some_and(|entry| entry.offer.is_some()));
}
