//! One command over many aggregates: load, decide and apply in memory; appended at once afterwards. Never writes itself.

mod work;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{Decider, Event, StreamId, ids::BranchId};
use jiff::Timestamp;
use smol_str::{SmolStr, ToSmolStr as _};

use super::{
    cache::{Cache, Entry},
    error::StoreError,
    reading::{Folded, Reading},
};
use crate::vault::Vault;

pub(crate) use work::Work;

/// Streams of one unit at most: every seat of the largest layout (10,000), and what goes with them.
const STREAMS_MAX: usize = 10_240;

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

    /// Lets go of everything opened with anybody's key: who was erased meanwhile is not known.
    pub fn forget_all(&self) {
        self.reading.vault().forget_all();
        self.cache.clear();
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

impl Drop for UnitOfWork {
    fn drop(&mut self) {
        let work = std::mem::take(&mut self.work);
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }
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
        self.state(id)
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
            let entry = self.entry(self.desk.reading.fold::<A>(&rows).await?);
            self.desk.cache.put(&stream, entry.clone());
            self.work.open(stream, entry);
        }
        Ok(())
    }

    /// The vault the store of this unit seals with.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        self.desk.reading.vault()
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

    /// Says at which branch this happens, so that the audit trail finds it there.
    pub fn at_branch(&mut self, branch: BranchId) {
        self.annotate(super::BRANCH, branch.to_smolstr());
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
        let mut read = HashMap::new();
        if outdated || !self.desk.cache.knows::<A>(prefix) {
            read = self.read_prefix::<A>(prefix).await?;
        } else {
            self.work.unsure = true;
        }
        for stream in missing {
            // What was just read counts, whether or not the cache had room for it.
            let entry = read.remove(&stream).or_else(|| self.desk.cache.get(&stream, 0));
            self.work.open(stream, entry.unwrap_or_else(Entry::new::<A>));
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
        let mut read = HashMap::new();
        if outdated || !self.desk.cache.knows::<A>(prefix) {
            read = self.read_prefix::<A>(prefix).await?;
        }
        self.work.unsure = true;
        let mut states = Vec::with_capacity(ids.len());
        for id in ids {
            let stream = StreamId::of::<A>(id);
            let entry = read.remove(&stream).or_else(|| self.desk.cache.get(&stream, 0));
            let entry = entry.unwrap_or_else(Entry::new::<A>);
            self.work.peeked.push((stream, entry.sequence));
            states.push(entry.state.downcast().unwrap_or_default());
        }
        Ok(states)
    }

    /// Reads every stream of a kind whose id begins with `prefix`, and offers it to the cache.
    async fn read_prefix<A: Decider>(
        &mut self,
        prefix: &str,
    ) -> Result<HashMap<StreamId, Entry>, StoreError> {
        self.work.reads += 1;
        let rows = self.desk.reading.log().load_prefix(A::TYPE, prefix).await?;
        let mut read = HashMap::new();
        for rows in rows.chunk_by(|a, b| a.stream == b.stream) {
            let Some(first) = rows.first() else { continue };
            let entry = self.entry(self.desk.reading.fold::<A>(rows).await?);
            self.desk.cache.put(&first.stream, entry.clone());
            read.insert(first.stream.clone(), entry);
        }
        self.desk.cache.know::<A>(prefix);
        Ok(read)
    }

    fn entry<A: Decider>(&mut self, folded: Folded<A>) -> Entry {
        self.work.seen = self.work.seen.max(folded.position);
        Entry {
            state: Arc::new(folded.state),
            sequence: folded.sequence,
            bytes: folded.bytes,
        }
    }

    /// Begins an aggregate with a brand-new id without looking for it; if it exists after all, that is a conflict, and the
    /// next attempt looks.
    pub async fn begin<A: Decider>(&mut self, id: &A::Id) -> Result<(), StoreError> {
        let stream = StreamId::of::<A>(id);
        if self.work.at_least.contains_key(&stream) {
            return self.load_all::<A>(std::slice::from_ref(id)).await;
        }
        if self.work.find(&stream).is_none() {
            self.begin_stream::<A>(stream);
        }
        Ok(())
    }

    /// The aggregate as it is now in this unit, what it has decided included. One that was neither loaded nor begun is a
    /// mistake of the program, and its unit fails.
    pub fn state<A: Decider>(&self, id: &A::Id) -> Result<&A, StoreError> {
        let stream = StreamId::of::<A>(id);
        let opened = self
            .work
            .find(&stream)
            .and_then(|index| self.work.opened.get(index));
        opened
            .and_then(|opened| opened.state.downcast_ref())
            .ok_or_else(|| StoreError::Corrupt(format!("{stream} was looked at but had not been loaded")))
    }

    /// Names the aggregate that stands in the way, where a rule refuses by its state and not by [`Self::execute`].
    pub fn blame<A: Decider, T>(&mut self, id: &A::Id, refusal: T) -> T {
        self.work.blamed = self.work.find(&StreamId::of::<A>(id));
        refusal
    }

    /// Where the aggregate's stream stood when it was loaded: what an `If-Match` must name.
    #[must_use]
    pub fn sequence<A: Decider>(&self, id: &A::Id) -> i64 {
        let stream = StreamId::of::<A>(id);
        self.work
            .find(&stream)
            .and_then(|index| self.work.opened.get(index))
            .map_or(0, |opened| opened.read_at)
    }

    /// Lets an aggregate decide on a command and applies what it decided. It must have been loaded or begun.
    pub fn execute<A: Decider>(&mut self, id: &A::Id, command: A::Command) -> Result<(), A::Error> {
        let stream = StreamId::of::<A>(id);
        let index = if let Some(index) = self.work.find(&stream) {
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
        let events = match state.decide(command, self.work.now) {
            Ok(events) => events,
            Err(refusal) => {
                self.work.blamed.get_or_insert(index);
                return Err(refusal);
            }
        };
        self.work.blamed.take_if(|blamed| *blamed == index);
        if events.is_empty() {
            return Ok(());
        }
        // Let go of the unit's own share, so that the state is copied only if the cache has it too.
        opened.state = Arc::new(());
        let changed = Arc::make_mut(&mut state);
        for event in events {
            changed.apply(event.clone());
            opened.sequence += 1;
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
        self.work.open(stream, Entry::new::<A>())
    }

    /// Opens what the cache has; answers the streams that have to be read.
    fn take_cached<A: Decider>(&mut self, ids: &[A::Id]) -> Result<Vec<StreamId>, StoreError> {
        let (mut missing, mut asked) = (Vec::new(), HashSet::new());
        for id in ids {
            let stream = StreamId::of::<A>(id);
            if self.work.find(&stream).is_some() || !asked.insert(stream.clone()) {
                continue;
            }
            let at_least = self.work.at_least.get(&stream).copied().unwrap_or(0);
            match self.desk.cache.get(&stream, at_least) {
                Some(entry) => {
                    self.work.unsure = true;
                    self.work.open(stream, entry);
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
}
