//! How many coupon codes that do not fit anybody may try: only failures count, by address and by account (DOMAIN K1);
//! never counts a code that fits.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{
    network,
    tally::{Tally, Try, Who},
};
use crate::{booking::Refused, store::Stop};

/// How long a failure counts.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);

/// The failures of everybody.
pub(super) struct Failures {
    max: usize,
    tally: Tally,
}

impl Failures {
    /// At most so many within [`WINDOW`].
    pub fn new(max: u32) -> Self {
        Self {
            max: usize::try_from(max).unwrap_or(usize::MAX),
            tally: Tally::over(WINDOW),
        }
    }

    /// A try, unless there were too many failures; then how long to wait.
    pub fn begin(
        &self,
        address: Option<IpAddr>,
        account: [u8; 32],
        now: Instant,
    ) -> Result<CouponTry, Duration> {
        let address = address.map(|address| Who::Address(network(address)));
        let who = address.into_iter().chain([Who::Account(account)]);
        self.tally
            .begin(who.map(|who| (who, self.max)), now)
            .map(CouponTry)
    }
}

/// A code that is being tried. Unless it is judged to be a failure, it does not count.
#[derive(Debug)]
#[must_use = "a try that is dropped has not failed"]
pub struct CouponTry(Try);

impl CouponTry {
    /// Counts what came out, if it was the coupon that said no.
    pub fn judge<T>(self, outcome: Result<T, Stop<Refused>>) -> Result<T, Stop<Refused>> {
        if let Err(Stop::Refused(Refused::Coupon(_))) = &outcome {
            self.failed(Instant::now());
        }
        outcome
    }

    fn failed(&self, now: Instant) {
        self.0.count(now);
    }
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
