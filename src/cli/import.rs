//! `jari import`: reads catalogue files and appends what they say and the log does not; never changes what somebody
//! changed by hand without being told to.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{database::Database, failure::Failure, output};
use crate::{
    config::DatabaseArgs,
    import::{self, Catalogue, Followed, ImportError, Imported, Known, Opened, Progress, Source, Unsettled},
    numbers::from_to,
    store::Store,
};

const AFTER_HELP: &str = "\
A second import of the same files changes nothing; a file with faults is refused whole, with every
fault and its place. What the files leave out stays as it is, and is named. A hall alone becomes the
next layout of every auditorium that was built from a file of that name.

Time slots are made with --open-sales, and then follow the files: a slot made from a timetable that
the files have no more is withdrawn on the days that are opened, unless somebody has a place in it,
and is made again when the files have it again. Slots that were made keep their prices and layout.
Every slot that stands otherwise than the files say is named in the answer, without --open-sales too,
and the exit code is 3: a person must decide.

A theme that leaves them out has a party of 1 to 6, its form begins with 2; its sales open 6 days
ahead, at the time of its first slot.

Example:
  jari import cinemas.json escape-rooms.json --open-sales 7";
/// Time slots differ from the files; a person must decide.
const UNSETTLED: u8 = 3;

/// Import catalogue files: branches, movies, themes, halls, prices.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
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

/// What an import did.
#[derive(serde::Serialize)]
struct Done {
    imported: Imported,
    followed: Followed,
    opened: Option<Opened>,
}

impl Done {
    /// Every slot that is not as the files say.
    fn unsettled(&self) -> impl Iterator<Item = &Unsettled> {
        let in_the_way = self.opened.iter().flat_map(|opened| &opened.unsettled);
        self.followed.unsettled.iter().chain(in_the_way)
    }
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let done = bring_in(database, args).await;
    if let (true, Err(Failure::Import(ImportError::Faults(faults)))) = (args.json, &done) {
        output::json(&serde_json::json!({ "faults": faults }))?;
        return Ok(ExitCode::FAILURE);
    }
    let done = done?;
    if args.json {
        output::json(&done)?;
    } else {
        tell(&done)?;
    }
    Ok(if done.unsettled().next().is_some() {
        ExitCode::from(UNSETTLED)
    } else {
        ExitCode::SUCCESS
    })
}

fn tell(done: &Done) -> Result<(), Failure> {
    let Done {
        imported,
        followed,
        opened,
    } = done;
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
            "{hall} was not used: no auditorium in these files or in the database is built like it"
        ))?;
    }
    if !imported.left_out.is_empty() {
        let left_out = imported.left_out.join(", ");
        output::line(&format!("not in the files, left as they are: {left_out}"))?;
    }
    if followed.withdrawn > 0 {
        output::line(&format!(
            "{} time slots were withdrawn: the files have them no more, and nobody had a place in them",
            followed.withdrawn
        ))?;
    }
    if let Some(opened) = opened {
        output::line(&output::slots(opened))?;
    }
    for slot in done.unsettled() {
        output::line(&output::unsettled(slot))?;
    }
    Ok(())
}

async fn bring_in(database: &DatabaseArgs, args: &Args) -> Result<Done, Failure> {
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

async fn append(store: &Store, catalogues: &[Catalogue], days: u16) -> Result<Done, ImportError> {
    let bar = output::progress("importing");
    let on_progress = |Progress { done, total }| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let imported = import::import(store, catalogues, Known::Follows, &on_progress).await?;
    bar.set_message("comparing timetables");
    let followed = import::follow_timetable(store, catalogues, days, &on_progress).await?;
    let opened = if days > 0 {
        bar.set_message("opening sales");
        Some(import::open_sales(store, catalogues, days, &on_progress).await?)
    } else {
        None
    };
    bar.finish_and_clear();
    Ok(Done {
        imported,
        followed,
        opened,
    })
}
