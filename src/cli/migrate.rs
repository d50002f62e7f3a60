//! `jari migrate`: brings the database to the form this program needs.

use std::process::ExitCode;

use super::{database::Database, failure::Failure, output};
use crate::config::DatabaseArgs;

/// Bring the database to the form this program needs.
#[derive(Debug, clap::Args)]
#[command(after_help = "A database with other things in it is refused.\n\nExample:\n  \
    JARI_DATABASE_URL=postgres://owner@host/jari jari migrate")]
pub(super) struct Args {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open(database).await?;
    let migrated = database.migrate().await?;
    database.close().await?;
    if args.json {
        output::json(&migrated)?;
    } else {
        output::line(&format!(
            "{} migrations applied, {} were there",
            migrated.applied, migrated.before
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
