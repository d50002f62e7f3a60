//! Read your writes: a query with `min_position` waits, bounded, until the read model has got there.

use std::time::Duration;

use tokio::time::Instant;

use super::{App, problem::Problem, problems};

/// The longest wait for a read model.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// The shortest pause between two looks.
const PAUSE_MIN: Duration = Duration::from_millis(2);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// Waits until `model` has read the log up to `min_position`, if one was asked for.
pub async fn reached(app: &App, model: &'static str, min_position: Option<i64>) -> Result<(), Problem> {
    let Some(min_position) = min_position.filter(|position| *position > 0) else { return Ok(()) };
    let end = Instant::now() + WAIT_MAX;
    let mut pause = PAUSE_MIN;
    loop {
        if projections::checkpoints::position(&app.reads, model).await? >= min_position {
            return Ok(());
        }
        if Instant::now() >= end {
            let detail = format!("{model} has not reached position {min_position} yet");
            return Err(Problem::new(&problems::BEHIND, detail).retry_after(1));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}
