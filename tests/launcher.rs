//! The embedded PostgreSQL survives what programs and machines do to it. Never touches a server that it
//! did not start.

mod connecting;
mod installing;
mod interrupting;
mod looking;
mod program;
mod scratch;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use jari::postgres::{Binaries, Cluster, LaunchError, Search, Settings};
use rustix::process::Signal;

use crate::support::database::client;
use program::Program;
use scratch::Scratch;

async fn setting(cluster: &Cluster, name: &str) -> String {
    client(cluster.owner())
        .await
        .query_one(&format!("show {name}"), &[])
        .await
        .unwrap()
        .get(0)
}

/// Commits a row, to be looked for later.
async fn commit(cluster: &Cluster) {
    let sql = "create table kept (n int); insert into kept values (42)";
    client(cluster.owner()).await.batch_execute(sql).await.unwrap();
}

async fn committed(cluster: &Cluster) -> i32 {
    client(cluster.owner())
        .await
        .query_one("select n from kept", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn a_new_data_directory_gets_a_private_server_that_keeps_what_it_commits() {
    let scratch = Scratch::new();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    for (name, value) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("timezone", "UTC"),
    ] {
        // From version 16 on, a database's locale is no setting any more.
        if name != "lc_collate" || *setting(&cluster, "server_version_num").await < *"160000" {
            assert_eq!(setting(&cluster, name).await, value, "{name}");
        }
    }
    commit(&cluster).await;
    cluster.stop().await.unwrap();
    assert!(
        scratch.log().contains("database system is shut down"),
        "{}",
        scratch.log()
    );

    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(committed(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_never_runs_as_root() {
    let scratch = Scratch::new();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    let data = scratch.path().join("postgres");
    let metadata = fs::metadata(&data).unwrap();
    assert_ne!(metadata.uid(), 0);
    assert_eq!(metadata.mode() & 0o777, 0o700);
    assert_eq!(
        fs::metadata(scratch.path().join("socket")).unwrap().mode() & 0o777,
        0o700
    );
    if let Ok(status) = fs::read_to_string(format!("/proc/{}/status", cluster.postmaster().unwrap())) {
        let line = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap()
                .trim()
        };
        assert!(
            line("Uid:")
                .split_whitespace()
                .all(|uid| uid == metadata.uid().to_string()),
            "{status}"
        );
        if rustix::process::geteuid().is_root() {
            assert_eq!(line("Groups:"), "", "root's groups are given up too");
        }
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_that_the_server_cannot_enter_is_refused_by_name() {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let inner = Settings::new(scratch.path().join("inner"));
    match Cluster::start(inner).await {
        Err(error) => {
            assert!(rustix::process::geteuid().is_root(), "{error}");
            assert!(
                matches!(&error, LaunchError::ClosedParent(path) if path == scratch.path()),
                "{error}"
            );
        }
        // Our own directories are open to our own server.
        Ok(cluster) => cluster.stop().await.unwrap(),
    }
}

#[tokio::test]
async fn a_long_data_directory_gets_a_short_socket_that_nobody_else_made() {
    let scratch = Scratch::named(&"long".repeat(40));
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    commit(&cluster).await;
    cluster.stop().await.unwrap();
    let remembered = scratch.path().join("socket-directory");
    let short = fs::read_to_string(&remembered).unwrap();

    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(committed(&cluster).await, 42);
    assert_eq!(fs::read_to_string(&remembered).unwrap(), short);
    cluster.stop().await.unwrap();

    fs::set_permissions(&short, fs::Permissions::from_mode(0o777)).unwrap();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    let other = fs::read_to_string(&remembered).unwrap();
    assert_ne!(other, short, "a directory that others can write to is not used");
    cluster.stop().await.unwrap();
    fs::remove_dir_all(short).unwrap();
    fs::remove_dir_all(other).unwrap();
}

#[tokio::test]
async fn programs_share_the_server_and_the_last_one_stops_it() {
    let scratch = Scratch::new();
    let (first, second) = tokio::join!(
        Cluster::start(scratch.settings()),
        Cluster::start(scratch.settings())
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    let program = Program::run(scratch.path());
    assert_eq!(first.postmaster(), second.postmaster());
    assert_eq!(
        program.line(),
        format!("PostgreSQL answers at {}", first.owner().url())
    );

    first.stop().await.unwrap();
    commit(&second).await;
    second.stop().await.unwrap();
    assert!(scratch.server_runs(), "the program still uses it");
    assert!(program.ends_after(Signal::TERM).success());
    assert!(!scratch.server_runs());
}

#[tokio::test]
async fn a_program_may_leave_its_server_to_another_that_came_later() {
    let scratch = Scratch::new();
    let starter = Program::run(scratch.path());
    starter.line();
    let later = Cluster::start(scratch.settings()).await.unwrap();
    let postmaster = later.postmaster();
    starter.ends_after(Signal::KILL);
    commit(&later).await;
    assert_eq!(later.postmaster(), postmaster);
    later.stop().await.unwrap();
    assert!(!scratch.server_runs());
}

#[tokio::test]
async fn a_killed_programs_server_stops_cleanly() {
    let scratch = Scratch::new();
    let program = Program::run(scratch.path());
    program.line();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    commit(&cluster).await;
    drop(cluster);
    program.ends_after(Signal::KILL);
    scratch.keeper_ends();
    assert!(!scratch.server_runs());
    assert!(
        scratch.log().contains("database system is shut down"),
        "{}",
        scratch.log()
    );

    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(committed(&cluster).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_left_running_is_reused() {
    let scratch = Scratch::new();
    let program = Program::run(scratch.path());
    program.line();
    scratch.kill_keeper();
    let cluster = Cluster::start(Settings::new(scratch.path().to_path_buf()))
        .await
        .unwrap();
    let postmaster = cluster.postmaster();
    commit(&cluster).await;
    // Nobody is left to stop it: the keeper is gone, and this one forgets to.
    std::mem::forget(cluster);
    program.ends_after(Signal::KILL);

    let next = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(next.postmaster(), postmaster);
    assert_eq!(committed(&next).await, 42);
    drop(next);
    scratch.kill_keeper();
    scratch.stop_by_hand();
}

#[tokio::test]
async fn a_killed_postmaster_is_replaced_whatever_it_left_behind() {
    let scratch = Scratch::new();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    commit(&cluster).await;
    let busy = client(cluster.owner()).await;
    let pid: i32 = busy
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    // A backend that never waits does not notice that its postmaster died.
    tokio::spawn(async move { busy.batch_execute("do $$ begin loop end loop; end $$").await });
    let watch = client(cluster.owner()).await;
    let active = "select count(*) from pg_stat_activity where pid = $1 and state = 'active'";
    while watch.query_one(active, &[&pid]).await.unwrap().get::<_, i64>(0) == 0 {}
    scratch.kill_postmaster();

    let next = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(committed(&next).await, 42);
    next.stop().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!scratch.server_runs());
}

#[tokio::test]
async fn a_process_number_used_again_does_not_keep_the_server_from_starting() {
    let scratch = Scratch::new();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    commit(&cluster).await;
    let file = scratch.path().join("postgres/postmaster.pid");
    let left = fs::read_to_string(&file).unwrap();
    scratch.kill_postmaster();
    drop(cluster);
    // PostgreSQL itself would ignore a stranger's process, so this one belongs to the same account.
    let owner = fs::metadata(scratch.path().join("postgres")).unwrap();
    let mut command = Command::new("sleep");
    command.arg("600").current_dir("/").stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut stranger = command.spawn().unwrap();
    let (_, rest) = left.split_once('\n').unwrap();
    let socket = scratch.path().join("socket/.s.PGSQL.5432.lock");
    for file in [file, socket] {
        fs::write(file, format!("{}\n{rest}", stranger.id())).unwrap();
    }

    let next = Cluster::start(scratch.settings()).await.unwrap();
    assert_eq!(committed(&next).await, 42);
    next.stop().await.unwrap();
    assert!(
        stranger.try_wait().unwrap().is_none(),
        "the stranger is left alone"
    );
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

/// A first start that was killed in the middle of making the data.
fn interrupted() -> Scratch {
    loop {
        let scratch = Scratch::new();
        let program = Program::run(scratch.path());
        let (making, made) = (
            scratch.path().join("postgres.new/PG_VERSION"),
            scratch.path().join("postgres"),
        );
        while !making.exists() && !made.exists() {}
        program.ends_after(Signal::KILL);
        // On a busy machine we may look too late.
        if !made.exists() {
            return scratch;
        }
    }
}

#[tokio::test]
async fn an_interrupted_first_start_is_repeated() {
    let scratch = interrupted();
    let cluster = Cluster::start(scratch.settings()).await.unwrap();
    commit(&cluster).await;
    cluster.stop().await.unwrap();
    assert!(!scratch.path().join("postgres.new").exists());
}

#[tokio::test]
async fn a_server_that_died_is_revived_for_programs_that_go_on() {
    let scratch = Scratch::new();
    let (one, other) = tokio::join!(
        Cluster::start(scratch.settings()),
        Cluster::start(scratch.settings())
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    commit(&one).await;
    scratch.kill_postmaster();
    let (first, second) = tokio::join!(one.revive(), other.revive());
    first.unwrap();
    second.unwrap();
    assert_eq!(committed(&one).await, 42, "at the same address");
    one.stop().await.unwrap();
    assert_eq!(committed(&other).await, 42);
    other.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupt_reaches_the_program_first_and_the_server_last() {
    let scratch = Scratch::new();
    let program = Program::run(scratch.path());
    program.line();
    let other = Cluster::start(scratch.settings()).await.unwrap();
    let session = client(other.owner()).await;
    drop(other);
    // As a terminal does: to the whole group, in which the server is not.
    assert!(program.group_ends_after(Signal::INT).success());
    assert_eq!(program.line(), "stopping PostgreSQL; other sessions: 1");
    assert!(session.simple_query("select 1").await.is_err());
    assert!(!scratch.server_runs());
    scratch.keeper_ends();
}

#[tokio::test]
async fn a_server_that_may_lose_commits_is_refused() {
    let scratch = Scratch::new();
    Cluster::start(scratch.settings())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    for unsafe_setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        let mut by_hand = scratch.start_by_hand(&format!("{unsafe_setting}=off"));
        let error = Cluster::start(Settings::new(scratch.path().to_path_buf()))
            .await
            .unwrap_err();
        let named = matches!(error, LaunchError::Unsafe { setting, .. } if setting == unsafe_setting);
        assert!(named, "{unsafe_setting}: {error}");
        by_hand.wait().unwrap();
    }
    Cluster::start(scratch.settings())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn data_of_a_version_that_is_not_installed_is_refused() {
    let scratch = Scratch::new();
    Cluster::start(scratch.settings())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let file = scratch.path().join("postgres/PG_VERSION");
    let installed = Binaries::find(&Search::system(), None)
        .unwrap()
        .major()
        .to_string();
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), installed);
    fs::write(file, "9\n").unwrap();
    let error = Cluster::start(scratch.settings()).await.unwrap_err();
    assert!(
        matches!(error, LaunchError::OtherVersion { major: 9, .. }),
        "{error}"
    );
}
