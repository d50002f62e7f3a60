//! `jari serve`: the server, until it is told to stop.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::{database::Database, failure::Failure, output::note};
use crate::{
    config::{Config, DatabaseArgs, HttpArgs},
    server::Server,
};

/// Serve HTTP, with projections and policies.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  JARI_ADMIN_TOKEN=$(openssl rand -hex 32) jari serve --port 8080\n  \
    JARI_DATABASE_URL=postgres://… JARI_SECRET=… JARI_ADMIN_TOKEN=… jari serve --host 0.0.0.0"
)]
pub(super) struct Args {
    /// The token that admins send as Authorization: Bearer …
    #[arg(long, env = "JARI_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    #[command(flatten)]
    http: HttpArgs,
}

pub(super) async fn run(database: &DatabaseArgs, args: Args) -> Result<ExitCode, Failure> {
    let missing =
        || Failure::Config("jari serve needs JARI_ADMIN_TOKEN (try: openssl rand -hex 32)".to_owned());
    let admin_token = args.admin_token.ok_or_else(missing)?;
    let mut database = Database::open(database).await?;
    database.keep_alive();
    database.prepare().await?;
    let config = Config {
        database: database.owner.clone(),
        secret: database.secret()?,
        admin_token,
        http: args.http,
    };
    raise_file_limit();
    let server = Server::start(config).await?;
    note(&format!("listening on http://{}", server.address));
    until_told().await?;
    stop(server, database).await
}

/// Stops in order; told again, at once. What was acknowledged is in the log either way.
pub(super) async fn stop(server: Server, database: Database) -> Result<ExitCode, Failure> {
    note("stopping");
    tokio::select! {
        () = server.shutdown() => {}
        told = until_told() => {
            note("stopping at once");
            told?;
        }
    }
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn until_told() -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::io("listening for signals"))?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.map_err(Failure::io("listening for signals")),
        _ = terminate.recv() => Ok(()),
    }
}

/// Every connection is an open file, and the usual soft limit is far below the hard one.
pub(super) fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
