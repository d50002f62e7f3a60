//! The plan of a time slot: what is shown, when it is sold and under which terms; says what in it contradicts itself, and
//! never looks at anything beside it.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::TimeSlotError;
use crate::{
    fault::{Fault, Faults},
    ids::{AuditoriumId, BranchId, CancellationPolicyId, MovieId, PricePolicyId, ThemeId},
    pricing::Tariff,
    seating::OrphanRule,
    theme::PARTY_MAX,
};

/// Seats one customer may take in one slot, unless the slot says otherwise (DOMAIN C4).
pub const SEATS_PER_CUSTOMER_DEFAULT: u8 = 8;
/// Minutes a hold lives, unless the slot says otherwise (DOMAIN H1).
pub const HOLD_MINUTES_DEFAULT: u16 = 10;
/// Minutes from the first touch within which an extended hold must end, unless the slot says otherwise (DOMAIN H1).
pub const HOLD_CAP_MINUTES_DEFAULT: u16 = 20;
/// Minutes before the start until which customers cancel by themselves (DOMAIN C14).
pub const CANCEL_MINUTES_DEFAULT: u16 = 20;
/// The most minutes before the start until which customers cancel by themselves: a week.
pub const CANCEL_MINUTES_MAX: u16 = 10_080;
/// Minutes before the start from which wheelchair and companion places are sold to everyone, unless the slot says otherwise.
/// Slots are stored without what is usual, so this never changes.
pub const POOL_MINUTES_DEFAULT: u16 = 60;
/// The most minutes before the start from which they may be: thirty days, which is always.
pub const POOL_MINUTES_MAX: u16 = 43_200;
/// The longest a slot may last.
const LENGTH_MAX: SignedDuration = SignedDuration::from_hours(24);
/// The moments a plan may name: the years 2000 to 2199, which every database, calendar and sum of minutes can hold.
const MOMENTS: Range<Timestamp> = Timestamp::constant(946_684_800, 0)..Timestamp::constant(7_258_118_400, 0);

/// What is shown or played, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Show {
    /// A movie in an auditorium, with the layout version whose seats are sold (DOMAIN C3).
    Movie {
        /// The movie.
        movie: MovieId,
        /// Where.
        auditorium: AuditoriumId,
        /// The immutable layout version, from 1.
        layout_version: u32,
        /// How many seats that version has; may be left out of a command.
        #[serde(default)]
        capacity: u32,
    },
    /// A theme in an escape room: one seat, `room`.
    Theme {
        /// The theme.
        theme: ThemeId,
        /// The smallest group.
        party_min: u8,
        /// The largest group.
        party_max: u8,
    },
}

impl Show {
    /// Whether prices of this kind can be asked for it: of persons for a screening, of a group for a session.
    #[must_use]
    pub const fn is_priced_by(&self, tariff: &Tariff) -> bool {
        match (self, tariff) {
            (Self::Movie { .. }, Tariff::Screening(_)) | (Self::Theme { .. }, Tariff::Session(_)) => true,
            (Self::Movie { .. }, Tariff::Session(_)) | (Self::Theme { .. }, Tariff::Screening(_)) => false,
        }
    }

    /// A group has at least one person, and no more than any theme is made for (DOMAIN E2).
    const fn consistent(&self) -> bool {
        match self {
            Self::Movie { .. } => true,
            Self::Theme {
                party_min, party_max, ..
            } => 1 <= *party_min && *party_min <= *party_max && *party_max <= PARTY_MAX,
        }
    }

    /// Whether it has seats beside each other.
    const fn has_rows(&self) -> bool {
        match self {
            Self::Movie { .. } => true,
            Self::Theme { .. } => false,
        }
    }

    /// Whether the same is shown: the same movie or theme, wherever and for however many.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Movie { movie, .. }, Self::Movie { movie: known, .. }) => movie == known,
            (Self::Theme { theme, .. }, Self::Theme { theme: known, .. }) => theme == known,
            (Self::Movie { .. }, Self::Theme { .. }) | (Self::Theme { .. }, Self::Movie { .. }) => false,
        }
    }

    /// How many places the slot sells.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        match self {
            Self::Movie { capacity, .. } => *capacity,
            Self::Theme { .. } => 1,
        }
    }
}

/// Everything a slot fixes when it is scheduled; versions are frozen, so a later change of prices leaves it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where.
    pub branch: BranchId,
    /// What.
    pub show: Show,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// When it ends, without cleaning.
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: Timestamp,
    /// From when seats can be held.
    #[schema(value_type = String, format = DateTime)]
    pub sales_open_at: Timestamp,
    /// Until when seats can be held; not after the start.
    #[schema(value_type = String, format = DateTime)]
    pub sales_close_at: Timestamp,
    /// The price policy.
    pub price_policy: PricePolicyId,
    /// Its frozen version, from 1; left out of a command, the one in effect on the slot's day.
    #[serde(default)]
    pub price_version: u32,
    /// Seats one customer may take; 8, unless said otherwise.
    #[serde(default = "seats_per_customer")]
    pub seats_per_customer_max: u8,
    /// Minutes a hold lasts; 10, unless said otherwise.
    #[serde(default = "hold_minutes")]
    pub hold_minutes: u16,
    /// Minutes from the first touch within which an extended hold must end; 20, unless said otherwise.
    #[serde(default = "hold_cap_minutes")]
    pub hold_cap_minutes: u16,
    /// How many minutes before the start customers may still cancel; 20, unless said otherwise, and a week at most.
    #[schema(maximum = 10_080)]
    #[serde(default = "cancel_minutes")]
    pub cancel_minutes: u16,
    /// Whether a choice may leave a single seat alone (DOMAIN C12); `off`, unless said otherwise. For movies only.
    #[serde(default, skip_serializing_if = "OrphanRule::is_off")]
    pub orphan_rule: OrphanRule,
    /// How many minutes before the start wheelchair and companion places are sold to everyone, and no longer only to those
    /// who state that they need them; 60, unless said otherwise, and thirty days at most.
    #[schema(maximum = 43_200)]
    #[serde(default = "pool_minutes", skip_serializing_if = "is_usual_pool")]
    pub pool_minutes: u16,
    /// What cancelling costs (DOMAIN C14); left out, it is free until `cancel_minutes` before the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<PlanCancellation>,
}

/// The version of a cancellation policy that counts for a slot, and not its `cancel_minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanCancellation {
    /// The policy.
    pub policy: CancellationPolicyId,
    /// Its frozen version, from 1; left out of a command, the newest.
    #[serde(default)]
    pub version: u32,
}

/// How a slot is sold, as far as that may change while it is; what is left out stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// Whether a choice may leave a single seat alone (DOMAIN C12). For movies only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphan_rule: Option<OrphanRule>,
    /// Minutes a new hold lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_minutes: Option<u16>,
    /// Minutes from the first touch within which a new hold must end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_cap_minutes: Option<u16>,
    /// How many minutes before the start customers may still cancel what they place from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 10_080)]
    pub cancel_minutes: Option<u16>,
    /// How many minutes before the start wheelchair and companion places are sold to everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 43_200)]
    pub pool_minutes: Option<u16>,
}

impl Adjustment {
    /// Only what is not so in the plan already.
    #[must_use]
    pub fn different_from(self, plan: &Plan) -> Self {
        Self {
            orphan_rule: self.orphan_rule.filter(|rule| *rule != plan.orphan_rule),
            hold_minutes: self.hold_minutes.filter(|minutes| *minutes != plan.hold_minutes),
            hold_cap_minutes: self
                .hold_cap_minutes
                .filter(|minutes| *minutes != plan.hold_cap_minutes),
            cancel_minutes: self
                .cancel_minutes
                .filter(|minutes| *minutes != plan.cancel_minutes),
            pool_minutes: self.pool_minutes.filter(|minutes| *minutes != plan.pool_minutes),
        }
    }
}

const fn seats_per_customer() -> u8 {
    SEATS_PER_CUSTOMER_DEFAULT
}

const fn hold_minutes() -> u16 {
    HOLD_MINUTES_DEFAULT
}

const fn hold_cap_minutes() -> u16 {
    HOLD_CAP_MINUTES_DEFAULT
}

const fn cancel_minutes() -> u16 {
    CANCEL_MINUTES_DEFAULT
}

const fn pool_minutes() -> u16 {
    POOL_MINUTES_DEFAULT
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_usual_pool(minutes: &u16) -> bool {
    *minutes == POOL_MINUTES_DEFAULT
}

impl Plan {
    /// When a hold taken at `now` runs out: after its lifetime, at the latest when sales close (DOMAIN H1).
    #[must_use]
    pub fn hold_until(&self, now: Timestamp) -> Timestamp {
        later(now, self.hold_minutes).min(self.sales_close_at)
    }

    /// When a hold first taken at `first` must end, however often it is touched.
    #[must_use]
    pub fn hold_cap(&self, first: Timestamp) -> Timestamp {
        later(first, self.hold_cap_minutes).min(self.sales_close_at)
    }

    /// Until when customers cancel by themselves (DOMAIN C14).
    #[must_use]
    pub fn cancel_until(&self) -> Timestamp {
        let minutes = SignedDuration::from_mins(self.cancel_minutes.into());
        self.starts_at.checked_sub(minutes).unwrap_or(Timestamp::MIN)
    }

    /// From when wheelchair and companion places are sold to everyone.
    #[must_use]
    pub fn pool_opens_at(&self) -> Timestamp {
        let minutes = SignedDuration::from_mins(self.pool_minutes.into());
        self.starts_at.checked_sub(minutes).unwrap_or(Timestamp::MIN)
    }

    /// Whether they are sold to everyone at `now`.
    #[must_use]
    pub fn pool_is_open(&self, now: Timestamp) -> bool {
        now >= self.pool_opens_at()
    }

    /// The plan of a slot that is sold so from now on.
    #[must_use]
    pub fn adjusted(&self, terms: Adjustment) -> Self {
        Self {
            orphan_rule: terms.orphan_rule.unwrap_or(self.orphan_rule),
            hold_minutes: terms.hold_minutes.unwrap_or(self.hold_minutes),
            hold_cap_minutes: terms.hold_cap_minutes.unwrap_or(self.hold_cap_minutes),
            cancel_minutes: terms.cancel_minutes.unwrap_or(self.cancel_minutes),
            pool_minutes: terms.pool_minutes.unwrap_or(self.pool_minutes),
            ..self.clone()
        }
    }

    /// Whether it can be scheduled at `now`; else every field that contradicts another one or a limit.
    pub(super) fn consistent(&self, now: Timestamp) -> Result<(), TimeSlotError> {
        self.consistent_at("/plan", now)
    }

    /// The same for what an adjustment made of it, whose fields stand by themselves.
    pub(super) fn adjustable(&self, now: Timestamp) -> Result<(), TimeSlotError> {
        self.consistent_at("", now)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one table: what must be so, and what is said if not"
    )]
    fn consistent_at(&self, place: &str, now: Timestamp) -> Result<(), TimeSlotError> {
        let sane = |moment: &Timestamp| MOMENTS.contains(moment);
        let years = "must be from 2000 to 2199";
        let rules = [
            (sane(&self.starts_at), "starts_at", years),
            (sane(&self.ends_at), "ends_at", years),
            (sane(&self.sales_open_at), "sales_open_at", years),
            (sane(&self.sales_close_at), "sales_close_at", years),
            (self.starts_at > now, "starts_at", "must not be past"),
            (
                self.starts_at < self.ends_at && self.ends_at.duration_since(self.starts_at) <= LENGTH_MAX,
                "ends_at",
                "must be after starts_at, by at most 24 hours",
            ),
            (
                self.sales_open_at < self.sales_close_at,
                "sales_open_at",
                "must be before sales_close_at",
            ),
            (
                self.sales_close_at <= self.starts_at,
                "sales_close_at",
                "must not be after starts_at",
            ),
            (self.price_version > 0, "price_version", "must be 1 or more"),
            (
                (1..=SEATS_PER_CUSTOMER_DEFAULT).contains(&self.seats_per_customer_max),
                "seats_per_customer_max",
                "must be 1 to 8",
            ),
            (
                (1..=120).contains(&self.hold_minutes),
                "hold_minutes",
                "must be 1 to 120",
            ),
            (
                (self.hold_minutes..=240).contains(&self.hold_cap_minutes),
                "hold_cap_minutes",
                "must be hold_minutes to 240",
            ),
            (
                self.cancel_minutes <= CANCEL_MINUTES_MAX,
                "cancel_minutes",
                "must be at most 10080, a week",
            ),
            (
                self.pool_minutes <= POOL_MINUTES_MAX,
                "pool_minutes",
                "must be at most 43200, thirty days",
            ),
            (
                self.cancellation
                    .is_none_or(|cancellation| cancellation.version > 0),
                "cancellation/version",
                "must be 1 or more",
            ),
            (
                self.orphan_rule.is_off() || self.show.has_rows(),
                "orphan_rule",
                "must be off for a theme, whose room is sold whole",
            ),
            (
                self.show.consistent(),
                "show",
                "needs 1 ≤ party_min ≤ party_max ≤ 6",
            ),
        ];
        let broken = rules.into_iter().filter(|(kept, _, _)| !kept);
        let faults: Vec<Fault> = broken
            .map(|(_, field, problem)| Fault::at(format!("{place}/{field}"), problem))
            .collect();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(TimeSlotError::InconsistentPlan(Faults(faults)))
        }
    }
}

/// So many minutes later, or the last moment there is.
fn later(moment: Timestamp, minutes: u16) -> Timestamp {
    moment
        .checked_add(SignedDuration::from_mins(minutes.into()))
        .unwrap_or(Timestamp::MAX)
}
