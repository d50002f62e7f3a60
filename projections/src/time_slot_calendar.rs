//! What is on, where and when, and how many places are left (DOMAIN C5); never who has them.

mod labels;

use std::sync::Arc;

use aggregates::{
    Aggregate as _, Event, Recorded,
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, SeatId, ThemeId, TimeSlotId},
    seat::{Seat, SeatEvent},
    time_slot::{Plan, Show, TimeSlot, TimeSlotEvent},
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// Whether a slot sells; not yet on sale, started and sold out are moments and counts, not states.
    SlotState {
        /// Seats can be held between its sales moments.
        OnSale = "on_sale",
        /// No new holds for now.
        Closed = "closed",
        /// Off the programme.
        Withdrawn = "withdrawn",
    }
}

pub use self::labels::{Label, labels};

/// The read model.
pub struct TimeSlotCalendar;

/// A time slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it fixed when it was scheduled, as it was adjusted since.
    pub plan: Arc<Plan>,
    /// Whether it sells.
    pub state: SlotState,
    /// Places that cannot be had: held, reserved or blocked.
    pub taken: i64,
}

impl ReadModel for TimeSlotCalendar {
    const NAME: &'static str = "time_slot_calendar";
    const VERSION: i32 = 2;
    const COLUMNS: &'static str = "time_slot, branch, movie, auditorium, layout_version, theme, party_min, party_max, \
        starts_at, ends_at, sales_open_at, sales_close_at, price_policy, price_version, seats_per_customer_max, \
        hold_minutes, hold_cap_minutes, cancel_minutes, orphan_rule, pool_minutes, capacity, state, taken, \
        from_position";
    const HISTORY: Option<&'static str> = Some(
        "time_slot, state, taken, from_position, until_position, hold_minutes, hold_cap_minutes, cancel_minutes, \
         orphan_rule, pool_minutes",
    );

    type Key = TimeSlotId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<TimeSlotId> {
        let id = &recorded.stream.id;
        match (recorded.stream.kind.as_str(), &recorded.event) {
            (Seat::TYPE, Event::Seat(event)) if counts(event) == 0 => None,
            (Seat::TYPE, _) => id.parse::<SeatId>().ok().map(|seat| seat.time_slot),
            (TimeSlot::TYPE, _) => id.parse().ok(),
            _ => None,
        }
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        match (&recorded.event, row) {
            (Event::TimeSlot(TimeSlotEvent::Scheduled { plan }), _) => Some(Row {
                plan: Arc::new(storable(plan)),
                state: SlotState::OnSale,
                taken: 0,
            }),
            (Event::TimeSlot(TimeSlotEvent::Adjusted(terms)), Some(row)) => Some(Row {
                plan: Arc::new(row.plan.adjusted(*terms)),
                ..row
            }),
            (Event::TimeSlot(event), Some(row)) => Some(Row {
                state: state_after(event, row.state),
                ..row
            }),
            (Event::Seat(event), Some(row)) => Some(Row {
                taken: row.taken + counts(event),
                ..row
            }),
            (_, row) => row,
        }
    }

    fn begins(recorded: &Recorded) -> bool {
        matches!(recorded.event, Event::TimeSlot(TimeSlotEvent::Scheduled { .. }))
    }

    async fn load(db: &mut PgConnection, keys: &[TimeSlotId]) -> sqlx::Result<Loaded<Self>> {
        let slots = sqlx::query_as!(
            Stored,
            r#"select time_slot, branch, movie, auditorium, layout_version, theme, party_min, party_max,
                      starts_at as "starts_at: _", ends_at as "ends_at: _", sales_open_at as "sales_open_at: _",
                      sales_close_at as "sales_close_at: _", price_policy, price_version, seats_per_customer_max,
                      hold_minutes, hold_cap_minutes, cancel_minutes, orphan_rule, pool_minutes, capacity, state, taken,
                      from_position
                 from time_slot_calendar where time_slot = any ($1)"#,
            &column(keys, |key| key.uuid()),
        )
        .fetch_all(db)
        .await?;
        slots
            .into_iter()
            .map(|slot| {
                let from = slot.from_position;
                let slot = Slot::try_from(slot)?;
                let row = Row {
                    plan: Arc::new(slot.plan),
                    state: slot.state,
                    taken: slot.taken,
                };
                Ok((slot.time_slot, Version { row, from }))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        // What, where, when and for how much never changes.
        sqlx::query!(
            r#"update time_slot_calendar c
                  set state = u.state, taken = u.taken, from_position = u.from_position, hold_minutes = u.hold_minutes,
                      hold_cap_minutes = u.hold_cap_minutes, cancel_minutes = u.cancel_minutes,
                      orphan_rule = u.orphan_rule, pool_minutes = u.pool_minutes
                 from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::integer[], $6::integer[],
                             $7::integer[], $8::text[], $9::integer[])
                   u(time_slot, state, taken, from_position, hold_minutes, hold_cap_minutes, cancel_minutes, orphan_rule,
                     pool_minutes)
                where c.time_slot = u.time_slot"#,
            &column(rows, |put| put.key.uuid()),
            column(rows, |put| put.row.state.as_str()) as _,
            &column(rows, |put| put.row.taken),
            &column(rows, |put| put.from),
            &column(rows, |put| i32::from(put.row.plan.hold_minutes)),
            &column(rows, |put| i32::from(put.row.plan.hold_cap_minutes)),
            &column(rows, |put| i32::from(put.row.plan.cancel_minutes)),
            column(rows, |put| put.row.plan.orphan_rule.as_str()) as _,
            &column(rows, |put| i32::from(put.row.plan.pool_minutes)),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let plan = &*row.plan;
        let show = Columns::of(&plan.show);
        out.row(&[
            &key.uuid(),
            &plan.branch.uuid(),
            &show.movie,
            &show.auditorium,
            &show.layout_version,
            &show.theme,
            &show.party_min,
            &show.party_max,
            &plan.starts_at,
            &plan.ends_at,
            &plan.sales_open_at,
            &plan.sales_close_at,
            &plan.price_policy.uuid(),
            &i64::from(plan.price_version),
            &i16::from(plan.seats_per_customer_max),
            &i32::from(plan.hold_minutes),
            &i32::from(plan.hold_cap_minutes),
            &i32::from(plan.cancel_minutes),
            &plan.orphan_rule.as_str(),
            &i32::from(plan.pool_minutes),
            &i64::from(plan.show.capacity()),
            &row.state.as_str(),
            &row.taken,
            from,
        ]);
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
        let plan = &*row.plan;
        out.row(&[
            &key.uuid(),
            &row.state.as_str(),
            &row.taken,
            from,
            until,
            &i32::from(plan.hold_minutes),
            &i32::from(plan.hold_cap_minutes),
            &i32::from(plan.cancel_minutes),
            &plan.orphan_rule.as_str(),
            &i32::from(plan.pool_minutes),
        ]);
    }
}

/// What a seat's event does to the count of places that cannot be had.
const fn counts(event: &SeatEvent) -> i64 {
    match event {
        SeatEvent::Held { .. } | SeatEvent::Blocked { .. } => 1,
        SeatEvent::Released { .. } | SeatEvent::Unblocked => -1,
        // It was held before.
        SeatEvent::Reserved { .. } => 0,
    }
}

const fn state_after(event: &TimeSlotEvent, before: SlotState) -> SlotState {
    match event {
        TimeSlotEvent::Adjusted(_) => before,
        TimeSlotEvent::Scheduled { .. } | TimeSlotEvent::Reopened => SlotState::OnSale,
        TimeSlotEvent::Closed { .. } => SlotState::Closed,
        TimeSlotEvent::Withdrawn { .. } => SlotState::Withdrawn,
    }
}

fn storable(plan: &Plan) -> Plan {
    Plan {
        starts_at: moment(plan.starts_at),
        ends_at: moment(plan.ends_at),
        sales_open_at: moment(plan.sales_open_at),
        sales_close_at: moment(plan.sales_close_at),
        cancellation: None,
        ..plan.clone()
    }
}

/// What a slot shows, as columns.
#[derive(Default)]
struct Columns {
    movie: Option<Uuid>,
    auditorium: Option<Uuid>,
    layout_version: Option<i64>,
    theme: Option<Uuid>,
    party_min: Option<i16>,
    party_max: Option<i16>,
}

impl Columns {
    fn of(show: &Show) -> Self {
        match show {
            Show::Movie {
                movie,
                auditorium,
                layout_version,
                ..
            } => Self {
                movie: Some(movie.uuid()),
                auditorium: Some(auditorium.uuid()),
                layout_version: Some(i64::from(*layout_version)),
                ..Self::default()
            },
            Show::Theme {
                theme,
                party_min,
                party_max,
            } => Self {
                theme: Some(theme.uuid()),
                party_min: Some(i16::from(*party_min)),
                party_max: Some(i16::from(*party_max)),
                ..Self::default()
            },
        }
    }
}

/// A row as it is stored.
struct Stored {
    time_slot: Uuid,
    branch: Uuid,
    movie: Option<Uuid>,
    auditorium: Option<Uuid>,
    layout_version: Option<i64>,
    theme: Option<Uuid>,
    party_min: Option<i16>,
    party_max: Option<i16>,
    starts_at: SqlxTimestamp,
    ends_at: SqlxTimestamp,
    sales_open_at: SqlxTimestamp,
    sales_close_at: SqlxTimestamp,
    price_policy: Uuid,
    price_version: i64,
    seats_per_customer_max: i16,
    hold_minutes: i32,
    hold_cap_minutes: i32,
    cancel_minutes: i32,
    orphan_rule: String,
    pool_minutes: i32,
    capacity: i64,
    state: String,
    taken: i64,
    from_position: i64,
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
