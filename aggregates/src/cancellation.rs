//! What a cancellation costs: tiers by how far away the start is (DOMAIN C14); pure, and never knows who cancels.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    fault::Fault,
    ids::CancellationPolicyId,
    time_slot::{CANCEL_MINUTES_DEFAULT, CANCEL_MINUTES_MAX},
    values::AMOUNT_MAX,
};

/// The most tiers of one version.
pub const TIERS_MAX: usize = 10;
/// How far before the start a tier may end: ninety days.
pub const TIER_MINUTES_MAX: u32 = 129_600;

/// What is kept of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fee {
    /// A part of the price, rounded down to a whole minor unit.
    Rate {
        /// 0 to 100.
        percent: u8,
    },
    /// A fixed amount, at most the price.
    Amount {
        /// In minor units.
        amount: i64,
    },
}

impl Fee {
    /// What is really kept of `price`: never below nothing, never above all of it.
    #[must_use]
    pub fn of(self, price: i64) -> i64 {
        let wanted = match self {
            Self::Rate { percent } => {
                let part = i128::from(price) * i128::from(percent) / 100;
                i64::try_from(part).unwrap_or(price)
            }
            Self::Amount { amount } => amount,
        };
        wanted.min(price).max(0)
    }

    const fn is_sound(self) -> bool {
        match self {
            Self::Rate { percent } => percent <= 100,
            Self::Amount { amount } => 0 <= amount && amount <= AMOUNT_MAX,
        }
    }
}

/// One tier: what is kept by whoever cancels before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// How many minutes before the start it ends; the next one begins there.
    #[schema(maximum = 129_600)]
    pub minutes_before: u32,
    /// What is kept.
    pub fee: Fee,
}

impl Tier {
    /// When it ends for a slot that begins at `starts_at`.
    #[must_use]
    pub fn ends_at(&self, starts_at: Timestamp) -> Timestamp {
        let minutes = SignedDuration::from_mins(self.minutes_before.into());
        starts_at.checked_sub(minutes).unwrap_or(Timestamp::MIN)
    }
}

/// When a coupon is given back with a cancelled reservation (DOMAIN K2). One that expired always gives it back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouponRule {
    /// Always.
    #[default]
    Always,
    /// Only if the cancellation costs nothing.
    WhenFree,
}

impl CouponRule {
    /// Whether it is the usual one, which is not stored.
    #[must_use]
    pub const fn is_always(&self) -> bool {
        match self {
            Self::Always => true,
            Self::WhenFree => false,
        }
    }
}

/// The terms of one version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancellationTerms {
    /// From the furthest to the nearest; the last one ends at the start (`minutes_before` 0).
    #[schema(min_items = 1, max_items = 10)]
    pub tiers: Vec<Tier>,
    /// How many minutes before the start customers may still cancel by themselves; 20, unless said otherwise. At the
    /// counter it is possible until the start.
    #[schema(maximum = 10_080)]
    #[serde(default = "online_minutes")]
    pub online_minutes: u16,
    /// When a redeemed coupon is given back; `always`, unless said otherwise.
    #[serde(default, skip_serializing_if = "CouponRule::is_always")]
    pub coupon: CouponRule,
}

const fn online_minutes() -> u16 {
    CANCEL_MINUTES_DEFAULT
}

impl CancellationTerms {
    /// What is wrong with them, as their own fields.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.tiers.is_empty() || self.tiers.len() > TIERS_MAX {
            faults.push(Fault::at("/tiers", format!("must have 1 to {TIERS_MAX} entries")));
        }
        for (index, tier) in self.tiers.iter().enumerate() {
            let at = |field: &str| format!("/tiers/{index}/{field}");
            let nearer = index == 0
                || self
                    .tiers
                    .get(index - 1)
                    .is_some_and(|before| tier.minutes_before < before.minutes_before);
            if tier.minutes_before > TIER_MINUTES_MAX {
                faults.push(Fault::at(
                    at("minutes_before"),
                    "must be at most 129600, ninety days",
                ));
            } else if !nearer {
                faults.push(Fault::at(
                    at("minutes_before"),
                    "must be nearer to the start than the tier before",
                ));
            } else if index + 1 == self.tiers.len() && tier.minutes_before != 0 {
                faults.push(Fault::at(
                    at("minutes_before"),
                    "must be 0 in the last tier, which ends at the start",
                ));
            }
            if !tier.fee.is_sound() {
                faults.push(Fault::at(
                    at("fee"),
                    "must keep 0 to 100 percent, or an amount of 0 or more",
                ));
            }
        }
        if self.online_minutes > CANCEL_MINUTES_MAX {
            faults.push(Fault::at("/online_minutes", "must be at most 10080, a week"));
        }
        faults
    }

    /// Until when customers cancel by themselves a slot that begins at `starts_at`.
    #[must_use]
    pub fn cancel_until(&self, starts_at: Timestamp) -> Timestamp {
        let minutes = SignedDuration::from_mins(self.online_minutes.into());
        starts_at.checked_sub(minutes).unwrap_or(Timestamp::MIN)
    }
}

/// What a reservation froze of the policy when it was placed: a later revision changes nothing about it. Without tiers it
/// is free, which is the policy that is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Which policy; none: the one that is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<CancellationPolicyId>,
    /// Which version of it, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Its tiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    /// When the coupon is given back.
    #[serde(default, skip_serializing_if = "CouponRule::is_always")]
    pub coupon: CouponRule,
}

impl Frozen {
    /// Whether it is the policy that is built in, which is not stored.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        *self == Self::default()
    }

    /// The tier that counts at `now`; none if cancelling is free for good. The last one goes on after the start.
    #[must_use]
    pub fn tier(&self, starts_at: Timestamp, now: Timestamp) -> Option<&Tier> {
        let running = self.tiers.iter().find(|tier| now < tier.ends_at(starts_at));
        running.or(self.tiers.last())
    }

    /// What is kept of `price` by whoever cancels at `now`.
    #[must_use]
    pub fn fee(&self, price: i64, starts_at: Timestamp, now: Timestamp) -> i64 {
        self.tier(starts_at, now).map_or(0, |tier| tier.fee.of(price))
    }

    /// Whether a cancellation with this fee leaves the coupon redeemed.
    #[must_use]
    pub const fn keeps_coupon(&self, fee: i64) -> bool {
        match self.coupon {
            CouponRule::Always => false,
            CouponRule::WhenFree => fee > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;
    use crate::decider::testing::NOON;

    fn tier(minutes_before: u32, percent: u8) -> Tier {
        Tier {
            minutes_before,
            fee: Fee::Rate { percent },
        }
    }

    fn terms(tiers: Vec<Tier>) -> CancellationTerms {
        CancellationTerms {
            tiers,
            online_minutes: 20,
            coupon: CouponRule::Always,
        }
    }

    fn frozen(tiers: Vec<Tier>) -> Frozen {
        Frozen {
            tiers,
            ..Frozen::default()
        }
    }

    #[test]
    fn a_tier_counts_until_the_moment_it_ends() {
        let policy = frozen(vec![tier(1_440, 0), tier(60, 50), tier(0, 100)]);
        let starts_at = NOON + 48.hours();
        for (before, fee) in [
            (48 * 60, 0),
            (1_441, 0),
            (1_440, 24_000),
            (61, 24_000),
            (60, 48_000),
            (0, 48_000),
        ] {
            assert_eq!(
                policy.fee(48_000, starts_at, starts_at - i64::from(before).minutes()),
                fee
            );
        }
        assert_eq!(policy.fee(48_000, starts_at, starts_at + 1.hour()), 48_000);
        assert_eq!(Frozen::default().fee(48_000, starts_at, starts_at), 0);
    }

    #[test]
    fn tiers_go_from_far_to_near_and_reach_the_start() {
        let wrong = |tiers| -> Vec<String> {
            let faults = terms(tiers).faults();
            faults.into_iter().map(|fault| fault.pointer).collect()
        };
        assert_eq!(wrong(vec![tier(1_440, 0), tier(0, 100)]), [""; 0]);
        assert_eq!(wrong(vec![]), ["/tiers"]);
        assert_eq!(wrong(vec![tier(0, 0); 11])[0], "/tiers");
        assert_eq!(wrong(vec![tier(10, 0)]), ["/tiers/0/minutes_before"]);
        assert_eq!(
            wrong(vec![tier(10, 0), tier(10, 0), tier(0, 0)]),
            ["/tiers/1/minutes_before"]
        );
        assert_eq!(wrong(vec![tier(0, 101)]), ["/tiers/0/fee"]);
        assert_eq!(
            wrong(vec![tier(TIER_MINUTES_MAX + 1, 0), tier(0, 0)]),
            ["/tiers/0/minutes_before"]
        );
        let early = CancellationTerms {
            online_minutes: CANCEL_MINUTES_MAX + 1,
            ..terms(vec![tier(0, 0)])
        };
        assert_eq!(early.faults()[0].pointer, "/online_minutes");
    }

    #[test]
    fn a_coupon_stays_redeemed_only_where_the_policy_says_so_and_something_is_kept() {
        let strict = Frozen {
            coupon: CouponRule::WhenFree,
            ..Frozen::default()
        };
        assert!(strict.keeps_coupon(1));
        assert!(!strict.keeps_coupon(0));
        assert!(!Frozen::default().keeps_coupon(1));
    }

    fn any_fee() -> impl Strategy<Value = Fee> {
        prop_oneof![
            (0..=100_u8).prop_map(|percent| Fee::Rate { percent }),
            (0..=AMOUNT_MAX).prop_map(|amount| Fee::Amount { amount }),
        ]
    }

    fn any_tiers() -> impl Strategy<Value = Vec<Tier>> {
        let parts = (
            prop::collection::btree_set(1..=TIER_MINUTES_MAX, 0..TIERS_MAX),
            prop::collection::vec(any_fee(), TIERS_MAX),
        );
        parts.prop_map(|(minutes, fees)| {
            let minutes = minutes.into_iter().rev().chain([0]);
            let tiers = minutes.zip(fees);
            tiers
                .map(|(minutes_before, fee)| Tier { minutes_before, fee })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_fee_is_never_below_nothing_nor_above_the_price(
            tiers in any_tiers(), price in 0..=AMOUNT_MAX, before in -10_000..=200_000_i64,
        ) {
            let policy = frozen(tiers.clone());
            prop_assert!(terms(tiers).faults().is_empty());
            let fee = policy.fee(price, NOON, NOON - before.minutes());
            prop_assert!((0..=price).contains(&fee), "{fee}");
        }

        #[test]
        fn waiting_never_makes_it_cheaper_if_the_tiers_do_not(
            tiers in any_tiers(), price in 0..=AMOUNT_MAX, moments in (-10_000..=200_000_i64, -10_000..=200_000_i64),
        ) {
            let mut fees: Vec<Fee> = tiers.iter().map(|tier| tier.fee).collect();
            fees.sort_by_key(|fee| fee.of(price));
            let tiers = tiers.into_iter().zip(fees).map(|(tier, fee)| Tier { fee, ..tier }).collect();
            let policy = frozen(tiers);
            let (far, near) = (moments.0.max(moments.1), moments.0.min(moments.1));
            let fee = |before: i64| policy.fee(price, NOON, NOON - before.minutes());
            prop_assert!(fee(far) <= fee(near));
        }
    }
}
