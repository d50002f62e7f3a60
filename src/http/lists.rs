//! The lists of the counter: what all of them have in common, and those that belong to no resource of their own. Never a
//! rule, and never more than the reader's own branches.
//!
//! Each list is asked for in pages or, under the same address with `.csv`, as a whole file; what is looked for by personal
//! values is asked for by a POST, so that none stands in an address or a log (DOMAIN E6, E8).

mod bulk;
pub mod csv;
mod customers;
mod daily_numbers;
mod time_slots;

use aggregates::{business_day::moment, fault::Fault, ids::BranchId, values::WallTime};
use axum::{
    http::{HeaderValue, Uri, header},
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{App, answer::Json, pages, problem::Problem, problems};

/// Entries that are counted at most.
pub const COUNT_MAX: i64 = 10_000;

/// The lists that are worth compressing.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(customers::list))
        .routes(routes!(customers::search))
        .routes(routes!(customers::export))
        .routes(routes!(time_slots::list))
        .routes(routes!(time_slots::export))
        .routes(routes!(daily_numbers::list))
        .routes(routes!(daily_numbers::export))
}

/// What is done to many things at once.
pub(super) fn bulk_routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(bulk::reservations::act))
        .routes(routes!(bulk::time_slots::act))
}

/// In which direction a list is sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The smallest or earliest first.
    Asc,
    /// The greatest or latest first.
    #[default]
    Desc,
}

/// What a cursor of a sorted list says: the order it belongs to, and the place in it.
pub type Cursor<I> = (String, bool, i64, I);

/// The place a cursor points behind, if it is one of this order: its key, and what ends a tie.
pub fn behind<I: DeserializeOwned>(
    cursor: Option<&str>,
    sort: &str,
    descending: bool,
) -> Result<Option<(i64, I)>, Problem> {
    match pages::behind::<Cursor<I>>(cursor)? {
        None => Ok(None),
        Some((of, way, key, id)) if of == sort && way == descending => Ok(Some((key, id))),
        Some(_) => Err(Problem::new(
            &problems::MALFORMED_QUERY,
            "cursor: belongs to a list in another order",
        )),
    }
}

/// A page of a list that can be counted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct List<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins, to be sent as `cursor`; none on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = String)]
    pub next: Option<String>,
    /// How many entries fit, on all pages; only if asked for by `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, value_type = Total)]
    pub total: Option<Total>,
}

/// How many entries of a list fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Total {
    /// So many, or the most that are counted.
    #[schema(minimum = 0, maximum = 10_000)]
    count: i64,
    /// Whether there are more than that.
    more: bool,
}

impl Total {
    /// What a count that goes one further than [`COUNT_MAX`] says.
    pub const fn of(counted: i64) -> Self {
        if counted > COUNT_MAX {
            Self {
                count: COUNT_MAX,
                more: true,
            }
        } else {
            Self {
                count: counted,
                more: false,
            }
        }
    }
}

/// The page with these rows, of which one more than `limit` were asked for; `place` names a row's place, `entry` shows it.
pub fn page<R, T, P: Serialize>(
    mut rows: Vec<R>,
    limit: i64,
    total: Option<Total>,
    place: impl FnOnce(&R) -> P,
    entry: impl FnMut(R) -> T,
) -> List<T> {
    let fits = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > fits;
    rows.truncate(fits);
    let last = if more { rows.last().map(place) } else { None };
    List {
        next: last.and_then(pages::cursor),
        items: rows.into_iter().map(entry).collect(),
        total,
    }
}

impl<T: Serialize> List<T> {
    /// The answer to a GET, whose `Link` leads to the next page.
    pub fn linked(self, uri: &Uri) -> Response {
        let link = self.next.as_deref().map(|cursor| pages::link(uri, cursor));
        let mut response = Json(self).into_response();
        if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The moments at which a business day begins and ends (DOMAIN C5).
pub fn business_day(zone: &TimeZone, day: Date) -> Result<(Timestamp, Timestamp), jiff::Error> {
    let next = day.checked_add(1.day())?;
    Ok((
        moment(zone, day, WallTime::START)?,
        moment(zone, next, WallTime::START)?,
    ))
}

/// What is wrong with what a list is asked for, each with the name of its parameter.
#[derive(Debug, Default)]
pub struct Wrong(Vec<(&'static str, String)>);

impl Wrong {
    /// Notes a fault.
    pub fn note(&mut self, name: &'static str, why: impl Into<String>) {
        self.0.push((name, why.into()));
    }

    /// The value, or none after its fault was noted.
    pub fn read<T, E: std::fmt::Display>(&mut self, name: &'static str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.note(name, error.to_string())).ok()
    }

    /// Refuses a query if anything was noted.
    pub fn in_query(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let faults: Vec<String> = self
            .0
            .iter()
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        Err(Problem::new(&problems::MALFORMED_QUERY, faults.join("; ")))
    }

    /// Refuses a body if anything was noted.
    pub fn in_body(self) -> Result<(), Problem> {
        let faults = self.0.into_iter();
        super::body::refuse(
            faults
                .map(|(name, why)| Fault::at(format!("/{name}"), why))
                .collect(),
        )
    }
}

/// The zones of some branches; of one that is not known, none.
pub async fn zones(app: &App, branches: Vec<BranchId>) -> std::collections::HashMap<BranchId, TimeZone> {
    let mut zones = std::collections::HashMap::new();
    for branch in branches {
        if !zones.contains_key(&branch)
            && let Ok(zone) = app.zone(branch).await
        {
            zones.insert(branch, zone);
        }
    }
    zones
}
