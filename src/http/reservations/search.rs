//! `POST /v1/reservations/search`: staff find reservations by a part of the phone or name; a POST, so that neither
//! stands in an address or a log (DOMAIN E6, E8).

use aggregates::values::Name;
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
        body::{Sendable, Sent},
        pages::Page,
        problem::{Problem, ProblemBody},
    },
    list::Listed,
};

/// Reservations found at most.
const FOUND_MAX: i64 = 50;

/// What staff know.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "phone": "5678" }))]
pub struct Search {
    /// Digits of the phone number, as they are typed.
    #[serde(default)]
    phone: Option<Name>,
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
    responses((status = OK, description = "The newest first, at most 50", body = Page<Listed>),
              (status = UNAUTHORIZED, description = "The admin token is needed", body = ProblemBody)))]
pub(in super::super) async fn search(
    State(app): State<App>,
    _: Admin,
    Sent(Search { phone, name }): Sent<Search>,
) -> Result<Response, Problem> {
    let filter = Filter {
        phone: phone.map(|phone| phone.to_string()),
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
