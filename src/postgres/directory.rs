//! The data directory: what lies where in it, who holds it, and where its socket is.
//! Never talks to the server.
//!
//! ```text
//! {data}/start.lock    held while the server is started or stopped
//! {data}/users.lock    held, shared, by every program that uses the server
//! {data}/keeper.lock   held by the keeper, which stops the server after its last user
//! {data}/postgres/     the server's own; postgres.new while it is being made
//! {data}/socket/       the server's socket, unless that path is too long: then `socket-directory` names it
//! {data}/server.log    what the server says; server.log.1 what it said before
//! ```
//!
//! Locks belong to open files, so the system gives them back however a program ends, `kill -9` included.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::account::{Account, directory};
use super::{Durability, LaunchError};

/// Between two looks at something that will change.
pub(super) const PAUSE: Duration = Duration::from_millis(10);
/// How long another program may take to start or stop the server.
const BUSY_MAX: Duration = Duration::from_secs(300);
/// The server's own directory.
const CLUSTER: &str = "postgres";
/// What is in it from the beginning.
const VERSION_FILE: &str = "PG_VERSION";
/// The longest socket path that all systems take, its end included: macOS has 104 bytes, Linux 108.
const SOCKET_PATH_MAX: usize = 103;
/// The socket's file name, with room for its lock file beside it.
const SOCKET_NAME: &str = ".s.PGSQL.5432.lock";
/// A log longer than this moves aside.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How much of the log's end an error shows.
const LOG_SHOWN_LINES: usize = 20;

/// An opened data directory.
#[derive(Clone, Debug)]
pub(super) struct DataDir {
    pub(super) path: PathBuf,
    pub(super) account: Account,
}

impl DataDir {
    /// Makes sure of the directory, that it is ours and that the server can enter it.
    pub(super) fn open(path: &Path) -> Result<Self, LaunchError> {
        let account = Account::for_server()?;
        let failed = || LaunchError::io(format!("the data directory {}", path.display()));
        // Root's must let the server's account through; what lies in it has modes of its own.
        let mode = match account {
            Account::Own => 0o700,
            Account::Other { .. } => 0o711,
        };
        if path.exists() && !path.is_dir() {
            return Err(LaunchError::NotADirectory(path.to_path_buf()));
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .map_err(failed())?;
        let path = path.canonicalize().map_err(failed())?;
        let owner = fs::metadata(&path).map_err(failed())?.uid();
        if owner != rustix::process::geteuid().as_raw() {
            return Err(LaunchError::Foreign { path, owner });
        }
        account
            .closed_parent(&path)
            .map_or(Ok(()), |closed| Err(LaunchError::ClosedParent(closed)))?;
        Ok(Self { path, account })
    }

    /// The server's own directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join(CLUSTER)
    }

    /// The same while it is being made: renamed when complete, so a half-made one is never taken for whole.
    pub(super) fn cluster_in_making(&self) -> PathBuf {
        self.path.join("postgres.new")
    }

    /// The major version of the data, if there is data.
    pub(super) fn major(&self) -> Option<u32> {
        fs::read_to_string(self.cluster().join(VERSION_FILE))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Alone in starting or stopping the server, for as long as the file is open.
    pub(super) fn lock_start(&self) -> Result<File, LaunchError> {
        let file = self.lock_file("start.lock")?;
        self.wait_for(|| file.try_lock())?;
        Ok(file)
    }

    /// One more user of the server, for as long as the file is open.
    pub(super) fn lock_users(&self) -> Result<File, LaunchError> {
        let file = self.lock_file("users.lock")?;
        self.wait_for(|| file.try_lock_shared())?;
        Ok(file)
    }

    /// The keeper's lock, if there is no keeper.
    pub(super) fn lock_keeper(&self) -> Result<Option<File>, LaunchError> {
        let file = self.lock_file("keeper.lock")?;
        Ok(file.try_lock().is_ok().then_some(file))
    }

    fn wait_for(&self, lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), LaunchError> {
        let end = Instant::now() + BUSY_MAX;
        loop {
            match lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(source)) => {
                    return Err(LaunchError::io(format!("locking {}", self.path.display()))(
                        source,
                    ));
                }
                Err(TryLockError::WouldBlock) if Instant::now() > end => {
                    return Err(LaunchError::Busy(self.path.clone()));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            }
        }
    }

    pub(super) fn lock_file(&self, name: &str) -> Result<File, LaunchError> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        options
            .open(&path)
            .map_err(LaunchError::io(path.display().to_string()))
    }

    /// The server's log, to write into.
    pub(super) fn log(&self) -> Result<File, LaunchError> {
        let path = self.path.join("server.log");
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        options
            .open(&path)
            .map_err(LaunchError::io(path.display().to_string()))
    }

    /// Moves a long log aside. The server's file stays the same one, so it goes on at its beginning.
    pub(super) fn shorten_log(&self) -> io::Result<()> {
        let path = self.path.join("server.log");
        if fs::metadata(&path)?.len() > LOG_BYTES_MAX {
            fs::copy(&path, self.path.join("server.log.1"))?;
            OpenOptions::new().write(true).open(&path)?.set_len(0)?;
        }
        Ok(())
    }

    /// The end of the server's log, for an error.
    pub(super) fn log_end(&self) -> String {
        let bytes = fs::read(self.path.join("server.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().rev().take(LOG_SHOWN_LINES).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// An error of the server, with the end of its log.
    pub(super) fn fault(&self, what: &'static str) -> LaunchError {
        LaunchError::Server {
            data_dir: self.path.clone(),
            what,
            log: self.log_end(),
        }
    }

    /// Makes sure of a directory for the socket that only the server and root can enter: authentication is
    /// by who can reach the socket, as the server may run as another user than the program.
    pub(super) fn socket_directory(&self) -> Result<PathBuf, LaunchError> {
        let usual = self.path.join("socket");
        if usual.join(SOCKET_NAME).as_os_str().len() < SOCKET_PATH_MAX {
            directory(&usual, 0o700, self.account).map_err(LaunchError::io(usual.display().to_string()))?;
            return Ok(usual);
        }
        let memory = self.path.join("socket-directory");
        if let Ok(known) = fs::read_to_string(&memory) {
            let known = PathBuf::from(known);
            if self.is_private(&known) || self.make_private(&known).is_ok() {
                return Ok(known);
            }
        }
        // In /tmp anyone may have taken a name before us: take one that is ours, and remember it.
        for attempt in 0..u8::MAX {
            let mut hasher = DefaultHasher::new();
            (&self.path, attempt).hash(&mut hasher);
            let candidate = PathBuf::from(format!("/tmp/jari-{:016x}", hasher.finish()));
            if self.make_private(&candidate).is_ok() {
                let text = candidate.to_string_lossy().into_owned();
                fs::write(&memory, text).map_err(LaunchError::io(memory.display().to_string()))?;
                return Ok(candidate);
            }
        }
        Err(self.fault("found no place for its socket under /tmp"))
    }

    fn make_private(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)?;
        self.account.own(path)
    }

    /// Whether this is a real directory (not a link) of the server's account, closed to others.
    fn is_private(&self, path: &Path) -> bool {
        let Ok(metadata) = fs::symlink_metadata(path) else {
            return false;
        };
        metadata.is_dir() && metadata.uid() == self.account.uid() && metadata.mode().trailing_zeros() >= 6
    }

    /// Removes what a throw-away server leaves; of a kept one, nothing.
    pub(super) fn forget(&self, durability: Durability) -> Result<(), LaunchError> {
        match durability {
            Durability::Kept => Ok(()),
            Durability::ThrowAway => remove(&self.cluster()),
        }
    }
}

/// Whether this data directory has a server's data in it.
pub(super) fn has_cluster(data_dir: &Path) -> bool {
    data_dir.join(CLUSTER).join(VERSION_FILE).is_file()
}

/// Removes a directory with all in it; gone already is fine.
pub(super) fn remove(path: &Path) -> Result<(), LaunchError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LaunchError::io(format!("removing {}", path.display()))(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
