//! `GET /v1/waitlist-entries`: who waits for what, for staff; never changes their order. Searching by name or phone is a
//! POST, so that neither stands in an address or a log (DOMAIN E6, E8).

use std::ops::RangeInclusive;

use aggregates::{
    fault::Fault,
    ids::{BranchId, CustomerId, ReservationId, TimeSlotId},
    rights::Permission,
    values::Name,
};
use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use projections::waitlist_queue::{self, Entry, EntryState, Filter, Order, Place, Sort};
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Admin,
    answer::Json,
    body::{Sendable, Sent, refuse},
    fresh,
    lists::{self, Cursor, Direction, List, Wrong},
    pages,
    params::Asked,
    problem::{Problem, ProblemBody},
    reservations::PhonePart,
};

/// An entry of the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "WaitlistEntryOfList", as = WaitlistEntryOfList)]
pub struct Listed {
    /// Its number.
    number: ReservationId,
    /// For which slot.
    time_slot: TimeSlotId,
    /// What became of it.
    #[schema(value_type = String, example = "waiting")]
    state: EntryState,
    /// The place in line, from 1, while it waits.
    position: Option<i64>,
    /// How many places side by side.
    places: i16,
    /// How many people.
    people: i16,
    /// Whose it is, if they were signed in.
    customer: Option<CustomerId>,
    /// Who to call.
    name: Option<String>,
    /// The number to call.
    phone: Option<String>,
    /// What was offered last.
    seats: Vec<String>,
    /// Until when, while the offer runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    offered_until: Option<Timestamp>,
    /// The log position of its beginning.
    joined_position: i64,
    /// When the slot begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// Where.
    branch: Option<BranchId>,
}

impl Listed {
    fn of(entry: Entry) -> Self {
        Self {
            number: entry.entry,
            time_slot: entry.time_slot,
            state: entry.state,
            position: entry.position,
            places: entry.places,
            people: entry.people,
            customer: entry.customer,
            name: entry.name,
            phone: entry.phone,
            seats: entry.seats,
            offered_until: entry.offered_until,
            joined_position: entry.joined_position,
            starts_at: entry.starts_at,
            branch: entry.branch,
        }
    }
}

/// By what entries are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitlistSort {
    /// By when they came: the order of the line.
    #[default]
    Joined,
    /// By when the slot begins.
    StartsAt,
}

/// The order that is asked for: as they came, unless it is asked otherwise.
pub(super) fn order(sort: Option<WaitlistSort>, direction: Option<Direction>) -> Order {
    Order {
        sort: match sort.unwrap_or_default() {
            WaitlistSort::Joined => Sort::Joined,
            WaitlistSort::StartsAt => Sort::StartsAt,
        },
        descending: direction == Some(Direction::Desc),
    }
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
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
    /// Where the page begins.
    cursor: Option<String>,
    /// Entries on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// The filter of the read model, limited to what the reader may see; a state that is none is noted.
pub(super) fn filter(
    admin: &Admin,
    (time_slot, branch, state): (Option<TimeSlotId>, Option<BranchId>, Option<&str>),
    wrong: &mut Wrong,
) -> Filter {
    Filter {
        time_slot,
        branch,
        branches: admin.sees(Permission::SeeReservations),
        state: state.and_then(|state| wrong.read("state", state.parse::<EntryState>())),
        phone: None,
        name: None,
    }
}

fn behind(cursor: Option<&str>, order: Order) -> Result<Option<Place>, Problem> {
    let place = lists::behind(cursor, order.sort.as_str(), order.descending)?;
    Ok(place.map(|(key, entry)| Place { key, entry }))
}

/// What the list joins, as new as is asked for.
pub(super) async fn reached(app: &App, min_position: Option<i64>) -> Result<(), Problem> {
    for model in ["waitlist_queue", "time_slot_calendar"] {
        fresh::reached(app, model, min_position).await?;
    }
    Ok(())
}

pub(super) async fn entries(
    app: &App,
    filter: &Filter,
    order: Order,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Entry>, Problem> {
    let mut connection = app.reads.acquire().await?;
    Ok(waitlist_queue::entries(&mut connection, filter, order, after, limit).await?)
}

fn page(entries: Vec<Entry>, limit: i64, order: Order) -> List<Listed> {
    let cursor = |entry: &Entry| -> Cursor<ReservationId> {
        let Place { key, entry } = Place::of(entry, order);
        (order.sort.as_str().to_owned(), order.descending, key, entry)
    };
    lists::page(entries, limit, None, cursor, Listed::of)
}

/// Waitlist entries in the order they came, unless asked otherwise. Searching by name or phone is
/// `POST /v1/waitlist-entries/search`: no personal data in an address.
#[utoipa::path(get, path = "/v1/waitlist-entries", tag = "admin", operation_id = "listWaitlistEntries",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In the order that is asked for", body = List<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let order = order(which.sort, which.order);
    let after = behind(which.cursor.as_deref(), order)?;
    let mut wrong = Wrong::default();
    let terms = (which.time_slot, which.branch, which.state.as_deref());
    let filter = filter(&admin, terms, &mut wrong);
    wrong.in_query()?;
    reached(&app, which.min_position).await?;
    let entries = entries(&app, &filter, order, after, limit + 1).await?;
    Ok(page(entries, limit, order).linked(&uri))
}

/// What staff know of who waits; at least phone or name. Everything else is as in the list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "5678" }))]
pub struct WaitlistSearch {
    /// Some digits of the phone number, in a row; dashes and spaces are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5678")]
    phone: Option<PhonePart>,
    /// A part of the name.
    #[serde(default)]
    name: Option<Name>,
    /// For this slot.
    #[serde(default)]
    time_slot: Option<TimeSlotId>,
    /// At this branch.
    #[serde(default)]
    branch: Option<BranchId>,
    /// In this state.
    #[serde(default)]
    #[schema(example = "waiting")]
    state: Option<String>,
    /// By what they are sorted; by when they came unless asked otherwise.
    #[serde(default)]
    sort: Option<WaitlistSort>,
    /// In which direction; the first or earliest first unless asked otherwise.
    #[serde(default)]
    order: Option<Direction>,
    /// Where the page begins: `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Entries on a page, 1 to 200.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    #[serde(default)]
    #[schema(minimum = 0)]
    min_position: Option<i64>,
}

impl Sendable for WaitlistSearch {
    const EXAMPLE: &'static str = r#"{"phone":"5678","name":"하늘","time_slot":"0192d3a0-0000-7000-8000-000000000001",
        "branch":"0192d3a0-0000-7000-8000-000000000002","state":"waiting","sort":"starts_at","order":"asc",
        "cursor":"W10","limit":50,"min_position":4711}"#;

    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        vec![("/limit", 1..=pages::LIMIT_MAX)]
    }
}

/// Finds who waits by a part of the phone number or name.
#[utoipa::path(post, path = "/v1/waitlist-entries/search", tag = "admin", operation_id = "searchWaitlistEntries",
    request_body = WaitlistSearch, security(("admin" = [])),
    responses((status = OK, description = "In the order they came, unless asked otherwise", body = List<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Neither phone nor name, or a wrong one", body = ProblemBody)))]
pub(in super::super) async fn search(
    State(app): State<App>,
    admin: Admin,
    Sent(search): Sent<WaitlistSearch>,
) -> Result<Response, Problem> {
    if search.phone.is_none() && search.name.is_none() {
        refuse(vec![Fault::at("", "needs phone or name")])?;
    }
    let order = order(search.sort, search.order);
    let mut wrong = Wrong::default();
    if search
        .limit
        .is_some_and(|limit| !(1..=pages::LIMIT_MAX).contains(&limit))
    {
        let bounds = format!("must be a whole number from 1 to {}", pages::LIMIT_MAX);
        wrong.note("limit", bounds);
    }
    if search.min_position.is_some_and(i64::is_negative) {
        wrong.note(
            "min_position",
            "must be a position of the log: a whole number, 0 or more",
        );
    }
    let after = behind(search.cursor.as_deref(), order);
    if after.is_err() {
        wrong.note("cursor", "is not one of this list in this order");
    }
    let terms = (search.time_slot, search.branch, search.state.as_deref());
    let filter = Filter {
        phone: search.phone.map(PhonePart::digits),
        name: search.name.map(|name| name.to_string()),
        ..filter(&admin, terms, &mut wrong)
    };
    wrong.in_body()?;
    let limit = pages::limit(search.limit)?;
    reached(&app, search.min_position).await?;
    let found = entries(&app, &filter, order, after?, limit + 1).await?;
    Ok(Json(page(found, limit, order)).into_response())
}
