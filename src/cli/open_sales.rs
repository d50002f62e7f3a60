//! `jari open-sales`: makes the missing time slots of the coming days of every active theme, as a running server does;
//! never one that somebody withdrew.

use std::process::ExitCode;

use super::{database::Database, failure::Failure, output};
use crate::config::DatabaseArgs;
use crate::policies::open_themes;

/// Open the coming days of every active theme.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A running server does this by itself. Slots that are there, or were withdrawn, stay as they are.\n\n\
    Example:\n  jari open-sales --json"
)]
pub(super) struct Args {
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open(database).await?;
    database.prepare().await?;
    let store = database.store().await?;
    let opened = open_themes(&store, "open-sales", |_, _| true).await;
    store.close().await;
    database.close().await?;
    let opened = opened?;
    if args.json {
        output::json(&opened)?;
    } else {
        output::line(&output::slots(&opened))?;
        for slot in &opened.unsettled {
            output::line(&output::unsettled(slot))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
