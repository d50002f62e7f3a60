//! `POST /v1/reservations/search`: staff find reservations by a part of the phone or name; a POST, so that neither
//! stands in an address or a log (DOMAIN E6, E8).

use aggregates::{fault::Fault, values::Name};
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
        body::{Sendable, Sent, invalid},
        pages::Page,
        problem::{Problem, ProblemBody},
    },
    list::Listed,
};

/// Reservations found at most.
const FOUND_MAX: i64 = 50;
/// Digits of the longest phone number there is (ITU-T E.164).
const PHONE_DIGITS_MAX: usize = 15;

/// A part of a phone number; dashes and spaces are ignored.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct PhoneDigits(String);

impl TryFrom<String> for PhoneDigits {
    type Error = &'static str;

    fn try_from(typed: String) -> Result<Self, Self::Error> {
        let digits: String = typed.chars().filter(|letter| !"- ".contains(*letter)).collect();
        let known = (1..=PHONE_DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit());
        known
            .then_some(Self(digits))
            .ok_or("must be 1 to 15 digits of a phone number")
    }
}

/// What staff know; at least one of both.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "5678" }))]
pub struct Search {
    /// Some digits of the phone number, in a row; dashes and spaces are ignored.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    phone: Option<PhoneDigits>,
    /// A part of the name.
    #[serde(default)]
    name: Option<Name>,
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
    _: Admin,
    Sent(Search { phone, name }): Sent<Search>,
) -> Result<Response, Problem> {
    if phone.is_none() && name.is_none() {
        return Err(invalid(&[Fault::at("", "needs phone or name")]));
    }
    let filter = Filter {
        phone: phone.map(|PhoneDigits(digits)| digits),
        name: name.map(|name| name.to_string()),
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
