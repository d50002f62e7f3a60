//! A closed-loop load: so many clients, each doing one booking after the other; never more than the given time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// What one run measured.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Finished operations per second.
    pub rate: f64,
    /// Median latency.
    pub p50: Duration,
    /// 99th percentile.
    pub p99: Duration,
}

/// Runs `operation(client)` in a loop on every client for `warm_up`, then measures for `measured`.
pub async fn closed_loop<F, Fut>(
    clients: usize,
    warm_up: Duration,
    measured: Duration,
    operation: F,
) -> Sample
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), String>> + Send,
{
    let counting = Arc::new(AtomicBool::new(false));
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (operation, counting, stop) = (operation.clone(), counting.clone(), stop.clone());
            tokio::spawn(async move {
                let (mut latencies, mut failures) = (Vec::new(), Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    let result = operation(client).await;
                    if counting.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
                        match result {
                            Ok(()) => latencies.push(begun.elapsed()),
                            Err(reason) => failures.push(reason),
                        }
                    }
                }
                (latencies, failures)
            })
        })
        .collect();
    tokio::time::sleep(warm_up).await;
    counting.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    tokio::time::sleep(measured).await;
    stop.store(true, Ordering::Relaxed);
    let elapsed = begun.elapsed();

    let (mut latencies, mut failures) = (Vec::new(), Vec::new());
    for task in tasks {
        if let Ok((own, failed)) = task.await {
            latencies.extend(own);
            failures.extend(failed);
        }
    }
    if let Some(reason) = failures.first() {
        eprintln!("  {} operations failed, the first: {reason}", failures.len());
    }
    latencies.sort_unstable();
    let at = |share: f64| -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index below the length"
        )]
        let index = (latencies.len() as f64 * share) as usize;
        latencies
            .get(index.min(latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let rate = latencies.len() as f64 / elapsed.as_secs_f64();
    Sample {
        rate,
        p50: at(0.5),
        p99: at(0.99),
    }
}

/// The sample with the median rate.
#[must_use]
pub fn median(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    samples.swap_remove(samples.len() / 2)
}
