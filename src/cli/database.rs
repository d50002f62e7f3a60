//! The database a subcommand works on: the one that was named, or the private one, started and stopped here.

use std::{
    convert::Infallible,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task::JoinHandle;

use super::{failure::Failure, output::note};
use crate::{
    config::{DatabaseArgs, DatabaseUrl, TypedSecret, hex},
    migrate::{self, Migrated},
    postgres::{
        Cluster, Connect, Search, Settings,
        install::{Consent, ensure_installed},
    },
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};

/// The name of our database on the private server.
const NAME: &str = "jari";
/// The file of the private database's master secret.
const SECRET_FILE: &str = "master-secret";

/// A database, ready to be used.
pub(super) struct Database {
    /// How to connect as its owner.
    pub owner: Connect,
    /// Whether it is the private one.
    pub private: bool,
    secret: Option<MasterSecret>,
    cluster: Option<Arc<Cluster>>,
    keeping: Option<JoinHandle<Infallible>>,
}

impl Database {
    /// The database that was named, or the private one, started if it does not run.
    pub async fn open(args: &DatabaseArgs) -> Result<Self, Failure> {
        let secret = args.secret.as_ref().map(|TypedSecret(secret)| secret.clone());
        if let Some(DatabaseUrl(owner)) = &args.database_url {
            return Ok(Self {
                owner: owner.clone(),
                private: false,
                secret,
                cluster: None,
                keeping: None,
            });
        }
        let data_dir = match &args.data_dir {
            Some(directory) => absolute(directory)?,
            None => Settings::default_data_dir()?,
        };
        let consent = if args.no_install {
            Consent::Refused
        } else {
            Consent::AskOnTerminal
        };
        let installed =
            tokio::task::spawn_blocking(move || ensure_installed(&Search::system(), consent)).await;
        installed.map_err(|error| Failure::io("looking for PostgreSQL")(error.into()))??;
        let mut settings = Settings::new(data_dir.clone());
        settings.helper = std::env::current_exe().ok();
        let cluster = Cluster::start(settings).await?;
        migrate::ensure_database(cluster.owner(), NAME).await?;
        let owner = cluster.owner().clone().with_database(NAME);
        let secret = match secret {
            Some(secret) => secret,
            None => kept_secret(&data_dir.join(SECRET_FILE)).map_err(Failure::io("the master secret"))?,
        };
        Ok(Self {
            owner,
            private: true,
            secret: Some(secret),
            cluster: Some(Arc::new(cluster)),
            keeping: None,
        })
    }

    /// The master secret of the vault.
    pub fn secret(&self) -> Result<MasterSecret, Failure> {
        let missing = || {
            Failure::Config(
                "an external database needs JARI_SECRET: 32 bytes as hex or base64, kept safe and never changed \
                 (try: openssl rand -hex 32)"
                    .to_owned(),
            )
        };
        self.secret.clone().ok_or_else(missing)
    }

    /// Brings it to the form this program needs.
    pub async fn migrate(&self) -> Result<Migrated, Failure> {
        Ok(migrate::migrate(&self.owner).await?)
    }

    /// How the runtime connects.
    pub async fn runtime(&self) -> Result<Connect, Failure> {
        Ok(migrate::as_runtime(&self.owner).await?)
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

/// The data directory must not depend on where the program is started next time.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::io("the data directory"))
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
                "made the secret that seals personal data: {} (keep a copy)",
                path.display()
            ));
            Ok(MasterSecret::new(bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut text = String::new();
            fs::File::open(path)?.take(1024).read_to_string(&mut text)?;
            let secret: Result<TypedSecret, _> = text.parse();
            let damaged =
                |error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()));
            secret.map(|TypedSecret(secret)| secret).map_err(damaged)
        }
        Err(error) => Err(error),
    }
}
