//! `jari replay`: the log told step by step as sentences, with what each step changed (DOMAIN A2, A3).

use std::{
    collections::HashMap,
    io::{self, IsTerminal as _},
    process::ExitCode,
    str::FromStr,
    sync::Arc,
};

use aggregates::{Recorded, StreamId};
use jiff::Timestamp;

use super::{database::Database, failure::Failure, output};
use crate::{
    audit::{Story, Told},
    config::DatabaseArgs,
    moments,
    store::Store,
};

/// Events read at once.
const BATCH_MAX: usize = 1_000;
/// Streams whose states are kept while a period is told.
const STORIES_MAX: usize = 100_000;

/// A place in the log: a position or a moment.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Position(i64),
    Moment(Timestamp),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let position = text.parse().map(Self::Position).ok();
        let moment = || moments::read(text).map(Self::Moment).ok();
        position.or_else(moment).ok_or_else(|| {
            "must be a log position, a moment like 2026-12-24T10:00:00Z, or a day like 2026-12-24 (from its first \
             moment in UTC)"
                .to_owned()
        })
    }
}

impl Place {
    fn is_before(self, recorded: &Recorded) -> bool {
        match self {
            Self::Position(position) => position < recorded.position,
            Self::Moment(moment) => moment < recorded.recorded_at,
        }
    }
}

/// Replay the log step by step, in sentences.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jari replay --stream reservation/301422961418752000\n  \
    jari replay --from 2026-12-24 --to 2026-12-24T18:00:00+09:00\n  jari replay --to 1500 --step"
)]
pub(super) struct Args {
    /// Only this stream
    #[arg(long, value_name = "KIND/ID", value_parser = super::events::stream)]
    stream: Option<String>,
    /// Begin after this log position or moment; a day counts from its first moment in UTC
    #[arg(long, value_name = "POSITION|MOMENT|DAY")]
    from: Option<Place>,
    /// End with this log position or moment; a day is its first moment in UTC
    #[arg(long, value_name = "POSITION|MOMENT|DAY")]
    to: Option<Place>,
    /// Wait for Enter after each step
    #[arg(long)]
    step: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let stream = match args.stream.as_deref().map(|stream| stream.split_once('/')) {
        Some(Some((kind, id))) => Some(StreamId::stored(kind, id)),
        Some(None) => {
            return Err(Failure::Usage(
                "--stream must be KIND/ID, for example coupon/7KQ4MZ2H".to_owned(),
            ));
        }
        None => None,
    };
    let database = Database::open_existing(database).await?;
    let store = database.store().await?;
    let told = tell(&store, stream, args).await;
    store.close().await;
    database.close().await?;
    told.map(|()| ExitCode::SUCCESS)
}

async fn tell(store: &Store, stream: Option<StreamId>, args: &Args) -> Result<(), Failure> {
    let mut teller = Teller {
        args,
        stories: HashMap::new(),
    };
    if let Some(stream) = stream {
        for recorded in store.events_of(&stream).await? {
            if !teller.tell(&recorded)? {
                break;
            }
        }
        return Ok(());
    }
    // What a step changed needs the states before, so the telling always starts at the beginning.
    let mut position = 0;
    loop {
        let events: Vec<Arc<Recorded>> = store.events(position, BATCH_MAX).await?;
        let Some(last) = events.last() else { return Ok(()) };
        position = last.position;
        for recorded in &events {
            if !teller.tell(recorded)? {
                return Ok(());
            }
        }
    }
}

struct Teller<'a> {
    args: &'a Args,
    stories: HashMap<StreamId, Story>,
}

impl Teller<'_> {
    /// Tells one event; false when the end is reached.
    fn tell(&mut self, recorded: &Recorded) -> Result<bool, Failure> {
        if self.args.to.is_some_and(|to| to.is_before(recorded)) {
            return Ok(false);
        }
        if self.stories.len() >= STORIES_MAX {
            // Streams told long ago lose their "old" values; sentences stay.
            self.stories.clear();
        }
        let changes = self
            .stories
            .entry(recorded.stream.clone())
            .or_default()
            .tell(recorded);
        if self.args.from.is_some_and(|from| !from.is_before(recorded)) {
            return Ok(true);
        }
        self.show(&Told {
            changes,
            ..Told::of(recorded)
        })?;
        Ok(true)
    }

    fn show(&self, told: &Told) -> Result<(), Failure> {
        if self.args.json {
            return output::json(told);
        }
        let Told {
            position,
            recorded_at,
            kind,
            id,
            sentence,
            who,
            ..
        } = told;
        let why = told
            .why
            .as_deref()
            .map_or_else(String::new, |why| format!(" ({why})"));
        output::line(&format!(
            "{position:>8}  {recorded_at}  {sentence}, by {who}{why}\n          {kind}/{id}"
        ))?;
        for change in &told.changes {
            output::line(&format!(
                "          {}: {} → {}",
                change.field, change.old, change.new
            ))?;
        }
        if self.args.step && io::stdin().is_terminal() {
            let mut enter = String::new();
            io::stdin()
                .read_line(&mut enter)
                .map_err(Failure::io("reading"))?;
        }
        Ok(())
    }
}
