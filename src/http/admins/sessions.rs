//! `/v1/admin/sessions`: sign in, sign out, and see or end one's own sessions (DOMAIN P3); never tells whether a login
//! exists.

use aggregates::{admin, values::LoginId};
use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::super::{
    App,
    access::SignedIn,
    body::{Sendable, Sent},
    caller::Caller,
    params::Id,
    problem::{Problem, ProblemBody},
    sign_in::{self, ADMINS, Asked, SessionBegun, SessionView},
};
use crate::{people, vault::Typed};

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "AdminSignIn")]
#[schema(example = Self::example)]
pub struct SignIn {
    /// The login.
    #[schema(example = "minseo")]
    login: String,
    /// The password.
    #[schema(value_type = String, format = Password)]
    password: Typed,
    /// For pages: the token goes into a cookie that scripts cannot read, and not into the answer.
    #[serde(default)]
    cookie: bool,
}

impl Sendable for SignIn {
    const EXAMPLE: &'static str = r#"{"login":"minseo","password":"correct horse battery","cookie":false}"#;
}

/// Signs an admin in.
#[utoipa::path(post, path = "/v1/admin/sessions", tag = "admin", operation_id = "signInAdmin",
    request_body = SignIn,
    responses((status = CREATED, description = "Signed in", body = SessionBegun),
              (status = UNAUTHORIZED, description = "Login or password is wrong", body = ProblemBody),
              (status = TOO_MANY_REQUESTS, description = "Too many attempts with this login or from this address", body = ProblemBody),
              (status = SERVICE_UNAVAILABLE, description = "Too many sign in at once", body = ProblemBody)))]
pub(in super::super) async fn sign_in(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Sent(SignIn {
        login,
        password,
        cookie,
    }): Sent<SignIn>,
) -> Result<Response, Problem> {
    let login: Option<LoginId> = login.parse().ok();
    let account = login.as_ref().map(admin::Admin::login_claim);
    let account = account.as_ref().map_or("", |claim| claim.name.as_str());
    ADMINS.admit(&app, &caller, &headers, account, cookie).await?;
    let id = match &login {
        Some(login) => people::admin_by_login(&app.store, login).await?,
        None => None,
    };
    let principal = id.map(people::principal);
    let asked = Asked {
        caller: &caller,
        headers: &headers,
        account,
        cookie,
    };
    ADMINS.let_in(&app, asked, principal, &password).await
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/v1/admin/sessions", tag = "admin", operation_id = "listAdminSessions",
    security(("admin" = [])),
    responses((status = OK, description = "The newest first", body = [SessionView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn list(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Problem> {
    sign_in::list(&app, &signed_in.session).await
}

/// Signs out: ends the session that asks.
#[utoipa::path(delete, path = "/v1/admin/sessions", tag = "admin", operation_id = "signOutAdmin",
    security(("admin" = [])),
    responses((status = NO_CONTENT, description = "Signed out"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
    signed_in: SignedIn,
) -> Result<Response, Problem> {
    ADMINS.let_out(&app, &headers, &signed_in.session).await
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/v1/admin/sessions/{id}", tag = "admin", operation_id = "revokeAdminSession",
    params(("id" = Uuid, Path)),
    security(("admin" = [])),
    responses((status = NO_CONTENT, description = "Ended"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "No such session of yours", body = ProblemBody)))]
pub(in super::super) async fn revoke(
    State(app): State<App>,
    signed_in: SignedIn,
    Id(id): Id<Uuid>,
) -> Result<Response, Problem> {
    sign_in::revoke(&app, &signed_in.session, id).await
}
