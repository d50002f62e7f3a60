//! The checker itself: a log with a fault in it does not pass; a proof that never fails proves nothing.

use jiff::ToSpan as _;
use serde_json::json;

use super::*;

const SLOT: &str = "0192d3a0-0000-7000-8000-000000000001";

/// A log in which each line is one unit of work, all at noon.
fn log(units: &[&[(&str, &str, Value)]]) -> Vec<Row> {
    let noon: Timestamp = "2026-12-24T12:00:00Z".parse().expect("noon");
    let mut sequences = HashMap::new();
    let lines = units
        .iter()
        .enumerate()
        .flat_map(|(unit, lines)| lines.iter().map(move |line| (unit, line)));
    lines
        .zip(1..)
        .map(|((unit, (name, id, fields)), position)| {
            let kind = ["seat", "coupon", "reservation"];
            let kind = kind
                .into_iter()
                .find(|kind| name.to_lowercase().starts_with(kind))
                .expect("a kind");
            let id = if kind == "seat" {
                format!("{SLOT}:{id}")
            } else {
                (*id).to_owned()
            };
            let sequence = sequences.entry((kind, id.clone())).or_default();
            *sequence += 1;
            Row {
                position,
                at: noon,
                kind: kind.to_owned(),
                id,
                sequence: *sequence,
                name: (*name).to_owned(),
                fields: fields.clone(),
                metadata: json!({ "request_id": format!("unit {unit}") }),
            }
        })
        .collect()
}

fn held(by: &str, seats: &[&str], until: &str) -> Vec<(&'static str, String, Value)> {
    let choice = json!({ "seats": seats });
    let mut lines: Vec<_> = seats
        .iter()
        .map(|seat| ("SeatHeld", (*seat).to_owned(), json!({ "by": by })))
        .collect();
    let fields = json!({ "time_slot": SLOT, "until": until, "choice": choice });
    lines.push(("ReservationHeld", by.to_owned(), fields));
    lines
}

/// The fault that the checker finds after `7` has held A1 and A2 until noon and this happened in one unit.
fn fault(then: &[(&str, &str, Value)]) -> String {
    let begun = held("7", &["A1", "A2"], "2026-12-24T12:00:00Z");
    let begun: Vec<_> = begun
        .iter()
        .map(|(name, id, fields)| (*name, id.as_str(), fields.clone()))
        .collect();
    Log::proved(log(&[&begun, then])).err().unwrap_or_default()
}

#[test]
fn a_sound_log_passes() {
    let by = || json!({ "by": "7" });
    assert_eq!(fault(&[]), "");
    let lapsed = [
        ("ReservationLapsed", "7", Value::Null),
        ("SeatReleased", "A1", by()),
        ("SeatReleased", "A2", by()),
    ];
    assert_eq!(fault(&lapsed), "");
    let placed = [
        ("SeatReserved", "A1", by()),
        ("SeatReserved", "A2", by()),
        ("ReservationPlaced", "7", json!({})),
    ];
    assert_eq!(fault(&placed), "");
}

#[test]
fn a_seat_with_two_holders_is_found() {
    assert!(fault(&[("SeatHeld", "A1", json!({ "by": "8" }))]).starts_with("I1"));
    assert!(fault(&[("SeatReserved", "A1", json!({ "by": "8" }))]).starts_with("I1"));
    assert!(fault(&[("SeatReleased", "A1", json!({ "by": "8" }))]).starts_with("I1"));
}

#[test]
fn half_a_unit_of_work_is_found() {
    let by = || json!({ "by": "7" });
    assert!(fault(&[("SeatReserved", "A1", by())]).contains("after the unit"));
    assert!(fault(&[("ReservationPlaced", "7", json!({}))]).contains("after the unit"));
    let half = [
        ("ReservationReleased", "7", Value::Null),
        ("SeatReleased", "A1", by()),
    ];
    assert!(fault(&half).contains("after the unit"));
    assert!(fault(&[("SeatHeld", "A3", json!({ "by": "8" }))]).contains("never began"));
}

#[test]
fn a_coupon_redeemed_twice_is_found() {
    let by = || json!({ "by": "7" });
    let twice = [
        ("CouponIssued", "C", json!({})),
        ("CouponRedeemed", "C", by()),
        ("CouponRedeemed", "C", by()),
    ];
    assert!(fault(&twice).starts_with("I2"));
    let unredeemed = [
        ("CouponIssued", "C", json!({})),
        ("SeatReserved", "A1", by()),
        ("SeatReserved", "A2", by()),
        ("ReservationPlaced", "7", json!({ "coupon": "C" })),
    ];
    assert!(fault(&unredeemed).contains("its coupon says false"));
}

#[test]
fn a_hold_that_lapses_early_is_found() {
    let begun = held("7", &["A1"], "2026-12-24T12:00:01Z");
    let begun: Vec<_> = begun
        .iter()
        .map(|(name, id, fields)| (*name, id.as_str(), fields.clone()))
        .collect();
    let lapsed = [
        ("ReservationLapsed", "7", Value::Null),
        ("SeatReleased", "A1", json!({ "by": "7" })),
    ];
    let fault = Log::proved(log(&[&begun, &lapsed])).err().unwrap_or_default();
    assert!(fault.starts_with("I7"), "{fault}");
}

#[test]
fn gaps_and_time_going_back_are_found() {
    let begun = held("7", &["A1", "A2"], "2026-12-24T12:00:00Z");
    let begun: Vec<_> = begun
        .iter()
        .map(|(name, id, fields)| (*name, id.as_str(), fields.clone()))
        .collect();
    let sound = || log(&[&begun]);
    let spoilt: [fn(&mut Row); 3] = [
        |row| row.position += 1,
        |row| row.sequence += 1,
        |row| row.at -= 1.second(),
    ];
    for spoil in spoilt {
        let mut rows = sound();
        spoil(rows.last_mut().expect("three rows"));
        let fault = Log::proved(rows).err().unwrap_or_default();
        assert!(fault.starts_with("I5"), "{fault}");
    }
}
