//! How long customers have to pay, and to take what is offered to them (DOMAIN E7, W2); rules of a branch. A reservation and
//! an offer keep the deadline they were given. Never looks at the clock.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// Minutes to pay when the slot is near, unless the branch says otherwise.
pub const PAY_MINUTES_NEAR_DEFAULT: u16 = 30;
/// The most of them: a day.
pub const PAY_MINUTES_NEAR_MAX: u16 = 1_440;
/// Hours to pay when the slot is far away, unless the branch says otherwise.
pub const PAY_HOURS_FAR_DEFAULT: u16 = 12;
/// The most of them: a week.
pub const PAY_HOURS_FAR_MAX: u16 = 168;
/// A slot that is more hours ahead than these is far away, unless the branch says otherwise.
pub const FAR_HOURS_DEFAULT: u16 = 24;
/// The most of them: thirty days.
pub const FAR_HOURS_MAX: u16 = 720;
/// Minutes that freed places are held for who waited, unless the branch says otherwise.
pub const OFFER_MINUTES_DEFAULT: u16 = 10;
/// The most of them: a day.
pub const OFFER_MINUTES_MAX: u16 = 1_440;
/// Hours an equal slot is offered for money that came late, unless the branch says otherwise.
pub const LATE_OFFER_HOURS_DEFAULT: u16 = 12;
/// The most of them: a week.
pub const LATE_OFFER_HOURS_MAX: u16 = 168;

/// How much time a branch gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRules {
    /// How many minutes there are to pay when the slot is near; 30, unless said otherwise.
    #[schema(minimum = 1, maximum = 1_440)]
    #[serde(default = "pay_minutes_near")]
    pub pay_minutes_near: u16,
    /// How many hours there are to pay when the slot is far away; 12, unless said otherwise.
    #[schema(minimum = 1, maximum = 168)]
    #[serde(default = "pay_hours_far")]
    pub pay_hours_far: u16,
    /// A slot that is more hours ahead than these is far away; 24, unless said otherwise.
    #[schema(minimum = 1, maximum = 720)]
    #[serde(default = "far_hours")]
    pub far_hours: u16,
    /// How many minutes freed places are held for who waited; 10, unless said otherwise.
    #[schema(minimum = 1, maximum = 1_440)]
    #[serde(default = "offer_minutes")]
    pub offer_minutes: u16,
    /// How many hours an equal slot is offered for money that came late; 12, unless said otherwise.
    #[schema(minimum = 1, maximum = 168)]
    #[serde(default = "late_offer_hours")]
    pub late_offer_hours: u16,
}

const fn pay_minutes_near() -> u16 {
    PAY_MINUTES_NEAR_DEFAULT
}

const fn pay_hours_far() -> u16 {
    PAY_HOURS_FAR_DEFAULT
}

const fn far_hours() -> u16 {
    FAR_HOURS_DEFAULT
}

const fn offer_minutes() -> u16 {
    OFFER_MINUTES_DEFAULT
}

const fn late_offer_hours() -> u16 {
    LATE_OFFER_HOURS_DEFAULT
}

impl Default for PaymentRules {
    fn default() -> Self {
        Self {
            pay_minutes_near: PAY_MINUTES_NEAR_DEFAULT,
            pay_hours_far: PAY_HOURS_FAR_DEFAULT,
            far_hours: FAR_HOURS_DEFAULT,
            offer_minutes: OFFER_MINUTES_DEFAULT,
            late_offer_hours: LATE_OFFER_HOURS_DEFAULT,
        }
    }
}

impl PaymentRules {
    /// Whether nothing is said otherwise than usual.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Every field beyond its limits.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let rules = [
            (
                self.pay_minutes_near,
                PAY_MINUTES_NEAR_MAX,
                "/pay_minutes_near",
                "must be 1 to 1440",
            ),
            (
                self.pay_hours_far,
                PAY_HOURS_FAR_MAX,
                "/pay_hours_far",
                "must be 1 to 168",
            ),
            (self.far_hours, FAR_HOURS_MAX, "/far_hours", "must be 1 to 720"),
            (
                self.offer_minutes,
                OFFER_MINUTES_MAX,
                "/offer_minutes",
                "must be 1 to 1440",
            ),
            (
                self.late_offer_hours,
                LATE_OFFER_HOURS_MAX,
                "/late_offer_hours",
                "must be 1 to 168",
            ),
        ];
        let broken = rules
            .into_iter()
            .filter(|(said, max, ..)| !(1..=*max).contains(said));
        broken
            .map(|(_, _, field, problem)| Fault::at(field, problem))
            .collect()
    }

    /// The deadline of a payment for a slot that begins at `starts_at`; never after the start.
    #[must_use]
    pub fn pay_by(&self, now: Timestamp, starts_at: Timestamp) -> Timestamp {
        let far = starts_at.duration_since(now) > hours(self.far_hours);
        let deadline = if far {
            later(now, hours(self.pay_hours_far))
        } else {
            self.pay_at_once_by(now)
        };
        deadline.min(starts_at)
    }

    /// Until when somebody pays who pays at once.
    #[must_use]
    pub fn pay_at_once_by(&self, now: Timestamp) -> Timestamp {
        later(now, minutes(self.pay_minutes_near))
    }

    /// Until when freed places are held for who waited; never after sales close.
    #[must_use]
    pub fn offer_until(&self, now: Timestamp, sales_close_at: Timestamp) -> Timestamp {
        later(now, minutes(self.offer_minutes)).min(sales_close_at)
    }

    /// Until when an equal slot that begins at `starts_at` is offered for money that came late; never after the start.
    #[must_use]
    pub fn late_offer_until(&self, now: Timestamp, starts_at: Timestamp) -> Timestamp {
        later(now, hours(self.late_offer_hours)).min(starts_at)
    }
}

fn minutes(minutes: u16) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}

fn hours(hours: u16) -> SignedDuration {
    SignedDuration::from_hours(hours.into())
}

fn later(moment: Timestamp, time: SignedDuration) -> Timestamp {
    moment.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::decider::testing::NOON;

    #[test]
    fn what_nothing_is_said_about_is_as_usual() {
        let read: PaymentRules = serde_json::from_str("{}").expect("all may be left out");
        assert!(read.is_usual());
        assert_eq!(read.faults(), []);
    }

    #[test]
    fn every_field_beyond_its_limits_is_named() {
        let named = |rules: PaymentRules| -> Vec<String> {
            rules.faults().into_iter().map(|fault| fault.pointer).collect()
        };
        let all = [
            "/pay_minutes_near",
            "/pay_hours_far",
            "/far_hours",
            "/offer_minutes",
            "/late_offer_hours",
        ];
        let none = PaymentRules {
            pay_minutes_near: 0,
            pay_hours_far: 0,
            far_hours: 0,
            offer_minutes: 0,
            late_offer_hours: 0,
        };
        let most = PaymentRules {
            pay_minutes_near: PAY_MINUTES_NEAR_MAX,
            pay_hours_far: PAY_HOURS_FAR_MAX,
            far_hours: FAR_HOURS_MAX,
            offer_minutes: OFFER_MINUTES_MAX,
            late_offer_hours: LATE_OFFER_HOURS_MAX,
        };
        let more = PaymentRules {
            pay_minutes_near: most.pay_minutes_near + 1,
            pay_hours_far: most.pay_hours_far + 1,
            far_hours: most.far_hours + 1,
            offer_minutes: most.offer_minutes + 1,
            late_offer_hours: most.late_offer_hours + 1,
        };
        assert_eq!(
            (named(none), named(more)),
            (all.map(str::to_owned).to_vec(), all.map(str::to_owned).to_vec())
        );
        assert_eq!(named(most), Vec::<String>::new());
    }

    #[test]
    fn the_deadline_of_a_payment_depends_on_how_far_away_the_slot_is() {
        let usual = PaymentRules::default();
        assert_eq!(usual.pay_by(NOON, NOON + 3.hours()), NOON + 30.minutes());
        assert_eq!(usual.pay_by(NOON, NOON + 24.hours()), NOON + 30.minutes());
        assert_eq!(usual.pay_by(NOON, NOON + 25.hours()), NOON + 12.hours());
        assert_eq!(usual.pay_by(NOON, NOON + 10.minutes()), NOON + 10.minutes());
        let own = PaymentRules {
            pay_minutes_near: 5,
            pay_hours_far: 2,
            far_hours: 3,
            ..usual
        };
        assert_eq!(own.pay_by(NOON, NOON + 3.hours()), NOON + 5.minutes());
        assert_eq!(own.pay_by(NOON, NOON + 4.hours()), NOON + 2.hours());
    }

    #[test]
    fn what_is_offered_is_offered_for_a_while_and_never_beyond_its_end() {
        let usual = PaymentRules::default();
        assert_eq!(usual.offer_until(NOON, NOON + 3.hours()), NOON + 10.minutes());
        assert_eq!(usual.offer_until(NOON, NOON + 3.minutes()), NOON + 3.minutes());
        assert_eq!(usual.late_offer_until(NOON, NOON + 50.hours()), NOON + 12.hours());
        assert_eq!(usual.late_offer_until(NOON, NOON + 3.hours()), NOON + 3.hours());
        let own = PaymentRules {
            offer_minutes: 2,
            late_offer_hours: 1,
            ..usual
        };
        assert_eq!(own.offer_until(NOON, NOON + 3.hours()), NOON + 2.minutes());
        assert_eq!(own.late_offer_until(NOON, NOON + 3.hours()), NOON + 1.hour());
        assert_eq!(own.pay_by(Timestamp::MAX, Timestamp::MAX), Timestamp::MAX);
    }
}
