//! What is on, where and when, and how many places are left (DOMAIN C5); never who has them.

mod labels;
mod queries;

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    ids::TimeSlotId,
    seat::{Seat, SeatEvent},
    time_slot::{Plan, Show, TimeSlot, TimeSlotEvent},
};
use sqlx::PgConnection;
use uuid::Uuid;

use self::queries::Stored;
pub use self::{
    labels::{Label, labels},
    queries::{Filter, Slot, time_slot, time_slots},
};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    tuples::Tuples,
    words::words,
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
        if let Event::Seat(event) = &recorded.event
            && counts(event) == 0
        {
            return None;
        }
        let of_seat = recorded.id_of::<Seat>().map(|seat| seat.time_slot);
        of_seat.or_else(|| recorded.id_of::<TimeSlot>())
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
