//! `POST /v1/admin/time-slots/bulk`: closes, reopens or withdraws many time slots at once (DOMAIN E3); never lets one
//! keep the others from it.

use aggregates::{
    ids::TimeSlotId,
    time_slot::{TimeSlot, TimeSlotCommand},
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
use crate::{admin_commands, store::Committed};

/// What is done to each, by the name of its own route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeSlotAction {
    /// No new holds for now.
    Close,
    /// On sale again.
    Reopen,
    /// Off the programme.
    Withdraw,
}

/// Many time slots, and what is done to each.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct BulkOfTimeSlots {
    /// What is done.
    action: TimeSlotAction,
    /// To which, 1 to 500, each once.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<TimeSlotId>,
    /// Why.
    #[serde(default)]
    reason: Option<Note>,
}

impl Sendable for BulkOfTimeSlots {
    const EXAMPLE: &'static str = r#"{"action":"close","ids":["0192d3a0-0000-7000-8000-000000000001",
        "0192d3a0-0000-7000-8000-000000000002"],"reason":"the projector is broken"}"#;
}

/// Does one thing to many time slots. Each is a command of its own: one that is refused does not keep the others.
#[utoipa::path(post, path = "/v1/admin/time-slots/bulk", tag = "admin", operation_id = "changeManyTimeSlots",
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Sent again, each is answered as the first time, and what was refused is tried again")),
    security(("admin" = [])),
    request_body = BulkOfTimeSlots,
    responses((status = OK, description = "What became of each", body = BulkAnswer),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "None, more than 500, or one twice", body = ProblemBody)))]
pub async fn act(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(BulkOfTimeSlots { action, ids, reason }): Sent<BulkOfTimeSlots>,
) -> Result<Response, Problem> {
    check(&ids)?;
    let commands = ids.into_iter().map(|id| {
        let (app, admin) = (app.clone(), admin.clone());
        let caller = each(&caller, reason.as_ref());
        let (key, reason) = (key.part(&id.to_string()), reason.clone());
        async move {
            let result = one(&app, &admin, caller, key, id, action, reason).await;
            (id.to_string(), result)
        }
        .boxed()
    });
    Ok(carried_out(&app, &caller, commands.collect()).await)
}

async fn one(
    app: &App,
    admin: &Admin,
    caller: Caller,
    key: Key,
    id: TimeSlotId,
    action: TimeSlotAction,
    reason: Option<Note>,
) -> Result<Committed, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &("bulk", action, id, &reason))?;
    let (name, command) = match action {
        TimeSlotAction::Close => ("time-slots/close", TimeSlotCommand::Close { reason }),
        TimeSlotAction::Reopen => ("time-slots/reopen", TimeSlotCommand::Reopen {}),
        TimeSlotAction::Withdraw => ("time-slots/withdraw", TimeSlotCommand::Withdraw { reason }),
    };
    let request = caller.request(admin.actor(), name, key);
    let by = admin.authority();
    Ok(admin_commands::send::<TimeSlot>(&app.store, &request, by, &id, &command).await?)
}
