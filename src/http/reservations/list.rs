//! `GET /v1/reservations`: the list staff work with, found by slot, stage, payment, name or part of a phone (DOMAIN E6).

use aggregates::{
    ids::{BranchId, MovieId, ReservationId, ThemeId, TimeSlotId},
    reservation::Balance,
    rights::Permission,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::Timestamp;
use projections::reservation_list::{self, Entry, Filter, Stage};
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Admin,
    fresh,
    pages::{self, Page},
    params::{Asked, Moment},
    problem::{Problem, ProblemBody},
    problems,
};

/// A reservation of the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ReservationOfList")]
pub struct Listed {
    /// Its number.
    number: ReservationId,
    /// What has become of it.
    #[schema(value_type = String, example = "placed")]
    state: Stage,
    /// For which slot.
    time_slot: TimeSlotId,
    /// Its seats.
    seats: Vec<String>,
    /// How many people.
    party: i64,
    /// Its price, in minor units.
    total: i64,
    /// The price's currency.
    currency: String,
    /// When the hold runs out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// When it must be paid.
    #[schema(value_type = Option<String>, format = DateTime)]
    pay_by: Option<Timestamp>,
    /// Whether it is paid.
    paid: bool,
    /// How what was paid compares with the price, once it is placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Balance>,
    /// Whether the customer was notified.
    notified: bool,
    /// The coupon redeemed with it.
    coupon: Option<String>,
    /// The short code for people.
    short_code: Option<String>,
    /// Who to call.
    name: Option<String>,
    /// The number to call.
    phone: Option<String>,
    /// When the slot begins.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// Where.
    branch: Option<BranchId>,
    /// The branch's name.
    branch_name: Option<String>,
    /// The title of the movie or the name of the theme.
    show_name: Option<String>,
}

impl Listed {
    pub(in super::super) fn of(entry: Entry) -> Self {
        Self {
            number: entry.reservation,
            state: entry.stage,
            time_slot: entry.time_slot,
            seats: entry.seats,
            party: entry.party,
            total: entry.total,
            currency: entry.currency.code().to_owned(),
            expires_at: entry.hold_until,
            pay_by: entry.pay_by,
            paid: entry.paid_position.is_some(),
            balance: entry
                .placed_position
                .map(|_| Balance::of(entry.total - entry.owed, entry.total)),
            notified: entry.notified_position.is_some(),
            coupon: entry.coupon,
            short_code: entry.short_code,
            name: entry.name,
            phone: entry.phone,
            starts_at: entry.starts_at,
            branch: entry.branch,
            branch_name: entry.branch_name,
            show_name: entry.show_name,
        }
    }
}

/// Which reservations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// For this slot.
    time_slot: Option<TimeSlotId>,
    /// At this branch.
    branch: Option<BranchId>,
    /// For this movie.
    movie: Option<MovieId>,
    /// For this theme.
    theme: Option<ThemeId>,
    /// For slots that begin at this moment or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Moment>,
    /// For slots that begin before this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    before: Option<Moment>,
    /// In these states, separated by commas: `held`, `placed`, `attended` …
    state: Option<String>,
    /// Paid, or not.
    paid: Option<bool>,
    /// With this short code.
    short_code: Option<String>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Reservations on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Reservations, newest first. Searching by name or phone is `POST /v1/reservations/search`: no personal data in
/// an address.
#[utoipa::path(get, path = "/v1/reservations", tag = "admin", operation_id = "listReservations",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Newest first", body = Page<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let stages = which
        .state
        .as_deref()
        .unwrap_or_default()
        .split(',')
        .filter(|word| !word.is_empty());
    let stages: Result<Vec<Stage>, _> = stages.map(str::parse).collect();
    let stages =
        stages.map_err(|error| Problem::new(&problems::MALFORMED_QUERY, format!("state: {error}")))?;
    let filter = Filter {
        time_slot: which.time_slot,
        branch: which.branch,
        customer: None,
        branches: admin.sees(Permission::SeeReservations),
        movie: which.movie,
        theme: which.theme,
        starts_from: which.from.map(|Moment(from)| from),
        starts_before: which.before.map(|Moment(before)| before),
        stages,
        paid: which.paid,
        short_code: which.short_code,
        phone: None,
        name: None,
    };
    let limit = pages::limit(which.limit)?;
    let after = pages::behind(which.cursor.as_deref())?;
    fresh::reached(&app, "reservation_list", which.min_position).await?;
    let mut connection = app.reads.acquire().await?;
    let entries = reservation_list::reservations(&mut connection, &filter, after, limit + 1).await?;
    Ok(pages::page(
        &uri,
        entries,
        limit,
        |entry: &Entry| entry.reservation,
        |entry| Some(Listed::of(entry)),
    ))
}
