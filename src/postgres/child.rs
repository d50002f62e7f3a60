//! What the binary does when it is started again as a helper: `jari postgres-child keep|run …`, a hidden
//! subcommand. Never reads configuration; all it needs is in its arguments.
//!
//! The keeper waits, asleep in the kernel, until no program holds the users lock any more, then stops the
//! server. So a server never outlives its last user by more than the linger, however that one ended, and
//! never dies before it, whoever started it. A parent-death signal could do neither: it is tied to the
//! starter, and Linux alone has it. If the keeper itself is killed, the server just runs on, and the next
//! program uses it and starts a new keeper.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use std::os::unix::process::CommandExt;

use super::directory::DataDir;
use super::server::Postmaster;
use super::{Cluster, Durability, LaunchError, Settings};

/// The hidden subcommand's name.
pub const SUBCOMMAND: &str = "postgres-child";
/// How often the keeper looks at the length of the log.
const LOG_CHECK: Duration = Duration::from_secs(60);

/// Does the helper's work if that is what the process was started for; otherwise `None`, and the ordinary
/// command line goes on. `args` include the program's name. To be called before anything else.
#[must_use]
pub fn dispatch(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    (args.next()? == SUBCOMMAND).then(|| main(&args.collect::<Vec<_>>()))
}

fn main(args: &[OsString]) -> ExitCode {
    let result = match args {
        [verb, durability, data_dir] if verb == "keep" => Durability::from_name(durability).map_or_else(
            || Err(usage()),
            |durability| keep(Path::new(data_dir), durability),
        ),
        [verb, data_dir] if verb == "run" => run(PathBuf::from(data_dir)),
        _ => Err(usage()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{error}");
            error.exit_code()
        }
    }
}

fn usage() -> LaunchError {
    LaunchError::io("usage: postgres-child keep kept|throw-away DIRECTORY, or run DIRECTORY")(
        io::ErrorKind::InvalidInput.into(),
    )
}

/// Starts a keeper if there is none. The caller holds the start and users locks.
pub(super) fn start_keeper(dir: &DataDir, durability: Durability, helper: &Path) -> Result<(), LaunchError> {
    if dir.lock_keeper()?.is_none() {
        return Ok(());
    }
    let mut command = Command::new(helper);
    command
        .args([SUBCOMMAND, "keep", durability.name()])
        .arg(&dir.path);
    command
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(dir.log()?);
    let child = command
        .spawn()
        .map_err(LaunchError::io(format!("starting {}", helper.display())))?;
    super::reap(child);
    Ok(())
}

fn keep(path: &Path, durability: Durability) -> Result<(), LaunchError> {
    let dir = DataDir::open(path)?;
    let Some(keeper) = dir.lock_keeper()? else {
        return Ok(());
    };
    let log = dir.clone();
    thread::spawn(move || {
        loop {
            thread::sleep(LOG_CHECK);
            // The next look may succeed.
            let _ = log.shorten_log();
        }
    });
    let users = dir.lock_file("users.lock")?;
    let failed = || LaunchError::io("the keeper's locks");
    loop {
        users.lock().map_err(failed())?;
        users.unlock().map_err(failed())?;
        thread::sleep(durability.linger());
        // However long a program takes to start: it is not ours to give up.
        let start = dir.lock_file("start.lock")?;
        start.lock().map_err(failed())?;
        if users.try_lock().is_ok() {
            let stopped = Postmaster::find(&dir).map_or(Ok(()), |postmaster| postmaster.stop(&dir));
            let forgotten = dir.forget(durability);
            // Before the start lock: whoever gets that one next must find no keeper.
            drop(keeper);
            drop(users);
            drop(start);
            return stopped.and(forgotten);
        }
    }
}

/// Runs the server alone until Ctrl-C or SIGTERM, printing how to reach it.
fn run(data_dir: PathBuf) -> Result<(), LaunchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(LaunchError::io("the runtime"))?.block_on(async {
        let mut settings = Settings::new(data_dir);
        settings.helper = std::env::current_exe().ok();
        let cluster = Cluster::start(settings).await?;
        let (client, connection) = cluster
            .owner()
            .tokio_postgres()
            .connect(tokio_postgres::NoTls)
            .await?;
        let connection = tokio::spawn(connection);
        say(&format!("PostgreSQL answers at {}", cluster.owner().url()));
        interrupted()
            .await
            .map_err(LaunchError::io("waiting for a signal"))?;
        let others = "select count(*) from pg_stat_activity where backend_type = 'client backend' \
                      and pid <> pg_backend_pid()";
        let row = client.query_one(others, &[]).await?;
        say(&format!(
            "stopping PostgreSQL; other sessions: {}",
            row.get::<_, i64>(0)
        ));
        drop(client);
        // It ends by itself, now that its client has gone.
        let _ = connection.await;
        cluster.stop().await
    })
}

/// Nobody listening is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

async fn interrupted() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    Ok(())
}
