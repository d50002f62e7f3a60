//! What can go wrong between a command and the log; never a refusal of the business.

use std::time::Duration;

use tokio_postgres::error::SqlState;

/// What a caller is told to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why the store could not do its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is down, or too much waits for it: nothing can be said about the command, try again soon (503).
    #[error("the log is not available: {0}")]
    Unavailable(String),
    /// Others were faster too many times in a row.
    #[error("too many requests changed the same things at once")]
    TooContended,
    /// The idempotency key belongs to another request (422).
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The database was written with another master secret.
    #[error("this database belongs to another JARI_SECRET; start with that one")]
    OtherSecret,
    /// What was read or written can't be a part of the log: a fault of this program or of the data.
    #[error("the log cannot store or read this: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// When the same command may be sent again with hope, if ever.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(_) | Self::TooContended => Some(RETRY_AFTER),
            Self::KeyReused | Self::OtherSecret | Self::Corrupt(_) => None,
        }
    }
}

/// Why a unit of work stopped: its rules said no, or the store failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop<E> {
    /// A rule's refusal.
    Refused(E),
    /// A failure of the store.
    Store(StoreError),
}

impl<E> From<StoreError> for Stop<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a failed statement means for whoever sent it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The connection is gone: whether the statement took effect is unknown.
    Lost(String),
    /// The database cannot just now; it took no effect.
    Busy(String),
    /// The data cannot be stored; sending it again is of no use.
    Data(String),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = describe(&error);
        match error.code() {
            Some(code) if is_data(code) => Self::Data(text),
            // The server ends this connection: shutdown, crash of a neighbour, an administrator.
            Some(code) if code.code().starts_with("57P") || code.code().starts_with("08") => Self::Lost(text),
            Some(_) => Self::Busy(text),
            // Not sent: a parameter or an answer of the wrong type is a fault of this program.
            None if !error.is_closed() && is_conversion(&error) => Self::Data(text),
            None => Self::Lost(text),
        }
    }
}

/// What happened, with its cause: the error alone only says `db error`.
pub(crate) fn describe(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(db), _) => format!("{} ({})", db.message(), db.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// Data exceptions, violated constraints, what is missing or forbidden, feature or program limits: sending the statement
/// again is of no use.
fn is_data(code: &SqlState) -> bool {
    let class = code.code().get(..2).unwrap_or_default();
    ["22", "23", "42", "54", "0A"].contains(&class)
}

fn is_conversion(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.starts_with("error serializing parameter") || text.starts_with("error deserializing column")
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(text) | Failure::Busy(text) => Self::Unavailable(text),
            Failure::Data(text) => Self::Corrupt(text),
        }
    }
}
