//! The event log: append, load, feed. Never a rule of the business, and never a second way into the log.
//!
//! A command is a unit of work ([`UnitOfWork`]): it loads aggregates, lets them decide in memory, and is appended whole,
//! with the sequence of every stream it read checked in the same transaction ([`Store::run`]).

mod batch;
mod cache;
mod clock;
mod command;
mod committed;
mod committer;
pub mod cqrs;
mod error;
mod feed;
mod json;
mod loader;
mod log;
mod memory;
mod postgres;
mod precondition;
pub mod privileges;
mod reading;
pub mod rebuild;
mod request;
mod run;
pub mod runner;
mod sealing;
pub mod seat_changes;
mod session;
pub(crate) mod tables;
mod unit;
mod upcast;

use std::{collections::HashSet, sync::Arc};

use aggregates::{Decider, Metadata, Recorded, StreamId};
use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;
use tokio::task::JoinSet;
use tokio_postgres::Config;

use crate::vault::Vault;
use cache::Cache;
use clock::Clock;
use committer::Committer;
use log::{Log, Writer};
use memory::Memory;
use postgres::Postgres;
use reading::{Reading, subject};
use unit::Desk;

pub use committed::Committed;
pub use error::{Stop, StoreError};
pub use feed::Feed;
pub use precondition::{ChangedSince, Precondition};
pub use rebuild::Progress;
pub use request::{Actor, BlockedBy, IdempotencyKey, Request, Trace};
pub(crate) use run::BRANCH;
pub use unit::UnitOfWork;
pub use upcast::{Upcaster, Upcasters};

/// How long idempotency keys are kept.
pub const KEYS_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Where the log is, and how its old events are read.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// The database; the role the server works as is a part of it.
    pub database: Config,
    /// Steps from old forms of events to today's.
    pub upcasters: Upcasters,
}

/// The log of one database, as this process sees it. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Arc<Desk>,
    clock: Arc<Clock>,
    feed: Feed,
    writer: Writer,
    /// Ends with the store.
    _followers: JoinSet<()>,
}

impl Store {
    /// Connects, checks that the vault is the one this database was written with, and starts the store's tasks.
    pub async fn open(settings: StoreSettings, vault: Vault) -> Result<Self, StoreError> {
        let StoreSettings { database, upcasters } = settings;
        let postgres = Postgres::new(&database);
        let ours = vault.fingerprint();
        if postgres.setting_or("master_secret_fingerprint", &ours).await? != ours {
            return Err(StoreError::OtherSecret);
        }
        let head = postgres.head().await?;
        let clock = Arc::new(Clock::new(postgres.clock().await?));
        let reading = Arc::new(Reading::new(
            Log::Postgres(Box::new(postgres)),
            Arc::new(vault),
            upcasters,
        ));
        let feed = Feed::new(head, Arc::clone(&reading));
        let writer = Writer::Postgres(Committer::start(&database, Arc::clone(&clock), feed.clone()));
        let desk = Arc::new(Desk {
            reading: Arc::clone(&reading),
            cache: Cache::new(),
        });
        let mut followers = JoinSet::new();
        followers.spawn(feed::tailer::follow(feed.clone(), reading, Arc::clone(&clock)));
        followers.spawn(feed::tailer::exchange(database, feed.clone(), Arc::clone(&desk)));
        Ok(Self::assembled(desk, clock, feed, writer, followers))
    }

    /// A log in memory, for model tests: the same behaviour, nothing kept.
    #[must_use]
    pub fn in_memory(vault: Vault) -> Self {
        let clock = Arc::new(Clock::new(Timestamp::now()));
        let memory = Arc::new(Memory::new(Arc::clone(&clock)));
        let log = Log::Memory(Arc::clone(&memory));
        let reading = Arc::new(Reading::new(log, Arc::new(vault), Upcasters::default()));
        let feed = Feed::new(0, Arc::clone(&reading));
        memory.tell(feed.clone());
        let desk = Arc::new(Desk {
            reading,
            cache: Cache::new(),
        });
        Self::assembled(desk, clock, feed, Writer::Memory(memory), JoinSet::new())
    }

    /// Lets time pass in a log in memory; a real one follows its database's clock.
    pub fn let_pass(&self, time: SignedDuration) {
        if let Log::Memory(_) = self.reading().log() {
            let later = self.now().checked_add(time).unwrap_or(Timestamp::MAX);
            self.shared.clock.learn(later);
        }
    }

    fn assembled(
        desk: Arc<Desk>,
        clock: Arc<Clock>,
        feed: Feed,
        writer: Writer,
        followers: JoinSet<()>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                desk,
                clock,
                feed,
                writer,
                _followers: followers,
            }),
        }
    }

    /// The database's clock in microseconds, never ahead of it, and monotonic.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The log in order.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    /// The vault this store seals with.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        self.reading().vault()
    }

    /// Whether commands are still taken: not once the store is closed, or the task that appends has ended.
    #[must_use]
    pub fn takes_commands(&self) -> bool {
        self.shared.writer.is_open()
    }

    /// An aggregate as the log has it now, never from the cache.
    pub async fn read<A: Decider>(&self, id: &A::Id) -> Result<Arc<A>, StoreError> {
        Ok(self.read_with_sequence(id).await?.0)
    }

    /// An aggregate as the log has it now, and the last sequence of its stream (0: nothing happened to it yet).
    pub async fn read_with_sequence<A: Decider>(&self, id: &A::Id) -> Result<(Arc<A>, i64), StoreError> {
        self.read_until(id, i64::MAX).await
    }

    /// As [`Self::read_with_sequence`], as it was at a position of the log.
    pub async fn read_until<A: Decider>(
        &self,
        id: &A::Id,
        position: i64,
    ) -> Result<(Arc<A>, i64), StoreError> {
        let loaded = self.reading().log().load(vec![StreamId::of::<A>(id)]).await?;
        let rows: &[command::Row] = loaded.first().map_or(&[], |rows| rows);
        let until = rows.partition_point(|row| row.position <= position);
        let folded = self
            .reading()
            .fold::<A>(rows.get(..until).unwrap_or(rows))
            .await?;
        Ok((Arc::new(folded.state), folded.sequence))
    }

    /// Aggregates of one kind as the log has them now, in the order of their ids; read in one go and never kept.
    pub async fn read_all<A: Decider>(&self, ids: &[A::Id]) -> Result<Vec<A>, StoreError> {
        let streams = ids.iter().map(StreamId::of::<A>).collect();
        let mut all = Vec::with_capacity(ids.len());
        for rows in self.reading().log().load(streams).await? {
            all.push(self.reading().fold::<A>(&rows).await?.state);
        }
        Ok(all)
    }

    /// Every aggregate of one kind, as the log has them now; for kinds of which there are few.
    pub async fn all<A: Decider>(&self) -> Result<Vec<(A::Id, A)>, StoreError> {
        let rows = self.reading().log().load_prefix(A::TYPE, "").await?;
        let mut all = Vec::new();
        for rows in rows.chunk_by(|one, next| one.stream == next.stream) {
            let id = rows.first().and_then(|first| first.stream.id.parse().ok());
            if let Some(id) = id {
                all.push((id, self.reading().fold::<A>(rows).await?.state));
            }
        }
        Ok(all)
    }

    /// All events of one stream.
    pub async fn events_of(&self, stream: &StreamId) -> Result<Vec<Recorded>, StoreError> {
        self.reading().stream(stream).await
    }

    /// All events of some streams, in the order of the streams; read in one go.
    pub async fn events_of_all(&self, streams: Vec<StreamId>) -> Result<Vec<Vec<Recorded>>, StoreError> {
        let mut all = Vec::with_capacity(streams.len());
        for rows in self.reading().log().load(streams).await? {
            all.push(self.reading().recorded(&rows, |_, error| Err(error)).await?);
        }
        Ok(all)
    }

    /// At most `max` events after a position, read from the log.
    pub async fn events(&self, after: i64, max: usize) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let events = self.reading().after(after, max).await?;
        Ok(events.into_iter().map(|(event, _)| event).collect())
    }

    /// Metadata as stored, opened as far as the keys of its persons are there; what has none any more is left out.
    pub async fn open_metadata(&self, sealed: &[Metadata]) -> Result<Vec<Metadata>, StoreError> {
        let subjects: HashSet<SmolStr> = sealed.iter().flat_map(sealing::subjects).collect();
        let keys = self.reading().keys(subjects).await?;
        Ok(sealed
            .iter()
            .map(|metadata| sealing::opened(metadata, &keys))
            .collect())
    }

    /// Destroys the key of whoever `stream` is about: their personal values can never be read again, here or in any copy
    /// of the log, and are gone from the read models. Says whether there was a key. Other processes are told and let go
    /// of what they had opened; one that was not reached does so as soon as it listens again.
    pub async fn erase(&self, stream: &StreamId) -> Result<bool, StoreError> {
        let subject = subject(stream);
        let existed = self.reading().log().destroy_key(&subject).await?;
        self.shared.desk.forget(&subject);
        self.feed().forget();
        Ok(existed)
    }

    /// Forgets all idempotency keys older than [`KEYS_KEPT`], some at a time; answers how many.
    pub async fn forget_old_keys(&self) -> Result<i64, StoreError> {
        match self.reading().log() {
            Log::Postgres(postgres) => {
                let before = self.now().checked_sub(KEYS_KEPT).unwrap_or(Timestamp::MIN);
                let mut forgotten = 0;
                loop {
                    match postgres.forget_keys(before).await? {
                        0 => return Ok(forgotten),
                        some => forgotten += some,
                    }
                }
            }
            Log::Memory(_) => Ok(0),
        }
    }

    /// Finishes what was accepted; afterwards every command is refused as unavailable.
    pub async fn close(self) {
        match &self.shared.writer {
            Writer::Postgres(committer) => committer.close().await,
            Writer::Memory(_) => {}
        }
    }

    fn reading(&self) -> &Reading {
        &self.shared.desk.reading
    }
}
