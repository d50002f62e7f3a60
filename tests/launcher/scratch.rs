//! A data directory for one test, and what a test does to the server in it. Goes with the test, server
//! included.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jari::postgres::{Binaries, Search, Settings};
use rustix::process::{Pid, Signal, kill_process};

static NUMBER: AtomicU32 = AtomicU32::new(0);
/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub fn new() -> Self {
        Self::named("data")
    }

    pub fn named(name: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Not the temporary directory of the environment: root's may be closed to the server.
        let path = PathBuf::from(format!(
            "/tmp/jari-launcher-{}-{number}-{name}",
            std::process::id()
        ));
        fs::DirBuilder::new().mode(0o711).create(&path).unwrap();
        Self {
            path: path.canonicalize().unwrap(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// As a program would have them, keeper included.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.path.clone());
        settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
        settings
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path.join("server.log")).unwrap_or_default()
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.path.join("postgres/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    /// A stopped server removes its file, so it tells also where there is no `/proc`.
    pub fn server_runs(&self) -> bool {
        self.postmaster().is_some()
    }

    pub fn kill_postmaster(&self) {
        kill_process(self.postmaster().unwrap(), Signal::KILL).unwrap();
    }

    pub fn stop_by_hand(&self) {
        kill_process(self.postmaster().unwrap(), Signal::INT).unwrap();
        eventually("the server stops", || !self.server_runs());
    }

    /// Starts the server without the launcher, with one setting of the test's.
    pub fn start_by_hand(&self, setting: &str) -> Child {
        let data = self.path.join("postgres");
        let binaries = Binaries::find(&Search::system(), None).unwrap();
        let mut command = Command::new(binaries.directory().join("postgres"));
        command
            .arg("-D")
            .arg(&data)
            .args(["-c", setting, "-c", "listen_addresses="]);
        command
            .arg("-k")
            .arg(self.path.join("socket"))
            .stderr(Stdio::null())
            .current_dir("/");
        if rustix::process::geteuid().is_root() {
            let owner = fs::metadata(&data).unwrap();
            command.uid(owner.uid()).gid(owner.gid());
        }
        let child = command.spawn().unwrap();
        eventually("the server starts", || {
            fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready"))
        });
        child
    }

    /// All that works in the server's directory.
    fn servers(&self) -> Vec<Pid> {
        let data = self.path.join("postgres");
        let here = |number: &i32| fs::read_link(format!("/proc/{number}/cwd")).is_ok_and(|cwd| cwd == data);
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter(here).filter_map(Pid::from_raw).collect()
    }

    /// The keeper of this directory alone, by its arguments.
    fn keeper(&self) -> Option<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .find_map(|number: i32| {
                let line = fs::read(format!("/proc/{number}/cmdline")).ok()?;
                let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
                let ours = words.contains(&b"keep".as_slice())
                    && words.contains(&self.path.as_os_str().as_encoded_bytes());
                if ours { Pid::from_raw(number) } else { None }
            })
    }

    pub fn kill_keeper(&self) {
        kill_process(self.keeper().expect("there is a keeper"), Signal::KILL).unwrap();
        eventually("the keeper is gone", || self.keeper().is_none());
    }

    /// Waits for the keeper to see that it has nothing left to keep.
    pub fn keeper_ends(&self) {
        eventually("the keeper ends", || self.keeper().is_none());
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After a failed test something may still run.
        if let Some(keeper) = self.keeper() {
            let _ = kill_process(keeper, Signal::KILL);
        }
        for server in self.servers() {
            let _ = kill_process(server, Signal::KILL);
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn eventually(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}
