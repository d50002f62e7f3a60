//! One description of how to reach a database, for both drivers. Never opens a connection, never shows
//! the password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use thiserror::Error;
use tokio_postgres::config::{Host, SslMode};

/// The runtime role, made by the migrations: may read the log and append, never change it.
pub const APP_ROLE: &str = "jari_app";
/// Where the runtime finds its tables.
const APP_SEARCH_PATH: &str = "read_models,public";
const PORT: u16 = 5432;

/// How to reach a database.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    host: Place,
    port: u16,
    user: String,
    password: Option<String>,
    database: String,
    options: Vec<String>,
    prefers_encryption: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Socket(PathBuf),
    Tcp(String),
}

/// Why a database URL can't be used.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Not a URL of a PostgreSQL database.
    #[error("not a PostgreSQL database URL (postgres://user:password@host:5432/database): {0}")]
    Malformed(String),
    /// Encryption is asked for.
    #[error(
        "encrypted connections to the database (sslmode=require and above) are not supported yet; use a socket, a private \
         network or a TLS tunnel"
    )]
    Encrypted,
    /// More than one host.
    #[error("a database URL must name exactly one host")]
    Hosts,
    /// No user.
    #[error("a database URL must name its user")]
    User,
}

impl Connect {
    /// A database behind a socket in this directory.
    #[must_use]
    pub fn socket(directory: &Path, port: u16, user: &str, database: &str) -> Self {
        Self {
            host: Place::Socket(directory.to_path_buf()),
            port,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
            options: Vec::new(),
            prefers_encryption: false,
        }
    }

    /// The same server's other database.
    #[must_use]
    pub fn with_database(mut self, database: &str) -> Self {
        database.clone_into(&mut self.database);
        self
    }

    /// With a setting for every session, as `-c name=value` at its start.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        // A backslash keeps a space inside a value.
        let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
        self.options.push(format!("-c {name}={value}"));
        self
    }

    /// As the runtime connects: with the role that can't change the log. Only once migrated, for the
    /// migrations make that role.
    #[must_use]
    pub fn as_app(self) -> Self {
        self.with_setting("role", APP_ROLE)
            .with_setting("search_path", APP_SEARCH_PATH)
    }

    /// Whether encryption was asked for where it is possible (`sslmode=prefer`). It is not possible yet.
    #[must_use]
    pub const fn prefers_encryption(&self) -> bool {
        self.prefers_encryption
    }

    /// The name of the database.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Where the server is, for people: host and port, or the socket's directory.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.host {
            Place::Socket(directory) => format!("the socket in {} (port {})", directory.display(), self.port),
            Place::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            Place::Tcp(host) => format!("{host}:{}", self.port),
        }
    }

    /// For tokio-postgres.
    #[must_use]
    pub fn tokio_postgres(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        match &self.host {
            Place::Socket(directory) => config.host_path(directory),
            Place::Tcp(host) => config.host(host),
        };
        config
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .ssl_mode(SslMode::Disable);
        config.application_name("jari");
        if let Some(password) = &self.password {
            config.password(password);
        }
        if !self.options.is_empty() {
            config.options(self.options.join(" "));
        }
        config
    }

    /// For sqlx. Everything is said outright, because its defaults come from `PG…` variables.
    #[must_use]
    pub fn sqlx(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass();
        let options = match &self.host {
            Place::Socket(directory) => options.socket(directory),
            Place::Tcp(host) => options.host(host),
        };
        let options = options
            .port(self.port)
            .username(&self.user)
            .database(&self.database);
        let options = options.ssl_mode(PgSslMode::Disable).application_name("jari");
        let options = match &self.password {
            Some(password) => options.password(password),
            None => options,
        };
        // Each begins as `-c name=value`; sqlx writes the `-c` itself and the rest as it stands.
        options.options(
            self.options
                .iter()
                .filter_map(|option| option.strip_prefix("-c ")?.split_once('=')),
        )
    }

    /// A URL that psql, sqlx and tokio-postgres understand. Holds the password.
    #[must_use]
    pub fn url(&self) -> String {
        let host = match &self.host {
            Place::Socket(directory) => encoded(&directory.to_string_lossy()),
            // A numeric IPv6 address needs its brackets.
            Place::Tcp(host) if host.contains(':') => format!("[{host}]"),
            Place::Tcp(host) => encoded(host),
        };
        let password = self
            .password
            .as_deref()
            .map(|word| format!(":{}", encoded(word)))
            .unwrap_or_default();
        let user = encoded(&self.user);
        let database = encoded(&self.database);
        let options = if self.options.is_empty() {
            String::new()
        } else {
            format!("&options={}", encoded(&self.options.join(" ")))
        };
        format!(
            "postgres://{user}{password}@{host}:{}/{database}?sslmode=disable{options}",
            self.port
        )
    }
}

impl FromStr for Connect {
    type Err = ConnectError;

    /// From a database URL. Without TLS for now: `sslmode=prefer` and `disable` are plain.
    fn from_str(text: &str) -> Result<Self, ConnectError> {
        // The driver's parser knows no stricter modes than `require`, so they are looked for before it refuses them.
        let asked = ssl_mode(text);
        if asked.is_some_and(|mode| mode.starts_with("verify")) {
            return Err(ConnectError::Encrypted);
        }
        let config: tokio_postgres::Config = text
            .parse()
            .map_err(|error: tokio_postgres::Error| ConnectError::Malformed(causes(&error)))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(ConnectError::Encrypted);
        }
        let host = match config.get_hosts() {
            [Host::Tcp(host)] => Place::Tcp(host.trim_matches(['[', ']']).to_owned()),
            [Host::Unix(directory)] => Place::Socket(directory.clone()),
            _ => return Err(ConnectError::Hosts),
        };
        let user = config.get_user().ok_or(ConnectError::User)?.to_owned();
        let options: Vec<String> = config.get_options().map(str::to_owned).into_iter().collect();
        if options
            .iter()
            .any(|option| !option.starts_with("-c ") || !option.contains('='))
        {
            return Err(ConnectError::Malformed(
                "options must be written as -c name=value".to_owned(),
            ));
        }
        let password = config
            .get_password()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        Ok(Self {
            host,
            port: config.get_ports().first().copied().unwrap_or(PORT),
            password,
            database: config.get_dbname().unwrap_or(&user).to_owned(),
            options,
            user,
            prefers_encryption: asked == Some("prefer"),
        })
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connect")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The value of `sslmode`: a parameter of a URL, or a word of a `name=value` text; never a part of a password.
fn ssl_mode(text: &str) -> Option<&str> {
    let is_url = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    if is_url {
        let (_, query) = text.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("sslmode="))
    } else {
        text.split_whitespace()
            .find_map(|word| word.strip_prefix("sslmode="))
            .map(|mode| mode.trim_matches('\''))
    }
}

/// An error and what lies under it, on one line. The driver's own text quotes nothing of the URL but a name that it
/// does not know, which is a part of the password where that holds a space.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(error.source(), |error| error.source());
    let text = chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    match text.split_once("unknown option") {
        Some((before, _)) => format!("{before}unknown option"),
        None => text,
    }
}

/// Percent-encoding of all but letters, digits and `-._~` (RFC 3986, unreserved).
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
