//! A price policy: tariffs by version, none of which ever changes (DOMAIN C11); never computes a price (see `pricing`).
//!
//! ```text
//!   Unknown ──adopt──▶ Adopted, version 1 ──revise──▶ Adopted, one version more
//! ```

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, ClaimId, PricePolicyId},
    pricing::Tariff,
    refusal::refusals,
    rights::Permission,
    values::Name,
};

/// The most versions of one policy.
pub const VERSIONS_MAX: usize = 10_000;

/// What can be asked of a price policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PricePolicyCommand {
    /// Adopt it with version 1.
    Adopt {
        /// Its name, unique among all policies.
        name: Name,
        /// The amounts.
        #[schema(value_type = Tariff)]
        tariff: Arc<Tariff>,
        /// The first business day it applies to; at once if left out.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = Date)]
        effective_from: Option<Date>,
    },
    /// Give it another name.
    Rename {
        /// The new one.
        name: Name,
    },
    /// Add a version; time slots already scheduled keep theirs.
    Revise {
        /// The amounts.
        #[schema(value_type = Tariff)]
        tariff: Arc<Tariff>,
        /// The first business day it applies to; at once if left out.
        #[serde(default)]
        #[schema(value_type = Option<String>, format = Date)]
        effective_from: Option<Date>,
    },
}

/// What happened to a price policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PricePolicyEvent {
    /// It began with version 1.
    Adopted {
        name: Name,
        tariff: Arc<Tariff>,
        effective_from: Option<Date>,
    },
    /// It has another name.
    Renamed { name: Name },
    /// It has one version more.
    Revised {
        version: u32,
        tariff: Arc<Tariff>,
        effective_from: Option<Date>,
    },
}

/// Why a price policy says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PricePolicyError {
    /// No such policy.
    #[error("there is no such price policy")]
    NotFound,
    /// Adopted before, otherwise.
    #[error("the price policy is already adopted")]
    AlreadyAdopted,
    /// The tariff contradicts itself.
    #[error("the tariff is not sound: {0}")]
    UnsoundTariff(Faults),
    /// A policy keeps its currency.
    #[error("a price policy keeps its currency")]
    OtherCurrency,
    /// No such version.
    #[error("the price policy has no version {version}")]
    NoSuchVersion {
        /// The version.
        version: u32,
    },
    /// Revised too often.
    #[error("a price policy has at most {VERSIONS_MAX} versions")]
    TooManyVersions,
}

refusals! { PricePolicyError:
    Self::NotFound => "price-policy/not-found", NotFound, "Choose a price policy that was adopted.";
    Self::AlreadyAdopted => "price-policy/already-adopted", Conflict, "Use a new id, or revise this policy.";
    Self::UnsoundTariff(_) => "price-policy/unsound-tariff", Invalid, "Correct the named parts of the tariff.",
        by Self::parts;
    Self::OtherCurrency => "price-policy/other-currency", Invalid, "Adopt a new policy for another currency.",
        at ["/tariff"];
    Self::NoSuchVersion { .. } => "price-policy/no-such-version", NotFound, "Give a version from 1 to the latest.";
    Self::TooManyVersions => "price-policy/too-many-versions", Conflict, "Adopt a new policy.";
}

impl PricePolicyError {
    /// The wrong parts of the tariff, as the command holds it.
    fn parts(&self) -> Vec<Fault> {
        match self {
            Self::UnsoundTariff(Faults(faults)) => {
                faults.iter().map(|fault| fault.below("/tariff")).collect()
            }
            Self::NotFound
            | Self::AlreadyAdopted
            | Self::OtherCurrency
            | Self::NoSuchVersion { .. }
            | Self::TooManyVersions => Vec::new(),
        }
    }
}

/// What a price policy remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PricePolicy {
    /// Never adopted.
    #[default]
    Unknown,
    /// It has a name and at least one version.
    Adopted {
        /// Its name.
        name: Name,
        /// Its versions, the first one first.
        versions: Vec<Version>,
    },
}

/// One version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The amounts.
    pub tariff: Arc<Tariff>,
    /// The first business day it applies to.
    pub effective_from: Option<Date>,
}

aggregate! {
    PricePolicy = "price_policy", id: PricePolicyId, command: PricePolicyCommand, event: PricePolicyEvent,
    error: PricePolicyError,
    stored: "PricePolicy" [Adopted, Renamed, Revised]
}

/// Whether a policy can have this tariff; else everything that is wrong with it.
pub fn sound(tariff: &Tariff) -> Result<(), PricePolicyError> {
    let faults = tariff.faults();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(PricePolicyError::UnsoundTariff(Faults(faults)))
    }
}

impl PricePolicy {
    #[expect(clippy::too_many_lines, reason = "one table: what is asked, and of what")]
    fn rule(
        &self,
        command: PricePolicyCommand,
        _now: jiff::Timestamp,
    ) -> Result<Vec<PricePolicyEvent>, PricePolicyError> {
        use PricePolicyCommand::{Adopt, Rename, Revise};
        use PricePolicyEvent::{Adopted, Renamed, Revised};
        match (command, self) {
            (
                Adopt {
                    name,
                    tariff,
                    effective_from,
                },
                Self::Unknown,
            ) => {
                sound(&tariff)?;
                Ok(vec![Adopted {
                    name,
                    tariff,
                    effective_from,
                }])
            }
            (
                Adopt {
                    name,
                    tariff,
                    effective_from,
                },
                Self::Adopted {
                    name: known,
                    versions,
                },
            ) => {
                let same = name == *known
                    && *versions
                        == [Version {
                            tariff,
                            effective_from,
                        }];
                if same {
                    Ok(vec![])
                } else {
                    Err(PricePolicyError::AlreadyAdopted)
                }
            }
            (Rename { name }, Self::Adopted { name: known, .. }) if name == *known => Ok(vec![]),
            (Rename { name }, Self::Adopted { .. }) => Ok(vec![Renamed { name }]),
            (
                Revise {
                    tariff,
                    effective_from,
                },
                Self::Adopted { versions, .. },
            ) => {
                let version = Version {
                    tariff,
                    effective_from,
                };
                match versions.last() {
                    Some(latest) if *latest == version => Ok(vec![]),
                    Some(latest) if latest.tariff.currency() != version.tariff.currency() => {
                        Err(PricePolicyError::OtherCurrency)
                    }
                    Some(_) | None if versions.len() >= VERSIONS_MAX => {
                        Err(PricePolicyError::TooManyVersions)
                    }
                    Some(_) | None => {
                        sound(&version.tariff)?;
                        let number = u32::try_from(versions.len()).unwrap_or(0) + 1;
                        Ok(vec![Revised {
                            version: number,
                            tariff: version.tariff,
                            effective_from,
                        }])
                    }
                }
            }
            (Rename { .. } | Revise { .. }, Self::Unknown) => Err(PricePolicyError::NotFound),
        }
    }

    fn evolve(&mut self, event: PricePolicyEvent) {
        match (event, &mut *self) {
            (
                PricePolicyEvent::Adopted {
                    name,
                    tariff,
                    effective_from,
                },
                _,
            ) => {
                *self = Self::Adopted {
                    name,
                    versions: vec![Version {
                        tariff,
                        effective_from,
                    }],
                };
            }
            (PricePolicyEvent::Renamed { name }, Self::Adopted { name: known, .. }) => *known = name,
            (
                PricePolicyEvent::Revised {
                    tariff,
                    effective_from,
                    ..
                },
                Self::Adopted { versions, .. },
            ) => {
                versions.push(Version {
                    tariff,
                    effective_from,
                });
            }
            (PricePolicyEvent::Renamed { .. } | PricePolicyEvent::Revised { .. }, Self::Unknown) => {}
        }
    }

    /// The tariff of one version; the first is 1.
    pub fn tariff(&self, version: u32) -> Result<&Arc<Tariff>, PricePolicyError> {
        let index = usize::try_from(version)
            .ok()
            .and_then(|version| version.checked_sub(1));
        let found = index.and_then(|index| self.versions().get(index));
        found
            .map(|version| &version.tariff)
            .ok_or(PricePolicyError::NoSuchVersion { version })
    }

    /// The version that applies on a business day, the newest of those in effect, with its number.
    #[must_use]
    pub fn in_effect(&self, business_date: Date) -> Option<(u32, &Arc<Tariff>)> {
        let applies = |version: &Version| version.effective_from.is_none_or(|from| from <= business_date);
        let (index, version) = self
            .versions()
            .iter()
            .enumerate()
            .rfind(|(_, version)| applies(version))?;
        Some((u32::try_from(index).ok()? + 1, &version.tariff))
    }

    /// All versions, the first one first; none before it is adopted.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        match self {
            Self::Unknown => &[],
            Self::Adopted { versions, .. } => versions,
        }
    }
}

impl Administered for PricePolicy {
    const COLLECTION: &'static str = "price-policies";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "adopt",
            r#"{"name":"예시 시네마","tariff":{"screening":{"currency":"KRW","persons":{"adult":0,"teen":-3000,"senior":-7000,"preferential":-9000},"bands":[{"name":"조조","until":"10:00","weekday":10000,"weekend":11000},{"name":"일반","until":"29:00","weekday":14000,"weekend":15000}],"weekend_days":["saturday","sunday"],"holidays":["2026-12-25"],"categories":{"일반":0,"프라임":1000},"halls":{"large-624":3000}}},"effective_from":null}"#,
        ),
        ("rename", r#"{"name":"예시 시네마 2027"}"#),
        (
            "revise",
            r#"{"tariff":{"session":{"currency":"KRW","price":{"person":{"table":{"2":48000,"3":66000}}},"early_bird":{"before":"11:00","discount":{"rate":{"percent":20}}},"closing":{"from":"21:00","discount":{"amount":{"amount":5000}}}}},"effective_from":"2027-01-01"}"#,
        ),
    ];

    fn access(_: &PricePolicyCommand) -> Permission {
        Permission::ChangeShows
    }

    fn claims(&self, _: &PricePolicyId, command: &PricePolicyCommand) -> Claims {
        let claim = |name: &Name| ClaimId::on("price_policy", name.as_str());
        let current = match self {
            Self::Unknown => None,
            Self::Adopted { name, .. } => Some(claim(name)),
        };
        match command {
            PricePolicyCommand::Adopt { name, .. } | PricePolicyCommand::Rename { name } => {
                Claims::moving(current, Some(claim(name)))
            }
            PricePolicyCommand::Revise { .. } => Claims::default(),
        }
    }

    fn reads(_: &PricePolicyCommand) -> Vec<Reference> {
        vec![]
    }

    fn branch(&self, _: &PricePolicyId) -> Option<BranchId> {
        None
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
mod tests;
