//! One action for many things: each a command of its own, told apart from the others in the answer; never all or nothing.
//!
//! What one of them is refused does not keep the others. All are recorded under one correlation; a repeated request with
//! the same key answers for each what it was answered first.

pub mod reservations;
pub mod time_slots;

use std::{collections::HashSet, hash::Hash};

use aggregates::{fault::Fault, values::Note};
use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, future::BoxFuture, stream};
use serde::Serialize;
use serde_json::Value;
use smol_str::ToSmolStr as _;
use uuid::Uuid;

use super::super::{
    App,
    answer::Done,
    body::refuse,
    caller::Caller,
    problem::{Problem, ProblemBody},
};
use crate::store::{Committed, Trace};

/// Things one request may act on.
pub const BULK_MAX: usize = 500;
/// Of these, how many are worked on at the same time.
const AT_ONCE: usize = 16;

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BulkOutcome)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was so already: there was nothing to do.
    Already,
    /// A rule says no; the problem says which.
    Refused,
    /// The server could not do it now; the problem says why, and trying again makes sense.
    Failed,
}

/// One thing and what became of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OneOfMany {
    /// Which one.
    #[schema(example = "301422961418752000")]
    id: String,
    /// What became of it.
    outcome: Outcome,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = ProblemBody, required = false, nullable = false)]
    problem: Option<Value>,
}

/// What became of all of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkAnswer {
    /// Each, in the order in which they were named.
    items: Vec<OneOfMany>,
    /// For how many it was done.
    done: usize,
    /// For how many there was nothing to do.
    already: usize,
    /// For how many it was refused, or failed.
    refused: usize,
}

/// Refuses a list that is empty, too long, or names something twice.
fn check<I: Hash + Eq>(ids: &[I]) -> Result<(), Problem> {
    if ids.is_empty() || ids.len() > BULK_MAX {
        let problem = format!("must name 1 to {BULK_MAX}");
        refuse(vec![Fault::at("/ids", problem)])?;
    }
    let mut seen = HashSet::new();
    let twice = ids.iter().enumerate().filter(|(_, id)| !seen.insert(*id));
    refuse(
        twice
            .map(|(nth, _)| Fault::at(format!("/ids/{nth}"), "stands there twice"))
            .collect(),
    )
}

/// The origin of each of the commands, a request of its own, as it is a unit of its own: what they have in common is the
/// request that was sent, or what the caller says it belongs to.
fn each(caller: &Caller, reason: Option<&Note>) -> Caller {
    let request_id = caller.request_id.to_smolstr();
    Caller {
        request_id: Uuid::now_v7(),
        correlation_id: caller.correlation_id.clone().or(Some(request_id)),
        trace: Trace::default(),
        reason: caller.reason.clone().or_else(|| reason.cloned()),
        ..caller.clone()
    }
}

/// Which thing, and what its command came to.
type Ran = (String, Result<Committed, Problem>);

/// Carries out all of them, a few at a time, and answers for each.
async fn carried_out(app: &App, caller: &Caller, commands: Vec<BoxFuture<'static, Ran>>) -> Response {
    let results: Vec<Ran> = stream::iter(commands).buffered(AT_ONCE).collect().await;
    let committed = || results.iter().filter_map(|(_, result)| result.as_ref().ok());
    let position = committed().map(|committed| committed.position).max();
    let repeated = committed().next().is_some() && committed().all(|committed| committed.repeated);
    let count = |of: Outcome, items: &[OneOfMany]| items.iter().filter(|item| item.outcome == of).count();
    let items: Vec<OneOfMany> = results
        .into_iter()
        .map(|(id, result)| match result {
            Ok(committed) => OneOfMany {
                id,
                outcome: if committed.events.is_empty() {
                    Outcome::Already
                } else {
                    Outcome::Done
                },
                problem: None,
            },
            Err(problem) => OneOfMany {
                id,
                outcome: if problem.status().is_server_error() {
                    Outcome::Failed
                } else {
                    Outcome::Refused
                },
                problem: Some(problem.within(caller.request_id, caller.language)),
            },
        })
        .collect();
    let body = BulkAnswer {
        done: count(Outcome::Done, &items),
        already: count(Outcome::Already, &items),
        refused: count(Outcome::Refused, &items) + count(Outcome::Failed, &items),
        items,
    };
    Done {
        status: StatusCode::OK,
        position: position.unwrap_or_else(|| app.store.feed().position()),
        repeated,
        location: None,
        body,
    }
    .into_response()
}
