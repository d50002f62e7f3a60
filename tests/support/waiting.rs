//! Waiting for a condition, with a deadline far beyond what it should take; never a measure of speed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far more than anything takes that a story waits for.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and gives it back.
pub async fn eventually<T, L: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> L) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "this never came: {what}");
        sleep(PAUSE).await;
    }
}
