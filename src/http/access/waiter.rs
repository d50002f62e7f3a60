//! Who works on the waitlist entry named in the path: whoever has its token, the customer whose it is, or staff of the
//! branch; everybody else is told that there is none. Never tells whether it is there to somebody who may not know.

use aggregates::{
    ids::{CustomerId, ReservationId, TimeSlotId},
    rights::RightsError,
    waitlist::WaitlistError,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use projections::{moments, waitlist_queue};
use uuid::Uuid;

use super::{Admin, MaybeCustomer, branch_of_slot, holds, needed, rights::Needs};
use crate::{
    customers,
    http::{App, fresh, params::Id, problem::Problem},
    store::Actor,
};

/// Who works on an entry.
#[derive(Debug, Clone)]
pub struct Waiter {
    /// The entry.
    pub entry: ReservationId,
    /// For which slot it waits or waited.
    pub time_slot: TimeSlotId,
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    Guest,
    Customer(CustomerId),
    Staff(Admin),
}

impl Waiter {
    /// As the log records it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.who {
            Who::Guest => Actor::Guest(self.entry),
            Who::Customer(customer) => Actor::Customer(*customer),
            Who::Staff(admin) => admin.actor(),
        }
    }

    /// What an idempotency key of theirs is unique within.
    #[must_use]
    pub fn scope(&self) -> String {
        match &self.who {
            Who::Guest => format!("reservation:{}", self.entry),
            Who::Customer(customer) => customers::principal(*customer),
            Who::Staff(admin) => admin.scope(),
        }
    }

    /// Whether it is staff.
    #[must_use]
    pub const fn is_staff(&self) -> bool {
        match self.who {
            Who::Guest | Who::Customer(_) => false,
            Who::Staff(_) => true,
        }
    }
}

impl FromRequestParts<App> for Waiter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Id(entry) = Id::<ReservationId>::from_request_parts(parts, app).await?;
        let not_found = || Problem::refused(&WaitlistError::NotFound);
        let waiter = |time_slot, who| Self {
            entry,
            time_slot,
            who,
        };
        if holds(app, &parts.headers, entry) {
            let (time_slot, _) = whereabouts(app, entry).await?.ok_or_else(not_found)?;
            return Ok(waiter(time_slot, Who::Guest));
        }
        let MaybeCustomer(customer) = MaybeCustomer::from_request_parts(parts, app).await?;
        if let Some(customer) = customer {
            return match whereabouts(app, entry).await? {
                Some((time_slot, Some(owner))) if owner == customer.id => {
                    Ok(waiter(time_slot, Who::Customer(owner)))
                }
                Some(_) | None => Err(not_found()),
            };
        }
        let unknown = |problem: Problem| match problem.slug() {
            "request/unauthorized" => not_found(),
            _ => problem,
        };
        let admin = Admin::authenticate(parts, app).await.map_err(unknown)?;
        match needed(parts) {
            Some(Needs::Holder(permission) | Needs::Staff(permission, _)) => {
                admin.may(permission)?;
                let Some((time_slot, _)) = whereabouts(app, entry).await? else {
                    // No slot has this id: the command itself refuses, in the same words.
                    return Ok(waiter(TimeSlotId::new(Uuid::nil()), Who::Staff(admin)));
                };
                let branch = branch_of_slot(app, time_slot).await?;
                admin.may_at(permission, branch).map_err(|_| not_found())?;
                Ok(waiter(time_slot, Who::Staff(admin)))
            }
            Some(Needs::Anyone | Needs::Local(_) | Needs::OwnSession | Needs::Customer) | None => {
                Err(Problem::refused(&RightsError::NotGranted))
            }
        }
    }
}

/// For which slot an entry is; one that has just been made, here or by another server, is waited for.
async fn whereabouts(
    app: &App,
    entry: ReservationId,
) -> Result<Option<(TimeSlotId, Option<CustomerId>)>, Problem> {
    let known = waitlist_queue::whereabouts(&app.reads, entry).await?;
    if known.is_some() {
        return Ok(known);
    }
    let head = moments::head(&app.reads).await?;
    fresh::reached(app, "waitlist_queue", Some(head)).await?;
    Ok(waitlist_queue::whereabouts(&app.reads, entry).await?)
}
