//! `GET /v1/reservations.csv`: the reservations that the list shows, all of them, as a file; never more than the reader
//! may see.

use axum::{extract::State, response::Response};
use jiff::tz::TimeZone;
use projections::reservation_list::{Entry, Filter, Order, PaymentKind, Place};

use super::{
    super::{
        App,
        access::Admin,
        lists::{
            Wrong,
            csv::{self, Cell, LINES_AT_ONCE, maybe, maybe_text, plain, text},
            zones,
        },
        params::Asked,
        problem::{Problem, ProblemBody},
    },
    asked::{self, asked},
    list,
};

const FIELDS: [&str; 28] = [
    "number",
    "short_code",
    "state",
    "branch",
    "branch_name",
    "show_name",
    "time_slot",
    "starts_at",
    "starts_at_utc",
    "seats",
    "party",
    "name",
    "phone",
    "customer",
    "payment",
    "total",
    "currency",
    "coupon",
    "paid",
    "notified",
    "placed_at",
    "placed_at_utc",
    "pay_by",
    "pay_by_utc",
    "expires_at",
    "expires_at_utc",
    "attended",
    "position",
];

asked! {
    /// Which reservations, and how they are written.
    ToExport {
        /// Begin with a byte order mark, by which Excel knows UTF-8.
        bom: Option<bool>,
    }
}

/// The reservations that fit, as comma-separated values (RFC 4180), one line each. Each line is as it was when it was read;
/// with `position` or `at`, all are of one moment.
#[utoipa::path(get, path = "/v1/reservations.csv", tag = "admin", operation_id = "exportReservations",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let mut wrong = Wrong::default();
    let filter = which.terms().filter(&app, &admin, &mut wrong).await?;
    wrong.in_query()?;
    let order = asked::order(which.sort, which.order);
    let as_of = list::as_of(&app, &which.as_of()).await?;
    let bom = which.bom.unwrap_or_default();
    csv::file("reservations", &admin, &FIELDS, bom, move |after| {
        part(app.clone(), filter.clone(), order, as_of, after)
    })
    .await
}

async fn part(
    app: App,
    filter: Filter,
    order: Order,
    as_of: Option<i64>,
    after: Option<Place>,
) -> Result<csv::Part<Place>, Problem> {
    let entries = list::entries(&app, &filter, order, as_of, after, LINES_AT_ONCE).await?;
    let whole = i64::try_from(entries.len()).is_ok_and(|read| read == LINES_AT_ONCE);
    let last = entries.last().map(|entry| Place::of(entry, order));
    let branches = entries.iter().filter_map(|entry| entry.branch);
    let zones = zones(&app, branches.collect()).await;
    let lines = entries.into_iter().map(|entry| {
        let zone = entry.branch.and_then(|branch| zones.get(&branch));
        line(entry, zone.unwrap_or(&TimeZone::UTC))
    });
    Ok((lines.collect(), last.filter(|_| whole)))
}

fn line(entry: Entry, zone: &TimeZone) -> Vec<Cell> {
    let [starts_at, starts_at_utc] = csv::moment(entry.starts_at, zone);
    let [placed_at, placed_at_utc] = csv::moment(entry.placed_at, zone);
    let [pay_by, pay_by_utc] = csv::moment(entry.pay_by, zone);
    let [expires_at, expires_at_utc] = csv::moment(entry.hold_until, zone);
    vec![
        plain(entry.reservation),
        maybe(entry.short_code),
        plain(entry.stage.as_str()),
        maybe(entry.branch),
        maybe_text(entry.branch_name),
        maybe_text(entry.show_name),
        plain(entry.time_slot),
        starts_at,
        starts_at_utc,
        text(entry.seats.join(" ")),
        plain(entry.party),
        maybe_text(entry.name),
        maybe_text(entry.phone),
        maybe(entry.customer),
        maybe(entry.payment.map(PaymentKind::as_str)),
        plain(entry.total),
        plain(entry.currency.code()),
        maybe(entry.coupon),
        plain(entry.paid_position.is_some()),
        plain(entry.notified_position.is_some()),
        placed_at,
        placed_at_utc,
        pay_by,
        pay_by_utc,
        expires_at,
        expires_at_utc,
        plain(entry.attended_position.is_some()),
        plain(entry.from_position),
    ]
}
