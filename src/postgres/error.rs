//! What can go wrong between "no server" and "a server to use", each with help and an exit code.
//! Never shows a password.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use thiserror::Error;

/// Why there is no PostgreSQL to work with. The text says what the caller can do about it.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// No server binaries, and we may not or can not install them.
    #[error(
        "PostgreSQL {} or newer is not installed{reason}. Install it with:\n\n    {command}\n",
        super::MAJOR_MIN
    )]
    NotInstalled {
        /// Why it was not installed now, as the rest of a sentence.
        reason: String,
        /// The one command to run.
        command: String,
    },
    /// The package manager's own PostgreSQL is older than we need, or it failed.
    #[error("installing PostgreSQL did not work: {0}\nTo use another database, set JARI_DATABASE_URL.")]
    InstallFailed(String),
    /// The data was made by another major version than those installed.
    #[error(
        "the data in {} was created by PostgreSQL {major}, which is not installed; install that version or choose another data directory",
        .data_dir.display()
    )]
    OtherVersion {
        /// The data directory.
        data_dir: PathBuf,
        /// The version it needs.
        major: u32,
    },
    /// Root found neither `postgres` nor `nobody`.
    #[error("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")]
    NoAccount,
    /// Neither `XDG_DATA_HOME` nor `HOME` says where data goes.
    #[error("there is no home directory to keep the data in; name a data directory with --data-dir")]
    NoHome,
    /// Something else is where the data directory should be.
    #[error("{} is not a directory; name another place with --data-dir", .0.display())]
    NotADirectory(PathBuf),
    /// The data directory belongs to someone else.
    #[error("the data directory {} belongs to another user (uid {owner})", .path.display())]
    Foreign {
        /// The data directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Running as root, and the unprivileged server can't reach its data.
    #[error(
        "the database server does not run as root, and its own account cannot enter {}; \
         choose a data directory outside of it, for example /var/lib/jari",
        .0.display()
    )]
    ClosedParent(PathBuf),
    /// Another program has been starting or stopping the server for too long.
    #[error("another program has been starting or stopping the server in {} for too long", .0.display())]
    Busy(PathBuf),
    /// `initdb` failed.
    #[error("creating the database in {} failed:\n{output}", .data_dir.display())]
    Init {
        /// The data directory.
        data_dir: PathBuf,
        /// What initdb said.
        output: String,
    },
    /// The server did not come up or did not stop.
    #[error("the database server in {} {what}. Its log ends with:\n{log}", .data_dir.display())]
    Server {
        /// The data directory.
        data_dir: PathBuf,
        /// What it did wrong.
        what: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// The server runs with a setting that may lose committed data.
    #[error("the database server in {} runs with {setting} = {value}: committed data could be lost, so Jari will not use it", .data_dir.display())]
    Unsafe {
        /// The data directory.
        data_dir: PathBuf,
        /// The setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The server runs but can't be asked.
    #[error("the database server does not answer: {0}")]
    Connect(#[from] tokio_postgres::Error),
    /// A file or a process.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl LaunchError {
    /// The process's exit code, after BSD's sysexits.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        const UNAVAILABLE: u8 = 69;
        const CANT_CREATE: u8 = 73;
        const IO: u8 = 74;
        const TRY_AGAIN: u8 = 75;
        const CONFIG: u8 = 78;
        ExitCode::from(match self {
            Self::NotInstalled { .. }
            | Self::InstallFailed(_)
            | Self::OtherVersion { .. }
            | Self::Server { .. }
            | Self::Connect(_) => UNAVAILABLE,
            Self::Init { .. } => CANT_CREATE,
            Self::NotADirectory(_) | Self::Io { .. } => IO,
            Self::Busy(_) => TRY_AGAIN,
            Self::NoAccount
            | Self::NoHome
            | Self::Foreign { .. }
            | Self::ClosedParent(_)
            | Self::Unsafe { .. } => CONFIG,
        })
    }

    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
