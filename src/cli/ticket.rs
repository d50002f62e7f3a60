//! `jari ticket verify`: checks a ticket as a door scanner does, without network and without a database; never tells
//! whether its reservation still stands.

use std::{fs, path::PathBuf, process::ExitCode};

use aggregates::values::SeatLabel;
use serde::Deserialize;

use super::{failure::Failure, output};
use crate::ticket::{PublicKey, Ticket, verify};

/// Check tickets without network.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check a ticket by its code and the published keys
    Verify(Verify),
}

/// Check a ticket by its code and the published keys. Whether its reservation still stands is not known here.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes:\n  0  the ticket is genuine; what it says is printed\n  1  it is not; the message says why\n\n\
    Example:\n  curl -s http://127.0.0.1:8080/v1/ticket-keys > keys.json\n  jari ticket verify \"$CODE\" --keys keys.json"
)]
struct Verify {
    /// What the scanner read
    code: String,
    /// The keys as GET /v1/ticket-keys answers them
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Keys as they are published; more may be said about them.
#[derive(Debug, Deserialize)]
struct Keys {
    keys: Vec<PublicKey>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let Command::Verify(args) = &args.command;
    let text = fs::read(&args.keys).map_err(Failure::io("reading the keys"))?;
    let unreadable = |error| {
        Failure::Usage(format!(
            "--keys: not as GET /v1/ticket-keys answers them: {error}"
        ))
    };
    let Keys { keys } = serde_json::from_slice(&text).map_err(unreadable)?;
    let ticket = verify(&args.code, &keys).map_err(|error| Failure::Refused(error.to_string()))?;
    if args.json {
        output::json(&ticket)?;
    } else {
        output::line(&as_text(&ticket))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn as_text(ticket: &Ticket) -> String {
    let labels: Vec<&str> = ticket.seats.iter().map(SeatLabel::as_str).collect();
    let moved = match ticket.number {
        0 => String::new(),
        times => format!(", rescheduled {times} times"),
    };
    format!(
        "reservation {}: {} people, {}, time slot {} from {}{moved}",
        ticket.reservation,
        ticket.people,
        labels.join(", "),
        ticket.time_slot,
        ticket.starts_at
    )
}
