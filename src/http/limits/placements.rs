//! How often anybody may make us write to a phone number: by the number and by the address it is asked from. Only what was
//! really placed counts, a repeat not again; staff are not limited, they have somebody before them or on
//! the line. Never keeps a number itself.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use super::{
    network,
    tally::{Tally, Try, Who},
};
use crate::{
    config::RateLimits,
    store::{Committed, Stop},
};

/// How long a placement counts.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The placements of everybody.
pub(super) struct Placements {
    per_phone: usize,
    per_address: usize,
    tally: Tally,
}

impl Placements {
    /// As configured.
    pub fn new(limits: RateLimits) -> Self {
        let bound = |max: u32| usize::try_from(max).unwrap_or(usize::MAX);
        Self {
            per_phone: bound(limits.placements_per_phone),
            per_address: bound(limits.placements_per_address),
            tally: Tally::over(WINDOW),
        }
    }

    /// A placement for a number, of which there is a keyed hash; or how long to wait.
    pub fn begin(&self, address: IpAddr, phone: [u8; 32], now: Instant) -> Result<PlacementTry, Duration> {
        let who = [
            (Who::Address(network(address)), self.per_address),
            (Who::Account(phone), self.per_phone),
        ];
        // Without a limit there is nothing to remember.
        let who = who.into_iter().filter(|(_, max)| *max < NO_LIMIT);
        self.tally.begin(who, now).map(PlacementTry)
    }
}

/// From here on it is none.
const NO_LIMIT: usize = u32::MAX as usize;

/// Something that is being placed.
#[derive(Debug)]
#[must_use = "a try that is dropped has not been placed"]
pub struct PlacementTry(Try);

impl PlacementTry {
    /// Counts what came out, if something was placed now.
    pub fn judge<R>(self, outcome: Result<Committed, Stop<R>>) -> Result<Committed, Stop<R>> {
        if outcome.as_ref().is_ok_and(|committed| !committed.repeated) {
            self.0.count(Instant::now());
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn placements() -> Placements {
        Placements::new(RateLimits {
            placements_per_phone: 2,
            placements_per_address: 3,
            ..RateLimits::LOOSE
        })
    }

    #[test]
    fn a_number_is_written_to_so_often_from_wherever() {
        let (placements, now) = (placements(), Instant::now());
        for address in [HERE, ELSEWHERE] {
            let fits = placements.begin(address, [1; 32], now).expect("within the limit");
            fits.0.count(now);
        }
        let later = now + Duration::from_secs(600);
        let wait = placements.begin(HERE, [1; 32], later).expect_err("a third time");
        assert_eq!(wait, Duration::from_secs(3000));
        assert!(placements.begin(HERE, [2; 32], later).is_ok(), "another number");
        assert!(placements.begin(HERE, [1; 32], now + WINDOW).is_ok());
    }

    #[test]
    fn an_address_writes_to_so_many_numbers() {
        let (placements, now) = (placements(), Instant::now());
        for number in 1..=3 {
            let fits = placements
                .begin(HERE, [number; 32], now)
                .expect("within the limit");
            fits.0.count(now);
        }
        assert!(placements.begin(HERE, [4; 32], now).is_err());
        assert!(placements.begin(ELSEWHERE, [4; 32], now).is_ok());
    }

    #[test]
    fn what_came_to_nothing_does_not_count() {
        let (placements, now) = (placements(), Instant::now());
        for _ in 0..5 {
            drop(placements.begin(HERE, [1; 32], now).expect("nothing was placed"));
        }
    }
}
