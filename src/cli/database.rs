//! The database a subcommand works on: the one that was named, or the private one, started and stopped here; never
//! makes one for a subcommand that only looks.

use std::{
    convert::Infallible,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinHandle;

use super::{failure::Failure, output::note};
use crate::{
    config::{DatabaseArgs, DatabaseUrl, TypedSecret},
    migrate::{self, Migrated, NotMigrated, Schema},
    postgres::{
        Cluster, Connect, Search, Settings,
        install::{Consent, ensure_installed},
    },
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault, hex},
};

/// The name of our database on the private server.
const NAME: &str = "jari";
/// The file of the private database's master secret.
const SECRET_FILE: &str = "master-secret";
/// Where `jari demo` keeps its data, below the default data directory.
pub(super) const DEMO_DIRECTORY: &str = "demo";

/// A database, ready to be used.
pub(super) struct Database {
    /// How to connect as its owner.
    pub owner: Connect,
    /// Whether it is the private one.
    private: bool,
    secret: Option<MasterSecret>,
    cluster: Option<Arc<Cluster>>,
    keeping: Option<JoinHandle<Infallible>>,
}

impl Database {
    /// The database that was named, or the private one: made if there is none, started if it does not run.
    pub async fn open(args: &DatabaseArgs) -> Result<Self, Failure> {
        needs_secret(args)?;
        Self::open_to_migrate(args).await
    }

    /// The same for who reads and writes no event: a named database needs no secret then.
    pub async fn open_to_migrate(args: &DatabaseArgs) -> Result<Self, Failure> {
        if let Some(named) = Self::named(args) {
            return Ok(named);
        }
        let data_dir = data_dir(args)?;
        let cluster = start(args, &data_dir).await?;
        migrate::ensure_database(cluster.owner(), NAME).await?;
        let owner = cluster.owner().clone().with_database(NAME);
        let secret = match typed_secret(args) {
            Some(secret) => secret,
            None => kept_secret(&data_dir.join(SECRET_FILE)).map_err(Failure::io("the master secret"))?,
        };
        Ok(Self::on(cluster, owner, secret))
    }

    /// The same for subcommands that only work on what is there: a database that was never migrated is refused, and
    /// nothing is made.
    pub async fn open_existing(args: &DatabaseArgs) -> Result<Self, Failure> {
        needs_secret(args)?;
        if let Some(named) = Self::named(args) {
            named.check().await?;
            return Ok(named);
        }
        let data_dir = data_dir(args)?;
        if !Cluster::exists(&data_dir) {
            return Err(nothing_in(&data_dir));
        }
        let cluster = start(args, &data_dir).await?;
        let owner = cluster.owner().clone().with_database(NAME);
        let secret = match (migrate::schema(&owner).await, typed_secret(args)) {
            (Ok(Schema::Missing), _) => Err(nothing_in(&data_dir)),
            (Ok(Schema::Behind), _) => Err(behind()),
            (Ok(Schema::Current), Some(secret)) => Ok(secret),
            (Ok(Schema::Current), None) => {
                read_secret(&data_dir.join(SECRET_FILE)).map_err(Failure::io("the master secret"))
            }
            (Err(error), _) => Err(Failure::at(&owner, error)),
        };
        match secret {
            Ok(secret) => Ok(Self::on(cluster, owner, secret)),
            Err(failure) => {
                cluster.stop().await?;
                Err(failure)
            }
        }
    }

    fn named(args: &DatabaseArgs) -> Option<Self> {
        let DatabaseUrl(owner) = args.database_url.as_ref()?;
        if owner.prefers_encryption() {
            tracing::warn!("the database connection is not encrypted: sslmode=prefer is not supported yet");
        }
        Some(Self {
            owner: owner.clone(),
            private: false,
            secret: typed_secret(args),
            cluster: None,
            keeping: None,
        })
    }

    fn on(cluster: Cluster, owner: Connect, secret: MasterSecret) -> Self {
        Self {
            owner,
            private: true,
            secret: Some(secret),
            cluster: Some(Arc::new(cluster)),
            keeping: None,
        }
    }

    /// Migrates the private database, which belongs to this program alone; another one is migrated when its owner says
    /// so, and until then it is refused.
    pub async fn prepare(&self) -> Result<(), Failure> {
        if self.private {
            self.migrate().await.map(drop)
        } else {
            self.check().await
        }
    }

    async fn check(&self) -> Result<(), Failure> {
        let schema = migrate::schema(&self.owner).await;
        match schema.map_err(|error| Failure::at(&self.owner, error))? {
            Schema::Missing => Err(Failure::NoDatabase(format!(
                "the database {} is not a Jari database yet; run `jari migrate` first, or name another one with \
                 --database-url",
                self.owner.database()
            ))),
            Schema::Behind => Err(behind()),
            Schema::Current => Ok(()),
        }
    }

    /// The master secret of the vault.
    pub fn secret(&self) -> Result<MasterSecret, Failure> {
        self.secret.clone().ok_or_else(no_secret)
    }

    /// Creates or updates its schema.
    pub async fn migrate(&self) -> Result<Migrated, Failure> {
        match migrate::migrate(&self.owner).await {
            Err(NotMigrated::Database(error)) => Err(Failure::at(&self.owner, error)),
            migrated => Ok(migrated?),
        }
    }

    /// How the runtime connects.
    pub async fn runtime(&self) -> Result<Connect, Failure> {
        let runtime = migrate::as_runtime(&self.owner).await;
        runtime.map_err(|error| Failure::at(&self.owner, error))
    }

    /// For questions to its read models, one at a time; connects when the first is asked.
    pub async fn reads(&self) -> Result<PgPool, Failure> {
        let options = self.runtime().await?.sqlx();
        Ok(PgPoolOptions::new().max_connections(1).connect_lazy_with(options))
    }

    /// From now on starts the private server again by itself if it dies, until [`Database::close`].
    pub fn keep_alive(&mut self) {
        self.keeping = self
            .cluster
            .clone()
            .map(|cluster| tokio::spawn(async move { cluster.keep_alive().await }));
    }

    /// Its log.
    pub async fn store(&self) -> Result<Store, Failure> {
        let database = self.runtime().await?.tokio_postgres();
        let settings = StoreSettings {
            database,
            upcasters: Upcasters::default(),
        };
        Ok(Store::open(settings, Vault::new(&self.secret()?)).await?)
    }

    /// One connection for what is not in the log.
    pub async fn pool(&self) -> Result<PgPool, Failure> {
        let runtime = self.runtime().await?;
        let options = PgPoolOptions::new().max_connections(1);
        Ok(options.connect_lazy_with(runtime.sqlx()))
    }

    /// Stops the private server, if nobody else uses it. To be called when all connections are closed.
    pub async fn close(self) -> Result<(), Failure> {
        if let Some(keeping) = self.keeping {
            keeping.abort();
            // It ended because it was told to.
            let _ = keeping.await;
        }
        match self.cluster.and_then(Arc::into_inner) {
            Some(cluster) => Ok(cluster.stop().await?),
            None => Ok(()),
        }
    }
}

/// Starts the private server, or uses the one that runs.
async fn start(args: &DatabaseArgs, data_dir: &Path) -> Result<Cluster, Failure> {
    let consent = if args.no_install {
        Consent::Refused
    } else {
        Consent::AskOnTerminal
    };
    let search = args
        .program_path
        .clone()
        .map_or_else(Search::system, Search::within);
    let wanted = search.clone();
    let installed = tokio::task::spawn_blocking(move || ensure_installed(&wanted, consent)).await;
    installed.map_err(|error| Failure::io("looking for PostgreSQL")(error.into()))??;
    let mut settings = Settings::new(data_dir.to_path_buf());
    settings.search = search;
    settings.helper = std::env::current_exe().ok();
    Ok(Cluster::start(settings).await?)
}

/// Where the private database lies. It must not depend on where the program is started next time.
fn data_dir(args: &DatabaseArgs) -> Result<PathBuf, Failure> {
    match &args.data_dir {
        Some(directory) => std::path::absolute(directory).map_err(Failure::io("the data directory")),
        None => Ok(Settings::default_data_dir()?),
    }
}

/// Refuses a named database without its secret before anybody connects to it; the private one keeps its own.
pub(super) fn needs_secret(args: &DatabaseArgs) -> Result<(), Failure> {
    match (&args.database_url, &args.secret) {
        (Some(_), None) => Err(no_secret()),
        (Some(_) | None, _) => Ok(()),
    }
}

fn no_secret() -> Failure {
    Failure::Config(
        "an external database needs JARI_SECRET: 32 bytes as hex or base64, kept safe and never changed \
         (try: openssl rand -hex 32)"
            .to_owned(),
    )
}

fn nothing_in(data_dir: &Path) -> Failure {
    let demo = data_dir.join(DEMO_DIRECTORY);
    let instead = if Cluster::exists(&demo) {
        format!("the one of `jari demo` is in {}", demo.display())
    } else {
        "start `jari demo` or `jari serve` first".to_owned()
    };
    Failure::NoDatabase(format!(
        "there is no Jari database in {}; {instead}, or name another directory with --data-dir",
        data_dir.display()
    ))
}

fn behind() -> Failure {
    Failure::NoDatabase("the database is older than this program; run `jari migrate` first".to_owned())
}

fn typed_secret(args: &DatabaseArgs) -> Option<MasterSecret> {
    args.secret.as_ref().map(|TypedSecret(secret)| secret.clone())
}

/// The secret in this file, made once. Two programs that start at once agree, because only one makes the file.
fn kept_secret(path: &Path) -> io::Result<MasterSecret> {
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(mut file) => {
            let bytes: [u8; 32] = rand::random();
            let text = hex(&bytes);
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            note(&format!(
                "created the secret that seals personal data: {} (keep a copy)",
                path.display()
            ));
            Ok(MasterSecret::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_secret(path),
        Err(error) => Err(error),
    }
}

fn read_secret(path: &Path) -> io::Result<MasterSecret> {
    let named =
        |kind, error: &dyn std::fmt::Display| io::Error::new(kind, format!("{}: {error}", path.display()));
    let file = fs::File::open(path).map_err(|error| named(error.kind(), &error))?;
    let mut text = String::new();
    file.take(1024).read_to_string(&mut text)?;
    let secret: Result<TypedSecret, _> = text.parse();
    secret
        .map(|TypedSecret(secret)| secret)
        .map_err(|error| named(io::ErrorKind::InvalidData, &error))
}
