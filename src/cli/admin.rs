//! `jari admin create`: makes an admin, the first one among them, from where the database is reached; never takes a
//! password as an argument, where other programs could read it.

use std::{
    collections::BTreeSet,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    process::ExitCode,
};

use aggregates::{
    admin::{Admin, AdminCommand},
    ids::{AdminId, BranchId},
    rights::{Authority, RoleName},
    values::{CustomerName, LoginId, PhoneNumber},
};
use rustix::termios::{self, LocalModes, OptionalActions, Termios};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{database::Database, failure::Failure, output};
use crate::{
    admin_commands::{self, NotDone},
    config::DatabaseArgs,
    people,
    store::{Request, Stop, Store},
    vault::{Credentials, Password},
};

/// Who this program acts as.
const ACTOR: &str = "command line";

/// Make admins.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make an admin; the password is read from standard input
    Create(Create),
}

/// Make an admin; the password is read from standard input.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first line of standard input is the password, 8 to 64 characters; on a terminal it is asked for.\n\n\
    Example:\n  jari admin create --login minseo --name 김민서\n  \
    jari admin create --login jiho --name 이지호 --role BRANCH_MANAGER --branch 0192d3a0-0000-7000-8000-000000000001"
)]
struct Create {
    /// What they sign in with: up to 20 letters, digits, dots, dashes and underscores
    #[arg(long, value_name = "LOGIN")]
    login: LoginId,
    /// Their name
    #[arg(long, value_name = "NAME")]
    name: CustomerName,
    /// The number to call
    #[arg(long, value_name = "NUMBER")]
    phone: Option<PhoneNumber>,
    /// A role of theirs; can be given several times
    #[arg(long = "role", value_name = "ROLE", default_value = "HEAD_OFFICE")]
    roles: Vec<RoleName>,
    /// A branch of theirs, by its id; can be given several times
    #[arg(long = "branch", value_name = "ID")]
    branches: Vec<BranchId>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: Args) -> Result<ExitCode, Failure> {
    let Command::Create(args) = args.command;
    let password = password(&args.login)?;
    let database = Database::open(database).await?;
    database.prepare().await?;
    let store = database.store().await?;
    let pool = database.pool().await?;
    let credentials = Credentials::new(pool.clone(), store.vault());
    let json = args.json;
    let command = AdminCommand::Enlist {
        login: args.login,
        name: args.name,
        phone: args.phone,
        roles: args.roles.into_iter().collect::<BTreeSet<_>>(),
        branches: args.branches.into_iter().collect(),
    };
    let made = make(&store, &credentials, command, &password).await;
    pool.close().await;
    store.close().await;
    database.close().await?;
    let id = made?;
    if json {
        output::json(&json!({ "id": id }))?;
    } else {
        output::line(&format!("admin {id} can sign in"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes an admin who can sign in.
pub(super) async fn make(
    store: &Store,
    credentials: &Credentials,
    command: AdminCommand,
    password: &Password,
) -> Result<AdminId, Failure> {
    let id = AdminId::new(Uuid::now_v7());
    let request = Request::system(ACTOR, "admins/enlist");
    let by = Authority::whole();
    let made = admin_commands::send::<Admin>(store, &request, &by, &id, &command).await;
    made.map_err(refused)?;
    give(store, credentials, id, password).await?;
    Ok(id)
}

/// Gives an admin a password.
pub(super) async fn give(
    store: &Store,
    credentials: &Credentials,
    id: AdminId,
    password: &Password,
) -> Result<(), Failure> {
    let request = Request::system(ACTOR, "admins/give-password");
    let changed = people::password_changed(store, &request, id, None).await;
    changed.map_err(|stop| match stop {
        Stop::Refused(denied) => Failure::Refused(denied.to_string()),
        Stop::Store(error) => error.into(),
    })?;
    credentials.change(&people::principal(id), password).await?;
    Ok(())
}

fn refused(stop: Stop<NotDone>) -> Failure {
    match stop {
        Stop::Refused(not_done) => Failure::Refused(not_done.to_string()),
        Stop::Store(error) => error.into(),
    }
}

/// The password that is typed, or comes first on standard input.
fn password(login: &LoginId) -> Result<Password, Failure> {
    let reading = || Failure::io("reading the password");
    let stdin = io::stdin();
    let _hidden = if stdin.is_terminal() {
        let mut stderr = io::stderr();
        write!(stderr, "Password for {login}: ").map_err(Failure::io("asking for the password"))?;
        Some(Hidden::begin().map_err(reading())?)
    } else {
        None
    };
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line).map_err(reading())?;
    let typed = line.trim_end_matches(['\r', '\n']);
    typed
        .parse()
        .map_err(|error| Failure::Usage(format!("the password {error}")))
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> io::Result<Self> {
        let shown = termios::tcgetattr(io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The line that was ended was not shown either; nobody may be there to read it.
        let _ = writeln!(io::stderr());
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
