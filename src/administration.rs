//! One admin command in a unit of work: what it names is there, its rule agrees, its unique names move. Never knows who
//! sent it, and never an HTTP status.

use std::{fmt, sync::Arc};

use aggregates::{
    administered::{Administered, Claims, Reference},
    auditorium::Auditorium,
    branch::{Branch, BranchError, BranchKind},
    cancellation_policy::{CancellationPolicy, CancellationPolicyError},
    claim::{Claim, ClaimCommand, ClaimError},
    fault::Fault,
    ids::{BranchId, ClaimId},
    movie::Movie,
    price_policy::{PricePolicy, PricePolicyError},
    refusal::{Kind, Refusal},
    theme::Theme,
};

use crate::{
    store::{Stop, UnitOfWork},
    vault::{Vault, hex},
};

/// Why an admin command was refused, whichever rule said no.
#[derive(Debug, Clone)]
pub struct Denied(Arc<dyn Refusal + Send + Sync>);

impl Denied {
    /// The rule's own refusal, with its stable type.
    #[must_use]
    pub fn refusal(&self) -> &(dyn Refusal + Send + Sync) {
        &*self.0
    }

    /// Stops a unit of work with this refusal.
    pub fn stop(refusal: impl Refusal + Send + Sync + 'static) -> Stop<Self> {
        Stop::Refused(Self(Arc::new(refusal)))
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name that is in use, and the field of the command that asked for it.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct NameTaken {
    pub error: ClaimError,
    pub field: &'static str,
}

impl Refusal for NameTaken {
    fn slug(&self) -> &'static str {
        self.error.slug()
    }

    fn kind(&self) -> Kind {
        self.error.kind()
    }

    fn help(&self) -> &'static str {
        self.error.help()
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::at(self.field, self.to_string())]
    }
}

/// Executes `command` on the aggregate `id`, with everything its table in [`Administered`] says: references first, then
/// the rule, then the names.
pub async fn administer<A: Administered>(
    work: &mut UnitOfWork,
    id: &A::Id,
    command: A::Command,
) -> Result<(), Stop<Denied>> {
    for reference in A::reads(&command) {
        require(work, reference).await?;
    }
    let Claims { takes, gives_back } = work.load::<A>(id).await?.claims(id, &command);
    work.execute::<A>(id, command).map_err(Denied::stop)?;
    let [takes, gives_back] = [takes, gives_back].map(|claim| claim.map(|claim| stored(work.vault(), claim)));
    let names: Vec<ClaimId> = takes.iter().chain(&gives_back).cloned().collect();
    work.load_all::<Claim>(&names).await?;
    let by = || id.to_string();
    if let Some(name) = takes {
        let in_use = |error| NameTaken {
            error,
            field: A::NAME,
        };
        work.execute::<Claim>(&name, ClaimCommand::Take { by: by() })
            .map_err(|error| Denied::stop(in_use(error)))?;
    }
    if let Some(name) = gives_back {
        work.execute::<Claim>(&name, ClaimCommand::GiveBack { by: by() })
            .map_err(Denied::stop)?;
    }
    Ok(())
}

/// The claim as it stands in the log: a person's name is there only as a keyed hash, to be found and never to be read.
#[must_use]
pub fn stored(vault: &Vault, claim: ClaimId) -> ClaimId {
    if !claim.is_personal() {
        return claim;
    }
    let hash = vault.mac("claim", claim.to_string().as_bytes());
    ClaimId {
        scope: claim.scope,
        name: hex(&hash),
    }
}

/// What a command names must be there, and stay there until the command is appended.
async fn require(work: &mut UnitOfWork, reference: Reference) -> Result<(), Stop<Denied>> {
    match reference {
        Reference::Branch(id) => work
            .load::<Branch>(&id)
            .await?
            .open()
            .map(drop)
            .map_err(Denied::stop),
        Reference::Cinema(id) => of_kind(work, id, BranchKind::Cinema, BranchError::NoCinema).await,
        Reference::EscapeRoom(id) => {
            of_kind(work, id, BranchKind::EscapeRoom, BranchError::NoEscapeRoom).await
        }
        Reference::Auditorium(id) => work
            .load::<Auditorium>(&id)
            .await?
            .built()
            .map(drop)
            .map_err(Denied::stop),
        Reference::Movie(id) => work
            .load::<Movie>(&id)
            .await?
            .film()
            .map(drop)
            .map_err(Denied::stop),
        Reference::Theme(id) => work
            .load::<Theme>(&id)
            .await?
            .game()
            .map(drop)
            .map_err(Denied::stop),
        Reference::PricePolicy(id) => match work.load::<PricePolicy>(&id).await?.versions() {
            [] => Err(Denied::stop(PricePolicyError::NotFound)),
            [_, ..] => Ok(()),
        },
        Reference::CancellationPolicy(id) => match work.load::<CancellationPolicy>(&id).await?.latest() {
            0 => Err(Denied::stop(CancellationPolicyError::NotFound)),
            _adopted => Ok(()),
        },
    }
}

/// A branch must be open and do the business that the command is about.
async fn of_kind(
    work: &mut UnitOfWork,
    id: BranchId,
    kind: BranchKind,
    otherwise: BranchError,
) -> Result<(), Stop<Denied>> {
    let site = work.load::<Branch>(&id).await?.open().map_err(Denied::stop)?;
    if site.premises.kind == kind {
        Ok(())
    } else {
        Err(Denied::stop(otherwise))
    }
}
