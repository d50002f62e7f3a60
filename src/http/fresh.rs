//! Read your writes: a query with `min_position` waits, bounded, until the read model has got there; never answers with
//! less than was asked for.

use std::time::Duration;

use tokio::time::Instant;

use super::{App, problem::Problem, problems};

/// The longest wait for a read model.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// How far ahead of the log, as this server knows it, a position may lie: another server may have written it a moment
/// ago, and no database takes so many events in that time. What lies further ahead cannot have been handed out.
const AHEAD_MAX: i64 = 100_000;

/// Whether the log has come to a position, here or in another process.
pub(super) async fn exists(app: &App, position: i64) -> Result<bool, Problem> {
    Ok(position <= app.store.feed().position() || position <= projections::moments::head(&app.reads).await?)
}

/// Waits until `model` shows the event at `min_position`, if one was asked for.
pub(super) async fn reached(
    app: &App,
    model: &'static str,
    min_position: Option<i64>,
) -> Result<(), Problem> {
    let Some(min_position) = min_position.filter(|position| *position > 0) else {
        return Ok(());
    };
    let head = app.store.feed().position();
    if min_position.saturating_sub(head) > AHEAD_MAX {
        let detail = format!(
            "min_position: no event has the position {min_position}; take one that X-Jari-Position has named"
        );
        return Err(Problem::new(&problems::MALFORMED_QUERY, detail));
    }
    if app
        .projections
        .reached(model, min_position, Instant::now() + WAIT_MAX)
        .await
    {
        return Ok(());
    }
    let detail = format!("{model} has not reached position {min_position} yet");
    Err(Problem::new(&problems::BEHIND, detail).retry_after(1))
}
