//! Pages of the reservation list: every filter, in the order that is asked for, counted; never a change.
//!
//! A page begins after a place, the key of the order and the number that ends a tie: what comes and goes meanwhile neither
//! repeats nor hides a reservation whose key stays.

use aggregates::ids::{BranchId, CustomerId, MovieId, ReservationId, ThemeId, TimeSlotId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::PgConnection;

use super::{
    PaymentKind, parts,
    queries::{Entry, Filter, Stored},
};
use crate::{
    model::{escaped, planned_anew, uuids},
    words::words,
};

words! {
    /// By what the list is sorted.
    Sort {
        /// By number: in the order in which they were begun.
        Number = "number",
        /// By when the slot begins.
        StartsAt = "starts_at",
        /// By when it was placed; what was never placed is left out.
        PlacedAt = "placed_at",
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
    /// The newest first.
    fn default() -> Self {
        Self {
            sort: Sort::Number,
            descending: true,
        }
    }
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number, the start in microseconds, or the position of the placement, as the list is sorted.
    pub key: i64,
    /// The reservation there.
    pub reservation: ReservationId,
}

impl Place {
    /// The place of an entry in a list of this order.
    #[must_use]
    pub fn of(entry: &Entry, order: Order) -> Self {
        let key = match order.sort {
            Sort::Number => entry.reservation.number(),
            Sort::StartsAt => entry.starts_at.map_or(0, Timestamp::as_microsecond),
            Sort::PlacedAt => entry.placed_position.unwrap_or_default(),
        };
        Self {
            key,
            reservation: entry.reservation,
        }
    }
}

/// A filter as the queries take it.
struct Terms<'a> {
    filter: &'a Filter,
    stages: Vec<&'static str>,
    branches: Option<Vec<uuid::Uuid>>,
    /// The digits of a part of a phone number.
    digits: Option<String>,
    /// Any three of them in a row, as the index knows them; fewer are looked for one by one.
    known: Option<Vec<i16>>,
    /// A part of a name, as it is compared.
    name: Option<String>,
}

impl<'a> Terms<'a> {
    fn of(filter: &'a Filter) -> Self {
        let digits: Option<String> = filter
            .phone
            .as_ref()
            .map(|typed| typed.chars().filter(char::is_ascii_digit).collect());
        let known = digits.as_deref().filter(|digits| digits.len() >= 3);
        Self {
            filter,
            stages: filter.stages.iter().map(|stage| stage.as_str()).collect(),
            branches: uuids(filter.branches.as_deref()),
            known: known.map(|digits| parts(digits).collect()),
            digits,
            name: filter.name.as_ref().map(|name| format!("%{}%", escaped(name))),
        }
    }
}

/// A query of everything that fits: what of it, and in which order from where on.
macro_rules! fitting {
    ($query:ident [$($out:ident)?] $what:literal, $terms:ident, $limit:expr, $rest:literal $(, $more:expr)*) => {
        sqlx::$query!(
            $($out,)?
            $what + r#"
             from reservation_list r
             left join events e on e.position = r.placed_position
             left join time_slot_calendar c on c.time_slot = r.time_slot
             left join catalogue b on b.kind = 'branch' and b.id = c.branch and b.version = 0
             left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                  and s.id = coalesce(c.movie, c.theme) and s.version = 0
            where ($1::uuid is null or r.time_slot = $1)
              and ($2::uuid is null or c.branch = $2)
              and ($3::uuid is null or c.movie = $3)
              and ($4::uuid is null or c.theme = $4)
              and ($5::timestamptz is null or c.starts_at >= $5)
              and ($6::timestamptz is null or c.starts_at < $6)
              and (cardinality($7::text[]) = 0 or r.stage = any ($7))
              and ($8::bool is null or ($8 and r.paid_position is not null)
                   or (not $8 and r.paid_position is null and r.placed_position is not null))
              and ($9::text is null or r.short_code = $9)
              and ($10::smallint[] is null or (r.phone_parts is not null and r.phone_parts @> $10))
              and ($11::text is null or replace(r.phone, '-', '') like '%' || $11 || '%')
              and ($12::text is null or (r.name is not null and r.name ilike $12
                   and read_models.text_parts(r.name) @> read_models.text_parts($13)))
              and ($14::uuid[] is null or c.branch = any ($14))
              and ($15::uuid is null or r.customer = $15)
              and ($16::bigint is null or r.reservation = $16)
              and ($17::text is null or r.coupon = $17)
              and ($18::text is null or r.payment = $18)
            "# + $rest,
            $terms.filter.time_slot.map(TimeSlotId::uuid),
            $terms.filter.branch.map(BranchId::uuid),
            $terms.filter.movie.map(MovieId::uuid),
            $terms.filter.theme.map(ThemeId::uuid),
            $terms.filter.starts_from.map(ToSqlx::to_sqlx) as _,
            $terms.filter.starts_before.map(ToSqlx::to_sqlx) as _,
            &$terms.stages as _,
            $terms.filter.paid,
            $terms.filter.short_code,
            $terms.known.as_deref(),
            $terms.digits,
            $terms.name,
            $terms.filter.name,
            $terms.branches.as_deref(),
            $terms.filter.customer.map(CustomerId::uuid),
            $terms.filter.number.map(ReservationId::number),
            $terms.filter.coupon,
            $terms.filter.payment.map(PaymentKind::as_str),
            $limit
            $(, $more)*
        )
    };
}

/// A page of entries in one of the orders.
macro_rules! page {
    ($db:ident, $terms:ident, $limit:ident, $rest:literal $(, $more:expr)*) => {
        fitting!(
            query_as [Stored] r#"select r.reservation, r.stage, r.time_slot, r.seats, r.party, r.total, r.currency,
                  r.hold_until as "hold_until: _", r.pay_by as "pay_by: _", r.payment, r.coupon, r.short_code,
                  r.owed, r.placed_position, r.paid_position, r.notified_position, r.attended_position, r.customer,
                  e.recorded_at as "placed_at?: _", r.name, r.phone, r.from_position, c.starts_at as "starts_at?: _", c.branch as "branch?", b.name as "branch_name?",
                  s.name as "show_name?""#,
            $terms, $limit, $rest $(, $more)*
        )
        .fetch_all(&mut *$db)
        .await?
    };
}

/// The reservations that fit, in this order, those behind `after`.
pub async fn listed(
    db: &mut PgConnection,
    filter: &Filter,
    Order { sort, descending }: Order,
    after: Option<Place>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let terms = Terms::of(filter);
    let key = after.map(|after| after.key);
    let number = after.map(|after| after.reservation.number());
    let start = key
        .and_then(|micros| Timestamp::from_microsecond(micros).ok())
        .map(ToSqlx::to_sqlx);
    let mut db = planned_anew(db).await?;
    let rows: Vec<Stored> = match (sort, descending) {
        (Sort::Number, true) => page!(
            db, terms, limit,
            "and ($20::bigint is null or r.reservation < $20) order by r.reservation desc limit $19", key
        ),
        (Sort::Number, false) => page!(
            db, terms, limit,
            "and ($20::bigint is null or r.reservation > $20) order by r.reservation limit $19", key
        ),
        (Sort::StartsAt, true) => page!(
            db, terms, limit,
            "and c.starts_at is not null and ($20::timestamptz is null or (c.starts_at, r.reservation) < ($20, $21::bigint))
             order by c.starts_at desc, r.reservation desc limit $19",
            start as _, number
        ),
        (Sort::StartsAt, false) => page!(
            db, terms, limit,
            "and c.starts_at is not null and ($20::timestamptz is null or (c.starts_at, r.reservation) > ($20, $21::bigint))
             order by c.starts_at, r.reservation limit $19",
            start as _, number
        ),
        (Sort::PlacedAt, true) => page!(
            db, terms, limit,
            "and r.placed_position is not null
             and ($20::bigint is null or (r.placed_position, r.reservation) < ($20, $21::bigint))
             order by r.placed_position desc, r.reservation desc limit $19",
            key, number
        ),
        (Sort::PlacedAt, false) => page!(
            db, terms, limit,
            "and r.placed_position is not null
             and ($20::bigint is null or (r.placed_position, r.reservation) > ($20, $21::bigint))
             order by r.placed_position, r.reservation limit $19",
            key, number
        ),
    };
    db.commit().await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// How many reservations a list in this order has; counting ends at `max`.
pub async fn count(db: &mut PgConnection, filter: &Filter, order: Order, max: i64) -> sqlx::Result<i64> {
    let terms = Terms::of(filter);
    let mut db = planned_anew(db).await?;
    let count = fitting!(
        query_scalar [] r#"select count(*) as "count!" from (select 1"#, terms, max,
        "and (not $20::bool or r.placed_position is not null) limit $19) fitting", order.sort == Sort::PlacedAt
    );
    let count = count.fetch_one(&mut *db).await?;
    db.commit().await?;
    Ok(count)
}

/// The reservations that fitted right after the event at `position`, in this order, those behind `after`. Name and phone
/// are always today's: what was erased is gone.
#[expect(clippy::too_many_lines, reason = "one query")]
pub async fn listed_as_of(
    db: &mut PgConnection,
    filter: &Filter,
    Order { sort, descending }: Order,
    position: i64,
    after: Option<Place>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let terms = Terms::of(filter);
    let mut db = planned_anew(db).await?;
    // Both ways by one query: what is greatest comes last with its sign changed.
    let sign = if descending { -1 } else { 1 };
    let (key, number) = after.map(|after| (after.key, after.reservation.number())).unzip();
    let rows = sqlx::query_as!(
        Stored,
        r#"select f.reservation as "reservation!", f.stage as "stage!", f.time_slot as "time_slot!", f.seats as "seats!",
                  f.party as "party!", f.total as "total!", f.currency as "currency!", f.hold_until as "hold_until: _",
                  f.pay_by as "pay_by: _", f.payment, f.coupon, f.short_code, f.owed as "owed!", f.placed_position,
                  f.paid_position,
                  f.notified_position, f.attended_position, f.customer, e.recorded_at as "placed_at?: _", f.name, f.phone,
                  f.from_position as "from_position!",
                  f.starts_at as "starts_at?: _", f.branch as "branch?", f.branch_name as "branch_name?",
                  f.show_name as "show_name?"
             from (
               select r.reservation, v.stage, v.time_slot, v.seats, v.party, v.total, v.owed, r.currency, v.hold_until, v.pay_by,
                      p.payment, p.coupon, p.short_code, p.placed_position, v.paid_position, v.notified_position,
                      v.attended_position, r.customer, p.name, p.phone, v.from_position, c.starts_at, c.branch,
                      b.name as branch_name, s.name as show_name,
                      case $19::text when 'number' then r.reservation when 'placed_at' then p.placed_position
                           else (extract(epoch from c.starts_at) * 1000000)::bigint end * $20::bigint as key
                 from reservation_list r
                 cross join lateral (
                   select r.stage, r.seats, r.party, r.total, r.hold_until, r.pay_by, r.paid_position,
                          r.notified_position, r.attended_position, r.from_position, r.time_slot, r.owed
                    where r.from_position <= $21
                   union all
                   select h.stage, h.seats, h.party, h.total, h.hold_until, h.pay_by, h.paid_position,
                          h.notified_position, h.attended_position, h.from_position, coalesce(h.time_slot, r.time_slot), h.owed
                     from reservation_list_history h
                    where h.reservation = r.reservation and h.from_position <= $21 and h.until_position > $21
                 ) v
                 left join lateral (
                   select r.payment, r.coupon, r.short_code, r.placed_position, r.name, r.phone
                    where r.placed_position <= $21::bigint
                 ) p on true
                 left join time_slot_calendar c on c.time_slot = v.time_slot
                 left join catalogue b on b.kind = 'branch' and b.id = c.branch and b.version = 0
                 left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                      and s.id = coalesce(c.movie, c.theme) and s.version = 0
                where ($1::uuid is null or v.time_slot = $1)
                  and ($2::uuid is null or c.branch = $2)
                  and ($3::uuid is null or c.movie = $3)
                  and ($4::uuid is null or c.theme = $4)
                  and ($5::timestamptz is null or c.starts_at >= $5)
                  and ($6::timestamptz is null or c.starts_at < $6)
                  and (cardinality($7::text[]) = 0 or v.stage = any ($7))
                  and ($8::bool is null or ($8 and v.paid_position is not null)
                       or (not $8 and v.paid_position is null and p.placed_position is not null))
                  and ($9::text is null or p.short_code = $9)
                  and ($10::smallint[] is null or (r.phone_parts is not null and r.phone_parts @> $10))
                  and ($11::text is null or replace(p.phone, '-', '') like '%' || $11 || '%')
                  and ($12::text is null or (r.name is not null and p.name ilike $12
                       and read_models.text_parts(r.name) @> read_models.text_parts($13)))
                  and ($14::uuid[] is null or c.branch = any ($14))
                  and ($15::uuid is null or r.customer = $15)
                  and ($16::bigint is null or r.reservation = $16)
                  and ($17::text is null or p.coupon = $17)
                  and ($18::text is null or p.payment = $18)
             ) f
             left join events e on e.position = f.placed_position
            where f.key is not null
              and ($22::bigint is null or (f.key, f.reservation * $20) > ($22 * $20, $23::bigint * $20))
            order by f.key, f.reservation * $20
            limit $24"#,
        filter.time_slot.map(TimeSlotId::uuid),
        filter.branch.map(BranchId::uuid),
        filter.movie.map(MovieId::uuid),
        filter.theme.map(ThemeId::uuid),
        filter.starts_from.map(ToSqlx::to_sqlx) as _,
        filter.starts_before.map(ToSqlx::to_sqlx) as _,
        &terms.stages as _,
        filter.paid,
        filter.short_code,
        terms.known.as_deref(),
        terms.digits,
        terms.name,
        filter.name,
        terms.branches.as_deref(),
        filter.customer.map(CustomerId::uuid),
        filter.number.map(ReservationId::number),
        filter.coupon,
        filter.payment.map(PaymentKind::as_str),
        sort.as_str(),
        sign,
        position,
        key,
        number,
        limit,
    )
    .fetch_all(&mut *db)
    .await?;
    db.commit().await?;
    rows.into_iter().map(Entry::try_from).collect()
}
