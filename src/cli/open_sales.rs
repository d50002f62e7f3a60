//! `jari open-sales`: makes the time slots of the coming days by the weekly templates of themes, once.

use std::process::ExitCode;

use super::{database::Database, failure::Failure, output};
use crate::{
    config::DatabaseArgs,
    import::{self, Progress},
    policies::openings,
};

/// Make the time slots of the coming days by the weekly templates of themes.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A running server does this by itself. Done twice, it makes only what is missing. Screenings follow \
    the programme of a file: see jari import --open-sales.\n\nExample:\n  jari open-sales --days 14"
)]
pub(super) struct Args {
    /// How many days from today; more for themes that sell further ahead
    #[arg(long, value_name = "DAYS", default_value_t = openings::DAYS, value_parser = clap::value_parser!(u16).range(1..=92))]
    days: u16,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open(database).await?;
    let store = database.store().await?;
    let bar = output::progress("opening sales");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let opened = import::open_sessions(&store, openings::NAME, None, args.days, &on_progress).await;
    bar.finish_and_clear();
    store.close().await;
    database.close().await?;
    let opened = opened?;
    if args.json {
        output::json(&opened)?;
    } else {
        output::line(&format!(
            "{} time slots were made, {} were there",
            opened.scheduled, opened.present
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
