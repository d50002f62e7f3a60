//! A cancellation policy: terms by version, none of which ever changes (DOMAIN C14); never computes a fee (see
//! `cancellation`).
//!
//! ```text
//!   Unknown ──adopt──▶ Adopted, version 1 ──revise──▶ Adopted, one version more
//! ```

use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    cancellation::CancellationTerms,
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, CancellationPolicyId, ClaimId},
    refusal::refusals,
    rights::Permission,
    values::Name,
};

/// The most versions of one policy.
pub const VERSIONS_MAX: usize = 10_000;

/// What can be asked of a cancellation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CancellationPolicyCommand {
    /// Adopt it with version 1.
    Adopt {
        /// Its name, unique among all policies.
        name: Name,
        /// What it says.
        terms: CancellationTerms,
    },
    /// Give it another name.
    Rename {
        /// The new one.
        name: Name,
    },
    /// Add a version; time slots already scheduled keep theirs, and so do reservations.
    Revise {
        /// What it says from now on.
        terms: CancellationTerms,
    },
}

/// What happened to a cancellation policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancellationPolicyEvent {
    /// It began with version 1.
    Adopted { name: Name, terms: CancellationTerms },
    /// It has another name.
    Renamed { name: Name },
    /// It has one version more.
    Revised { version: u32, terms: CancellationTerms },
}

/// Why a cancellation policy says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancellationPolicyError {
    /// No such policy.
    #[error("there is no such cancellation policy")]
    NotFound,
    /// Adopted before, otherwise.
    #[error("the cancellation policy is already adopted")]
    AlreadyAdopted,
    /// The terms contradict themselves.
    #[error("the terms are not sound: {0}")]
    UnsoundTerms(Faults),
    /// No such version.
    #[error("the cancellation policy has no version {version}")]
    NoSuchVersion {
        /// The version.
        version: u32,
    },
    /// Revised too often.
    #[error("a cancellation policy has at most {VERSIONS_MAX} versions")]
    TooManyVersions,
}

refusals! { CancellationPolicyError:
    Self::NotFound => "cancellation-policy/not-found", NotFound, "Choose a cancellation policy that was adopted.";
    Self::AlreadyAdopted => "cancellation-policy/already-adopted", Conflict, "Use a new id, or revise this policy.";
    Self::UnsoundTerms(_) => "cancellation-policy/unsound-terms", Invalid, "Correct the named parts of the terms.",
        by Self::parts;
    Self::NoSuchVersion { .. } => "cancellation-policy/no-such-version", NotFound, "Give a version from 1 to the latest.";
    Self::TooManyVersions => "cancellation-policy/too-many-versions", Conflict, "Adopt a new policy.";
}

impl CancellationPolicyError {
    /// The wrong parts of the terms, as the command holds them.
    fn parts(&self) -> Vec<Fault> {
        match self {
            Self::UnsoundTerms(Faults(faults)) => faults.iter().map(|fault| fault.below("/terms")).collect(),
            Self::NotFound | Self::AlreadyAdopted | Self::NoSuchVersion { .. } | Self::TooManyVersions => {
                Vec::new()
            }
        }
    }
}

/// What a cancellation policy remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancellationPolicy {
    /// Never adopted.
    #[default]
    Unknown,
    /// It has a name and at least one version.
    Adopted {
        /// Its name.
        name: Name,
        /// Its versions, the first one first.
        versions: Vec<CancellationTerms>,
    },
}

aggregate! {
    CancellationPolicy = "cancellation_policy", id: CancellationPolicyId, command: CancellationPolicyCommand,
    event: CancellationPolicyEvent, error: CancellationPolicyError,
    stored: "CancellationPolicy" [Adopted, Renamed, Revised]
}

fn sound(terms: &CancellationTerms) -> Result<(), CancellationPolicyError> {
    let faults = terms.faults();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(CancellationPolicyError::UnsoundTerms(Faults(faults)))
    }
}

impl CancellationPolicy {
    fn rule(
        &self,
        command: CancellationPolicyCommand,
        _now: jiff::Timestamp,
    ) -> Result<Vec<CancellationPolicyEvent>, CancellationPolicyError> {
        use CancellationPolicyCommand::{Adopt, Rename, Revise};
        use CancellationPolicyEvent::{Adopted, Renamed, Revised};
        match (command, self) {
            (Adopt { name, terms }, Self::Unknown) => sound(&terms).map(|()| vec![Adopted { name, terms }]),
            (
                Adopt { name, terms },
                Self::Adopted {
                    name: known,
                    versions,
                },
            ) if name == *known && versions.as_slice() == std::slice::from_ref(&terms) => Ok(vec![]),
            (Adopt { .. }, Self::Adopted { .. }) => Err(CancellationPolicyError::AlreadyAdopted),

            (Rename { name }, Self::Adopted { name: known, .. }) if name == *known => Ok(vec![]),
            (Rename { name }, Self::Adopted { .. }) => Ok(vec![Renamed { name }]),

            (Revise { terms }, Self::Adopted { versions, .. }) if versions.last() == Some(&terms) => {
                Ok(vec![])
            }
            (Revise { .. }, Self::Adopted { versions, .. }) if versions.len() >= VERSIONS_MAX => {
                Err(CancellationPolicyError::TooManyVersions)
            }
            (Revise { terms }, Self::Adopted { .. }) => {
                sound(&terms)?;
                let version = self.latest() + 1;
                Ok(vec![Revised { version, terms }])
            }
            (Rename { .. } | Revise { .. }, Self::Unknown) => Err(CancellationPolicyError::NotFound),
        }
    }

    fn evolve(&mut self, event: CancellationPolicyEvent) {
        match (event, &mut *self) {
            (CancellationPolicyEvent::Adopted { name, terms }, _) => {
                *self = Self::Adopted {
                    name,
                    versions: vec![terms],
                };
            }
            (CancellationPolicyEvent::Renamed { name }, Self::Adopted { name: known, .. }) => *known = name,
            (CancellationPolicyEvent::Revised { terms, .. }, Self::Adopted { versions, .. }) => {
                versions.push(terms);
            }
            (
                CancellationPolicyEvent::Renamed { .. } | CancellationPolicyEvent::Revised { .. },
                Self::Unknown,
            ) => {}
        }
    }

    /// The number of the newest version; 0 before it is adopted.
    #[must_use]
    pub fn latest(&self) -> u32 {
        match self {
            Self::Unknown => 0,
            Self::Adopted { versions, .. } => u32::try_from(versions.len()).unwrap_or(u32::MAX),
        }
    }

    /// The terms of one version; the first is 1.
    pub fn terms(&self, version: u32) -> Result<&CancellationTerms, CancellationPolicyError> {
        let versions: &[CancellationTerms] = match self {
            Self::Unknown => return Err(CancellationPolicyError::NotFound),
            Self::Adopted { versions, .. } => versions,
        };
        let index = usize::try_from(version)
            .ok()
            .and_then(|version| version.checked_sub(1));
        let found = index.and_then(|index| versions.get(index));
        found.ok_or(CancellationPolicyError::NoSuchVersion { version })
    }
}

impl Administered for CancellationPolicy {
    const COLLECTION: &'static str = "cancellation-policies";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "adopt",
            r#"{"name":"하루 전까지 무료","terms":{"tiers":[{"minutes_before":1440,"fee":{"rate":{"percent":0}}},{"minutes_before":60,"fee":{"rate":{"percent":50}}},{"minutes_before":0,"fee":{"rate":{"percent":100}}}],"online_minutes":60,"coupon":"when_free"}}"#,
        ),
        ("rename", r#"{"name":"하루 전까지 무료 취소"}"#),
        (
            "revise",
            r#"{"terms":{"tiers":[{"minutes_before":120,"fee":{"rate":{"percent":0}}},{"minutes_before":0,"fee":{"amount":{"amount":10000}}}]}}"#,
        ),
    ];

    fn access(_: &CancellationPolicyCommand) -> Permission {
        Permission::ChangeShows
    }

    fn claims(&self, _: &CancellationPolicyId, command: &CancellationPolicyCommand) -> Claims {
        let claim = |name: &Name| ClaimId::on("cancellation_policy", name.as_str());
        let current = match self {
            Self::Unknown => None,
            Self::Adopted { name, .. } => Some(claim(name)),
        };
        match command {
            CancellationPolicyCommand::Adopt { name, .. } | CancellationPolicyCommand::Rename { name } => {
                Claims::moving(current, Some(claim(name)))
            }
            CancellationPolicyCommand::Revise { .. } => Claims::default(),
        }
    }

    fn reads(_: &CancellationPolicyCommand) -> Vec<Reference> {
        vec![]
    }

    fn branch(&self, _: &CancellationPolicyId) -> Option<BranchId> {
        None
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CancellationPolicyCommand as Do, CancellationPolicyError as No, CancellationPolicyEvent as Event, *,
    };
    use crate::{
        cancellation::{CouponRule, Fee, Tier},
        decider::testing::given,
        refusal::Refusal as _,
    };

    fn name(text: &str) -> Name {
        text.parse().expect("a name")
    }

    fn terms(percent: u8) -> CancellationTerms {
        CancellationTerms {
            tiers: vec![Tier {
                minutes_before: 0,
                fee: Fee::Rate { percent },
            }],
            online_minutes: 20,
            coupon: CouponRule::Always,
        }
    }

    fn adopt(percent: u8) -> Do {
        Do::Adopt {
            name: name("무료"),
            terms: terms(percent),
        }
    }

    fn adopted() -> Event {
        Event::Adopted {
            name: name("무료"),
            terms: terms(0),
        }
    }

    fn revised() -> Event {
        Event::Revised {
            version: 2,
            terms: terms(50),
        }
    }

    #[test]
    fn a_policy_is_adopted_once() {
        given::<CancellationPolicy>([]).when(adopt(0)).then([adopted()]);
        given::<CancellationPolicy>([adopted()]).when(adopt(0)).then([]);
        given::<CancellationPolicy>([adopted()])
            .when(adopt(10))
            .refused(&No::AlreadyAdopted);
    }

    #[test]
    fn a_revision_adds_a_version_and_changes_none() {
        let revise = |percent| Do::Revise {
            terms: terms(percent),
        };
        given::<CancellationPolicy>([adopted()])
            .when(revise(50))
            .then([revised()]);
        given::<CancellationPolicy>([adopted(), revised()])
            .when(revise(50))
            .then([]);
        given::<CancellationPolicy>([])
            .when(revise(50))
            .refused(&No::NotFound);
        let mut policy = CancellationPolicy::default();
        assert_eq!(policy.terms(1), Err(No::NotFound));
        policy.evolve(adopted());
        policy.evolve(revised());
        assert_eq!(policy.terms(1), Ok(&terms(0)));
        assert_eq!(policy.terms(2), Ok(&terms(50)));
        for version in [0, 3] {
            assert_eq!(policy.terms(version), Err(No::NoSuchVersion { version }));
        }
        let full = CancellationPolicy::Adopted {
            name: name("무료"),
            versions: vec![terms(0); VERSIONS_MAX],
        };
        assert_eq!(
            full.rule(revise(50), crate::decider::testing::NOON),
            Err(No::TooManyVersions)
        );
    }

    #[test]
    fn a_policy_is_renamed() {
        let rename = || Do::Rename { name: name("유료") };
        let renamed = Event::Renamed { name: name("유료") };
        given::<CancellationPolicy>([adopted()])
            .when(rename())
            .then([renamed.clone()]);
        given::<CancellationPolicy>([adopted(), renamed])
            .when(rename())
            .then([]);
        given::<CancellationPolicy>([])
            .when(rename())
            .refused(&No::NotFound);
    }

    #[test]
    fn unsound_terms_are_refused_with_their_places() {
        for (before, command) in [
            (vec![], adopt(101)),
            (vec![adopted()], Do::Revise { terms: terms(101) }),
        ] {
            let mut policy = CancellationPolicy::default();
            for event in before {
                policy.evolve(event);
            }
            let refusal = policy
                .rule(command, crate::decider::testing::NOON)
                .expect_err("unsound");
            assert_eq!(refusal.faults()[0].pointer, "/terms/tiers/0/fee");
        }
    }
}
