//! One call of `append`: which commands go together, how they are sent, what each verdict is. Never talks to a database.

use std::collections::{HashMap, HashSet};

use aggregates::StreamId;
use jiff::Timestamp;
use tokio_postgres::{Row, types::ToSql};

use super::{
    command::{Append, Expected},
    error::Failure,
    json::Json,
};

/// Commands in one batch at most.
pub(crate) const COMMANDS_MAX: usize = 512;
/// Events in one batch at most, unless one command alone has more.
const EVENTS_MAX: usize = 8_192;
/// Bytes in one batch at most, unless one command alone has more.
const BYTES_MAX: usize = 2 << 20;

pub(crate) const APPEND: &str = "select base, at, refused, verdicts, found_first, found_last
  from public.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)";

/// Which streams and keys the commands of a batch touch, to tell who has to wait for the next one.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    streams: HashMap<StreamId, bool>,
    /// By scope.
    keys: HashMap<String, HashSet<String>>,
    commands: usize,
    events: usize,
    bytes: usize,
}

impl Touched {
    /// Whether the command shares no written stream and no key with those inside.
    pub fn is_free_for(&self, append: &Append) -> bool {
        let stream_free = |expected: &Expected| match self.streams.get(&expected.stream) {
            Some(written) => !written && !expected.written,
            None => true,
        };
        append.streams.iter().all(stream_free) && self.is_key_free(append)
    }

    /// Whether the command could follow those inside in a transaction of its own: nothing inside writes what it
    /// relies on, or has its key.
    pub fn may_precede(&self, append: &Append) -> bool {
        let unwritten = |expected: &Expected| self.streams.get(&expected.stream) != Some(&true);
        append.streams.iter().all(unwritten) && self.is_key_free(append)
    }

    fn is_key_free(&self, append: &Append) -> bool {
        let Some(key) = &append.key else { return true };
        let scope = self.keys.get(&key.scope);
        !scope.is_some_and(|keys| keys.contains(&key.key))
    }

    /// Whether the command fits into what a batch may hold.
    pub fn has_room_for(&self, append: &Append) -> bool {
        self.commands == 0
            || (self.commands < COMMANDS_MAX
                && self.events + append.events.len() <= EVENTS_MAX
                && self.bytes + append.bytes() <= BYTES_MAX)
    }

    /// Takes the command in.
    pub fn add(&mut self, append: &Append) {
        for expected in &append.streams {
            let written = self.streams.entry(expected.stream.clone()).or_default();
            *written |= expected.written;
        }
        if let Some(key) = &append.key {
            let scope = self.keys.entry(key.scope.clone()).or_default();
            scope.insert(key.key.clone());
        }
        self.commands += 1;
        self.events += append.events.len();
        self.bytes += append.bytes();
    }

    /// How many commands are inside.
    pub fn commands(&self) -> usize {
        self.commands
    }
}

/// The arrays of one call, borrowed from its commands.
#[derive(Default)]
pub(crate) struct Arrays<'a> {
    c_now: Vec<Timestamp>,
    c_metadata: Vec<Json<'a>>,
    c_first: Vec<i32>,
    c_last: Vec<i32>,
    i_cmd: Vec<i32>,
    i_scope: Vec<&'a str>,
    i_key: Vec<&'a str>,
    i_fingerprint: Vec<&'a [u8]>,
    s_cmd: Vec<i32>,
    s_type: Vec<&'a str>,
    s_id: Vec<&'a str>,
    s_expect: Vec<i64>,
    e_stream: Vec<i32>,
    e_sequence: Vec<i64>,
    e_type: Vec<&'a str>,
    e_version: Vec<&'a str>,
    e_payload: Vec<Json<'a>>,
    k_cmd: Vec<i32>,
    k_subject: Vec<&'a str>,
    k_wrapped: Vec<&'a [u8]>,
}

fn number(index: usize) -> i32 {
    // A batch holds far fewer than two thousand million of anything.
    i32::try_from(index).unwrap_or(i32::MAX)
}

impl<'a> Arrays<'a> {
    /// What these commands send.
    pub fn of(appends: impl Iterator<Item = &'a Append>) -> Self {
        let mut arrays = Self::default();
        for (command, append) in appends.enumerate() {
            arrays.add(number(command + 1), append);
        }
        arrays
    }

    fn add(&mut self, command: i32, append: &'a Append) {
        let streams = number(self.s_cmd.len() + 1);
        self.c_now.push(append.now);
        self.c_metadata.push(Json(&append.metadata_json));
        self.c_first.push(number(self.e_stream.len() + 1));
        if let Some(key) = &append.key {
            self.i_cmd.push(command);
            self.i_scope.push(&key.scope);
            self.i_key.push(&key.key);
            self.i_fingerprint.push(&key.fingerprint);
        }
        for expected in &append.streams {
            self.s_cmd.push(command);
            self.s_type.push(&expected.stream.kind);
            self.s_id.push(&expected.stream.id);
            self.s_expect.push(expected.sequence);
        }
        for draft in &append.events {
            self.e_stream.push(streams + number(draft.stream));
            self.e_sequence.push(draft.sequence);
            self.e_type.push(&draft.name);
            self.e_version.push(&draft.version);
            self.e_payload.push(Json(&draft.payload));
        }
        for (subject, wrapped) in &append.new_keys {
            self.k_cmd.push(command);
            self.k_subject.push(subject);
            self.k_wrapped.push(wrapped);
        }
        self.c_last.push(number(self.e_stream.len()));
    }

    /// The parameters of [`APPEND`].
    pub fn parameters(&self) -> [&(dyn ToSql + Sync); 20] {
        [
            &self.c_now,
            &self.c_metadata,
            &self.c_first,
            &self.c_last,
            &self.i_cmd,
            &self.i_scope,
            &self.i_key,
            &self.i_fingerprint,
            &self.s_cmd,
            &self.s_type,
            &self.s_id,
            &self.s_expect,
            &self.e_stream,
            &self.e_sequence,
            &self.e_type,
            &self.e_version,
            &self.e_payload,
            &self.k_cmd,
            &self.k_subject,
            &self.k_wrapped,
        ]
    }

    /// The command and stream with this number among `s_*`.
    fn stream(&self, index: i64) -> Option<StreamId> {
        let index = usize::try_from(index).ok()?.checked_sub(1)?;
        Some(StreamId::stored(self.s_type.get(index)?, self.s_id.get(index)?))
    }

    /// Reads the answer: when it was recorded, and per command its first position or why not.
    pub fn answer(&self, row: &Row) -> Result<Answer, Failure> {
        let refusals: Option<Vec<i32>> = row.try_get("refused")?;
        let at = row.try_get("at")?;
        let mut answers: Vec<Option<Refusal>> = self.c_now.iter().map(|_| None).collect();
        if let Some(refused) = refusals {
            let verdicts: Vec<String> = row.try_get("verdicts")?;
            let first: Vec<Option<i64>> = row.try_get("found_first")?;
            let last: Vec<Option<i64>> = row.try_get("found_last")?;
            for (((command, verdict), first), last) in refused.into_iter().zip(verdicts).zip(first).zip(last)
            {
                let slot = usize::try_from(command - 1)
                    .ok()
                    .and_then(|index| answers.get_mut(index));
                if let Some(slot) = slot {
                    let found = (first.unwrap_or_default(), last.unwrap_or_default());
                    Refusal::meet(slot, self.refusal(&verdict, found)?);
                }
            }
        }
        let mut next = row.try_get::<_, i64>("base")? + 1;
        let outcomes = answers
            .into_iter()
            .zip(self.c_first.iter().zip(&self.c_last))
            .map(|(refusal, (from, to))| {
                if let Some(refusal) = refusal {
                    return Err(refusal);
                }
                let first = next;
                next += i64::from(to - from) + 1;
                Ok(first)
            });
        Ok(Answer {
            at,
            outcomes: outcomes.collect(),
        })
    }

    fn refusal(&self, verdict: &str, (first, last): (i64, i64)) -> Result<Refusal, Failure> {
        match verdict {
            "duplicate" => Ok(Refusal::Duplicate { first, last }),
            "key_reused" => Ok(Refusal::KeyReused),
            "clock" => Ok(Refusal::ClockAhead),
            "conflict" => Ok(Refusal::Conflict(
                self.stream(last).map(|s| (s, first)).into_iter().collect(),
            )),
            "subject" => Ok(Refusal::SubjectTaken),
            other => Err(Failure::Data(format!(
                "append answered `{other}`, which this program does not know"
            ))),
        }
    }
}

/// What became of one batch.
pub(crate) struct Answer {
    /// When it was recorded.
    pub at: Timestamp,
    /// Per command its first position, or why it was refused.
    pub outcomes: Vec<Result<i64, Refusal>>,
}

/// Why a command was not appended, the weightiest reason last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    SubjectTaken,
    ClockAhead,
    Conflict(Vec<(StreamId, i64)>),
    KeyReused,
    Duplicate { first: i64, last: i64 },
}

impl Refusal {
    fn weight(&self) -> u8 {
        match self {
            Self::SubjectTaken => 0,
            Self::ClockAhead => 1,
            Self::Conflict(_) => 2,
            Self::KeyReused => 3,
            Self::Duplicate { .. } => 4,
        }
    }

    /// Keeps the weightier of two reasons; conflicts add up.
    fn meet(slot: &mut Option<Self>, new: Self) {
        match (slot.as_mut(), new) {
            (Some(Self::Conflict(known)), Self::Conflict(more)) => known.extend(more),
            (Some(known), new) if known.weight() >= new.weight() => {}
            (Some(_) | None, new) => *slot = Some(new),
        }
    }
}
