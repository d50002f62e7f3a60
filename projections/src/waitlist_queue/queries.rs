//! What staff, customers and the server ask of those who wait; never a change.

use aggregates::ids::{CustomerId, ReservationId, TimeSlotId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgExecutor;
use uuid::Uuid;

/// For which slot an entry waits or waited, and whose it is.
pub async fn whereabouts(
    db: impl PgExecutor<'_>,
    entry: ReservationId,
) -> sqlx::Result<Option<(TimeSlotId, Option<CustomerId>)>> {
    let row = sqlx::query!(
        "select time_slot, customer from waitlist_queue where entry = $1",
        entry.number()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| {
        let customer = row.customer.map(CustomerId::new);
        (TimeSlotId::new(row.time_slot), customer)
    }))
}

/// The entries of a customer with their slots, and whether they wait or have an offer.
pub async fn of_customer(
    db: impl PgExecutor<'_>,
    customer: CustomerId,
) -> sqlx::Result<Vec<(ReservationId, TimeSlotId, bool)>> {
    let rows = sqlx::query!(
        r#"select entry, time_slot, state in ('waiting', 'offered') as "runs!"
             from waitlist_queue where customer = $1 order by entry"#,
        customer.uuid(),
    )
    .fetch_all(db)
    .await?;
    let entry = |row: (i64, Uuid, bool)| (ReservationId::new(row.0), TimeSlotId::new(row.1), row.2);
    Ok(rows
        .into_iter()
        .map(|row| entry((row.entry, row.time_slot, row.runs)))
        .collect())
}

/// Slots for which somebody waits: those whose sale is over at a moment; and where so asked, those with places left.
pub async fn to_look_after(
    db: impl PgExecutor<'_>,
    now: Timestamp,
    with_places: bool,
    limit: i64,
) -> sqlx::Result<Vec<TimeSlotId>> {
    let rows = sqlx::query_scalar!(
        r#"select distinct q.time_slot
             from waitlist_queue q
             join time_slot_calendar c on c.time_slot = q.time_slot
            where q.state = 'waiting'
              and (c.sales_close_at <= $1 or c.state = 'withdrawn'
                   or ($2 and c.state = 'on_sale' and c.taken < c.capacity))
            limit $3"#,
        now.to_sqlx() as _,
        with_places,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(TimeSlotId::new).collect())
}
