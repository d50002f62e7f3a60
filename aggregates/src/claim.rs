//! A unique name: whoever takes it first has it; never knows what is named.
//!
//! ```text
//!   Free ──take──▶ Taken ◀──take, give back──▶ GivenBack
//! ```

use serde::{Deserialize, Serialize};

use crate::{administered::Claims, decider::aggregate, ids::ClaimId, refusal::refusals};

/// What can be asked of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimCommand {
    /// Give it to the stream with this id.
    Take { by: String },
    /// Give it back.
    GiveBack { by: String },
}

/// What happened to a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimEvent {
    /// It names this stream now.
    Taken { by: String },
    /// It names nothing any more.
    GivenBack { by: String },
}

/// Why a name says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// It names something else.
    #[error("the name is taken")]
    Taken {
        /// The id of what it names.
        by: String,
    },
}

refusals! { ClaimError:
    Self::Taken { .. } => "claim/taken", Conflict, "Choose another name; this one is in use.";
}

/// What a name remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Claim {
    /// It names nothing.
    #[default]
    Free,
    /// It names the stream with this id.
    Taken { by: String },
    /// It names nothing any more; the last it named was this.
    GivenBack { by: String },
}

aggregate! {
    Claim = "claim", id: ClaimId, command: ClaimCommand, event: ClaimEvent, error: ClaimError,
    stored: "Claim" [Taken, GivenBack]
}

impl Claim {
    fn rule(&self, command: ClaimCommand, _now: jiff::Timestamp) -> Result<Vec<ClaimEvent>, ClaimError> {
        use ClaimCommand::{GiveBack, Take};
        match (command, self) {
            (Take { by }, Self::Free | Self::GivenBack { .. }) => Ok(vec![ClaimEvent::Taken { by }]),
            (Take { by }, Self::Taken { by: owner }) if by == *owner => Ok(vec![]),
            (Take { .. }, Self::Taken { by }) => Err(ClaimError::Taken { by: by.clone() }),

            (GiveBack { by }, Self::Taken { by: owner }) if by == *owner => {
                Ok(vec![ClaimEvent::GivenBack { by }])
            }
            (GiveBack { .. }, Self::Free | Self::Taken { .. } | Self::GivenBack { .. }) => Ok(vec![]),
        }
    }

    fn evolve(&mut self, event: ClaimEvent) {
        *self = match event {
            ClaimEvent::Taken { by } => Self::Taken { by },
            ClaimEvent::GivenBack { by } => Self::GivenBack { by },
        };
    }

    /// The id of what it names.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        match self {
            Self::Free | Self::GivenBack { .. } => None,
            Self::Taken { by } => Some(by),
        }
    }

    /// The id of what it named last, if it names nothing now.
    #[must_use]
    pub fn last_owner(&self) -> Option<&str> {
        match self {
            Self::Free | Self::Taken { .. } => None,
            Self::GivenBack { by } => Some(by),
        }
    }
}

impl Claims {
    /// One name in place of another; the same name again is taken by who has it, which changes nothing.
    pub(crate) fn moving(from: Option<ClaimId>, to: Option<ClaimId>) -> Self {
        Self {
            gives_back: from.filter(|from| Some(from) != to.as_ref()),
            takes: to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClaimCommand::*, *};
    use crate::decider::testing::given;

    fn a() -> String {
        "a".to_owned()
    }

    fn b() -> String {
        "b".to_owned()
    }

    fn taken() -> ClaimEvent {
        ClaimEvent::Taken { by: a() }
    }

    #[test]
    fn a_free_name_is_taken_once() {
        given::<Claim>([]).when(Take { by: a() }).then([taken()]);
        given::<Claim>([taken()]).when(Take { by: a() }).then([]);
        given::<Claim>([taken()])
            .when(Take { by: b() })
            .refused(&ClaimError::Taken { by: a() });
    }

    #[test]
    fn only_its_owner_gives_a_name_back() {
        given::<Claim>([taken()])
            .when(GiveBack { by: a() })
            .then([ClaimEvent::GivenBack { by: a() }]);
        given::<Claim>([taken()]).when(GiveBack { by: b() }).then([]);
        given::<Claim>([]).when(GiveBack { by: a() }).then([]);
    }

    #[test]
    fn a_name_given_back_is_free_for_the_next() {
        let given_back = [taken(), ClaimEvent::GivenBack { by: a() }];
        given::<Claim>(given_back.clone())
            .when(GiveBack { by: a() })
            .then([]);
        given::<Claim>(given_back)
            .when(Take { by: b() })
            .then([ClaimEvent::Taken { by: b() }]);
    }
}
