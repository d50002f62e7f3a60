//! `/v1/admin/sessions`: sign in, sign out, and see or end one's own sessions (DOMAIN P3).

use std::time::Duration;

use aggregates::values::LoginId;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{
    App,
    access::{
        ADMIN_PREFIX, SignedIn,
        presented::{self, ADMIN_COOKIE},
    },
    answer::Json,
    body::{Sendable, Sent},
    caller::Caller,
    params::Id,
    problem::{Problem, ProblemBody},
    problems,
};
use crate::{
    people,
    vault::{Lifetime, Session, Typed},
};

/// How long an admin stays signed in.
const LIFETIME: Lifetime = Lifetime {
    idle: Duration::from_secs(60 * 60),
    absolute: Duration::from_secs(12 * 60 * 60),
};

/// Who signs in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "AdminSignIn")]
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

/// A session that has begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SessionBegun {
    /// Which one.
    id: Uuid,
    /// Its secret, to be sent as `Authorization: Bearer …`; shown this once, and not if it is in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When it ends, however much it is used.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

/// A session of one's own.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Session")]
pub struct SessionView {
    /// Which one.
    id: Uuid,
    /// Whether it is the one that asks.
    current: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    begun_at: Timestamp,
    /// When it was used last, to half a minute.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// When it ends, however much it is used.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
}

impl SessionView {
    /// As whoever asks by the session `current` sees it.
    #[must_use]
    pub fn of(session: &Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            current: session.id == current,
            begun_at: session.begun_at,
            seen_at: session.seen_at,
            ends_at: session.ends_at,
        }
    }
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
    if cookie && !presented::is_same_site(&headers) {
        let detail = "only a page of this server signs in with a cookie";
        return Err(Problem::new(&problems::CROSS_SITE, detail));
    }
    let login: Option<LoginId> = login.parse().ok();
    let account = login.as_ref().map_or("", LoginId::as_str).to_lowercase();
    let account = app
        .store
        .vault()
        .mac("sign-in account", format!("admin {account}").as_bytes());
    app.limits.sign_in(caller.address, account)?;
    let id = match &login {
        Some(login) => people::admin_by_login(&app.store, login).await?,
        None => None,
    };
    let principal = id.map(people::principal);
    // Nobody is asked for a password too, so that the time tells nothing.
    let known = app.credentials.check(principal.as_deref(), &password).await?;
    let Some(principal) = principal.filter(|_| known) else {
        let detail = "login or password is wrong";
        return Err(Problem::new(&problems::WRONG_CREDENTIALS, detail));
    };
    let (token, session) = app.sessions.begin(&principal, ADMIN_PREFIX, LIFETIME).await?;
    let kept = cookie
        .then(|| presented::keep(&headers, ADMIN_COOKIE, token.text(), LIFETIME.absolute.as_secs()))
        .flatten();
    let begun = SessionBegun {
        id: session.id,
        token: kept.is_none().then(|| token.text().to_owned()),
        ends_at: session.ends_at,
    };
    let mut response = Json(begun).into_response();
    *response.status_mut() = StatusCode::CREATED;
    if let Some(kept) = kept {
        response.headers_mut().insert(header::SET_COOKIE, kept);
    }
    Ok(response)
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/v1/admin/sessions", tag = "admin", operation_id = "listAdminSessions",
    security(("admin" = [])),
    responses((status = OK, description = "The newest first", body = [SessionView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn list(State(app): State<App>, signed_in: SignedIn) -> Result<Response, Problem> {
    let sessions = app.sessions.of(&signed_in.session.principal).await?;
    let views = sessions
        .iter()
        .map(|session| SessionView::of(session, signed_in.session.id));
    Ok(Json(views.collect::<Vec<_>>()).into_response())
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
    let Session { id, principal, .. } = signed_in.session;
    app.sessions.revoke(&principal, id).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(gone) = presented::keep(&headers, ADMIN_COOKIE, "", 0) {
        response.headers_mut().insert(header::SET_COOKIE, gone);
    }
    Ok(response)
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
    if app.sessions.revoke(&signed_in.session.principal, id).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::new(
            &problems::NO_SUCH_THING,
            "there is no such session of yours",
        ))
    }
}
