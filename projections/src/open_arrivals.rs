//! Who is still expected, and when they count as absent (DOMAIN E9); the timers of the policy that marks no-shows. Never
//! marks anybody.

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
};

/// The read model.
pub struct OpenArrivals;

/// A timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// When who has not come counts as absent.
    pub absent_at: Timestamp,
}

impl ReadModel for OpenArrivals {
    const NAME: &'static str = "open_arrivals";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "reservation, absent_at, from_position";
    const HISTORY: Option<&'static str> = Some("reservation, absent_at, from_position, until_position");

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
        let absent = |at: Timestamp| Row {
            absent_at: moment(at),
        };
        match event {
            Is::Placed(placement) => placement.attendance.map(|times| absent(times.no_show_at)),
            Is::Rescheduled(moved) => Some(absent(moved.attendance.no_show_at)),
            Is::CheckInUndone { no_show_at, .. } | Is::Reinstated { no_show_at } => no_show_at.map(absent),
            Is::Held { .. }
            | Is::Extended { .. }
            | Is::Changed { .. }
            | Is::Revived { .. }
            | Is::Paid { .. }
            | Is::Notified { .. }
            | Is::RescheduleOffered { .. }
            | Is::Refunded { .. }
            | Is::RefundDue { .. }
            | Is::Offered(_)
            | Is::OfferAccepted { .. }
            | Is::OfferDeclined
            | Is::OfferLapsed
            | Is::NoShowWithdrawn => row,
            Is::Released
            | Is::Lapsed
            | Is::CheckedIn
            | Is::Admitted { .. }
            | Is::MarkedNoShow
            | Is::Cancelled { .. }
            | Is::Expired => None,
        }
    }

    async fn load(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select reservation, absent_at as "absent_at: SqlxTimestamp", from_position
                 from open_arrivals where reservation = any ($1)"#,
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        let rows = rows.into_iter().map(|row| {
            let absent_at = row.absent_at.to_jiff();
            let version = Version {
                row: Row { absent_at },
                from: row.from_position,
            };
            (ReservationId::new(row.reservation), version)
        });
        Ok(rows.collect())
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        sqlx::query!(
            r#"update open_arrivals o set absent_at = u.absent_at, from_position = u.from_position
                 from unnest($1::bigint[], $2::timestamptz[], $3::bigint[]) u(reservation, absent_at, from_position)
                where o.reservation = u.reservation"#,
            &column(rows, |put| put.key.number()),
            column(rows, |put| put.row.absent_at.to_sqlx()) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    async fn remove(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from open_arrivals where reservation = any ($1)",
            &column(keys, |key| key.number())
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        out.row(&[&key.number(), &row.absent_at, from]);
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
        out.row(&[&key.number(), &row.absent_at, from, until]);
    }
}

/// Somebody who has not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absent {
    /// Which reservation.
    pub reservation: ReservationId,
    /// When they count as absent.
    pub absent_at: Timestamp,
    /// Since which position that is so: names the timer, so that it fires once.
    pub from_position: i64,
}

/// Who counts as absent by a moment, the earliest first; only those behind `after`, the moment and reservation of one.
pub async fn absent(
    db: impl PgExecutor<'_>,
    by: Timestamp,
    after: Option<(Timestamp, ReservationId)>,
    limit: i64,
) -> sqlx::Result<Vec<Absent>> {
    let (after_moment, after_reservation) = after.unzip();
    let rows = sqlx::query!(
        r#"select reservation, absent_at as "absent_at: SqlxTimestamp", from_position
             from open_arrivals
            where absent_at <= $1 and ($2::timestamptz is null or (absent_at, reservation) > ($2, $3::bigint))
            order by absent_at, reservation limit $4"#,
        by.to_sqlx() as _,
        after_moment.map(ToSqlx::to_sqlx) as _,
        after_reservation.map(ReservationId::number),
        limit,
    )
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter().map(|row| Absent {
        reservation: ReservationId::new(row.reservation),
        absent_at: row.absent_at.to_jiff(),
        from_position: row.from_position,
    });
    Ok(rows.collect())
}
