//! Signing in and out, the same for admins and customers: attempts are limited, wrong ones answer alike, sessions are listed
//! and ended by whoever has them. Never says who exists.

use std::time::Duration;

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{App, access::presented, answer::Json, caller::Caller, limits, problem::Problem, problems};
use crate::vault::{Lifetime, Session, Token, Typed};

/// Who asks to come in, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// From where.
    pub caller: &'a Caller,
    /// With which headers.
    pub headers: &'a HeaderMap,
    /// As whom: what they sign in with, folded.
    pub account: &'a str,
    /// Whether the token goes into a cookie.
    pub cookie: bool,
}

/// Where one kind of people comes in.
#[derive(Debug)]
pub struct Entrance {
    kind: &'static str,
    /// The cookie their pages keep.
    pub cookie: &'static str,
    /// What the tokens of their sessions begin with.
    pub prefix: &'static str,
    lifetime: Lifetime,
}

/// Of admins: their sessions are short.
pub const ADMINS: Entrance = Entrance {
    kind: "admin",
    cookie: "jari_admin",
    prefix: "adm_",
    lifetime: Lifetime {
        idle: Duration::from_secs(60 * 60),
        absolute: Duration::from_secs(12 * 60 * 60),
    },
};

/// Of customers: nobody likes to sign in each time.
pub const CUSTOMERS: Entrance = Entrance {
    kind: "customer",
    cookie: "jari_customer",
    prefix: "cus_",
    lifetime: Lifetime {
        idle: Duration::from_secs(14 * 24 * 60 * 60),
        absolute: Duration::from_secs(90 * 24 * 60 * 60),
    },
};

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

impl Entrance {
    /// Whether somebody may try a password just now: as whom, from where, and with a cookie only from our own pages.
    pub async fn admit(
        &self,
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
        account: &str,
        cookie: bool,
    ) -> Result<(), Problem> {
        of_our_own(headers, cookie)?;
        self.limit(app, caller, account).await
    }

    /// Whether a password may be tried just now. Too many attempts from anywhere do not count where the account has signed
    /// in lately: nobody keeps its owner out.
    pub async fn limit(&self, app: &App, caller: &Caller, account: &str) -> Result<(), Problem> {
        app.limits.guess(caller.address)?;
        let name = format!("{} {account}", self.kind);
        let hash = app.store.vault().mac("sign-in account", name.as_bytes());
        match app.limits.account(hash) {
            Ok(()) => Ok(()),
            Err(_) if app.places.knows(&self.place(app, caller, account)).await? => Ok(()),
            Err(too_many) => Err(too_many),
        }
    }

    /// An account at an address, as it is remembered.
    fn place(&self, app: &App, caller: &Caller, account: &str) -> [u8; 32] {
        let place = format!("{} {} {account}", self.kind, limits::network(caller.address));
        app.store.vault().mac("sign-in place", place.as_bytes())
    }

    /// Begins a session, if it is their password; for nobody it takes as long.
    pub async fn let_in(
        &self,
        app: &App,
        asked: Asked<'_>,
        principal: Option<String>,
        password: &Typed,
    ) -> Result<Response, Problem> {
        let before = app.credentials.changed_at(principal.as_deref()).await?;
        let known = app.credentials.check(principal.as_deref(), password).await?;
        let principal = principal.filter(|_| known).ok_or_else(wrong)?;
        let place = self.place(app, asked.caller, asked.account);
        app.places.note(&place).await?;
        let (token, session) = self.begun(app, &principal).await?;
        // Whoever changes a password ends all sessions that there are then; this one must not come after that.
        if app.credentials.changed_at(Some(&principal)).await? != before {
            app.sessions.revoke(&principal, session.id).await?;
            return Err(wrong());
        }
        Ok(self.answer(asked.headers, &token, &session, asked.cookie))
    }

    /// Begins a session of somebody who has proved who they are. Its token is always a new one: whatever somebody sent
    /// before never becomes a session.
    pub async fn begin(
        &self,
        app: &App,
        headers: &HeaderMap,
        principal: &str,
        cookie: bool,
    ) -> Result<Response, Problem> {
        let (token, session) = self.begun(app, principal).await?;
        Ok(self.answer(headers, &token, &session, cookie))
    }

    async fn begun(&self, app: &App, principal: &str) -> Result<(Token, Session), Problem> {
        Ok(app.sessions.begin(principal, self.prefix, self.lifetime).await?)
    }

    fn answer(&self, headers: &HeaderMap, token: &Token, session: &Session, cookie: bool) -> Response {
        let seconds = self.lifetime.absolute.as_secs();
        let kept = cookie
            .then(|| presented::keep(headers, self.cookie, token.text(), seconds))
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
        response
    }

    /// Ends the session that asks, and takes its cookie back.
    pub async fn let_out(
        &self,
        app: &App,
        headers: &HeaderMap,
        session: &Session,
    ) -> Result<Response, Problem> {
        app.sessions.revoke(&session.principal, session.id).await?;
        let mut response = StatusCode::NO_CONTENT.into_response();
        if let Some(gone) = presented::keep(headers, self.cookie, "", 0) {
            response.headers_mut().insert(header::SET_COOKIE, gone);
        }
        Ok(response)
    }
}

/// Refuses to keep a cookie for a page of another site.
pub fn of_our_own(headers: &HeaderMap, cookie: bool) -> Result<(), Problem> {
    if cookie && !presented::is_same_site(headers) {
        let detail = "only a page of this server signs in with a cookie";
        return Err(Problem::new(&problems::CROSS_SITE, detail));
    }
    Ok(())
}

/// One of name and password is wrong; which, is nobody's business.
pub fn wrong() -> Problem {
    Problem::new(&problems::WRONG_CREDENTIALS, "login or password is wrong")
}

/// One's own sessions, the newest first.
pub async fn list(app: &App, current: &Session) -> Result<Response, Problem> {
    let sessions = app.sessions.of(&current.principal).await?;
    let views = sessions.iter().map(|session| SessionView {
        id: session.id,
        current: session.id == current.id,
        begun_at: session.begun_at,
        seen_at: session.seen_at,
        ends_at: session.ends_at,
    });
    Ok(Json(views.collect::<Vec<_>>()).into_response())
}

/// Ends one of one's own sessions.
pub async fn revoke(app: &App, current: &Session, id: Uuid) -> Result<Response, Problem> {
    if app.sessions.revoke(&current.principal, id).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        let detail = "there is no such session of yours";
        Err(Problem::new(&problems::NO_SUCH_THING, detail))
    }
}
