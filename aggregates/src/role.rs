//! A role and who has it: what more than the shipped roles grant, and that somebody is always left; never who asks.
//!
//! ```text
//!            define            revise
//!   Unknown ───────▶ Defined ◀───────┐      give, take back: its holders
//!      │                └──▶ Retired        (only while nobody has it)
//!      └─ give (a shipped role) ──▶ Shipped
//! ```

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    ids::{AdminId, BranchId},
    refusal::refusals,
    rights::{Permission, Rights, RoleName},
};

/// What can be asked of a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum RoleCommand {
    /// Define a role besides the shipped ones.
    Define(Rights),
    /// Let it grant something else, to all who have it.
    Revise(Rights),
    /// Do away with it; nobody may have it.
    Retire {},
    /// Give it to an admin; sent by entrusting the admin with it, never from outside.
    #[serde(skip)]
    Give {
        /// To whom.
        to: AdminId,
        /// Whether it is one of the roles that come with the program.
        shipped: bool,
    },
    /// Take it from an admin; never from outside.
    #[serde(skip)]
    TakeBack {
        /// From whom.
        from: AdminId,
        /// Whether somebody must be left who has it.
        kept: bool,
    },
}

/// What happened to a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleEvent {
    /// It began.
    Defined(Rights),
    /// It grants this now.
    Revised(Rights),
    /// It ended.
    Retired,
    /// This admin has it now.
    Given { to: AdminId },
    /// This admin has it no more.
    TakenBack { from: AdminId },
}

/// Why a role says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// No such role.
    #[error("there is no such role")]
    NotFound,
    /// Defined before, otherwise.
    #[error("the role is already defined")]
    AlreadyDefined,
    /// It comes with the program.
    #[error("the role comes with the program and stays as it is")]
    Shipped,
    /// It ended.
    #[error("the role was retired")]
    Retired,
    /// Somebody has it.
    #[error("{holders} admins have the role")]
    InUse {
        /// How many.
        holders: usize,
    },
    /// Nobody else has it.
    #[error("this is the last admin of the head office")]
    LastOfHeadOffice,
    /// It would grant nothing.
    #[error("a role grants at least one permission")]
    GrantsNothing,
}

refusals! { RoleError:
    Self::NotFound => "role/not-found", NotFound, "Choose a role from GET /v1/roles, or define it first.";
    Self::AlreadyDefined => "role/already-defined", Conflict, "Use another name, or revise this role.";
    Self::Shipped => "role/shipped", Conflict, "Define a role of your own.";
    Self::Retired => "role/retired", Gone, "Use another role.";
    Self::InUse { .. } => "role/in-use", Conflict, "Entrust its holders with other roles first.";
    Self::LastOfHeadOffice => "role/last-of-head-office", Conflict, "Entrust another admin with HEAD_OFFICE first.";
    Self::GrantsNothing => "role/grants-nothing", Invalid, "Name what the role grants.", at ["/permissions"];
}

/// What a role remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Never defined, and given to nobody.
    #[default]
    Unknown,
    /// One of the chain's own.
    Defined {
        rights: Rights,
        holders: BTreeSet<AdminId>,
    },
    /// One of the program's, which knows what it grants.
    Shipped { holders: BTreeSet<AdminId> },
    /// It ended.
    Retired,
}

aggregate! {
    Role = "role", id: RoleName, command: RoleCommand, event: RoleEvent, error: RoleError,
    stored: "Role" [Defined, Revised, Retired, Given, TakenBack]
}

impl Role {
    fn rule(&self, command: RoleCommand, _now: jiff::Timestamp) -> Result<Vec<RoleEvent>, RoleError> {
        use RoleCommand::{Define, Give, Retire, Revise, TakeBack};
        match (command, self) {
            (Define(rights) | Revise(rights), _) if rights.permissions.is_empty() => {
                Err(RoleError::GrantsNothing)
            }
            (Define(rights), Self::Unknown) => Ok(vec![RoleEvent::Defined(rights)]),
            (Define(rights) | Revise(rights), Self::Defined { rights: known, .. }) if rights == *known => {
                Ok(vec![])
            }
            (Define(_), Self::Defined { .. }) => Err(RoleError::AlreadyDefined),
            (Revise(rights), Self::Defined { .. }) => Ok(vec![RoleEvent::Revised(rights)]),

            (Retire {}, Self::Defined { holders, .. }) if holders.is_empty() => Ok(vec![RoleEvent::Retired]),
            (Retire {}, Self::Defined { holders, .. }) => Err(RoleError::InUse {
                holders: holders.len(),
            }),
            (Retire {}, Self::Retired) => Ok(vec![]),

            (Give { to, .. }, Self::Defined { holders, .. } | Self::Shipped { holders })
                if holders.contains(&to) =>
            {
                Ok(vec![])
            }
            (Give { to, .. }, Self::Defined { .. } | Self::Shipped { .. }) => {
                Ok(vec![RoleEvent::Given { to }])
            }
            (Give { to, shipped: true }, Self::Unknown) => Ok(vec![RoleEvent::Given { to }]),

            (TakeBack { from, .. }, Self::Defined { holders, .. } | Self::Shipped { holders })
                if !holders.contains(&from) =>
            {
                Ok(vec![])
            }
            (TakeBack { kept: true, .. }, Self::Defined { holders, .. } | Self::Shipped { holders })
                if holders.len() == 1 =>
            {
                Err(RoleError::LastOfHeadOffice)
            }
            (TakeBack { from, .. }, Self::Defined { .. } | Self::Shipped { .. }) => {
                Ok(vec![RoleEvent::TakenBack { from }])
            }
            (TakeBack { .. }, Self::Unknown | Self::Retired) => Ok(vec![]),

            (Define(_) | Revise(_) | Retire {}, Self::Shipped { .. }) => Err(RoleError::Shipped),
            (Define(_) | Revise(_) | Give { .. }, Self::Retired) => Err(RoleError::Retired),
            (Revise(_) | Retire {} | Give { shipped: false, .. }, Self::Unknown) => Err(RoleError::NotFound),
        }
    }

    fn evolve(&mut self, event: RoleEvent) {
        let (rights, mut holders) = match std::mem::take(self) {
            Self::Defined { rights, holders } => (Some(rights), holders),
            Self::Shipped { holders } => (None, holders),
            Self::Unknown | Self::Retired => (None, BTreeSet::new()),
        };
        let rights = match event {
            RoleEvent::Defined(rights) | RoleEvent::Revised(rights) => Some(rights),
            RoleEvent::Retired => {
                *self = Self::Retired;
                return;
            }
            RoleEvent::Given { to } => {
                holders.insert(to);
                rights
            }
            RoleEvent::TakenBack { from } => {
                holders.remove(&from);
                rights
            }
        };
        *self = match rights {
            Some(rights) => Self::Defined { rights, holders },
            None => Self::Shipped { holders },
        };
    }

    /// What the role of this name grants; nothing, if there is none.
    #[must_use]
    pub fn rights(&self, name: &RoleName) -> Option<Rights> {
        name.shipped().or_else(|| match self {
            Self::Defined { rights, .. } => Some(rights.clone()),
            Self::Unknown | Self::Shipped { .. } | Self::Retired => None,
        })
    }
}

impl Administered for Role {
    const COLLECTION: &'static str = "roles";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "define",
            r#"{"permissions":["see-reservations","change-coupons"],"reach":"own-branches"}"#,
        ),
        (
            "revise",
            r#"{"permissions":["see-reservations"],"reach":"everywhere"}"#,
        ),
        ("retire", "{}"),
    ];

    fn access(_: &RoleCommand) -> Permission {
        Permission::ChangeAdmins
    }

    fn claims(&self, _: &RoleName, _: &RoleCommand) -> Claims {
        Claims::default()
    }

    fn reads(_: &RoleCommand) -> Vec<Reference> {
        vec![]
    }

    fn branch(&self, _: &RoleName) -> Option<BranchId> {
        None
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{RoleCommand::*, *};
    use crate::{decider::testing::given, rights::Reach};

    fn rights(permissions: &[Permission]) -> Rights {
        Rights {
            permissions: permissions.iter().copied().collect(),
            reach: Reach::Everywhere,
        }
    }

    fn some() -> Rights {
        rights(&[Permission::SeeAudit])
    }

    fn admin(number: u128) -> AdminId {
        AdminId::new(Uuid::from_u128(number))
    }

    fn defined() -> RoleEvent {
        RoleEvent::Defined(some())
    }

    fn given_to(number: u128) -> RoleEvent {
        RoleEvent::Given { to: admin(number) }
    }

    fn give(number: u128, shipped: bool) -> RoleCommand {
        Give {
            to: admin(number),
            shipped,
        }
    }

    fn take(number: u128, kept: bool) -> RoleCommand {
        TakeBack {
            from: admin(number),
            kept,
        }
    }

    #[test]
    fn a_role_is_defined_once_and_revised_as_often_as_needed() {
        given::<Role>([]).when(Define(some())).then([defined()]);
        given::<Role>([defined()]).when(Define(some())).then([]);
        let other = rights(&[Permission::SeeShows]);
        given::<Role>([defined()])
            .when(Define(other.clone()))
            .refused(&RoleError::AlreadyDefined);
        given::<Role>([defined()])
            .when(Revise(other.clone()))
            .then([RoleEvent::Revised(other)]);
        given::<Role>([defined()]).when(Revise(some())).then([]);
        given::<Role>([])
            .when(Revise(some()))
            .refused(&RoleError::NotFound);
        given::<Role>([])
            .when(Define(rights(&[])))
            .refused(&RoleError::GrantsNothing);
    }

    #[test]
    fn a_role_that_somebody_has_is_not_retired() {
        given::<Role>([defined(), given_to(1)])
            .when(Retire {})
            .refused(&RoleError::InUse { holders: 1 });
        given::<Role>([defined()])
            .when(Retire {})
            .then([RoleEvent::Retired]);
        given::<Role>([defined(), RoleEvent::Retired])
            .when(Retire {})
            .then([]);
        for late in [Define(some()), Revise(some()), give(1, false)] {
            given::<Role>([defined(), RoleEvent::Retired])
                .when(late)
                .refused(&RoleError::Retired);
        }
        given::<Role>([]).when(Retire {}).refused(&RoleError::NotFound);
    }

    #[test]
    fn a_role_must_be_known_to_be_given() {
        given::<Role>([])
            .when(give(1, false))
            .refused(&RoleError::NotFound);
        given::<Role>([]).when(give(1, true)).then([given_to(1)]);
        given::<Role>([given_to(1)]).when(give(1, true)).then([]);
        given::<Role>([given_to(1)])
            .when(give(2, true))
            .then([given_to(2)]);
        given::<Role>([defined()])
            .when(give(1, false))
            .then([given_to(1)]);
    }

    #[test]
    fn the_last_one_keeps_the_head_office() {
        let taken = RoleEvent::TakenBack { from: admin(1) };
        given::<Role>([given_to(1)])
            .when(take(1, true))
            .refused(&RoleError::LastOfHeadOffice);
        given::<Role>([given_to(1), given_to(2)])
            .when(take(1, true))
            .then([taken.clone()]);
        given::<Role>([given_to(1)]).when(take(1, false)).then([taken]);
        given::<Role>([given_to(1)]).when(take(2, true)).then([]);
        given::<Role>([]).when(take(1, true)).then([]);
    }

    #[test]
    fn a_shipped_role_stays_as_it_is() {
        for command in [Define(some()), Revise(some()), Retire {}] {
            given::<Role>([given_to(1)])
                .when(command)
                .refused(&RoleError::Shipped);
        }
        let name: RoleName = "STAFF".parse().expect("a name");
        assert_eq!(Role::Unknown.rights(&name), name.shipped());
    }
}
