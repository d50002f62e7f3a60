//! Admins as the server deals with them: who is behind a login, what all their roles grant, and what changing that means
//! for the roles. Never a password, and never an HTTP status.

use std::collections::BTreeSet;

use aggregates::{
    admin::{Admin, AdminCommand, Duties},
    claim::Claim,
    ids::AdminId,
    rights::{Authority, Reach, Rights, RightsError, RoleName},
    role::{Role, RoleCommand, RoleError},
    values::LoginId,
};

use crate::{
    administration::{self, Denied, administer},
    store::{Committed, Request, Stop, Store, StoreError, UnitOfWork},
};

/// How an admin is called where passwords and sessions are kept.
#[must_use]
pub fn principal(id: AdminId) -> String {
    format!("{PREFIX}{id}")
}

/// The admin who is called so where passwords and sessions are kept.
#[must_use]
pub fn admin_of(principal: &str) -> Option<AdminId> {
    principal.strip_prefix(PREFIX)?.parse().ok()
}

const PREFIX: &str = "admin:";

/// Who is at work under this login.
pub async fn admin_by_login(store: &Store, login: &LoginId) -> Result<Option<AdminId>, StoreError> {
    let claim = administration::stored(store.vault(), Admin::login_claim(login));
    let claim = store.read::<Claim>(&claim).await?;
    Ok(claim.owner().and_then(|owner| owner.parse().ok()))
}

/// What an admin may do now; none if they are not at work.
pub async fn authority_of(store: &Store, id: AdminId) -> Result<Option<Authority>, StoreError> {
    let admin = store.read::<Admin>(&id).await?;
    let Some(person) = admin.at_work() else {
        return Ok(None);
    };
    let Duties { roles, branches } = &person.duties;
    let mut rights = Vec::with_capacity(roles.len());
    for name in roles {
        let granted = match name.shipped() {
            Some(shipped) => Some(shipped),
            None => store.read::<Role>(name).await?.rights(name),
        };
        rights.extend(granted);
    }
    Ok(Some(Authority::of(&rights, branches)))
}

/// Sends a command to an admin, and gives and takes the roles this means; only by who may do all that the admin may,
/// before and after.
pub async fn change_admin(
    work: &mut UnitOfWork,
    id: &AdminId,
    command: AdminCommand,
    by: &Authority,
) -> Result<(), Stop<Denied>> {
    let before = duties(work, *id).await?;
    covered(work, &before, by).await?;
    administer::<Admin>(work, id, command).await?;
    let after = duties(work, *id).await?;
    let concerned: Vec<RoleName> = before.roles.union(&after.roles).cloned().collect();
    work.load_all::<Role>(&concerned).await?;
    for role in after.roles.difference(&before.roles) {
        let shipped = role.shipped().is_some();
        work.execute::<Role>(role, RoleCommand::Give { to: *id, shipped })
            .map_err(Denied::stop)?;
    }
    for role in before.roles.difference(&after.roles) {
        let kept = *role == RoleName::head_office();
        work.execute::<Role>(role, RoleCommand::TakeBack { from: *id, kept })
            .map_err(Denied::stop)?;
    }
    covered(work, &after, by).await
}

/// Sends a command to a role that is not a shipped one; only by who may do all that it grants, before and after.
pub async fn change_role(
    work: &mut UnitOfWork,
    name: &RoleName,
    command: RoleCommand,
    by: &Authority,
) -> Result<(), Stop<Denied>> {
    if name.shipped().is_some() {
        return Err(Denied::stop(RoleError::Shipped));
    }
    let before = work.load::<Role>(name).await?.rights(name);
    administer::<Role>(work, name, command).await?;
    let after = work.state::<Role>(name)?.rights(name);
    let granted = before.into_iter().chain(after).map(|rights| Rights {
        // Whoever has it may have it anywhere.
        reach: Reach::Everywhere,
        ..rights
    });
    let granted = Authority::of(&granted.collect::<Vec<_>>(), &BTreeSet::new());
    within(by, &granted)
}

/// Records that an admin has another password, which is kept elsewhere; by themselves, or by who may do all they may.
pub async fn password_changed(
    store: &Store,
    request: &Request,
    id: AdminId,
    by: Option<&Authority>,
) -> Result<Committed, Stop<Denied>> {
    let body = |mut unit: UnitOfWork| async move {
        let work = &mut unit;
        let known = duties(work, id).await?;
        if let Some(by) = by {
            covered(work, &known, by).await?;
        }
        work.execute::<Admin>(&id, AdminCommand::ChangePassword)
            .map_err(Denied::stop)
    };
    store.run(request, body).await
}

async fn duties(work: &mut UnitOfWork, id: AdminId) -> Result<Duties, StoreError> {
    let admin = work.load::<Admin>(&id).await?;
    Ok(admin
        .at_work()
        .map(|person| person.duties.clone())
        .unwrap_or_default())
}

async fn covered(work: &mut UnitOfWork, duties: &Duties, by: &Authority) -> Result<(), Stop<Denied>> {
    let roles: Vec<RoleName> = duties.roles.iter().cloned().collect();
    work.load_all::<Role>(&roles).await?;
    let mut rights = Vec::with_capacity(roles.len());
    for name in &roles {
        rights.extend(work.state::<Role>(name)?.rights(name));
    }
    within(by, &Authority::of(&rights, &duties.branches))
}

fn within(by: &Authority, granted: &Authority) -> Result<(), Stop<Denied>> {
    if by.covers(granted) {
        Ok(())
    } else {
        Err(Denied::stop(RightsError::BeyondYours))
    }
}
