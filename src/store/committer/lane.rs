//! One connection of the committer: sends a batch until its outcome is known. Never gives a verdict it is not sure of.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aggregates::{Recorded, StreamId};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::Config;

use super::{Job, Stands};
use crate::store::{
    batch::{APPEND, Answer, Arrays, Refusal},
    clock::Clock,
    command::{Append, KnownKey, Verdict},
    error::{Failure, StoreError},
    feed::{Feed, Weighed},
    session::Session,
};

const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Whose event stands at this place of a stream: for a command without a key whose first answer was lost.
const WHOSE: &str = "select e.position, e.recorded_at from public.events e
  where e.aggregate_type = $1 and e.aggregate_id = $2 and e.sequence = $3 and e.metadata ->> 'request_id' = $4";

static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// One connection of the committer.
pub(super) struct Lane {
    number: usize,
    session: Session,
    clock: Arc<Clock>,
    feed: Feed,
}

/// What a batch taught about streams and keys, for commands that were put off because of it.
#[derive(Default)]
pub(super) struct Learned {
    streams: HashMap<StreamId, i64>,
    /// By scope.
    keys: HashMap<String, HashMap<String, KnownKey>>,
}

impl Learned {
    /// The verdict on a command that was put off, if it is certain by now. A conflict is never the client's answer: the
    /// command comes again, and then its key is looked up.
    pub fn verdict(&self, append: &Append) -> Option<Verdict> {
        if let Some(key) = &append.key
            && let Some(known) = self.keys.get(&key.scope).and_then(|scope| scope.get(&key.key))
        {
            return Some(known.verdict_on(key));
        }
        let conflicts: Vec<Stands> = append
            .streams
            .iter()
            .filter_map(|expected| {
                let at = *self.streams.get(&expected.stream)?;
                (at > expected.sequence).then(|| (expected.stream.clone(), at))
            })
            .collect();
        (!conflicts.is_empty()).then_some(Verdict::Conflict(conflicts))
    }

    fn learn(&mut self, append: &Append, first: i64) {
        for draft in &append.events {
            if let Some(expected) = append.streams.get(draft.stream) {
                self.streams.insert(expected.stream.clone(), draft.sequence);
            }
        }
        let last = first + i64::try_from(append.events.len()).unwrap_or(0) - 1;
        self.learn_key(append, first, last);
    }

    fn learn_key(&mut self, append: &Append, first: i64, last: i64) {
        if let Some(key) = &append.key {
            let known = KnownKey {
                fingerprint: key.fingerprint,
                first,
                last,
            };
            let scope = self.keys.entry(key.scope.clone()).or_default();
            scope.insert(key.key.clone(), known);
        }
    }
}

impl Lane {
    pub fn new(config: &Config, clock: Arc<Clock>, feed: Feed) -> Self {
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Self {
            number,
            session: Session::new(config, "jari committer"),
            clock,
            feed,
        }
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// Sends the batch, answers every command in it, and comes back.
    pub async fn fly(self, batch: Vec<Job>) -> (Self, Learned) {
        let mut learned = Learned::default();
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            match self.append(&batch).await {
                Ok((answer, blindly)) => self.settle(batch, answer, blindly, &mut learned).await,
                // Halving finds the command that cannot be stored; its neighbours are stored without it.
                Err(Failure::Data(_)) if batch.len() > 1 => {
                    let second = batch.split_off(batch.len() / 2);
                    batches.extend([second, batch]);
                }
                Err(failure) => {
                    let error = StoreError::from(failure);
                    tracing::warn!(%error, commands = batch.len(), "commands could not be appended");
                    for job in batch {
                        job.answer(Err(error.clone()));
                    }
                }
            }
        }
        (self, learned)
    }

    /// Sends until there is an answer; says also whether an earlier attempt may have taken effect unseen.
    async fn append(&self, batch: &[Job]) -> Result<(Answer, bool), Failure> {
        let arrays = Arrays::of(batch.iter().map(|job| &job.append));
        let deadline = batch
            .iter()
            .map(|job| job.deadline)
            .max()
            .unwrap_or_else(Instant::now);
        let mut blindly = false;
        let mut pause = PAUSE_MIN;
        loop {
            let failure = match self.session.query(APPEND, &arrays.parameters()).await {
                Ok(rows) => match rows.first() {
                    Some(row) => return Ok((arrays.answer(row)?, blindly)),
                    None => return Err(Failure::Data("append did not answer".to_owned())),
                },
                Err(failure @ Failure::Data(_)) => return Err(failure),
                Err(failure) => failure,
            };
            blindly |= matches!(failure, Failure::Lost(_));
            if Instant::now() + pause > deadline {
                return Err(failure);
            }
            tracing::warn!(?failure, "cannot reach the log; retrying");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Tells everyone their verdict and hands the new events to the feed.
    async fn settle(&self, batch: Vec<Job>, answer: Answer, blindly: bool, learned: &mut Learned) {
        self.clock.learn(answer.at);
        let mut new = Vec::with_capacity(batch.len() * 4);
        let mut first_new = None;
        let mut verdicts = Vec::with_capacity(batch.len());
        for (job, outcome) in batch.into_iter().zip(answer.outcomes) {
            let Job {
                append, answer: to, ..
            } = job;
            let verdict = match outcome {
                Ok(first) => {
                    learned.learn(&append, first);
                    first_new.get_or_insert(first);
                    let recorded = append.recorded(first, answer.at);
                    let verdict = appended(first, &recorded);
                    new.extend(recorded);
                    Ok(verdict)
                }
                Err(refusal) => self.refused(append, refusal, blindly, answer.at, learned).await,
            };
            verdicts.push((to, verdict));
        }
        if let Some(first) = first_new {
            self.feed.offer(first, new);
        }
        for (to, verdict) in verdicts {
            // Whoever asked may have gone; what was appended stays appended.
            let _gone = to.send(verdict);
        }
    }

    async fn refused(
        &self,
        append: Append,
        refusal: Refusal,
        blindly: bool,
        at: Timestamp,
        learned: &mut Learned,
    ) -> Result<Verdict, StoreError> {
        Ok(match refusal {
            Refusal::Duplicate { first, last } => {
                self.feed.expect(last);
                learned.learn_key(&append, first, last);
                Verdict::Duplicate { first, last }
            }
            Refusal::KeyReused => Verdict::KeyReused,
            Refusal::ClockAhead => Verdict::ClockAhead(at),
            Refusal::SubjectTaken => Verdict::SubjectTaken,
            Refusal::Conflict(conflicts) => {
                if blindly && let Some((first, at)) = self.find_own(&append).await? {
                    let recorded = append.recorded(first, at);
                    let verdict = appended(first, &recorded);
                    if let Some((first, _)) = recorded.first() {
                        self.feed.offer(first.position, recorded);
                    }
                    return Ok(verdict);
                }
                learned.streams.extend(conflicts.iter().cloned());
                Verdict::Conflict(conflicts)
            }
        })
    }

    /// After a lost answer a conflict may be with the command's own events: the metadata tells.
    async fn find_own(&self, append: &Append) -> Result<Option<(i64, Timestamp)>, StoreError> {
        let Some(draft) = append.events.first() else {
            return Ok(None);
        };
        let Some(expected) = append.streams.get(draft.stream) else {
            return Ok(None);
        };
        let (kind, id) = (expected.stream.kind.as_str(), expected.stream.id.as_str());
        let request = append.request_id.to_string();
        let mut pause = PAUSE_MIN;
        let rows = loop {
            match self
                .session
                .query(WHOSE, &[&kind, &id, &draft.sequence, &request])
                .await
            {
                Ok(rows) => break rows,
                Err(failure) if pause > PAUSE_MAX => return Err(failure.into()),
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        };
        let Some(row) = rows.first() else { return Ok(None) };
        let read = |error| StoreError::from(Failure::from(error));
        Ok(Some((
            row.try_get(0).map_err(read)?,
            row.try_get(1).map_err(read)?,
        )))
    }
}

fn appended(first: i64, recorded: &[Weighed]) -> Verdict {
    let events: Vec<Arc<Recorded>> = recorded.iter().map(|(event, _)| Arc::clone(event)).collect();
    // Without events, the position the key was remembered at.
    let position = events.last().map_or(first - 1, |last| last.position);
    Verdict::Appended { position, events }
}
