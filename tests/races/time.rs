//! Holds and time (DOMAIN H1, I7): never lapsed early, soon after, all of them, and a lapsed seat is free at once.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::Call,
    house::{Sale, label},
    log::Log,
    waiting::eventually,
};

/// The advisory lock by which one process at a time is the deadlines policy: who has it keeps the policy asleep.
const POLICY_LOCK: i64 = 0x6a61_7269_0001;
/// Generous: a lapse is recorded within a second on an idle machine.
const LAPSE_MAX: Duration = Duration::from_secs(30);
/// Lapses of the ordinary run; `JARI_CAMPAIGN=full cargo test --test all lapses_due_in_one_moment` takes 5,000.
const LAPSES: i32 = 1_000;

/// Holds written into the log as another program would write them: `count` seats, until a moment of the test's choosing.
const HOLD: &str = "
    with hold as (
      select n, (3000000000 + n)::text as number, 'H' || n as seat from generate_series(1, $2::int) n
    ), events as (
      select n, 1 as part, 'seat' as kind, $1 || ':' || seat as id, 'SeatHeld' as name,
             json_build_object('Held', json_build_object('by', number)) as payload
        from hold
      union all
      select n, 2, 'reservation', number, 'ReservationHeld',
             json_build_object('Held', json_build_object('time_slot', $1, 'until', $3::text, 'cap', $3::text,
               'choice', json_build_object('seats', json_build_array(seat),
                 'party', json_build_object('persons', json_build_object('adult', 1, 'teen', 0, 'senior', 0,
                                                                         'preferential', 0)),
                 'quote', json_build_object('currency', 'KRW', 'lines', json_build_array(), 'total', 0))))
        from hold
    )
    insert into public.events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
    select kind, id, 1, name, '1.0', payload, json_build_object('request_id', 'written-' || n)
      from events order by n, part";

async fn write_holds(field: &Field, slot: Uuid, count: i32, until: Timestamp) {
    let client = field.database.client().await;
    let written = client
        .execute(HOLD, &[&slot.to_string(), &count, &until.to_string()])
        .await;
    assert_eq!(
        written.expect("the log takes them"),
        u64::try_from(count).expect("not negative") * 2
    );
}

/// Waits until so many holds have lapsed, and tells how long after their time the last was recorded.
async fn all_lapse(field: &Field, count: i64) -> Log {
    let client = field.database.client().await;
    let counting = "select count(*) from public.events where event_type = 'ReservationLapsed'";
    eventually("every hold lapses", || async {
        let lapsed: i64 = client.query_one(counting, &[]).await.expect("an answer").get(0);
        (lapsed >= count).then_some(())
    })
    .await;
    let log = field.log().await;
    assert_eq!(
        i64::try_from(log.named("ReservationLapsed").count()).expect("few"),
        count
    );
    log
}

fn assert_soon(log: &Log, until: Timestamp) {
    for lapsed in log.named("ReservationLapsed") {
        let late = lapsed.at.duration_since(until);
        assert!(late.unsigned_abs() < LAPSE_MAX, "{late:#} late: {lapsed:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holds_lapse_by_themselves_soon_after_their_time_and_never_before() {
    let field = Field::open(1).await;
    let until = Timestamp::now() + 6.seconds();
    let slot = field
        .house
        .screening(field.api(), 2, 20, Sale::Until(until))
        .await;
    let session = field.house.session(field.api(), Sale::Until(until)).await;
    let mut calls: Vec<Call> = (0..40_u16)
        .map(|seat| Call::hold(slot, &[label(seat / 20, seat % 20 + 1)]))
        .collect();
    calls.push(Call::hold_room(session, 3));
    let holds: Vec<_> = field
        .race(calls)
        .await
        .iter()
        .map(crate::support::api::Answer::hold)
        .collect();
    for hold in &holds {
        assert_eq!(
            hold.expires_at.as_millisecond(),
            until.as_millisecond(),
            "no hold outlives the sale"
        );
    }
    // One of them is placed in time and stays.
    field.api().done(&Call::place(&holds[0], None)).await;
    let log = all_lapse(&field, 40).await;
    assert_soon(&log, until);
    let view = field.api().done(&Call::show(&holds[1])).await.json();
    assert_eq!(
        view["state"].as_str(),
        Some("lapsed"),
        "a lapsed hold stays readable"
    );
    field
        .api()
        .ask(&Call::place(&holds[1], None))
        .await
        .refused(410, "reservation/hold-lapsed");
    assert_eq!(log.named("SeatReserved").count(), 1);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_paid_in_time_expires_and_gives_seats_and_coupon_back() {
    let field = Field::open(2).await;
    let starts_at = Timestamp::now() + 6.seconds();
    let slot = field
        .house
        .screening(field.api(), 2, 10, Sale::UntilItBegins(starts_at))
        .await;
    let mut unpaid = Vec::new();
    for column in 1..=10 {
        let hold = field
            .api()
            .done(&Call::hold(slot, &[label(0, column), label(1, column)]))
            .await
            .hold();
        let coupon = field.house.coupon(field.api()).await;
        field.api().done(&Call::place_unpaid(&hold, &coupon)).await;
        unpaid.push((hold, coupon));
    }
    let (paid, coupon) = unpaid.pop().expect("ten of them");
    let path = format!("/v1/reservations/{}/mark-paid", paid.number);
    field.api().done(&Call::admin(path, serde_json::json!({}))).await;
    eventually("all but the paid one expire", || async {
        let expired = unpaid.iter().map(|(hold, _)| async {
            field.api().done(&Call::show(hold)).await.json()["state"].as_str() == Some("expired")
        });
        futures_util::future::join_all(expired)
            .await
            .into_iter()
            .all(|expired| expired)
            .then_some(())
    })
    .await;
    // The slot has begun, so its seats are of no use to anyone; the coupons are.
    let other = field.house.screening(field.api(), 1, 10, Sale::Long).await;
    let next = field.api().done(&Call::hold(other, &["A1"])).await.hold();
    field.apis[1].done(&Call::place(&next, Some(&unpaid[0].1))).await;
    let used = field.apis[1].done(&Call::hold(other, &["A2"])).await.hold();
    field
        .api()
        .ask(&Call::place(&used, Some(&coupon)))
        .await
        .refused(409, "coupon/already-redeemed");
    let log = field.close().await;
    assert_eq!(log.named("ReservationExpired").count(), 9);
    assert_eq!(log.named("SeatReleased").count(), 18);
    assert_eq!(log.named("CouponRestored").count(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lapsed_seat_goes_to_the_next_who_asks_though_the_policy_sleeps() {
    let field = Field::open(2).await;
    let sleep = field.database.client().await;
    let slot = field.house.screening(field.api(), 10, 20, Sale::Long).await;
    asleep(&field, &sleep).await;
    write_holds(&field, slot, 9, Timestamp::now() - 1.second()).await;
    // Seat H1 to H9 are in the layout too; two hundred want H5, whose hold has run out but not lapsed.
    let answers = field.race(vec![Call::hold(slot, &["H5", "H6"]); 100]).await;
    let granted: Vec<_> = answers.iter().filter(|answer| answer.is_done()).collect();
    assert_eq!(granted.len(), 1);
    for answer in answers.iter().filter(|answer| !answer.is_done()) {
        answer.refused(409, "seat/taken");
    }
    let log = field.log().await;
    let lapsed: Vec<&str> = log
        .named("ReservationLapsed")
        .map(|row| row.meta("request_id"))
        .collect();
    let held: Vec<&str> = log.named("SeatHeld").map(|row| row.meta("request_id")).collect();
    assert_eq!(lapsed.len(), 2, "those two and no others");
    assert!(
        lapsed
            .iter()
            .all(|unit| *unit == lapsed[0] && held.contains(unit)),
        "in the same append"
    );
    drop(sleep);
    all_lapse(&field, 9).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_lapses_due_in_one_moment_are_all_recorded() {
    let lapses = if std::env::var_os("JARI_CAMPAIGN").is_some_and(|size| size == "full") {
        5_000
    } else {
        LAPSES
    };
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 1, 4, Sale::Long).await;
    let until = Timestamp::now() + 4.seconds();
    write_holds(&field, slot, lapses, until).await;
    let log = all_lapse(&field, lapses.into()).await;
    assert_soon(&log, until);
    let last = log.named("ReservationLapsed").last().expect("many").at;
    println!(
        "{lapses} lapses due at once: the last was recorded {:#} after its time",
        last.duration_since(until)
    );
    assert_eq!(
        log.named("SeatReleased").count(),
        usize::try_from(lapses).expect("not negative")
    );
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_that_end_nothing_hide_none_behind_them() {
    let field = Field::open(1).await;
    let slot = field.house.screening(field.api(), 1, 4, Sale::Long).await;
    // More than the policy reads at once, all due before the others: of reservations that never began.
    let client = field.database.client().await;
    let stale = "insert into read_models.open_holds
                 select 4000000000 + n, 'hold', now() - interval '1 hour', 1 from generate_series(1, 2500) n";
    client.execute(stale, &[]).await.expect("they are written");
    write_holds(&field, slot, 4, Timestamp::now() + 1.second()).await;
    all_lapse(&field, 4).await;
    let gone = "delete from read_models.open_holds where reservation > 4000000000";
    client.execute(gone, &[]).await.expect("they are gone");
    field.close().await;
}

/// Nobody is the policy while this connection lives.
async fn asleep(field: &Field, client: &tokio_postgres::Client) {
    let _ = field;
    eventually("the policy sleeps", || async {
        let taken = client
            .query_one("select pg_try_advisory_lock($1)", &[&POLICY_LOCK])
            .await
            .expect("an answer");
        if taken.get::<_, bool>(0) {
            return Some(());
        }
        // Whoever leads now loses the lock with its connection, and the next look may be ours.
        let cut = "select pg_terminate_backend(pid) from pg_locks
                    where locktype = 'advisory' and classid::bigint << 32 | objid::bigint = $1 and granted
                      and database = (select oid from pg_database where datname = current_database())";
        client.execute(cut, &[&POLICY_LOCK]).await.expect("an answer");
        None
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_past_is_the_same_on_whichever_server_it_is_asked_for() {
    let field = Field::open(2).await;
    let slot = field.house.screening(field.api(), 2, 10, Sale::Long).await;
    for seat in 1..=20_u16 {
        let label = label((seat - 1) / 10, (seat - 1) % 10 + 1);
        let held = field.apis[0].done(&Call::hold(slot, &[&label])).await;
        let position = held.position.expect("a command has a position");
        let at = |position: i64| Call::get(format!("/v1/time-slots/{slot}/seat-map?position={position}"));
        // Asked for before the other server's read model can have followed.
        let map = field.apis[1].done(&at(position)).await.json();
        assert_eq!(map["position"], position);
        assert_eq!(
            map["seats"].as_array().map(Vec::len),
            Some(usize::from(seat)),
            "{map}"
        );
        let ahead = field.apis[1].ask(&at(position + 1_000_000)).await;
        ahead.refused(400, "request/malformed-query");
    }
    field.close().await;
}
