//! `POST /v1/reservations/search`: staff find reservations by a part of the phone or name; a POST, so that neither
//! stands in an address or a log (DOMAIN E6, E8).

use std::str::FromStr;

use aggregates::{fault::Fault, rights::Permission, values::Name};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use projections::reservation_list::{self, Filter};
use serde::Deserialize;

use super::{
    super::{
        App,
        access::Admin,
        answer::Json,
        body::{Sendable, Sent, refuse},
        pages::Page,
        problem::{Problem, ProblemBody},
    },
    list::Listed,
};

/// Reservations found at most.
const FOUND_MAX: i64 = 50;

/// What staff know; at least one of both.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "5678" }))]
pub struct Search {
    /// Some digits of the phone number, in a row; dashes and spaces are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "5678")]
    phone: Option<PhonePart>,
    /// A part of the name.
    #[serde(default)]
    name: Option<Name>,
}

/// Digits of a phone number in the order in which they stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PhonePart(String);

/// Digits in a row that are looked for at least.
const DIGITS_MIN: usize = 3;
/// Digits a number has.
const DIGITS_MAX: usize = 11;

/// Why a text is no part of a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 3 to 11 digits of a mobile number, like 5678 (dashes may be left out, +82 10… is accepted)")]
pub struct NotDigits;

impl FromStr for PhonePart {
    type Err = NotDigits;

    /// As it is typed (DOMAIN E6): with dashes or without, from its beginning also as it is dialled from abroad.
    fn from_str(text: &str) -> Result<Self, NotDigits> {
        let (home, rest) = text
            .trim()
            .strip_prefix("+82")
            .map_or(("", text.trim()), |rest| ("0", rest));
        if !rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ')) {
            return Err(NotDigits);
        }
        let digits = rest.chars().filter(char::is_ascii_digit).collect::<String>();
        let digits = format!("{}{digits}", if digits.starts_with('0') { "" } else { home });
        if (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            Ok(Self(digits))
        } else {
            Err(NotDigits)
        }
    }
}

impl TryFrom<String> for PhonePart {
    type Error = NotDigits;

    fn try_from(text: String) -> Result<Self, NotDigits> {
        text.parse()
    }
}

impl Sendable for Search {
    const EXAMPLE: &'static str = r#"{"phone":"5678","name":"하늘"}"#;
}

/// Finds reservations by a part of the phone number or name.
#[utoipa::path(post, path = "/v1/reservations/search", tag = "admin", operation_id = "searchReservations",
    request_body = Search, security(("admin" = [])),
    responses((status = OK, description = "Newest first, at most 50", body = Page<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Neither phone nor name, or a wrong one", body = ProblemBody)))]
pub(in super::super) async fn search(
    State(app): State<App>,
    admin: Admin,
    Sent(Search { phone, name }): Sent<Search>,
) -> Result<Response, Problem> {
    if phone.is_none() && name.is_none() {
        refuse(vec![Fault::at("", "needs phone or name")])?;
    }
    let filter = Filter {
        phone: phone.map(|PhonePart(digits)| digits),
        name: name.map(|name| name.to_string()),
        branches: admin.sees(Permission::SeeReservations),
        ..Filter::default()
    };
    let mut connection = app.reads.acquire().await?;
    let found = reservation_list::reservations(&mut connection, &filter, None, FOUND_MAX).await?;
    Ok(Json(Page {
        items: found.into_iter().map(Listed::of).collect(),
        next: None,
    })
    .into_response())
}
