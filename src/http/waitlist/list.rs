//! `GET /v1/waitlist-entries`: who waits for what, for staff; who they are is shown entry by entry; never changes their
//! order.

use aggregates::{
    ids::{BranchId, CustomerId, ReservationId, TimeSlotId},
    rights::Permission,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::Timestamp;
use projections::waitlist_queue::{self, Entry, EntryState, Filter};
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Admin,
    fresh,
    pages::{self, Page},
    params::Asked,
    problem::{Problem, ProblemBody},
    problems,
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
    /// Where the page begins.
    cursor: Option<String>,
    /// Entries on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Waitlist entries in the order they came.
#[utoipa::path(get, path = "/v1/waitlist-entries", tag = "admin", operation_id = "listWaitlistEntries",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In the order they came", body = Page<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let state = which.state.map(|state| state.parse::<EntryState>()).transpose();
    let state = state.map_err(|error| Problem::new(&problems::MALFORMED_QUERY, format!("state: {error}")))?;
    let filter = Filter {
        time_slot: which.time_slot,
        branch: which.branch,
        branches: admin.sees(Permission::SeeReservations),
        state,
    };
    let after = pages::behind(which.cursor.as_deref())?;
    fresh::reached(&app, "waitlist_queue", which.min_position).await?;
    let entries = waitlist_queue::entries(&app.reads, &filter, after, limit + 1).await?;
    Ok(pages::page(
        &uri,
        entries,
        limit,
        |entry: &Entry| entry.joined_position,
        |entry| {
            Some(Listed {
                number: entry.entry,
                time_slot: entry.time_slot,
                state: entry.state,
                position: entry.position,
                places: entry.places,
                people: entry.people,
                customer: entry.customer,
                seats: entry.seats,
                offered_until: entry.offered_until,
                joined_position: entry.joined_position,
                starts_at: entry.starts_at,
                branch: entry.branch,
            })
        },
    ))
}
