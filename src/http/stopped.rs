//! Why a command did not happen, as a problem; the one place where refusals and failures of the store get a status;
//! never shows the text of a failure.

use aggregates::values::SeatLabel;
use serde_json::{Value, json};
use sqlx::error::DatabaseError;

use crate::{
    administration::Denied,
    booking::{NotLookedUp, Refused},
    store::{ChangedSince, Stop, StoreError},
    vault::CredentialError,
};

use super::{problem::Problem, problems};

/// Seconds after which a caller may try again when the database was away.
const AWAY_SECONDS: u64 = 2;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(error) => {
                tracing::warn!(%error, "the database is not available");
                Self::new(&problems::UNAVAILABLE, "the database is not available").retry_after(AWAY_SECONDS)
            }
            StoreError::TooContended => Self::new(
                &problems::CONTENDED,
                "too many requests are changing this at once",
            )
            .retry_after(1),
            StoreError::KeyReused => Self::new(
                &problems::KEY_REUSED,
                "this Idempotency-Key was already used for another request",
            ),
            error @ (StoreError::OtherSecret | StoreError::Corrupt(_)) => {
                tracing::error!(%error, "the log cannot be read");
                Self::new(&problems::FAULT, "the log cannot be read")
            }
        }
    }
}

impl From<ChangedSince> for Problem {
    fn from(since: ChangedSince) -> Self {
        Self::new(&problems::PRECONDITION_FAILED, since.to_string())
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::refused(denied.refusal())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        if let Refused::ChangedSince(since) = refused {
            return since.into();
        }
        let problem = Self::refused(refused.refusal()).saying(refused.to_string());
        let texts = |seats: &[SeatLabel]| seats.iter().map(ToString::to_string).collect::<Vec<_>>();
        let suggestions: Vec<_> = refused.suggestions().iter().map(|seats| texts(seats)).collect();
        let members = [
            ("seats", texts(&refused.seats()).into()),
            ("suggestions", suggestions.into()),
        ];
        let told = members
            .into_iter()
            .filter(|(_, list): &(_, Value)| *list != json!([]));
        told.fold(problem, |problem, (member, list)| problem.with(member, list))
    }
}

impl<E: Into<Problem>> From<Stop<E>> for Problem {
    fn from(stop: Stop<E>) -> Self {
        match stop {
            Stop::Refused(refused) => refused.into(),
            Stop::Store(error) => error.into(),
        }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Busy => {
                Self::new(&problems::BUSY, "too many passwords are being checked at once").retry_after(1)
            }
            CredentialError::Database(error) => error.into(),
            CredentialError::Hash(error) => {
                tracing::error!(%error, "a password could not be hashed");
                Self::new(&problems::FAULT, "the password could not be checked")
            }
        }
    }
}

impl From<NotLookedUp> for Problem {
    fn from(error: NotLookedUp) -> Self {
        match error {
            NotLookedUp::Store(error) => error.into(),
            NotLookedUp::Database(error) => error.into(),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) {
            tracing::warn!(%error, "the database is not available");
            return Self::new(&problems::UNAVAILABLE, "the database is not available")
                .retry_after(AWAY_SECONDS);
        }
        if is_unfit(&error) {
            tracing::warn!(%error, "a query was asked with what a column cannot hold");
            return Self::new(
                &problems::MALFORMED_QUERY,
                "a value is beyond what can be looked for",
            );
        }
        tracing::error!(%error, "a query failed");
        Self::new(&problems::FAULT, "the query failed")
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    ) || is_shutdown(code.as_deref())
}

/// The last net under the checks of paths and queries: class 22 of SQLSTATE, data exceptions.
fn is_unfit(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22"))
}

/// The classes of SQLSTATE that mean "come back later": 08 connection, 53 resources, 57 operator intervention.
fn is_shutdown(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["08", "53", "57"].iter().any(|class| code.starts_with(class)))
}
