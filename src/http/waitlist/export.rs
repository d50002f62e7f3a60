//! `GET /v1/waitlist-entries.csv`: the entries that the list shows, all of them, as a file; never more than it
//! shows.

use aggregates::ids::{BranchId, TimeSlotId};
use axum::{extract::State, response::Response};
use jiff::tz::TimeZone;
use projections::waitlist_queue::{Entry, Filter, Order, Place};
use serde::Deserialize;

use super::{
    super::{
        App,
        access::Admin,
        lists::{
            Direction, Wrong,
            csv::{self, Cell, LINES_AT_ONCE, maybe, maybe_text, plain, text},
            zones,
        },
        params::Asked,
        problem::{Problem, ProblemBody},
    },
    list::{self, WaitlistSort},
};

const FIELDS: [&str; 16] = [
    "number",
    "state",
    "position",
    "branch",
    "time_slot",
    "starts_at",
    "starts_at_utc",
    "places",
    "people",
    "name",
    "phone",
    "customer",
    "seats",
    "offered_until",
    "offered_until_utc",
    "joined_position",
];

/// Which entries, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// For this slot.
    time_slot: Option<TimeSlotId>,
    /// At this branch.
    branch: Option<BranchId>,
    /// In this state: `waiting`, `offered`, `accepted`, `declined`, `lapsed`, `left` or `ended`.
    state: Option<String>,
    /// By what they are sorted; by when they came unless asked otherwise.
    #[param(inline)]
    sort: Option<WaitlistSort>,
    /// In which direction; the first or earliest first unless asked otherwise.
    #[param(inline)]
    order: Option<Direction>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

/// The entries that fit, as comma-separated values (RFC 4180), one line each. Each line is as it was when it was read.
#[utoipa::path(get, path = "/v1/waitlist-entries.csv", tag = "admin", operation_id = "exportWaitlistEntries",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let mut wrong = Wrong::default();
    let terms = (which.time_slot, which.branch, which.state.as_deref());
    let filter = list::filter(&admin, terms, &mut wrong);
    wrong.in_query()?;
    let order = list::order(which.sort, which.order);
    list::reached(&app, which.min_position).await?;
    let bom = which.bom.unwrap_or_default();
    csv::file("waitlist-entries", &admin, &FIELDS, bom, move |after| {
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
    let entries = list::entries(&app, &filter, order, after, LINES_AT_ONCE).await?;
    let whole = i64::try_from(entries.len()).is_ok_and(|read| read == LINES_AT_ONCE);
    let last = entries.last().map(|entry| Place::of(entry, order));
    let zones = zones(&app, entries.iter().filter_map(|entry| entry.branch).collect()).await;
    let lines = entries.into_iter().map(|entry| {
        let zone = entry.branch.and_then(|branch| zones.get(&branch));
        line(entry, zone.unwrap_or(&TimeZone::UTC))
    });
    Ok((lines.collect(), last.filter(|_| whole)))
}

fn line(entry: Entry, zone: &TimeZone) -> Vec<Cell> {
    let [starts_at, starts_at_utc] = csv::moment(entry.starts_at, zone);
    let [offered_until, offered_until_utc] = csv::moment(entry.offered_until, zone);
    vec![
        plain(entry.entry),
        plain(entry.state.as_str()),
        maybe(entry.position),
        maybe(entry.branch),
        plain(entry.time_slot),
        starts_at,
        starts_at_utc,
        plain(entry.places),
        plain(entry.people),
        maybe_text(entry.name),
        maybe_text(entry.phone),
        maybe(entry.customer),
        text(entry.seats.join(" ")),
        offered_until,
        offered_until_utc,
        plain(entry.joined_position),
    ]
}
