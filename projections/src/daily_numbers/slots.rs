//! How each slot stands, seat by seat and payment by payment, for whoever works there today; never who has what.

use std::collections::HashMap;

use aggregates::ids::TimeSlotId;
use sqlx::PgExecutor;

use crate::model::column;

/// How the places of a slot stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlotNumbers {
    /// Places held, not placed yet.
    pub held: i64,
    /// Places reserved.
    pub reserved: i64,
    /// Places off sale.
    pub blocked: i64,
    /// Of the reserved places, those that are paid.
    pub paid: i64,
    /// Of the reserved places, those that are not paid.
    pub unpaid: i64,
    /// Of the reserved places, those whose people came.
    pub attended: i64,
    /// Of the reserved places, those whose people did not come.
    pub no_show: i64,
    /// Reservations that have the reserved places.
    pub reservations: i64,
}

/// How these slots stand now.
pub async fn of_slots(
    db: impl PgExecutor<'_>,
    slots: &[TimeSlotId],
) -> sqlx::Result<HashMap<TimeSlotId, SlotNumbers>> {
    let rows = sqlx::query!(
        r#"select k.time_slot as "time_slot!", m.held as "held!", m.reserved as "reserved!", m.blocked as "blocked!",
                  n.paid as "paid!", n.unpaid as "unpaid!", n.attended as "attended!", n.no_show as "no_show!",
                  n.reservations as "reservations!"
             from unnest($1::uuid[]) k(time_slot)
             cross join lateral (
               select count(*) filter (where s.state = 'held') as held,
                      count(*) filter (where s.state = 'reserved') as reserved,
                      count(*) filter (where s.state = 'blocked') as blocked
                 from seat_map s where s.time_slot = k.time_slot
             ) m
             cross join lateral (
               select coalesce(sum(d.seats) filter (where d.is_paid), 0)::bigint as paid,
                      coalesce(sum(d.seats) filter (where not d.is_paid), 0)::bigint as unpaid,
                      coalesce(sum(d.seats) filter (where d.stage = 'attended'), 0)::bigint as attended,
                      coalesce(sum(d.seats) filter (where d.stage = 'no_show'), 0)::bigint as no_show,
                      count(*) as reservations
                 from daily_numbers d
                where d.time_slot = k.time_slot and d.stage in ('placed', 'attended', 'no_show')
             ) n"#,
        &column(slots, |slot| slot.uuid()),
    )
    .fetch_all(db)
    .await?;
    let numbers = rows.into_iter().map(|row| {
        let numbers = SlotNumbers {
            held: row.held,
            reserved: row.reserved,
            blocked: row.blocked,
            paid: row.paid,
            unpaid: row.unpaid,
            attended: row.attended,
            no_show: row.no_show,
            reservations: row.reservations,
        };
        (TimeSlotId::new(row.time_slot), numbers)
    });
    Ok(numbers.collect())
}
