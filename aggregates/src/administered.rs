//! What the one generic admin route must know of an aggregate; never who is signed in.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Decider,
    fault::Faults,
    ids::{AuditoriumId, BranchId, CancellationPolicyId, ClaimId, MovieId, PricePolicyId, ThemeId},
    refusal::Refusal,
    rights::Permission,
};

/// A stream a command's references must lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// The branch must be open.
    Branch(BranchId),
    /// The branch must be open, and a cinema.
    Cinema(BranchId),
    /// The branch must be open, and an escape-room shop.
    EscapeRoom(BranchId),
    /// The auditorium must exist.
    Auditorium(AuditoriumId),
    /// The movie must be announced.
    Movie(MovieId),
    /// The theme must exist.
    Theme(ThemeId),
    /// The price policy must be adopted.
    PricePolicy(PricePolicyId),
    /// The cancellation policy must be adopted.
    CancellationPolicy(CancellationPolicyId),
}

/// The unique name a command takes and the one it gives back, guarded by claim streams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Taken by this command.
    pub takes: Option<ClaimId>,
    /// Given back by this command.
    pub gives_back: Option<ClaimId>,
}

/// An aggregate that admins change by `POST /v1/{collection}/{id}/{verb}`.
pub trait Administered:
    Decider<Error: Refusal, Command: DeserializeOwned + Serialize + Clone + std::fmt::Debug>
{
    /// The plural noun in the route, for example `branches`.
    const COLLECTION: &'static str;

    /// One valid example per command: verb in kebab-case, and the body as JSON text.
    const EXAMPLES: &'static [(&'static str, &'static str)];

    /// Where its commands hold the unique name, as a JSON pointer.
    const NAME: &'static str = "/name";

    /// The body of a command as it is read, from another form it may be sent in; else every fault with its place.
    fn plainly(_verb: &str, body: Value) -> Result<Value, Faults> {
        Ok(body)
    }

    /// What an admin must be allowed to do to send this command, at the branch it concerns (DOMAIN P2). It depends on the
    /// command's variant only, never on its fields.
    fn access(command: &Self::Command) -> Permission;

    /// The names it takes and gives back, given the state before it.
    fn claims(&self, id: &Self::Id, command: &Self::Command) -> Claims;

    /// The streams it names, which must exist.
    fn reads(command: &Self::Command) -> Vec<Reference>;

    /// The branch it belongs to, as far as it remembers one: what is done to it is found by that.
    fn branch(&self, id: &Self::Id) -> Option<BranchId>;

    /// Whether the stream has begun.
    fn exists(&self) -> bool;
}

#[cfg(test)]
mod tests;
