//! `GET /v1/deposits` and the same as a file: money that came, for staff to match (DOMAIN E7); never changes any.

use aggregates::{
    deposit::Deposit,
    ids::{BranchId, DepositId},
    personal::Personal,
    rights::Permission,
    values::CustomerName,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::tz::TimeZone;
use projections::deposit_list::{self, DepositState, Filter, Order, Place, Sort};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Admin,
        fresh,
        lists::{
            self, Cursor, Direction, Wrong,
            csv::{self, LINES_AT_ONCE, maybe, maybe_text, plain, text},
            zones,
        },
        pages::{self, Page},
        params::Asked,
        problem::{Problem, ProblemBody},
    },
    DepositView, view,
};

/// By what deposits are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositSort {
    /// By when they were recorded.
    #[default]
    Recorded,
    /// By when the money came.
    DepositedAt,
    /// By how much it was.
    Amount,
}

fn order(sort: Option<DepositSort>, direction: Option<Direction>) -> Order {
    Order {
        sort: match sort.unwrap_or_default() {
            DepositSort::Recorded => Sort::Recorded,
            DepositSort::DepositedAt => Sort::DepositedAt,
            DepositSort::Amount => Sort::Amount,
        },
        descending: direction.unwrap_or_default() == Direction::Desc,
    }
}

/// Which deposits.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// In this state: `unmatched`, `matched` or `returned`.
    state: Option<String>,
    /// At this branch.
    branch: Option<BranchId>,
    /// By what they are sorted; by when they were recorded unless asked otherwise.
    #[param(inline)]
    sort: Option<DepositSort>,
    /// In which direction; the last or greatest first unless asked otherwise.
    #[param(inline)]
    order: Option<Direction>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Deposits on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

fn filter(admin: &Admin, state: Option<&str>, branch: Option<BranchId>) -> Result<Filter, Problem> {
    let mut wrong = Wrong::default();
    let state = state.and_then(|state| wrong.read("state", state.parse::<DepositState>()));
    wrong.in_query()?;
    Ok(Filter {
        state,
        branch,
        branches: admin.sees(Permission::SeeReservations),
    })
}

async fn rows(
    app: &App,
    filter: &Filter,
    order: Order,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<deposit_list::Deposit>, Problem> {
    let mut connection = app.reads.acquire().await?;
    Ok(deposit_list::deposits(&mut connection, filter, order, after, limit).await?)
}

/// Deposits, the last recorded first unless asked otherwise.
#[utoipa::path(get, path = "/v1/deposits", tag = "admin", operation_id = "listDeposits",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In the order that is asked for", body = Page<DepositView>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let filter = filter(&admin, which.state.as_deref(), which.branch)?;
    let order = order(which.sort, which.order);
    let after = lists::behind(which.cursor.as_deref(), order.sort.as_str(), order.descending)?;
    let after = after.map(|(key, deposit)| Place { key, deposit });
    for model in ["deposit_list", "reservation_money"] {
        fresh::reached(&app, model, which.min_position).await?;
    }
    let found = rows(&app, &filter, order, after, limit + 1).await?;
    let mut views = Vec::with_capacity(found.len());
    for row in found {
        // Who sent it stands in the log alone.
        let deposit = app.store.read::<Deposit>(&row.deposit).await?;
        let view = view(&app, row.deposit, &deposit).await?;
        views.push((Place::of(&row, order), view));
    }
    let cursor = |(place, _): &(Place, _)| -> Cursor<DepositId> {
        let Place { key, deposit } = *place;
        (order.sort.as_str().to_owned(), order.descending, key, deposit)
    };
    Ok(pages::page(&uri, views, limit, cursor, |(_, view)| view))
}

/// Which deposits, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// In this state: `unmatched`, `matched` or `returned`.
    state: Option<String>,
    /// At this branch.
    branch: Option<BranchId>,
    /// By what they are sorted; by when they were recorded unless asked otherwise.
    #[param(inline)]
    sort: Option<DepositSort>,
    /// In which direction; the last or greatest first unless asked otherwise.
    #[param(inline)]
    order: Option<Direction>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

const FIELDS: [&str; 12] = [
    "id",
    "state",
    "branch",
    "account",
    "amount",
    "currency",
    "depositor",
    "deposited_at",
    "deposited_at_utc",
    "reference",
    "reservation",
    "recorded_position",
];

/// The deposits that fit, as comma-separated values (RFC 4180), one line each. Which reservations an unmatched one may be for
/// is told one by one.
#[utoipa::path(get, path = "/v1/deposits.csv", tag = "admin", operation_id = "exportDeposits",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let filter = filter(&admin, which.state.as_deref(), which.branch)?;
    let order = order(which.sort, which.order);
    fresh::reached(&app, "deposit_list", which.min_position).await?;
    let bom = which.bom.unwrap_or_default();
    csv::file("deposits", &admin, &FIELDS, bom, move |after| {
        part(app.clone(), filter.clone(), order, after)
    })
    .await
}

async fn part(
    app: App,
    filter: Filter,
    order: Order,
    after: Option<Place>,
) -> Result<csv::Part<Place>, Problem> {
    let found = rows(&app, &filter, order, after, LINES_AT_ONCE).await?;
    let whole = i64::try_from(found.len()).is_ok_and(|read| read == LINES_AT_ONCE);
    let last = found.last().map(|row| Place::of(row, order)).filter(|_| whole);
    let zones = zones(&app, found.iter().filter_map(|row| row.branch).collect()).await;
    // Who sent them stands in the log alone.
    let ids: Vec<DepositId> = found.iter().map(|row| row.deposit).collect();
    let states = app.store.read_all::<Deposit>(&ids).await?;
    let lines = found.into_iter().zip(states).map(|(row, state)| {
        let zone = row.branch.and_then(|branch| zones.get(&branch));
        let [deposited_at, deposited_at_utc] =
            csv::moment(Some(row.deposited_at), zone.unwrap_or(&TimeZone::UTC));
        let depositor = state.receipt().and_then(|receipt| receipt.depositor.as_ref());
        vec![
            plain(row.deposit),
            plain(row.state.as_str()),
            maybe(row.branch),
            maybe_text(row.account),
            plain(row.amount.amount),
            plain(row.amount.currency.code()),
            maybe_text(depositor.and_then(Personal::plain).map(CustomerName::as_str)),
            deposited_at,
            deposited_at_utc,
            text(row.reference),
            maybe(row.reservation),
            plain(row.recorded_position),
        ]
    });
    Ok((lines.collect(), last))
}
