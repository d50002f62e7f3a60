//! A time slot: one showing in an auditorium or one game of a theme; a hold only reads it, so it never sells seats.
//!
//! ```text
//!            schedule              close
//!   Unknown ─────────▶ OnSale ◀────────────▶ Closed
//!                        │       reopen         │
//!                        └────▶ Withdrawn ◀─────┘   (withdraw)
//! ```
//!
//! Until it begins, how it is sold can be adjusted: what, where, when and for how much stays.
//! Started, not yet on sale and past the sales close are moments, not states: [`TimeSlot::open_for_holds`] tells them apart.

mod plan;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    administered::{Administered, Claims, Reference},
    decider::aggregate,
    fault::{Fault, Faults},
    ids::{BranchId, TimeSlotId},
    refusal::refusals,
    rights::Permission,
    values::Note,
};
pub use plan::{
    Adjustment, CANCEL_MINUTES_DEFAULT, CANCEL_MINUTES_MAX, HOLD_CAP_MINUTES_DEFAULT, HOLD_MINUTES_DEFAULT,
    POOL_MINUTES_DEFAULT, POOL_MINUTES_MAX, Plan, PlanCancellation, SEATS_PER_CUSTOMER_DEFAULT, Show,
};

/// What can be asked of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TimeSlotCommand {
    /// Put it on the programme.
    Schedule {
        /// What it fixes.
        plan: Plan,
    },
    /// Change how it is sold from now on, until it begins; what is held or reserved keeps what it was told.
    Adjust(Adjustment),
    /// Take no new holds for a while, and place none.
    Close {
        /// Why.
        reason: Option<Note>,
    },
    /// Take holds again.
    Reopen {},
    /// Take it off the programme for good; refused while seats are held or reserved.
    Withdraw {
        /// Why.
        reason: Option<Note>,
    },
}

/// What happened to a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeSlotEvent {
    /// Put on the programme.
    Scheduled { plan: Plan },
    /// Sold otherwise from now on: what is different.
    Adjusted(Adjustment),
    /// New holds are refused.
    Closed { reason: Option<Note> },
    /// Holds are taken again.
    Reopened,
    /// Off the programme for good.
    Withdrawn { reason: Option<Note> },
}

/// Why a slot says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeSlotError {
    /// No such slot.
    #[error("there is no such time slot")]
    NotFound,
    /// Scheduled before, with another plan.
    #[error("the time slot is already scheduled")]
    AlreadyScheduled,
    /// The plan contradicts itself, a limit or the clock.
    #[error("the plan is not consistent: {0}")]
    InconsistentPlan(Faults),
    /// Sales have not begun.
    #[error("sales open at {opens_at}")]
    NotYetOnSale {
        /// When they begin.
        opens_at: Timestamp,
    },
    /// It has begun: not the same as sold out (DOMAIN C4).
    #[error("the time slot started at {starts_at}")]
    Started {
        /// When it began.
        starts_at: Timestamp,
    },
    /// Too late to hold, not started yet.
    #[error("sales closed at {closed_at}")]
    SalesClosed {
        /// When they ended.
        closed_at: Timestamp,
    },
    /// Staff take no new holds and place none.
    #[error("the time slot is closed for now")]
    Closed,
    /// Off the programme.
    #[error("the time slot was withdrawn")]
    Withdrawn,
}

refusals! { TimeSlotError:
    Self::NotFound => "time-slot/not-found", NotFound, "Choose a time slot from GET /v1/time-slots.";
    Self::AlreadyScheduled => "time-slot/already-scheduled", Conflict, "Use a new id, or withdraw this slot first.";
    Self::InconsistentPlan(_) => "time-slot/inconsistent-plan", Invalid, "Correct the moments and limits of the plan.",
        by Self::fields;
    Self::NotYetOnSale { .. } => "time-slot/not-yet-on-sale", Conflict, "Come back when sales open.";
    Self::Started { .. } => "time-slot/started", Gone, "Choose a later time slot.";
    Self::SalesClosed { .. } => "time-slot/sales-closed", Gone, "Choose a later time slot, or ask at the counter.";
    Self::Closed => "time-slot/closed", Conflict, "Choose another time slot, or try again later.";
    Self::Withdrawn => "time-slot/withdrawn", Gone, "Choose another time slot.";
}

impl TimeSlotError {
    fn fields(&self) -> Vec<Fault> {
        match self {
            Self::InconsistentPlan(Faults(faults)) => faults.clone(),
            Self::NotFound
            | Self::AlreadyScheduled
            | Self::NotYetOnSale { .. }
            | Self::Started { .. }
            | Self::SalesClosed { .. }
            | Self::Closed
            | Self::Withdrawn => Vec::new(),
        }
    }
}

/// What a slot remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeSlot {
    /// Never scheduled.
    #[default]
    Unknown,
    /// Seats can be held between its sales moments.
    OnSale(Plan),
    /// No new holds for now, and none is placed.
    Closed(Plan),
    /// Off the programme.
    Withdrawn(Plan),
}

aggregate! {
    TimeSlot = "time_slot", id: TimeSlotId, command: TimeSlotCommand, event: TimeSlotEvent, error: TimeSlotError,
    stored: "TimeSlot" [Scheduled, Adjusted, Closed, Reopened, Withdrawn]
}

impl TimeSlot {
    fn rule(&self, command: TimeSlotCommand, now: Timestamp) -> Result<Vec<TimeSlotEvent>, TimeSlotError> {
        use TimeSlotCommand::{Adjust, Close, Reopen, Schedule, Withdraw};
        match (command, self) {
            (Schedule { plan }, Self::Unknown) => plan
                .consistent(now)
                .map(|()| vec![TimeSlotEvent::Scheduled { plan }]),
            (Schedule { plan }, Self::OnSale(known)) if plan == *known => Ok(vec![]),
            (Schedule { .. }, Self::OnSale(_) | Self::Closed(_) | Self::Withdrawn(_)) => {
                Err(TimeSlotError::AlreadyScheduled)
            }

            (Adjust(_), Self::OnSale(plan) | Self::Closed(plan)) if now >= plan.starts_at => {
                Err(TimeSlotError::Started {
                    starts_at: plan.starts_at,
                })
            }
            (Adjust(terms), Self::OnSale(plan) | Self::Closed(plan)) => {
                let different = terms.different_from(plan);
                if different == Adjustment::default() {
                    return Ok(vec![]);
                }
                plan.adjusted(different).adjustable(now)?;
                Ok(vec![TimeSlotEvent::Adjusted(different)])
            }

            (Close { reason }, Self::OnSale(_)) => Ok(vec![TimeSlotEvent::Closed { reason }]),
            (Close { .. }, Self::Closed(_)) => Ok(vec![]),

            (Reopen {}, Self::Closed(_)) => Ok(vec![TimeSlotEvent::Reopened]),
            (Reopen {}, Self::OnSale(_)) => Ok(vec![]),

            (Withdraw { reason }, Self::OnSale(_) | Self::Closed(_)) => {
                Ok(vec![TimeSlotEvent::Withdrawn { reason }])
            }
            (Withdraw { .. }, Self::Withdrawn(_)) => Ok(vec![]),

            (Adjust(_) | Close { .. } | Reopen {}, Self::Withdrawn(_)) => Err(TimeSlotError::Withdrawn),
            (Adjust(_) | Close { .. } | Reopen {} | Withdraw { .. }, Self::Unknown) => {
                Err(TimeSlotError::NotFound)
            }
        }
    }

    fn evolve(&mut self, event: TimeSlotEvent) {
        *self = match (event, std::mem::take(self)) {
            (TimeSlotEvent::Scheduled { plan }, _) => Self::OnSale(plan),
            (TimeSlotEvent::Adjusted(terms), Self::OnSale(plan)) => Self::OnSale(plan.adjusted(terms)),
            (TimeSlotEvent::Adjusted(terms), Self::Closed(plan)) => Self::Closed(plan.adjusted(terms)),
            (TimeSlotEvent::Adjusted(_), before @ (Self::Unknown | Self::Withdrawn(_))) => before,
            (
                TimeSlotEvent::Closed { .. } | TimeSlotEvent::Reopened | TimeSlotEvent::Withdrawn { .. },
                Self::Unknown,
            ) => Self::Unknown,
            (
                TimeSlotEvent::Closed { .. },
                Self::OnSale(plan) | Self::Closed(plan) | Self::Withdrawn(plan),
            ) => Self::Closed(plan),
            (TimeSlotEvent::Reopened, Self::OnSale(plan) | Self::Closed(plan) | Self::Withdrawn(plan)) => {
                Self::OnSale(plan)
            }
            (
                TimeSlotEvent::Withdrawn { .. },
                Self::OnSale(plan) | Self::Closed(plan) | Self::Withdrawn(plan),
            ) => Self::Withdrawn(plan),
        };
    }

    /// What was fixed when the slot was scheduled, as it was adjusted since, whatever became of it.
    pub fn plan(&self) -> Result<&Plan, TimeSlotError> {
        match self {
            Self::Unknown => Err(TimeSlotError::NotFound),
            Self::OnSale(plan) | Self::Closed(plan) | Self::Withdrawn(plan) => Ok(plan),
        }
    }

    /// The plan, if places may be held at `now`; else why not, the plainest reason first (DOMAIN C4).
    pub fn open_for_holds(&self, now: Timestamp) -> Result<&Plan, TimeSlotError> {
        match self {
            Self::Unknown => Err(TimeSlotError::NotFound),
            Self::Withdrawn(_) => Err(TimeSlotError::Withdrawn),
            Self::OnSale(plan) | Self::Closed(plan) if now >= plan.starts_at => Err(TimeSlotError::Started {
                starts_at: plan.starts_at,
            }),
            Self::OnSale(plan) | Self::Closed(plan) if now >= plan.sales_close_at => {
                Err(TimeSlotError::SalesClosed {
                    closed_at: plan.sales_close_at,
                })
            }
            Self::Closed(_) => Err(TimeSlotError::Closed),
            Self::OnSale(plan) if now < plan.sales_open_at => Err(TimeSlotError::NotYetOnSale {
                opens_at: plan.sales_open_at,
            }),
            Self::OnSale(plan) => Ok(plan),
        }
    }
}

impl Administered for TimeSlot {
    const COLLECTION: &'static str = "time-slots";

    const EXAMPLES: &'static [(&'static str, &'static str)] = &[
        (
            "schedule",
            r#"{"plan":{"branch":"0192d3a0-0000-7000-8000-000000000001","show":{"kind":"theme","theme":"0192d3a0-0000-7000-8000-000000000002","party_min":2,"party_max":4},"starts_at":"2026-12-24T10:00:00Z","ends_at":"2026-12-24T11:00:00Z","sales_open_at":"2026-12-18T00:00:00Z","sales_close_at":"2026-12-24T10:00:00Z","price_policy":"0192d3a0-0000-7000-8000-000000000003","price_version":1,"seats_per_customer_max":1,"hold_minutes":10,"hold_cap_minutes":20,"cancel_minutes":20}}"#,
        ),
        (
            "adjust",
            r#"{"orphan_rule":"lenient","hold_minutes":5,"cancel_minutes":60}"#,
        ),
        ("close", r#"{"reason":"the projector is being repaired"}"#),
        ("reopen", "{}"),
        ("withdraw", r#"{"reason":"the film was not delivered"}"#),
    ];

    fn access(_: &TimeSlotCommand) -> Permission {
        Permission::ChangeSlots
    }

    fn claims(&self, _: &TimeSlotId, _: &TimeSlotCommand) -> Claims {
        Claims::default()
    }

    fn reads(command: &TimeSlotCommand) -> Vec<Reference> {
        match command {
            TimeSlotCommand::Schedule { plan } => {
                let mut references = vec![
                    Reference::Branch(plan.branch),
                    Reference::PricePolicy(plan.price_policy),
                ];
                references.extend(
                    plan.cancellation
                        .map(|named| Reference::CancellationPolicy(named.policy)),
                );
                match plan.show {
                    Show::Movie {
                        movie, auditorium, ..
                    } => {
                        references.extend([Reference::Movie(movie), Reference::Auditorium(auditorium)]);
                    }
                    Show::Theme { theme, .. } => references.push(Reference::Theme(theme)),
                }
                references
            }
            TimeSlotCommand::Adjust(_)
            | TimeSlotCommand::Close { .. }
            | TimeSlotCommand::Reopen {}
            | TimeSlotCommand::Withdraw { .. } => vec![],
        }
    }

    fn branch(&self, _: &TimeSlotId) -> Option<BranchId> {
        self.plan().ok().map(|plan| plan.branch)
    }

    fn exists(&self) -> bool {
        *self != Self::Unknown
    }
}

#[cfg(test)]
#[path = "time_slot/tests.rs"]
mod tests;
