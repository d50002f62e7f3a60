//! `jari replay`: the log told step by step as sentences, with what each step changed (DOMAIN A2, A3); never writes
//! anything.

use std::{
    collections::HashMap,
    io::{self, IsTerminal as _},
    process::ExitCode,
    str::FromStr,
    sync::Arc,
};

use aggregates::{Recorded, StreamId};
use jiff::Timestamp;
use sqlx::PgPool;

use super::{
    database::Database,
    events::nothing_fits,
    failure::Failure,
    output::{self, note},
};
use crate::{
    audit::{self, Story, Told},
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

    /// Whether it certainly lies after another one: of a position and a moment only the log knows.
    fn is_after(self, other: Self) -> bool {
        match (self, other) {
            (Self::Position(from), Self::Position(to)) => from > to,
            (Self::Moment(from), Self::Moment(to)) => from > to,
            (Self::Position(_), Self::Moment(_)) | (Self::Moment(_), Self::Position(_)) => false,
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
    if args.from.zip(args.to).is_some_and(|(from, to)| from.is_after(to)) {
        return Err(Failure::Usage("--from must not lie after --to".to_owned()));
    }
    let database = Database::open_existing(database).await?;
    let store = database.store().await?;
    let mut teller = Teller {
        args,
        reads: database.reads().await?,
        stories: HashMap::new(),
        shown: 0,
    };
    let told = teller.tell_all(&store, stream).await;
    if told.is_ok() && teller.shown == 0 {
        let after = match args.from {
            Some(Place::Position(position)) => position,
            Some(Place::Moment(_)) | None => 0,
        };
        note(&nothing_fits(after, store.feed().position()));
    }
    teller.reads.close().await;
    store.close().await;
    database.close().await?;
    told.map(|()| ExitCode::SUCCESS)
}

struct Teller<'a> {
    args: &'a Args,
    reads: PgPool,
    stories: HashMap<StreamId, Story>,
    shown: usize,
}

impl Teller<'_> {
    async fn tell_all(&mut self, store: &Store, stream: Option<StreamId>) -> Result<(), Failure> {
        if let Some(stream) = stream {
            let events: Vec<_> = store
                .events_of(&stream)
                .await?
                .into_iter()
                .map(Arc::new)
                .collect();
            return self.tell(&events).await.map(drop);
        }
        // What a step changed needs the states before, so the telling always starts at the beginning.
        let mut position = 0;
        loop {
            let events: Vec<Arc<Recorded>> = store.events(position, BATCH_MAX).await?;
            let Some(last) = events.last() else { return Ok(()) };
            position = last.position;
            if !self.tell(&events).await? {
                return Ok(());
            }
        }
    }

    /// Tells these events; false when the end is reached.
    async fn tell(&mut self, events: &[Arc<Recorded>]) -> Result<bool, Failure> {
        let within = |recorded: &&Arc<Recorded>| !self.args.to.is_some_and(|to| to.is_before(recorded));
        let within: Vec<_> = events.iter().take_while(within).collect();
        let mut told: Vec<Told> = within
            .iter()
            .filter_map(|recorded| self.story(recorded))
            .collect();
        audit::name(&self.reads, &mut told).await?;
        self.shown += told.len();
        told.iter().try_for_each(|told| self.show(told))?;
        Ok(within.len() == events.len())
    }

    /// One event with what it changed, if it is to be told.
    fn story(&mut self, recorded: &Recorded) -> Option<Told> {
        if self.stories.len() >= STORIES_MAX {
            // Streams told long ago lose their "old" values; sentences stay.
            self.stories.clear();
        }
        let story = self.stories.entry(recorded.stream.clone()).or_default();
        let changes = story.tell(recorded);
        let begun = self.args.from.is_none_or(|from| from.is_before(recorded));
        begun.then(|| Told {
            changes,
            ..Told::of(recorded)
        })
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
