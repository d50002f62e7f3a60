//! The command line: one binary, its roles as subcommands, and what their exit codes mean; never a rule.

mod admin;
mod database;
mod demo;
mod events;
mod failure;
mod import;
mod migrate;
mod open_sales;
mod output;
mod problems;
mod rebuild;
mod replay;
mod serve;
mod ticket;
mod verify;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{
    CommandFactory as _, Parser, Subcommand,
    error::{ContextKind, ContextValue, ErrorKind},
};

use self::failure::Failure;
use crate::{config::DatabaseArgs, postgres::child, telemetry};

const AFTER_HELP: &str = "\
Exit codes:
   0  done
   1  something failed; the message says what
   2  jari verify found a violation
   3  jari import left time slots that differ from the files; a person must decide
  64  the command line is wrong
  69  there is no database, it does not answer, or it cannot be installed
  73  the private database cannot be created
  74  a file or directory cannot be used
  75  another program is in the way; try again
  78  the configuration is wrong

Settings can be given as flags or as environment variables that begin with JARI_.
Colours follow NO_COLOR.";

/// A booking engine whose database is its history.
#[derive(Debug, Parser)]
#[command(name = "jari", version, about, after_help = AFTER_HELP, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    log: telemetry::LogArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything with sample data on this machine, to look around
    Demo(On<demo::Args>),
    /// Serve HTTP, with projections and policies
    Serve(On<serve::Args>),
    /// Create or update the database schema
    Migrate(On<migrate::Args>),
    /// Import catalogue files: branches, movies, themes, halls, prices
    Import(On<import::Args>),
    /// Open the coming days of every active theme
    OpenSales(On<open_sales::Args>),
    /// List or follow the log
    Events(On<events::Args>),
    /// Replay the log step by step, in sentences
    Replay(On<replay::Args>),
    /// Rebuild read models from the log, without downtime
    Rebuild(On<rebuild::Args>),
    /// Prove that the log keeps its promises and the read models equal it
    Verify(On<verify::Args>),
    /// Make admins
    Admin(On<admin::Args>),
    /// Check tickets without network
    Ticket(ticket::Args),
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  jari openapi > openapi.json")]
    Openapi,
    /// Print every refusal: type, status, and what the caller can do
    Problems(problems::Args),
    /// Watch over the private PostgreSQL (used by Jari itself)
    #[command(name = child::SUBCOMMAND, hide = true)]
    PostgresChild,
}

/// A subcommand that works on a database.
#[derive(Debug, clap::Args)]
struct On<A: clap::Args> {
    #[command(flatten)]
    args: A,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Does what the arguments say.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(code) = child::dispatch(args.clone()) {
        return code;
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = match wrong_value(&error, &args) {
                Some(text) => writeln!(std::io::stderr(), "error: {text}"),
                None => error.print(),
            };
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(failure::USAGE)
            };
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(failure) if failure.is_enough() => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            failure.exit_code()
        }
    }
}

/// What is said of a value that cannot be used: where it came from, and never the value itself if it is a secret.
fn wrong_value(error: &clap::Error, args: &[OsString]) -> Option<String> {
    use std::error::Error as _;
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        Some(_) | None => None,
    };
    let name = context(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::ValueValidation)?;
    let why = error.source()?;
    let mut command = Cli::command();
    // How an argument is written is known only then.
    command.build();
    let mut known = command
        .get_subcommands()
        .chain([&command])
        .flat_map(clap::Command::get_arguments);
    let argument = known.find(|argument| argument.to_string() == *name);
    let typed = |long: &str| {
        let flag = format!("--{long}");
        let mut given = args.iter().map(|word| word.to_string_lossy());
        given.any(|word| {
            word.strip_prefix(&flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    let variable = argument
        .filter(|argument| !argument.get_long().is_some_and(typed))
        .and_then(|argument| argument.get_env())
        .map_or_else(String::new, |name| format!(" from {}", name.display()));
    // What must not be seen in the help must not be seen here either.
    let value = context(ContextKind::InvalidValue)
        .filter(|_| argument.is_some_and(|argument| !argument.is_hide_env_values_set()))
        .map_or_else(String::new, |value| format!(" '{value}'"));
    Some(format!(
        "invalid value{value}{variable} for '{name}': {why}\n\nFor more information, try '--help'."
    ))
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    telemetry::start(&cli.log).map_err(|error| Failure::Usage(format!("--log: {error}")))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::io("starting"))?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(On { database, args }) => demo::run(database, args).await,
            Command::Serve(On { database, args }) => serve::run(&database, args).await,
            Command::Migrate(On { database, args }) => migrate::run(&database, &args).await,
            Command::Import(On { database, args }) => import::run(&database, &args).await,
            Command::OpenSales(On { database, args }) => open_sales::run(&database, &args).await,
            Command::Events(On { database, args }) => events::run(&database, &args).await,
            Command::Replay(On { database, args }) => replay::run(&database, &args).await,
            Command::Rebuild(On { database, args }) => rebuild::run(&database, &args).await,
            Command::Verify(On { database, args }) => verify::run(&database, &args).await,
            Command::Admin(On { database, args }) => admin::run(&database, args).await,
            Command::Ticket(args) => ticket::run(&args),
            Command::Openapi => {
                output::line(crate::http::openapi::text())?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Problems(args) => problems::run(&args),
            Command::PostgresChild => Err(Failure::Usage("only Jari itself uses this command".to_owned())),
        }
    })
}

/// The help of the program and of each subcommand, for a golden.
#[must_use]
pub fn help() -> String {
    // What the environment holds just now is no part of it.
    let mut command = Cli::command()
        .term_width(100)
        .mut_args(|argument| argument.hide_env_values(true));
    command =
        command.mut_subcommands(|subcommand| subcommand.mut_args(|argument| argument.hide_env_values(true)));
    command.build();
    let mut text = command.render_long_help().to_string();
    for subcommand in command
        .get_subcommands_mut()
        .filter(|subcommand| !subcommand.is_hide_set())
    {
        add_help(&mut text, "jari", subcommand);
    }
    text
}

/// The help of a subcommand and of those below it.
fn add_help(text: &mut String, above: &str, command: &mut clap::Command) {
    use std::fmt::Write as _;
    let name = format!("{above} {}", command.get_name());
    // Writing to a string cannot fail.
    let _ = write!(text, "\n\n=== {name}\n\n{}", command.render_long_help());
    for below in command
        .get_subcommands_mut()
        .filter(|below| below.get_name() != "help")
    {
        add_help(text, &name, below);
    }
}
