//! Runs a unit of work: decide, append, and again if others were faster; a refusal is answered only when it is confirmed.
//! Never answers from a stale cache, and never twice to one key.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use aggregates::{Recorded, StreamId};
use smol_str::{SmolStr, ToSmolStr as _};

use super::{
    BlockedBy, Committed, Request, Stop, Store, StoreError, UnitOfWork,
    command::{Append, Expected, Standing, Verdict},
    committed::After,
    reading::subject,
    request::IdempotencyKey,
    sealing,
    unit::{Home, Work},
};
use crate::vault::SubjectKey;

/// Attempts of one unit, when others keep changing the same streams.
pub const ATTEMPTS_MAX: u32 = 64;
/// The note of a unit that says at which branch it happens.
pub(crate) const BRANCH: &str = "branch";
/// Attempts without a pause in between.
const ATTEMPTS_AT_ONCE: u32 = 8;
/// The longest pause after an attempt, grown to by a millisecond each time.
const PAUSE_MAX_MS: u64 = 50;

/// What one attempt led to.
enum Step {
    Done(Committed),
    /// Others were faster: where these streams stand now.
    Again(Vec<(StreamId, i64)>),
}

impl Store {
    /// Runs `body` as one unit of work and appends what it decided, whole or not at all. `body` is called again with fresh
    /// states if others changed one of its streams meanwhile, so it must have no other effect.
    ///
    /// A refusal, or a decision that there is nothing to do, is confirmed against the log before it is answered. A key that
    /// was used before answers with the first events.
    ///
    /// ```ignore
    /// store.run(&request, |mut unit| async move {
    ///     unit.load::<Seat>(seat).await?;
    ///     unit.execute::<Seat>(seat, SeatCommand::Hold { by }).map_err(Stop::Refused)
    /// })
    /// ```
    pub async fn run<E, F>(
        &self,
        request: &Request,
        body: impl Fn(UnitOfWork) -> F,
    ) -> Result<Committed, Stop<E>>
    where
        F: Future<Output = Result<(), Stop<E>>> + Send,
    {
        let home = Home::default();
        let mut unit = Work::new(self.now());
        for attempt in 1..=ATTEMPTS_MAX {
            let outcome = body(UnitOfWork::new(
                Arc::clone(&self.shared.desk),
                unit,
                Arc::clone(&home),
            ))
            .await;
            let back = home.lock().unwrap_or_else(PoisonError::into_inner).take();
            let kept = || StoreError::Corrupt("a unit of work was kept beyond its body".to_owned());
            unit = back.ok_or_else(kept)?;
            if let Some(text) = unit.misuse() {
                return Err(StoreError::Corrupt(text).into());
            }
            let step = match outcome {
                Err(Stop::Store(error)) => return Err(Stop::Store(error)),
                Err(Stop::Refused(refusal)) => match self.confirm(request, &unit).await? {
                    Confirmed::True(_) => {
                        if let Some(branch) = unit.noted(BRANCH) {
                            request.trace.note_branch(branch.clone());
                        }
                        return Err(Stop::Refused(refusal));
                    }
                    Confirmed::Not(step) => step,
                },
                Ok(()) if unit.has_decided() => self.append(request, &mut unit).await?,
                Ok(()) if request.key.is_some() => self.append_nothing(request, &unit).await?,
                Ok(()) => match self.confirm(request, &unit).await? {
                    Confirmed::True(position) => Step::Done(Committed {
                        position,
                        repeated: false,
                        events: Vec::new(),
                        after: After::States(HashMap::new()),
                    }),
                    Confirmed::Not(step) => step,
                },
            };
            match step {
                Step::Done(committed) => return Ok(committed),
                Step::Again(stands) => {
                    pause(attempt).await;
                    unit.start_again(self.now(), stands);
                }
            }
        }
        Err(StoreError::TooContended.into())
    }

    /// The first answer to a request whose key was used before; none if it was not, and nothing is done.
    pub async fn answered_before(&self, request: &Request) -> Result<Option<Committed>, StoreError> {
        if request.key.is_none() {
            return Ok(None);
        }
        // A refusal is answered only once the key is known to be new.
        match self.run(request, async |_unit| Err(Stop::Refused(()))).await {
            Ok(committed) => Ok(Some(committed)),
            Err(Stop::Refused(())) => Ok(None),
            Err(Stop::Store(error)) => Err(error),
        }
    }

    async fn append(&self, request: &Request, unit: &mut Work) -> Result<Step, StoreError> {
        let streams = unit.expected();
        let (notes, decided) = (unit.take_notes(), unit.take_decided());
        let sealed = sealing::seal(&self.shared.desk.reading, request, notes, &streams, decided).await?;
        let (mut append, made) = sealed.into_append(unit.now(), request.request_id, streams);
        append.key.clone_from(&request.key);
        let stored = append.bytes_by_stream();
        let verdict = self.shared.writer.append(append).await?;
        self.settle(request, unit, verdict, made, &stored).await
    }

    /// There was nothing to do: that is the answer to the key from now on, and a repeat that comes late does nothing too.
    async fn append_nothing(&self, request: &Request, unit: &Work) -> Result<Step, StoreError> {
        let relied_on = |(stream, sequence)| Expected {
            stream,
            sequence,
            written: false,
        };
        let append = Append {
            now: unit.now(),
            request_id: request.request_id,
            key: request.key.clone(),
            streams: unit.grounds().into_iter().map(relied_on).collect(),
            events: Vec::new(),
            metadata_json: "{}".to_owned(),
            metadata: Arc::default(),
            new_keys: Vec::new(),
        };
        let verdict = self.shared.writer.append(append).await?;
        self.settle(request, unit, verdict, HashMap::new(), &[]).await
    }

    /// What the verdict on a unit means: `made` are the keys it made, `stored` the bytes it added to each of its streams.
    async fn settle(
        &self,
        request: &Request,
        unit: &Work,
        verdict: Verdict,
        made: HashMap<SmolStr, SubjectKey>,
        stored: &[usize],
    ) -> Result<Step, StoreError> {
        match verdict {
            Verdict::Appended { position, events } => {
                for (subject, key) in made {
                    self.vault().remember(&subject, key);
                }
                let mut states = HashMap::new();
                for (stream, entry) in unit.written(stored) {
                    states.insert(stream.clone(), Arc::clone(&entry.state));
                    // Later units find the new states at hand.
                    self.shared.desk.cache.put(stream, entry);
                }
                Ok(Step::Done(Committed {
                    position,
                    repeated: false,
                    events,
                    after: After::States(states),
                }))
            }
            Verdict::Duplicate { first, last } => {
                Ok(Step::Done(self.first_answer(request, first, last).await?))
            }
            Verdict::KeyReused => Err(StoreError::KeyReused),
            Verdict::Conflict(stands) => Ok(Step::Again(stands)),
            Verdict::ClockAhead(at) => {
                self.shared.clock.set_back(at);
                Ok(Step::Again(Vec::new()))
            }
            Verdict::SubjectTaken => {
                // Looked up now, the keys are at hand for the next attempt.
                let persons = unit.expected().into_iter().map(|expected| expected.stream);
                let persons = persons
                    .chain(request.actor.subject())
                    .map(|stream| subject(&stream));
                self.reading().keys(persons).await?;
                Ok(Step::Again(Vec::new()))
            }
        }
    }

    /// Checks that what a refusal rests on is still so, and that its key was never used.
    async fn confirm(&self, request: &Request, unit: &Work) -> Result<Confirmed, StoreError> {
        let blamed = unit.blamed();
        if request.key.is_none() && blamed.is_none() && !unit.is_unsure() {
            return Ok(Confirmed::True(self.feed().position().max(unit.seen())));
        }
        let grounds = unit.grounds();
        let streams = grounds.iter().map(|(stream, _)| stream.clone()).collect();
        let standing = self
            .shared
            .desk
            .reading
            .log()
            .standing(streams, request.key.clone())
            .await?;
        if let Some(step) = self.known(request, &standing).await? {
            return Ok(Confirmed::Not(step));
        }
        let moved: Vec<_> = grounds
            .iter()
            .zip(&standing.ends)
            .filter(|((_, read_at), end)| *read_at != end.sequence)
            .map(|((stream, _), end)| (stream.clone(), end.sequence))
            .collect();
        if !moved.is_empty() {
            return Ok(Confirmed::Not(Step::Again(moved)));
        }
        if let Some(end) = blamed.and_then(|number| standing.ends.get(number)) {
            request.trace.note(BlockedBy {
                position: end.position,
                recorded_at: end.recorded_at,
                proof: self.vault().prove_refusal(request.request_id, end.position),
            });
        }
        Ok(Confirmed::True(standing.head.max(self.feed().position())))
    }

    async fn known(&self, request: &Request, standing: &Standing) -> Result<Option<Step>, StoreError> {
        match (&request.key, standing.key) {
            (Some(IdempotencyKey { fingerprint, .. }), Some(known)) if known.fingerprint == *fingerprint => {
                Ok(Some(Step::Done(
                    self.first_answer(request, known.first, known.last).await?,
                )))
            }
            (Some(_), Some(_)) => Err(StoreError::KeyReused),
            (Some(_) | None, None) | (None, Some(_)) => Ok(None),
        }
    }

    /// The answer that was given to the key before: its events, and the streams as they stood right after.
    async fn first_answer(&self, request: &Request, first: i64, last: i64) -> Result<Committed, StoreError> {
        let count = usize::try_from(last - first + 1).unwrap_or(0);
        let events = self.events(first - 1, count).await?;
        let mut ends: HashMap<&StreamId, i64> = HashMap::new();
        for event in &events {
            ends.insert(&event.stream, event.sequence);
        }
        let mut histories = HashMap::new();
        for (stream, end) in ends {
            let mut history: Vec<Recorded> = self.events_of(stream).await?;
            history.retain(|recorded| recorded.sequence <= end);
            histories.insert(stream.clone(), history);
        }
        // After a lost connection the first answer may be this request's own.
        let own: SmolStr = request.request_id.to_smolstr();
        let repeated = events
            .first()
            .is_none_or(|event| event.metadata.get("request_id") != Some(&own));
        Ok(Committed {
            position: last,
            repeated,
            events,
            after: After::Histories(histories),
        })
    }
}

enum Confirmed {
    /// It holds; the position of the log at which that was seen.
    True(i64),
    Not(Step),
}

async fn pause(attempt: u32) {
    if attempt > ATTEMPTS_AT_ONCE {
        let most = u64::from(attempt - ATTEMPTS_AT_ONCE).min(PAUSE_MAX_MS);
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..=most))).await;
    }
}
