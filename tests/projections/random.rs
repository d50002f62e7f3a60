//! Whatever commands come in whichever order: what they were accepted for folds, and obeys the invariants.

use std::sync::Arc;

use aggregates::{
    Recorded,
    ids::{ReservationId, SeatId},
    reservation::{Canceller, ReservationCommand},
    seat::{Seat, SeatCommand},
    time_slot::TimeSlot,
};
use jari::{
    booking::Places,
    store::{Request, Stop, Store},
    vault::{MasterSecret, Vault},
    verify::first_violation,
};
use projections::{
    Former, Put, ReadModel,
    folding::{Batch, Folding},
    for_each_model,
    tuples::Tuples,
};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::json;

use super::sales::{assert_proved, caught_up, follow};
use crate::support::{
    database,
    shop::{Shop, guest, number},
};

/// One thing somebody asks for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Hold { seats: Vec<usize> },
    HoldRoom,
    Extend(usize),
    Change { which: usize, seats: Vec<usize> },
    Release(usize),
    Revive(usize),
    Place { which: usize, coupon: bool },
    Record { which: usize, command: usize },
    Cancel { which: usize, staff: bool },
    EndDue(usize),
    Block { seat: usize, block: bool },
    Slot { verb: usize },
}

pub(super) fn asks() -> impl Strategy<Value = Ask> {
    let seats = || prop::collection::vec(0..10_usize, 1..4);
    let which = || 0..8_usize;
    prop_oneof![
        4 => seats().prop_map(|seats| Ask::Hold { seats }),
        1 => Just(Ask::HoldRoom),
        1 => which().prop_map(Ask::Extend),
        2 => (which(), seats()).prop_map(|(which, seats)| Ask::Change { which, seats }),
        1 => which().prop_map(Ask::Release),
        1 => which().prop_map(Ask::Revive),
        4 => (which(), any::<bool>()).prop_map(|(which, coupon)| Ask::Place { which, coupon }),
        3 => (which(), 0..4_usize).prop_map(|(which, command)| Ask::Record { which, command }),
        2 => (which(), any::<bool>()).prop_map(|(which, staff)| Ask::Cancel { which, staff }),
        1 => which().prop_map(Ask::EndDue),
        1 => (0..10_usize, any::<bool>()).prop_map(|(seat, block)| Ask::Block { seat, block }),
        1 => (0..2_usize).prop_map(|verb| Ask::Slot { verb }),
    ]
}

/// Asks for everything in turn; refusals are part of the game.
#[expect(clippy::too_many_lines, reason = "one table: what is asked, and how")]
pub(super) async fn play(shop: &Shop, script: Vec<Ask>) {
    let (slot, session) = (shop.screening().await, shop.session().await);
    let mut begun: Vec<ReservationId> = Vec::new();
    for ask in script {
        let known = |which: usize| {
            begun
                .get(which % begun.len().max(1))
                .copied()
                .unwrap_or(ReservationId::new(1))
        };
        let labels = |seats: &[usize]| seats.iter().map(|seat| shop.label(*seat)).collect::<Vec<_>>();
        let accepted = match ask {
            Ask::Hold { seats } => shop.hold(slot, labels(&seats)).await.ok(),
            Ask::HoldRoom => shop.hold_room(session).await.ok(),
            Ask::Extend(which) => shop
                .bookings
                .extend(&guest(known(which), "Extend"), known(which))
                .await
                .ok(),
            Ask::Change { which, seats } => {
                let id = known(which);
                let adult = u8::try_from(seats.len()).unwrap();
                let persons = aggregates::pricing::Persons {
                    adult,
                    ..Default::default()
                };
                let party = aggregates::pricing::Party::Persons(persons);
                let places = Places::Seats(labels(&seats));
                let request = guest(id, "Change");
                shop.bookings
                    .change(&request, id, &places, &party, false)
                    .await
                    .ok()
            }
            Ask::Release(which) => shop
                .bookings
                .release(&guest(known(which), "Release"), known(which))
                .await
                .ok(),
            Ask::Revive(which) => shop
                .bookings
                .revive(&guest(known(which), "Revive"), known(which))
                .await
                .ok(),
            Ask::Place { which, coupon } => {
                let coupon = if coupon { Some(shop.coupon().await) } else { None };
                shop.place(known(which), coupon).await.ok()
            }
            Ask::Record { which, command } => {
                let command = [
                    ReservationCommand::Pay(aggregates::reservation::Pay {
                        amount: None,
                        note: None,
                        source: None,
                    }),
                    ReservationCommand::MarkNotified { note: None },
                    ReservationCommand::CheckIn,
                    ReservationCommand::MarkNoShow,
                ][command]
                    .clone();
                shop.bookings
                    .record(&Request::system("test", "Record"), known(which), command)
                    .await
                    .ok()
            }
            Ask::Cancel { which, staff } => {
                let by = if staff {
                    Canceller::Staff
                } else {
                    Canceller::Customer
                };
                shop.bookings
                    .cancel(&guest(known(which), "Cancel"), known(which), by, None)
                    .await
                    .ok()
            }
            Ask::EndDue(which) => shop
                .bookings
                .end_due(&Request::system("test", "Lapse"), known(which))
                .await
                .ok(),
            Ask::Block { seat, block } => {
                let id = SeatId {
                    time_slot: slot,
                    label: shop.label(seat),
                };
                let command = if block {
                    SeatCommand::Block { reason: None }
                } else {
                    SeatCommand::Unblock
                };
                let _ = seat_command(&shop.store, &id, command).await;
                None
            }
            Ask::Slot { verb } => {
                let (verb, body) = [("close", json!({"reason": null})), ("reopen", json!({}))][verb].clone();
                shop.admin::<TimeSlot>(&slot, verb, body).await;
                None
            }
        };
        if let Some(committed) = accepted
            && committed
                .events
                .iter()
                .any(|recorded| recorded.stream.kind == "reservation" && recorded.sequence == 1)
        {
            begun.push(number(&committed));
        }
    }
}

async fn seat_command(store: &Store, id: &SeatId, command: SeatCommand) -> Result<(), Stop<()>> {
    let request = Request::system("test", "Block");
    let done = store.run(&request, |mut unit| {
        let command = command.clone();
        async move {
            unit.load::<Seat>(id).await?;
            unit.execute::<Seat>(id, command).map_err(|_| Stop::Refused(()))
        }
    });
    done.await.map(|_| ())
}

/// Folds everything by one model, whole and event by event: the same rows, and nothing parked.
fn fold<M: ReadModel>(events: &[Arc<Recorded>]) {
    let mut whole = Folding::<M>::keeping_all();
    whole.missing(events);
    let batch = whole.fold(events);
    assert_eq!(batch.parked, [], "{}", M::NAME);
    // One by one, as a rebuild does it, ends in the same states.
    let (mut single, mut one_by_one) = (Folding::<M>::keeping_all(), Batch::default());
    for event in events {
        single.absorb(event, &mut one_by_one);
    }
    let tuples = |former: &[Former<M>], put: &mut Vec<Put<M>>| {
        let mut tuples = Tuples::new();
        for former in former {
            M::former_tuple(&mut tuples, former);
        }
        put.sort_unstable_by_key(|put| put.from);
        for put in put {
            M::tuple(&mut tuples, put);
        }
        tuples.bytes().to_vec()
    };
    let mut rows: Vec<_> = one_by_one.put.drain(..).chain(single.into_rows()).collect();
    let mut put = batch.put;
    assert_eq!(
        tuples(&one_by_one.former, &mut rows),
        tuples(&batch.former, &mut put),
        "{}",
        M::NAME
    );
}

#[test]
fn any_accepted_commands_fold_without_stopping_and_obey_the_invariants() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 60,
        ..Config::default()
    });
    runner
        .run(&prop::collection::vec(asks(), 1..60), |script| {
            let events = runtime.block_on(async {
                let store = Store::in_memory(Vault::new(&MasterSecret::new([42; 32])));
                let shop = Shop::in_memory(store, 2, 5).await;
                play(&shop, script).await;
                shop.store.events(0, 100_000).await.unwrap()
            });
            assert_eq!(first_violation(&events), None);
            macro_rules! fold_all {
                ($($model:ty),+ $(,)?) => { $(fold::<$model>(&events);)+ };
            }
            for_each_model!(fold_all);
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_random_commands_leave_in_the_tables_is_the_fold_of_the_log() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let script = prop::collection::vec(asks(), 60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let database = database::fresh().await;
        let shop = Shop::open(&database.owner(), 2, 5).await;
        let projections = follow(&shop);
        play(&shop, script).await;
        caught_up(&projections, &shop.store).await;
        assert_proved(&shop).await;
        projections.close().await;
    }
}

#[test]
fn an_id_that_names_nothing_of_ours_is_ignored() {
    let recorded = |kind: &str, id: &str| {
        Arc::new(Recorded {
            position: 1,
            recorded_at: jiff::Timestamp::UNIX_EPOCH,
            stream: aggregates::StreamId::stored(kind, id),
            sequence: 1,
            event: aggregates::Event::Foreign,
            metadata: Arc::default(),
        })
    };
    for (kind, id) in [
        ("order", "1"),
        ("seat", "nonsense"),
        ("reservation", "-1"),
        ("coupon", "short"),
        ("branch", ""),
    ] {
        let event = [recorded(kind, id)];
        macro_rules! nothing {
            ($($model:ty),+ $(,)?) => {
                $(if <$model>::NAME != "audit_trail" {
                    assert_eq!(<$model>::key(&event[0]).map(|key| key.to_string()), None, "{}", <$model>::NAME);
                })+
            };
        }
        for_each_model!(nothing);
    }
}
