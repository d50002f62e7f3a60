//! `POST /v1/admin/reservations/bulk`: what staff do to many reservations of a list at once (DOMAIN E5, E9); never lets
//! one keep the others from it.

use aggregates::{
    ids::ReservationId,
    reservation::{Canceller, Pay, ReservationCommand},
    rights::Permission,
    values::Note,
};
use axum::{extract::State, response::Response};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};

use super::{
    super::super::{
        App,
        access::Admin,
        body::{Sendable, Sent},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    BulkAnswer, carried_out, check, each,
};
use crate::{booking, store::Committed};

/// What is done to each, by the name of its own route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReservationAction {
    /// The whole price was paid.
    MarkPaid,
    /// The customer was told.
    MarkNotified,
    /// They came.
    CheckIn,
    /// They did not come.
    MarkNoShow,
    /// Called off, at the counter.
    Cancel,
}

impl ReservationAction {
    const fn command(self) -> &'static str {
        match self {
            Self::MarkPaid => "reservations/mark-paid",
            Self::MarkNotified => "reservations/mark-notified",
            Self::CheckIn => "reservations/check-in",
            Self::MarkNoShow => "reservations/mark-no-show",
            Self::Cancel => "reservations/cancel",
        }
    }
}

/// Many reservations, and what is done to each.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct BulkOfReservations {
    /// What is done.
    action: ReservationAction,
    /// To which, 1 to 500, each once.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<ReservationId>,
    /// Why.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for BulkOfReservations {
    const EXAMPLE: &'static str =
        r#"{"action":"mark-paid","ids":["301422961418752000","301422961418752001"],"reason":"paid in cash"}"#;
}

/// Does one thing to many reservations. Each is a command of its own: one that is refused does not keep the others.
#[utoipa::path(post, path = "/v1/admin/reservations/bulk", tag = "admin", operation_id = "changeManyReservations",
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Sent again, each is answered as the first time, and what was refused is tried again")),
    security(("admin" = [])),
    request_body = BulkOfReservations,
    responses((status = OK, description = "What became of each", body = BulkAnswer),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "None, more than 500, or one twice", body = ProblemBody)))]
pub async fn act(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(BulkOfReservations { action, ids, reason }): Sent<BulkOfReservations>,
) -> Result<Response, Problem> {
    check(&ids)?;
    let commands = ids.into_iter().map(|id| {
        let one = One {
            app: app.clone(),
            admin: admin.clone(),
            caller: each(&caller, reason.as_ref()),
            key: key.part(&id.to_string()),
            action,
            reason: reason.clone(),
        };
        async move { (id.to_string(), one.act(id).await) }.boxed()
    });
    Ok(carried_out(&app, &caller, commands.collect()).await)
}

/// The command to one of them.
struct One {
    app: App,
    admin: Admin,
    caller: Caller,
    key: Key,
    action: ReservationAction,
    reason: Option<Note>,
}

impl One {
    async fn act(self, id: ReservationId) -> Result<Committed, Problem> {
        let Self {
            app,
            admin,
            caller,
            key,
            action,
            reason,
        } = self;
        admin
            .may_with_reservation(&app, Permission::ChangeReservations, id)
            .await?;
        let key = key.bind(app.store.vault(), admin.scope(), &("bulk", action, id, &reason))?;
        let request = caller.request(admin.actor(), action.command(), key);
        let command = match action {
            ReservationAction::MarkPaid => {
                let pay = Pay {
                    note: reason,
                    ..Pay::default()
                };
                let nearby = booking::nearby(&app.store, &app.reads, &[id]).await?;
                return Ok(app.bookings.pay(&request, id, &pay, &nearby).await?);
            }
            ReservationAction::MarkNotified => ReservationCommand::MarkNotified { note: reason },
            ReservationAction::CheckIn => ReservationCommand::CheckIn,
            ReservationAction::MarkNoShow => {
                return Ok(app.bookings.mark_no_show(&request, id).await?);
            }
            ReservationAction::Cancel => {
                let by = Canceller::Staff;
                return Ok(app.bookings.cancel(&request, id, by, reason).await?);
            }
        };
        Ok(app.bookings.record(&request, id, command).await?)
    }
}
