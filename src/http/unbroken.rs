//! Work in several steps that a caller who goes away, or who runs out of time, does not break off in the middle;
//! never retries a step.

use super::{problem::Problem, problems};

/// Does all of it, whether or not anybody waits for the answer.
pub(super) async fn unbroken<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "work in several steps broke off");
        Err(Problem::new(
            &problems::FAULT,
            "the request could not be answered",
        ))
    })
}
