//! Who waits for which slot and what became of them (DOMAIN W1), and who they are while that may be known; never decides whose turn it is.

mod listing;

mod queries;

use std::{fmt, sync::Arc};

use aggregates::{
    Event, Recorded,
    ids::{CustomerId, ReservationId, TimeSlotId},
    values::{CustomerName, PhoneNumber, SeatLabel},
    waitlist::{Waitlist, WaitlistEvent, seats_for},
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgConnection;

pub use self::{
    listing::{Entry, Filter, Order, Place, Sort, entries},
    queries::{of_customer, to_look_after, whereabouts},
};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    reservation_list::parts,
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// What became of an entry.
    EntryState {
        /// It waits for its turn.
        Waiting = "waiting",
        /// Places are held for it.
        Offered = "offered",
        /// They were taken.
        Accepted = "accepted",
        /// They were given back.
        Declined = "declined",
        /// They were not taken in time.
        Lapsed = "lapsed",
        /// It was taken off.
        Left = "left",
        /// There was nothing to wait for any more.
        Ended = "ended",
    }
}

/// The read model.
pub struct WaitlistQueue;

/// What names a row: an entry; or a whole slot, for an event that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// This entry.
    Entry(ReservationId),
    /// Whoever waits for this slot: no row at all.
    Slot(TimeSlotId),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(entry) => entry.fmt(f),
            Self::Slot(slot) => slot.fmt(f),
        }
    }
}

impl Key {
    /// As the table has it; a slot has no row.
    fn number(self) -> i64 {
        match self {
            Self::Entry(entry) => entry.number(),
            Self::Slot(_) => 0,
        }
    }
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// How many places side by side.
    pub places: i16,
    /// How many people.
    pub people: i16,
    /// Whose it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// Who to call; none if it was erased.
    pub name: Option<Arc<str>>,
    /// The number; none if it was erased.
    pub phone: Option<Arc<str>>,
    /// The position of the event that began it: the order of the line.
    pub joined_position: i64,
    /// What became of it.
    pub state: EntryState,
    /// What was offered last.
    pub seats: Arc<[SeatLabel]>,
    /// Until when, while the offer runs.
    pub offered_until: Option<Timestamp>,
}

impl ReadModel for WaitlistQueue {
    const NAME: &'static str = "waitlist_queue";
    const VERSION: i32 = 2;
    const COLUMNS: &'static str = "entry, time_slot, places, people, customer, joined_position, state, seats, offered_until, \
        from_position, name, phone, phone_parts";
    const HISTORY: Option<&'static str> =
        Some("entry, state, seats, offered_until, from_position, until_position");

    type Key = Key;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<Key> {
        let slot = recorded.id_of::<Waitlist>()?;
        if let Event::Waitlist(event) = &recorded.event {
            event.entry().map(Key::Entry)
        } else {
            // It cannot be read, so what it was about is unknown: it is reported under its slot.
            Some(Key::Slot(slot))
        }
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        use WaitlistEvent as Is;
        let Event::Waitlist(event) = &recorded.event else {
            return row;
        };
        let settled = |state| {
            row.clone().map(|row| Row {
                state,
                offered_until: None,
                ..row
            })
        };
        match event {
            Is::Joined {
                party,
                customer,
                contact,
                ..
            } => Some(Row {
                time_slot: recorded.id_of::<Waitlist>()?,
                places: i16::try_from(seats_for(party)).unwrap_or(i16::MAX),
                people: i16::try_from(party.size()).unwrap_or(i16::MAX),
                customer: *customer,
                name: contact
                    .name
                    .plain()
                    .map(|name: &CustomerName| name.as_str().into()),
                phone: contact
                    .phone
                    .plain()
                    .map(|phone: &PhoneNumber| phone.as_str().into()),
                joined_position: recorded.position,
                state: EntryState::Waiting,
                seats: Arc::new([]),
                offered_until: None,
            }),
            Is::Offered { seats, until, .. } => row.map(|row| Row {
                state: EntryState::Offered,
                seats: seats.iter().cloned().collect(),
                offered_until: Some(moment(*until)),
                ..row
            }),
            Is::Accepted { .. } => settled(EntryState::Accepted),
            Is::Declined { .. } => settled(EntryState::Declined),
            Is::Lapsed { .. } => settled(EntryState::Lapsed),
            Is::Left { .. } => settled(EntryState::Left),
            Is::Ended { .. } => settled(EntryState::Ended),
            Is::Passed { .. } => row,
        }
    }

    fn begins(recorded: &Recorded) -> bool {
        matches!(&recorded.event, Event::Waitlist(WaitlistEvent::Joined { .. }))
    }

    async fn load(db: &mut PgConnection, keys: &[Key]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select entry, time_slot, places, people, customer, joined_position, state, seats,
                      offered_until as "offered_until: SqlxTimestamp", from_position, name, phone
                 from waitlist_queue where entry = any ($1)"#,
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let seats: sqlx::Result<Vec<SeatLabel>> = row.seats.iter().map(|seat| stored(seat)).collect();
                let version = Version {
                    row: Row {
                        time_slot: TimeSlotId::new(row.time_slot),
                        places: row.places,
                        people: row.people,
                        customer: row.customer.map(CustomerId::new),
                        name: row.name.map(Into::into),
                        phone: row.phone.map(Into::into),
                        joined_position: row.joined_position,
                        state: stored(&row.state)?,
                        seats: seats?.into(),
                        offered_until: row.offered_until.map(SqlxTimestamp::to_jiff),
                    },
                    from: row.from_position,
                };
                Ok((Key::Entry(ReservationId::new(row.entry)), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        // Whom it is for never changes; it is erased behind the fold's back.
        sqlx::query!(
            r#"update waitlist_queue q
                  set state = u.state, seats = string_to_array(u.seats, ','), offered_until = u.offered_until,
                      from_position = u.from_position
                 from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
                   u(entry, state, seats, offered_until, from_position)
                where q.entry = u.entry"#,
            &column(rows, |put| put.key.number()),
            column(rows, |put| put.row.state.as_str()) as _,
            &column(rows, |put| comma_separated(&put.row.seats)),
            column(rows, |put| put.row.offered_until.map(ToSqlx::to_sqlx)) as _,
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let phone_parts: Option<Vec<i16>> = row.phone.as_deref().map(|phone| parts(phone).collect());
        out.row(&[
            &key.number(),
            &row.time_slot.uuid(),
            &row.places,
            &row.people,
            &row.customer.map(CustomerId::uuid),
            &row.joined_position,
            &row.state.as_str(),
            &&*row.seats,
            &row.offered_until,
            from,
            &row.name.as_deref(),
            &row.phone.as_deref(),
            &phone_parts.as_deref(),
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
            &key.number(),
            &row.state.as_str(),
            &&*row.seats,
            &row.offered_until,
            from,
            until,
        ]);
    }
}

/// Labels hold no comma.
fn comma_separated(seats: &[SeatLabel]) -> String {
    seats.iter().map(SeatLabel::as_str).collect::<Vec<_>>().join(",")
}
