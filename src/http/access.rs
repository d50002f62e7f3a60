//! Who may: the admin token, and the token of one reservation; compared in constant time, never taken from a URL.

use std::fmt;

use aggregates::{ids::ReservationId, reservation::ReservationError};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use sha2::{Digest as _, Sha256};

use super::{App, caller::Caller, params::Id, problem::Problem, problems};
use crate::store::Actor;

/// Characters an admin token must have at least.
pub const ADMIN_TOKEN_LENGTH_MIN: usize = 16;

/// The admin token, kept only as a salted hash: comparing hashes tells nothing by its duration.
#[derive(Clone)]
pub struct AdminToken {
    salt: [u8; 32],
    hash: [u8; 32],
}

impl AdminToken {
    /// The token, if it is long enough not to be guessed.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        let salt: [u8; 32] = rand::random();
        (token.len() >= ADMIN_TOKEN_LENGTH_MIN).then(|| Self {
            salt,
            hash: hash(&salt, token),
        })
    }

    fn is(&self, token: &str) -> bool {
        hash(&self.salt, token) == self.hash
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken")
    }
}

/// What whoever sends no token, or in another way, is told.
const TOKEN_NEEDED: &str =
    "Send the token of the reservation as Authorization: Bearer …, and check the number.";

fn hash(salt: &[u8; 32], token: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(salt)
        .chain_update(token)
        .finalize()
        .into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether the request carries the token of this reservation.
pub(super) fn holds(app: &App, headers: &HeaderMap, id: ReservationId) -> bool {
    bearer(headers).is_some_and(|token| app.bookings.is_token(id, token))
}

/// Proof that the admin token was sent.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl Admin {
    /// Until admins have accounts, the token is the one admin.
    pub const ID: &'static str = "token";

    /// As the log records it.
    #[must_use]
    pub fn actor() -> Actor {
        Actor::Admin(Self::ID.into())
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, app).await?;
        match bearer(&parts.headers) {
            Some(token) if app.admin.is(token) => Ok(Self),
            Some(_) => {
                app.limits.guess(caller.address)?;
                Err(Problem::new(
                    &problems::UNAUTHORIZED,
                    "this is not the admin token",
                ))
            }
            None => Err(Problem::new(&problems::UNAUTHORIZED, "the admin token is needed")),
        }
    }
}

/// Who works on the reservation named in the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Whoever has its token.
    Customer(ReservationId),
    /// Staff, with the admin token.
    Staff(ReservationId),
}

impl Holder {
    /// The reservation.
    #[must_use]
    pub const fn id(self) -> ReservationId {
        match self {
            Self::Customer(id) | Self::Staff(id) => id,
        }
    }

    /// As the log records it.
    #[must_use]
    pub fn actor(self) -> Actor {
        match self {
            Self::Customer(id) => Actor::Guest(id),
            Self::Staff(_) => Admin::actor(),
        }
    }

    /// What an idempotency key of theirs is unique within.
    #[must_use]
    pub fn scope(self) -> String {
        match self {
            Self::Customer(id) => format!("reservation:{id}"),
            Self::Staff(_) => format!("admin:{}", Admin::ID),
        }
    }
}

impl FromRequestParts<App> for Holder {
    type Rejection = Problem;

    /// A wrong token, none, and an unknown number are refused alike; whoever sends none is told how.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Id(id) = Id::<ReservationId>::from_request_parts(parts, app).await?;
        match bearer(&parts.headers) {
            Some(token) if app.bookings.is_token(id, token) => Ok(Self::Customer(id)),
            Some(token) if app.admin.is(token) => Ok(Self::Staff(id)),
            Some(_) => {
                // The token of admins could be guessed here too.
                app.limits
                    .guess(Caller::from_request_parts(parts, app).await?.address)?;
                Err(Problem::refused(&ReservationError::NotFound))
            }
            None => Err(Problem::refused(&ReservationError::NotFound).helping(TOKEN_NEEDED)),
        }
    }
}
