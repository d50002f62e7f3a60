//! The money of placed reservations: who still owes, whose money came late, to whom something goes back (DOMAIN E7); never a
//! name, and never the decision.

use aggregates::{
    Event, Recorded,
    ids::{BranchId, ReservationId},
    reservation::{Ledger, Payment, Reservation, ReservationEvent, Source},
    values::{Currency, Money},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::{PgConnection, PgExecutor};

use crate::{
    Former, Loaded, Put, ReadModel, Version, model::column, reservation_list::PaymentKind, tuples::Tuples,
    words::stored,
};

/// The read model.
pub struct ReservationMoney;

/// The money of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// How it is paid.
    pub payment: PaymentKind,
    /// The price's currency.
    pub currency: Currency,
    /// What came and what goes back.
    pub ledger: Ledger,
    /// Whether some of it came through the payment provider.
    pub by_provider: bool,
}

impl ReadModel for ReservationMoney {
    const NAME: &'static str = "reservation_money";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "reservation, payment, currency, price, received, given_back, retained, ended, offered, \
        by_provider, refund_due, from_position";
    const HISTORY: Option<&'static str> = Some(
        "reservation, price, received, given_back, retained, ended, offered, from_position, until_position",
    );

    type Key = ReservationId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<ReservationId> {
        recorded.id_of::<Reservation>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        let Event::Reservation(event) = &recorded.event else {
            return row;
        };
        if let ReservationEvent::Placed(placement) = event {
            return Some(Row {
                payment: kind(&placement.payment),
                currency: placement.quote.currency,
                ledger: Ledger::of(placement.quote.total),
                by_provider: false,
            });
        }
        let row = row?;
        let through_provider = matches!(
            event,
            ReservationEvent::Paid {
                source: Some(Source::Provider { .. }),
                ..
            }
        );
        Some(Row {
            ledger: row.ledger.after(event),
            by_provider: row.by_provider || through_provider,
            ..row
        })
    }

    async fn load(db: &mut PgConnection, keys: &[ReservationId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            "select reservation, payment, currency, price, received, given_back, retained, ended, offered, by_provider,
                    from_position
               from reservation_money where reservation = any ($1)",
            &column(keys, |key| key.number()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let version = Version {
                    row: Row {
                        payment: stored(&row.payment)?,
                        currency: currency(&row.currency)?,
                        ledger: Ledger {
                            price: row.price,
                            received: row.received,
                            given_back: row.given_back,
                            retained: row.retained,
                            ended: row.ended,
                            offered: row.offered,
                        },
                        by_provider: row.by_provider,
                    },
                    from: row.from_position,
                };
                Ok((ReservationId::new(row.reservation), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        let ledger = |value: fn(&Ledger) -> i64| column(rows, |put| value(&put.row.ledger));
        // How it is paid and in which currency never changes.
        sqlx::query!(
            "update reservation_money m
                set price = u.price, received = u.received, given_back = u.given_back, retained = u.retained,
                    ended = u.ended, offered = u.offered, by_provider = u.by_provider, refund_due = u.refund_due,
                    from_position = u.from_position
               from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bool[],
                           $7::bool[], $8::bool[], $9::bigint[], $10::bigint[])
                 u(reservation, price, received, given_back, retained, ended, offered, by_provider, refund_due,
                   from_position)
              where m.reservation = u.reservation",
            &column(rows, |put| put.key.number()),
            &ledger(|ledger| ledger.price),
            &ledger(|ledger| ledger.received),
            &ledger(|ledger| ledger.given_back),
            &ledger(|ledger| ledger.retained),
            &column(rows, |put| put.row.ledger.ended),
            &column(rows, |put| put.row.ledger.offered),
            &column(rows, |put| put.row.by_provider),
            &ledger(Ledger::refund_due),
            &column(rows, |put| put.from),
        )
        .execute(db)
        .await?;
        Ok(())
    }

    fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
        let ledger = &row.ledger;
        out.row(&[
            &key.number(),
            &row.payment.as_str(),
            &row.currency.code(),
            &ledger.price,
            &ledger.received,
            &ledger.given_back,
            &ledger.retained,
            &ledger.ended,
            &ledger.offered,
            &row.by_provider,
            &ledger.refund_due(),
            from,
        ]);
    }

    fn former_tuple(
        out: &mut Tuples,
        Former {
            key,
            row: Row { ledger, .. },
            from,
            until,
        }: &Former<Self>,
    ) {
        out.row(&[
            &key.number(),
            &ledger.price,
            &ledger.received,
            &ledger.given_back,
            &ledger.retained,
            &ledger.ended,
            &ledger.offered,
            from,
            until,
        ]);
    }
}

/// How a placed reservation is paid, as a word.
pub(crate) const fn kind(payment: &Payment) -> PaymentKind {
    match payment {
        Payment::BankTransfer { .. } => PaymentKind::BankTransfer,
        Payment::OnSite => PaymentKind::OnSite,
        Payment::Provider { .. } => PaymentKind::Provider,
    }
}

fn currency(code: &str) -> sqlx::Result<Currency> {
    Currency::from_code(code).ok_or_else(|| sqlx::Error::Decode(format!("`{code}` is not a currency").into()))
}

/// Transfers a deposit at a branch may be for: of its amount, or whose short code may be among what the depositor wrote.
/// Unpaid ones come first, then those that expired meanwhile, the newest of each first.
pub async fn open_transfers(
    db: impl PgExecutor<'_>,
    branch: BranchId,
    amount: Money,
    codes: &[String],
    starts_after: Timestamp,
    limit: i64,
) -> sqlx::Result<Vec<ReservationId>> {
    let rows = sqlx::query_scalar!(
        "select m.reservation
           from reservation_money m
           join reservation_list r on r.reservation = m.reservation
           join time_slot_calendar c on c.time_slot = r.time_slot
          where m.payment = 'bank_transfer' and m.received - m.given_back < m.price
            and (not m.ended or r.stage = 'expired')
            and c.branch = $1 and m.currency = $3 and c.starts_at > $5
            and (m.price - m.received + m.given_back = $2 or r.short_code = any ($4))
          order by m.ended, m.reservation desc
          limit $6",
        branch.uuid(),
        amount.amount,
        amount.currency.code(),
        codes,
        starts_after.to_sqlx() as _,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(ReservationId::new).collect())
}

/// Reservations of which something goes back through the payment provider, with the position since which it is so; only
/// those behind `after`.
pub async fn refunds_due(
    db: impl PgExecutor<'_>,
    after: Option<ReservationId>,
    limit: i64,
) -> sqlx::Result<Vec<(ReservationId, i64)>> {
    let rows = sqlx::query!(
        "select reservation, from_position from reservation_money
          where refund_due > 0 and by_provider and ($1::bigint is null or reservation > $1)
          order by reservation limit $2",
        after.map(ReservationId::number),
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (ReservationId::new(row.reservation), row.from_position))
        .collect())
}
