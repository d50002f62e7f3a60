//! `jari demo`: the whole thing with sample chains on this machine, ready to be looked at; never on a database that
//! somebody uses.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use aggregates::{admin::AdminCommand, rights::RoleName, values::LoginId};

use super::{
    admin,
    database::{DEMO_DIRECTORY, Database, needs_secret},
    failure::Failure,
    output::{line, note, progress},
    serve::{Told, raise_file_limit, ready_to_start, stop},
};
use crate::{
    config::{Config, DatabaseArgs, HttpArgs, NoticeArgs},
    import::{self, Catalogue, Known, Progress, samples},
    people,
    postgres::Settings,
    server::Server,
    store::Store,
    vault::{Credentials, Password, hex},
};

/// What the demo's admin signs in with.
const LOGIN: &str = "demo";
/// Days for which sales are opened.
const SALES_DAYS: u16 = 7;
/// How often they are opened while the demo runs.
const SALES_EVERY: Duration = Duration::from_secs(60 * 60);

/// Start everything with sample data on this machine, to look around.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jari demo\n  jari demo --port 9000")]
pub(super) struct Args {
    /// The token that admins send as Authorization: Bearer …; generated if not given
    #[arg(long, env = "JARI_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    admin_token: Option<String>,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    notices: NoticeArgs,
}

pub(super) async fn run(mut database: DatabaseArgs, args: Args) -> Result<ExitCode, Failure> {
    if database.database_url.is_none() && database.data_dir.is_none() {
        // Apart from the data of a real server on the same machine.
        let beside: PathBuf = Settings::default_data_dir()?.join(DEMO_DIRECTORY);
        database.data_dir = Some(beside);
    }
    needs_secret(&database)?;
    let admin_token = args.admin_token.unwrap_or_else(generated_token);
    let door = ready_to_start(Some(&admin_token), &args.http)?;
    if database.database_url.is_none() {
        note("starting PostgreSQL …");
    }
    let verify = verify_command(&database);
    let mut database = Database::open(&database).await?;
    // From here on there is something to be stopped in order.
    let mut told = Told::listen()?;
    database.keep_alive();
    database.migrate().await?;
    let config = Config {
        database: database.owner.clone(),
        secret: database.secret()?,
        admin_token: Some(admin_token.clone()),
        http: args.http,
        notices: args.notices,
    };
    raise_file_limit();
    let paths: Vec<&Path> = samples::CATALOGUES.iter().map(Path::new).collect();
    let catalogues = import::read(samples::SOURCE, &paths)?;
    let server = Server::start_at(door, config).await?;
    // Whoever stops it while it is being filled stops it as cleanly as later.
    let run = async {
        fill(&server, &catalogues).await?;
        let password = sign_in(&server, &database).await?;
        tell(&server, &admin_token, &password, &verify)?;
        keep_selling(server.store(), &catalogues).await;
        Ok(())
    };
    let ran = tokio::select! {
        () = told.wait() => Ok(()),
        failed = run => failed,
    };
    if let Err(failure) = ran {
        server.shutdown().await;
        database.close().await?;
        return Err(failure);
    }
    stop(server, database).await
}

/// Imports the sample chains and opens their sales; what is there already stays, changed or closed as it may be.
async fn fill(server: &Server, catalogues: &[Catalogue]) -> Result<(), Failure> {
    note("importing the sample chains …");
    let bar = progress("importing");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = import::import(server.store(), catalogues, Known::Stays, &on_progress).await?;
    bar.finish_and_clear();
    let bar = progress("opening sales for the coming week");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let opened = import::open_sales(server.store(), catalogues, SALES_DAYS, &on_progress).await?;
    bar.finish_and_clear();
    note(&format!(
        "{} catalogue entries and {} time slots are ready",
        imported.things,
        opened.scheduled + opened.present
    ));
    Ok(())
}

/// Opens the days that come while the demo runs. The weekly programmes of cinemas are in the files alone.
async fn keep_selling(store: &Store, catalogues: &[Catalogue]) {
    loop {
        tokio::time::sleep(SALES_EVERY).await;
        if let Err(error) = import::open_sales(store, catalogues, SALES_DAYS, &|_| {}).await {
            tracing::warn!(%error, "the coming days could not be opened yet");
        }
    }
}

fn tell(server: &Server, admin_token: &str, password: &str, verify: &str) -> Result<(), Failure> {
    let address = server.address;
    line(&format!(
        "Jari is ready.\n\n  \
         API and its pages   http://{address}/docs\n  \
         branches            http://{address}/v1/branches\n  \
         health, metrics     http://{address}/health/ready  http://{address}/metrics\n  \
         admin token         Authorization: Bearer {admin_token}\n  \
         admin sign-in       POST http://{address}/v1/admin/sessions  {{\"login\":\"{LOGIN}\",\"password\":\"{password}\"}}\n  \
         prove the history   {verify}\n\n\
         Ctrl-C stops it; the data stays."
    ))
}

/// The demo's admin, with a new password each time; says which.
async fn sign_in(server: &Server, database: &Database) -> Result<String, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let text = generated_token();
    let password: Password = text.parse().map_err(|error| usage(&error))?;
    let login: LoginId = LOGIN.parse().map_err(|error| usage(&error))?;
    let store = server.store();
    let pool = database.pool().await?;
    let credentials = Credentials::new(pool.clone(), store.vault());
    let known = people::admin_by_login(store, &login).await?;
    let made = if let Some(id) = known {
        admin::give(store, &credentials, id, &password).await
    } else {
        let command = AdminCommand::Enlist {
            login,
            name: LOGIN.parse().map_err(|error| usage(&error))?,
            phone: None,
            roles: [RoleName::head_office()].into(),
            branches: std::collections::BTreeSet::new(),
        };
        admin::make(store, &credentials, command, &password)
            .await
            .map(drop)
    };
    pool.close().await;
    made.map(|()| text)
}

/// The command that proves this demo's history, to be copied: the program as it was called, on the same database.
fn verify_command(database: &DatabaseArgs) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "jari".to_owned());
    match &database.data_dir {
        Some(directory) if database.database_url.is_none() => {
            let program = quoted(&program);
            format!(
                "{program} verify --data-dir {}",
                quoted(&directory.to_string_lossy())
            )
        }
        // With the same JARI_ settings; a database's URL may hold a password, so it is not repeated.
        Some(_) | None => format!("{} verify", quoted(&program)),
    }
}

/// A word for the shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |letter: char| letter.is_alphanumeric() || "-._/+:@".contains(letter);
    if text.chars().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

fn generated_token() -> String {
    let bytes: [u8; 24] = rand::random();
    hex(&bytes)
}
