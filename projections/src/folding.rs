//! Folds events into rows in memory: the one way live feed, rebuild and proof share; never touches a database.

use std::{
    any::Any,
    collections::HashMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use aggregates::{Event, Recorded};

use crate::{Former, Put, ReadModel, Version};

/// The rows known in memory, and those that stand still.
pub struct Folding<M: ReadModel> {
    /// Rows used lately; when there are too many, they become the old ones, and the old ones are forgotten.
    young: HashMap<M::Key, Known<M::Row>>,
    old: HashMap<M::Key, Known<M::Row>>,
    keep: usize,
    parked: HashMap<String, i64>,
}

/// What is known of one key.
struct Known<R> {
    now: Option<Version<R>>,
    /// Whether the table has a row for it.
    stored: bool,
    changed: bool,
}

/// What a batch of events changed.
pub struct Batch<M: ReadModel> {
    /// Rows as they are now, one per key.
    pub put: Vec<Put<M>>,
    /// Rows that are no more.
    pub gone: Vec<M::Key>,
    /// Every state a row had and has no more, in the order in which they ended.
    pub former: Vec<Former<M>>,
    /// Rows that stand still from now on.
    pub parked: Vec<Parked>,
}

/// A row that stands still, because an event could not be folded into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which row.
    pub key: String,
    /// The position of the event.
    pub position: i64,
    /// What was wrong with it.
    pub reason: String,
}

impl<R> Default for Known<R> {
    fn default() -> Self {
        Self {
            now: None,
            stored: false,
            changed: false,
        }
    }
}

impl<M: ReadModel> Default for Batch<M> {
    fn default() -> Self {
        Self {
            put: Vec::new(),
            gone: Vec::new(),
            former: Vec::new(),
            parked: Vec::new(),
        }
    }
}

impl<M: ReadModel> Batch<M> {
    /// Whether nothing changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.put.is_empty() && self.gone.is_empty() && self.former.is_empty() && self.parked.is_empty()
    }
}

impl<M: ReadModel> Folding<M> {
    /// Nothing is known yet; about `keep` rows are kept in memory.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            keep,
            parked: HashMap::new(),
        }
    }

    /// Nothing is known yet; nothing is forgotten.
    #[must_use]
    pub fn keeping_all() -> Self {
        Self::keeping(usize::MAX)
    }

    /// Forgets all rows, because somebody else may have changed them.
    pub fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// Which keys stand still, and since which position.
    pub fn park(&mut self, parked: HashMap<String, i64>) {
        self.parked = parked;
    }

    /// How many rows are in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether no row is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys whose rows must be read before these events can be folded.
    pub fn missing(&mut self, events: &[Arc<Recorded>]) -> Vec<M::Key> {
        let mut missing = Vec::new();
        if M::HISTORY.is_none() {
            return missing;
        }
        for recorded in events {
            let Some(key) = M::key(recorded) else { continue };
            if self.young.contains_key(&key) {
                continue;
            }
            let known = self.old.remove(&key).unwrap_or_else(|| {
                if !M::begins(recorded) {
                    missing.push(key.clone());
                }
                Known::default()
            });
            self.young.insert(key, known);
        }
        missing
    }

    /// Takes in the rows that were missing.
    pub fn learn(&mut self, rows: Vec<(M::Key, Version<M::Row>)>) {
        for (key, version) in rows {
            self.young.insert(
                key,
                Known {
                    now: Some(version),
                    stored: true,
                    changed: false,
                },
            );
        }
    }

    /// Folds events in order. Rows that are neither in memory nor learnt are taken not to exist.
    pub fn fold(&mut self, events: &[Arc<Recorded>]) -> Batch<M> {
        let mut batch = Batch::default();
        let mut touched = Vec::new();
        for recorded in events {
            if let Some(key) = M::key(recorded) {
                self.fold_one(key, recorded, &mut batch, Some(&mut touched));
            }
        }
        for key in touched {
            let Some(known) = self.young.get_mut(&key) else {
                continue;
            };
            known.changed = false;
            let stored = mem::replace(&mut known.stored, known.now.is_some());
            match &known.now {
                Some(Version { row, from }) => {
                    batch.put.push(Put {
                        key,
                        row: row.clone(),
                        from: *from,
                        new: !stored,
                    });
                }
                None if stored => batch.gone.push(key),
                None => {}
            }
        }
        if self.young.len() > self.keep {
            self.old = mem::take(&mut self.young);
        }
        batch
    }

    /// Folds one event; what it ended, or the finished row of a model whose rows never change, is added to `batch`, but
    /// not the row as it is now: for a caller who keeps all rows and takes them in the end.
    pub fn absorb(&mut self, recorded: &Recorded, batch: &mut Batch<M>) {
        if let Some(key) = M::key(recorded) {
            self.fold_one(key, recorded, batch, None);
        }
    }

    fn fold_one(
        &mut self,
        key: M::Key,
        recorded: &Recorded,
        batch: &mut Batch<M>,
        touched: Option<&mut Vec<M::Key>>,
    ) {
        let position = recorded.position;
        let stands_still = |key: &M::Key| {
            self.parked
                .get(&key.to_string())
                .is_some_and(|since| position >= *since)
        };
        if !self.parked.is_empty() && stands_still(&key) {
            return;
        }
        if matches!(recorded.event, Event::Foreign) && !M::READS_ANY {
            return self.stop(&key, position, "the event cannot be read".to_owned(), batch);
        }
        if M::HISTORY.is_none() {
            match folded::<M>(None, recorded) {
                Ok(Some(row)) => batch.put.push(Put {
                    key,
                    row,
                    from: position,
                    new: true,
                }),
                Ok(None) => {}
                Err(reason) => self.stop(&key, position, reason, batch),
            }
            return;
        }
        let known = self.young.entry(key.clone()).or_default();
        let before = known.now.as_ref().map(|version| version.row.clone());
        match folded::<M>(before, recorded) {
            Ok(after) if after.as_ref() == known.now.as_ref().map(|version| &version.row) => {}
            Ok(after) => {
                let after = after.map(|row| Version { row, from: position });
                let ended = mem::replace(&mut known.now, after);
                if let Some(touched) = touched.filter(|_| !mem::replace(&mut known.changed, true)) {
                    touched.push(key.clone());
                }
                if let Some(Version { row, from }) = ended {
                    batch.former.push(Former {
                        key,
                        row,
                        from,
                        until: position,
                    });
                }
            }
            Err(reason) => self.stop(&key, position, reason, batch),
        }
    }

    fn stop(&mut self, key: &M::Key, position: i64, reason: String, batch: &mut Batch<M>) {
        let key = key.to_string();
        self.parked.insert(key.clone(), position);
        batch.parked.push(Parked {
            key,
            position,
            reason,
        });
    }

    /// All rows there are; only of use when nothing was forgotten.
    pub fn into_rows(self) -> impl Iterator<Item = Put<M>> {
        self.young.into_iter().filter_map(|(key, known)| {
            known.now.map(|Version { row, from }| Put {
                key,
                row,
                from,
                new: !known.stored,
            })
        })
    }
}

/// The fold, guarded: one that panics must not stop the rows of everybody else.
fn folded<M: ReadModel>(row: Option<M::Row>, recorded: &Recorded) -> Result<Option<M::Row>, String> {
    catch_unwind(AssertUnwindSafe(|| M::fold(row, recorded))).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("the fold panicked")
        .chars()
        .filter(|c| !c.is_control())
        .take(500)
        .collect()
}
