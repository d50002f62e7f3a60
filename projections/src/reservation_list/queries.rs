//! What staff and owners ask the reservation list; never a change.

use aggregates::{
    ids::{BranchId, CustomerId, MovieId, ReservationId, ThemeId, TimeSlotId},
    values::Currency,
};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::{Order, PaymentKind, Place, Stage, currency, listed};
use crate::words::stored;

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
    /// Whose it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// When it became binding.
    pub placed_at: Option<Timestamp>,
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

pub(super) struct Stored {
    pub(super) reservation: i64,
    pub(super) stage: String,
    pub(super) time_slot: Uuid,
    pub(super) seats: Vec<String>,
    pub(super) party: i64,
    pub(super) total: i64,
    pub(super) currency: String,
    pub(super) hold_until: Option<SqlxTimestamp>,
    pub(super) pay_by: Option<SqlxTimestamp>,
    pub(super) payment: Option<String>,
    pub(super) coupon: Option<String>,
    pub(super) short_code: Option<String>,
    pub(super) owed: i64,
    pub(super) placed_position: Option<i64>,
    pub(super) paid_position: Option<i64>,
    pub(super) notified_position: Option<i64>,
    pub(super) attended_position: Option<i64>,
    pub(super) customer: Option<Uuid>,
    pub(super) placed_at: Option<SqlxTimestamp>,
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) from_position: i64,
    pub(super) starts_at: Option<SqlxTimestamp>,
    pub(super) branch: Option<Uuid>,
    pub(super) branch_name: Option<String>,
    pub(super) show_name: Option<String>,
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
            customer: row.customer.map(CustomerId::new),
            placed_at: row.placed_at.map(SqlxTimestamp::to_jiff),
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
    /// With this number.
    pub number: Option<ReservationId>,
    /// With this coupon redeemed.
    pub coupon: Option<String>,
    /// To be paid in this way.
    pub payment: Option<PaymentKind>,
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
    let after = after.map(|reservation| Place {
        key: reservation.number(),
        reservation,
    });
    listed(db, filter, Order::default(), after, limit).await
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
                  r.customer, e.recorded_at as "placed_at?: _",
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
             left join events e on e.position = p.placed_position
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
