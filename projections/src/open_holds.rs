//! What time will end: running holds and payments that are due (DOMAIN E7, H1); the timers of the policies. Never ends anything.

use aggregates::{
    Event, Recorded,
    ids::ReservationId,
    reservation::{Reservation, ReservationEvent},
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// What falls due.
    DueKind {
        /// A hold runs out.
        Hold = "hold",
        /// A payment is overdue.
        Payment = "payment",
        /// What is offered for late money is offered no more.
        Offer = "offer",
    }
}

/// The read model.
pub struct OpenHolds;

/// A timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What falls due.
    pub kind: DueKind,
    /// When.
    pub due_at: Timestamp,
    /// What is still to be paid until then; 0 if it is not about that.
    pub owed: i64,
}

impl Row {
    /// After so much more is owed, or less: a part of the price does not stop the clock, all of it does; no other clock is
    /// stopped by money.
    fn owing(self, more: i64) -> Option<Self> {
        match self.kind {
            DueKind::Hold | DueKind::Offer => Some(self),
            DueKind::Payment => {
                let owed = self.owed.saturating_add(more);
                (owed > 0).then_some(Self { owed, ..self })
            }
        }
    }
}

impl ReadModel for OpenHolds {
    const NAME: &'static str = "open_holds";
    const VERSION: i32 = 3;
    const COLUMNS: &'static str = "reservation, kind, due_at, owed, from_position";
    const HISTORY: Option<&'static str> =
        Some("reservation, kind, due_at, owed, from_position, until_position");

    type Key = ReservationId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<ReservationId> {
        recorded.id_of::<Reservation>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        use ReservationEvent as Is;
        let Event::Reservation(event) = &recorded.event else {
            return row;
        };
        let due = |kind: DueKind, at: &Timestamp| {
            Some(Row {
                kind,
                due_at: moment(*at),
                owed: 0,
            })
        };
        match event {
            Is::Held { until, .. } | Is::Extended { until } | Is::Revived { until } => {
                due(DueKind::Hold, until)
            }
            Is::Placed(placement) => {
                let pay_by = placement.payment.pay_by().filter(|_| placement.quote.total > 0)?;
                let timer = due(DueKind::Payment, &pay_by)?;
                Some(Row {
                    owed: placement.quote.total,
                    ..timer
                })
            }
            Is::Rescheduled(moved) => {
                let timer = due(DueKind::Payment, &moved.pay_by()?)?;
                Some(Row {
                    owed: moved.quote.total,
                    ..timer
                })
            }
            Is::Paid { amount, .. } => row?.owing(-amount.amount),
            Is::Refunded { amount, .. } => row?.owing(amount.amount),
            Is::Offered(offer) => due(DueKind::Offer, &offer.until),
            Is::Changed { .. }
            | Is::Notified { .. }
            | Is::RefundDue { .. }
            | Is::RescheduleOffered { .. }
            | Is::CheckInUndone { .. }
            | Is::NoShowWithdrawn => row,
            Is::Released
            | Is::Lapsed
            | Is::Reinstated { .. }
            | Is::OfferAccepted { .. }
            | Is::OfferDeclined
            | Is::OfferLapsed
            | Is::CheckedIn
            | Is::Admitted { .. }
            | Is::MarkedNoShow
            | Is::Cancelled { .. }
            | Is::Expired => None,
        }
    }

    async fn load(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select reservation, kind, due_at as "due_at: SqlxTimestamp", owed, from_position
                 from open_holds where reservation = any ($1)"#,
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let version = Version {
                    row: Row {
                        kind: stored(&row.kind)?,
                        due_at: row.due_at.to_jiff(),
                        owed: row.owed,
                    },
                    from: row.from_position,
                };
                Ok((ReservationId::new(row.reservation), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        sqlx::query!(
            r#"update open_holds o
                  set kind = u.kind, due_at = u.due_at, owed = u.owed, from_position = u.from_position
                 from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[])
                   u(reservation, kind, due_at, owed, from_position)
                where o.reservation = u.reservation"#,
            &column(rows, |put| put.key.number()),
            column(rows, |put| put.row.kind.as_str()) as _,
            column(rows, |put| put.row.due_at.to_sqlx()) as _,
            &column(rows, |put| put.row.owed),
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    async fn remove(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from open_holds where reservation = any ($1)",
            &column(keys, |key| key.number())
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        out.row(&[&key.number(), &row.kind.as_str(), &row.due_at, &row.owed, from]);
    }

    fn former_tuple(
        out: &mut Tuples,
        Former {
            key,
            row,
            from,
            until,
        }: &Former<Self>,
    ) {
        out.row(&[
            &key.number(),
            &row.kind.as_str(),
            &row.due_at,
            &row.owed,
            from,
            until,
        ]);
    }
}

/// Something whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Which reservation.
    pub reservation: ReservationId,
    /// What falls due.
    pub kind: DueKind,
    /// When.
    pub due_at: Timestamp,
    /// Since which position it has been due then: names the timer, so that it fires once.
    pub from_position: i64,
}

/// What is due by a moment, the earliest first; only those behind `after`, the moment and reservation of one of them.
pub async fn due(
    db: impl PgExecutor<'_>,
    by: Timestamp,
    after: Option<(Timestamp, ReservationId)>,
    limit: i64,
) -> sqlx::Result<Vec<Due>> {
    let (after_moment, after_reservation) = after.unzip();
    let rows = sqlx::query!(
        r#"select reservation, kind, due_at as "due_at: SqlxTimestamp", from_position
             from open_holds
            where due_at <= $1 and ($2::timestamptz is null or (due_at, reservation) > ($2, $3::bigint))
            order by due_at, reservation limit $4"#,
        by.to_sqlx() as _,
        after_moment.map(ToSqlx::to_sqlx) as _,
        after_reservation.map(ReservationId::number),
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Due {
                reservation: ReservationId::new(row.reservation),
                kind: stored(&row.kind)?,
                due_at: row.due_at.to_jiff(),
                from_position: row.from_position,
            })
        })
        .collect()
}
