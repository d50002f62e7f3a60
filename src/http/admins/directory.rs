//! `GET /v1/admins` and `GET /v1/roles`: who works for the chain, and what their roles grant; straight from the log.

use aggregates::{
    admin::{Admin, Duties},
    ids::{AdminId, BranchId},
    rights::{Permission, Rights, RoleName, SHIPPED},
    role::Role,
    values::{CustomerName, LoginId, PhoneNumber},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Serialize;

use super::super::{
    App, access,
    answer::Json,
    problem::{Problem, ProblemBody},
};

/// An admin at work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Admin")]
pub struct AdminView {
    /// Which one.
    id: AdminId,
    /// What they sign in with.
    login: Option<LoginId>,
    /// Their name.
    name: Option<CustomerName>,
    /// The number to call.
    phone: Option<PhoneNumber>,
    /// Their roles.
    roles: Vec<RoleName>,
    /// Where roles that are limited to own branches count.
    branches: Vec<BranchId>,
}

/// A role.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Role")]
pub struct RoleView {
    /// Its name.
    name: RoleName,
    /// Whether it comes with the program.
    shipped: bool,
    /// What it grants, and where.
    #[serde(flatten)]
    rights: Rights,
    /// How many admins have it.
    holders: usize,
}

/// All admins who are at work.
#[utoipa::path(get, path = "/v1/admins", tag = "admin", operation_id = "listAdmins",
    security(("admin" = [])),
    responses((status = OK, description = "In the order in which they were enlisted", body = [AdminView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody)))]
pub(in super::super) async fn admins(
    State(app): State<App>,
    admin: access::Admin,
) -> Result<Response, Problem> {
    admin.may_at(Permission::SeeAdmins, None)?;
    let all = app.store.all::<Admin>().await?;
    let views = all.iter().filter_map(|(id, admin)| {
        let person = admin.at_work()?;
        let Duties { roles, branches } = &person.duties;
        Some(AdminView {
            id: *id,
            login: person.login.plain().cloned(),
            name: person.name.plain().cloned(),
            phone: person.phone.as_ref().and_then(|phone| phone.plain().cloned()),
            roles: roles.iter().cloned().collect(),
            branches: branches.iter().copied().collect(),
        })
    });
    Ok(Json(views.collect::<Vec<_>>()).into_response())
}

/// All roles: those that come with the program, then the chain's own.
#[utoipa::path(get, path = "/v1/roles", tag = "admin", operation_id = "listRoles",
    security(("admin" = [])),
    responses((status = OK, description = "Shipped ones first", body = [RoleView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody)))]
pub(in super::super) async fn roles(
    State(app): State<App>,
    admin: access::Admin,
) -> Result<Response, Problem> {
    admin.may_at(Permission::SeeAdmins, None)?;
    let all = app.store.all::<Role>().await?;
    let holders = |role: &Role| match role {
        Role::Defined { holders, .. } | Role::Shipped { holders } => holders.len(),
        Role::Unknown | Role::Retired => 0,
    };
    let view = |name: RoleName, role: &Role| {
        Some(RoleView {
            shipped: name.shipped().is_some(),
            rights: role.rights(&name)?,
            holders: holders(role),
            name,
        })
    };
    let known = |name: &RoleName| all.iter().find(|(known, _)| known == name).map(|(_, role)| role);
    let shipped = SHIPPED.iter().filter_map(|(name, ..)| {
        let name: RoleName = name.parse().ok()?;
        let role = known(&name).unwrap_or(&Role::Unknown);
        view(name, role)
    });
    let own = all.iter().filter(|(name, _)| name.shipped().is_none());
    let own = own.filter_map(|(name, role)| view(name.clone(), role));
    Ok(Json(shipped.chain(own).collect::<Vec<_>>()).into_response())
}
