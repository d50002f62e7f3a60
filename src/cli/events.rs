//! `jari events`: the log as a list, or as it grows; never a personal value.

use std::{process::ExitCode, sync::Arc};

use aggregates::{
    Recorded, StreamId,
    event::{KINDS, NAMES},
};
use sqlx::PgPool;

use super::{
    database::Database,
    failure::Failure,
    output::{self, note},
    serve::until_told,
};
use crate::{
    audit::{self, Told, veiled},
    config::DatabaseArgs,
    numbers::at_least,
    store::{Actor, Store},
};

/// Events read at once.
const BATCH_MAX: usize = 1_000;

/// List or follow the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Personal values are never shown.\n\nExample:\n  \
    jari events --type ReservationPlaced --json\n  jari events --stream coupon/7KQ4MZ2H\n  jari events --follow")]
pub(super) struct Args {
    /// Only this stream, or all streams of this kind
    #[arg(long, value_name = "KIND[/ID]", value_parser = stream)]
    stream: Option<String>,
    /// Only events with this stored name
    #[arg(long = "type", value_name = "NAME", value_parser = event_type)]
    kind: Option<String>,
    /// Only what this actor did, or all actors of this kind
    #[arg(long, value_name = "KIND[/ID]", value_parser = actor)]
    actor: Option<String>,
    /// Only after this log position
    #[arg(long, value_name = "POSITION", default_value_t = 0, value_parser = at_least(0_i64))]
    after: i64,
    /// Stop after this many events
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true,
        value_parser = at_least(1_usize))]
    limit: usize,
    /// Keep following the log as it grows; starts at its end unless --after is given
    #[arg(long)]
    follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// A stream, or a kind of streams, of those there are.
pub(super) fn stream(text: &str) -> Result<String, String> {
    one_of(KINDS, "kind", text)
}

/// An actor, or a kind of actors, of those there are.
fn actor(text: &str) -> Result<String, String> {
    one_of(&Actor::KINDS, "kind of actor", text)
}

fn one_of(kinds: &[&str], what: &str, text: &str) -> Result<String, String> {
    let kind = text.split_once('/').map_or(text, |(kind, _)| kind);
    if kinds.contains(&kind) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "there is no {what} `{kind}`; there are {}",
            kinds.join(", ")
        ))
    }
}

/// The stored name of an event, of those there are.
fn event_type(text: &str) -> Result<String, String> {
    let known = || NAMES.iter().flat_map(|(_, names)| names.iter().copied());
    if known().any(|name| name == text) {
        Ok(text.to_owned())
    } else {
        let known: Vec<&str> = known().collect();
        Err(format!(
            "there is no event `{text}`; there are {}",
            known.join(", ")
        ))
    }
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open_existing(database).await?;
    let store = database.store().await?;
    let mut listing = Listing {
        args,
        reads: database.reads().await?,
        left: args.limit,
    };
    let listed = if args.follow {
        listing.follow(&store).await
    } else {
        listing.list(&store).await
    };
    if listed.is_ok() && !args.follow && listing.left == args.limit {
        note(&nothing_fits(args.after, store.feed().position()));
    }
    listing.reads.close().await;
    store.close().await;
    database.close().await?;
    listed.map(|()| ExitCode::SUCCESS)
}

/// What is said of an empty list, to whoever expected one that is not.
pub(super) fn nothing_fits(after: i64, head: i64) -> String {
    if after >= head {
        format!("the log ends at position {head}: nothing comes after {after}")
    } else {
        "no event of the log is like that".to_owned()
    }
}

struct Listing<'a> {
    args: &'a Args,
    reads: PgPool,
    left: usize,
}

impl Listing<'_> {
    async fn list(&mut self, store: &Store) -> Result<(), Failure> {
        let args = self.args;
        if let Some((kind, id)) = args.stream.as_deref().and_then(|stream| stream.split_once('/')) {
            let events = store.events_of(&StreamId::stored(kind, id)).await?;
            let events: Vec<_> = events
                .into_iter()
                .filter(|event| event.position > args.after)
                .map(Arc::new)
                .collect();
            return self.show(&events).await;
        }
        let mut position = args.after;
        while self.left > 0 {
            let events = store.events(position, BATCH_MAX).await?;
            let Some(last) = events.last() else { break };
            position = last.position;
            self.show(&events).await?;
        }
        Ok(())
    }

    async fn follow(&mut self, store: &Store) -> Result<(), Failure> {
        let mut position = if self.args.after > 0 {
            self.args.after
        } else {
            store.feed().position()
        };
        let mut stop = std::pin::pin!(until_told());
        while self.left > 0 {
            let events = tokio::select! {
                events = store.feed().after(position, BATCH_MAX) => events,
                told = &mut stop => return told,
            };
            position = events.last().map_or(position, |last| last.position);
            self.show(&events).await?;
        }
        Ok(())
    }

    async fn show(&mut self, events: &[Arc<Recorded>]) -> Result<(), Failure> {
        let fitting = events.iter().filter(|recorded| fits(recorded, self.args));
        let fitting: Vec<&Arc<Recorded>> = fitting.take(self.left).collect();
        self.left -= fitting.len();
        let mut told: Vec<Told> = fitting.iter().map(|recorded| Told::of(recorded)).collect();
        audit::name(&self.reads, &mut told).await?;
        for (told, recorded) in told.into_iter().zip(fitting) {
            if self.args.json {
                let mut value = serde_json::to_value(&told).unwrap_or_default();
                value["payload"] = serde_json::to_value(veiled(&recorded.event)).unwrap_or_default();
                output::json(&value)?;
                continue;
            }
            let Told {
                position,
                recorded_at,
                kind,
                id,
                event,
                sentence,
                who,
                ..
            } = told;
            output::line(&format!(
                "{position:>8}  {recorded_at}  {event:<24}  {kind}/{id}  {sentence}, by {who}"
            ))?;
        }
        Ok(())
    }
}

fn fits(recorded: &Recorded, args: &Args) -> bool {
    let metadata = |name: &str| recorded.metadata.get(name).map_or("", |value| value.as_str());
    let matches = |wanted: &Option<String>, kind: &str, id: &str| {
        wanted
            .as_deref()
            .is_none_or(|wanted| match wanted.split_once('/') {
                Some((wanted_kind, wanted_id)) => wanted_kind == kind && wanted_id == id,
                None => wanted == kind,
            })
    };
    matches(&args.stream, &recorded.stream.kind, &recorded.stream.id)
        && matches(&args.actor, metadata("actor_kind"), metadata("actor_id"))
        && args
            .kind
            .as_deref()
            .is_none_or(|kind| kind == recorded.event.name())
}
