//! The numbers of a branch, day by day and show by show, summed up from single reservations and slots; never stored.

use std::collections::BTreeMap;

use aggregates::{
    ids::{BranchId, MovieId, ThemeId},
    values::Currency,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use crate::model::column;

/// A business day of a branch: the moments it begins and ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusinessDay {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment of the next one.
    pub before: Timestamp,
}

/// What a slot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Show {
    /// A movie.
    Movie(MovieId),
    /// A theme.
    Theme(ThemeId),
}

/// How many of what. A reservation is sold while it is binding: placed, attended, or a no-show; not after it was cancelled
/// or has expired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Slots on the programme.
    pub slots: i64,
    /// Slots taken off the programme.
    pub withdrawn: i64,
    /// Places of the slots on the programme.
    pub capacity: i64,
    /// Places of those that are sold.
    pub occupied: i64,
    /// Places sold, also in slots that were withdrawn since.
    pub sold: i64,
    /// People who come, or were expected.
    pub people: i64,
    /// Reservations sold.
    pub reservations: i64,
    /// Of these, people came.
    pub attended: i64,
    /// Of these, nobody came.
    pub no_show: i64,
    /// Reservations that were placed and called off.
    pub cancelled: i64,
    /// Reservations that were placed and not paid in time.
    pub expired: i64,
}

/// How much of what, in minor units of one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Money {
    /// Paid for what is sold, and not given back.
    pub revenue: i64,
    /// Still to be paid for it.
    pub due: i64,
    /// Taken off it by coupons.
    pub coupons_off: i64,
    /// How many coupons.
    pub coupons: i64,
    /// Paid for what was cancelled or has expired, and not given back: what is kept, and what must still go back.
    pub paid_for_ended: i64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.slots += other.slots;
        self.withdrawn += other.withdrawn;
        self.capacity += other.capacity;
        self.occupied += other.occupied;
        self.sold += other.sold;
        self.people += other.people;
        self.reservations += other.reservations;
        self.attended += other.attended;
        self.no_show += other.no_show;
        self.cancelled += other.cancelled;
        self.expired += other.expired;
    }
}

impl std::ops::AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.revenue += other.revenue;
        self.due += other.due;
        self.coupons_off += other.coupons_off;
        self.coupons += other.coupons;
        self.paid_for_ended += other.paid_for_ended;
    }
}

/// The numbers of one show on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowOfDay {
    /// Which of the days that were asked for, from 0.
    pub day: usize,
    /// What was shown.
    pub show: Show,
    /// Its title or name today.
    pub name: Option<String>,
    /// How many of what.
    pub counts: Counts,
    /// How much of what, for each currency.
    pub money: BTreeMap<&'static str, Money>,
}

/// The numbers of a branch on these days, as they are now or were right after the event at `as_of`; days and shows without
/// a slot are left out. Both questions are answered from one moment of the tables.
pub async fn numbers(
    db: &mut PgConnection,
    branch: BranchId,
    days: &[BusinessDay],
    as_of: Option<i64>,
) -> sqlx::Result<Vec<ShowOfDay>> {
    let mut transaction = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only")
        .execute(&mut *transaction)
        .await?;
    let mut shows = counted(&mut transaction, branch, days, as_of).await?;
    add_money(&mut transaction, branch, days, as_of, &mut shows).await?;
    transaction.commit().await?;
    Ok(shows)
}

fn show(movie: Option<Uuid>, theme: Option<Uuid>) -> sqlx::Result<Show> {
    match (movie, theme) {
        (Some(movie), None) => Ok(Show::Movie(MovieId::new(movie))),
        (None, Some(theme)) => Ok(Show::Theme(ThemeId::new(theme))),
        (Some(_), Some(_)) | (None, None) => Err(sqlx::Error::Decode(
            "a time slot must show either a movie or a theme".into(),
        )),
    }
}

/// An index into the days that were asked for, from the one PostgreSQL counts from 1.
fn index(nth: i64) -> usize {
    usize::try_from(nth - 1).unwrap_or_default()
}

#[expect(clippy::too_many_lines, reason = "one query")]
async fn counted(
    db: &mut PgConnection,
    branch: BranchId,
    days: &[BusinessDay],
    as_of: Option<i64>,
) -> sqlx::Result<Vec<ShowOfDay>> {
    let rows = sqlx::query!(
        r#"select d.nth as "nth!", c.movie, c.theme, min(s.name) as name,
                  count(*) filter (where v.state <> 'withdrawn') as "slots!",
                  count(*) filter (where v.state = 'withdrawn') as "withdrawn!",
                  coalesce(sum(c.capacity) filter (where v.state <> 'withdrawn'), 0)::bigint as "capacity!",
                  coalesce(sum(n.sold) filter (where v.state <> 'withdrawn'), 0)::bigint as "occupied!",
                  coalesce(sum(n.sold), 0)::bigint as "sold!", coalesce(sum(n.people), 0)::bigint as "people!",
                  coalesce(sum(n.reservations), 0)::bigint as "reservations!",
                  coalesce(sum(n.attended), 0)::bigint as "attended!",
                  coalesce(sum(n.no_show), 0)::bigint as "no_show!",
                  coalesce(sum(n.cancelled), 0)::bigint as "cancelled!",
                  coalesce(sum(n.expired), 0)::bigint as "expired!"
             from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality d(from_at, before_at, nth)
             join time_slot_calendar c on c.branch = $1 and c.starts_at >= d.from_at and c.starts_at < d.before_at
             cross join lateral (
               select c.state where $4::bigint is null or c.from_position <= $4
               union all
               select h.state from time_slot_calendar_history h
                where $4 is not null and h.time_slot = c.time_slot and h.from_position <= $4 and h.until_position > $4
             ) v
             cross join lateral (
               select sum(r.seats) filter (where r.stage in ('placed', 'attended', 'no_show')) as sold,
                      sum(r.people) filter (where r.stage in ('placed', 'attended', 'no_show')) as people,
                      count(*) filter (where r.stage in ('placed', 'attended', 'no_show')) as reservations,
                      count(*) filter (where r.stage = 'attended') as attended,
                      count(*) filter (where r.stage = 'no_show') as no_show,
                      count(*) filter (where r.stage = 'cancelled') as cancelled,
                      count(*) filter (where r.stage = 'expired') as expired
                 from (
                   select n.stage, n.seats, n.people from daily_numbers n
                    where n.time_slot = c.time_slot and ($4 is null or n.from_position <= $4)
                   union all
                   select h.stage, h.seats, h.people
                     from daily_numbers n join daily_numbers_history h using (reservation)
                    where $4 is not null and h.time_slot = c.time_slot and h.from_position <= $4
                      and h.until_position > $4
                 ) r
             ) n
             left join catalogue s on s.kind = case when c.movie is null then 'theme' else 'movie' end
                                  and s.id = coalesce(c.movie, c.theme) and s.version = 0
            group by d.nth, c.movie, c.theme
            order by d.nth, min(s.name), c.movie, c.theme"#,
        branch.uuid(),
        column(days, |day| day.from.to_sqlx()) as _,
        column(days, |day| day.before.to_sqlx()) as _,
        as_of,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ShowOfDay {
                day: index(row.nth),
                show: show(row.movie, row.theme)?,
                name: row.name,
                counts: Counts {
                    slots: row.slots,
                    withdrawn: row.withdrawn,
                    capacity: row.capacity,
                    occupied: row.occupied,
                    sold: row.sold,
                    people: row.people,
                    reservations: row.reservations,
                    attended: row.attended,
                    no_show: row.no_show,
                    cancelled: row.cancelled,
                    expired: row.expired,
                },
                money: BTreeMap::new(),
            })
        })
        .collect()
}

async fn add_money(
    db: &mut PgConnection,
    branch: BranchId,
    days: &[BusinessDay],
    as_of: Option<i64>,
    shows: &mut [ShowOfDay],
) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        r#"select d.nth as "nth!", c.movie, c.theme, r.currency as "currency!",
                  coalesce(sum(r.paid) filter (where r.stage in ('placed', 'attended', 'no_show')), 0)::bigint
                    as "revenue!",
                  coalesce(sum(r.total - r.paid)
                    filter (where not r.is_paid and r.stage in ('placed', 'attended', 'no_show')), 0)::bigint as "due!",
                  coalesce(sum(r.coupon_off) filter (where r.stage in ('placed', 'attended', 'no_show')), 0)::bigint
                    as "coupons_off!",
                  count(*) filter (where r.has_coupon and r.stage in ('placed', 'attended', 'no_show')) as "coupons!",
                  coalesce(sum(r.paid) filter (where r.stage in ('cancelled', 'expired')), 0)::bigint
                    as "paid_for_ended!"
             from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality d(from_at, before_at, nth)
             join time_slot_calendar c on c.branch = $1 and c.starts_at >= d.from_at and c.starts_at < d.before_at
             cross join lateral (
               select n.stage, n.currency, n.total, n.paid, n.is_paid, n.coupon_off, n.has_coupon from daily_numbers n
                where n.time_slot = c.time_slot and ($4::bigint is null or n.from_position <= $4)
               union all
               select h.stage, n.currency, h.total, h.paid, h.is_paid, h.coupon_off, h.has_coupon
                 from daily_numbers n join daily_numbers_history h using (reservation)
                where $4 is not null and h.time_slot = c.time_slot and h.from_position <= $4 and h.until_position > $4
             ) r
            where r.stage not in ('held', 'lapsed', 'released')
            group by d.nth, c.movie, c.theme, r.currency"#,
        branch.uuid(),
        column(days, |day| day.from.to_sqlx()) as _,
        column(days, |day| day.before.to_sqlx()) as _,
        as_of,
    )
    .fetch_all(db)
    .await?;
    for row in rows {
        let (day, show) = (index(row.nth), show(row.movie, row.theme)?);
        let unknown = || sqlx::Error::Decode(format!("`{}` is not a currency", row.currency).into());
        let currency = Currency::from_code(&row.currency).ok_or_else(unknown)?;
        let money = Money {
            revenue: row.revenue,
            due: row.due,
            coupons_off: row.coupons_off,
            coupons: row.coupons,
            paid_for_ended: row.paid_for_ended,
        };
        if let Some(known) = shows
            .iter_mut()
            .find(|known| known.day == day && known.show == show)
        {
            known.money.insert(currency.code(), money);
        }
    }
    Ok(())
}
