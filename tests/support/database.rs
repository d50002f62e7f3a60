//! A fresh, migrated database for one test, on a server that all tests share. Never the user's own data.
//!
//! The server lies in memory if there is room, has no fsync, and goes away some seconds after the last
//! test process. Each set of migrations has a template, of which a test's database is a copy.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use jari::postgres::install::{Consent, ensure_installed};
use jari::postgres::{Cluster, Connect, Search, Settings};
use rustix::process::{Pid, test_kill_process};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// Memory that must be free to use it as a disk.
const MEMORY_BYTES_MIN: u64 = 1024 * 1024 * 1024;
/// Whoever builds a template or sweeps holds this; roles are the whole server's, so one lock for all.
const BUILD_LOCK: i64 = 0x6a61_7269;

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(0);

struct Server {
    /// Held until the process ends: that is what keeps the server running.
    _cluster: Cluster,
    owner: Connect,
    template: String,
}

/// A database of a test's own, dropped with it.
pub struct TestDatabase {
    connect: Connect,
}

/// A fresh database with all migrations, from `migrations/` as it is now.
pub async fn fresh() -> TestDatabase {
    let server = SERVER.get_or_init(start).await;
    let name = format!(
        "test_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    );
    let client = client(&server.owner).await;
    // Copying files takes a checkpoint, which costs nothing in memory; the default writes all of it to the log.
    let create = format!(
        "create database {name} template {} strategy file_copy",
        server.template
    );
    client
        .batch_execute(&create)
        .await
        .expect("the template can be copied");
    TestDatabase {
        connect: server.owner.clone().with_database(&name),
    }
}

impl TestDatabase {
    /// As the superuser who owns the tables. Tests of what the runtime may do want `.owner().as_app()`.
    pub fn owner(&self) -> Connect {
        self.connect.clone()
    }

    /// The owner's URL, for psql, sqlx and tokio-postgres alike.
    pub fn url(&self) -> String {
        self.connect.url()
    }

    /// The owner, for sqlx.
    pub fn sqlx_options(&self) -> PgConnectOptions {
        self.connect.sqlx()
    }

    /// The owner, for tokio-postgres.
    pub fn tokio_postgres_config(&self) -> tokio_postgres::Config {
        self.connect.tokio_postgres()
    }

    /// A pool of the owner's.
    pub async fn pool(&self) -> PgPool {
        PgPool::connect_with(self.sqlx_options())
            .await
            .expect("the test's database answers")
    }

    /// A connection of the owner's.
    pub async fn client(&self) -> Client {
        client(&self.connect).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.connect.database().to_owned();
        let owner = self.connect.clone().with_database("postgres");
        // A runtime of its own: a test's runtime may be single-threaded, and is busy dropping us.
        let dropping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(drop_database(&owner, &name));
        });
        // A test that already fails must not be hidden by a second panic; the next process sweeps.
        let _ = dropping.join();
    }
}

/// A connection whose other half runs by itself.
pub async fn client(connect: &Connect) -> Client {
    let (client, connection) = connect
        .tokio_postgres()
        .connect(NoTls)
        .await
        .expect("the server answers");
    tokio::spawn(connection);
    client
}

async fn drop_database(owner: &Connect, name: &str) {
    let drop = format!("drop database if exists {name} with (force)");
    let _ = client(owner).await.batch_execute(&drop).await;
}

async fn start() -> Server {
    let search = Search::system();
    ensure_installed(&search, Consent::AskOnTerminal).unwrap_or_else(|error| panic!("{error}"));
    let mut settings = Settings::throw_away(place());
    settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
    let cluster = Cluster::start(settings)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let owner = cluster.owner().clone();
    let template = template(&owner).await;
    Server {
        _cluster: cluster,
        owner,
        template,
    }
}

/// Where the server lies: a directory of this user's, and of this version of the launcher.
fn place() -> PathBuf {
    let free = rustix::fs::statvfs("/dev/shm").map(|memory| memory.f_bavail * memory.f_frsize);
    let parent = match free {
        Ok(bytes) if bytes >= MEMORY_BYTES_MIN => PathBuf::from("/dev/shm"),
        // As root, TMPDIR may be closed to the server's account.
        Ok(_) | Err(_) if rustix::process::geteuid().is_root() => PathBuf::from("/tmp"),
        Ok(_) | Err(_) => std::env::temp_dir(),
    };
    let source = include_str!("../../src/postgres/server.rs");
    parent.join(format!(
        "jari-test-{}-{:016x}",
        rustix::process::geteuid().as_raw(),
        hash(&source)
    ))
}

/// The template of the migrations as they are now, built if it is not there.
async fn template(owner: &Connect) -> String {
    // Read at run time: a macro would not see a new file.
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let migrator = Migrator::new(migrations)
        .await
        .expect("the migrations can be read");
    let sums: Vec<_> = migrator
        .iter()
        .map(|migration| (migration.version, &migration.checksum))
        .collect();
    let name = format!("template_{:016x}", hash(&sums));
    let client = client(owner).await;
    client
        .execute("select pg_advisory_lock($1)", &[&BUILD_LOCK])
        .await
        .unwrap();
    sweep(&client).await;
    let known = client
        .query_opt("select from pg_database where datname = $1", &[&name])
        .await
        .unwrap();
    if known.is_none() {
        // Under another name until it is whole.
        client
            .batch_execute("drop database if exists building with (force)")
            .await
            .unwrap();
        client
            .batch_execute("create database building")
            .await
            .expect("the server answers");
        let building = owner.clone().with_database("building").sqlx();
        let mut connection = PgConnection::connect_with(&building)
            .await
            .expect("the template answers");
        migrator.run(&mut connection).await.expect("the migrations run");
        connection.close().await.expect("the server answers");
        client
            .batch_execute(&format!("alter database building rename to {name}"))
            .await
            .unwrap();
    }
    name
}

/// Drops what killed test processes left.
async fn sweep(client: &Client) {
    let named = "select datname from pg_database where datname like 'test\\_%'";
    for row in client.query(named, &[]).await.expect("the server answers") {
        let name: String = row.get(0);
        let pid = name
            .split('_')
            .nth(1)
            .and_then(|pid| pid.parse().ok())
            .and_then(Pid::from_raw);
        if pid.is_some_and(|pid| test_kill_process(pid).is_err()) {
            let _ = client
                .batch_execute(&format!("drop database if exists {name} with (force)"))
                .await;
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
