//! Finds installed server binaries. Never installs, never starts anything but `--version`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest major version that has all we use.
pub const MAJOR_MIN: u32 = 15;

/// Directories that hold one directory per version, with the binaries in its `bin`; a star ends a name.
const VERSIONED: [&str; 6] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
];

/// Where to look for programs: the server's binaries and the package manager.
#[derive(Clone, Debug)]
pub struct Search {
    path: OsString,
    versioned: Vec<PathBuf>,
}

impl Search {
    /// The system's usual places: `PATH`, `pg_config`, and where packages put their versions.
    #[must_use]
    pub fn system() -> Self {
        let mut path = std::env::var_os("PATH").unwrap_or_default();
        // An ordinary user's PATH often lacks the places of system tools.
        path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin");
        Self {
            path,
            versioned: VERSIONED.iter().map(PathBuf::from).collect(),
        }
    }

    /// Only these directories, for tests that hide what is installed.
    #[must_use]
    pub fn only(directories: &[&Path]) -> Self {
        Self::within(std::env::join_paths(directories).unwrap_or_default())
    }

    /// Only the directories of this `PATH`.
    #[must_use]
    pub const fn within(path: OsString) -> Self {
        Self {
            path,
            versioned: Vec::new(),
        }
    }

    /// The directories as a `PATH`.
    pub(super) fn path(&self) -> &OsString {
        &self.path
    }

    /// Where a program is, if anywhere.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .map(|place| place.join(name))
            .find(|file| file.is_file())
    }

    fn places(&self) -> BTreeSet<PathBuf> {
        let mut places: BTreeSet<PathBuf> = std::env::split_paths(&self.path).collect();
        places.extend(self.versioned.iter().flat_map(|pattern| expand(pattern)));
        if let Some(tool) = self.program("pg_config") {
            let output = Command::new(tool).arg("--bindir").stderr(Stdio::null()).output();
            if let Some(text) = output
                .ok()
                .and_then(|output| String::from_utf8(output.stdout).ok())
            {
                places.insert(PathBuf::from(text.trim()));
            }
        }
        places
    }
}

/// The server's programs of one installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    bin: PathBuf,
    major: u32,
}

impl Binaries {
    /// The newest installed version that is new enough, or exactly the one that existing data needs.
    #[must_use]
    pub fn find(search: &Search, needed: Option<u32>) -> Option<Self> {
        search
            .places()
            .into_iter()
            .filter_map(Self::at)
            .filter(|found| needed.map_or(found.major >= MAJOR_MIN, |major| found.major == major))
            .max_by_key(|found| found.major)
    }

    fn at(bin: PathBuf) -> Option<Self> {
        // A client alone has neither; both are needed, and of the same version.
        if !bin.join("initdb").is_file() || !bin.join("postgres").is_file() {
            return None;
        }
        let output = Command::new(bin.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major_of(&String::from_utf8(output.stdout).ok()?)?;
        Some(Self { bin, major })
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The directory they are in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.bin
    }

    /// The major version, as in `15`.
    #[must_use]
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// The major version in what `postgres --version` prints.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits = number
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(number.len());
    number[..digits].parse().ok()
}

/// The directories that a pattern with one star stands for.
fn expand(pattern: &Path) -> Vec<PathBuf> {
    let text = pattern.to_string_lossy();
    let Some((before, after)) = text.split_once('*') else {
        return vec![pattern.to_path_buf()];
    };
    let Some((parent, prefix)) = before.rsplit_once('/') else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let matching = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    matching
        .map(|entry| entry.path().join(after.trim_start_matches('/')))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_form_of_version() {
        for (text, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 17beta1", Some(17)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("postgres (PostgreSQL) devel", None),
            ("", None),
        ] {
            assert_eq!(major_of(text), major, "{text}");
        }
    }
}
