//! What admins change over HTTP: one unit of work for every [`Administered`] aggregate; never decides who may.

use aggregates::{
    admin::{Admin, AdminError},
    administered::Administered,
    auditorium::{Auditorium, AuditoriumError},
    branch::{Branch, BranchError},
    cancellation_policy::{CancellationPolicy, CancellationPolicyError},
    claim::ClaimError,
    coupon::Coupon,
    customer::CustomerError,
    ids::BranchId,
    movie::{Movie, MovieError},
    price_policy::{PricePolicy, PricePolicyError},
    refusal::Kind,
    rights::{Authority, RightsError},
    role::{Role, RoleError},
    schedule::ScheduleError,
    theme::{Theme, ThemeError},
    time_slot::TimeSlot,
};

use crate::{
    administration::{self, Denied},
    people,
    programme::{self, BatchError, ProgrammeError},
    simulation::WhatIfError,
    store::{ChangedSince, Committed, Request, Stop, Store, UnitOfWork},
};

/// Calls a macro with every aggregate that admins change: the one list there is.
macro_rules! for_each_administered {
    ($use:ident) => {
        $use!(
            Branch,
            Auditorium,
            Movie,
            Theme,
            PricePolicy,
            CancellationPolicy,
            TimeSlot,
            Coupon,
            Admin,
            Role
        )
    };
}
pub(crate) use for_each_administered;

/// Why an admin's command was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotDone {
    /// A rule said no.
    #[error("{0}")]
    Denied(Denied),
    /// It was changed since it was read.
    #[error(transparent)]
    ChangedSince(#[from] ChangedSince),
}

/// An aggregate as the admin route sends commands to it.
pub trait Administrable: Administered<Id: Sync, Command: Sync> {
    /// Carries out one command, with everything it means for other streams.
    fn carry_out(
        work: &mut UnitOfWork,
        id: &Self::Id,
        command: Self::Command,
        _by: &Authority,
    ) -> impl Future<Output = Result<(), Stop<Denied>>> + Send {
        administration::administer::<Self>(work, id, command)
    }
}

impl Administrable for Auditorium {}
impl Administrable for Branch {}
impl Administrable for CancellationPolicy {}
impl Administrable for Coupon {}
impl Administrable for Movie {}
impl Administrable for PricePolicy {}
impl Administrable for Theme {}

impl Administrable for TimeSlot {
    async fn carry_out(
        work: &mut UnitOfWork,
        id: &Self::Id,
        command: Self::Command,
        _by: &Authority,
    ) -> Result<(), Stop<Denied>> {
        let command = programme::completed(work, *id, command).await?;
        programme::sound(work, *id, &command).await?;
        programme::change(work, *id, command).await
    }
}

impl Administrable for Admin {
    async fn carry_out(
        work: &mut UnitOfWork,
        id: &Self::Id,
        command: Self::Command,
        by: &Authority,
    ) -> Result<(), Stop<Denied>> {
        people::change_admin(work, id, command, by).await
    }
}

impl Administrable for Role {
    async fn carry_out(
        work: &mut UnitOfWork,
        id: &Self::Id,
        command: Self::Command,
        by: &Authority,
    ) -> Result<(), Stop<Denied>> {
        people::change_role(work, id, command, by).await
    }
}

/// Sends a command to one aggregate on behalf of who may do this, if it is what the request takes it to be (`If-Match`).
pub async fn send<A: Administrable>(
    store: &Store,
    request: &Request,
    by: &Authority,
    id: &A::Id,
    command: &A::Command,
) -> Result<Committed, Stop<NotDone>> {
    let denied = |stop: Stop<Denied>| match stop {
        Stop::Refused(denied) => Stop::Refused(NotDone::Denied(denied)),
        Stop::Store(error) => Stop::Store(error),
    };
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        work.load::<A>(id).await?;
        let known = work.state::<A>(id)?;
        let (exists, before) = (known.exists(), known.branch(id));
        if exists {
            permitted::<A>(by, command, before).map_err(denied)?;
        }
        let stands = request.if_match.check(work.sequence::<A>(id));
        stands.map_err(|since| Stop::Refused(since.into()))?;
        A::carry_out(work, id, command.clone(), by)
            .await
            .map_err(denied)?;
        let after = work.state::<A>(id)?.branch(id);
        permitted::<A>(by, command, after).map_err(denied)?;
        if let Some(branch) = before.or(after) {
            work.at_branch(branch);
        }
        Ok(())
    };
    store.run(request, body).await
}

/// Refuses unless the command is granted where it counts.
fn permitted<A: Administered>(
    by: &Authority,
    command: &A::Command,
    branch: Option<BranchId>,
) -> Result<(), Stop<Denied>> {
    let needed = A::access(command);
    match (by.at(needed, branch), by.somewhere(needed)) {
        (true, _) => Ok(()),
        (false, true) => Err(Denied::stop(RightsError::Elsewhere)),
        (false, false) => Err(Denied::stop(RightsError::NotGranted)),
    }
}

/// Every refusal an admin's command can meet besides those of bookings, for the documentation.
#[must_use]
pub fn refusals() -> Vec<(&'static str, Kind, &'static str)> {
    [
        BranchError::REFUSALS,
        AuditoriumError::REFUSALS,
        MovieError::REFUSALS,
        ThemeError::REFUSALS,
        PricePolicyError::REFUSALS,
        CancellationPolicyError::REFUSALS,
        ClaimError::REFUSALS,
        ScheduleError::REFUSALS,
        AdminError::REFUSALS,
        RoleError::REFUSALS,
        RightsError::REFUSALS,
        CustomerError::REFUSALS,
        ProgrammeError::REFUSALS,
        BatchError::REFUSALS,
        WhatIfError::REFUSALS,
    ]
    .concat()
}
