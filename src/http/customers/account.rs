//! Beginning and end of a customer's account, and its password: the log says what happened, the vault alone has the
//! secret. Never shows the secret.

use std::time::Duration;

use aggregates::{
    customer::{self, Profile},
    ids::CustomerId,
    values::{Email, GivenEmail, Nickname, PhoneNumber},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::civil::Date;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    super::{
        App,
        access::{Customer, presented},
        answer::{Done, POSITION},
        body::{Sendable, Sent},
        caller::Caller,
        problem::{Problem, ProblemBody},
        sign_in::CUSTOMERS,
        unbroken::unbroken,
    },
    profile::CustomerView,
    proof::Proof,
};
use crate::{
    customers,
    oidc::IdToken,
    store::Actor,
    vault::{Password, Session, Typed},
};

/// How long whoever leaves is kept waiting until they are forgotten.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(3);

/// Who signs up.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct SignUp {
    /// What they sign in with, unique among all customers.
    email: GivenEmail,
    /// The password.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 64)]
    password: Password,
    /// What they are called, unique among all customers.
    nickname: Nickname,
    /// The number to call.
    #[serde(default)]
    phone: Option<PhoneNumber>,
    /// When they were born; rated movies ask for it, and it is said once.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    birth_date: Option<Date>,
}

impl Sendable for SignUp {
    const EXAMPLE: &'static str = r#"{"email":"haneul@example.com","password":"correct horse battery","nickname":"하늘",
        "phone":"010-1234-5678","birth_date":"2001-02-03"}"#;
}

/// One's own password, changed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct ChangeOwnPassword {
    /// The one in use.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    current: Option<Typed>,
    /// Instead, by who has no password: a token of the provider.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id_token: Option<IdToken>,
    /// The nonce it was asked for with.
    #[serde(default)]
    nonce: Option<String>,
    /// The one to be used from now on.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 64)]
    new: Password,
}

impl Sendable for ChangeOwnPassword {
    const EXAMPLE: &'static str = r#"{"current":"correct horse battery","new":"another horse battery"}"#;
}

/// Another e-mail address, and that it is really them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct ChangeOwnEmail {
    /// The one to sign in with from now on, unique among all customers.
    email: GivenEmail,
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Typed>,
    /// Instead, by who has no password: a token of the provider.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id_token: Option<IdToken>,
    /// The nonce it was asked for with.
    #[serde(default)]
    nonce: Option<String>,
}

impl Sendable for ChangeOwnEmail {
    const EXAMPLE: &'static str = r#"{"email":"haneul@example.com","password":"correct horse battery"}"#;
}

/// Who leaves, and that it is really them.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct Leave {
    /// The password.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password)]
    password: Option<Typed>,
    /// Instead, by who has no password: a token of the provider.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id_token: Option<IdToken>,
    /// The nonce it was asked for with.
    #[serde(default)]
    nonce: Option<String>,
}

impl Sendable for Leave {
    const EXAMPLE: &'static str = r#"{"password":"correct horse battery"}"#;
}

/// Signs a customer up; signing in comes next.
#[utoipa::path(post, path = "/v1/customers", tag = "customers", operation_id = "signUpCustomer",
    request_body = SignUp,
    responses((status = CREATED, description = "Signed up", body = CustomerView,
               headers(("Location" = String, description = "Their profile"),
                       ("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = CONFLICT, description = "E-mail address or nickname is taken", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many attempts from this address", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Some fields are wrong", body = ProblemBody)))]
pub(in super::super) async fn sign_up(
    State(app): State<App>,
    caller: Caller,
    Sent(body): Sent<SignUp>,
) -> Result<Response, Problem> {
    app.limits.guess(caller.address)?;
    let id = CustomerId::new(Uuid::now_v7());
    let profile = Profile {
        nickname: body.nickname,
        phone: body.phone,
        birth_date: body.birth_date,
    };
    let principal = customers::principal(id);
    // First, under an id that nobody knows: whoever is in the log can sign in.
    app.credentials.change(&principal, &body.password).await?;
    let request = caller.request(Actor::Customer(id), "customers/sign-up", None);
    let signed_up = customers::sign_up(&app.store, &request, id, &body.email.into(), &profile).await;
    let committed = match signed_up {
        Ok(committed) => committed,
        Err(stop) => {
            app.credentials.forget(&principal).await?;
            return Err(stop.into());
        }
    };
    let state = app.store.read::<customer::Customer>(&id).await?;
    let view = CustomerView::of(id, &state)?;
    Ok(Done::created(&committed, "/v1/customer".to_owned(), view).into_response())
}

/// Changes one's own password, or sets the first one; all other sessions of one's own end.
#[utoipa::path(post, path = "/v1/customer/change-password", tag = "customers", operation_id = "changeCustomerPassword",
    request_body = ChangeOwnPassword, security(("customer" = [])),
    responses((status = NO_CONTENT, description = "Changed",
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody),
              (status = UNAUTHORIZED, description = "Not signed in, or the current password is wrong", body = ProblemBody)))]
pub(in super::super) async fn change_password(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    Sent(ChangeOwnPassword {
        current: password,
        id_token,
        nonce,
        new,
    }): Sent<ChangeOwnPassword>,
) -> Result<Response, Problem> {
    let proof = Proof {
        password,
        id_token,
        nonce,
    };
    proof.of(&app, &caller, &customer, "/current").await?;
    let hashed = app.credentials.hash(&new).await?;
    let request = caller.request(customer.actor(), "customer/change-password", None);
    unbroken(async move {
        let committed = customers::password_changed(&app.store, &request, customer.id).await?;
        let Session { principal, id, .. } = &customer.session;
        app.credentials.replace(principal, &hashed, Some(*id)).await?;
        Ok((
            [(POSITION, committed.position.to_string())],
            StatusCode::NO_CONTENT,
        )
            .into_response())
    })
    .await
}

/// Changes the e-mail address one signs in with; all other sessions of one's own end.
#[utoipa::path(post, path = "/v1/customer/change-email", tag = "customers", operation_id = "changeCustomerEmail",
    request_body = ChangeOwnEmail, security(("customer" = [])),
    responses((status = OK, description = "As it is now", body = CustomerView,
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = CONFLICT, description = "The e-mail address is taken", body = ProblemBody),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody),
              (status = UNAUTHORIZED, description = "Not signed in, or the password is wrong", body = ProblemBody)))]
pub(in super::super) async fn change_email(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    Sent(ChangeOwnEmail {
        email,
        password,
        id_token,
        nonce,
    }): Sent<ChangeOwnEmail>,
) -> Result<Response, Problem> {
    let proof = Proof {
        password,
        id_token,
        nonce,
    };
    proof.of(&app, &caller, &customer, "/password").await?;
    let email: Email = email.into();
    let request = caller.request(customer.actor(), "customer/change-email", None);
    if customers::customer_by_email(&app.store, &email).await?.is_none() {
        // Before, too: were it cut off in between, sessions would be missing, and never one too many be there.
        let Session { principal, id, .. } = &customer.session;
        app.sessions.revoke_all(principal, Some(*id)).await?;
    }
    unbroken(async move {
        let committed = customers::change_email(&app.store, &request, customer.id, &email).await?;
        let Session { principal, id, .. } = &customer.session;
        app.sessions.revoke_all(principal, Some(*id)).await?;
        let state = app.store.read::<customer::Customer>(&customer.id).await?;
        Ok(Done::ok(&committed, CustomerView::of(customer.id, &state)?).into_response())
    })
    .await
}

/// Leaves for good: everything personal about the customer and their reservations is forgotten, wherever it stands. From
/// then on nobody is signed in as them, and what is left to be done is done without them.
#[utoipa::path(post, path = "/v1/customer/leave", tag = "customers", operation_id = "leaveCustomer",
    request_body = Leave, security(("customer" = [])),
    responses((status = NO_CONTENT, description = "Forgotten"),
              (status = ACCEPTED, description = "Gone; what is known of them is still being forgotten"),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody),
              (status = UNAUTHORIZED, description = "Not signed in, or the password is wrong", body = ProblemBody)))]
pub(in super::super) async fn leave(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    headers: HeaderMap,
    Sent(Leave {
        password,
        id_token,
        nonce,
    }): Sent<Leave>,
) -> Result<Response, Problem> {
    let proof = Proof {
        password,
        id_token,
        nonce,
    };
    proof.of(&app, &caller, &customer, "/password").await?;
    let request = caller.request(customer.actor(), "customer/leave", None);
    let committed = customers::leave(&app.store, &request, customer.id).await?;
    let forgotten = app.forgotten.reached(committed.position, FORGOTTEN_WITHIN).await;
    let status = if forgotten {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::ACCEPTED
    };
    let mut response = status.into_response();
    if let Some(gone) = presented::keep(&headers, CUSTOMERS.cookie, "", 0) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
}
