//! How many coupon codes that do not fit anybody may try: only failures count, by address and by account (DOMAIN K1);
//! never counts a code that fits.

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use super::network;
use crate::{booking::Refused, store::Stop};

/// How long a failure counts.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);
/// Addresses and accounts that are kept at most.
const KEPT_MAX: u64 = 100_000;

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    Account([u8; 32]),
}

/// The failures of everybody.
pub(super) struct Failures {
    max: usize,
    kept: Cache<Who, Arc<Mutex<Tries>>>,
}

/// The tries of one.
#[derive(Debug, Default)]
struct Tries {
    failed: VecDeque<Instant>,
    /// Not judged yet: they count too, so that nobody gets ahead by trying many at once.
    running: usize,
}

impl Failures {
    /// At most so many within [`WINDOW`].
    pub fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            kept: Cache::builder()
                .max_capacity(KEPT_MAX)
                .time_to_idle(WINDOW)
                .build(),
        }
    }

    /// A try, unless there were too many failures; then how long to wait.
    pub fn begin(
        &self,
        address: Option<IpAddr>,
        account: [u8; 32],
        now: Instant,
    ) -> Result<CouponTry, Duration> {
        let who = address.map(|address| Who::Address(network(address)));
        let mut attempt = CouponTry { counted: Vec::new() };
        for who in who.into_iter().chain([Who::Account(account)]) {
            let tries = self.kept.get_with(who, Arc::default);
            let mut known = locked(&tries);
            while known
                .failed
                .front()
                .is_some_and(|at| now.duration_since(*at) >= WINDOW)
            {
                known.failed.pop_front();
            }
            if known.failed.len() + known.running >= self.max {
                let oldest = known.failed.front();
                // Those that run are judged soon.
                return Err(oldest.map_or(Duration::ZERO, |at| {
                    WINDOW.saturating_sub(now.duration_since(*at))
                }));
            }
            known.running += 1;
            drop(known);
            attempt.counted.push(tries);
        }
        Ok(attempt)
    }
}

/// A code that is being tried. Unless it is judged to be a failure, it does not count.
#[derive(Debug)]
#[must_use = "a try that is dropped has not failed"]
pub struct CouponTry {
    counted: Vec<Arc<Mutex<Tries>>>,
}

impl CouponTry {
    /// Counts what came out, if it was the coupon that said no.
    pub fn judge<T>(self, outcome: Result<T, Stop<Refused>>) -> Result<T, Stop<Refused>> {
        if let Err(Stop::Refused(Refused::Coupon(_))) = &outcome {
            self.failed(Instant::now());
        }
        outcome
    }

    fn failed(&self, now: Instant) {
        for tries in &self.counted {
            locked(tries).failed.push_back(now);
        }
    }
}

impl Drop for CouponTry {
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const ALICE: [u8; 32] = [1; 32];
    const BOB: [u8; 32] = [2; 32];

    const HERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const ELSEWHERE: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    #[test]
    fn only_failures_count_and_only_for_a_while() {
        let (failures, now) = (Failures::new(2), Instant::now());
        for _ in 0..5 {
            drop(failures.begin(HERE, ALICE, now).expect("nothing failed"));
        }
        failures.begin(HERE, ALICE, now).expect("the first").failed(now);
        let later = now + Duration::from_secs(60);
        failures
            .begin(HERE, ALICE, later)
            .expect("the second")
            .failed(later);
        let wait = failures.begin(HERE, ALICE, later).expect_err("the third");
        assert_eq!(wait + Duration::from_secs(60), WINDOW);
        assert!(
            failures.begin(HERE, ALICE, now + WINDOW).is_ok(),
            "the first is forgotten"
        );
    }

    #[test]
    fn neither_another_address_nor_another_account_helps() {
        let (failures, now) = (Failures::new(1), Instant::now());
        failures.begin(HERE, ALICE, now).expect("the first").failed(now);
        assert!(failures.begin(ELSEWHERE, ALICE, now).is_err(), "the same account");
        assert!(failures.begin(HERE, BOB, now).is_err(), "the same address");
        assert!(failures.begin(ELSEWHERE, BOB, now).is_ok());
        assert!(
            failures.begin(None, BOB, now).is_ok(),
            "staff are known by name alone"
        );
    }

    #[test]
    fn many_at_once_get_no_further() {
        let (failures, now) = (Failures::new(2), Instant::now());
        let running = [(), ()].map(|()| failures.begin(HERE, ALICE, now).expect("two"));
        assert_eq!(failures.begin(HERE, ALICE, now).err(), Some(Duration::ZERO));
        drop(running);
        assert!(failures.begin(HERE, ALICE, now).is_ok());
    }
}
