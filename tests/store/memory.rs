//! The log in memory and the one in PostgreSQL give the same answers to the same script.

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    seat::{Seat, SeatCommand, SeatError},
};
use jari::store::{IdempotencyKey, Request, Stop, Store};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use uuid::Uuid;

use super::harness::{open, request, vault};
use crate::support::database;

const SEATS: usize = 4;

/// One step of a script: somebody does something to some seats, perhaps with a key.
#[derive(Debug, Clone)]
struct Step {
    who: i64,
    seats: Vec<usize>,
    release: bool,
    key: Option<u8>,
}

fn step() -> impl Strategy<Value = Step> {
    let seats = proptest::collection::vec(0..SEATS, 1..=3);
    let parts = (1..4_i64, seats, any::<bool>(), proptest::option::of(0..6_u8));
    parts.prop_map(|(who, seats, release, key)| Step {
        who,
        seats,
        release,
        key,
    })
}

/// What can be compared of an answer.
type Seen = Result<(i64, bool, Vec<(i64, i64, &'static str)>, Vec<Option<Seat>>), Stop<SeatError>>;

/// One step's answer, with positions counted from `start`.
async fn take(store: &Store, seats: &[SeatId], step: &Step, start: i64) -> Seen {
    let by = ReservationId::new(step.who);
    let fingerprint = u8::try_from(step.who).unwrap() * 2 + u8::from(step.release);
    let key = step.key.map(|key| IdempotencyKey {
        // Each script has keys of its own.
        scope: seats[0].time_slot.to_string(),
        key: key.to_string(),
        fingerprint: [fingerprint; 32],
    });
    let request = Request { key, ..request(by) };
    let committed = store
        .run(&request, |mut unit| async move {
            for index in &step.seats {
                let seat = &seats[*index];
                unit.load::<Seat>(seat).await?;
                let command = if step.release {
                    SeatCommand::Release { by }
                } else {
                    SeatCommand::Hold { by }
                };
                unit.execute::<Seat>(seat, command).map_err(Stop::Refused)?;
            }
            Ok(())
        })
        .await?;
    let events = committed
        .events
        .iter()
        .map(|e| (e.position - start, e.sequence, e.event.name()))
        .collect();
    let states = seats
        .iter()
        .map(|seat| committed.state::<Seat>(seat).map(|state| *state))
        .collect();
    Ok((committed.position - start, committed.repeated, events, states))
}

#[test]
fn both_logs_give_the_same_answers_to_the_same_script() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let database = runtime.block_on(database::fresh());
    let real = runtime.block_on(open(&database));
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let script = proptest::collection::vec(step(), 1..25);
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&script, |script| runtime.block_on(compare(&real, &script)));
    outcome.unwrap();
    drop(database);
}

async fn compare(real: &Store, script: &[Step]) -> Result<(), TestCaseError> {
    let memory = Store::in_memory(vault());
    let time_slot = TimeSlotId::new(Uuid::now_v7());
    let seats: Vec<SeatId> = (1..=SEATS)
        .map(|number| SeatId {
            time_slot,
            label: format!("A{number}").parse().unwrap(),
        })
        .collect();
    // The real log already holds the scripts before this one.
    let start = real.feed().position();
    for step in script {
        let expected = take(&memory, &seats, step, 0).await;
        let seen = take(real, &seats, step, start).await;
        prop_assert_eq!(expected, seen);
    }
    Ok(())
}
