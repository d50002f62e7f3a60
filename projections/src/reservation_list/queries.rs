//! What staff and owners ask the reservation list; never a change.

use aggregates::{
    ids::{BranchId, CustomerId, MovieId, ReservationId, ThemeId, TimeSlotId},
    values::Currency,
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{PaymentKind, Stage, currency, parts};
use crate::{
    model::{planned_anew, uuids},
    words::stored,
};

/// A reservation with what belongs to it: names are joined, never copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub reservation: ReservationId,
    /// What has become of it.
    pub stage: Stage,
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// Its seats.
    pub seats: Vec<String>,
    /// How many people.
    pub party: i64,
    /// Its price, in minor units.
    pub total: i64,
    /// The price's currency.
    pub currency: Currency,
    /// When the hold runs out.
    pub hold_until: Option<Timestamp>,
    /// When it must be paid.
    pub pay_by: Option<Timestamp>,
    /// How it is paid.
    pub payment: Option<PaymentKind>,
    /// The coupon redeemed with it.
    pub coupon: Option<String>,
    /// The short code for people.
    pub short_code: Option<String>,
    /// What is still to be paid, in minor units; below 0 if more came than the price.
    pub owed: i64,
    /// Since when it is binding, as a position.
    pub placed_position: Option<i64>,
    /// Since when it is paid, as a position.
    pub paid_position: Option<i64>,
    /// When the customer was last told, as a position.
    pub notified_position: Option<i64>,
    /// When they came, as a position.
    pub attended_position: Option<i64>,
    /// Who to call.
    pub name: Option<String>,
    /// The number.
    pub phone: Option<String>,
    /// Since which position it looks like this.
    pub from_position: i64,
    /// When the slot begins.
    pub starts_at: Option<Timestamp>,
    /// Where.
    pub branch: Option<BranchId>,
    /// The branch's name.
    pub branch_name: Option<String>,
    /// The title of the movie or the name of the theme.
    pub show_name: Option<String>,
}

struct Stored {
    reservation: i64,
    stage: String,
    time_slot: Uuid,
    seats: Vec<String>,
    party: i64,
    total: i64,
    currency: String,
    hold_until: Option<SqlxTimestamp>,
    pay_by: Option<SqlxTimestamp>,
    payment: Option<String>,
    coupon: Option<String>,
    short_code: Option<String>,
    owed: i64,
    placed_position: Option<i64>,
    paid_position: Option<i64>,
    notified_position: Option<i64>,
    attended_position: Option<i64>,
    name: Option<String>,
    phone: Option<String>,
    from_position: i64,
    starts_at: Option<SqlxTimestamp>,
    branch: Option<Uuid>,
    branch_name: Option<String>,
    show_name: Option<String>,
}

impl TryFrom<Stored> for Entry {
    type Error = sqlx::Error;

    fn try_from(row: Stored) -> sqlx::Result<Self> {
        Ok(Self {
            reservation: ReservationId::new(row.reservation),
            stage: stored(&row.stage)?,
            time_slot: TimeSlotId::new(row.time_slot),
            seats: row.seats,
            party: row.party,
            total: row.total,
            currency: currency(&row.currency)?,
            hold_until: row.hold_until.map(SqlxTimestamp::to_jiff),
            pay_by: row.pay_by.map(SqlxTimestamp::to_jiff),
            payment: row.payment.as_deref().map(stored).transpose()?,
            coupon: row.coupon,
            short_code: row.short_code,
            owed: row.owed,
            placed_position: row.placed_position,
            paid_position: row.paid_position,
            notified_position: row.notified_position,
            attended_position: row.attended_position,
            name: row.name,
            phone: row.phone,
            from_position: row.from_position,
            starts_at: row.starts_at.map(SqlxTimestamp::to_jiff),
            branch: row.branch.map(BranchId::new),
            branch_name: row.branch_name,
            show_name: row.show_name,
        })
    }
}

/// Which reservations are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// For this slot.
    pub time_slot: Option<TimeSlotId>,
    /// At this branch.
    pub branch: Option<BranchId>,
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// At one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
    /// For this movie.
    pub movie: Option<MovieId>,
    /// For this theme.
    pub theme: Option<ThemeId>,
    /// For slots that begin at this moment or later.
    pub starts_from: Option<Timestamp>,
    /// For slots that begin before this moment.
    pub starts_before: Option<Timestamp>,
    /// In one of these stages; in any, if empty.
    pub stages: Vec<Stage>,
    /// Paid, or not.
    pub paid: Option<bool>,
    /// With this short code.
    pub short_code: Option<String>,
    /// With a phone number that contains these digits; other characters are ignored (DOMAIN E6).
    pub phone: Option<String>,
    /// With a name that contains this text.
    pub name: Option<String>,
}

/// Where a page of the list begins: after this reservation. Numbers are ordered by time, the newest come first.
pub type Cursor = ReservationId;

/// The reservations that fit, the newest first.
pub async fn reservations(
    db: &mut PgConnection,
    filter: &Filter,
    after: Option<Cursor>,
    limit: i64,
) -> sqlx::Result<Vec<Entry>> {
    let digits: Option<String> = filter
        .phone
        .as_ref()
        .map(|typed| typed.chars().filter(char::is_ascii_digit).collect());
    // The index knows any three digits in a row; fewer are looked for one by one.
    let known: Option<Vec<i16>> = digits
        .as_deref()
        .filter(|digits| digits.len() >= 3)
        .map(|digits| parts(digits).collect());
    let stages: Vec<&str> = filter.stages.iter().map(|stage| stage.as_str()).collect();
    let name = filter.name.as_ref().map(|name| format!("%{}%", escaped(name)));
    let branches = uuids(filter.branches.as_deref());
    let mut transaction = planned_anew(db).await?;
    let rows = sqlx::query_as!(
        Stored,
        r#"select r.reservation, r.stage, r.time_slot, r.seats, r.party, r.total, r.currency,
                  r.hold_until as "hold_until: _", r.pay_by as "pay_by: _", r.payment, r.coupon, r.short_code,
                  r.owed, r.placed_position, r.paid_position, r.notified_position, r.attended_position, r.name, r.phone,
                  r.from_position, c.starts_at as "starts_at?: _", c.branch as "branch?", b.name as "branch_name?",
                  s.name as "show_name?"
             from reservation_list r
             left join time_slot_calendar c on c.time_slot = r.time_slot
             left join catalogue b on b.kind = 'branch' and b.id = c.branch
             left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                  and s.id = coalesce(c.movie, c.theme)
            where ($1::uuid is null or r.time_slot = $1)
              and ($2::uuid is null or c.branch = $2)
              and ($3::uuid is null or c.movie = $3)
              and ($4::uuid is null or c.theme = $4)
              and ($5::timestamptz is null or c.starts_at >= $5)
              and ($6::timestamptz is null or c.starts_at < $6)
              and (cardinality($7::text[]) = 0 or r.stage = any ($7))
              and ($8::bool is null or (r.paid_position is not null) = $8)
              and ($9::text is null or r.short_code = $9)
              and ($10::smallint[] is null or (r.phone_parts is not null and r.phone_parts @> $10))
              and ($11::text is null or replace(r.phone, '-', '') like '%' || $11 || '%')
              and ($12::text is null or r.name ilike $12)
              and ($13::bigint is null or r.reservation < $13)
              and ($15::uuid[] is null or c.branch = any ($15))
              and ($16::uuid is null or r.customer = $16)
            order by r.reservation desc
            limit $14"#,
        filter.time_slot.map(TimeSlotId::uuid),
        filter.branch.map(BranchId::uuid),
        filter.movie.map(MovieId::uuid),
        filter.theme.map(ThemeId::uuid),
        filter.starts_from.map(ToSqlx::to_sqlx) as _,
        filter.starts_before.map(ToSqlx::to_sqlx) as _,
        stages as _,
        filter.paid,
        filter.short_code,
        known.as_deref(),
        digits,
        name,
        after.map(ReservationId::number),
        limit,
        branches.as_deref(),
        filter.customer.map(CustomerId::uuid),
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    rows.into_iter().map(Entry::try_from).collect()
}

/// One reservation now, or as it was right after the event at `as_of`. Name and phone are always today's: what was
/// erased is gone.
pub async fn reservation(
    db: impl PgExecutor<'_>,
    id: ReservationId,
    as_of: Option<i64>,
) -> sqlx::Result<Option<Entry>> {
    let row = sqlx::query_as!(
        Stored,
        r#"select r.reservation, v.stage as "stage!", v.time_slot as "time_slot!", v.seats as "seats!", v.party as "party!",
                  v.total as "total!", r.currency, v.hold_until as "hold_until: _", v.pay_by as "pay_by: _",
                  p.payment as "payment?", p.coupon as "coupon?", p.short_code as "short_code?",
                  v.owed as "owed!", p.placed_position as "placed_position?", v.paid_position, v.notified_position, v.attended_position,
                  p.name as "name?", p.phone as "phone?", v.from_position as "from_position!",
                  c.starts_at as "starts_at?: _", c.branch as "branch?", b.name as "branch_name?",
                  s.name as "show_name?"
             from reservation_list r
             cross join lateral (
               select r.stage, r.seats, r.party, r.total, r.hold_until, r.pay_by, r.paid_position, r.notified_position,
                      r.attended_position, r.from_position, r.time_slot, r.owed
                where $2::bigint is null or r.from_position <= $2
               union all
               select h.stage, h.seats, h.party, h.total, h.hold_until, h.pay_by, h.paid_position, h.notified_position,
                      h.attended_position, h.from_position, coalesce(h.time_slot, r.time_slot), h.owed
                 from reservation_list_history h
                where $2 is not null and h.reservation = r.reservation and h.from_position <= $2
                  and h.until_position > $2
             ) v
             left join lateral (
               select r.payment, r.coupon, r.short_code, r.placed_position, r.name, r.phone
                where $2 is null or r.placed_position <= $2
             ) p on true
             left join time_slot_calendar c on c.time_slot = v.time_slot
             left join catalogue b on b.kind = 'branch' and b.id = c.branch
             left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                  and s.id = coalesce(c.movie, c.theme)
            where r.reservation = $1"#,
        id.number(),
        as_of,
    )
    .fetch_optional(db)
    .await?;
    row.map(Entry::try_from).transpose()
}

/// A text that stands for itself in a `like` pattern.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
