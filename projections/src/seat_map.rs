//! Who has which seat of a time slot (DOMAIN C8); never says whose the reservation is.

use aggregates::{
    Event, Recorded,
    ids::{ReservationId, SeatId, TimeSlotId},
    seat::{self, SeatEvent},
};
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::column,
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// How a seat stands.
    SeatState {
        /// Anyone may hold it.
        Free = "free",
        /// Kept for a reservation that is not placed yet.
        Held = "held",
        /// Sold.
        Reserved = "reserved",
        /// Off sale.
        Blocked = "blocked",
    }
}

/// The read model.
pub struct SeatMap;

/// A seat that was touched at least once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// How it stands.
    pub state: SeatState,
    /// Who has it, held or reserved.
    pub reservation: Option<ReservationId>,
}

/// What an event makes of a seat.
#[must_use]
pub const fn after(event: &SeatEvent) -> Row {
    match event {
        SeatEvent::Held { by } => Row {
            state: SeatState::Held,
            reservation: Some(*by),
        },
        SeatEvent::Reserved { by } => Row {
            state: SeatState::Reserved,
            reservation: Some(*by),
        },
        SeatEvent::Released { .. } | SeatEvent::Unblocked => Row {
            state: SeatState::Free,
            reservation: None,
        },
        SeatEvent::Blocked { .. } => Row {
            state: SeatState::Blocked,
            reservation: None,
        },
    }
}

impl ReadModel for SeatMap {
    const NAME: &'static str = "seat_map";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "time_slot, label, state, reservation, from_position";
    const HISTORY: Option<&'static str> =
        Some("time_slot, label, state, reservation, from_position, until_position");

    type Key = SeatId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<SeatId> {
        recorded.id_of::<seat::Seat>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        if let Event::Seat(event) = &recorded.event {
            Some(after(event))
        } else {
            row
        }
    }

    async fn load(db: &mut PgConnection, keys: &[SeatId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select s.time_slot, s.label, s.state, s.reservation, s.from_position
                 from unnest($1::uuid[], $2::text[]) k(time_slot, label)
                 join seat_map s on s.time_slot = k.time_slot and s.label = k.label"#,
            &column(keys, |key| key.time_slot.uuid()),
            column(keys, |key| key.label.as_str()) as _,
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let key = SeatId {
                    time_slot: TimeSlotId::new(row.time_slot),
                    label: stored(&row.label)?,
                };
                let reservation = row.reservation.map(ReservationId::new);
                Ok((
                    key,
                    Version {
                        row: Row {
                            state: stored(&row.state)?,
                            reservation,
                        },
                        from: row.from_position,
                    },
                ))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        sqlx::query!(
            r#"update seat_map s
                  set state = u.state, reservation = u.reservation, from_position = u.from_position
                 from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
                   u(time_slot, label, state, reservation, from_position)
                where s.time_slot = u.time_slot and s.label = u.label"#,
            &column(rows, |put| put.key.time_slot.uuid()),
            column(rows, |put| put.key.label.as_str()) as _,
            column(rows, |put| put.row.state.as_str()) as _,
            column(rows, |put| put.row.reservation.map(ReservationId::number)) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        out.row(&[
            &key.time_slot.uuid(),
            &key.label.as_str(),
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
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
        out.row(&[
            &key.time_slot.uuid(),
            &key.label.as_str(),
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
            from,
            until,
        ]);
    }
}

/// A seat of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its label in the layout.
    pub label: String,
    /// How it stands.
    pub state: SeatState,
    /// Who has it: for staff and for telling a customer's own seats, never shown to others.
    pub reservation: Option<ReservationId>,
    /// Since which position.
    pub from_position: i64,
}

/// A slot's seats that were ever touched, as they stood at `position`; all others are free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The seats, by label.
    pub seats: Vec<Seat>,
    /// Up to which position of the log the map is complete: where to go on listening for changes.
    pub position: i64,
}

/// A slot's seats now, or as they stood right after the event at `as_of`.
pub async fn seat_map(
    db: impl PgExecutor<'_>,
    time_slot: TimeSlotId,
    as_of: Option<i64>,
) -> sqlx::Result<Map> {
    since(db, time_slot, 0, as_of).await
}

/// The seats that changed after a position, as they are now: what a listener missed.
pub async fn changes(db: impl PgExecutor<'_>, time_slot: TimeSlotId, after: i64) -> sqlx::Result<Map> {
    since(db, time_slot, after, None).await
}

async fn since(
    db: impl PgExecutor<'_>,
    time_slot: TimeSlotId,
    after: i64,
    as_of: Option<i64>,
) -> sqlx::Result<Map> {
    // One statement, so one snapshot: the rows are those of the checkpoint beside them.
    let rows = sqlx::query!(
        r#"with seats as (
             select label, state, reservation, from_position from seat_map
              where time_slot = $1 and from_position > $2 and ($3::bigint is null or from_position <= $3)
             union all
             select label, state, reservation, from_position from seat_map_history
              where $3 is not null and time_slot = $1 and from_position <= $3 and until_position > $3)
           select c.position as "position!", s.label as "label?", s.state as "state?", s.reservation as "reservation?",
                  s.from_position as "from_position?"
             from (select coalesce(min(position), 0) as position from checkpoints where model = 'seat_map') c
             left join seats s on true
            order by s.label"#,
        time_slot.uuid(),
        after,
        as_of,
    )
    .fetch_all(db)
    .await?;
    let position = rows.first().map_or(0, |row| row.position);
    let seats = rows
        .into_iter()
        .filter_map(|row| Some((row.label?, row.state?, row.reservation, row.from_position?)))
        .map(|(label, state, reservation, from_position)| {
            let reservation = reservation.map(ReservationId::new);
            Ok(Seat {
                label,
                state: stored(&state)?,
                reservation,
                from_position,
            })
        })
        .collect::<sqlx::Result<_>>()?;
    Ok(Map {
        seats,
        position: as_of.map_or(position, |as_of| as_of.min(position)),
    })
}
