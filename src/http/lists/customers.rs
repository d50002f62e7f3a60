//! Customers as staff find them: who has signed up, how often they booked and did not come; never a password or a session.
//!
//! Who works at single branches finds only who has booked there, and only what they booked there is counted.

use aggregates::{ids::CustomerId, rights::Permission};
use axum::{
    extract::State,
    http::Uri,
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, tz::TimeZone};
use projections::customer_directory::{self, Entry, Filter, Standing};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Admin,
        answer::Json,
        body::{Sendable, Sent, refuse},
        fresh, pages,
        params::Asked,
        problem::{Problem, ProblemBody},
        reservations::PhonePart,
    },
    List, Wrong,
    csv::{self, LINES_AT_ONCE, maybe_text, plain},
    page,
};
use aggregates::{fault::Fault, values::Name};

/// A customer of the directory.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CustomerOfDirectory {
    /// Which one.
    id: CustomerId,
    /// `signed_up` or `left`.
    #[schema(value_type = String, example = "signed_up")]
    state: Standing,
    /// What they sign in with, while it may be known.
    email: Option<String>,
    /// What they are called.
    nickname: Option<String>,
    /// The number to call.
    phone: Option<String>,
    /// When they signed up.
    #[schema(value_type = Option<String>, format = DateTime)]
    signed_up_at: Option<Timestamp>,
    /// Reservations they placed while signed in.
    reservations: i64,
    /// Of these, those they did not come to.
    no_shows: i64,
}

impl CustomerOfDirectory {
    fn of(entry: Entry) -> Self {
        Self {
            id: entry.customer,
            state: entry.standing,
            email: entry.email,
            nickname: entry.nickname,
            phone: entry.phone,
            signed_up_at: entry.signed_up_at,
            reservations: entry.reservations,
            no_shows: entry.no_shows,
        }
    }
}

/// Whether a customer is among us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerStanding {
    /// They are.
    SignedUp,
    /// They have left.
    Left,
}

impl From<CustomerStanding> for Standing {
    fn from(asked: CustomerStanding) -> Self {
        match asked {
            CustomerStanding::SignedUp => Self::SignedUp,
            CustomerStanding::Left => Self::Left,
        }
    }
}

/// Which customers.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// This one.
    customer: Option<CustomerId>,
    /// Who stand so.
    #[param(inline)]
    state: Option<CustomerStanding>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Customers on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// The read models that are joined.
const MODELS: [&str; 3] = ["customer_directory", "reservation_list", "time_slot_calendar"];

async fn reached(app: &App, min_position: Option<i64>) -> Result<(), Problem> {
    for model in MODELS {
        fresh::reached(app, model, min_position).await?;
    }
    Ok(())
}

async fn found(app: &App, filter: &Filter, after: Option<i64>, limit: i64) -> Result<Vec<Entry>, Problem> {
    let mut connection = app.reads.acquire().await?;
    Ok(customer_directory::customers(&mut connection, filter, after, limit).await?)
}

const fn place(entry: &Entry) -> i64 {
    entry.signed_up_position
}

/// Customers, who signed up last first. Searching by e-mail address, nickname or phone is
/// `POST /v1/admin/customers/search`: no personal data in an address.
#[utoipa::path(get, path = "/v1/admin/customers", tag = "admin", operation_id = "listCustomers",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Who signed up last first", body = List<CustomerOfDirectory>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let after = pages::behind(which.cursor.as_deref())?;
    let filter = Filter {
        customer: which.customer,
        standing: which.state.map(Standing::from),
        branches: admin.sees(Permission::SeeReservations),
        ..Filter::default()
    };
    reached(&app, which.min_position).await?;
    let entries = found(&app, &filter, after, limit + 1).await?;
    Ok(page(entries, limit, None, place, CustomerOfDirectory::of).linked(&uri))
}

/// What staff know of a customer; at least one of the three.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "nickname": "하늘" }))]
pub struct CustomerSearch {
    /// A part of the e-mail address.
    #[serde(default)]
    email: Option<Name>,
    /// A part of the nickname.
    #[serde(default)]
    nickname: Option<Name>,
    /// Some digits of the phone number, in a row; dashes and spaces are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5678")]
    phone: Option<PhonePart>,
    /// Where the page begins: `next` of the page before.
    #[serde(default)]
    cursor: Option<String>,
    /// Customers on a page, 1 to 200.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    #[serde(default)]
    #[schema(minimum = 0)]
    min_position: Option<i64>,
}

impl Sendable for CustomerSearch {
    const EXAMPLE: &'static str = r#"{"email":"example.com","nickname":"하늘","phone":"5678","cursor":"NDcxMQ","limit":50,"min_position":4711}"#;

    fn bounds() -> Vec<(&'static str, std::ops::RangeInclusive<u16>)> {
        vec![("/limit", 1..=pages::LIMIT_MAX)]
    }
}

/// Finds customers by a part of the e-mail address, nickname or phone number.
#[utoipa::path(post, path = "/v1/admin/customers/search", tag = "admin", operation_id = "searchCustomers",
    request_body = CustomerSearch, security(("admin" = [])),
    responses((status = OK, description = "Who signed up last first", body = List<CustomerOfDirectory>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "None of the three, or a wrong one", body = ProblemBody)))]
pub(super) async fn search(
    State(app): State<App>,
    admin: Admin,
    Sent(search): Sent<CustomerSearch>,
) -> Result<Response, Problem> {
    let CustomerSearch {
        email,
        nickname,
        phone,
        cursor,
        limit,
        min_position,
    } = search;
    if email.is_none() && nickname.is_none() && phone.is_none() {
        refuse(vec![Fault::at("", "needs email, nickname or phone")])?;
    }
    let mut wrong = Wrong::default();
    if limit.is_some_and(|limit| !(1..=pages::LIMIT_MAX).contains(&limit)) {
        let bounds = format!("must be a whole number from 1 to {}", pages::LIMIT_MAX);
        wrong.note("limit", bounds);
    }
    if min_position.is_some_and(i64::is_negative) {
        wrong.note(
            "min_position",
            "must be a position of the log: a whole number, 0 or more",
        );
    }
    let after = pages::behind(cursor.as_deref());
    if after.is_err() {
        wrong.note("cursor", "is not one of this list");
    }
    wrong.in_body()?;
    let filter = Filter {
        email: email.map(|part| part.to_string()),
        nickname: nickname.map(|part| part.to_string()),
        phone: phone.map(PhonePart::digits),
        branches: admin.sees(Permission::SeeReservations),
        ..Filter::default()
    };
    let limit = pages::limit(limit)?;
    reached(&app, min_position).await?;
    let entries = found(&app, &filter, after?, limit + 1).await?;
    Ok(Json(page(entries, limit, None, place, CustomerOfDirectory::of)).into_response())
}

/// Which customers, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// This one.
    customer: Option<CustomerId>,
    /// Who stand so.
    #[param(inline)]
    state: Option<CustomerStanding>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

const FIELDS: [&str; 9] = [
    "id",
    "state",
    "email",
    "nickname",
    "phone",
    "signed_up_at",
    "signed_up_at_utc",
    "reservations",
    "no_shows",
];

/// The customers that fit, as comma-separated values (RFC 4180), one line each. They belong to no branch: every moment is
/// in UTC.
#[utoipa::path(get, path = "/v1/admin/customers.csv", tag = "admin", operation_id = "exportCustomers",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let filter = Filter {
        customer: which.customer,
        standing: which.state.map(Standing::from),
        branches: admin.sees(Permission::SeeReservations),
        ..Filter::default()
    };
    reached(&app, which.min_position).await?;
    csv::file(
        "customers",
        &admin,
        &FIELDS,
        which.bom.unwrap_or_default(),
        move |after| part(app.clone(), filter.clone(), after),
    )
    .await
}

async fn part(app: App, filter: Filter, after: Option<i64>) -> Result<csv::Part<i64>, Problem> {
    let entries = found(&app, &filter, after, LINES_AT_ONCE).await?;
    let whole = i64::try_from(entries.len()).is_ok_and(|read| read == LINES_AT_ONCE);
    let last = entries.last().map(place).filter(|_| whole);
    let lines = entries.into_iter().map(|entry| {
        let [signed_up_at, signed_up_at_utc] = csv::moment(entry.signed_up_at, &TimeZone::UTC);
        vec![
            plain(entry.customer),
            plain(entry.standing.as_str()),
            maybe_text(entry.email),
            maybe_text(entry.nickname),
            maybe_text(entry.phone),
            signed_up_at,
            signed_up_at_utc,
            plain(entry.reservations),
            plain(entry.no_shows),
        ]
    });
    Ok((lines.collect(), last))
}
