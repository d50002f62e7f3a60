//! What every reservation adds to the numbers of its day: places, people, money; never who it is.
//!
//! A row is one reservation, because an event tells its reservation and nothing else. The numbers of a day are summed up
//! from these rows and the calendar when they are asked for: no counter is kept, so none can drift from the truth.

mod slots;
mod sums;

use aggregates::{
    Event, Recorded,
    ids::{ReservationId, TimeSlotId},
    pricing::{LineItem, Quote},
    reservation::{Choice, Reservation, ReservationEvent},
    values::Currency,
};
use sqlx::PgConnection;

pub use self::slots::{SlotNumbers, of_slots};
pub use self::sums::{BusinessDay, Counts, Money, Show, ShowOfDay, numbers};
use crate::{
    Former, Loaded, Put, ReadModel, Version, model::column, reservation_list::Stage, tuples::Tuples,
    words::stored,
};

/// The read model.
pub struct DailyNumbers;

/// A reservation as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// What has become of it.
    pub stage: Stage,
    /// How many places it has.
    pub seats: i64,
    /// How many people come.
    pub people: i64,
    /// The currency of every amount.
    pub currency: Currency,
    /// Its price, in minor units.
    pub total: i64,
    /// What a coupon took off the price.
    pub coupon_off: i64,
    /// What was paid for it.
    pub paid: i64,
    /// Whether nothing is due.
    pub is_paid: bool,
    /// Whether a coupon was redeemed with it.
    pub has_coupon: bool,
}

impl Row {
    fn choose(self, choice: &Choice) -> Self {
        Self {
            seats: i64::try_from(choice.seats.len()).unwrap_or(i64::MAX),
            people: i64::from(choice.party.size()),
            currency: choice.quote.currency,
            total: choice.quote.total,
            ..self
        }
    }

    /// After money came, or went back.
    const fn come(self, amount: i64) -> Self {
        let paid = self.paid.saturating_add(amount);
        Self {
            paid,
            is_paid: paid >= self.total,
            ..self
        }
    }
}

/// What coupons took off a price.
fn coupon_off(quote: &Quote) -> i64 {
    let off = quote.lines.iter().map(|line| match line.item {
        LineItem::Coupon { .. } => -line.amount,
        LineItem::Band { .. }
        | LineItem::Person { .. }
        | LineItem::Category { .. }
        | LineItem::Hall { .. }
        | LineItem::Room
        | LineItem::Group { .. }
        | LineItem::EarlyBird
        | LineItem::Closing => 0,
    });
    off.sum()
}

impl ReadModel for DailyNumbers {
    const NAME: &'static str = "daily_numbers";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "reservation, time_slot, stage, seats, people, currency, total, coupon_off, paid, \
        is_paid, has_coupon, from_position";
    const HISTORY: Option<&'static str> = Some(
        "reservation, time_slot, stage, seats, people, total, coupon_off, paid, is_paid, has_coupon, from_position, \
         until_position",
    );

    type Key = ReservationId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<ReservationId> {
        recorded.id_of::<Reservation>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        use ReservationEvent as Is;
        let Event::Reservation(event) = &recorded.event else {
            return row;
        };
        let turned = |stage: Stage| row.map(|row| Row { stage, ..row });
        match event {
            Is::Held {
                time_slot, choice, ..
            } => {
                let blank = Row {
                    time_slot: *time_slot,
                    stage: Stage::Held,
                    seats: 0,
                    people: 0,
                    currency: choice.quote.currency,
                    total: 0,
                    coupon_off: 0,
                    paid: 0,
                    is_paid: false,
                    has_coupon: false,
                };
                Some(blank.choose(choice))
            }
            Is::Changed { choice } => row.map(|row| row.choose(choice)),
            Is::Placed(placement) => row.map(|row| Row {
                stage: Stage::Placed,
                currency: placement.quote.currency,
                total: placement.quote.total,
                coupon_off: coupon_off(&placement.quote),
                is_paid: placement.quote.total == 0,
                has_coupon: placement.coupon.is_some(),
                ..row
            }),
            Is::Rescheduled(moved) => row.map(|row| {
                let row = row.choose(&moved.choice);
                let moved = Row {
                    time_slot: moved.to,
                    total: moved.quote.total,
                    coupon_off: coupon_off(&moved.quote),
                    ..row
                };
                moved.come(0)
            }),
            Is::Paid { amount, .. } => row.map(|row| row.come(amount.amount)),
            Is::Refunded { amount, .. } | Is::OfferAccepted { amount, .. } => {
                row.map(|row| row.come(-amount.amount))
            }
            Is::Extended { .. }
            | Is::Notified { .. }
            | Is::RescheduleOffered { .. }
            | Is::RefundDue { .. }
            | Is::Offered(_)
            | Is::OfferDeclined
            | Is::OfferLapsed => row,
            Is::Revived { .. } => turned(Stage::Held),
            Is::CheckedIn | Is::Admitted { .. } => turned(Stage::Attended),
            Is::CheckInUndone { .. } | Is::NoShowWithdrawn | Is::Reinstated { .. } => turned(Stage::Placed),
            Is::MarkedNoShow => turned(Stage::NoShow),
            Is::Released => turned(Stage::Released),
            Is::Lapsed => turned(Stage::Lapsed),
            Is::Cancelled { .. } => turned(Stage::Cancelled),
            Is::Expired => turned(Stage::Expired),
        }
    }

    async fn load(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select reservation, time_slot, stage, seats, people, currency, total, coupon_off, paid, is_paid,
                      has_coupon, from_position
                 from daily_numbers where reservation = any ($1)"#,
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let currency = Currency::from_code(&row.currency);
                let unknown = || sqlx::Error::Decode(format!("`{}` is not a currency", row.currency).into());
                let version = Version {
                    row: Row {
                        time_slot: TimeSlotId::new(row.time_slot),
                        stage: stored(&row.stage)?,
                        seats: row.seats,
                        people: row.people,
                        currency: currency.ok_or_else(unknown)?,
                        total: row.total,
                        coupon_off: row.coupon_off,
                        paid: row.paid,
                        is_paid: row.is_paid,
                        has_coupon: row.has_coupon,
                    },
                    from: row.from_position,
                };
                Ok((ReservationId::new(row.reservation), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        sqlx::query!(
            r#"update daily_numbers n
                  set time_slot = u.time_slot, stage = u.stage, seats = u.seats, people = u.people, currency = u.currency, total = u.total,
                      coupon_off = u.coupon_off, paid = u.paid, is_paid = u.is_paid, has_coupon = u.has_coupon,
                      from_position = u.from_position
                 from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[],
                             $7::bigint[], $8::bigint[], $9::boolean[], $10::boolean[], $11::bigint[], $12::uuid[])
                   u(reservation, stage, seats, people, currency, total, coupon_off, paid, is_paid, has_coupon,
                     from_position, time_slot)
                where n.reservation = u.reservation"#,
            &column(rows, |put| put.key.number()),
            column(rows, |put| put.row.stage.as_str()) as _,
            &column(rows, |put| put.row.seats),
            &column(rows, |put| put.row.people),
            column(rows, |put| put.row.currency.code()) as _,
            &column(rows, |put| put.row.total),
            &column(rows, |put| put.row.coupon_off),
            &column(rows, |put| put.row.paid),
            &column(rows, |put| put.row.is_paid),
            &column(rows, |put| put.row.has_coupon),
            &column(rows, |put| put.from),
            &column(rows, |put| put.row.time_slot.uuid()),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        out.row(&[
            &key.number(),
            &row.time_slot.uuid(),
            &row.stage.as_str(),
            &row.seats,
            &row.people,
            &row.currency.code(),
            &row.total,
            &row.coupon_off,
            &row.paid,
            &row.is_paid,
            &row.has_coupon,
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
            &key.number(),
            &row.time_slot.uuid(),
            &row.stage.as_str(),
            &row.seats,
            &row.people,
            &row.total,
            &row.coupon_off,
            &row.paid,
            &row.is_paid,
            &row.has_coupon,
            from,
            until,
        ]);
    }
}
