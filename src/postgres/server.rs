//! The server's processes: makes a cluster, starts a postmaster, finds a running one, stops it.
//! Never takes a lock: whoever calls holds the start lock.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::account::directory;
use super::binaries::Binaries;
use super::directory::{DataDir, PAUSE, remove};
use super::{Durability, LaunchError};

/// Recovery after a crash reads the log back to the last checkpoint: minutes at most.
const START_MAX: Duration = Duration::from_secs(600);
/// A fast stop writes a checkpoint first.
const FAST_STOP_MAX: Duration = Duration::from_secs(60);
/// An immediate stop writes nothing.
const IMMEDIATE_STOP_MAX: Duration = Duration::from_secs(10);
/// Children of a dead postmaster notice its death at their next wait.
const LEFTOVER_PATIENCE: Duration = Duration::from_secs(5);

/// The superuser of the private cluster.
pub(super) const OWNER: &str = "jari";

/// What every server of ours is started with. On the command line, so no file can say otherwise.
const SETTINGS: [&str; 21] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_logical_replication_workers=0",
    "wal_buffers=16MB",
    "checkpoint_timeout=15min",
    "synchronous_commit=on",
    "random_page_cost=1.1",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "log_destination=stderr",
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
    // Refused appends are everyday life, and their texts may hold personal data: no statements, no details.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_min_messages=warning",
    "log_checkpoints=off",
    "cluster_name=jari",
];
const KEPT: [&str; 5] = [
    "fsync=on",
    "full_page_writes=on",
    "max_connections=100",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
];
/// Tests: nothing must survive, many programs connect, and the memory it lies in is the machine's.
const THROW_AWAY: [&str; 6] = [
    "fsync=off",
    "full_page_writes=off",
    "max_connections=500",
    "shared_buffers=128MB",
    "max_wal_size=256MB",
    "autovacuum_naptime=10min",
];
/// Where the binaries were built with lz4.
const LZ4: [&str; 2] = ["wal_compression=lz4", "default_toast_compression=lz4"];

/// A live postmaster, as its `postmaster.pid` describes it.
#[derive(Clone, Debug)]
pub(super) struct Postmaster {
    pub(super) pid: Pid,
    pub(super) port: u16,
    pub(super) socket: PathBuf,
    ready: bool,
    stopping: bool,
}

impl Postmaster {
    /// The live postmaster of this directory, if there is one.
    pub(super) fn find(dir: &DataDir) -> Option<Self> {
        let text = fs::read_to_string(dir.cluster().join("postmaster.pid")).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid = Pid::from_raw(lines.first()?.parse().ok()?)?;
        if !is_server(pid, &dir.cluster()) {
            return None;
        }
        let status = lines.get(7).copied().unwrap_or_default();
        Some(Self {
            pid,
            port: lines
                .get(3)
                .and_then(|port| port.parse().ok())
                .unwrap_or_default(),
            socket: lines.get(4).map(PathBuf::from).unwrap_or_default(),
            ready: status == "ready",
            stopping: status == "stopping",
        })
    }

    /// Ends it: fast (sessions are closed, a checkpoint is written), if that takes too long immediately.
    pub(super) fn stop(&self, dir: &DataDir) -> Result<(), LaunchError> {
        for (signal, patience) in [(Signal::INT, FAST_STOP_MAX), (Signal::QUIT, IMMEDIATE_STOP_MAX)] {
            match kill_process(self.pid, signal) {
                Ok(()) => {}
                Err(rustix::io::Errno::SRCH) => return Ok(()),
                Err(error) => return Err(LaunchError::io("stopping the server")(error.into())),
            }
            if until(patience, || !is_server(self.pid, &dir.cluster())) {
                return Ok(());
            }
        }
        Err(dir.fault("did not stop"))
    }
}

/// A ready server of this directory: the running one, or a new one and its process.
pub(super) fn ensure(
    dir: &DataDir,
    durability: Durability,
    binaries: impl FnOnce(Option<u32>) -> Result<Binaries, LaunchError>,
    start: &File,
) -> Result<(Postmaster, Option<Child>), LaunchError> {
    // A stopping one is waited for; one that a killed program has just started becomes ready.
    until(FAST_STOP_MAX, || {
        Postmaster::find(dir).is_none_or(|found| !found.stopping)
    });
    if let Some(running) = Postmaster::find(dir) {
        return if running.stopping {
            Err(dir.fault("did not stop"))
        } else {
            ready(dir, None)
        };
    }
    end_leftovers(dir)?;
    // Without fsync, what a crash left behind can't be trusted.
    dir.forget(durability)?;
    let binaries = binaries(dir.major())?;
    if dir.major().is_none() {
        init(dir, durability, &binaries, start)?;
    }
    let child = launch(dir, durability, &binaries)?;
    ready(dir, Some(child))
}

/// Makes the cluster beside its place and moves it there when it is whole.
fn init(dir: &DataDir, durability: Durability, binaries: &Binaries, start: &File) -> Result<(), LaunchError> {
    let making = dir.cluster_in_making();
    remove(&making)?;
    directory(&making, 0o700, dir.account).map_err(LaunchError::io(making.display().to_string()))?;
    let mut command = dir.account.command(&binaries.program("initdb"));
    command
        .arg("--pgdata")
        .arg(&making)
        .args(["--username", OWNER, "--encoding=UTF8", "--locale=C"]);
    command.args(["--data-checksums", "--auth-local=trust", "--auth-host=reject"]);
    match durability {
        Durability::Kept => {}
        Durability::ThrowAway => {
            command.arg("--no-sync");
        }
    }
    // It holds the start lock too: if we are killed, the next program waits for it to end.
    let lock = start.try_clone().map_err(LaunchError::io("the start lock"))?;
    let output = command
        .stdin(Stdio::from(lock))
        .output()
        .map_err(LaunchError::io("starting initdb"))?;
    if !output.status.success() {
        let output = [output.stdout, output.stderr].concat();
        let output = String::from_utf8_lossy(&output).into_owned();
        return Err(LaunchError::Init {
            data_dir: dir.path.clone(),
            output,
        });
    }
    let place = |source| LaunchError::io(format!("moving {} to its place", making.display()))(source);
    // Without a version file there is no cluster, whatever else lies there.
    remove(&dir.cluster())?;
    fs::rename(&making, dir.cluster()).map_err(place)?;
    File::open(&dir.path)
        .and_then(|parent| parent.sync_all())
        .map_err(place)
}

fn launch(dir: &DataDir, durability: Durability, binaries: &Binaries) -> Result<Child, LaunchError> {
    let socket = dir.socket_directory()?;
    // A log that can't be shortened is no reason not to start.
    let _ = dir.shorten_log();
    let log = dir.log()?;
    let errors = log.try_clone().map_err(LaunchError::io("the server's log"))?;
    let mut command = dir.account.command(&binaries.program("postgres"));
    command.arg("-D").arg(dir.cluster());
    let own: &[&str] = match durability {
        Durability::Kept => &KEPT,
        Durability::ThrowAway => &THROW_AWAY,
    };
    let lz4: &[&str] = if has_lz4(dir, binaries) { &LZ4 } else { &[] };
    for setting in SETTINGS.iter().chain(own).chain(lz4) {
        command.arg("-c").arg(setting);
    }
    command
        .arg("-c")
        .arg(format!("unix_socket_directories={}", socket.display()));
    // A group of its own: Ctrl-C on the terminal is for the program, which stops the server last.
    command.process_group(0).stdout(log).stderr(errors);
    command.spawn().map_err(LaunchError::io("starting postgres"))
}

/// Waits until the server takes connections.
fn ready(dir: &DataDir, mut child: Option<Child>) -> Result<(Postmaster, Option<Child>), LaunchError> {
    let end = Instant::now() + START_MAX;
    while Instant::now() < end {
        let gone = match &mut child {
            Some(child) => child
                .try_wait()
                .map_err(LaunchError::io("waiting for postgres"))?
                .is_some(),
            None => Postmaster::find(dir).is_none(),
        };
        if gone {
            return Err(dir.fault("did not start"));
        }
        match Postmaster::find(dir) {
            Some(found) if found.ready => return Ok((found, child)),
            Some(_) | None => thread::sleep(PAUSE),
        }
    }
    Err(dir.fault("did not become ready"))
}

/// Asks the binaries themselves: building with lz4 is the packager's choice.
fn has_lz4(dir: &DataDir, binaries: &Binaries) -> bool {
    let mut command = dir.account.command(&binaries.program("postgres"));
    command
        .arg("-D")
        .arg(dir.cluster())
        .args(["-c", LZ4[0], "-C", "wal_compression"]);
    command.output().is_ok_and(|output| output.status.success())
}

/// A killed postmaster may leave children, which hold its shared memory, and a `postmaster.pid` whose
/// number another process has by now. The new one would refuse to start beside either.
fn end_leftovers(dir: &DataDir) -> Result<(), LaunchError> {
    let cluster = dir.cluster();
    for (signal, patience) in [
        (None, LEFTOVER_PATIENCE),
        (Some(Signal::KILL), IMMEDIATE_STOP_MAX),
    ] {
        for pid in servers(&cluster) {
            if let Some(signal) = signal {
                // Without their postmaster they can do nothing useful; their work is in the log or lost.
                let _ = kill_process(pid, signal);
            }
        }
        if until(patience, || servers(&cluster).is_empty()) {
            break;
        }
    }
    let socket = dir.socket_directory()?;
    for file in [cluster.join("postmaster.pid"), socket.join(".s.PGSQL.5432.lock")] {
        match fs::read_to_string(&file) {
            Ok(text) if names_stranger(&text, &cluster) => {
                fs::remove_file(&file).map_err(LaunchError::io(file.display().to_string()))?;
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(LaunchError::io(file.display().to_string())(error)),
        }
    }
    Ok(())
}

/// Whether the process in a left lock file lives but is not a server of this cluster.
fn names_stranger(text: &str, cluster: &Path) -> bool {
    let pid = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .and_then(Pid::from_raw);
    pid.is_some_and(|pid| is_alive(pid) && !is_server(pid, cluster))
}

fn is_alive(pid: Pid) -> bool {
    !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// Whether this process is a server of this cluster: every one of them works in its directory. Where
/// there is no `/proc`, its name must do.
fn is_server(pid: Pid, cluster: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    if !Path::new("/proc/self").exists() {
        return is_named_postgres(pid);
    }
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    name.trim() == "postgres" && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == cluster)
}

fn is_named_postgres(pid: Pid) -> bool {
    let number = pid.as_raw_nonzero().to_string();
    let output = Command::new("ps").args(["-o", "comm=", "-p", &number]).output();
    output.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .ends_with("postgres")
    })
}

/// All server processes of this cluster.
fn servers(cluster: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(Pid::from_raw)
        .filter(|pid| is_server(*pid, cluster))
        .collect()
}

/// Waits for something to become true, as long as patience lasts.
pub(super) fn until(patience: Duration, done: impl Fn() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if done() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        thread::sleep(PAUSE);
    }
}
