//! The baseline: the same business through stock cqrs-es and postgres-es, one command after the other; never our store.

use std::{collections::HashMap, sync::Arc};

use aggregates::{
    Now,
    coupon::{Coupon, CouponCommand},
    ids::{ReservationId, SeatId},
    personal::Personal,
    ratings::Statement,
    reservation::{Reservation, ReservationCommand},
    seat::{Seat, SeatCommand},
    values::CouponCode,
};
use cqrs_es::AggregateError;
use jiff::Timestamp;
use postgres_es::{PostgresCqrs, postgres_cqrs};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::business::{Booking, placement};

/// The tables exactly as postgres-es documents them.
const SCHEMA: &str = "
create table events (
  aggregate_type text not null, aggregate_id text not null, sequence bigint check (sequence >= 0) not null,
  event_type text not null, event_version text not null, payload json not null, metadata json not null,
  primary key (aggregate_type, aggregate_id, sequence))";

/// Stock frameworks over one pool.
#[derive(Clone)]
pub struct Stock {
    seats: Arc<PostgresCqrs<Seat>>,
    reservations: Arc<PostgresCqrs<Reservation>>,
    coupons: Arc<PostgresCqrs<Coupon>>,
}

impl Stock {
    /// Frameworks on a database of their own.
    pub async fn open(options: sqlx::postgres::PgConnectOptions) -> (Self, PgPool) {
        // As many connections as stock code would use at its best on two cores.
        let pool = PgPoolOptions::new()
            .max_connections(32)
            .connect_with(options)
            .await
            .expect("a connection");
        sqlx::raw_sql(SCHEMA)
            .execute(&pool)
            .await
            .expect("the stock schema");
        let now = Now(Timestamp::now());
        let stock = Self {
            seats: Arc::new(postgres_cqrs(pool.clone(), vec![], now)),
            reservations: Arc::new(postgres_cqrs(pool.clone(), vec![], now)),
            coupons: Arc::new(postgres_cqrs(pool.clone(), vec![], now)),
        };
        (stock, pool)
    }

    /// Issues a coupon.
    pub async fn issue(&self, code: &CouponCode, terms: aggregates::coupon::Terms) -> Result<(), String> {
        self.coupons
            .execute(code.as_str(), CouponCommand::Issue { terms })
            .await
            .map_err(|e| e.to_string())
    }

    /// Tries to hold one seat; whether it was free. A conflict is tried again, as stock code must.
    pub async fn grab(&self, id: ReservationId, seat: &SeatId) -> Result<bool, String> {
        loop {
            let command = SeatCommand::Hold { by: id };
            return match self
                .seats
                .execute_with_metadata(&seat.to_string(), command, metadata("hold"))
                .await
            {
                Ok(()) => Ok(true),
                Err(AggregateError::UserError(_)) => Ok(false),
                Err(AggregateError::AggregateConflict) => continue,
                Err(error) => Err(error.to_string()),
            };
        }
    }

    /// Four events in four new streams, as stock code must: four transactions.
    pub async fn append(&self, seats: &[SeatId; 4]) -> Result<(), String> {
        let by = ReservationId::new(1);
        for seat in seats {
            self.seats
                .execute_with_metadata(&seat.to_string(), SeatCommand::Hold { by }, metadata("append"))
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Holds two seats, then places with a coupon: seven commands, each its own transaction, as stock code does.
    pub async fn book(&self, id: ReservationId, booking: &Booking) -> Result<(), String> {
        let number = id.to_string();
        let seats: Vec<String> = booking
            .seats
            .iter()
            .map(|label| {
                SeatId {
                    time_slot: booking.time_slot,
                    label: label.clone(),
                }
                .to_string()
            })
            .collect();
        for seat in &seats {
            self.seats
                .execute_with_metadata(seat, SeatCommand::Hold { by: id }, metadata("hold"))
                .await
                .map_err(|error| error.to_string())?;
        }
        let (until, cap) = Booking::deadlines();
        let hold = ReservationCommand::Hold {
            time_slot: booking.time_slot,
            choice: booking.choice(),
            until,
            cap,
            customer: None,
            said: Statement::default(),
        };
        self.reservations
            .execute_with_metadata(&number, hold, metadata("hold"))
            .await
            .map_err(|error| error.to_string())?;

        let redeem = CouponCommand::Redeem {
            by: id,
            covered: true,
        };
        self.coupons
            .execute_with_metadata(booking.coupon.as_str(), redeem, metadata("place"))
            .await
            .map_err(|error| error.to_string())?;
        // Stock code has no sealing: the baseline stores ready-made ciphertext and is spared the work.
        let mut placement = placement(booking);
        placement.contact.name = Personal::Sealed(CIPHERTEXT.to_owned());
        placement.contact.phone = Personal::Sealed(CIPHERTEXT.to_owned());
        self.reservations
            .execute_with_metadata(
                &number,
                ReservationCommand::Place(Box::new(placement)),
                metadata("place"),
            )
            .await
            .map_err(|error| error.to_string())?;
        for seat in &seats {
            self.seats
                .execute_with_metadata(seat, SeatCommand::Reserve { by: id }, metadata("place"))
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

/// The floor: the same four rows in one statement, checking nothing.
pub async fn insert(pool: &PgPool, seats: &[SeatId; 4]) -> Result<(), String> {
    let payload = serde_json::json!({"Held": {"by": "1"}});
    let metadata = serde_json::to_value(metadata("append")).map_err(|error| error.to_string())?;
    let ids: Vec<String> = seats.iter().map(SeatId::to_string).collect();
    sqlx::query(
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         values ('seat', $1, 1, 'SeatHeld', '1.0', $5, $6), ('seat', $2, 1, 'SeatHeld', '1.0', $5, $6),
                ('seat', $3, 1, 'SeatHeld', '1.0', $5, $6), ('seat', $4, 1, 'SeatHeld', '1.0', $5, $6)",
    )
    .bind(&ids[0])
    .bind(&ids[1])
    .bind(&ids[2])
    .bind(&ids[3])
    .bind(&payload)
    .bind(&metadata)
    .execute(pool)
    .await
    .map(|_| ())
    .map_err(|error| error.to_string())
}

const CIPHERTEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";

fn metadata(command: &str) -> HashMap<String, String> {
    HashMap::from([
        ("actor_kind".to_owned(), "guest".to_owned()),
        ("command".to_owned(), command.to_owned()),
        ("request_id".to_owned(), uuid::Uuid::now_v7().to_string()),
    ])
}
