//! Signing in with an account at Google, or at another `OpenID` provider that is configured: by the `id_token` that the
//! provider gave the page, for a nonce of ours. Who that is, only the account itself says; an equal e-mail address says
//! nothing. Never sees a password of theirs at the provider.

use aggregates::{
    customer::{self, Profile},
    ids::CustomerId,
    values::Nickname,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{
        App,
        access::Customer,
        answer::{Done, Json},
        body::{Nothing, Sendable, Sent},
        caller::Caller,
        problem::{Problem, ProblemBody},
        problems,
        sign_in::{CUSTOMERS, SessionBegun, of_our_own},
    },
    profile::CustomerView,
    proof::{identified, proved_by_password},
};
use crate::{
    customers,
    oidc::{Account, IdToken},
    store::Actor,
    vault::Typed,
};

/// A nonce for one sign-in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignInNonce {
    /// To be sent to the provider, which writes it into its token.
    nonce: String,
    /// Until when it counts.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

/// Who signs in with an account at the provider.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct GoogleSignIn {
    /// The token the provider gave.
    #[schema(value_type = String)]
    id_token: IdToken,
    /// The nonce it was asked for with.
    nonce: String,
    /// For pages: the token of the session goes into a cookie that scripts cannot read, and not into the answer.
    #[serde(default)]
    cookie: bool,
}

impl Sendable for GoogleSignIn {
    const EXAMPLE: &'static str = r#"{"id_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln",
        "nonce":"n-0S6_WzA2Mj","cookie":false}"#;
}

/// Which account is to be linked, and that it is really the customer who asks.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct LinkGoogle {
    /// The token the provider gave.
    #[schema(value_type = String)]
    id_token: IdToken,
    /// The nonce it was asked for with.
    nonce: String,
    /// The customer's password.
    #[schema(value_type = String, format = Password)]
    password: Typed,
}

impl Sendable for LinkGoogle {
    const EXAMPLE: &'static str = r#"{"id_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.c2ln",
        "nonce":"n-0S6_WzA2Mj","password":"correct horse battery"}"#;
}

/// Gives out a nonce: it counts for one sign-in within ten minutes.
#[utoipa::path(post, path = "/v1/customer/sign-in-nonces", tag = "customers", operation_id = "giveSignInNonce",
    responses((status = CREATED, description = "A nonce", body = SignInNonce),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody)))]
pub(in super::super) async fn give_nonce(
    State(app): State<App>,
    caller: Caller,
    Sent(Nothing {}): Sent<Nothing>,
) -> Result<Response, Problem> {
    if app.provider.is_none() {
        return Err(not_offered());
    }
    app.limits.guess(caller.address)?;
    let nonce = app.nonces.give().await?;
    let given = SignInNonce {
        nonce: nonce.text,
        ends_at: nonce.ends_at,
    };
    Ok((StatusCode::CREATED, Json(given)).into_response())
}

/// Signs a customer in, and signs them up if they have never been here; their birth date can be added later.
#[utoipa::path(post, path = "/v1/customer/sessions/google", tag = "customers", operation_id = "signInCustomerWithGoogle",
    request_body = GoogleSignIn,
    responses((status = CREATED, description = "Signed in", body = SessionBegun),
              (status = UNAUTHORIZED, description = "The token is not to be believed", body = ProblemBody),
              (status = FORBIDDEN, description = "sign-in/email-not-verified, or a page of another site asks", body = ProblemBody),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody),
              (status = CONFLICT, description = "customer/email-in-use: sign in with the password and link", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many attempts from this address", body = ProblemBody),
              (status = SERVICE_UNAVAILABLE, description = "sign-in/provider-away", body = ProblemBody)))]
pub(in super::super) async fn sign_in(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Sent(GoogleSignIn {
        id_token,
        nonce,
        cookie,
    }): Sent<GoogleSignIn>,
) -> Result<Response, Problem> {
    of_our_own(&headers, cookie)?;
    app.limits.guess(caller.address)?;
    let account = identified(&app, &id_token, &nonce).await?;
    let known = customers::customer_by_identity(&app.store, &account.identity).await?;
    let id = match known {
        Some(id) => id,
        None => join(&app, &caller, account).await?,
    };
    let principal = customers::principal(id);
    CUSTOMERS.begin(&app, &headers, &principal, cookie).await
}

/// Lets the customer who asks sign in with an account at the provider, too.
#[utoipa::path(post, path = "/v1/customer/link-google", tag = "customers", operation_id = "linkGoogle",
    request_body = LinkGoogle, security(("customer" = [])),
    responses((status = OK, description = "Linked", body = CustomerView,
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = UNAUTHORIZED, description = "Not signed in, the password is wrong, or the token is not to be believed", body = ProblemBody),
              (status = NOT_FOUND, description = "sign-in/not-offered", body = ProblemBody),
              (status = CONFLICT, description = "customer/already-linked, or the account is another customer's", body = ProblemBody)))]
pub(in super::super) async fn link(
    State(app): State<App>,
    customer: Customer,
    caller: Caller,
    Sent(LinkGoogle {
        id_token,
        nonce,
        password,
    }): Sent<LinkGoogle>,
) -> Result<Response, Problem> {
    proved_by_password(&app, &caller, &customer, &password).await?;
    let account = identified(&app, &id_token, &nonce).await?;
    let request = caller.request(customer.actor(), "customer/link-google", None);
    let committed = customers::link(&app.store, &request, customer.id, &account.identity).await?;
    let state = app.store.read::<customer::Customer>(&customer.id).await?;
    Ok(Done::ok(&committed, CustomerView::of(customer.id, &state)?).into_response())
}

/// There is no provider.
pub(super) fn not_offered() -> Problem {
    let detail = "this service takes no accounts of other providers";
    Problem::new(&problems::NOT_OFFERED, detail)
}

/// Signs somebody up who comes from the provider for the first time.
async fn join(app: &App, caller: &Caller, account: Account) -> Result<CustomerId, Problem> {
    let Account { identity, email } = account;
    let email = email.ok_or_else(|| {
        let detail = "the provider has not verified an e-mail address of this account";
        Problem::new(&problems::EMAIL_NOT_VERIFIED, detail)
    })?;
    let id = CustomerId::new(Uuid::now_v7());
    let profile = Profile {
        nickname: nickname(id)?,
        phone: None,
        birth_date: None,
    };
    let request = caller.request(Actor::Customer(id), "customers/join", None);
    match customers::join(&app.store, &request, id, &email, &profile, &identity).await {
        Ok(_) => Ok(id),
        Err(stop) => {
            // Two tabs at once: the other one was faster.
            let known = customers::customer_by_identity(&app.store, &identity).await?;
            known.ok_or_else(|| stop.into())
        }
    }
}

/// A nickname to begin with, as good as unique; they can choose another one.
fn nickname(id: CustomerId) -> Result<Nickname, Problem> {
    let id = id.to_string().replace('-', "");
    // The last digits of a UUID v7 are random.
    let name = format!("손님-{}", &id[id.len() - NICKNAME_DIGITS..]);
    name.parse()
        .map_err(|_| Problem::new(&problems::FAULT, "no nickname could be made"))
}

/// 48 random bits.
const NICKNAME_DIGITS: usize = 12;
