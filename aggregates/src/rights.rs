//! Who may do what: permissions, the roles that are shipped with theirs, and what several roles grant together (DOMAIN
//! P2). Never who has a role.
//!
//! The table of shipped roles is here and nowhere else; the edge has the table of what each route asks for.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

use crate::{ids::BranchId, refusal::refusals};

/// What an admin can be allowed to do. To change something includes to see it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// Read who the admins are and what their roles grant.
    SeeAdmins,
    /// Enlist and dismiss admins, entrust them with roles, define roles.
    ChangeAdmins,
    /// Read branches as staff do.
    SeeBranches,
    /// Open and change branches.
    ChangeBranches,
    /// Read themes, movies, auditoriums, prices and time slots as staff do.
    SeeShows,
    /// Change time slots and single seats.
    ChangeSlots,
    /// Change themes, movies, auditoriums and prices, and time slots as well.
    ChangeShows,
    /// Read reservations with their names and phone numbers.
    SeeReservations,
    /// Work on reservations.
    ChangeReservations,
    /// Read coupons and what became of them.
    SeeCoupons,
    /// Issue and revoke coupons.
    ChangeCoupons,
    /// Read the audit trail and how the server is doing.
    SeeAudit,
}

use Permission::{
    ChangeAdmins, ChangeBranches, ChangeCoupons, ChangeReservations, ChangeShows, ChangeSlots, SeeAdmins,
    SeeAudit, SeeBranches, SeeCoupons, SeeReservations, SeeShows,
};

impl Permission {
    /// All there are.
    pub const ALL: [Self; 12] = [
        SeeAdmins,
        ChangeAdmins,
        SeeBranches,
        ChangeBranches,
        SeeShows,
        ChangeSlots,
        ChangeShows,
        SeeReservations,
        ChangeReservations,
        SeeCoupons,
        ChangeCoupons,
        SeeAudit,
    ];

    /// The permission to see what this one is about.
    #[must_use]
    pub const fn to_see(self) -> Self {
        match self {
            SeeAdmins | ChangeAdmins => SeeAdmins,
            SeeBranches | ChangeBranches => SeeBranches,
            SeeShows | ChangeSlots | ChangeShows => SeeShows,
            SeeReservations | ChangeReservations => SeeReservations,
            SeeCoupons | ChangeCoupons => SeeCoupons,
            SeeAudit => SeeAudit,
        }
    }

    /// All that comes with it.
    fn included(self) -> impl Iterator<Item = Self> {
        let slots = (self == ChangeShows).then_some(ChangeSlots);
        [self, self.to_see()].into_iter().chain(slots)
    }
}

/// Where a role counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// At every branch, and for what belongs to none.
    Everywhere,
    /// Only at the branches its holder is entrusted with.
    OwnBranches,
}

/// What a role grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rights {
    /// What its holders may do.
    pub permissions: BTreeSet<Permission>,
    /// Where.
    pub reach: Reach,
}

/// The roles that come with the program, with everything they grant: name, reach, permissions.
pub const SHIPPED: &[(&str, Reach, &[Permission])] = &[
    (HEAD_OFFICE, Reach::Everywhere, &Permission::ALL),
    (
        "BRANCH_MANAGER",
        Reach::OwnBranches,
        &[
            SeeBranches,
            ChangeBranches,
            SeeShows,
            ChangeShows,
            SeeReservations,
            ChangeReservations,
            SeeCoupons,
            ChangeCoupons,
            SeeAudit,
        ],
    ),
    (
        "STAFF",
        Reach::OwnBranches,
        &[
            SeeBranches,
            SeeShows,
            ChangeSlots,
            SeeReservations,
            ChangeReservations,
            SeeCoupons,
        ],
    ),
    (
        "AUDITOR",
        Reach::Everywhere,
        &[
            SeeAdmins,
            SeeBranches,
            SeeShows,
            SeeReservations,
            SeeCoupons,
            SeeAudit,
        ],
    ),
];

/// What shipped roles granted in former versions, and do no more: what was done by it then was right.
const FORMERLY: &[(&str, Permission)] = &[("STAFF", ChangeShows)];

/// The role that may do everything; somebody always has it.
pub const HEAD_OFFICE: &str = "HEAD_OFFICE";

/// The name of a role, which is its id: capital letters, digits and underscores.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z][A-Z0-9_]*$", max_length = 40, example = "STAFF")]
pub struct RoleName(SmolStr);

/// Characters of a role's name at most.
const ROLE_NAME_LENGTH_MAX: usize = 40;

/// Why a text is no name of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most 40 capital letters, digits and underscores, the first one a letter")]
pub struct NotARoleName;

impl RoleName {
    /// The role that may do everything.
    #[must_use]
    pub const fn head_office() -> Self {
        Self(SmolStr::new_static(HEAD_OFFICE))
    }

    /// What the role grants or ever granted, if it is a shipped one: to judge what was done, never to let it be done.
    #[must_use]
    pub fn ever_shipped(&self) -> Option<Rights> {
        let mut rights = self.shipped()?;
        let formerly = FORMERLY.iter().filter(|(name, _)| *name == self.0);
        rights
            .permissions
            .extend(formerly.map(|(_, permission)| *permission));
        Some(rights)
    }

    /// What the role grants, if it is a shipped one.
    #[must_use]
    pub fn shipped(&self) -> Option<Rights> {
        let (_, reach, permissions) = SHIPPED.iter().find(|(name, ..)| *name == self.0)?;
        Some(Rights {
            permissions: permissions.iter().copied().collect(),
            reach: *reach,
        })
    }
}

impl FromStr for RoleName {
    type Err = NotARoleName;

    fn from_str(text: &str) -> Result<Self, NotARoleName> {
        let fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
        if begins && text.len() <= ROLE_NAME_LENGTH_MAX && text.chars().all(fine) {
            Ok(Self(SmolStr::new(text)))
        } else {
            Err(NotARoleName)
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RoleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// What somebody may do, all their roles together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authority {
    everywhere: BTreeSet<Permission>,
    at: BTreeMap<BranchId, BTreeSet<Permission>>,
}

impl Authority {
    /// Of somebody who may do everything everywhere.
    #[must_use]
    pub fn whole() -> Self {
        Self {
            everywhere: Permission::ALL.into(),
            at: BTreeMap::new(),
        }
    }

    /// Of somebody with these rights who is entrusted with these branches.
    #[must_use]
    pub fn of(rights: &[Rights], branches: &BTreeSet<BranchId>) -> Self {
        let mut authority = Self::default();
        for rights in rights {
            let granted = rights.permissions.iter();
            let granted = granted.flat_map(|permission| permission.included());
            match rights.reach {
                Reach::Everywhere => authority.everywhere.extend(granted),
                Reach::OwnBranches => {
                    let granted: BTreeSet<Permission> = granted.collect();
                    for branch in branches {
                        authority.at.entry(*branch).or_default().extend(&granted);
                    }
                }
            }
        }
        authority
    }

    /// Whether they may do this at all, wherever it is.
    #[must_use]
    pub fn somewhere(&self, permission: Permission) -> bool {
        self.branches(permission)
            .is_none_or(|branches| !branches.is_empty())
    }

    /// Whether they may do this to something of this branch; what belongs to no branch concerns them all.
    #[must_use]
    pub fn at(&self, permission: Permission, branch: Option<BranchId>) -> bool {
        self.branches(permission)
            .is_none_or(|branches| branch.is_some_and(|branch| branches.contains(&branch)))
    }

    /// The branches at which they may do this; none: everywhere.
    #[must_use]
    pub fn branches(&self, permission: Permission) -> Option<BTreeSet<BranchId>> {
        if self.everywhere.contains(&permission) {
            return None;
        }
        let granted = self
            .at
            .iter()
            .filter(|(_, granted)| granted.contains(&permission));
        Some(granted.map(|(branch, _)| *branch).collect())
    }

    /// Whether they may do whatever the other may.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let granted = other
            .at
            .iter()
            .flat_map(|(branch, granted)| granted.iter().map(|permission| (*permission, Some(*branch))));
        let everywhere = other.everywhere.iter().map(|permission| (*permission, None));
        everywhere
            .chain(granted)
            .all(|(permission, branch)| self.at(permission, branch))
    }
}

/// Why somebody who is signed in may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RightsError {
    /// None of their roles grants it.
    #[error("none of your roles grants this")]
    NotGranted,
    /// Granted, but not here.
    #[error("your roles grant this only at your own branches")]
    Elsewhere,
    /// More than they have themselves.
    #[error("nobody gives, takes or changes rights beyond their own")]
    BeyondYours,
}

refusals! { RightsError:
    Self::NotGranted => "rights/not-granted", Forbidden, "Ask the head office for a role that grants it.";
    Self::Elsewhere => "rights/elsewhere", Forbidden, "Ask somebody of that branch, or of the head office.";
    Self::BeyondYours => "rights/beyond-yours", Forbidden, "Ask somebody who has these rights.";
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn branch(number: u128) -> BranchId {
        BranchId::new(Uuid::from_u128(number))
    }

    fn holder(role: &str, own: &[BranchId]) -> Authority {
        let role: RoleName = role.parse().expect("a name");
        let rights = role.shipped().expect("a shipped role");
        Authority::of(&[rights], &own.iter().copied().collect())
    }

    #[test]
    fn the_head_office_may_do_everything_everywhere() {
        assert_eq!(holder(HEAD_OFFICE, &[]), Authority::whole());
        for permission in Permission::ALL {
            assert!(Authority::whole().at(permission, None));
        }
    }

    #[test]
    fn a_manager_works_at_their_own_branch_only() {
        let manager = holder("BRANCH_MANAGER", &[branch(1)]);
        assert!(manager.at(ChangeShows, Some(branch(1))));
        assert!(!manager.at(ChangeShows, Some(branch(2))), "another branch");
        assert!(!manager.at(ChangeShows, None), "what belongs to all branches");
        assert!(!manager.somewhere(ChangeAdmins));
        assert!(
            !holder("BRANCH_MANAGER", &[]).somewhere(SeeShows),
            "no branch, no right"
        );
    }

    #[test]
    fn staff_change_slots_but_not_what_is_shown_or_what_it_costs() {
        let staff = holder("STAFF", &[branch(1)]);
        assert!(staff.at(ChangeSlots, Some(branch(1))));
        assert!(!staff.at(ChangeSlots, Some(branch(2))), "another branch");
        assert!(!staff.somewhere(ChangeShows));
        let role: RoleName = "STAFF".parse().expect("a name");
        let formerly = role.ever_shipped().expect("a shipped role");
        assert!(
            formerly.permissions.contains(&ChangeShows),
            "what was done then was right"
        );
        assert!(holder("BRANCH_MANAGER", &[branch(1)]).at(ChangeSlots, Some(branch(1))));
    }

    #[test]
    fn an_auditor_sees_everything_and_changes_nothing() {
        let auditor = holder("AUDITOR", &[]);
        for permission in Permission::ALL {
            assert_eq!(
                auditor.somewhere(permission),
                permission.to_see() == permission,
                "{permission:?}"
            );
        }
    }

    #[test]
    fn to_change_includes_to_see() {
        for (name, _, permissions) in SHIPPED {
            let role = holder(name, &[branch(1)]);
            for permission in *permissions {
                assert!(
                    role.at(permission.to_see(), Some(branch(1))),
                    "{name} {permission:?}"
                );
            }
        }
    }

    #[test]
    fn nobody_covers_more_than_they_have() {
        let manager = holder("BRANCH_MANAGER", &[branch(1)]);
        assert!(Authority::whole().covers(&manager));
        assert!(manager.covers(&holder("STAFF", &[branch(1)])));
        assert!(!manager.covers(&holder("STAFF", &[branch(2)])));
        assert!(!manager.covers(&Authority::whole()));
    }

    #[test]
    fn a_role_is_named_in_capitals() {
        for fine in ["STAFF", "A", "NIGHT_SHIFT_2"] {
            assert!(fine.parse::<RoleName>().is_ok(), "{fine}");
        }
        for bad in ["", "staff", "_A", "2A", "A-B", "가", &"A".repeat(41)] {
            assert_eq!(bad.parse::<RoleName>(), Err(NotARoleName), "{bad}");
        }
    }
}
