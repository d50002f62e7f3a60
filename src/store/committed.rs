//! What a unit of work left in the log: the answer's raw material, the same for a repeat. Never looks anything up.

use std::{collections::HashMap, sync::Arc};

use aggregates::{Decider, Recorded, StreamId};
use smol_str::SmolStr;

use super::cache::State;

/// What was appended, now or by the first request with the same key.
#[derive(Clone)]
pub struct Committed {
    /// The position up to which the log holds this answer: a query that waits for it sees the effect.
    pub position: i64,
    /// The same request was answered before: these are the first answer's events.
    pub repeated: bool,
    /// The events, in order; none if there was nothing to do.
    pub events: Vec<Arc<Recorded>>,
    pub(crate) after: After,
}

/// How the written streams stood right after the unit.
#[derive(Clone)]
pub(crate) enum After {
    /// As decided in this process.
    States(HashMap<StreamId, State>),
    /// To be folded from all events up to then.
    Histories(HashMap<StreamId, Vec<Recorded>>),
}

impl Committed {
    /// The aggregate right after this unit; none if the unit did not write to it.
    #[must_use]
    pub fn state<A: Decider>(&self, id: &A::Id) -> Option<Arc<A>> {
        self.state_of(&StreamId::of::<A>(id))
    }

    /// The one aggregate of this kind that the unit wrote to; none if there are several or none.
    #[must_use]
    pub fn only<A: Decider>(&self) -> Option<(A::Id, Arc<A>)> {
        let of_kind = |event: &&Arc<Recorded>| event.stream.kind == A::TYPE;
        let stream = &self.events.iter().find(of_kind)?.stream;
        if self
            .events
            .iter()
            .filter(of_kind)
            .any(|event| event.stream != *stream)
        {
            return None;
        }
        Some((stream.id.parse().ok()?, self.state_of(stream)?))
    }

    /// The metadata under this name, the same on all events of the unit.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&SmolStr> {
        self.events.first()?.metadata.get(name)
    }

    fn state_of<A: Decider>(&self, stream: &StreamId) -> Option<Arc<A>> {
        match &self.after {
            After::States(states) => Arc::clone(states.get(stream)?).downcast().ok(),
            After::Histories(histories) => {
                let mut state = A::default();
                for recorded in histories.get(stream)? {
                    state.apply(A::unwrap(&recorded.event)?.clone());
                }
                Some(Arc::new(state))
            }
        }
    }
}
