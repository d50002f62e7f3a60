//! `jari import`: reads catalogue files and appends what they say and the log does not.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{database::Database, failure::Failure, output};
use crate::{
    config::DatabaseArgs,
    import::{self, Catalogue, ImportError, Imported, Known, Opened, Progress, Source},
    numbers::from_to,
    store::Store,
};

/// Import catalogue files: branches, movies, themes, halls, prices.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A second import of the same files changes nothing; a file with faults is refused whole, with \
    every fault and its place.\n\nExample:\n  jari import cinemas.json escape-rooms.json --open-sales 7"
)]
pub(super) struct Args {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also schedule the time slots of this many days, today included
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = from_to(0..=92_u16))]
    open_sales: u16,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let done = bring_in(database, args).await;
    if let (true, Err(Failure::Import(ImportError::Faults(faults)))) = (args.json, &done) {
        output::json(&serde_json::json!({ "faults": faults }))?;
        return Ok(ExitCode::FAILURE);
    }
    let (imported, opened) = done?;
    if args.json {
        output::json(&serde_json::json!({ "imported": imported, "opened": opened }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let events: usize = imported.events.values().sum();
    output::line(&format!(
        "{} catalogue entries are in place; {events} events were recorded",
        imported.things
    ))?;
    if imported.closed > 0 {
        output::line(&format!(
            "{} of them were closed for good or withdrawn, and stay so",
            imported.closed
        ))?;
    }
    for hall in &imported.unused {
        output::line(&format!(
            "{hall} was not used: no auditorium in these files has its layout"
        ))?;
    }
    if let Some(opened) = opened {
        output::line(&output::slots(&opened))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn bring_in(database: &DatabaseArgs, args: &Args) -> Result<(Imported, Option<Opened>), Failure> {
    let paths: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    // Before a database is started for a file that is no good.
    let catalogues = import::read(Source::Disk, &paths)?;
    let database = Database::open(database).await?;
    database.prepare().await?;
    let store = database.store().await?;
    let done = append(&store, &catalogues, args.open_sales).await;
    store.close().await;
    database.close().await?;
    Ok(done?)
}

async fn append(
    store: &Store,
    catalogues: &[Catalogue],
    days: u16,
) -> Result<(Imported, Option<Opened>), ImportError> {
    let bar = output::progress("importing");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = import::import(store, catalogues, Known::Follows, &on_progress).await?;
    let opened = if days > 0 {
        bar.set_message("opening sales");
        Some(import::open_sales(store, catalogues, days, &on_progress).await?)
    } else {
        None
    };
    bar.finish_and_clear();
    Ok((imported, opened))
}
