//! Pages of deposits, for staff: every filter, in the order that is asked for; never a change.

use aggregates::{
    ids::{BranchId, DepositId, ReservationId},
    values::Money,
};
use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlxTimestamp, ToSqlx};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{DepositState, money};
use crate::{
    model::{planned_anew, uuids},
    words::{stored, words},
};

words! {
    /// By what the list is sorted.
    Sort {
        /// By when they were recorded.
        Recorded = "recorded",
        /// By when the money came.
        DepositedAt = "deposited_at",
        /// By how much it was.
        Amount = "amount",
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
    /// The last recorded first.
    fn default() -> Self {
        Self {
            sort: Sort::Recorded,
            descending: true,
        }
    }
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The position of the record, the day in microseconds, or the amount, as the list is sorted.
    pub key: i64,
    /// The deposit there.
    pub deposit: DepositId,
}

impl Place {
    /// The place of a deposit in a list of this order.
    #[must_use]
    pub fn of(deposit: &Deposit, order: Order) -> Self {
        let key = match order.sort {
            Sort::Recorded => deposit.recorded_position,
            Sort::DepositedAt => deposit.deposited_at.as_microsecond(),
            Sort::Amount => deposit.amount.amount,
        };
        Self {
            key,
            deposit: deposit.deposit,
        }
    }
}

/// A deposit of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Which one.
    pub deposit: DepositId,
    /// At which branch.
    pub branch: Option<BranchId>,
    /// To which account.
    pub account: Option<String>,
    /// How much.
    pub amount: Money,
    /// When it came.
    pub deposited_at: Timestamp,
    /// What the bank calls it.
    pub reference: String,
    /// What became of it.
    pub state: DepositState,
    /// What it paid for.
    pub reservation: Option<ReservationId>,
    /// The position of the event that recorded it.
    pub recorded_position: i64,
}

/// Which deposits are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: Option<DepositState>,
    /// At this branch.
    pub branch: Option<BranchId>,
    /// Only at one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
}

struct Stored {
    deposit: Uuid,
    branch: Option<Uuid>,
    account: Option<String>,
    amount: i64,
    currency: String,
    deposited_at: SqlxTimestamp,
    reference: String,
    state: String,
    reservation: Option<i64>,
    recorded_position: i64,
}

impl TryFrom<Stored> for Deposit {
    type Error = sqlx::Error;

    fn try_from(row: Stored) -> sqlx::Result<Self> {
        Ok(Self {
            deposit: DepositId::new(row.deposit),
            branch: row.branch.map(BranchId::new),
            account: row.account,
            amount: money(row.amount, &row.currency)?,
            deposited_at: row.deposited_at.to_jiff(),
            reference: row.reference,
            state: stored(&row.state)?,
            reservation: row.reservation.map(ReservationId::new),
            recorded_position: row.recorded_position,
        })
    }
}

/// A page of deposits in one of the orders.
macro_rules! page {
    ($db:ident, $filter:ident, $after:ident, $limit:ident, $rest:literal) => {{
        let branches = uuids($filter.branches.as_deref());
        sqlx::query_as!(
            Stored,
            r#"select deposit, branch, account, amount, currency, deposited_at as "deposited_at: _", reference,
                  state, reservation, recorded_position
             from deposit_list
            where ($1::text is null or state = $1)
              and ($2::uuid is null or branch = $2)
              and ($3::uuid[] is null or branch = any ($3))
            "# + $rest + " limit $6",
            $filter.state.map(DepositState::as_str),
            $filter.branch.map(BranchId::uuid),
            branches.as_deref(),
            $after.0 as _,
            $after.1,
            $limit,
        )
        .fetch_all(&mut *$db)
        .await?
    }};
}

/// The deposits that fit, in this order, those behind `after`.
pub async fn deposits(
    db: &mut PgConnection,
    filter: &Filter,
    Order { sort, descending }: Order,
    after: Option<Place>,
    limit: i64,
) -> sqlx::Result<Vec<Deposit>> {
    let id = after.map(|after| after.deposit.uuid());
    let number = (after.map(|after| after.key), id);
    let day = after
        .and_then(|after| Timestamp::from_microsecond(after.key).ok())
        .map(ToSqlx::to_sqlx);
    let day = (day, id);
    let mut db = planned_anew(db).await?;
    let rows: Vec<Stored> = match (sort, descending) {
        (Sort::Recorded, true) => page!(
            db,
            filter,
            number,
            limit,
            "and ($4::bigint is null or (recorded_position, deposit) < ($4, $5::uuid))
             order by recorded_position desc, deposit desc"
        ),
        (Sort::Recorded, false) => page!(
            db,
            filter,
            number,
            limit,
            "and ($4::bigint is null or (recorded_position, deposit) > ($4, $5::uuid))
             order by recorded_position, deposit"
        ),
        (Sort::DepositedAt, true) => page!(
            db,
            filter,
            day,
            limit,
            "and ($4::timestamptz is null or (deposited_at, deposit) < ($4, $5::uuid))
             order by deposited_at desc, deposit desc"
        ),
        (Sort::DepositedAt, false) => page!(
            db,
            filter,
            day,
            limit,
            "and ($4::timestamptz is null or (deposited_at, deposit) > ($4, $5::uuid))
             order by deposited_at, deposit"
        ),
        (Sort::Amount, true) => page!(
            db,
            filter,
            number,
            limit,
            "and ($4::bigint is null or (amount, deposit) < ($4, $5::uuid)) order by amount desc, deposit desc"
        ),
        (Sort::Amount, false) => page!(
            db,
            filter,
            number,
            limit,
            "and ($4::bigint is null or (amount, deposit) > ($4, $5::uuid)) order by amount, deposit"
        ),
    };
    db.commit().await?;
    rows.into_iter().map(Deposit::try_from).collect()
}
