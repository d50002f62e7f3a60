//! The embedded PostgreSQL: finds, installs, starts, shares and stops a private server. Never migrates,
//! never opens a port, never loses what was committed.
//!
//! Programs share the server of a data directory: each holds a shared lock while it uses it, and whoever
//! leaves last stops it. See [`child`] for what happens when a program is killed.

mod account;
mod binaries;
pub mod child;
mod connect;
mod directory;
mod error;
pub mod install;
mod server;

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

pub use binaries::{Binaries, MAJOR_MIN, Search};
pub use connect::{APP_ROLE, Connect, ConnectError};
pub use error::LaunchError;

use directory::{DataDir, PAUSE};
use server::Postmaster;

/// How long a keeper that has just seen the last user leave may hold the users lock.
const LAST_MAX: Duration = Duration::from_millis(200);
/// A running server that does not answer is looked at again.
const ATTEMPTS_MAX: u32 = 3;
/// How often a program looks whether its server still runs.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long it waits when it could not be started.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long tests' server waits for the next test process.
const THROW_AWAY_LINGER: Duration = Duration::from_secs(20);
/// What a server must run with to keep what was committed.
const SAFE: [(&str, &[&str]); 3] = [
    ("fsync", &["on"]),
    ("full_page_writes", &["on"]),
    (
        "synchronous_commit",
        &["on", "local", "remote_write", "remote_apply"],
    ),
];

/// Whether a server's data must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit survives a crash; a server that runs otherwise is refused.
    Kept,
    /// For tests: no fsync, and all data goes when the server stops.
    ThrowAway,
}

impl Durability {
    fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::ThrowAway => "throw-away",
        }
    }

    fn from_name(name: &OsStr) -> Option<Self> {
        [Self::Kept, Self::ThrowAway]
            .into_iter()
            .find(|durability| name == durability.name())
    }

    fn linger(self) -> Duration {
        match self {
            Self::Kept => Duration::ZERO,
            Self::ThrowAway => THROW_AWAY_LINGER,
        }
    }
}

/// What to start, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where all of it lies; made if missing.
    pub data_dir: PathBuf,
    /// Whether it must survive.
    pub durability: Durability,
    /// The `jari` binary, which keeps watch over the server when all programs were killed. Without it a
    /// killed program's server runs on until the next program uses and stops it.
    pub helper: Option<PathBuf>,
    /// Where server binaries are looked for.
    pub search: Search,
}

impl Settings {
    /// A server that keeps its data here.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            data_dir,
            durability: Durability::Kept,
            helper: None,
            search: Search::system(),
        }
    }

    /// A server for tests, whose data goes with it.
    #[must_use]
    pub fn throw_away(data_dir: PathBuf) -> Self {
        Self {
            durability: Durability::ThrowAway,
            ..Self::new(data_dir)
        }
    }

    /// Where a user's data lies by default: `/var/lib/jari` for root (its home is closed to the server),
    /// else `$XDG_DATA_HOME/jari`, else `~/.local/share/jari`.
    pub fn default_data_dir() -> Result<PathBuf, LaunchError> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let root = rustix::process::geteuid().is_root();
        data_dir(root, variable("XDG_DATA_HOME"), variable("HOME")).ok_or(LaunchError::NoHome)
    }
}

fn data_dir(root: bool, data_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/jari"));
    }
    // Relative values are invalid, says the XDG base directory specification.
    let data = data_home.filter(|path| path.is_absolute());
    let data = data.or_else(|| Some(home.filter(|path| path.is_absolute())?.join(".local/share")));
    data.map(|data| data.join("jari"))
}

/// A running server, ours to use until [`Cluster::stop`] or drop.
#[derive(Debug)]
pub struct Cluster {
    dir: DataDir,
    settings: Settings,
    users: Option<File>,
    owner: Connect,
}

impl Cluster {
    /// Whether a server's data is in this directory. Makes nothing.
    #[must_use]
    pub fn exists(data_dir: &Path) -> bool {
        directory::has_cluster(data_dir)
    }

    /// Uses the server of a data directory: the running one, or starts it, making its data first if there
    /// is none. Returns when it takes connections and has proved that it keeps what it commits.
    pub async fn start(settings: Settings) -> Result<Self, LaunchError> {
        let mut attempt = 1;
        loop {
            let settings = settings.clone();
            let cluster = blocking("starting the server", move || Self::start_blocking(settings)).await?;
            match cluster.prove().await {
                Ok(()) => return Ok(cluster),
                // A server that we found running may just have been killed.
                Err(LaunchError::Connect(_)) if attempt < ATTEMPTS_MAX => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts the server again if it died while we use it; its address stays. To be called when it no
    /// longer answers. Throw-away data is gone then.
    pub async fn revive(&self) -> Result<(), LaunchError> {
        let mut attempt = 1;
        loop {
            let (dir, settings) = (self.dir.clone(), self.settings.clone());
            blocking("reviving the server", move || {
                let start = dir.lock_start()?;
                ensure(&dir, &settings, &start).map(drop)
            })
            .await?;
            match self.prove().await {
                Err(LaunchError::Connect(_)) if attempt < ATTEMPTS_MAX => attempt += 1,
                result => return result,
            }
        }
    }

    /// Starts the server again whenever it dies, as long as this runs: for programs that use it for long.
    pub async fn keep_alive(&self) -> Infallible {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.postmaster().is_some() {
                continue;
            }
            tracing::warn!("the database server died and is started again");
            match self.revive().await {
                Ok(()) => tracing::warn!("the database server runs again"),
                Err(error) => {
                    tracing::error!(%error, "the database server could not be started again");
                    tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                }
            }
        }
    }

    fn start_blocking(settings: Settings) -> Result<Self, LaunchError> {
        let dir = DataDir::open(&settings.data_dir)?;
        let start = dir.lock_start()?;
        let users = dir.lock_users()?;
        // Before the server: from here on we may be killed.
        if let Some(helper) = &settings.helper {
            child::start_keeper(&dir, settings.durability, helper)?;
        }
        let postmaster = ensure(&dir, &settings, &start)?;
        let owner = Connect::socket(&postmaster.socket, postmaster.port, server::OWNER, "postgres");
        Ok(Self {
            dir,
            settings,
            users: Some(users),
            owner,
        })
    }

    /// Connects, and asks for the settings that keep data.
    async fn prove(&self) -> Result<(), LaunchError> {
        let (client, connection) = self.owner.tokio_postgres().connect(tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let safe: &[(&'static str, &[&str])] = match self.settings.durability {
            Durability::Kept => &SAFE,
            Durability::ThrowAway => &[],
        };
        for &(setting, safe) in safe {
            let value: String = client.query_one(&format!("show {setting}"), &[]).await?.get(0);
            if !safe.contains(&value.as_str()) {
                return Err(LaunchError::Unsafe {
                    data_dir: self.dir.path.clone(),
                    setting,
                    value,
                });
            }
        }
        drop(client);
        // It ends by itself, now that its client has gone.
        let _ = connection.await;
        Ok(())
    }

    /// How to connect as the cluster's superuser: for migrations and making databases, nothing else. Its
    /// database is `postgres`, which is always there.
    #[must_use]
    pub fn owner(&self) -> &Connect {
        &self.owner
    }

    /// The number of the server's process.
    #[must_use]
    pub fn postmaster(&self) -> Option<u32> {
        Postmaster::find(&self.dir).map(|found| found.pid.as_raw_nonzero().get().cast_unsigned())
    }

    /// Stops using the server, and stops it if nobody else uses it: fast, and if that takes too long
    /// immediately. Close the connections first.
    pub async fn stop(mut self) -> Result<(), LaunchError> {
        let (dir, users) = (self.dir.clone(), self.users.take());
        blocking("stopping the server", move || {
            users.map_or(Ok(()), |users| leave(&dir, &users))
        })
        .await
    }
}

impl Drop for Cluster {
    /// Leaves the stopping to the keeper. Without one, stops the server here if nobody else uses it.
    fn drop(&mut self) {
        if let Some(users) = self.users.take().filter(|_| self.settings.helper.is_none()) {
            // There is nobody to tell; the next program would use the server as it is.
            let _ = leave(&self.dir, &users);
        }
    }
}

/// A ready server, under the start lock.
fn ensure(dir: &DataDir, settings: &Settings, start: &File) -> Result<Postmaster, LaunchError> {
    let find = |major| match (Binaries::find(&settings.search, major), major) {
        (Some(binaries), _) => Ok(binaries),
        (None, Some(major)) => Err(LaunchError::OtherVersion {
            data_dir: dir.path.clone(),
            major,
        }),
        (None, None) => Err(install::missing(&settings.search)),
    };
    let (postmaster, process) = server::ensure(dir, settings.durability, find, start)?;
    if let Some(process) = process {
        reap(process);
    }
    Ok(postmaster)
}

/// Work that waits, off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, LaunchError> + Send + 'static,
) -> Result<T, LaunchError> {
    spawn_blocking(work)
        .await
        .map_err(|error| LaunchError::io(what)(error.into()))?
}

/// Gives the users lock back, and stops the server if that was the last one.
fn leave(dir: &DataDir, users: &File) -> Result<(), LaunchError> {
    // Nobody can begin to use the server while we hold this.
    let _start = dir.lock_start()?;
    users.unlock().map_err(LaunchError::io("the users lock"))?;
    let end = Instant::now() + LAST_MAX;
    // The keeper takes the lock for a moment when the last user leaves, which looks like another user.
    while users.try_lock().is_err() {
        if Instant::now() > end {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Postmaster::find(dir).map_or(Ok(()), |postmaster| postmaster.stop(dir))
}

/// Waits for a child in the background: a dead one that nobody waits for keeps its number.
fn reap(mut child: Child) {
    thread::spawn(move || child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_lies_where_its_user_keeps_data_and_roots_where_the_server_can_enter() {
        for (root, data_home, home, expected) in [
            (true, Some("/data"), Some("/root"), Some("/var/lib/jari")),
            (false, Some("/data"), Some("/home/alice"), Some("/data/jari")),
            (
                false,
                Some("data"),
                Some("/home/alice"),
                Some("/home/alice/.local/share/jari"),
            ),
            (
                false,
                None,
                Some("/home/alice"),
                Some("/home/alice/.local/share/jari"),
            ),
            (false, None, Some(""), None),
            (false, None, None, None),
        ] {
            let found = data_dir(root, data_home.map(PathBuf::from), home.map(PathBuf::from));
            assert_eq!(found, expected.map(PathBuf::from));
        }
    }
}
