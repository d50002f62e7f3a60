//! The database dies under a running server: 503 meanwhile, recovery without a restart, nothing acknowledged is lost.

use std::{
    fs,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use jari::postgres::{Cluster, Settings};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{
    api::Call,
    database::{self, client},
    house::{House, Sale},
    journal::Journal,
    load::{COLUMNS, Load, ROWS, settle},
    log::Log,
    process::{Server, jari, verifies},
    waiting::eventually,
};

const CUSTOMERS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_under_load_lose_nothing() {
    let (database, journal) = (database::fresh().await, Arc::new(Journal::default()));
    let server = Server::start(&database.url()).await;
    let api = server.api(&journal);
    let house = House::open(&api).await;
    let coupons = [house.coupon(&api).await];
    let slot = house.screening(&api, ROWS, COLUMNS, Sale::Long).await;
    let load = Load::start(std::slice::from_ref(&api), slot, &coupons, CUSTOMERS);
    let client = database.client().await;
    let mut cut = 0;
    for _ in 0..6 {
        load.achieves(60).await;
        let all = "select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()";
        cut += client.execute(all, &[]).await.expect("an answer");
    }
    load.achieves(60).await;
    settle(&api, load.stop().await).await;
    println!("{cut} connections cut, {} commands acknowledged", journal.len());
    journal.agrees_with(&Log::check(&client).await);
    verifies(&database.url()).await;
}

/// A data directory of this test's own, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        // As root the server works under another account, to which the temporary directory may be closed.
        let path = PathBuf::from(format!("/tmp/jari-{name}-{}", std::process::id()));
        fs::DirBuilder::new()
            .mode(0o711)
            .create(&path)
            .expect("a new directory");
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_killed_under_load_comes_back_with_everything_acknowledged() {
    let directory = Directory::new("kills");
    let mut settings = Settings::new(directory.path().to_path_buf());
    settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
    let cluster = Cluster::start(settings).await.expect("a server");
    let owner = client(cluster.owner()).await;
    owner
        .batch_execute("create database jari")
        .await
        .expect("a database");
    drop(owner);
    let database = cluster.owner().clone().with_database("jari");
    let migrated = jari(&database.url(), &["migrate"]).await;
    assert!(migrated.status.success(), "{migrated:?}");

    let journal = Arc::new(Journal::default());
    let mut server = Server::start(&database.url()).await;
    let api = server.api(&journal);
    let house = House::open(&api).await;
    let coupons = [house.coupon(&api).await];
    let kept = house.screening(&api, 1, 2, Sale::Long).await;
    let kept = api.done(&Call::hold(kept, &["A1"])).await.hold();
    for round in 0..2 {
        let slot = house.screening(&api, ROWS, COLUMNS, Sale::Long).await;
        let load = Load::start(std::slice::from_ref(&api), slot, &coupons, CUSTOMERS);
        load.achieves(60).await;
        let postmaster = cluster
            .postmaster()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        kill_process(postmaster.expect("it runs"), Signal::KILL).expect("ours to kill");
        let refused = eventually("503 while the database is away", || async {
            let answer = api.ask(&Call::show(&kept)).await;
            assert!(matches!(answer.status, 200 | 503), "{answer}");
            (answer.status == 503).then_some(answer)
        });
        assert!(refused.await.retry_after.is_some());
        // A command is kept for a while in the hope that the database comes back; here it does not.
        if round == 0 {
            load.is_turned_away().await;
        }
        cluster.revive().await.expect("it starts again");
        eventually("the server works again by itself", || async {
            let answer = api.ask(&Call::get("/health/ready")).await;
            (answer.status == 200).then_some(())
        })
        .await;
        load.achieves(30).await;
        settle(&api, load.stop().await).await;
        journal.agrees_with(&Log::check(&client(&database).await).await);
    }
    verifies(&database.url()).await;
    println!(
        "2 kills of the database: {} commands acknowledged, none lost",
        journal.len()
    );
    assert!(server.stop().success(), "a server that is asked to end ends well");
    cluster.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_database_that_is_killed_is_started_again_by_the_server_that_uses_it() {
    let directory = Directory::new("alive");
    let mut server = Server::start_private(directory.path()).await;
    // Another user of the same database, who does nothing about it.
    let mut settings = Settings::new(directory.path().to_path_buf());
    settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
    let cluster = Cluster::start(settings).await.expect("it runs already");
    let journal = Arc::new(Journal::default());
    let api = server.api(&journal);
    let house = House::open(&api).await;
    let slot = house.screening(&api, 1, 5, Sale::Long).await;
    let kept = api.done(&Call::hold(slot, &["A1"])).await.hold();
    let killed = cluster.postmaster().expect("it runs");
    let pid = i32::try_from(killed).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::KILL).expect("ours to kill");
    eventually("it is started again", || async {
        cluster.postmaster().filter(|another| *another != killed)
    })
    .await;
    eventually("bookings work again", || async {
        let answer = api.send(&Call::hold(slot, &["A2"])).await.ok()?;
        assert!(matches!(answer.status, 201 | 409 | 503), "{answer}");
        answer.is_done().then_some(())
    })
    .await;
    assert_eq!(api.done(&Call::show(&kept)).await.json()["state"], "held");
    assert!(server.stop().success(), "a server that is asked to end ends well");
    cluster.stop().await.expect("it stops");
}
