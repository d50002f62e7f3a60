//! Read your writes: a query with `min_position` waits, bounded, until the read model has got there.

use std::time::Duration;

use tokio::time::Instant;

use super::{App, problem::Problem, problems};

/// The longest wait for a read model.
const WAIT_MAX: Duration = Duration::from_secs(3);

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
