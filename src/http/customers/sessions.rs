//! `/v1/customer/sessions`: sign in, sign out, and see or end one's own sessions; never tells whether an address has an
//! account.

use aggregates::{customer, values::Email};
use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::{
    App,
    access::Customer,
    body::{Sendable, Sent},
    caller::Caller,
    params::Id,
    problem::{Problem, ProblemBody},
    sign_in::{self, Asked, CUSTOMERS, SessionBegun, SessionView},
};
use crate::{customers, vault::Typed};

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CustomerSignIn")]
#[schema(example = Self::example)]
pub struct CustomerSignIn {
    /// The e-mail address.
    #[schema(example = "haneul@example.com")]
    email: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: Typed,
    /// For pages: the token goes into a cookie that scripts cannot read, and not into the answer.
    #[serde(default)]
    cookie: bool,
}

impl Sendable for CustomerSignIn {
    const EXAMPLE: &'static str =
        r#"{"email":"haneul@example.com","password":"correct horse battery","cookie":false}"#;
}

/// Signs a customer in.
#[utoipa::path(post, path = "/v1/customer/sessions", tag = "customers", operation_id = "signInCustomer",
    request_body = CustomerSignIn,
    responses((status = CREATED, description = "Signed in", body = SessionBegun),
              (status = UNAUTHORIZED, description = "E-mail address or password is wrong", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many attempts with this account or from this address", body = ProblemBody),
              (status = SERVICE_UNAVAILABLE, description = "Too many sign in at once", body = ProblemBody)))]
pub(in super::super) async fn sign_in(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Sent(CustomerSignIn {
        email,
        password,
        cookie,
    }): Sent<CustomerSignIn>,
) -> Result<Response, Problem> {
    let email: Option<Email> = email.parse().ok();
    // Folded as the claim is: however it is spelt, it is the same account.
    let account = email.as_ref().map(customer::Customer::email_claim);
    let account = account.as_ref().map_or("", |claim| claim.name.as_str());
    CUSTOMERS.admit(&app, &caller, &headers, account, cookie).await?;
    let id = match &email {
        Some(email) => customers::customer_by_email(&app.store, email).await?,
        None => None,
    };
    let principal = id.map(customers::principal);
    let asked = Asked {
        caller: &caller,
        headers: &headers,
        account,
        cookie,
    };
    CUSTOMERS.let_in(&app, asked, principal, &password).await
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/v1/customer/sessions", tag = "customers", operation_id = "listCustomerSessions",
    security(("customer" = [])),
    responses((status = OK, description = "The newest first", body = [SessionView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn list(State(app): State<App>, customer: Customer) -> Result<Response, Problem> {
    sign_in::list(&app, &customer.session).await
}

/// Signs out: ends the session that asks.
#[utoipa::path(delete, path = "/v1/customer/sessions", tag = "customers", operation_id = "signOutCustomer",
    security(("customer" = [])),
    responses((status = NO_CONTENT, description = "Signed out"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    customer: Customer,
) -> Result<Response, Problem> {
    CUSTOMERS.let_out(&app, &headers, &customer.session).await
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/v1/customer/sessions/{id}", tag = "customers", operation_id = "revokeCustomerSession",
    params(("id" = Uuid, Path)),
    security(("customer" = [])),
    responses((status = NO_CONTENT, description = "Ended"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "No such session of yours", body = ProblemBody)))]
pub(in super::super) async fn revoke(
    State(app): State<App>,
    customer: Customer,
    Id(id): Id<Uuid>,
) -> Result<Response, Problem> {
    sign_in::revoke(&app, &customer.session, id).await
}
