//! Proof that `verify` finds what must never be on a waitlist (I8), in the log and in its read model.

use std::sync::Arc;

use aggregates::{ids::TimeSlotId, pricing::Party, waitlist::Crowd};
use jari::{booking::Joining, verify::Violation};

use super::sales::{assert_proved, caught_up, follow, proved, superuser};
use crate::support::{
    database,
    shop::{Shop, guest, number},
};

pub async fn join(shop: &Shop, time_slot: TimeSlotId, person: u16) {
    let joining = Joining {
        time_slot,
        party: Party::Group { size: 2 },
        name: "김하늘".parse().unwrap(),
        phone: format!("010-1234-{person:04}").parse().unwrap(),
        language: None,
    };
    let id = shop.bookings.next_number();
    shop.bookings
        .join(&guest(id, "Join"), id, &joining, &Crowd::default)
        .await
        .unwrap();
}

/// A room that was freed and offered to the first of three, and all models at the end of the log.
async fn waited(database: &database::TestDatabase) -> Arc<Shop> {
    let shop = Arc::new(Shop::open(&database.owner(), 2, 4).await);
    let slot = shop.session().await;
    let held = number(&shop.hold_room(slot).await.unwrap());
    let projections = follow(&shop);
    for person in 1..=3 {
        join(&shop, slot, person).await;
    }
    shop.bookings
        .release(&guest(held, "Release"), held)
        .await
        .unwrap();
    caught_up(&projections, &shop.store).await;
    projections.close().await;
    shop
}

/// What is found after this was done to the database.
async fn found(sql: &str) -> Option<Violation> {
    let database = database::fresh().await;
    let shop = waited(&database).await;
    let mut db = superuser(&database.owner()).await;
    let sql = format!("set session_replication_role = replica; set search_path = read_models, public; {sql}");
    sqlx::raw_sql(&sql).execute(&mut db).await.unwrap();
    proved(&shop).await.violation
}

async fn assert_found(invariant: &str, part: &str, sql: &str) {
    let violation = found(sql)
        .await
        .unwrap_or_else(|| panic!("nothing was found after: {sql}"));
    assert_eq!(violation.invariant, invariant, "{violation} after: {sql}");
    assert!(violation.sentence.contains(part), "{violation} after: {sql}");
}

#[tokio::test]
async fn a_waitlist_as_it_should_be_is_proved_whole() {
    let database = database::fresh().await;
    let shop = waited(&database).await;
    assert_proved(&shop).await;
}

#[tokio::test]
async fn a_line_that_was_changed_behind_its_back_is_found() {
    for model in ["waitlist_queue", "waitlist_queue_history"] {
        let one = format!("ctid = (select min(ctid) from {model})");
        assert_found(
            "I4",
            "waitlist_queue",
            &format!("delete from {model} where {one}"),
        )
        .await;
        let bend = format!("update {model} set state = 'left' where {one}");
        assert_found("I4", "waitlist_queue", &bend).await;
    }
}

/// One more event on the waitlist.
fn next(name: &str, payload: &str) -> String {
    format!(
        "insert into events select 'waitlist', aggregate_id, max(sequence) + 1, 'Waitlist{name}', '1.0', {payload}, '{{}}',
         (select max(position) + 1 from events), (select max(recorded_at) from events)
         from events where aggregate_type = 'waitlist' group by aggregate_id"
    )
}

/// The entry that joined as this one, from 0.
fn entry(number: u8) -> String {
    format!(
        "(select payload->'Joined'->>'entry' from events where event_type = 'WaitlistJoined'
          order by position offset {number} limit 1)"
    )
}

fn about(number: u8, variant: &str, more: &str) -> String {
    let entry = entry(number);
    format!("json_build_object('{variant}', json_build_object('entry', {entry}{more}))")
}

const SEATS: &str = ", 'seats', json_build_array('room'), 'until', '2199-01-01T00:00:00Z'";
const ELSEWHERE: &str = ", 'seats', json_build_array('den'), 'until', '2199-01-01T00:00:00Z'";

#[tokio::test]
async fn a_place_offered_twice_or_to_who_is_not_first_is_found() {
    let twice = next("Offered", &about(1, "Offered", SEATS));
    assert_found("I8", "is offered twice", &twice).await;
    let overtaken = next("Offered", &about(2, "Offered", ELSEWHERE));
    assert_found("I8", "was overtaken by", &overtaken).await;
    let not_held = next("Offered", &about(1, "Offered", ELSEWHERE));
    assert_found("I8", "is not held for it", &not_held).await;
    let again = next("Offered", &about(0, "Offered", ELSEWHERE));
    assert_found("I8", "what it does not wait for", &again).await;
}

#[tokio::test]
async fn an_offer_that_was_never_made_or_never_settled_is_found() {
    assert_found("I8", "did not have", &next("Accepted", &about(1, "Accepted", ""))).await;
    let stranger = "json_build_object('Declined', json_build_object('entry', '77'))";
    assert_found("I8", "does not wait", &next("Declined", stranger)).await;
    let ended = next("Ended", &about(0, "Ended", ", 'why', 'withdrawn'"));
    assert_found("I8", "while its offer ran", &ended).await;
    // Released, and the room passed on record, but the offer runs on.
    let entry = entry(0);
    let released = format!(
        "insert into events select 'reservation', {entry}, 2, 'ReservationReleased', '1.0', '\"Released\"', '{{}}',
         (select max(position) + 1 from events), (select max(recorded_at) from events)"
    );
    let seat = "insert into events select aggregate_type, aggregate_id, sequence + 1, 'SeatReleased', '1.0',
         json_build_object('Released', payload->'Held'), '{}', (select max(position) + 1 from events),
         (select max(recorded_at) from events) from events where event_type = 'SeatHeld' order by position desc limit 1";
    let passed = next(
        "Passed",
        "json_build_object('Passed', json_build_object('seats', json_build_array('room'), 'why', 'no_fit'))",
    );
    let unsettled = format!("{released}; {seat}; {passed}");
    assert_found("I8", "was not settled", &unsettled).await;
    let silent = "update events set event_type = 'WaitlistPassed',
           payload = json_build_object('Passed', json_build_object('seats', json_build_array(), 'why', 'no_fit'))
         where event_type = 'WaitlistOffered'";
    assert_found("I8", "was freed and not offered", silent).await;
    let held = "insert into events select 'seat', split_part(aggregate_id, ':', 1) || ':den', 1, event_type, '1.0',
         '{\"Held\":{\"by\":\"77\"}}', '{}', (select max(position) + 1 from events), (select max(recorded_at) from events)
         from events where event_type = 'SeatHeld' order by position desc limit 1;
         insert into events select 'reservation', '77', 1, event_type, '1.0',
         replace(payload::text, '\"room\"', '\"den\"')::json, '{}', (select max(position) + 1 from events),
         (select max(recorded_at) from events) from events where event_type = 'ReservationHeld' order by position desc limit 1";
    assert_found("I8", "an offer that was not made", held).await;
}

#[tokio::test]
async fn a_freed_place_that_nobody_was_told_of_or_that_was_told_of_twice_is_found() {
    let unblocked = |sequence: u8, event: &str, payload: &str| {
        format!(
            "insert into events select 'seat', aggregate_id || ':den', {sequence}, 'Seat{event}', '1.0', '{payload}', '{{}}',
             (select max(position) + 1 from events), (select max(recorded_at) from events)
             from events where event_type = 'WaitlistOffered'"
        )
    };
    let blocked = unblocked(1, "Blocked", r#"{"Blocked":{"reason":null}}"#);
    let freed = format!("{blocked}; {}", unblocked(2, "Unblocked", r#""Unblocked""#));
    assert_found("I8", "was freed and not offered", &freed).await;
    let passed = next(
        "Passed",
        "json_build_object('Passed', json_build_object('seats', json_build_array('den'), 'why', 'no_fit'))",
    );
    assert_found("I8", "offered 2 times", &format!("{freed}; {passed}; {passed}")).await;
}
