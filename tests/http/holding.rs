//! Holds and time, as a customer goes through it (DOMAIN H1): kept, kept longer once, lapsed, taken up again.

use aggregates::{
    Event,
    ids::{ReservationId, SeatId, TimeSlotId},
    ratings::Statement,
    reservation::{Reservation, ReservationCommand, ReservationEvent},
    seat::{Seat, SeatCommand},
};
use jari::{
    booking::{Bookings, Numbers},
    store::{Request, Stop},
    vault::leases::WorkerLease,
};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Call, Hold},
    house::{Sale, label},
    waiting::eventually,
};

/// A worker that no server of a test is.
const WORKER: u16 = 900;
/// A lapse is recorded within this, the usual one.
const USUAL: SignedDuration = SignedDuration::from_secs(1);
/// And no single one later than this, however busy the machine is.
const LATEST: SignedDuration = SignedDuration::from_secs(30);

/// A seat held until a moment of the test's choosing, with the price of `like`: as the program holds it, past the edge, which
/// would choose the moment itself.
async fn held_until(field: &Field, slot: Uuid, seat: &str, like: &Hold, until: Timestamp) -> Hold {
    let (store, time_slot) = (field.store(), TimeSlotId::new(slot));
    let bookings = Bookings::new(store.clone(), Numbers::of(&WorkerLease::fixed(WORKER)));
    let (id, like) = (bookings.next_number(), like.number.parse::<ReservationId>());
    let known = store
        .read::<Reservation>(&like.expect("a number"))
        .await
        .expect("the log");
    let mut choice = known.hold().expect("a hold").choice.clone();
    choice.seats = vec![seat.parse().expect("a label")];
    let place = SeatId {
        time_slot,
        label: choice.seats[0].clone(),
    };
    let request = Request::system("test", "reservations/hold");
    let held = store.run(&request, |mut unit| {
        let (choice, place) = (choice.clone(), place.clone());
        async move {
            let refused = |error: &dyn std::fmt::Display| Stop::Refused(error.to_string());
            unit.load::<Seat>(&place).await?;
            unit.begin::<Reservation>(&id).await?;
            unit.execute::<Seat>(&place, SeatCommand::Hold { by: id })
                .map_err(|error| refused(&error))?;
            let hold = ReservationCommand::Hold {
                time_slot,
                choice,
                until,
                cap: until + 20.minutes(),
                customer: None,
                said: Statement::default(),
            };
            unit.execute::<Reservation>(&id, hold)
                .map_err(|error| refused(&error))
        }
    });
    held.await.expect("it is free");
    Hold {
        number: id.to_string(),
        token: bookings.token(id),
        seats: vec![seat.to_owned()],
        expires_at: until,
    }
}

/// When a hold runs out, as it says itself.
fn until(view: &Value) -> Timestamp {
    let told = view["expires_at"]
        .as_str()
        .unwrap_or_else(|| panic!("no end: {view}"));
    told.parse().expect("a moment")
}

async fn lapses(field: &Field, hold: &Hold) {
    eventually("it lapses", || async {
        let view = field.api.done(&Call::show(hold)).await.json();
        (view["state"] == "lapsed").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_kept_a_while_longer_once_lapses_and_is_taken_up_again() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 1, 6, Sale::Long).await;
    let before = Timestamp::now();
    let hold = api.done(&Call::hold(slot, &["A1", "A2"])).await.hold();
    // Ten minutes from now, and ten more.
    let after = Timestamp::now();
    assert!((before + 10.minutes()..=after + 10.minutes()).contains(&hold.expires_at));
    api.ask(&Call::hold(slot, &["A2", "A3"]))
        .await
        .refused(409, "seat/taken");
    let extended = until(&api.done(&Call::step(&hold, "extend")).await.json());
    let gained = extended.duration_since(hold.expires_at);
    assert_eq!(gained, SignedDuration::from_mins(10), "as far as the cap");
    api.ask(&Call::step(&hold, "extend"))
        .await
        .refused(409, "reservation/already-extended");
    // Given back, it is free at once, and stays readable.
    api.done(&Call::step(&hold, "release")).await;
    let view = api.done(&Call::show(&hold)).await.json();
    assert_eq!(view["state"], "released", "{view}");
    let next = api.done(&Call::hold(slot, &["A2", "A3"])).await;

    // Left alone, it lapses by itself; what it was stays readable, and nothing can be done with it but take it up again.
    let runs_out = Timestamp::now() + 1.second();
    let short = held_until(&field, slot, "A5", &next.hold(), runs_out).await;
    let quoted = api.done(&Call::show(&short)).await.json()["quote"].clone();
    lapses(&field, &short).await;
    let view = api.done(&Call::show(&short)).await.json();
    assert_eq!(
        (&view["seats"], &view["quote"]),
        (&json!(["A5"]), &quoted),
        "{view}"
    );
    for refused in [Call::place(&short, None), Call::step(&short, "extend")] {
        api.ask(&refused).await.refused(410, "reservation/hold-lapsed");
    }
    let revived = api.done(&Call::step(&short, "revive")).await;
    assert_eq!(revived.json()["state"], "held", "{revived}");
    assert_eq!(revived.json()["quote"], quoted, "at the price it had");
    assert!(until(&revived.json()) > runs_out, "for a lifetime more");
    api.ask(&Call::hold(slot, &["A5"]))
        .await
        .refused(409, "seat/taken");
    let position = field.position();
    api.done(&Call::step(&short, "revive")).await;
    assert_eq!(field.position(), position, "a hold that runs needs no revival");
    let placed = api.done(&Call::place(&short, None)).await.json();
    assert_eq!((&placed["state"], &placed["quote"]), (&json!("placed"), &quoted));
    field.assert_sound().await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapsed_hold_whose_seat_somebody_has_meanwhile_is_not_taken_up_again() {
    let field = Field::open().await;
    let api = &field.api;
    let slot = field.house.screening(api, 1, 6, Sale::Long).await;
    let like = api.done(&Call::hold(slot, &["A1", "A2"])).await.hold();
    let short = held_until(&field, slot, "A5", &like, Timestamp::now() + 1.second()).await;
    lapses(&field, &short).await;
    let rival = api.done(&Call::hold(slot, &["A4", "A5"])).await.hold();
    let refused = api.ask(&Call::step(&short, "revive")).await;
    refused.refused(409, "seat/taken");
    assert_eq!(refused.seats(), ["A5"], "it says which");
    let view = api.done(&Call::show(&short)).await.json();
    assert_eq!(view["state"], "lapsed", "{view}");
    // As soon as it is free again, it can be.
    api.done(&Call::step(&rival, "release")).await;
    let revived = api.done(&Call::step(&short, "revive")).await.json();
    assert_eq!(revived["state"], "held", "{revived}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapse_is_recorded_within_a_second_of_its_time() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 2, 10, Sale::Long).await;
    let like = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let mut holds = Vec::new();
    for (place, later) in (1..=9_u16).zip(1..) {
        let until = Timestamp::now() + 2.seconds() + (later * 130).milliseconds();
        holds.push(held_until(&field, slot, &label(1, place), &like, until).await);
    }
    for hold in &holds {
        lapses(&field, hold).await;
    }
    let log = field.log().await;
    let mut late: Vec<SignedDuration> = Vec::new();
    for hold in &holds {
        let lapsed = log.iter().find(|recorded| {
            let is_lapse = matches!(recorded.event, Event::Reservation(ReservationEvent::Lapsed));
            is_lapse && recorded.stream.id.as_str() == hold.number
        });
        let lapsed = lapsed.expect("it lapsed").recorded_at;
        late.push(lapsed.duration_since(hold.expires_at));
    }
    late.sort();
    println!("lapses recorded after their time: {late:?}");
    assert!(late[0] >= SignedDuration::ZERO, "never early: {late:?}");
    assert!(late[late.len() / 2] <= USUAL, "{late:?}");
    assert!(late[late.len() - 1] <= LATEST, "{late:?}");
    field.close().await;
}
