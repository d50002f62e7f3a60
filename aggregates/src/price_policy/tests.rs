//! The rules of a price policy, one sentence each.

use jiff::civil::date;

use super::{PricePolicyCommand::*, *};
use crate::{
    decider::testing::given,
    pricing::{SessionPrice, SessionTariff},
    values::Currency,
};

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn tariff(amount: i64, currency: Currency) -> Arc<Tariff> {
    let price = SessionPrice::Room { amount };
    Arc::new(Tariff::Session(SessionTariff {
        currency,
        price,
        early_bird: None,
        closing: None,
    }))
}

fn won(amount: i64) -> Arc<Tariff> {
    tariff(amount, Currency::KRW)
}

fn adopt(amount: i64) -> PricePolicyCommand {
    Adopt {
        name: name("달빛 서고"),
        tariff: won(amount),
        effective_from: None,
    }
}

fn adopted() -> PricePolicyEvent {
    PricePolicyEvent::Adopted {
        name: name("달빛 서고"),
        tariff: won(65_000),
        effective_from: None,
    }
}

fn revised(version: u32, amount: i64, effective_from: Option<Date>) -> PricePolicyEvent {
    PricePolicyEvent::Revised {
        version,
        tariff: won(amount),
        effective_from,
    }
}

#[test]
fn a_policy_is_adopted_once() {
    given::<PricePolicy>([]).when(adopt(65_000)).then([adopted()]);
    given::<PricePolicy>([adopted()]).when(adopt(65_000)).then([]);
    given::<PricePolicy>([adopted()])
        .when(adopt(70_000))
        .refused(&PricePolicyError::AlreadyAdopted);
}

#[test]
fn a_revision_is_a_version_more_and_the_same_tariff_again_is_none() {
    let revise = |amount: i64| Revise {
        tariff: won(amount),
        effective_from: None,
    };
    given::<PricePolicy>([adopted()]).when(revise(65_000)).then([]);
    given::<PricePolicy>([adopted()])
        .when(revise(70_000))
        .then([revised(2, 70_000, None)]);
    given::<PricePolicy>([adopted(), revised(2, 70_000, None)])
        .when(revise(65_000))
        .then([revised(3, 65_000, None)]);
}

#[test]
fn a_policy_can_be_renamed() {
    let renamed = PricePolicyEvent::Renamed {
        name: name("새 이름"),
    };
    given::<PricePolicy>([adopted()])
        .when(Rename {
            name: name("새 이름"),
        })
        .then([renamed]);
    given::<PricePolicy>([adopted()])
        .when(Rename {
            name: name("달빛 서고"),
        })
        .then([]);
}

#[test]
fn a_policy_nobody_adopted_is_not_found() {
    given::<PricePolicy>([])
        .when(Rename {
            name: name("새 이름"),
        })
        .refused(&PricePolicyError::NotFound);
    let revise = Revise {
        tariff: won(1),
        effective_from: None,
    };
    given::<PricePolicy>([])
        .when(revise)
        .refused(&PricePolicyError::NotFound);
}

#[test]
fn an_unsound_tariff_is_refused() {
    let unsound = PricePolicyError::UnsoundTariff(Faults(won(-1).faults()));
    given::<PricePolicy>([]).when(adopt(-1)).refused(&unsound);
    let revise = Revise {
        tariff: won(-1),
        effective_from: None,
    };
    given::<PricePolicy>([adopted()]).when(revise).refused(&unsound);
}

#[test]
fn a_policy_keeps_its_currency() {
    let revise = Revise {
        tariff: tariff(65, Currency::USD),
        effective_from: None,
    };
    given::<PricePolicy>([adopted()])
        .when(revise)
        .refused(&PricePolicyError::OtherCurrency);
}

#[test]
fn versions_are_bounded() {
    let revisions = (2_u32..)
        .map(|n| revised(n, n.into(), None))
        .take(VERSIONS_MAX - 1);
    given::<PricePolicy>([adopted()].into_iter().chain(revisions))
        .when(Revise {
            tariff: won(0),
            effective_from: None,
        })
        .refused(&PricePolicyError::TooManyVersions);
}

#[test]
fn the_newest_version_in_effect_applies() {
    let mut policy = PricePolicy::Unknown;
    assert_eq!(policy.in_effect(date(2026, 12, 1)), None);
    policy.evolve(adopted());
    policy.evolve(revised(2, 70_000, Some(date(2027, 1, 1))));
    assert_eq!(policy.in_effect(date(2026, 12, 31)), Some((1, &won(65_000))));
    assert_eq!(policy.in_effect(date(2027, 1, 1)), Some((2, &won(70_000))));
    assert_eq!(policy.tariff(1), Ok(&won(65_000)));
    for version in [0, 3] {
        assert_eq!(
            policy.tariff(version),
            Err(PricePolicyError::NoSuchVersion { version })
        );
    }
}

#[test]
fn a_name_is_claimed_and_moved() {
    let id = PricePolicyId::new(uuid::Uuid::nil());
    let claim = |text: &str| Some(ClaimId::on("price_policy", text));
    let mut policy = PricePolicy::Unknown;
    assert_eq!(
        policy.claims(&id, &adopt(1)),
        Claims {
            takes: claim("달빛 서고"),
            gives_back: None
        }
    );
    policy.evolve(adopted());
    let rename = Rename {
        name: name("새 이름"),
    };
    assert_eq!(
        policy.claims(&id, &rename),
        Claims {
            takes: claim("새 이름"),
            gives_back: claim("달빛 서고")
        }
    );
    let revise = Revise {
        tariff: won(1),
        effective_from: None,
    };
    assert_eq!(policy.claims(&id, &revise), Claims::default());
}
