//! All reservations from the first held seat to the end, for staff and for their owners; never how they got there.

mod counts;
mod listing;
mod queries;

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    ids::{CustomerId, ReservationId, TimeSlotId},
    reservation::{Choice, Reservation, ReservationEvent},
    values::{Currency, CustomerName, PhoneNumber, SeatLabel},
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgConnection;

pub use self::counts::{Part, Priced, Standing, due_back, left, priced, standing};
pub use self::listing::{Order, Place, Sort, count, listed, listed_as_of};
pub use self::queries::{Cursor, Entry, Filter, reservation, reservations};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    reservation_money::kind,
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// How far a reservation has come.
    Stage {
        /// Its seats are held.
        Held = "held",
        /// The hold ran out.
        Lapsed = "lapsed",
        /// The hold was given back.
        Released = "released",
        /// Binding.
        Placed = "placed",
        /// They came.
        Attended = "attended",
        /// They did not come.
        NoShow = "no_show",
        /// Called off.
        Cancelled = "cancelled",
        /// Not paid in time.
        Expired = "expired",
    }
}

words! {
    /// How a reservation is paid.
    PaymentKind {
        /// By transfer, before a deadline.
        BankTransfer = "bank_transfer",
        /// At the branch.
        OnSite = "on_site",
        /// Through the payment provider, before a deadline.
        Provider = "provider",
    }
}

/// The read model.
pub struct ReservationList;

/// A reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What has become of it.
    pub stage: Stage,
    /// For which slot.
    pub time_slot: TimeSlotId,
    /// Whose it is, if they were signed in.
    pub customer: Option<CustomerId>,
    /// Its seats.
    pub seats: Arc<[SeatLabel]>,
    /// How many people.
    pub party: i64,
    /// Its price, in minor units.
    pub total: i64,
    /// The price's currency.
    pub currency: Currency,
    /// When the hold runs out; none once it is no hold any more.
    pub hold_until: Option<Timestamp>,
    /// When it must be paid; none if nothing is due, or there is no deadline.
    pub pay_by: Option<Timestamp>,
    /// What was agreed when it was placed.
    pub placed: Option<Arc<Placed>>,
    /// What is still to be paid, in minor units; below 0 if more came than the price.
    pub owed: i64,
    /// The position of the payment after which nothing was to be paid any more.
    pub paid_position: Option<i64>,
    /// The position of the last notice to the customer.
    pub notified_position: Option<i64>,
    /// The position of the check-in.
    pub attended_position: Option<i64>,
}

/// What was agreed when a reservation was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The position of the event.
    pub position: i64,
    /// How it is paid.
    pub payment: PaymentKind,
    /// The coupon redeemed with it.
    pub coupon: Option<String>,
    /// The short code for people.
    pub short_code: String,
    /// Who to call; none if it was erased.
    pub name: Option<String>,
    /// The number; none if it was erased.
    pub phone: Option<String>,
}

impl Row {
    fn choose(self, choice: &Choice) -> Self {
        Self {
            seats: choice.seats.iter().cloned().collect(),
            party: i64::from(choice.party.size()),
            total: choice.quote.total,
            currency: choice.quote.currency,
            ..self
        }
    }

    /// So much more is to be paid; less, if it is below nothing.
    fn owing(self, more: i64, here: Option<i64>) -> Self {
        let owed = self.owed.saturating_add(more);
        let paid = owed <= 0;
        Self {
            owed,
            pay_by: self.pay_by.filter(|_| !paid),
            paid_position: self.paid_position.filter(|_| paid).or(here.filter(|_| paid)),
            ..self
        }
    }

    fn ended(self, stage: Stage) -> Self {
        Self {
            stage,
            hold_until: None,
            pay_by: None,
            ..self
        }
    }
}

fn begun(time_slot: TimeSlotId, choice: &Choice, until: Timestamp, customer: Option<CustomerId>) -> Row {
    let blank = Row {
        stage: Stage::Held,
        time_slot,
        customer,
        seats: Arc::new([]),
        party: 0,
        total: 0,
        currency: choice.quote.currency,
        hold_until: Some(moment(until)),
        pay_by: None,
        placed: None,
        owed: 0,
        paid_position: None,
        notified_position: None,
        attended_position: None,
    };
    blank.choose(choice)
}

impl ReadModel for ReservationList {
    const NAME: &'static str = "reservation_list";
    const VERSION: i32 = 4;
    const COLUMNS: &'static str = "reservation, stage, time_slot, seats, party, total, currency, hold_until, pay_by, \
        payment, coupon, short_code, placed_position, paid_position, notified_position, attended_position, name, phone, \
        phone_parts, from_position, customer, owed";
    const HISTORY: Option<&'static str> = Some(
        "reservation, stage, seats, party, total, hold_until, pay_by, paid_position, notified_position, \
         attended_position, from_position, until_position, time_slot, owed",
    );

    type Key = ReservationId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<ReservationId> {
        recorded.id_of::<Reservation>()
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table: what happened, and what becomes of the row"
    )]
    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        use ReservationEvent as Is;
        let Event::Reservation(event) = &recorded.event else {
            return row;
        };
        let here = Some(recorded.position);
        let row = match (event, row) {
            (
                Is::Held {
                    time_slot,
                    choice,
                    until,
                    customer,
                    ..
                },
                _,
            ) => begun(*time_slot, choice, *until, *customer),
            (_, None) => return None,
            (Is::Extended { until }, Some(row)) => Row {
                hold_until: Some(moment(*until)),
                ..row
            },
            (Is::Revived { until }, Some(row)) => Row {
                stage: Stage::Held,
                hold_until: Some(moment(*until)),
                ..row
            },
            (Is::Changed { choice }, Some(row)) => row.choose(choice),
            (Is::Placed(placement), Some(row)) => {
                let pay_by = placement.payment.pay_by().map(moment);
                let total = placement.quote.total;
                let placed = Placed {
                    position: recorded.position,
                    payment: kind(&placement.payment),
                    coupon: placement.coupon.as_ref().map(ToString::to_string),
                    short_code: placement.short_code.replace('\0', ""),
                    name: placement.contact.name.plain().map(CustomerName::to_string),
                    phone: placement.contact.phone.plain().map(PhoneNumber::to_string),
                };
                Row {
                    total,
                    currency: placement.quote.currency,
                    pay_by: pay_by.filter(|_| total > 0),
                    placed: Some(Arc::new(placed)),
                    owed: total,
                    // Nothing is due, so it is paid as it stands.
                    paid_position: here.filter(|_| total == 0),
                    ..row.ended(Stage::Placed)
                }
            }
            (Is::Paid { amount, .. }, Some(row)) => row.owing(-amount.amount, here),
            (Is::Refunded { amount, .. } | Is::OfferAccepted { amount, .. }, Some(row)) => {
                row.owing(amount.amount, here)
            }
            (Is::Reinstated { .. }, Some(row)) => row.ended(Stage::Placed),
            (Is::RefundDue { .. } | Is::Offered(_) | Is::OfferDeclined | Is::OfferLapsed, Some(row)) => row,
            (Is::Notified { .. }, Some(row)) => Row {
                notified_position: here,
                ..row
            },
            (Is::RescheduleOffered { .. }, Some(row)) => row,
            (Is::CheckedIn | Is::Admitted { .. }, Some(row)) => Row {
                attended_position: here,
                ..row.ended(Stage::Attended)
            },
            (Is::CheckInUndone { .. }, Some(row)) => Row {
                stage: Stage::Placed,
                attended_position: None,
                ..row
            },
            (Is::NoShowWithdrawn, Some(row)) => Row {
                stage: Stage::Placed,
                ..row
            },
            (Is::Rescheduled(moved), Some(row)) => Row {
                time_slot: moved.to,
                total: moved.quote.total,
                currency: moved.quote.currency,
                pay_by: moved.pay_by().map(moment),
                paid_position: row.paid_position.or(here).filter(|_| moved.is_paid()),
                ..row.choose(&moved.choice)
            },
            (Is::MarkedNoShow, Some(row)) => row.ended(Stage::NoShow),
            (Is::Released, Some(row)) => row.ended(Stage::Released),
            (Is::Lapsed, Some(row)) => row.ended(Stage::Lapsed),
            (Is::Cancelled { .. }, Some(row)) => row.ended(Stage::Cancelled),
            (Is::Expired, Some(row)) => row.ended(Stage::Expired),
        };
        Some(row)
    }

    async fn load(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select reservation, stage, time_slot, seats, party, total, currency,
                      hold_until as "hold_until: SqlxTimestamp", pay_by as "pay_by: SqlxTimestamp", payment, coupon,
                      short_code, placed_position, paid_position, notified_position, attended_position, name, phone,
                      from_position, customer, owed
                 from reservation_list where reservation = any ($1)"#,
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let placed = match (row.placed_position, row.payment, row.short_code) {
                    (Some(position), Some(payment), Some(short_code)) => Some(Arc::new(Placed {
                        position,
                        payment: stored(&payment)?,
                        coupon: row.coupon,
                        short_code,
                        name: row.name,
                        phone: row.phone,
                    })),
                    _ => None,
                };
                let version = Version {
                    row: Row {
                        stage: stored(&row.stage)?,
                        time_slot: TimeSlotId::new(row.time_slot),
                        customer: row.customer.map(CustomerId::new),
                        seats: row
                            .seats
                            .iter()
                            .map(|label| stored(label))
                            .collect::<sqlx::Result<_>>()?,
                        party: row.party,
                        total: row.total,
                        currency: currency(&row.currency)?,
                        hold_until: row.hold_until.map(SqlxTimestamp::to_jiff),
                        pay_by: row.pay_by.map(SqlxTimestamp::to_jiff),
                        placed,
                        owed: row.owed,
                        paid_position: row.paid_position,
                        notified_position: row.notified_position,
                        attended_position: row.attended_position,
                    },
                    from: row.from_position,
                };
                Ok((ReservationId::new(row.reservation), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        let placed = |put: &&Put<Self>| put.row.placed.clone();
        let placed = column(rows, placed);
        let of_placed =
            |value: fn(&Placed) -> Option<String>| column(&placed, |placed| value(placed.as_deref()?));
        // Arrays of arrays cannot be unnested; a label holds no comma.
        sqlx::query!(
            r#"update reservation_list r
                  set stage = u.stage, seats = string_to_array(u.seats, ','), party = u.party, total = u.total,
                      currency = u.currency, hold_until = u.hold_until, pay_by = u.pay_by, payment = u.payment,
                      coupon = u.coupon, short_code = u.short_code, placed_position = u.placed_position,
                      paid_position = u.paid_position, notified_position = u.notified_position,
                      attended_position = u.attended_position, name = u.name, phone = u.phone,
                      phone_parts = string_to_array(u.phone_parts, ',')::smallint[], from_position = u.from_position,
                      time_slot = u.time_slot, owed = u.owed
                 from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[],
                             $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::bigint[],
                             $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::text[],
                             $19::bigint[], $20::uuid[], $21::bigint[])
                   u(reservation, stage, seats, party, total, currency, hold_until, pay_by, payment, coupon, short_code,
                     placed_position, paid_position, notified_position, attended_position, name, phone, phone_parts,
                     from_position, time_slot, owed)
                where r.reservation = u.reservation"#,
            &column(rows, |put| put.key.number()),
            column(rows, |put| put.row.stage.as_str()) as _,
            &column(rows, |put| comma_separated(put.row.seats.iter().map(SeatLabel::as_str))),
            &column(rows, |put| put.row.party),
            &column(rows, |put| put.row.total),
            column(rows, |put| put.row.currency.code()) as _,
            column(rows, |put| put.row.hold_until.map(ToSqlx::to_sqlx)) as _,
            column(rows, |put| put.row.pay_by.map(ToSqlx::to_sqlx)) as _,
            column(&placed, |placed| placed.as_deref().map(|placed| placed.payment.as_str())) as _,
            of_placed(|placed| placed.coupon.clone()) as _,
            of_placed(|placed| Some(placed.short_code.clone())) as _,
            column(&placed, |placed| placed.as_deref().map(|placed| placed.position)) as _,
            column(rows, |put| put.row.paid_position) as _,
            column(rows, |put| put.row.notified_position) as _,
            column(rows, |put| put.row.attended_position) as _,
            of_placed(|placed| placed.name.clone()) as _,
            of_placed(|placed| placed.phone.clone()) as _,
            of_placed(|placed| Some(comma_separated(parts(placed.phone.as_deref()?)))) as _,
            &column(rows, |put| put.from),
            &column(rows, |put| put.row.time_slot.uuid()),
            &column(rows, |put| put.row.owed),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let placed = row.placed.as_deref();
        let phone = placed.and_then(|placed| placed.phone.as_deref());
        let phone_parts: Option<Vec<i16>> = phone.map(|phone| parts(phone).collect());
        out.row(&[
            &key.number(),
            &row.stage.as_str(),
            &row.time_slot.uuid(),
            &&*row.seats,
            &row.party,
            &row.total,
            &row.currency.code(),
            &row.hold_until,
            &row.pay_by,
            &placed.map(|placed| placed.payment.as_str()),
            &placed.and_then(|placed| placed.coupon.as_deref()),
            &placed.map(|placed| placed.short_code.as_str()),
            &placed.map(|placed| placed.position),
            &row.paid_position,
            &row.notified_position,
            &row.attended_position,
            &placed.and_then(|placed| placed.name.as_deref()),
            &phone,
            &phone_parts.as_deref(),
            from,
            &row.customer.map(CustomerId::uuid),
            &row.owed,
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
            &row.stage.as_str(),
            &&*row.seats,
            &row.party,
            &row.total,
            &row.hold_until,
            &row.pay_by,
            &row.paid_position,
            &row.notified_position,
            &row.attended_position,
            from,
            until,
            &row.time_slot.uuid(),
            &row.owed,
        ]);
    }
}

fn currency(code: &str) -> sqlx::Result<Currency> {
    Currency::from_code(code).ok_or_else(|| sqlx::Error::Decode(format!("`{code}` is not a currency").into()))
}

pub(crate) fn comma_separated<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}

/// Every three digits in a row of a phone number, as numbers, each once: what its index holds.
pub(crate) fn parts(phone: &str) -> impl Iterator<Item = i16> + use<> {
    let digits: Vec<i16> = phone
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| i16::from(digit - b'0'))
        .collect();
    let mut parts: Vec<i16> = digits
        .windows(3)
        .map(|three| three.iter().fold(0, |number, digit| number * 10 + digit))
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_found_by_any_three_digits_in_a_row() {
        let found: Vec<i16> = parts("010-1234-5678").collect();
        assert_eq!(found, [10, 12, 101, 123, 234, 345, 456, 567, 678]);
    }
}
