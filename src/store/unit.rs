//! One command over many aggregates: load, decide and apply in memory; appended at once afterwards. Never writes itself.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use aggregates::{Decider, Event, StreamId};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::{
    cache::{Cache, Entry, State},
    command::Expected,
    error::StoreError,
    reading::Reading,
};

/// Streams of one unit at most: every seat of the largest layout (10,000), and what goes with them.
const STREAMS_MAX: usize = 10_240;

/// What an event is taken to weigh in the cache before it is stored.
const EVENT_BYTES: usize = 128;

/// What a unit of work needs of its store.
pub(crate) struct Desk {
    pub reading: Arc<Reading>,
    pub cache: Cache,
}

impl Desk {
    /// Lets go of everything opened with this person's key.
    pub fn forget(&self, subject: &str) {
        self.reading.vault().forget(subject);
        if let Some((kind, id)) = subject.split_once(':') {
            self.cache.drop_entry(&StreamId::stored(kind, id));
        }
    }
}

/// An event decided by a unit, not yet stored.
#[derive(Debug)]
pub(crate) struct Decided {
    /// The number of its stream within the unit.
    pub stream: usize,
    pub sequence: i64,
    pub event: Event,
}

/// The aggregates of one command and what was decided on them.
///
/// It is handed to the command's body by value and gives its work back when the body drops it: a body that only borrowed
/// it could not run in a spawned task (the compiler cannot prove that an `AsyncFn`'s future may change threads).
pub struct UnitOfWork {
    desk: Arc<Desk>,
    work: Work,
    home: Home,
}

/// Where the work is found after the body has ended.
pub(crate) type Home = Arc<Mutex<Option<Work>>>;

/// What one attempt has read and decided.
#[derive(Default)]
pub(crate) struct Work {
    now: Timestamp,
    opened: Vec<Opened>,
    decided: Vec<Decided>,
    /// Where streams are known to stand: older cache entries are of no use.
    at_least: HashMap<StreamId, i64>,
    /// Reads of the log in this attempt: states of one read belong to one moment.
    reads: usize,
    /// A state was taken from the cache, or taken as new without looking.
    unsure: bool,
    misuse: Option<String>,
    /// How often this unit was started again.
    attempt: u32,
    /// More metadata for the events of this unit.
    notes: Vec<(&'static str, SmolStr)>,
    /// Streams that were looked at for choosing: a refusal may rest on them.
    peeked: Vec<(StreamId, i64)>,
}

impl Drop for UnitOfWork {
    fn drop(&mut self) {
        let work = std::mem::take(&mut self.work);
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }
}

/// A stream that was read in this unit.
struct Opened {
    stream: StreamId,
    read_at: i64,
    sequence: i64,
    state: State,
    bytes: usize,
}

impl UnitOfWork {
    pub(crate) fn new(desk: Arc<Desk>, work: Work, home: Home) -> Self {
        Self { desk, work, home }
    }

    /// The one moment of this unit: the database's clock, in microseconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.work.now
    }

    /// Loads one aggregate. Its stream must still stand there when the unit is appended, even if only read.
    pub async fn load<A: Decider>(&mut self, id: &A::Id) -> Result<&A, StoreError> {
        self.load_all::<A>(std::slice::from_ref(id)).await?;
        Ok(self.state(id))
    }

    /// Loads aggregates of one kind in one round trip, shared with other units; then see [`Self::state`].
    pub async fn load_all<A: Decider>(&mut self, ids: &[A::Id]) -> Result<(), StoreError> {
        let missing = self.take_cached::<A>(ids)?;
        if missing.is_empty() {
            return Ok(());
        }
        self.work.reads += 1;
        let loaded = self.desk.reading.log().load(missing.clone()).await?;
        for (stream, rows) in missing.into_iter().zip(loaded) {
            let folded = self.desk.reading.fold::<A>(&rows).await?;
            let state: State = Arc::new(folded.state);
            self.open(
                stream,
                Entry {
                    state,
                    sequence: folded.sequence,
                    bytes: folded.bytes,
                },
            );
        }
        Ok(())
    }

    /// How often this unit was started again because others were faster.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.work.attempt
    }

    /// Adds to the metadata of this unit's events, for example the branch they belong to. Never a personal value.
    pub fn annotate(&mut self, name: &'static str, value: impl Into<SmolStr>) {
        self.work.notes.push((name, value.into()));
    }

    /// As [`Self::load_all`], for streams whose ids begin with `prefix`: the first time, all of those are read and kept at
    /// hand; from then on one that is not at hand is taken as new, and if it is not, that is a conflict.
    pub async fn load_prefix<A: Decider>(&mut self, prefix: &str, ids: &[A::Id]) -> Result<(), StoreError> {
        let missing = self.take_cached::<A>(ids)?;
        if missing.is_empty() {
            return Ok(());
        }
        if let Some(stranger) = missing.iter().find(|stream| !stream.id.starts_with(prefix)) {
            return Err(StoreError::Corrupt(format!(
                "{stranger} does not begin with `{prefix}`"
            )));
        }
        let outdated = missing
            .iter()
            .any(|stream| self.work.at_least.contains_key(stream));
        if outdated || !self.desk.cache.knows::<A>(prefix) {
            self.read_prefix::<A>(prefix).await?;
        } else {
            self.work.unsure = true;
        }
        for stream in missing {
            let entry = self.desk.cache.get(&stream, 0).unwrap_or_else(Entry::new::<A>);
            self.push(stream, entry);
        }
        Ok(())
    }

    /// The states of streams whose ids begin with `prefix`, for choosing among many: they are not checked when the unit is
    /// appended, so what is chosen must be loaded as well. A refusal that may rest on them is confirmed as any other.
    pub async fn peek_prefix<A: Decider>(
        &mut self,
        prefix: &str,
        ids: &[A::Id],
    ) -> Result<Vec<Arc<A>>, StoreError> {
        let outdated = self.work.at_least.keys().any(|stream| {
            stream.kind == A::TYPE && stream.id.starts_with(prefix) && {
                let at_least = self.work.at_least.get(stream).copied().unwrap_or(0);
                self.desk.cache.get(stream, at_least).is_none()
            }
        });
        if outdated || !self.desk.cache.knows::<A>(prefix) {
            self.read_prefix::<A>(prefix).await?;
        }
        self.work.unsure = true;
        let mut states = Vec::with_capacity(ids.len());
        for id in ids {
            let stream = StreamId::of::<A>(id);
            let entry = self.desk.cache.get(&stream, 0).unwrap_or_else(Entry::new::<A>);
            self.work.peeked.push((stream, entry.sequence));
            states.push(entry.state.downcast().unwrap_or_default());
        }
        Ok(states)
    }

    /// Reads every stream of a kind whose id begins with `prefix` into the cache.
    async fn read_prefix<A: Decider>(&mut self, prefix: &str) -> Result<(), StoreError> {
        self.work.reads += 1;
        let rows = self.desk.reading.log().load_prefix(A::TYPE, prefix).await?;
        for rows in rows.chunk_by(|a, b| a.stream == b.stream) {
            let Some(first) = rows.first() else { continue };
            let folded = self.desk.reading.fold::<A>(rows).await?;
            let entry = Entry {
                state: Arc::new(folded.state),
                sequence: folded.sequence,
                bytes: folded.bytes,
            };
            self.desk.cache.put(&first.stream, entry);
        }
        self.desk.cache.know::<A>(prefix);
        Ok(())
    }

    /// Begins an aggregate with a brand-new id without looking for it; if it exists after all, that is a conflict, and the
    /// next attempt looks.
    pub async fn begin<A: Decider>(&mut self, id: &A::Id) -> Result<(), StoreError> {
        let stream = StreamId::of::<A>(id);
        if self.work.at_least.contains_key(&stream) {
            return self.load_all::<A>(std::slice::from_ref(id)).await;
        }
        if self.find(&stream).is_none() {
            self.begin_stream::<A>(stream);
        }
        Ok(())
    }

    /// The aggregate as it is now in this unit, what it has decided included. It must have been loaded or begun; a state
    /// that was not is shown as new, and the unit fails.
    #[must_use]
    pub fn state<A: Decider>(&self, id: &A::Id) -> &A {
        let stream = StreamId::of::<A>(id);
        let opened = self.find(&stream).and_then(|index| self.work.opened.get(index));
        opened
            .and_then(|opened| opened.state.downcast_ref())
            .unwrap_or_else(|| {
                tracing::error!(%stream, "a state was asked for that was not loaded");
                nothing()
            })
    }

    /// Where the aggregate's stream stood when it was loaded: what an `If-Match` must name.
    #[must_use]
    pub fn sequence<A: Decider>(&self, id: &A::Id) -> i64 {
        let stream = StreamId::of::<A>(id);
        self.find(&stream)
            .and_then(|index| self.work.opened.get(index))
            .map_or(0, |opened| opened.read_at)
    }

    /// Lets an aggregate decide on a command and applies what it decided. It must have been loaded or begun.
    pub fn execute<A: Decider>(&mut self, id: &A::Id, command: A::Command) -> Result<(), A::Error> {
        let stream = StreamId::of::<A>(id);
        let index = if let Some(index) = self.find(&stream) {
            index
        } else {
            self.work.misuse = Some(format!("{stream} was to decide but had not been loaded"));
            self.begin_stream::<A>(stream)
        };
        let Some(opened) = self.work.opened.get_mut(index) else {
            return Ok(());
        };
        let Ok(mut state) = Arc::clone(&opened.state).downcast::<A>() else {
            self.work.misuse = Some(format!("{} is of another kind", opened.stream));
            return Ok(());
        };
        let events = state.decide(command, self.work.now)?;
        if events.is_empty() {
            return Ok(());
        }
        // Let go of the unit's own share, so that the state is copied only if the cache has it too.
        opened.state = Arc::new(());
        let changed = Arc::make_mut(&mut state);
        for event in events {
            changed.apply(event.clone());
            opened.sequence += 1;
            opened.bytes += EVENT_BYTES;
            self.work.decided.push(Decided {
                stream: index,
                sequence: opened.sequence,
                event: A::wrap(event),
            });
        }
        opened.state = state;
        Ok(())
    }

    fn begin_stream<A: Decider>(&mut self, stream: StreamId) -> usize {
        self.work.unsure = true;
        let state: State = Arc::new(A::default());
        self.work.opened.push(Opened {
            stream,
            read_at: 0,
            sequence: 0,
            state,
            bytes: 0,
        });
        self.work.opened.len() - 1
    }

    fn find(&self, stream: &StreamId) -> Option<usize> {
        self.work
            .opened
            .iter()
            .position(|opened| opened.stream.id == stream.id && opened.stream.kind == stream.kind)
    }

    /// Opens what the cache has; answers the streams that have to be read.
    fn take_cached<A: Decider>(&mut self, ids: &[A::Id]) -> Result<Vec<StreamId>, StoreError> {
        let mut missing = Vec::new();
        for id in ids {
            let stream = StreamId::of::<A>(id);
            if self.find(&stream).is_some() || missing.contains(&stream) {
                continue;
            }
            let at_least = self.work.at_least.get(&stream).copied().unwrap_or(0);
            match self.desk.cache.get(&stream, at_least) {
                Some(entry) => {
                    self.work.unsure = true;
                    self.push(stream, entry);
                }
                None => missing.push(stream),
            }
        }
        if self.work.opened.len() + missing.len() > STREAMS_MAX {
            return Err(StoreError::Corrupt(format!(
                "a unit of work over more than {STREAMS_MAX} streams"
            )));
        }
        Ok(missing)
    }

    fn open(&mut self, stream: StreamId, entry: Entry) {
        self.desk.cache.put(&stream, entry.clone());
        self.push(stream, entry);
    }

    fn push(&mut self, stream: StreamId, entry: Entry) {
        let Entry {
            state,
            sequence,
            bytes,
        } = entry;
        self.work.opened.push(Opened {
            stream,
            read_at: sequence,
            sequence,
            state,
            bytes,
        });
    }
}

impl Work {
    /// The work of a first attempt.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    /// Forgets what was decided; what others have done meanwhile is known from `stands` on.
    pub fn start_again(&mut self, now: Timestamp, stands: Vec<(StreamId, i64)>) {
        self.now = now;
        self.opened.clear();
        self.decided.clear();
        self.reads = 0;
        self.unsure = false;
        self.attempt += 1;
        self.notes.clear();
        self.peeked.clear();
        self.at_least.extend(stands);
    }

    /// Whether a refusal may rest on states that were never true together.
    pub fn is_unsure(&self) -> bool {
        self.unsure || self.reads > 1
    }

    /// The streams a refusal may rest on, with the sequences they were read at.
    pub fn grounds(&self) -> Vec<(StreamId, i64)> {
        let opened = self
            .opened
            .iter()
            .map(|opened| (opened.stream.clone(), opened.read_at));
        opened.chain(self.peeked.iter().cloned()).collect()
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn misuse(&mut self) -> Option<String> {
        self.misuse.take()
    }

    pub fn has_decided(&self) -> bool {
        !self.decided.is_empty()
    }

    pub fn take_notes(&mut self) -> Vec<(&'static str, SmolStr)> {
        std::mem::take(&mut self.notes)
    }

    pub fn take_decided(&mut self) -> Vec<Decided> {
        std::mem::take(&mut self.decided)
    }

    /// The streams with the sequences they must stand at.
    pub fn expected(&self) -> Vec<Expected> {
        let expected = |opened: &Opened| Expected {
            stream: opened.stream.clone(),
            sequence: opened.read_at,
            written: opened.sequence > opened.read_at,
        };
        self.opened.iter().map(expected).collect()
    }

    /// The streams that were written, as they are after the unit.
    pub fn written(&self) -> impl Iterator<Item = (&StreamId, Entry)> {
        let written = self
            .opened
            .iter()
            .filter(|opened| opened.sequence > opened.read_at);
        written.map(
            |Opened {
                 stream,
                 sequence,
                 state,
                 bytes,
                 ..
             }| {
                (
                    stream,
                    Entry {
                        state: Arc::clone(state),
                        sequence: *sequence,
                        bytes: *bytes,
                    },
                )
            },
        )
    }
}

/// The state of an aggregate nothing has happened to, one per kind.
fn nothing<A: Decider>() -> &'static A {
    type Shared = &'static (dyn Any + Send + Sync);
    static NOTHING: LazyLock<Mutex<HashMap<TypeId, Shared>>> = LazyLock::new(Mutex::default);
    let mut known = NOTHING.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = known
        .entry(TypeId::of::<A>())
        .or_insert_with(|| Box::leak(Box::new(A::default())));
    shared
        .downcast_ref()
        .unwrap_or_else(|| Box::leak(Box::new(A::default())))
}
