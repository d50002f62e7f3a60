//! How much one address may ask: all requests, and guesses at secrets more strictly; never reads a header itself.

mod coupons;
mod lines;
mod placements;
mod tally;

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::Arc,
};

use aggregates::ids::TimeSlotId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};

pub use self::{coupons::CouponTry, lines::Line, placements::PlacementTry};
use super::{problem::Problem, problems};
use crate::config::RateLimits;

/// How many times more often an account may be tried than one address may try: so one address alone never keeps its owner
/// out, and many addresses together are still slow.
const ACCOUNT_FACTOR: u32 = 4;
/// After so many admissions old addresses are forgotten.
const SWEEP_EVERY: u32 = 100_000;

/// The limits per address. Cheap to clone.
#[derive(Clone)]
pub struct Limits(Arc<Buckets>);

struct Buckets {
    requests: DefaultKeyedRateLimiter<IpAddr>,
    guesses: DefaultKeyedRateLimiter<IpAddr>,
    /// By a keyed hash of what somebody signs in with.
    accounts: DefaultKeyedRateLimiter<[u8; 32]>,
    /// Coupon codes that did not fit.
    coupons: coupons::Failures,
    /// Guests who asked to wait.
    lines: lines::Lines,
    /// What makes us write to somebody.
    placements: placements::Placements,
    clock: DefaultClock,
    admitted: std::sync::atomic::AtomicU32,
}

impl Limits {
    /// Limits as configured.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        let burst = |of: u32| NonZeroU32::new(of).unwrap_or(NonZeroU32::MIN);
        let requests = Quota::per_second(burst(limits.requests_per_second))
            .allow_burst(burst(limits.requests_per_second.saturating_mul(2)));
        let guesses = Quota::per_minute(burst(limits.guesses_per_minute));
        let account = Quota::per_minute(burst(limits.guesses_per_minute.saturating_mul(ACCOUNT_FACTOR)));
        Self(Arc::new(Buckets {
            requests: RateLimiter::dashmap(requests),
            guesses: RateLimiter::dashmap(guesses),
            accounts: RateLimiter::dashmap(account),
            coupons: coupons::Failures::new(limits.coupon_failures),
            lines: lines::Lines::new(limits.waiting_guests),
            placements: placements::Placements::new(limits),
            clock: DefaultClock::default(),
            admitted: std::sync::atomic::AtomicU32::new(0),
        }))
    }

    /// Whether this address may ask anything now.
    pub fn admit(&self, address: IpAddr) -> Result<(), Problem> {
        let admitted = self.0.admitted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if admitted % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.0.requests.retain_recent();
            self.0.guesses.retain_recent();
            self.0.accounts.retain_recent();
        }
        self.check(
            &self.0.requests,
            &network(address),
            "too many requests from this address",
        )
    }

    /// Whether a coupon code may be tried from this address and by this account now: not after too many that did not fit.
    pub fn try_coupon(&self, address: Option<IpAddr>, account: [u8; 32]) -> Result<CouponTry, Problem> {
        let begun = self.0.coupons.begin(address, account, std::time::Instant::now());
        begun.map_err(|wait| {
            let why = "too many coupon codes that do not fit";
            Problem::new(&problems::TOO_MANY, why).retry_after(wait.as_secs() + 1)
        })
    }

    /// The guests of this address's network who asked to wait for a slot.
    #[must_use]
    pub fn line(&self, address: IpAddr, time_slot: TimeSlotId) -> Line {
        self.0.lines.line(address, time_slot)
    }

    /// Whether something may be placed or waited for from this address with this phone number now.
    pub fn try_placement(&self, address: IpAddr, phone: [u8; 32]) -> Result<PlacementTry, Problem> {
        let begun = self.0.placements.begin(address, phone, std::time::Instant::now());
        begun.map_err(|wait| {
            let why = "too many reservations with this phone number or from this address";
            Problem::new(&problems::TOO_MANY, why).retry_after(wait.as_secs() + 1)
        })
    }

    /// Whether this address may try a secret now: a phone number, a token.
    pub fn guess(&self, address: IpAddr) -> Result<(), Problem> {
        self.check(
            &self.0.guesses,
            &network(address),
            "too many attempts from this address",
        )
    }

    /// Whether this account may be tried now, from wherever: many addresses together are limited, too.
    pub fn account(&self, account: [u8; 32]) -> Result<(), Problem> {
        self.check(
            &self.0.accounts,
            &account,
            "too many attempts to sign in with this account",
        )
    }

    fn check<K: Clone + Eq + Hash>(
        &self,
        bucket: &DefaultKeyedRateLimiter<K>,
        key: &K,
        why: &str,
    ) -> Result<(), Problem> {
        bucket.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.0.clock.now());
            Problem::new(&problems::TOO_MANY, why).retry_after(wait.as_secs() + 1)
        })
    }
}

/// The network one customer has: an IPv4 address, or the first 64 bits of an IPv6 one.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(RateLimits {
            requests_per_second: 2,
            guesses_per_minute: 1,
            ..RateLimits::default()
        })
    }

    #[test]
    fn an_address_that_asks_too_much_is_told_when_to_come_back() {
        let (limits, address) = (limits(), IpAddr::from([192, 0, 2, 1]));
        assert!((0..4).all(|_| limits.admit(address).is_ok()));
        let problem = limits.admit(address).expect_err("the fifth is too much");
        assert_eq!(problem.slug(), "request/too-many");
        assert!(limits.admit(IpAddr::from([192, 0, 2, 2])).is_ok());
    }

    #[test]
    fn guesses_have_a_limit_of_their_own() {
        let (limits, address) = (limits(), IpAddr::from([192, 0, 2, 1]));
        assert!(limits.guess(address).is_ok());
        assert!(limits.guess(address).is_err());
        assert!(limits.admit(address).is_ok());
    }

    #[test]
    fn one_account_is_not_tried_from_many_addresses_and_not_locked_by_one() {
        let limits = limits();
        let address = IpAddr::from([192, 0, 2, 1]);
        assert!(limits.guess(address).is_ok() && limits.account([1; 32]).is_ok());
        assert!(limits.guess(address).is_err(), "one address has had its share");
        for _ in 1..ACCOUNT_FACTOR {
            assert!(limits.account([1; 32]).is_ok(), "others have theirs");
        }
        assert!(limits.account([1; 32]).is_err(), "all of them together");
        assert!(limits.account([2; 32]).is_ok(), "another account");
    }

    #[test]
    fn one_customer_has_one_ipv6_network() {
        let one: IpAddr = "2001:db8::1".parse().expect("an address");
        let other: IpAddr = "2001:db8::ffff".parse().expect("an address");
        assert_eq!(network(one), network(other));
    }
}
