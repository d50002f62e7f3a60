//! Passwords of admins: one's own is changed by whoever knows it, another's is given by who may do all that they may.
//! The log says that it happened; the password itself is in the vault alone, as a hash. Never shows one.

use aggregates::{admin::AdminError, ids::AdminId};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::super::{
    App,
    access::{Admin, SignedIn},
    answer::POSITION,
    body::{Sendable, Sent},
    caller::Caller,
    params::Id,
    problem::{Problem, ProblemBody},
    problems,
    sign_in::ADMINS,
    unbroken::unbroken,
};
use crate::{
    people,
    store::Committed,
    vault::{Password, Typed},
};

/// One's own password, changed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct ChangePassword {
    /// The one in use.
    #[schema(value_type = String, format = Password)]
    current: Typed,
    /// The one to be used from now on.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 64)]
    new: Password,
}

impl Sendable for ChangePassword {
    const EXAMPLE: &'static str = r#"{"current":"correct horse battery","new":"another horse battery"}"#;
}

/// A password for another admin.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct GivePassword {
    /// The one to be used from now on.
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 64)]
    password: Password,
}

impl Sendable for GivePassword {
    const EXAMPLE: &'static str = r#"{"password":"correct horse battery"}"#;
}

/// Changes one's own password; all other sessions of one's own end.
#[utoipa::path(post, path = "/v1/admin/change-password", tag = "admin", operation_id = "changeAdminPassword",
    request_body = ChangePassword, security(("admin" = [])),
    responses((status = NO_CONTENT, description = "Changed",
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = UNAUTHORIZED, description = "Not signed in, or the current password is wrong", body = ProblemBody)))]
pub(in super::super) async fn change(
    State(app): State<App>,
    SignedIn { admin, id, session }: SignedIn,
    caller: Caller,
    Sent(ChangePassword { current, new }): Sent<ChangePassword>,
) -> Result<Response, Problem> {
    ADMINS.limit(&app, &caller, &session.principal).await?;
    if !app.credentials.check(Some(&session.principal), &current).await? {
        let detail = "the current password is wrong";
        return Err(Problem::new(&problems::WRONG_CREDENTIALS, detail));
    }
    let hashed = app.credentials.hash(&new).await?;
    let request = caller.request(admin.actor(), "admin/change-password", None);
    unbroken(async move {
        let committed = people::password_changed(&app.store, &request, id, None).await?;
        app.credentials
            .replace(&session.principal, &hashed, Some(session.id))
            .await?;
        Ok(done(&committed))
    })
    .await
}

/// Gives an admin a password; all their sessions end.
#[utoipa::path(post, path = "/v1/admins/{id}/give-password", tag = "admin", operation_id = "giveAdminPassword",
    params(("id" = AdminId, Path)), request_body = GivePassword, security(("admin" = [])),
    responses((status = NO_CONTENT, description = "Given",
               headers(("X-Jari-Position" = i64, description = "Where in the log that is"))),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody),
              (status = NOT_FOUND, description = "No such admin", body = ProblemBody)))]
pub(in super::super) async fn give(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Id(id): Id<AdminId>,
    Sent(GivePassword { password }): Sent<GivePassword>,
) -> Result<Response, Problem> {
    admin.may_at(aggregates::rights::Permission::ChangeAdmins, None)?;
    let hashed = app.credentials.hash(&password).await?;
    let request = caller.request(admin.actor(), "admins/give-password", None);
    unbroken(async move {
        let by = Some(admin.authority());
        let committed = people::password_changed(&app.store, &request, id, by).await?;
        let principal = people::principal(id);
        app.credentials.replace(&principal, &hashed, None).await?;
        // Dismissed meanwhile: then nobody must sign in with it.
        if people::authority_of(&app.store, id).await?.is_none() {
            app.credentials.forget(&principal).await?;
            return Err(Problem::refused(&AdminError::Dismissed));
        }
        Ok(done(&committed))
    })
    .await
}

fn done(committed: &Committed) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response
        .headers_mut()
        .insert(POSITION, HeaderValue::from(committed.position));
    response
}
