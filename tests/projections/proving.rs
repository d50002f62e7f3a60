//! Proof: `verify` finds whatever was changed behind the program's back, and nothing where nothing was.

use std::sync::Arc;

use jari::{store::runner::Projections, verify::Violation};
use projections::coupon_list::CouponList;

use super::sales::{assert_proved, caught_up, follow, proved, sell_many, superuser};
use crate::support::{database, shop::Shop};

/// A log with some of everything, all models at its end, and nobody folding any more.
async fn sold(database: &database::TestDatabase) -> Arc<Shop> {
    let shop = Arc::new(Shop::open(&database.owner(), 4, 10).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    sell_many(&shop, slot, 0..10).await;
    shop.hold_room(shop.session().await).await.unwrap();
    caught_up(&projections, &shop.store).await;
    projections.close().await;
    shop
}

/// What is found after this was done to the database.
async fn found(sql: &str) -> Option<Violation> {
    let database = database::fresh().await;
    let shop = sold(&database).await;
    let mut db = superuser(&database.owner()).await;
    // The triggers that keep the log append-only are out of the way.
    let sql = format!("set session_replication_role = replica; set search_path = read_models, public; {sql}");
    sqlx::raw_sql(&sql).execute(&mut db).await.unwrap();
    proved(&shop).await.violation
}

pub(super) async fn assert_found(invariant: &str, part: &str, sql: &str) {
    let violation = found(sql)
        .await
        .unwrap_or_else(|| panic!("nothing was found after: {sql}"));
    assert_eq!(violation.invariant, invariant, "{violation} after: {sql}");
    assert!(violation.sentence.contains(part), "{violation} after: {sql}");
    assert!(violation.position > 0, "{violation}");
}

#[tokio::test]
async fn a_database_as_it_should_be_is_proved_whole() {
    let database = database::fresh().await;
    let shop = sold(&database).await;
    assert_proved(&shop).await;
}

#[tokio::test]
async fn a_row_that_was_changed_added_or_removed_is_found() {
    for model in [
        "seat_map",
        "time_slot_calendar",
        "reservation_list",
        "coupon_list",
        "open_holds",
        "catalogue",
        "daily_numbers",
    ] {
        assert_found(
            "I4",
            model,
            &format!("delete from {model} where ctid = (select min(ctid) from {model})"),
        )
        .await;
        let bend = format!(
            "update {model} set from_position = from_position + 100000 where ctid = (select min(ctid) from {model})"
        );
        assert_found("I4", model, &bend).await;
    }
    assert_found(
        "I4",
        "seat_map",
        "update seat_map set reservation = 7 where label = 'A1'",
    )
    .await;
    assert_found(
        "I4",
        "seat_map",
        "insert into seat_map values (gen_random_uuid(), 'A1', 'held', 7, 1)",
    )
    .await;
    assert_found(
        "I4",
        "time_slot_calendar",
        "update time_slot_calendar set taken = taken - 1 where taken > 1",
    )
    .await;
    assert_found(
        "I4",
        "reservation_list",
        "update reservation_list set phone = '010-0000-0000' where phone is not null",
    )
    .await;
    assert_found("I4", "daily_numbers", "update daily_numbers set paid = paid + 1").await;
    assert_found(
        "I4",
        "audit_trail",
        "update audit_trail set actor_id = 'nobody' where position = 30",
    )
    .await;
    assert_found("I4", "audit_trail", "delete from audit_trail where position = 30").await;
}

#[tokio::test]
async fn a_former_state_that_was_changed_added_or_removed_is_found() {
    for model in [
        "seat_map",
        "time_slot_calendar",
        "reservation_list",
        "coupon_list",
        "open_holds",
        "daily_numbers",
    ] {
        let one = format!("ctid = (select min(ctid) from {model}_history)");
        assert_found("I4", model, &format!("delete from {model}_history where {one}")).await;
        assert_found(
            "I4",
            model,
            &format!("update {model}_history set until_position = until_position + 1 where {one}"),
        )
        .await;
    }
    let added = "insert into seat_map_history values (gen_random_uuid(), 'A1', 'held', 7, 1, 2)";
    assert_found("I4", "seat_map", added).await;
}

#[tokio::test]
async fn a_checkpoint_that_lies_is_found() {
    assert_found(
        "I4",
        "seat_map",
        "update checkpoints set position = position - 3 where model = 'seat_map'",
    )
    .await;
    assert_found(
        "I4",
        "seat_map",
        "update checkpoints set position = position + 3 where model = 'seat_map'",
    )
    .await;
    assert_found(
        "I4",
        "seat_map",
        "update checkpoints set version = 99 where model = 'seat_map'",
    )
    .await;
}

#[tokio::test]
async fn a_log_with_a_gap_a_lost_event_or_a_clock_that_went_back_is_found() {
    let last = "position = (select max(position) from events)";
    assert_found(
        "I5",
        "the event before it",
        "delete from events where position = 30",
    )
    .await;
    assert_found(
        "I5",
        "has sequence",
        &format!("update events set sequence = sequence + 1 where {last}"),
    )
    .await;
    assert_found(
        "I5",
        "recorded at",
        "update events set recorded_at = recorded_at - interval '1 day' where position = 30",
    )
    .await;
    assert_found(
        "I1",
        "is not held by it",
        "update events set event_type = 'SeatReleased' where event_type = 'SeatHeld'",
    )
    .await;
}

#[tokio::test]
async fn a_seat_with_two_holders_or_a_holder_that_does_not_have_it_is_found() {
    let next =
        "insert into events select aggregate_type, aggregate_id, sequence + 1, %1, '1.0', %2, metadata,
                (select max(position) + 1 from events), (select max(recorded_at) from events)
                from events where event_type = 'SeatReserved' order by position limit 1";
    let event = |name: &str, payload: &str| {
        next.replace("%1", &format!("'{name}'"))
            .replace("%2", &format!("'{payload}'"))
    };
    assert_found(
        "I1",
        "was Reserved",
        &event("SeatHeld", r#"{"Held":{"by":"77"}}"#),
    )
    .await;
    assert_found(
        "I1",
        "was Reserved",
        &event("SeatReleased", r#"{"Released":{"by":"77"}}"#),
    )
    .await;
    let free = "insert into events select 'seat', gen_random_uuid()::text || ':A1', 1, 'SeatHeld', '1.0', '{\"Held\":{\"by\":\"77\"}}',
                '{}', (select max(position) + 1 from events), (select max(recorded_at) from events)";
    assert_found("I1", "does not have it", free).await;
    let released = "with seat as (select * from events where event_type = 'SeatReserved' order by position limit 1)
                insert into events select aggregate_type, aggregate_id, sequence + 1, 'SeatReleased', '1.0',
                json_build_object('Released', payload->'Reserved'), '{}', (select max(position) + 1 from events),
                (select max(recorded_at) from events) from seat";
    // Its reservation is touched by the next event only, so that event tells.
    let paid = "insert into events select aggregate_type, aggregate_id, sequence + 1, 'ReservationNotified', '1.0',
                '{\"Notified\":{\"note\":null}}', '{}', (select max(position) + 1 from events), (select max(recorded_at) from events)
                from events where event_type = 'ReservationPlaced' and aggregate_id in (select payload->'Released'->>'by' from events
                where event_type = 'SeatReleased')";
    assert_found("I1", "is not held by it", &format!("{released}; {paid}")).await;
}

#[tokio::test]
async fn a_coupon_redeemed_twice_or_for_nobody_is_found() {
    let next = "insert into events select aggregate_type, aggregate_id, sequence + 1, %1, '1.0', %2, '{}',
                (select max(position) + 1 from events), (select max(recorded_at) from events)
                from events where event_type = %3 order by position limit 1";
    let event = |name: &str, payload: &str, after: &str| {
        let quoted = |text: &str| format!("'{text}'");
        next.replace("%1", &quoted(name))
            .replace("%2", &quoted(payload))
            .replace("%3", &quoted(after))
    };
    let again = event("CouponRedeemed", r#"{"Redeemed":{"by":"77"}}"#, "CouponRedeemed");
    assert_found("I2", "was redeemed by 77 while", &again).await;
    let issued =
        "insert into events select 'coupon', 'ZZZZZZZZ', sequence, event_type, event_version, payload, '{}',
                (select max(position) + 1 from events), (select max(recorded_at) from events)
                from events where event_type = 'CouponIssued' order by position limit 1";
    let nobody = "insert into events select 'coupon', 'ZZZZZZZZ', 2, 'CouponRedeemed', '1.0', '{\"Redeemed\":{\"by\":\"77\"}}', '{}',
                (select max(position) + 1 from events), (select max(recorded_at) from events)";
    assert_found("I2", "does not name it", &format!("{issued}; {nobody}")).await;
}

#[tokio::test]
async fn a_price_that_is_not_the_sum_of_its_lines_is_found() {
    let sql =
        "update events set payload = regexp_replace(payload::text, '\"total\":\\d+', '\"total\":1')::json
                where event_type = 'ReservationHeld'";
    assert_found("I9", "not the sum", sql).await;
}

#[tokio::test]
async fn parked_rows_are_found() {
    assert_found(
        "I4",
        "parked",
        "insert into parked_keys values ('seat_map', 'nobody', 7, 'cannot be folded')",
    )
    .await;
}

#[tokio::test]
async fn a_model_that_stands_still_is_found_if_anybody_should_follow() {
    let database = database::fresh().await;
    let shop = sold(&database).await;
    shop.hold_room(shop.session().await).await.unwrap();
    let report = proved(&shop).await;
    assert_eq!(report.violation, None, "no server runs");
    assert!(report.models.iter().all(|model| model.behind > 0), "{report:?}");
    // A server that was killed leaves its lease behind; whoever lives owns models.
    let mut db = superuser(&database.owner()).await;
    let lease = "insert into vault.worker_leases values (1, gen_random_uuid(), clock_timestamp() + interval '1 hour')";
    sqlx::raw_sql(lease).execute(&mut db).await.unwrap();
    assert_eq!(proved(&shop).await.violation, None, "no server runs any more");
    let mut projections = Projections::none();
    projections.run::<CouponList>(&shop.store, &database.owner().as_app().sqlx());
    let violation = proved(&shop).await.violation.expect("it stands still");
    assert!(violation.sentence.contains("stands still"), "{violation}");
    projections.close().await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn money_that_was_made_lost_or_kept_wrongly_is_found() {
    let row = "insert into events select aggregate_type, aggregate_id, sequence + %1, %2, '1.0', %3, '{}',
                (select max(position) + 1 from events), (select max(recorded_at) from events)
                from (select * from events where event_type = 'ReservationPlaced' order by position limit 1) placed";
    let event = |after: u8, name: &str, payload: &str| {
        row.replace("%1", &after.to_string())
            .replace("%2", &format!("'{name}'"))
            .replace("%3", &format!("'{payload}'"))
    };
    let won = |amount: i64| format!(r#"{{"amount":{amount},"currency":"KRW"}}"#);
    let paid =
        |amount: i64, source: &str| format!(r#"{{"Paid":{{"amount":{},"note":null{source}}}}}"#, won(amount));
    let provider = r#","source":{"provider":{"payment":"pay_1"}}"#;
    let moved = r#","source":{"moved":{"from":"77"}}"#;
    let settled = |retained: i64, due: i64| {
        format!(
            r#"{{"Cancelled":{{"by":"staff","reason":null,"settlement":{{"at":"2026-01-01T00:00:00Z","retained":{},"refund_due":{}}}}}}}"#,
            won(retained),
            won(due)
        )
    };
    let refunded = format!(r#"{{"Refunded":{{"amount":{}}}}}"#, won(1));
    let due = format!(r#"{{"RefundDue":{{"amount":{}}}}}"#, won(1));
    let accepted = format!(r#"{{"OfferAccepted":{{"into":"77","amount":{}}}}}"#, won(5));
    let deposit = "insert into events select 'deposit', '0192d3a0-0000-7000-8000-000000000009', %1, %2, '1.0', %3, '{}',
                (select max(position) + 1 from events), (select max(recorded_at) from events)";
    let banked = |sequence: &str, name: &str, payload: &str| {
        deposit
            .replace("%1", sequence)
            .replace("%2", &format!("'{name}'"))
            .replace("%3", &format!("'{payload}'"))
    };
    let recorded = format!(
        r#"{{"Recorded":{{"amount":{},"deposited_at":"2026-01-01T00:00:00Z","reference":"1"}}}}"#,
        won(5)
    );
    let matched = r#"{"Matched":{"reservation":"77","basis":"staff"}}"#;
    for (part, sql) in [
        ("of 0 that were due", event(1, "ReservationRefunded", &refunded)),
        ("is no payment", event(1, "ReservationPaid", &paid(0, ""))),
        ("are said to be due back", event(1, "ReservationRefundDue", &due)),
        ("never left", event(1, "ReservationPaid", &paid(5, moved))),
        (
            "taken up again unpaid",
            event(1, "ReservationReinstated", r#"{"Reinstated":{}}"#),
        ),
        (
            "retained 5 and gives 0 back",
            event(1, "ReservationCancelled", &settled(5, 0)),
        ),
        (
            "counted twice",
            format!(
                "{}; {}",
                event(1, "ReservationPaid", &paid(5, provider)),
                event(2, "ReservationPaid", &paid(5, provider))
            ),
        ),
        (
            "never came",
            format!(
                "{}; {}",
                event(1, "ReservationPaid", &paid(5, "")),
                event(2, "ReservationOfferAccepted", &accepted)
            ),
        ),
        (
            "never came",
            format!(
                "{}; {}",
                banked("1", "DepositRecorded", &recorded),
                banked("2", "DepositMatched", matched)
            ),
        ),
        ("went where it was not", banked("1", "DepositMatched", matched)),
    ] {
        assert_found("I9", part, &sql).await;
    }
}
