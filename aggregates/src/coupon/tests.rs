//! The rules of a coupon, one sentence each.

use jiff::ToSpan;
use uuid::Uuid;

use super::{CouponCommand::*, *};
use crate::{
    Decider as _,
    decider::testing::{NOON, given},
    refusal::Refusal as _,
};

const ALICE: ReservationId = ReservationId::new(1);
const BOB: ReservationId = ReservationId::new(2);

fn terms() -> Terms {
    Terms {
        discount: Discount::Amount { amount: 5_000 },
        scope: Scope::default(),
        valid_from: NOON - 1.hour(),
        valid_until: NOON + 1.hour(),
        note: None,
        restorable: true,
    }
}

fn issued() -> CouponEvent {
    CouponEvent::Issued {
        terms: terms(),
        batch: None,
    }
}

fn redeem(by: ReservationId) -> CouponCommand {
    Redeem { by, covered: true }
}

#[test]
fn a_coupon_is_issued_once() {
    given::<Coupon>([])
        .when(Issue { terms: terms() })
        .then([issued()]);
    given::<Coupon>([issued()])
        .when(Issue { terms: terms() })
        .then([]);
    let other = Terms {
        discount: Discount::Free,
        ..terms()
    };
    given::<Coupon>([issued()])
        .when(Issue { terms: other })
        .refused(&CouponError::AlreadyIssued);
}

#[test]
fn terms_that_grant_nothing_are_refused() {
    let never = Terms {
        valid_until: NOON - 1.hour(),
        ..terms()
    };
    let nothing = Terms {
        discount: Discount::Amount { amount: 0 },
        ..terms()
    };
    for (terms, field) in [(never, "/terms/valid_until"), (nothing, "/terms/discount")] {
        let refused = Coupon::default()
            .decide(Issue { terms }, NOON)
            .expect_err("a refusal");
        assert_eq!(refused.slug(), "coupon/inconsistent-terms");
        let named: Vec<String> = refused.faults().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(named, [field]);
    }
}

#[test]
fn a_coupon_is_redeemed_at_most_once() {
    given::<Coupon>([issued()])
        .when(redeem(ALICE))
        .then([CouponEvent::Redeemed { by: ALICE }]);
    let used = [issued(), CouponEvent::Redeemed { by: ALICE }];
    given::<Coupon>(used.clone()).when(redeem(ALICE)).then([]);
    given::<Coupon>(used)
        .when(redeem(BOB))
        .refused(&CouponError::AlreadyRedeemed);
}

#[test]
fn a_coupon_counts_only_within_its_period() {
    let (from, until) = (terms().valid_from, terms().valid_until);
    given::<Coupon>([issued()])
        .at(from - 1.second())
        .when(redeem(ALICE))
        .refused(&CouponError::NotYetValid { from });
    given::<Coupon>([issued()])
        .at(until)
        .when(redeem(ALICE))
        .refused(&CouponError::NoLongerValid { until });
}

#[test]
fn a_coupon_counts_only_within_its_scope() {
    given::<Coupon>([issued()])
        .when(Redeem {
            by: ALICE,
            covered: false,
        })
        .refused(&CouponError::OutOfScope);
    let theme = ThemeId::new(Uuid::from_u128(7));
    let elsewhere = ThemeId::new(Uuid::from_u128(8));
    let scope = Scope {
        theme: Some(theme),
        ..Scope::default()
    };
    let plan = |theme| Plan {
        branch: BranchId::new(Uuid::nil()),
        show: Show::Theme {
            theme,
            party_min: 1,
            party_max: 6,
        },
        starts_at: NOON,
        ends_at: NOON,
        sales_open_at: NOON,
        sales_close_at: NOON,
        price_policy: crate::ids::PricePolicyId::new(Uuid::nil()),
        price_version: 1,
        seats_per_customer_max: 1,
        hold_minutes: 10,
        hold_cap_minutes: 20,
        cancel_minutes: 20,
        orphan_rule: crate::seating::OrphanRule::Off,
        pool_minutes: 60,
        cancellation: None,
    };
    assert!(scope.covers(&plan(theme)));
    assert!(!scope.covers(&plan(elsewhere)));
    assert!(Scope::default().covers(&plan(elsewhere)));
}

#[test]
fn only_the_reservation_that_redeemed_it_gives_it_back() {
    let used = [issued(), CouponEvent::Redeemed { by: ALICE }];
    given::<Coupon>(used.clone())
        .when(Restore { by: ALICE })
        .then([CouponEvent::Restored { by: ALICE }]);
    given::<Coupon>(used.clone()).when(Restore { by: BOB }).then([]);
    let restored = used.into_iter().chain([CouponEvent::Restored { by: ALICE }]);
    given::<Coupon>(restored)
        .when(redeem(BOB))
        .then([CouponEvent::Redeemed { by: BOB }]);
}

#[test]
fn a_coupon_is_revoked_unless_it_is_used() {
    let revoked = || CouponEvent::Revoked { reason: None };
    given::<Coupon>([issued()])
        .when(Revoke { reason: None })
        .then([revoked()]);
    given::<Coupon>([issued(), revoked()])
        .when(Revoke { reason: None })
        .then([]);
    given::<Coupon>([issued(), revoked()])
        .when(redeem(ALICE))
        .refused(&CouponError::Revoked);
    given::<Coupon>([issued(), CouponEvent::Redeemed { by: ALICE }])
        .when(Revoke { reason: None })
        .refused(&CouponError::AlreadyRedeemed);
}

#[test]
fn an_unknown_code_is_not_found() {
    given::<Coupon>([])
        .when(redeem(ALICE))
        .refused(&CouponError::NotFound);
    given::<Coupon>([])
        .when(Restore { by: ALICE })
        .refused(&CouponError::NotFound);
    given::<Coupon>([])
        .when(Revoke { reason: None })
        .refused(&CouponError::NotFound);
}

#[test]
fn a_coupon_that_is_not_restorable_stays_with_the_reservation_that_used_it() {
    let once = Terms {
        restorable: false,
        ..terms()
    };
    let issued = CouponEvent::Issued {
        terms: once,
        batch: None,
    };
    let used = [issued, CouponEvent::Redeemed { by: ALICE }];
    given::<Coupon>(used.clone()).when(Restore { by: ALICE }).then([]);
    given::<Coupon>(used)
        .when(redeem(BOB))
        .refused(&CouponError::AlreadyRedeemed);
}

#[test]
fn terms_stored_before_there_was_a_choice_are_restorable_and_written_as_they_were() {
    let stored = serde_json::to_value(terms()).expect("terms can be written");
    assert!(stored.get("restorable").is_none());
    assert_eq!(
        serde_json::from_value::<Terms>(stored).expect("and read"),
        terms()
    );
}

#[test]
fn a_batch_is_recorded_with_each_of_its_coupons() {
    let batch = Batch {
        id: CouponBatchId::new(Uuid::from_u128(7)),
        name: "겨울 행사".parse().expect("a name"),
    };
    let issue = || IssueInBatch {
        terms: terms(),
        batch: batch.clone(),
    };
    given::<Coupon>([]).when(issue()).then([CouponEvent::Issued {
        terms: terms(),
        batch: Some(batch.clone()),
    }]);
    given::<Coupon>([issued()])
        .when(issue())
        .refused(&CouponError::AlreadyIssued);
}
