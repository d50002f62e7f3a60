//! The log read with plain SQL and checked rule by rule (I1, I2, I5, I6, I7); shares no code with what it checks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Client;

const READ: &str = "select position, recorded_at, aggregate_type, aggregate_id, sequence, event_type,
                           payload, metadata
                      from public.events order by position";

/// One stored event.
#[derive(Clone, Debug)]
pub struct Row {
    pub position: i64,
    pub at: Timestamp,
    pub kind: String,
    pub id: String,
    pub sequence: i64,
    pub name: String,
    /// What the event carries.
    pub fields: Value,
    pub metadata: Value,
}

/// Everything stored, and what follows from it.
pub struct Log {
    pub rows: Vec<Row>,
    /// Every state a reservation had, with the position from which it had it.
    reservations: HashMap<String, Vec<(i64, Stored)>>,
}

/// A reservation as the log tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub state: &'static str,
    pub time_slot: String,
    pub seats: BTreeSet<String>,
    until: Option<Timestamp>,
    pay_by: Option<Timestamp>,
    coupon: Option<String>,
    /// Whether the coupon stays redeemed though it was cancelled.
    keeps_coupon: bool,
    /// What is still to be paid.
    owed: i64,
}

/// Who has a seat, and whether for good.
type Holders = BTreeMap<String, (String, bool)>;

/// The fold of a check so far.
#[derive(Default)]
struct Fold {
    seats: Holders,
    blocked: BTreeSet<String>,
    coupons: HashMap<String, Option<String>>,
    reservations: HashMap<String, Vec<(i64, Stored)>>,
    /// Of the unit of work being read.
    touched: BTreeSet<String>,
}

impl Row {
    pub fn meta(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_default()
    }

    fn text(&self, name: &str) -> String {
        self.fields[name].as_str().unwrap_or_default().to_owned()
    }

    fn moment(&self, name: &str) -> Option<Timestamp> {
        self.fields[name].as_str()?.parse().ok()
    }
}

impl Log {
    /// The log as it is; panics at the first rule that is broken.
    pub async fn check(client: &Client) -> Self {
        let rows = client.query(READ, &[]).await.expect("the log can be read");
        Self::proved(rows.iter().map(row).collect()).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// What these rows tell, if they keep every rule.
    fn proved(rows: Vec<Row>) -> Result<Self, String> {
        dense(&rows)?;
        let mut fold = Fold::default();
        for (index, row) in rows.iter().enumerate() {
            fold.add(row).map_err(|fault| format!("{fault}: {row:#?}"))?;
            // A unit of work is whole at its end, and nobody can see it before.
            let next = rows.get(index + 1).map_or("", |next| next.meta("request_id"));
            if next != row.meta("request_id") || next.is_empty() {
                fold.close()
                    .map_err(|fault| format!("{fault}, after the unit that ends with {row:#?}"))?;
            }
        }
        Ok(Self {
            rows,
            reservations: fold.reservations,
        })
    }

    /// A reservation as it was at this position.
    pub fn reservation_at(&self, number: &str, position: i64) -> Option<&Stored> {
        let states = self.reservations.get(number)?;
        states
            .iter()
            .rev()
            .find(|(from, _)| *from <= position)
            .map(|(_, stored)| stored)
    }

    /// Every reservation as it is now.
    pub fn reservations(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.reservations
            .iter()
            .filter_map(|(number, states)| Some((number.as_str(), &states.last()?.1)))
    }

    /// The events with this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.name == name)
    }
}

fn row(row: &tokio_postgres::Row) -> Row {
    let payload: Value = row.get("payload");
    // Externally tagged: `{"Held": {…}}`, or `"Lapsed"` where there is nothing to carry.
    let fields = if let Value::Object(variant) = payload {
        variant
            .into_iter()
            .next()
            .map_or(Value::Null, |(_, fields)| fields)
    } else {
        Value::Null
    };
    Row {
        position: row.get("position"),
        at: row.get("recorded_at"),
        kind: row.get("aggregate_type"),
        id: row.get("aggregate_id"),
        sequence: row.get("sequence"),
        name: row.get("event_type"),
        fields,
        metadata: row.get("metadata"),
    }
}

/// I5: positions and sequences without gaps, moments never going back.
fn dense(rows: &[Row]) -> Result<(), String> {
    let mut sequences: HashMap<(&str, &str), i64> = HashMap::new();
    let mut before: Option<&Row> = None;
    for row in rows {
        let sequence = sequences.entry((&row.kind, &row.id)).or_default();
        *sequence += 1;
        if row.position != before.map_or(1, |before| before.position + 1) {
            return Err(format!("I5: a gap in the positions: {row:#?}"));
        }
        if before.is_some_and(|before| before.at > row.at) {
            return Err(format!("I5: time went back: {row:#?}"));
        }
        if row.sequence != *sequence {
            return Err(format!("I5: a gap in the stream: {row:#?}"));
        }
        before = Some(row);
    }
    Ok(())
}

impl Fold {
    fn add(&mut self, row: &Row) -> Result<(), &'static str> {
        match row.kind.as_str() {
            "seat" => self.seat(row),
            "coupon" => self.coupon(row),
            "reservation" => self.reservation(row),
            _others => Ok(()),
        }
    }

    /// I1: a seat is given only when it is free, and taken back only from who has it.
    fn seat(&mut self, row: &Row) -> Result<(), &'static str> {
        let (seat, by) = (row.id.clone(), row.text("by"));
        let holder = self.seats.get(&seat).cloned();
        let blocked = self.blocked.contains(&seat);
        let has = |reserved| holder == Some((by.clone(), reserved));
        let rule = match row.name.as_str() {
            "SeatHeld" => holder.is_none() && !blocked,
            "SeatReserved" => has(false),
            "SeatReleased" => has(false) || has(true),
            "SeatBlocked" => holder.is_none() && !blocked,
            "SeatUnblocked" => blocked,
            _unknown => return Err("an unknown event"),
        };
        match row.name.as_str() {
            "SeatHeld" => drop(self.seats.insert(seat, (by.clone(), false))),
            "SeatReserved" => drop(self.seats.insert(seat, (by.clone(), true))),
            "SeatReleased" => drop(self.seats.remove(&seat)),
            "SeatBlocked" => drop(self.blocked.insert(seat)),
            _unblocked => drop(self.blocked.remove(&seat)),
        }
        if !by.is_empty() {
            self.touched.insert(by);
        }
        if rule {
            Ok(())
        } else {
            Err("I1: a seat had two holders, or lost one it did not have")
        }
    }

    /// I2: a coupon is redeemed only when it is free, and restored only by who redeemed it.
    fn coupon(&mut self, row: &Row) -> Result<(), &'static str> {
        let by = row.text("by");
        let holder = self.coupons.get(&row.id).cloned();
        let rule = match row.name.as_str() {
            "CouponIssued" => holder.is_none(),
            "CouponRedeemed" | "CouponRevoked" => holder == Some(None),
            "CouponRestored" => holder == Some(Some(by.clone())),
            _unknown => return Err("an unknown event"),
        };
        let redeemer = (row.name == "CouponRedeemed").then(|| by.clone());
        self.coupons.insert(row.id.clone(), redeemer);
        if !by.is_empty() {
            self.touched.insert(by);
        }
        if rule {
            Ok(())
        } else {
            Err("I2: a coupon was redeemed twice, or restored by a stranger")
        }
    }

    /// I7, and the order of a reservation's states.
    #[expect(
        clippy::too_many_lines,
        reason = "one table: an event, and the states it may follow"
    )]
    fn reservation(&mut self, row: &Row) -> Result<(), &'static str> {
        self.touched.insert(row.id.clone());
        let states = self.reservations.entry(row.id.clone()).or_default();
        let before = states.last().map(|(_, stored)| stored.clone());
        let stored = before.clone().unwrap_or_default();
        let seats = || serde_json::from_value(row.fields["choice"]["seats"].clone()).unwrap_or_default();
        let reached = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= row.at);
        let (from, after): (&[&str], Stored) = match row.name.as_str() {
            "ReservationHeld" => {
                let time_slot = row.text("time_slot");
                (
                    &[""],
                    Stored {
                        state: "held",
                        time_slot,
                        seats: seats(),
                        until: row.moment("until"),
                        ..stored
                    },
                )
            }
            "ReservationExtended" => (
                &["held"],
                Stored {
                    until: row.moment("until"),
                    ..stored
                },
            ),
            "ReservationChanged" => (
                &["held"],
                Stored {
                    seats: seats(),
                    ..stored
                },
            ),
            "ReservationRevived" => (
                &["lapsed"],
                Stored {
                    state: "held",
                    until: row.moment("until"),
                    ..stored
                },
            ),
            "ReservationReleased" => (
                &["held"],
                Stored {
                    state: "released",
                    ..stored
                },
            ),
            "ReservationLapsed" if !reached(stored.until) => return Err("I7: a hold lapsed early"),
            "ReservationLapsed" => (
                &["held"],
                Stored {
                    state: "lapsed",
                    ..stored
                },
            ),
            "ReservationPlaced" => {
                let pay_by = row.fields["payment"]["pay_by"]
                    .as_str()
                    .and_then(|text| text.parse().ok());
                let coupon = row.fields["coupon"].as_str().map(str::to_owned);
                (
                    &["held"],
                    Stored {
                        state: "placed",
                        pay_by,
                        coupon,
                        owed: row.fields["quote"]["total"].as_i64().unwrap_or_default(),
                        ..stored
                    },
                )
            }
            "ReservationPaid" => {
                let owed = stored.owed - row.fields["amount"]["amount"].as_i64().unwrap_or_default();
                let pay_by = stored.pay_by.filter(|_| owed > 0);
                (
                    &["placed", "attended", "no_show", "cancelled", "expired"],
                    Stored {
                        pay_by,
                        owed,
                        ..stored
                    },
                )
            }
            "ReservationRefunded" => (&["placed", "attended", "no_show", "cancelled", "expired"], stored),
            "ReservationRefundDue" => (&["cancelled", "expired"], stored),
            "ReservationOffered"
            | "ReservationOfferAccepted"
            | "ReservationOfferDeclined"
            | "ReservationOfferLapsed" => (&["expired"], stored),
            "ReservationReinstated" if stored.owed > 0 => {
                return Err("I9: a reservation was taken up again unpaid");
            }
            "ReservationReinstated" => (
                &["expired"],
                Stored {
                    state: "placed",
                    pay_by: None,
                    ..stored
                },
            ),
            "ReservationNotified" => (&["placed", "attended", "no_show"], stored),
            "ReservationCheckedIn" => (
                &["placed", "no_show"],
                Stored {
                    state: "attended",
                    ..stored
                },
            ),
            "ReservationMarkedNoShow" => (
                &["placed"],
                Stored {
                    state: "no_show",
                    ..stored
                },
            ),
            "ReservationAdmitted" => (
                &["placed"],
                Stored {
                    state: "attended",
                    ..stored
                },
            ),
            "ReservationCheckInUndone" => (
                &["attended"],
                Stored {
                    state: "placed",
                    ..stored
                },
            ),
            "ReservationNoShowWithdrawn" => (
                &["no_show"],
                Stored {
                    state: "placed",
                    ..stored
                },
            ),
            "ReservationRescheduled" => {
                let pay_by = row.fields["payment"]["pay_by"]
                    .as_str()
                    .and_then(|text| text.parse().ok());
                (
                    &["placed"],
                    Stored {
                        time_slot: row.text("to"),
                        seats: seats(),
                        pay_by,
                        ..stored
                    },
                )
            }
            "ReservationCancelled" => (
                &["placed"],
                Stored {
                    state: "cancelled",
                    keeps_coupon: row.fields["settlement"]["keeps_coupon"] == true,
                    ..stored
                },
            ),
            "ReservationExpired" if !reached(stored.pay_by) => return Err("I7: a reservation expired early"),
            "ReservationExpired" => (
                &["placed"],
                Stored {
                    state: "expired",
                    ..stored
                },
            ),
            _unknown => return Err("an unknown event"),
        };
        states.push((row.position, after));
        let legal = from.contains(&before.map_or("", |before| before.state));
        if legal {
            Ok(())
        } else {
            Err("a reservation took a step it could not take")
        }
    }

    /// A reservation, its seats and its coupon agree: nothing was half done.
    fn close(&mut self) -> Result<(), String> {
        for number in std::mem::take(&mut self.touched) {
            let states = self.reservations.get(&number).and_then(|states| states.last());
            let stored = &states
                .ok_or_else(|| format!("{number} has places but never began"))?
                .1;
            let reserved = matches!(stored.state, "placed" | "attended" | "no_show");
            let owed = stored.seats.iter().filter(|_| reserved || stored.state == "held");
            let owed: Holders = owed
                .map(|label| {
                    (
                        format!("{}:{label}", stored.time_slot),
                        (number.clone(), reserved),
                    )
                })
                .collect();
            let prefix = format!("{}:", stored.time_slot);
            let of_slot = self
                .seats
                .range(prefix.clone()..)
                .take_while(|(seat, _)| seat.starts_with(&prefix));
            let has: Holders = of_slot
                .filter(|(_, (by, _))| *by == number)
                .map(|(seat, holder)| (seat.clone(), holder.clone()))
                .collect();
            if owed != has {
                return Err(format!("{number} is {stored:?} and has {has:?}"));
            }
            if let Some(code) = &stored.coupon {
                let redeemed = self.coupons.get(code).cloned().flatten() == Some(number.clone());
                if redeemed != (reserved || stored.keeps_coupon) {
                    return Err(format!("{number} is {stored:?}, its coupon says {redeemed}"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
