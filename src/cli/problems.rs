//! `jari problems`: every refusal there is, in every language, for people and programs; never a text of its own.

use std::process::ExitCode;

use super::{failure::Failure, output};
use crate::http::problems;

/// Print every refusal: type, status, and what the caller can do.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  jari problems > problems.md\n  jari problems --json")]
pub(super) struct Args {
    /// Print a table in Markdown, which is what is printed unless something else is asked for
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON array, as GET /problems answers
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.json && !args.markdown {
        output::json(&problems::pages())?;
    } else {
        output::line(&problems::markdown())?;
    }
    Ok(ExitCode::SUCCESS)
}
