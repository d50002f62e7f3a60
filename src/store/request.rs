//! Who asks, with which command, and which metadata that leaves on every event; never holds a secret.

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use aggregates::{
    Metadata, StreamId,
    ids::{CustomerId, ReservationId},
};
use jiff::Timestamp;
use smol_str::{SmolStr, ToSmolStr as _};
use uuid::Uuid;

use super::Precondition;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody without an account, known only by the reservation they make or hold the token of.
    Guest(ReservationId),
    /// A registered customer.
    Customer(CustomerId),
    /// A member of staff.
    Admin(SmolStr),
    /// The program itself: the policy's name.
    System(&'static str),
}

impl Actor {
    /// Every kind of actor, as it is stored.
    pub const KINDS: [&str; 4] = ["guest", "customer", "admin", "system"];
    /// What stands in place of an admin's id where somebody had the admin token of the server: no person is known.
    pub const TOKEN: &str = "token";

    fn kind(&self) -> &'static str {
        match self {
            Self::Guest(_) => "guest",
            Self::Customer(_) => "customer",
            Self::Admin(_) => "admin",
            Self::System(_) => "system",
        }
    }

    fn id(&self) -> SmolStr {
        match self {
            Self::Guest(reservation) => reservation.to_smolstr(),
            Self::Customer(customer) => customer.to_smolstr(),
            Self::Admin(id) => id.clone(),
            Self::System(policy) => SmolStr::new_static(policy),
        }
    }

    /// Whose key seals the actor's address; none for the program itself.
    pub(crate) fn subject(&self) -> Option<StreamId> {
        let kind = match self {
            Self::Guest(_) => "reservation",
            Self::Customer(_) => "customer",
            Self::Admin(_) => "admin",
            Self::System(_) => return None,
        };
        Some(StreamId {
            kind: SmolStr::new_static(kind),
            id: self.id(),
        })
    }
}

/// A key of the client's by which a repeated request is known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Whose keys these are: the principal or the anonymous session.
    pub scope: String,
    /// The client's own text, or a keyed hash of it: it is remembered, and a stranger must not use it.
    pub key: String,
    /// A hash of the whole typed command: the same key with another one is refused.
    pub fingerprint: [u8; 32],
}

/// What stood in the way of a request that was refused: the last event of the stream its refusal rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedBy {
    /// Its place in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Request and position, sealed: an auditor can open it, and nobody can make one up.
    pub proof: String,
}

/// Where the store notes what stood in the way of a request, and where; whoever sent the request keeps a copy.
#[derive(Debug, Clone, Default)]
pub struct Trace(Arc<Traced>);

#[derive(Debug, Default)]
struct Traced {
    blocked_by: OnceLock<BlockedBy>,
    branch: OnceLock<SmolStr>,
}

impl Trace {
    /// What stood in the way, if it was refused because of something that had happened.
    #[must_use]
    pub fn blocked_by(&self) -> Option<&BlockedBy> {
        self.0.blocked_by.get()
    }

    /// The branch at which it was refused, if it was at one.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.0.branch.get().map(SmolStr::as_str)
    }

    /// A request is refused once: what was noted first stays.
    pub(crate) fn note(&self, blocked_by: BlockedBy) {
        let _noted = self.0.blocked_by.set(blocked_by);
    }

    /// The same for the branch.
    pub(crate) fn note_branch(&self, branch: SmolStr) {
        let _noted = self.0.branch.set(branch);
    }
}

/// One request, as the log remembers it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who acts.
    pub actor: Actor,
    /// The command's name, for example `reservations/place`.
    pub command: SmolStr,
    /// This request's own id, a UUID v7.
    pub request_id: Uuid,
    /// What several requests have in common.
    pub correlation_id: Option<SmolStr>,
    /// The position of the event this reacts to.
    pub causation: Option<i64>,
    /// Why, in the actor's own words; sealed under the key of the reservation it changes, else of the first stream.
    pub reason: Option<SmolStr>,
    /// Where the request came from; sealed under the actor's key.
    pub address: Option<IpAddr>,
    /// By which a repeat is known.
    pub key: Option<IdempotencyKey>,
    /// What stood in its way, once that is known.
    pub trace: Trace,
    /// What the caller takes the thing to be.
    pub if_match: Precondition,
}

impl Request {
    /// A request of the program itself.
    #[must_use]
    pub fn system(policy: &'static str, command: impl Into<SmolStr>) -> Self {
        Self {
            actor: Actor::System(policy),
            command: command.into(),
            request_id: Uuid::now_v7(),
            correlation_id: None,
            causation: None,
            reason: None,
            address: None,
            key: None,
            trace: Trace::default(),
            if_match: Precondition::None,
        }
    }

    /// The metadata without what has to be sealed.
    pub(crate) fn metadata(&self) -> Metadata {
        let mut map = Metadata::new();
        let mut put = |name: &'static str, value: SmolStr| map.insert(SmolStr::new_static(name), value);
        put("actor_kind", SmolStr::new_static(self.actor.kind()));
        put("actor_id", self.actor.id());
        put("command", self.command.clone());
        put("request_id", self.request_id.to_smolstr());
        if let Some(correlation) = &self.correlation_id {
            put("correlation_id", correlation.clone());
        }
        if let Some(position) = self.causation {
            put("causation_position", position.to_smolstr());
        }
        if let Some(key) = &self.key {
            put("idempotency_key", SmolStr::new(&key.key));
        }
        map
    }

    /// The place in the metadata that must be sealed, in plain: name, value, whose key.
    pub(crate) fn confidential(&self, about: &StreamId) -> Vec<(&'static str, SmolStr, StreamId)> {
        let address = self.address.zip(self.actor.subject());
        let address = address.map(|(address, subject)| ("address", address.to_smolstr(), subject));
        let reason = self
            .reason
            .clone()
            .map(|reason| ("reason", reason, about.clone()));
        address.into_iter().chain(reason).collect()
    }
}

/// Shared by all events of one unit.
pub(crate) type SharedMetadata = Arc<Metadata>;
