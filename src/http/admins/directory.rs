//! `GET /v1/admins` and `GET /v1/roles`: who works for the chain, and what their roles grant; straight from the log;
//! never a password, a session or a change.

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
use serde::{Deserialize, Serialize};

use super::super::{
    App, access,
    answer::Json,
    lists::csv::{self, Cell, maybe_text, plain, text},
    params::Asked,
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

/// Which admins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Who have this role.
    role: Option<RoleName>,
    /// Who are entrusted with this branch.
    branch: Option<BranchId>,
}

/// Which admins, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// Who have this role.
    role: Option<RoleName>,
    /// Who are entrusted with this branch.
    branch: Option<BranchId>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

/// The admins at work that are asked for.
async fn at_work(
    app: &App,
    admin: &access::Admin,
    Which { role, branch }: Which,
) -> Result<Vec<AdminView>, Problem> {
    admin.may_at(Permission::SeeAdmins, None)?;
    let all = app.store.all::<Admin>().await?;
    let views = all.iter().filter_map(|(id, admin)| {
        let person = admin.at_work()?;
        let Duties { roles, branches } = &person.duties;
        let fits = role.as_ref().is_none_or(|role| roles.contains(role))
            && branch.is_none_or(|branch| branches.contains(&branch));
        fits.then(|| AdminView {
            id: *id,
            login: person.login.plain().cloned(),
            name: person.name.plain().cloned(),
            phone: person.phone.as_ref().and_then(|phone| phone.plain().cloned()),
            roles: roles.iter().cloned().collect(),
            branches: branches.iter().copied().collect(),
        })
    });
    Ok(views.collect())
}

/// The admins who are at work.
#[utoipa::path(get, path = "/v1/admins", tag = "admin", operation_id = "listAdmins",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "In the order in which they were enlisted", body = [AdminView]),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody)))]
pub(in super::super) async fn admins(
    State(app): State<App>,
    admin: access::Admin,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    Ok(Json(at_work(&app, &admin, which).await?).into_response())
}

const FIELDS: [&str; 6] = ["id", "login", "name", "phone", "roles", "branches"];

/// The same as comma-separated values (RFC 4180), one line each.
#[utoipa::path(get, path = "/v1/admins.csv", tag = "admin", operation_id = "exportAdmins",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = FORBIDDEN, description = "No role of yours grants it", body = ProblemBody)))]
pub(in super::super) async fn export(
    State(app): State<App>,
    admin: access::Admin,
    Asked(ToExport { role, branch, bom }): Asked<ToExport>,
) -> Result<Response, Problem> {
    let views = at_work(&app, &admin, Which { role, branch }).await?;
    let joined = |items: Vec<String>| text(items.join(" "));
    let lines: Vec<Vec<Cell>> = views
        .into_iter()
        .map(|view| {
            vec![
                plain(view.id),
                maybe_text(view.login.map(|login| login.to_string())),
                maybe_text(view.name.map(|name| name.to_string())),
                maybe_text(view.phone.map(|phone| phone.to_string())),
                joined(view.roles.iter().map(ToString::to_string).collect()),
                joined(view.branches.iter().map(ToString::to_string).collect()),
            ]
        })
        .collect();
    // Admins are few: all of them are one part.
    csv::file::<(), _, _>("admins", &admin, &FIELDS, bom.unwrap_or_default(), move |_| {
        let lines = lines.clone();
        async move { Ok((lines, None)) }
    })
    .await
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
