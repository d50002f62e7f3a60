//! Pages of those who wait, for staff: every filter, in the order that is asked for; never a change.

use aggregates::ids::{BranchId, CustomerId, ReservationId, TimeSlotId};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::EntryState;
use crate::{
    model::{escaped, planned_anew, uuids},
    reservation_list::parts,
    words::{stored, words},
};

words! {
    /// By what the list is sorted.
    Sort {
        /// By when they came: the order of the line.
        Joined = "joined",
        /// By when the slot begins.
        StartsAt = "starts_at",
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub sort: Sort,
    /// The greatest first.
    pub descending: bool,
}

impl Default for Order {
    /// As they came.
    fn default() -> Self {
        Self {
            sort: Sort::Joined,
            descending: false,
        }
    }
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The position at which it began, or the start in microseconds, as the list is sorted.
    pub key: i64,
    /// The entry there.
    pub entry: ReservationId,
}

impl Place {
    /// The place of an entry in a list of this order.
    #[must_use]
    pub fn of(entry: &Entry, order: Order) -> Self {
        let key = match order.sort {
            Sort::Joined => entry.joined_position,
            Sort::StartsAt => entry.starts_at.map_or(0, Timestamp::as_microsecond),
        };
        Self {
            key,
            entry: entry.entry,
        }
    }
}

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
    /// Who to call; none if it was erased.
    pub name: Option<String>,
    /// The number; none if it was erased.
    pub phone: Option<String>,
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
    /// With a phone number that contains these digits (DOMAIN E6).
    pub phone: Option<String>,
    /// With a name that contains this text.
    pub name: Option<String>,
}

struct Stored {
    entry: i64,
    time_slot: Uuid,
    places: i16,
    people: i16,
    customer: Option<Uuid>,
    name: Option<String>,
    phone: Option<String>,
    joined_position: i64,
    state: String,
    seats: Vec<String>,
    offered_until: Option<SqlxTimestamp>,
    starts_at: Option<SqlxTimestamp>,
    branch: Option<Uuid>,
    place: Option<i64>,
}

impl TryFrom<Stored> for Entry {
    type Error = sqlx::Error;

    fn try_from(row: Stored) -> sqlx::Result<Self> {
        Ok(Self {
            entry: ReservationId::new(row.entry),
            time_slot: TimeSlotId::new(row.time_slot),
            places: row.places,
            people: row.people,
            customer: row.customer.map(CustomerId::new),
            name: row.name,
            phone: row.phone,
            state: stored(&row.state)?,
            position: row.place,
            seats: row.seats,
            offered_until: row.offered_until.map(SqlxTimestamp::to_jiff),
            joined_position: row.joined_position,
            starts_at: row.starts_at.map(SqlxTimestamp::to_jiff),
            branch: row.branch.map(BranchId::new),
        })
    }
}

/// A page of entries in one of the orders.
macro_rules! page {
    ($db:ident, $filter:ident, $after:ident, $limit:ident, $rest:literal) => {{
        let known: Option<Vec<i16>> = $filter
            .phone
            .as_deref()
            .filter(|digits| digits.len() >= 3)
            .map(|digits| parts(digits).collect());
        let branches = uuids($filter.branches.as_deref());
        sqlx::query_as!(
            Stored,
            r#"select q.entry, q.time_slot, q.places, q.people, q.customer, q.name, q.phone, q.joined_position, q.state,
                  q.seats, q.offered_until as "offered_until: _", c.starts_at as "starts_at?: _", c.branch as "branch?",
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
              and ($5::smallint[] is null or (q.phone_parts is not null and q.phone_parts @> $5))
              and ($6::text is null or replace(q.phone, '-', '') like '%' || $6 || '%')
              and ($7::text is null or (q.name is not null and q.name ilike $7
                   and read_models.text_parts(q.name) @> read_models.text_parts($8)))
            "# + $rest + " limit $11",
            $filter.time_slot.map(TimeSlotId::uuid),
            $filter.branch.map(BranchId::uuid),
            branches.as_deref(),
            $filter.state.map(EntryState::as_str),
            known.as_deref(),
            $filter.phone,
            $filter.name.as_ref().map(|name| format!("%{}%", escaped(name))),
            $filter.name,
            $after.0 as _,
            $after.1,
            $limit,
        )
        .fetch_all(&mut *$db)
        .await?
    }};
}

/// The entries that fit, in this order, those behind `after`.
pub async fn entries(
    db: &mut PgConnection,
    filter: &Filter,
    Order { sort, descending }: Order,
    after: Option<Place>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let number = after.map(|after| after.entry.number());
    let joined = (after.map(|after| after.key), number);
    let start = after
        .and_then(|after| Timestamp::from_microsecond(after.key).ok())
        .map(ToSqlx::to_sqlx);
    let start = (start, number);
    let mut db = planned_anew(db).await?;
    let rows: Vec<Stored> = match (sort, descending) {
        (Sort::Joined, false) => page!(
            db,
            filter,
            joined,
            limit,
            "and ($9::bigint is null or (q.joined_position, q.entry) > ($9, $10::bigint))
             order by q.joined_position, q.entry"
        ),
        (Sort::Joined, true) => page!(
            db,
            filter,
            joined,
            limit,
            "and ($9::bigint is null or (q.joined_position, q.entry) < ($9, $10::bigint))
             order by q.joined_position desc, q.entry desc"
        ),
        (Sort::StartsAt, false) => page!(
            db,
            filter,
            start,
            limit,
            "and c.starts_at is not null
             and ($9::timestamptz is null or (c.starts_at, q.entry) > ($9, $10::bigint))
             order by c.starts_at, q.entry"
        ),
        (Sort::StartsAt, true) => page!(
            db,
            filter,
            start,
            limit,
            "and c.starts_at is not null
             and ($9::timestamptz is null or (c.starts_at, q.entry) < ($9, $10::bigint))
             order by c.starts_at desc, q.entry desc"
        ),
    };
    db.commit().await?;
    rows.into_iter().map(Entry::try_from).collect()
}
