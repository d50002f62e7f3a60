//! What staff, customers and the server ask of those who wait; never a change.

use aggregates::ids::{BranchId, CustomerId, ReservationId, TimeSlotId};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::EntryState;
use crate::{model::uuids, words::stored};

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub entry: ReservationId,
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// How many places side by side.
    pub places: i16,
    /// How many people.
    pub people: i16,
    /// Whose it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// What became of it.
    pub state: EntryState,
    /// The place in line, from 1, while it waits.
    pub position: Option<i64>,
    /// What was offered last.
    pub seats: Vec<String>,
    /// Until when, while the offer runs.
    pub offered_until: Option<Timestamp>,
    /// The position of the event that began it.
    pub joined_position: i64,
    /// When the slot begins.
    pub starts_at: Option<Timestamp>,
    /// Where.
    pub branch: Option<BranchId>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// For this slot.
    pub time_slot: Option<TimeSlotId>,
    /// At this branch.
    pub branch: Option<BranchId>,
    /// At one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
    /// In this state.
    pub state: Option<EntryState>,
}

/// The entries that fit in the order they came, those after a position.
pub async fn entries(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    after: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let branches = uuids(filter.branches.as_deref());
    let rows = sqlx::query!(
        r#"select q.entry, q.time_slot, q.places, q.people, q.customer, q.joined_position, q.state, q.seats,
                  q.offered_until as "offered_until: SqlxTimestamp", c.starts_at as "starts_at?: SqlxTimestamp",
                  c.branch as "branch?",
                  case when q.state = 'waiting' then (
                    select count(*) from waitlist_queue b
                     where b.time_slot = q.time_slot and b.state = 'waiting' and b.joined_position <= q.joined_position
                  ) end as place
             from waitlist_queue q
             left join time_slot_calendar c on c.time_slot = q.time_slot
            where ($1::uuid is null or q.time_slot = $1)
              and ($2::uuid is null or c.branch = $2)
              and ($3::uuid[] is null or c.branch = any ($3))
              and ($4::text is null or q.state = $4)
              and ($5::bigint is null or q.joined_position > $5)
            order by q.joined_position
            limit $6"#,
        filter.time_slot.map(TimeSlotId::uuid),
        filter.branch.map(BranchId::uuid),
        branches.as_deref(),
        filter.state.map(EntryState::as_str),
        after,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Entry {
                entry: ReservationId::new(row.entry),
                time_slot: TimeSlotId::new(row.time_slot),
                places: row.places,
                people: row.people,
                customer: row.customer.map(CustomerId::new),
                state: stored(&row.state)?,
                position: row.place,
                seats: row.seats,
                offered_until: row.offered_until.map(SqlxTimestamp::to_jiff),
                joined_position: row.joined_position,
                starts_at: row.starts_at.map(SqlxTimestamp::to_jiff),
                branch: row.branch.map(BranchId::new),
            })
        })
        .collect()
}

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
