//! The time slots as the programme shows them; never a change.

use aggregates::{
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ThemeId, TimeSlotId},
    time_slot::{Plan, Show},
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::SlotState;
use crate::words::stored;

/// A row as it is stored.
pub(super) struct Stored {
    pub(super) time_slot: Uuid,
    pub(super) branch: Uuid,
    pub(super) movie: Option<Uuid>,
    pub(super) auditorium: Option<Uuid>,
    pub(super) layout_version: Option<i64>,
    pub(super) theme: Option<Uuid>,
    pub(super) party_min: Option<i16>,
    pub(super) party_max: Option<i16>,
    pub(super) starts_at: SqlxTimestamp,
    pub(super) ends_at: SqlxTimestamp,
    pub(super) sales_open_at: SqlxTimestamp,
    pub(super) sales_close_at: SqlxTimestamp,
    pub(super) price_policy: Uuid,
    pub(super) price_version: i64,
    pub(super) seats_per_customer_max: i16,
    pub(super) hold_minutes: i32,
    pub(super) hold_cap_minutes: i32,
    pub(super) cancel_minutes: i32,
    pub(super) orphan_rule: String,
    pub(super) pool_minutes: i32,
    pub(super) capacity: i64,
    pub(super) state: String,
    pub(super) taken: i64,
    pub(super) from_position: i64,
}

/// A time slot of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Which one.
    pub time_slot: TimeSlotId,
    /// What it fixed when it was scheduled, as it was adjusted since.
    pub plan: Plan,
    /// Whether it sells.
    pub state: SlotState,
    /// Places that cannot be had: held, reserved or blocked.
    pub taken: i64,
    /// Since which position it looks like this.
    pub from_position: i64,
}

impl Slot {
    /// Places left; 0 is sold out.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        (i64::from(self.plan.show.capacity()) - self.taken).max(0)
    }
}

impl TryFrom<Stored> for Slot {
    type Error = sqlx::Error;

    fn try_from(row: Stored) -> sqlx::Result<Self> {
        let show = match (
            row.movie,
            row.auditorium,
            row.layout_version,
            row.theme,
            row.party_min,
            row.party_max,
        ) {
            (Some(movie), Some(auditorium), Some(layout_version), None, None, None) => Show::Movie {
                movie: MovieId::new(movie),
                auditorium: AuditoriumId::new(auditorium),
                layout_version: number(layout_version)?,
                capacity: number(row.capacity)?,
            },
            (None, None, None, Some(theme), Some(party_min), Some(party_max)) => Show::Theme {
                theme: ThemeId::new(theme),
                party_min: number(party_min)?,
                party_max: number(party_max)?,
            },
            _ => {
                return Err(sqlx::Error::Decode(
                    "a time slot must show either a movie or a theme".into(),
                ));
            }
        };
        let plan = Plan {
            branch: BranchId::new(row.branch),
            show,
            starts_at: row.starts_at.to_jiff(),
            ends_at: row.ends_at.to_jiff(),
            sales_open_at: row.sales_open_at.to_jiff(),
            sales_close_at: row.sales_close_at.to_jiff(),
            price_policy: PricePolicyId::new(row.price_policy),
            price_version: number(row.price_version)?,
            seats_per_customer_max: number(row.seats_per_customer_max)?,
            hold_minutes: number(row.hold_minutes)?,
            hold_cap_minutes: number(row.hold_cap_minutes)?,
            cancel_minutes: number(row.cancel_minutes)?,
            orphan_rule: row
                .orphan_rule
                .parse()
                .map_err(|error: &str| sqlx::Error::Decode(error.into()))?,
            pool_minutes: number(row.pool_minutes)?,
            // A command asks the slot itself, never this list.
            cancellation: None,
        };
        Ok(Self {
            time_slot: TimeSlotId::new(row.time_slot),
            plan,
            state: stored(&row.state)?,
            taken: row.taken,
            from_position: row.from_position,
        })
    }
}

fn number<T: TryFrom<S, Error: std::error::Error + Send + Sync + 'static>, S>(stored: S) -> sqlx::Result<T> {
    T::try_from(stored).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// Which time slots are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// At this branch.
    pub branch: Option<BranchId>,
    /// Of this movie.
    pub movie: Option<MovieId>,
    /// Of this theme.
    pub theme: Option<ThemeId>,
    /// In this auditorium.
    pub auditorium: Option<AuditoriumId>,
    /// That begin at this moment or later.
    pub starts_from: Option<Timestamp>,
    /// That begin before this moment.
    pub starts_before: Option<Timestamp>,
    /// Also those that were taken off the programme.
    pub withdrawn_too: bool,
    /// Only those after this one in the list.
    pub after: Option<(Timestamp, TimeSlotId)>,
}

/// The time slots that fit, by their start; withdrawn ones are left out unless asked for.
pub async fn time_slots(db: impl PgExecutor<'_>, filter: &Filter, limit: i64) -> sqlx::Result<Vec<Slot>> {
    let (after_start, after_id) = filter.after.unzip();
    let slots = sqlx::query_as!(
        Stored,
        r#"select time_slot, branch, movie, auditorium, layout_version, theme, party_min, party_max,
                  starts_at as "starts_at: _", ends_at as "ends_at: _", sales_open_at as "sales_open_at: _",
                  sales_close_at as "sales_close_at: _", price_policy, price_version, seats_per_customer_max,
                  hold_minutes, hold_cap_minutes, cancel_minutes, orphan_rule, pool_minutes, capacity, state, taken,
                  from_position
             from time_slot_calendar
            where ($1::uuid is null or branch = $1)
              and ($2::uuid is null or movie = $2)
              and ($3::uuid is null or theme = $3)
              and ($4::uuid is null or auditorium = $4)
              and ($5::timestamptz is null or starts_at >= $5)
              and ($6::timestamptz is null or starts_at < $6)
              and ($7::timestamptz is null or (starts_at, time_slot) > ($7, $8::uuid))
              and ($10 or state <> 'withdrawn')
            order by starts_at, time_slot
            limit $9"#,
        filter.branch.map(BranchId::uuid),
        filter.movie.map(MovieId::uuid),
        filter.theme.map(ThemeId::uuid),
        filter.auditorium.map(AuditoriumId::uuid),
        filter.starts_from.map(ToSqlx::to_sqlx) as _,
        filter.starts_before.map(ToSqlx::to_sqlx) as _,
        after_start.map(ToSqlx::to_sqlx) as _,
        after_id.map(TimeSlotId::uuid),
        limit,
        filter.withdrawn_too,
    )
    .fetch_all(db)
    .await?;
    slots.into_iter().map(Slot::try_from).collect()
}

/// One slot now, or as it was right after the event at `as_of`.
pub async fn time_slot(
    db: impl PgExecutor<'_>,
    id: TimeSlotId,
    as_of: Option<i64>,
) -> sqlx::Result<Option<Slot>> {
    let slot = sqlx::query_as!(
        Stored,
        r#"select c.time_slot, branch, movie, auditorium, layout_version, theme, party_min, party_max,
                  starts_at as "starts_at: _", ends_at as "ends_at: _", sales_open_at as "sales_open_at: _",
                  sales_close_at as "sales_close_at: _", price_policy, price_version, seats_per_customer_max,
                  v.hold_minutes as "hold_minutes!", v.hold_cap_minutes as "hold_cap_minutes!",
                  v.cancel_minutes as "cancel_minutes!", v.orphan_rule as "orphan_rule!", v.pool_minutes as "pool_minutes!",
                  capacity, v.state as "state!", v.taken as "taken!", v.from_position as "from_position!"
             from time_slot_calendar c
             cross join lateral (
               select c.state, c.taken, c.from_position, c.hold_minutes, c.hold_cap_minutes, c.cancel_minutes,
                      c.orphan_rule, c.pool_minutes
                where $2::bigint is null or c.from_position <= $2
               union all
               select h.state, h.taken, h.from_position, coalesce(h.hold_minutes, c.hold_minutes),
                      coalesce(h.hold_cap_minutes, c.hold_cap_minutes), coalesce(h.cancel_minutes, c.cancel_minutes),
                      coalesce(h.orphan_rule, c.orphan_rule), coalesce(h.pool_minutes, c.pool_minutes)
                 from time_slot_calendar_history h
                where $2 is not null and h.time_slot = c.time_slot and h.from_position <= $2 and h.until_position > $2
             ) v
            where c.time_slot = $1"#,
        id.uuid(),
        as_of,
    )
    .fetch_optional(db)
    .await?;
    slot.map(Slot::try_from).transpose()
}
