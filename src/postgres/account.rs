//! Whom the server runs as: ourselves, or as root an ordinary account, because PostgreSQL refuses root.
//! Never changes what the calling process itself may do.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{LaunchError, Search};

/// The accounts root drops to, the first that exists; the last one is macOS' name for the first.
const UNPRIVILEGED: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// The account the server's processes belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Our own: we are not root.
    Own,
    /// Another one: we are root.
    Other { uid: u32, gid: u32 },
}

impl Account {
    /// Our own account, or for root the first of `postgres` and `nobody` that exists.
    pub(super) fn for_server() -> Result<Self, LaunchError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        UNPRIVILEGED
            .into_iter()
            .find_map(|name| {
                Some(Self::Other {
                    uid: id("-u", name)?,
                    gid: id("-g", name)?,
                })
            })
            .ok_or(LaunchError::NoAccount)
    }

    /// The number of the account's user.
    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => uid,
        }
    }

    /// A command of this account. It sees none of our `PG…` variables and speaks English, so that its
    /// answers can be read; it stands in `/`, because our own directory may be closed to it.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null()).env("LC_ALL", "C");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        match self {
            Self::Own => {}
            // As root, setting the user also clears the supplementary groups.
            Self::Other { uid, gid } => {
                command.uid(uid).gid(gid);
            }
        }
        command
    }

    /// Gives a file or directory to this account.
    pub(super) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }

    /// The outermost directory on the way to `path` that this account may not enter. Asks the system by
    /// trying, so access lists count too.
    pub(super) fn closed_parent(self, path: &Path) -> Option<PathBuf> {
        match self {
            Self::Own => None,
            Self::Other { .. } => {
                let mut ways: Vec<&Path> = path.ancestors().collect();
                ways.reverse();
                ways.into_iter()
                    .find(|way| !self.can_enter(way))
                    .map(Path::to_path_buf)
            }
        }
    }

    fn can_enter(self, directory: &Path) -> bool {
        self.command(Path::new("/bin/sh"))
            .args(["-c", "cd \"$0\""])
            .arg(directory)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// A number of a user, asked from `id`, so that accounts from a directory service are found as well.
fn id(which: &str, name: &str) -> Option<u32> {
    // The caller's own PATH may lack it.
    let output = Command::new(Search::system().program("id")?)
        .args([which, name])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let number: i64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    // macOS prints nobody's number as -2.
    u32::try_from(number)
        .or_else(|_| i32::try_from(number).map(i32::cast_unsigned))
        .ok()
}

/// Makes sure of a directory with this mode, owner included. An existing one keeps its content.
pub(super) fn directory(path: &Path, mode: u32, account: Account) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    account.own(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
