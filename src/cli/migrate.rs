//! `jari migrate`: creates or updates the database schema; never touches a database that is another program's.

use std::process::ExitCode;

use super::{database::Database, failure::Failure, output};
use crate::config::DatabaseArgs;

/// Create or update the database schema.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A database that already holds something else is refused.\n\nExample:\n  \
    JARI_DATABASE_URL=postgres://owner@host/jari jari migrate"
)]
pub(super) struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open_to_migrate(database).await?;
    let migrated = database.migrate().await?;
    database.close().await?;
    if args.json {
        output::json(&migrated)?;
    } else {
        output::line(&format!(
            "{} migrations applied, {} were applied before",
            migrated.applied, migrated.before
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
