//! What stands in the slots of a day, and what was sold under a price policy: counted or page by page; never a change.

use aggregates::{
    ids::{BranchId, PricePolicyId, ReservationId, TimeSlotId},
    values::Money,
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgExecutor;

use super::currency;
use crate::model::uuids;

/// The slots that are asked about: of one branch that begin within a span, or a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The branch.
    pub branch: BranchId,
    /// Only this slot.
    pub time_slot: Option<TimeSlotId>,
    /// Slots that begin at this moment or later.
    pub starts_from: Timestamp,
    /// Slots that begin before this moment.
    pub starts_before: Timestamp,
}

/// A slot and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which slot.
    pub time_slot: TimeSlotId,
    /// When it begins.
    pub starts_at: Timestamp,
    /// The title of the movie or the name of the theme.
    pub show_name: Option<String>,
    /// Holds.
    pub held: i64,
    /// Reservations that are still to be paid.
    pub unpaid: i64,
    /// Reservations on which nothing is due.
    pub paid: i64,
}

/// The slots by their start, each with what stands in it; withdrawn ones are left out.
pub async fn standing(db: impl PgExecutor<'_>, part: &Part, limit: i64) -> sqlx::Result<Vec<Standing>> {
    let rows = sqlx::query!(
        r#"select c.time_slot, c.starts_at as "starts_at: SqlxTimestamp", s.name as "show_name?",
                  count(r.reservation) filter (where r.stage = 'held') as "held!",
                  count(r.reservation) filter (where r.stage = 'placed' and r.paid_position is null) as "unpaid!",
                  count(r.reservation) filter (where r.stage = 'placed' and r.paid_position is not null) as "paid!"
             from time_slot_calendar c
             left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                  and s.id = coalesce(c.movie, c.theme)
             left join reservation_list r on r.time_slot = c.time_slot and r.stage in ('held', 'placed')
            where c.branch = $1 and c.starts_at >= $2 and c.starts_at < $3 and ($4::uuid is null or c.time_slot = $4)
              and c.state <> 'withdrawn'
            group by c.time_slot, c.starts_at, s.name
            order by c.starts_at, c.time_slot
            limit $5"#,
        part.branch.uuid(),
        part.starts_from.to_sqlx() as _,
        part.starts_before.to_sqlx() as _,
        part.time_slot.map(TimeSlotId::uuid),
        limit,
    )
    .fetch_all(db)
    .await?;
    let standing = rows.into_iter().map(|row| Standing {
        time_slot: TimeSlotId::new(row.time_slot),
        starts_at: row.starts_at.to_jiff(),
        show_name: row.show_name,
        held: row.held,
        unpaid: row.unpaid,
        paid: row.paid,
    });
    Ok(standing.collect())
}

/// What was paid for the reservations that stand there, in each currency.
pub async fn due_back(db: impl PgExecutor<'_>, part: &Part) -> sqlx::Result<Vec<Money>> {
    let rows = sqlx::query!(
        r#"select r.currency, sum(r.total)::bigint as "total!"
             from time_slot_calendar c join reservation_list r on r.time_slot = c.time_slot
            where c.branch = $1 and c.starts_at >= $2 and c.starts_at < $3 and ($4::uuid is null or c.time_slot = $4)
              and c.state <> 'withdrawn' and r.stage = 'placed' and r.paid_position is not null
            group by r.currency
            order by r.currency"#,
        part.branch.uuid(),
        part.starts_from.to_sqlx() as _,
        part.starts_before.to_sqlx() as _,
        part.time_slot.map(TimeSlotId::uuid),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Money {
                amount: row.total,
                currency: currency(&row.currency)?,
            })
        })
        .collect()
}

/// How many placed reservations stand there with a lower number than this one.
pub async fn left(db: impl PgExecutor<'_>, part: &Part, below: Option<ReservationId>) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!"
             from time_slot_calendar c join reservation_list r on r.time_slot = c.time_slot
            where c.branch = $1 and c.starts_at >= $2 and c.starts_at < $3 and ($4::uuid is null or c.time_slot = $4)
              and c.state <> 'withdrawn' and r.stage = 'placed' and ($5::bigint is null or r.reservation < $5)"#,
        part.branch.uuid(),
        part.starts_from.to_sqlx() as _,
        part.starts_before.to_sqlx() as _,
        part.time_slot.map(TimeSlotId::uuid),
        below.map(ReservationId::number),
    )
    .fetch_one(db)
    .await
}

/// Which reservations a price policy has priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// By this policy.
    pub policy: PricePolicyId,
    /// At this branch.
    pub branch: Option<BranchId>,
    /// At one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
    /// For slots that begin at this moment or later.
    pub starts_from: Timestamp,
    /// For slots that begin before this moment.
    pub starts_before: Timestamp,
}

/// Reservations that were placed and neither cancelled nor expired, by their number, after this one: number and slot.
pub async fn priced(
    db: impl PgExecutor<'_>,
    which: &Priced,
    after: Option<ReservationId>,
    limit: i64,
) -> sqlx::Result<Vec<(ReservationId, TimeSlotId)>> {
    let branches = uuids(which.branches.as_deref());
    let rows = sqlx::query!(
        r#"select r.reservation, r.time_slot
             from time_slot_calendar c join reservation_list r on r.time_slot = c.time_slot
            where c.price_policy = $1 and c.starts_at >= $2 and c.starts_at < $3
              and ($4::uuid is null or c.branch = $4) and ($5::uuid[] is null or c.branch = any ($5))
              and r.stage in ('placed', 'attended', 'no_show') and ($6::bigint is null or r.reservation > $6)
            order by r.reservation
            limit $7"#,
        which.policy.uuid(),
        which.starts_from.to_sqlx() as _,
        which.starts_before.to_sqlx() as _,
        which.branch.map(BranchId::uuid),
        branches.as_deref(),
        after.map(ReservationId::number),
        limit,
    )
    .fetch_all(db)
    .await?;
    let priced = rows.into_iter().map(|row| {
        (
            ReservationId::new(row.reservation),
            TimeSlotId::new(row.time_slot),
        )
    });
    Ok(priced.collect())
}
