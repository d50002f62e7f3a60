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

impl Recorded {
    /// Which aggregate this is about, if it is one of these; none, too, if its stream has a name that none can have.
    #[must_use]
    pub fn id_of<A: Decider>(&self) -> Option<A::Id> {
        if self.stream.kind == A::TYPE {
            self.stream.id.parse().ok()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{ids::ReservationId, reservation::Reservation, seat::Seat};

    fn recorded(kind: &str, id: &str) -> Recorded {
        Recorded {
            position: 1,
            recorded_at: Timestamp::UNIX_EPOCH,
            stream: StreamId::stored(kind, id),
            sequence: 1,
            event: Event::Foreign,
            metadata: Arc::default(),
        }
    }

    #[test]
    fn an_event_names_its_own_kind_of_aggregate_only() {
        let event = recorded("reservation", "7");
        assert_eq!(event.id_of::<Reservation>(), Some(ReservationId::new(7)));
        assert_eq!(event.id_of::<Seat>(), None, "another kind");
        let nameless = recorded("reservation", "not a number");
        assert_eq!(nameless.id_of::<Reservation>(), None, "no name of a reservation");
    }
}
