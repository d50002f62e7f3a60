//! The database's clock as this process knows it: never ahead of it, and monotonic. Never asks the local calendar.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// Part of the time passed by which the local clock may run faster than the database's.
const DRIFT: u32 = 1_000;
/// After this long without news the clock should be asked for.
pub(crate) const NEWS_MAX: Duration = Duration::from_secs(5);

/// Every answer of the database names a moment that had passed there when the answer came: a lower bound. The highest
/// such bound, carried forward a little slower than the local monotonic clock runs, is `now`.
#[derive(Debug)]
pub(crate) struct Clock {
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    at: Timestamp,
    since: Instant,
    /// The last moment handed out.
    shown: Timestamp,
    news: Instant,
}

impl Known {
    fn now(&self) -> Timestamp {
        let passed = self.since.elapsed();
        let passed = passed.saturating_sub(passed / DRIFT);
        let micros = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        self.at
            .checked_add(jiff::SignedDuration::from_micros(micros))
            .unwrap_or(self.at)
    }
}

impl Clock {
    /// The clock of a database that has just shown `at`.
    pub fn new(at: Timestamp) -> Self {
        let at = micros(at);
        let since = Instant::now();
        Self {
            known: Mutex::new(Known {
                at,
                since,
                shown: at,
                news: since,
            }),
        }
    }

    /// The moment for a unit of work, in microseconds.
    pub fn now(&self) -> Timestamp {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.shown = known.now().max(known.shown);
        known.shown
    }

    /// The database has shown this moment just now.
    pub fn learn(&self, at: Timestamp) {
        let at = micros(at);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.news = Instant::now();
        if at > known.now() {
            known.at = at;
            known.since = Instant::now();
        }
    }

    /// The database refused a moment as not come yet: its clock was set back, and shows this.
    pub fn set_back(&self, at: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Known {
            at: micros(at),
            since: Instant::now(),
            shown: micros(at),
            news: Instant::now(),
        };
    }

    /// Whether the last news are so old that new ones should be asked for.
    pub fn is_stale(&self) -> bool {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .news
            .elapsed()
            > NEWS_MAX
    }
}

/// Cut to what PostgreSQL can hold, never rounded up.
fn micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_microsecond(micros).unwrap()
    }

    #[test]
    fn now_never_decreases_and_old_news_do_not_set_it_back() {
        let clock = Clock::new(at(1_000_000));
        let before = clock.now();
        clock.learn(at(500_000));
        assert!(clock.now() >= before);
    }

    #[test]
    fn news_of_a_later_moment_move_it_forward() {
        let clock = Clock::new(at(1_000_000));
        clock.learn(at(9_000_000));
        assert!(clock.now() >= at(9_000_000));
    }

    #[test]
    fn a_database_clock_that_was_set_back_is_followed() {
        let clock = Clock::new(at(9_000_000_000));
        clock.set_back(at(1_000_000));
        assert!(clock.now() < at(9_000_000_000));
    }
}
