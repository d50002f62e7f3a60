//! Deposits and what became of them (DOMAIN E7), for staff; never who sent them, which stands in the log alone.

mod listing;

use std::sync::Arc;

use aggregates::{
    Event, Recorded,
    deposit::{self, DepositEvent},
    ids::{BranchId, DepositId, ReservationId},
    values::{Currency, Money},
};
use jiff::Timestamp;
use jiff_sqlx::Timestamp as SqlxTimestamp;
use sqlx::PgConnection;

pub use self::listing::{Deposit, Filter, Order, Place, Sort, deposits};
use crate::{
    Former, Loaded, Put, ReadModel, Version,
    model::{column, moment},
    tuples::Tuples,
    words::{stored, words},
};

words! {
    /// What became of a deposit.
    DepositState {
        /// Nobody knows yet what it is for.
        Unmatched = "unmatched",
        /// It paid for a reservation.
        Matched = "matched",
        /// It went back to who sent it.
        Returned = "returned",
    }
}

/// The read model.
pub struct DepositList;

/// A deposit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// At which branch; none if it came through the payment provider for nothing that is known.
    pub branch: Option<BranchId>,
    /// To which account.
    pub account: Option<Arc<str>>,
    /// How much.
    pub amount: Money,
    /// When it came.
    pub deposited_at: Timestamp,
    /// What the bank calls it.
    pub reference: Arc<str>,
    /// The position of the event that recorded it.
    pub recorded_position: i64,
    /// What became of it.
    pub state: DepositState,
    /// What it paid for.
    pub reservation: Option<ReservationId>,
}

impl ReadModel for DepositList {
    const NAME: &'static str = "deposit_list";
    const VERSION: i32 = 1;
    const COLUMNS: &'static str = "deposit, branch, account, amount, currency, deposited_at, reference, state, reservation, \
        recorded_position, from_position";
    const HISTORY: Option<&'static str> = Some("deposit, state, reservation, from_position, until_position");

    type Key = DepositId;
    type Row = Row;

    fn key(recorded: &Recorded) -> Option<DepositId> {
        recorded.id_of::<deposit::Deposit>()
    }

    fn fold(row: Option<Row>, recorded: &Recorded) -> Option<Row> {
        let Event::Deposit(event) = &recorded.event else {
            return row;
        };
        match (event, row) {
            (DepositEvent::Recorded(receipt), _) => Some(Row {
                branch: receipt.branch,
                account: receipt.account.as_ref().map(|account| account.as_str().into()),
                amount: receipt.amount,
                deposited_at: moment(receipt.deposited_at),
                reference: receipt.reference.as_str().into(),
                recorded_position: recorded.position,
                state: DepositState::Unmatched,
                reservation: None,
            }),
            (DepositEvent::Matched { reservation, .. }, Some(row)) => Some(Row {
                state: DepositState::Matched,
                reservation: Some(*reservation),
                ..row
            }),
            (DepositEvent::Returned { .. }, Some(row)) => Some(Row {
                state: DepositState::Returned,
                ..row
            }),
            (DepositEvent::Matched { .. } | DepositEvent::Returned { .. }, None) => None,
        }
    }

    async fn load(db: &mut PgConnection, keys: &[DepositId]) -> sqlx::Result<Loaded<Self>> {
        let rows = sqlx::query!(
            r#"select deposit, branch, account, amount, currency, deposited_at as "deposited_at: SqlxTimestamp",
                      reference, state, reservation, recorded_position, from_position
                 from deposit_list where deposit = any ($1)"#,
            &column(keys, |key| key.uuid()),
        )
        .fetch_all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                let version = Version {
                    row: Row {
                        branch: row.branch.map(BranchId::new),
                        account: row.account.map(Into::into),
                        amount: money(row.amount, &row.currency)?,
                        deposited_at: row.deposited_at.to_jiff(),
                        reference: row.reference.into(),
                        recorded_position: row.recorded_position,
                        state: stored(&row.state)?,
                        reservation: row.reservation.map(ReservationId::new),
                    },
                    from: row.from_position,
                };
                Ok((DepositId::new(row.deposit), version))
            })
            .collect()
    }

    async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
        // What the bank said never changes.
        sqlx::query!(
            "update deposit_list d
                set state = u.state, reservation = u.reservation, from_position = u.from_position
               from unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
                 u(deposit, state, reservation, from_position)
              where d.deposit = u.deposit",
            &column(rows, |put| put.key.uuid()),
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
            &key.uuid(),
            &row.branch.map(BranchId::uuid),
            &row.account.as_deref(),
            &row.amount.amount,
            &row.amount.currency.code(),
            &row.deposited_at,
            &&*row.reference,
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
            &row.recorded_position,
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
            &key.uuid(),
            &row.state.as_str(),
            &row.reservation.map(ReservationId::number),
            from,
            until,
        ]);
    }
}

fn money(amount: i64, code: &str) -> sqlx::Result<Money> {
    let unknown = || sqlx::Error::Decode(format!("`{code}` is not a currency").into());
    let currency = Currency::from_code(code).ok_or_else(unknown)?;
    Ok(Money { amount, currency })
}
