//! A fact as the log holds it: event, place in the log, and who did it; never decides anything.

use std::{collections::BTreeMap, fmt, sync::Arc};

use jiff::Timestamp;
use smol_str::SmolStr;

use crate::{Decider, Event};

/// One stream of the log: the stored type of its aggregate and the aggregate's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// The stored type, for example `seat`.
    pub kind: SmolStr,
    /// The id within that type.
    pub id: SmolStr,
}

impl StreamId {
    /// The stream of one aggregate.
    pub fn of<A: Decider>(id: &A::Id) -> Self {
        use fmt::Write as _;
        let mut text = smol_str::SmolStrBuilder::new();
        // Writing to a string builder cannot fail.
        let _ = write!(text, "{id}");
        Self {
            kind: SmolStr::new_static(A::TYPE),
            id: text.finish(),
        }
    }

    /// A stream read back from the log.
    #[must_use]
    pub fn stored(kind: &str, id: &str) -> Self {
        Self {
            kind: SmolStr::new(kind),
            id: SmolStr::new(id),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// Who, by which command, for which reason: a flat map of strings, the same for all events of one unit of work.
///
/// Keys in use: `actor_kind`, `actor_id`, `command`, `request_id`, `correlation_id`, `causation_position`, `address`
/// (sealed), `idempotency_key`, `reason`. Never a secret, never a plain personal value.
pub type Metadata = BTreeMap<SmolStr, SmolStr>;

/// One event as it stands in the log.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its place in the whole log: 1, 2, 3, … in commit order, without gaps.
    pub position: i64,
    /// When it was written, by the database's clock; never decreases with `position`.
    pub recorded_at: Timestamp,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in that stream: 1, 2, 3, …
    pub sequence: i64,
    /// What happened.
    pub event: Event,
    /// Who did it.
    pub metadata: Arc<Metadata>,
}
