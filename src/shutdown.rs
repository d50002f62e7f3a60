//! How a server is told to stop: one flag that everything running watches; never a signal handler itself.

use tokio::sync::watch;

/// What running tasks watch.
pub type Signal = watch::Receiver<bool>;

/// Waits until the flag is raised, or nobody is left to raise it.
pub async fn told(signal: &mut Signal) {
    // An error means that the sender is gone: that is the end, too.
    drop(signal.wait_for(|stop| *stop).await);
}
