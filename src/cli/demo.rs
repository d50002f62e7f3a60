//! `jari demo`: the whole thing with sample chains on this machine, ready to be looked at.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    database::Database,
    failure::Failure,
    output::{line, note, progress},
    serve::{raise_file_limit, stop, until_told},
};
use crate::{
    config::{Config, DatabaseArgs, HttpArgs, hex},
    import::{self, Progress, samples},
    postgres::Settings,
    server::Server,
};

/// Days for which sales are opened.
const SALES_DAYS: u16 = 7;

/// Start everything with sample data on this machine, to look around.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jari demo\n  jari demo --port 9000")]
pub(super) struct Args {
    /// What admins send as Authorization: Bearer …; made up if not given
    #[arg(long, env = "JARI_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    #[command(flatten)]
    http: HttpArgs,
}

pub(super) async fn run(mut database: DatabaseArgs, args: Args) -> Result<ExitCode, Failure> {
    if database.database_url.is_none() && database.data_dir.is_none() {
        // Apart from the data of a real server on the same machine.
        let beside: PathBuf = Settings::default_data_dir()?.join("demo");
        database.data_dir = Some(beside);
    }
    note("starting PostgreSQL …");
    let mut database = Database::open(&database).await?;
    database.keep_alive();
    database.migrate().await?;
    let admin_token = args.admin_token.unwrap_or_else(made_up_token);
    let config = Config {
        database: database.owner.clone(),
        secret: database.secret()?,
        admin_token: admin_token.clone(),
        http: args.http,
    };
    raise_file_limit();
    let server = Server::start(config).await?;
    if let Err(failure) = fill(&server).await {
        server.shutdown().await;
        database.close().await?;
        return Err(failure);
    }
    tell(&server, &admin_token)?;
    until_told().await?;
    stop(server, database).await
}

/// Imports the sample chains and opens their sales; what is there already stays.
async fn fill(server: &Server) -> Result<(), Failure> {
    let paths: Vec<&Path> = samples::CATALOGUES.iter().map(Path::new).collect();
    let catalogues = import::read(samples::SOURCE, &paths)?;
    let bar = progress("importing the sample chains");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = import::import(server.store(), &catalogues, &on_progress).await?;
    bar.finish_and_clear();
    let bar = progress("opening sales for the coming week");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let opened = import::open_sales(server.store(), &catalogues, SALES_DAYS, &on_progress).await?;
    bar.finish_and_clear();
    note(&format!(
        "{} things and {} time slots are there",
        imported.things,
        opened.scheduled + opened.present
    ));
    Ok(())
}

fn tell(server: &Server, admin_token: &str) -> Result<(), Failure> {
    let address = server.address;
    line(&format!(
        "Jari is ready.\n\n  \
         API and its pages   http://{address}/docs\n  \
         branches            http://{address}/v1/branches\n  \
         health, metrics     http://{address}/health/ready  http://{address}/metrics\n  \
         admin sign-in       Authorization: Bearer {admin_token}\n\n\
         Ctrl-C stops it; the data stays."
    ))
}

fn made_up_token() -> String {
    let bytes: [u8; 24] = rand::random();
    hex(&bytes)
}
