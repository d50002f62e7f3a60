//! `GET /v1/reservations`: the list staff work with, in every order and by every filter that names nobody (DOMAIN E6);
//! never of branches that are not theirs.

use aggregates::{
    ids::{BranchId, CustomerId, ReservationId, TimeSlotId},
    reservation::Balance,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::Timestamp;
use projections::reservation_list::{self, Entry, Filter, Order, PaymentKind, Place, Stage};
use serde::Serialize;

use super::{
    super::{
        App,
        access::Admin,
        fresh,
        lists::{self, COUNT_MAX, List, Total, Wrong},
        pages,
        params::Asked,
        problem::{Problem, ProblemBody},
        time_slots::AsOf,
    },
    asked::{self, asked},
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
    /// How it is paid.
    #[schema(value_type = Option<String>, example = "bank_transfer")]
    payment: Option<PaymentKind>,
    /// The coupon redeemed with it.
    coupon: Option<String>,
    /// The short code for people.
    short_code: Option<String>,
    /// When it was placed.
    #[schema(value_type = Option<String>, format = DateTime)]
    placed_at: Option<Timestamp>,
    /// Whose it is, if they were signed in.
    customer: Option<CustomerId>,
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
            payment: entry.payment,
            coupon: entry.coupon,
            short_code: entry.short_code,
            placed_at: entry.placed_at,
            customer: entry.customer,
            name: entry.name,
            phone: entry.phone,
            starts_at: entry.starts_at,
            branch: entry.branch,
            branch_name: entry.branch_name,
            show_name: entry.show_name,
        }
    }
}

asked! {
    /// Which reservations.
    Which {
        /// Say in `total` how many fit; not of the past.
        count: Option<bool>,
        /// Where the page begins.
        cursor: Option<String>,
        /// Reservations on a page, 1 to 200.
        limit: Option<u16>,
    }
}

/// The read models whose rows the list joins.
const MODELS: [&str; 2] = ["time_slot_calendar", "catalogue"];

/// The position that is asked about, which all models show by now; none for the present.
pub(super) async fn as_of(app: &App, as_of: &AsOf) -> Result<Option<i64>, Problem> {
    let position = as_of.position(app, "reservation_list").await?;
    for model in MODELS {
        fresh::reached(app, model, position.max(as_of.min_position)).await?;
    }
    Ok(position)
}

/// The reservations that fit, now or as of a position.
pub(super) async fn entries(
    app: &App,
    filter: &Filter,
    order: Order,
    as_of: Option<i64>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Entry>, Problem> {
    let mut connection = app.reads.acquire().await?;
    let entries = match as_of {
        None => reservation_list::listed(&mut connection, filter, order, after, limit).await?,
        Some(position) => {
            reservation_list::listed_as_of(&mut connection, filter, order, position, after, limit).await?
        }
    };
    Ok(entries)
}

/// How many fit, as far as they are counted.
pub(super) async fn total(app: &App, filter: &Filter, order: Order) -> Result<Total, Problem> {
    let mut connection = app.reads.acquire().await?;
    let counted = reservation_list::count(&mut connection, filter, order, COUNT_MAX + 1).await?;
    Ok(Total::of(counted))
}

/// Reservations, newest first unless asked otherwise. Searching by name or phone is `POST /v1/reservations/search`: no
/// personal data in an address.
#[utoipa::path(get, path = "/v1/reservations", tag = "admin", operation_id = "listReservations",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In the order that is asked for", body = List<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let order = asked::order(which.sort, which.order);
    let limit = pages::limit(which.limit)?;
    let after = asked::behind(which.cursor.as_deref(), order)?;
    let mut wrong = Wrong::default();
    let filter = which.terms().filter(&app, &admin, &mut wrong).await?;
    let count = which.count.unwrap_or_default();
    if count && !which.as_of().is_now() {
        wrong.note(
            "count",
            "is of the present; it cannot be combined with position or at",
        );
    }
    wrong.in_query()?;
    let as_of = as_of(&app, &which.as_of()).await?;
    let entries = entries(&app, &filter, order, as_of, after, limit + 1).await?;
    let total = if count {
        Some(total(&app, &filter, order).await?)
    } else {
        None
    };
    let place = |entry: &Entry| asked::cursor(entry, order);
    Ok(lists::page(entries, limit, total, place, Listed::of).linked(&uri))
}
