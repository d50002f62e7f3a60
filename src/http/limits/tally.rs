//! How often something happened lately, for each of those it is counted for; what runs counts too, so that nobody gets ahead
//! by trying many at once. Never asks what it was.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

/// Addresses and accounts that are kept at most.
const KEPT_MAX: u64 = 100_000;

/// For whom it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// A network.
    Address(IpAddr),
    /// An account or a phone number, by a keyed hash.
    Account([u8; 32]),
}

/// What happened to everybody.
pub(super) struct Tally {
    window: Duration,
    kept: Cache<Who, Arc<Mutex<Tries>>>,
}

/// The tries of one.
#[derive(Debug, Default)]
struct Tries {
    counted: VecDeque<Instant>,
    /// Not judged yet.
    running: usize,
}

impl Tally {
    /// Nothing has happened; what does counts for so long.
    pub fn over(window: Duration) -> Self {
        Self {
            window,
            kept: Cache::builder()
                .max_capacity(KEPT_MAX)
                .time_to_idle(window)
                .build(),
        }
    }

    /// A try, unless it happened too often to one of these, each of which may so often; then how long to wait.
    pub fn begin(&self, who: impl IntoIterator<Item = (Who, usize)>, now: Instant) -> Result<Try, Duration> {
        let mut attempt = Try { counted: Vec::new() };
        for (who, max) in who {
            let tries = self.kept.get_with(who, Arc::default);
            let mut known = locked(&tries);
            while known
                .counted
                .front()
                .is_some_and(|at| now.duration_since(*at) >= self.window)
            {
                known.counted.pop_front();
            }
            if known.counted.len() + known.running >= max {
                let oldest = known.counted.front();
                // Those that run are judged soon.
                return Err(oldest.map_or(Duration::ZERO, |at| {
                    self.window.saturating_sub(now.duration_since(*at))
                }));
            }
            known.running += 1;
            drop(known);
            attempt.counted.push(tries);
        }
        Ok(attempt)
    }
}

/// Something that is being tried. Unless it is counted, it has not happened.
#[derive(Debug)]
#[must_use = "a try that is dropped does not count"]
pub(super) struct Try {
    counted: Vec<Arc<Mutex<Tries>>>,
}

impl Try {
    /// It happened.
    pub fn count(&self, now: Instant) {
        for tries in &self.counted {
            locked(tries).counted.push_back(now);
        }
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        for tries in &self.counted {
            let mut known = locked(tries);
            known.running = known.running.saturating_sub(1);
        }
    }
}

fn locked(tries: &Mutex<Tries>) -> MutexGuard<'_, Tries> {
    tries.lock().unwrap_or_else(PoisonError::into_inner)
}
