//! `jari serve`: the server, until it is told to stop; never what it answers.

use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    database::{Database, needs_secret},
    failure::Failure,
    output::note,
};
use crate::{
    config::{Config, DatabaseArgs, HttpArgs, NoticeArgs},
    server::{Door, Server, admin_token},
};

/// Serve HTTP, with projections and policies.
#[derive(Debug, clap::Args)]
#[command(after_help = "The first admin is made with `jari admin create`.\n\n\
    Example:\n  jari serve --port 8080\n  \
    JARI_DATABASE_URL=postgres://… JARI_SECRET=… jari serve --host 0.0.0.0")]
pub(super) struct Args {
    /// A token that may do everything, sent as Authorization: Bearer …; it is no person: leave it out where admins sign in
    #[arg(long, env = "JARI_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    notices: NoticeArgs,
}

pub(super) async fn run(database: &DatabaseArgs, args: Args) -> Result<ExitCode, Failure> {
    needs_secret(database)?;
    let door = ready_to_start(args.admin_token.as_deref(), &args.http)?;
    let mut database = Database::open(database).await?;
    // From here on there is something to be stopped in order.
    let mut told = Told::listen()?;
    database.keep_alive();
    database.prepare().await?;
    let config = Config {
        database: database.owner.clone(),
        secret: database.secret()?,
        admin_token: args.admin_token,
        http: args.http,
        notices: args.notices,
    };
    raise_file_limit();
    let server = Server::start_at(door, config).await?;
    note(&format!("listening on http://{}", server.address));
    told.wait().await;
    stop(server, database).await
}

/// Everything that can keep a server from starting and needs no database, before one is started for it.
pub(super) fn ready_to_start(token: Option<&str>, http: &HttpArgs) -> Result<Door, Failure> {
    token.map(admin_token).transpose()?;
    Ok(Door::at(http.listen())?)
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

/// Ctrl-C and SIGTERM; from here on they no longer end the process by themselves.
pub(super) struct Told {
    interrupt: Signal,
    terminate: Signal,
}

impl Told {
    /// Listens for both from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::io("listening for signals"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// Waits for one of them; one that came since the last wait counts.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn until_told() -> Result<(), Failure> {
    Told::listen()?.wait().await;
    Ok(())
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
