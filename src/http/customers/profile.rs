//! `/v1/customer`: what is known of the customer who asks, to say something else, and to say what was missing; never
//! anybody else's.

use aggregates::{
    customer::{self, Profile},
    ids::CustomerId,
    personal::Personal,
    values::{Email, Nickname, PhoneNumber},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Customer,
    answer::{Done, Json},
    body::{Sendable, Sent},
    caller::Caller,
    problem::{Problem, ProblemBody},
};
use crate::customers;

/// A customer as they see themselves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Customer")]
pub struct CustomerView {
    /// Their id.
    id: CustomerId,
    /// What they sign in with.
    email: Option<Email>,
    /// What they are called.
    nickname: Option<Nickname>,
    /// The number to call.
    phone: Option<PhoneNumber>,
    /// When they were born.
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<Date>,
    /// Whether they sign in with an account at another provider, too.
    linked: bool,
}

impl CustomerView {
    /// The customer as the log has them.
    pub(super) fn of(id: CustomerId, customer: &customer::Customer) -> Result<Self, Problem> {
        let known = customer.known().map_err(|error| Problem::refused(&error))?;
        Ok(Self {
            id,
            email: known.email.plain().cloned(),
            nickname: known.nickname.plain().cloned(),
            phone: known.phone.as_ref().and_then(Personal::plain).cloned(),
            birth_date: known.birth_date.as_ref().and_then(Personal::plain).copied(),
            linked: known.identity.is_some(),
        })
    }
}

/// What a customer says about themselves.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct DescribeCustomer {
    /// What they are called, unique among all customers.
    nickname: Nickname,
    /// The number to call.
    #[serde(default)]
    phone: Option<PhoneNumber>,
    /// When they were born; once it is known it stays.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<Date>,
}

impl Sendable for DescribeCustomer {
    const EXAMPLE: &'static str = r#"{"nickname":"하늘","phone":"010-1234-5678","birth_date":"2001-02-03"}"#;
}

/// The customer who asks.
#[utoipa::path(get, path = "/v1/customer", tag = "customers", operation_id = "getCustomer",
    security(("customer" = [])),
    responses((status = OK, description = "All that is known of them", body = CustomerView),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn show(
    State(app): State<App>,
    Customer { id, .. }: Customer,
) -> Result<Response, Problem> {
    let customer = app.store.read::<customer::Customer>(&id).await?;
    Ok(Json(CustomerView::of(id, &customer)?).into_response())
}

/// Says something else about oneself.
#[utoipa::path(post, path = "/v1/customer/describe", tag = "customers", operation_id = "describeCustomer",
    request_body = DescribeCustomer, security(("customer" = [])),
    responses((status = OK, description = "As it is now", body = CustomerView,
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = CONFLICT, description = "The nickname is taken, or another birth date is known", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Some fields are wrong", body = ProblemBody)))]
pub(in super::super) async fn describe(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    Sent(body): Sent<DescribeCustomer>,
) -> Result<Response, Problem> {
    let profile = Profile {
        nickname: body.nickname,
        phone: body.phone,
        birth_date: body.birth_date,
    };
    let request = caller.request(customer.actor(), "customer/describe", None);
    let committed = customers::describe(&app.store, &request, customer.id, &profile).await?;
    let state = app.store.read::<customer::Customer>(&customer.id).await?;
    Ok(Done::ok(&committed, CustomerView::of(customer.id, &state)?).into_response())
}

/// What was missing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct CompleteCustomer {
    /// When they were born.
    #[schema(value_type = String, format = Date)]
    birth_date: Date,
}

impl Sendable for CompleteCustomer {
    const EXAMPLE: &'static str = r#"{"birth_date":"2001-02-03"}"#;
}

/// Adds the birth date, once: rated movies ask for it.
#[utoipa::path(post, path = "/v1/customer/complete", tag = "customers", operation_id = "completeCustomer",
    request_body = CompleteCustomer, security(("customer" = [])),
    responses((status = OK, description = "As it is now", body = CustomerView, headers(("X-Jari-Position" = i64))),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = CONFLICT, description = "Another birth date is known", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "The birth date is impossible", body = ProblemBody)))]
pub(in super::super) async fn complete(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    Sent(CompleteCustomer { birth_date }): Sent<CompleteCustomer>,
) -> Result<Response, Problem> {
    let request = caller.request(customer.actor(), "customer/complete", None);
    let committed = customers::complete(&app.store, &request, customer.id, birth_date).await?;
    let state = app.store.read::<customer::Customer>(&customer.id).await?;
    Ok(Done::ok(&committed, CustomerView::of(customer.id, &state)?).into_response())
}
