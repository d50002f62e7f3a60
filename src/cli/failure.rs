//! Why a subcommand did not do its work, and the exit code that says so to scripts; never a secret.

use std::{io, process::ExitCode};

use crate::{
    import::ImportError,
    migrate::NotMigrated,
    postgres::{Connect, LaunchError},
    server::NotStarted,
    store::{StoreError, rebuild::RebuildError},
    vault::{CredentialError, leases::LeaseError},
    verify::VerifyError,
};

/// The command line is wrong (BSD's sysexits).
pub(super) const USAGE: u8 = 64;
/// The database is not there.
const UNAVAILABLE: u8 = 69;
/// Another program is in the way.
const TRY_AGAIN: u8 = 75;
/// The configuration is wrong.
const CONFIG: u8 = 78;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Arguments that do not go together, or a setting that is missing.
    #[error("{0}")]
    Usage(String),
    /// A rule said no.
    #[error("{0}")]
    Refused(String),
    /// A password could not be stored.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A setting that cannot be used.
    #[error("{0}")]
    Config(String),
    /// There is no database of ours where one was looked for; the text says what to do.
    #[error("{0}")]
    NoDatabase(String),
    /// No PostgreSQL.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The database could not be migrated.
    #[error(transparent)]
    Migrate(#[from] NotMigrated),
    /// The server did not start.
    #[error(transparent)]
    Server(#[from] NotStarted),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database failed.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// Nothing, or not everything, was imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A read model was not built.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// Nothing was proved.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A file or the terminal.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl Failure {
    /// What the process ends with.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(USAGE),
            Self::Config(_) => ExitCode::from(CONFIG),
            Self::Launch(error) => error.exit_code(),
            Self::NoDatabase(_)
            | Self::Database(_)
            | Self::Store(StoreError::Unavailable(_))
            | Self::Migrate(NotMigrated::Database(_))
            | Self::Server(
                NotStarted::Database(_)
                | NotStarted::Store(StoreError::Unavailable(_))
                | NotStarted::Lease(LeaseError::Database(_)),
            )
            | Self::Import(ImportError::Store(StoreError::Unavailable(_)))
            | Self::Verify(VerifyError::Log(StoreError::Unavailable(_)) | VerifyError::Database(_)) => {
                ExitCode::from(UNAVAILABLE)
            }
            Self::Server(NotStarted::PortInUse(_) | NotStarted::Lease(LeaseError::AllLeased)) => {
                ExitCode::from(TRY_AGAIN)
            }
            Self::Server(
                NotStarted::AdminToken
                | NotStarted::Listen { .. }
                | NotStarted::Store(StoreError::OtherSecret),
            )
            | Self::Store(StoreError::OtherSecret) => ExitCode::from(CONFIG),
            Self::Migrate(_)
            | Self::Refused(_)
            | Self::Credential(_)
            | Self::Server(_)
            | Self::Store(_)
            | Self::Import(_)
            | Self::Rebuild(_)
            | Self::Verify(_)
            | Self::Io { .. } => ExitCode::FAILURE,
        }
    }

    /// Why a database that was named cannot be worked with: where it was looked for, if nothing answered there.
    pub(super) fn at(place: &Connect, error: sqlx::Error) -> Self {
        let sqlx::Error::Io(source) = error else {
            return Self::Database(error);
        };
        Self::NoDatabase(format!(
            "no PostgreSQL answers at {}: {source}; does it run, and may this machine connect to it?",
            place.place()
        ))
    }

    /// Whether whoever read our output has seen enough: no failure at all.
    pub(super) fn is_enough(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
