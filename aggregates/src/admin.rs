//! An admin: who works for the chain, with which roles, at which branches (DOMAIN P2); never a password.
//!
//! ```text
//!            enlist            describe, entrust, change password
//!   Unknown ───────▶ Enlisted ◀──┐
//!                        └──▶ Dismissed
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{AdminId, BranchId, ClaimId},
    personal::{Personal, Sealable, sealable, shown},
    refusal::refusals,
    rights::{Permission, RoleName},
    values::{CustomerName, LoginId, Note, PhoneNumber},
};

/// Roles of one admin at most.
pub const ROLES_MAX: usize = 10;
/// Branches of one admin at most.
pub const BRANCHES_MAX: usize = 200;

/// What somebody is entrusted with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Duties {
    /// Their roles.
    pub roles: BTreeSet<RoleName>,
    /// Where roles that are limited to own branches count.
    #[serde(default)]
    pub branches: BTreeSet<BranchId>,
}

/// What can be asked of an admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdminCommand {
    /// Enlist somebody; they sign in once they have been given a password.
    Enlist {
        /// What they sign in with, unique among all admins.
        login: LoginId,
        /// Their name.
        name: CustomerName,
        /// The number to call.
        #[serde(default)]
        phone: Option<PhoneNumber>,
        /// Their roles.
        roles: BTreeSet<RoleName>,
        /// Where roles that are limited to own branches count.
        #[serde(default)]
        branches: BTreeSet<BranchId>,
    },
    /// Correct their name and number.
    Describe {
        /// Their name.
        name: CustomerName,
        /// The number to call.
        #[serde(default)]
        phone: Option<PhoneNumber>,
    },
    /// Entrust them with these roles and branches instead of those they had.
    Entrust {
        /// Their roles.
        roles: BTreeSet<RoleName>,
        /// Where roles that are limited to own branches count.
        #[serde(default)]
        branches: BTreeSet<BranchId>,
    },
    /// Dismiss them: all their sessions end, and their login is free again.
    Dismiss {
        /// Why.
        #[serde(default)]
        reason: Option<Note>,
    },
    /// Record that they have another password, which only the vault knows; never from outside.
    #[serde(skip)]
    ChangePassword,
}

/// What happened to an admin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdminEvent {
    /// They began.
    Enlisted {
        login: Personal<LoginId>,
        name: Personal<CustomerName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
        #[serde(flatten)]
        duties: Duties,
    },
    /// They are called so.
    Described {
        name: Personal<CustomerName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Personal<PhoneNumber>>,
    },
    /// They have these roles at these branches.
    Entrusted(Duties),
    /// They left.
    Dismissed { reason: Option<Note> },
    /// They have another password.
    PasswordChanged,
}

/// Why an admin says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// No such admin.
    #[error("there is no such admin")]
    NotFound,
    /// Enlisted before, otherwise.
    #[error("the admin is already enlisted")]
    AlreadyEnlisted,
    /// They left.
    #[error("the admin was dismissed")]
    Dismissed,
    /// No role, or too many roles or branches.
    #[error("the roles or branches are not possible: {0}")]
    ImpossibleDuties(Faults),
}

refusals! { AdminError:
    Self::NotFound => "admin/not-found", NotFound, "Check the id in the path.";
    Self::AlreadyEnlisted => "admin/already-enlisted", Conflict, "Use a new id, or change this admin.";
    Self::Dismissed => "admin/dismissed", Gone, "Enlist them anew under a new id.";
    Self::ImpossibleDuties(_) => "admin/impossible-duties", Invalid, "Correct the roles or branches.",
        by Self::duties;
}

impl AdminError {
    fn duties(&self) -> Vec<Fault> {
        match self {
            Self::ImpossibleDuties(Faults(faults)) => faults.clone(),
            Self::NotFound | Self::AlreadyEnlisted | Self::Dismissed => Vec::new(),
        }
    }
}

impl Duties {
    fn possible(&self) -> Result<(), AdminError> {
        let roles = match self.roles.len() {
            1..=ROLES_MAX => None,
            _ => Some(Fault::at("/roles", format!("must be 1 to {ROLES_MAX} roles"))),
        };
        let branches = (self.branches.len() > BRANCHES_MAX)
            .then(|| Fault::at("/branches", format!("must be at most {BRANCHES_MAX} branches")));
        let faults: Vec<Fault> = roles.into_iter().chain(branches).collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(AdminError::ImpossibleDuties(Faults(faults)))
        }
    }
}

/// What an admin remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Admin {
    /// Never enlisted.
    #[default]
    Unknown,
    /// At work.
    Enlisted(Person),
    /// Gone.
    Dismissed,
}

/// Somebody at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they sign in with.
    #[serde(serialize_with = "shown")]
    pub login: Personal<LoginId>,
    /// Their name.
    #[serde(serialize_with = "shown")]
    pub name: Personal<CustomerName>,
    /// The number to call.
    #[serde(serialize_with = "crate::personal::shown_if_any")]
    pub phone: Option<Personal<PhoneNumber>>,
    /// What they may do.
    #[serde(flatten)]
    pub duties: Duties,
}

aggregate! {
    Admin = "admin", id: AdminId, command: AdminCommand, event: AdminEvent, error: AdminError,
    stored: "Admin" [Enlisted, Described, Entrusted, Dismissed, PasswordChanged],
    personal: |event| match event {
        AdminEvent::Enlisted { login, name, phone, .. } => {
            let mut values: Vec<&mut dyn Sealable> = vec![login, name];
            values.extend(sealable(phone));
            values
        }
        AdminEvent::Described { name, phone } => {
            let mut values: Vec<&mut dyn Sealable> = vec![name];
            values.extend(sealable(phone));
            values
        }
        AdminEvent::Entrusted(_) | AdminEvent::Dismissed { .. } | AdminEvent::PasswordChanged => vec![],
    }
}

impl Admin {
    fn rule(&self, command: AdminCommand, _now: jiff::Timestamp) -> Result<Vec<AdminEvent>, AdminError> {
        use AdminCommand::{ChangePassword, Describe, Dismiss, Enlist, Entrust};
        let person = match (&command, self) {
            (Enlist { .. }, Self::Unknown) => None,
            (_, Self::Unknown) => return Err(AdminError::NotFound),
            (Dismiss { .. }, Self::Dismissed) => return Ok(vec![]),
            (_, Self::Dismissed) => return Err(AdminError::Dismissed),
            (_, Self::Enlisted(person)) => Some(person),
        };
        let once = |repeat: bool, event: AdminEvent| Ok(if repeat { vec![] } else { vec![event] });
        match command {
            Enlist {
                login,
                name,
                phone,
                roles,
                branches,
            } => {
                let enlisted = Person {
                    login: Personal::Plain(login),
                    name: Personal::Plain(name),
                    phone: phone.map(Personal::Plain),
                    duties: Duties { roles, branches },
                };
                enlisted.duties.possible()?;
                match person {
                    Some(known) if enlisted == *known => Ok(vec![]),
                    Some(_) => Err(AdminError::AlreadyEnlisted),
                    None => Ok(vec![AdminEvent::Enlisted {
                        login: enlisted.login,
                        name: enlisted.name,
                        phone: enlisted.phone,
                        duties: enlisted.duties,
                    }]),
                }
            }
            Describe { name, phone } => {
                let (name, phone) = (Personal::Plain(name), phone.map(Personal::Plain));
                let repeat = person.is_some_and(|known| (&name, &phone) == (&known.name, &known.phone));
                once(repeat, AdminEvent::Described { name, phone })
            }
            Entrust { roles, branches } => {
                let duties = Duties { roles, branches };
                duties.possible()?;
                let repeat = person.is_some_and(|known| duties == known.duties);
                once(repeat, AdminEvent::Entrusted(duties))
            }
            Dismiss { reason } => Ok(vec![AdminEvent::Dismissed { reason }]),
            ChangePassword => Ok(vec![AdminEvent::PasswordChanged]),
        }
    }

    fn evolve(&mut self, event: AdminEvent) {
        match (event, &mut *self) {
            (
                AdminEvent::Enlisted {
                    login,
                    name,
                    phone,
                    duties,
                },
                _,
            ) => {
                *self = Self::Enlisted(Person {
                    login,
                    name,
                    phone,
                    duties,
                });
            }
            (AdminEvent::Described { name, phone }, Self::Enlisted(person)) => {
                (person.name, person.phone) = (name, phone);
            }
            (AdminEvent::Entrusted(duties), Self::Enlisted(person)) => person.duties = duties,
            (AdminEvent::Dismissed { .. }, _) => *self = Self::Dismissed,
            (AdminEvent::Described { .. } | AdminEvent::Entrusted(_) | AdminEvent::PasswordChanged, _) => {}
        }
    }

    /// Who is at work under this id.
    #[must_use]
    pub const fn at_work(&self) -> Option<&Person> {
        match self {
            Self::Enlisted(person) => Some(person),
            Self::Unknown | Self::Dismissed => None,
        }
    }

    /// The claim on a login.
    #[must_use]
    pub fn login_claim(login: &LoginId) -> ClaimId {
        ClaimId::on("admin_login", login.as_str())
    }
}

impl Administered for Admin {
    const COLLECTION: &'static str = "admins";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "enlist",
            r#"{"login":"minseo","name":"김민서","phone":"010-1234-5678","roles":["BRANCH_MANAGER"],"branches":["0192d3a0-0000-7000-8000-000000000001"]}"#,
        ),
        ("describe", r#"{"name":"김민서","phone":"010-1234-5678"}"#),
        (
            "entrust",
            r#"{"roles":["STAFF"],"branches":["0192d3a0-0000-7000-8000-000000000001"]}"#,
        ),
        ("dismiss", r#"{"reason":"moved on"}"#),
    ];

    const NAME: &'static str = "/login";

    fn access(_: &AdminCommand) -> Permission {
        Permission::ChangeAdmins
    }

    fn claims(&self, _: &AdminId, command: &AdminCommand) -> Claims {
        let known = self.at_work().and_then(|person| person.login.plain());
        let known = known.map(Self::login_claim);
        match command {
            AdminCommand::Enlist { login, .. } => Claims::moving(known, Some(Self::login_claim(login))),
            AdminCommand::Dismiss { .. } => Claims::moving(known, None),
            AdminCommand::Describe { .. } | AdminCommand::Entrust { .. } | AdminCommand::ChangePassword => {
                Claims::default()
            }
        }
    }

    fn reads(command: &AdminCommand) -> Vec<Reference> {
        match command {
            AdminCommand::Enlist { branches, .. } | AdminCommand::Entrust { branches, .. } => branches
                .iter()
                .take(BRANCHES_MAX)
                .copied()
                .map(Reference::Branch)
                .collect(),
            AdminCommand::Describe { .. } | AdminCommand::Dismiss { .. } | AdminCommand::ChangePassword => {
                vec![]
            }
        }
    }

    fn branch(&self, _: &AdminId) -> Option<BranchId> {
        None
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
#[path = "admin/tests.rs"]
mod tests;
