//! A coupon: redeemed at most once, in the same append as the reservation it pays for (DOMAIN K1, K2); never guesses who may.
//!
//! ```text
//!            issue           redeem
//!   Unknown ───────▶ Issued ◀───────▶ Redeemed    (restore: the reservation was cancelled or expired, and its
//!                      │                           terms let it be used again)
//!                      └──▶ Revoked
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, CouponBatchId, MovieId, ReservationId, ThemeId},
    pricing::Discount,
    refusal::refusals,
    rights::Permission,
    time_slot::{Plan, Show},
    values::{CouponCode, Name, Note},
};

/// Where a coupon counts; an empty part does not limit (DOMAIN K1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only at this branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchId>,
    /// Only for this movie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub movie: Option<MovieId>,
    /// Only for this theme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<ThemeId>,
}

impl Scope {
    /// Whether a slot with this plan lies within the scope.
    #[must_use]
    pub fn covers(&self, plan: &Plan) -> bool {
        let (movie, theme) = match plan.show {
            Show::Movie { movie, .. } => (Some(movie), None),
            Show::Theme { theme, .. } => (None, Some(theme)),
        };
        self.branch.is_none_or(|branch| branch == plan.branch)
            && (self.movie.is_none() || self.movie == movie)
            && (self.theme.is_none() || self.theme == theme)
    }
}

/// What a coupon grants, fixed when it is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What it takes off.
    pub discount: Discount,
    /// Where it counts.
    #[serde(default)]
    pub scope: Scope,
    /// From when it can be redeemed.
    #[schema(value_type = String, format = DateTime)]
    pub valid_from: Timestamp,
    /// Until when, exclusive.
    #[schema(value_type = String, format = DateTime)]
    pub valid_until: Timestamp,
    /// A remark by who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
    /// Whether it can be used again after its reservation was cancelled or expired (DOMAIN K2); it can, unless said otherwise.
    #[serde(default = "yes", skip_serializing_if = "is_so")]
    pub restorable: bool,
}

const fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_so(said: &bool) -> bool {
    *said
}

/// Coupons that were issued together, under a name people know them by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CouponBatch", as = CouponBatch)]
pub struct Batch {
    /// Which ones.
    pub id: CouponBatchId,
    /// What they are for.
    pub name: Name,
}

/// What can be asked of a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CouponCommand {
    /// Issue it.
    Issue {
        /// What it grants.
        terms: Terms,
    },
    /// Issue it together with others; sent by issuing many at once, never from outside.
    #[serde(skip)]
    IssueInBatch {
        /// What it grants.
        terms: Terms,
        /// With which others.
        batch: Batch,
    },
    /// Use it for a reservation; sent by placing a reservation, never from outside.
    #[serde(skip)]
    Redeem {
        /// The reservation it pays for.
        by: ReservationId,
        /// Whether the reservation's slot lies within the coupon's scope.
        covered: bool,
    },
    /// Give it back after its reservation ended; never from outside.
    #[serde(skip)]
    Restore {
        /// The reservation that had redeemed it.
        by: ReservationId,
    },
    /// Revoke it.
    Revoke {
        /// Why.
        reason: Option<Note>,
    },
}

/// What happened to a coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CouponEvent {
    /// Brought into being.
    Issued {
        terms: Terms,
        /// With which others, if it was not alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<Batch>,
    },
    /// Used for a reservation.
    Redeemed { by: ReservationId },
    /// Usable again: the reservation was cancelled or expired.
    Restored { by: ReservationId },
    /// Made worthless.
    Revoked { reason: Option<Note> },
}

/// Why a coupon says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CouponError {
    /// No such coupon.
    #[error("there is no such coupon")]
    NotFound,
    /// The code is in use.
    #[error("a coupon with this code exists with other terms")]
    AlreadyIssued,
    /// The period or the discount makes no sense.
    #[error("the terms are not consistent: {0}")]
    InconsistentTerms(Faults),
    /// Used for another reservation.
    #[error("the coupon was already redeemed")]
    AlreadyRedeemed,
    /// Made worthless.
    #[error("the coupon was revoked")]
    Revoked,
    /// Its period has not begun.
    #[error("the coupon is valid from {from}")]
    NotYetValid {
        /// When it begins.
        from: Timestamp,
    },
    /// Its period is over.
    #[error("the coupon was valid until {until}")]
    NoLongerValid {
        /// When it ended.
        until: Timestamp,
    },
    /// It counts for something else.
    #[error("the coupon is not valid for this branch, movie or theme")]
    OutOfScope,
}

refusals! { CouponError:
    Self::NotFound => "coupon/not-found", NotFound, "Check the code, or place without a coupon.";
    Self::AlreadyIssued => "coupon/already-issued", Conflict, "Issue it under another code.";
    Self::InconsistentTerms(_) => "coupon/inconsistent-terms", Invalid, "Correct the period or the discount.",
        by Self::terms;
    Self::AlreadyRedeemed => "coupon/already-redeemed", Conflict,
        "It is free again once the reservation that redeemed it is cancelled; until then take another one.";
    Self::Revoked => "coupon/revoked", Gone, "Use another coupon, or place without one.";
    Self::NotYetValid { .. } => "coupon/not-yet-valid", Conflict, "Use it once its period has begun.";
    Self::NoLongerValid { .. } => "coupon/no-longer-valid", Gone, "Use another coupon, or place without one.";
    Self::OutOfScope => "coupon/out-of-scope", Conflict, "Use it where it is valid, or place without it.";
}

impl CouponError {
    fn terms(&self) -> Vec<Fault> {
        match self {
            Self::InconsistentTerms(Faults(faults)) => faults.clone(),
            Self::NotFound
            | Self::AlreadyIssued
            | Self::AlreadyRedeemed
            | Self::Revoked
            | Self::NotYetValid { .. }
            | Self::NoLongerValid { .. }
            | Self::OutOfScope => Vec::new(),
        }
    }
}

impl Terms {
    /// What is wrong with them, as the command holds them.
    fn sound(&self) -> Result<(), CouponError> {
        let period = (self.valid_from >= self.valid_until)
            .then(|| Fault::at("/terms/valid_until", "must be after valid_from"));
        let discount = (!self.discount.is_sound()).then(|| {
            Fault::at(
                "/terms/discount",
                "must take off 1 to 100 percent, or an amount above 0",
            )
        });
        let faults: Vec<Fault> = period.into_iter().chain(discount).collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(CouponError::InconsistentTerms(Faults(faults)))
        }
    }
}

/// What a coupon remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coupon {
    /// Never issued.
    #[default]
    Unknown,
    /// Can be redeemed.
    Issued { terms: Terms },
    /// Used.
    Redeemed { terms: Terms, by: ReservationId },
    /// Worthless.
    Revoked { terms: Terms },
}

aggregate! {
    Coupon = "coupon", id: CouponCode, command: CouponCommand, event: CouponEvent, error: CouponError,
    stored: "Coupon" [Issued, Redeemed, Restored, Revoked]
}

impl Coupon {
    fn rule(&self, command: CouponCommand, now: Timestamp) -> Result<Vec<CouponEvent>, CouponError> {
        use CouponCommand::{Issue, IssueInBatch, Redeem, Restore, Revoke};
        match (command, self) {
            (Issue { terms }, Self::Unknown) => terms
                .sound()
                .map(|()| vec![CouponEvent::Issued { terms, batch: None }]),
            (IssueInBatch { terms, batch }, Self::Unknown) => terms.sound().map(|()| {
                let batch = Some(batch);
                vec![CouponEvent::Issued { terms, batch }]
            }),
            (Issue { terms }, Self::Issued { terms: known }) if terms == *known => Ok(vec![]),
            (
                Issue { .. } | IssueInBatch { .. },
                Self::Issued { .. } | Self::Redeemed { .. } | Self::Revoked { .. },
            ) => Err(CouponError::AlreadyIssued),

            (Redeem { by, covered }, Self::Issued { terms }) => {
                redeemable(terms, covered, now).map(|()| vec![CouponEvent::Redeemed { by }])
            }
            (Redeem { by, .. }, Self::Redeemed { by: holder, .. }) if by == *holder => Ok(vec![]),
            (Redeem { .. }, Self::Redeemed { .. }) => Err(CouponError::AlreadyRedeemed),

            (Restore { by }, Self::Redeemed { by: holder, terms }) if by == *holder && terms.restorable => {
                Ok(vec![CouponEvent::Restored { by }])
            }
            (Restore { .. }, Self::Issued { .. } | Self::Redeemed { .. } | Self::Revoked { .. }) => {
                Ok(vec![])
            }

            (Revoke { reason }, Self::Issued { .. }) => Ok(vec![CouponEvent::Revoked { reason }]),
            (Revoke { .. }, Self::Redeemed { .. }) => Err(CouponError::AlreadyRedeemed),
            (Revoke { .. }, Self::Revoked { .. }) => Ok(vec![]),

            (Redeem { .. }, Self::Revoked { .. }) => Err(CouponError::Revoked),
            (Redeem { .. } | Restore { .. } | Revoke { .. }, Self::Unknown) => Err(CouponError::NotFound),
        }
    }

    fn evolve(&mut self, event: CouponEvent) {
        let terms = match std::mem::take(self) {
            Self::Issued { terms } | Self::Redeemed { terms, .. } | Self::Revoked { terms } => Some(terms),
            Self::Unknown => None,
        };
        *self = match (event, terms) {
            (CouponEvent::Issued { terms, .. }, _) | (CouponEvent::Restored { .. }, Some(terms)) => {
                Self::Issued { terms }
            }
            (CouponEvent::Redeemed { by }, Some(terms)) => Self::Redeemed { terms, by },
            (CouponEvent::Revoked { .. }, Some(terms)) => Self::Revoked { terms },
            (
                CouponEvent::Redeemed { .. } | CouponEvent::Restored { .. } | CouponEvent::Revoked { .. },
                None,
            ) => Self::Unknown,
        };
    }

    /// What it grants, if it can still be redeemed or was.
    #[must_use]
    pub const fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Issued { terms } | Self::Redeemed { terms, .. } => Some(terms),
            Self::Unknown | Self::Revoked { .. } => None,
        }
    }
}

fn redeemable(terms: &Terms, covered: bool, now: Timestamp) -> Result<(), CouponError> {
    if now < terms.valid_from {
        Err(CouponError::NotYetValid {
            from: terms.valid_from,
        })
    } else if now >= terms.valid_until {
        Err(CouponError::NoLongerValid {
            until: terms.valid_until,
        })
    } else if covered {
        Ok(())
    } else {
        Err(CouponError::OutOfScope)
    }
}

impl Administered for Coupon {
    const COLLECTION: &'static str = "coupons";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "issue",
            r#"{"terms":{"discount":{"rate":{"percent":20}},"scope":{},"valid_from":"2026-12-01T00:00:00Z","valid_until":"2027-01-01T00:00:00Z","note":"winter campaign"}}"#,
        ),
        ("revoke", r#"{"reason":"printed by mistake"}"#),
    ];

    fn access(_: &CouponCommand) -> Permission {
        Permission::ChangeCoupons
    }

    fn claims(&self, _: &CouponCode, _: &CouponCommand) -> Claims {
        Claims::default()
    }

    fn reads(command: &CouponCommand) -> Vec<Reference> {
        match command {
            CouponCommand::Issue { terms } | CouponCommand::IssueInBatch { terms, .. } => [
                terms.scope.branch.map(Reference::Branch),
                terms.scope.movie.map(Reference::Movie),
                terms.scope.theme.map(Reference::Theme),
            ]
            .into_iter()
            .flatten()
            .collect(),
            CouponCommand::Redeem { .. } | CouponCommand::Restore { .. } | CouponCommand::Revoke { .. } => {
                vec![]
            }
        }
    }

    fn branch(&self, _: &CouponCode) -> Option<BranchId> {
        match self {
            Self::Issued { terms } | Self::Redeemed { terms, .. } | Self::Revoked { terms } => {
                terms.scope.branch
            }
            Self::Unknown => None,
        }
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
#[path = "coupon/tests.rs"]
mod tests;
