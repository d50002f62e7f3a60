//! Plays sequences and holds every answer against the model, every event against the invariants.

use std::{cell::RefCell, collections::BTreeMap};

use jari::{
    store::Store,
    vault::{MasterSecret, Vault},
    verify::first_violation,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseResult, TestRunner},
};

use super::{
    ask::{Ask, Seats},
    business::{Business, Place},
    draw::{Sequence, sequences},
    player::Player,
    reservation::Stage,
};
use crate::{
    projections::sales::{assert_proved, caught_up, follow},
    support::{database, shop::Shop},
};

/// Sequences in a usual run, and in a campaign; each is played by one of the two tests.
const USUAL: u32 = 20_000;
const CAMPAIGN: u32 = 100_000;
/// Sequences on PostgreSQL.
const REAL: u32 = 500;
/// Sequences that share a log in memory.
const TOGETHER: u32 = 250;
/// Seats of the one row, as the model has them.
const SEATS_WIDE: u16 = 8;
/// Requests in one sequence.
const ASKS_MAX: usize = 40;

fn count() -> u32 {
    match std::env::var("JARI_CAMPAIGN").as_deref() {
        Ok("full") => CAMPAIGN,
        Ok(number) => number.parse().expect("`full`, or how many sequences"),
        Err(_) => USUAL,
    }
}

/// Refusals that a run must meet: else it does not try what it should. The rarest the model knows are not among them.
const REFUSALS: [&str; 48] = [
    "allowance/used-up",
    "branch/closed-on",
    "choice/nothing-chosen",
    "choice/party-size",
    "choice/too-many-seats",
    "choice/wrong-kind",
    "coupon/already-redeemed",
    "coupon/not-found",
    "coupon/revoked",
    "deposit/already-matched",
    "deposit/already-returned",
    "deposit/not-found",
    "deposit/other-branch",
    "patron/barred",
    "price/no-price-for-size",
    "programme/in-use",
    "reservation/already-extended",
    "reservation/already-placed",
    "reservation/at-its-longest",
    "reservation/attended",
    "reservation/cancelled",
    "reservation/expired",
    "reservation/hold-lapsed",
    "reservation/hold-released",
    "reservation/no-offer",
    "reservation/no-show",
    "reservation/not-found",
    "reservation/not-paid",
    "reservation/not-placed",
    "reservation/not-started",
    "reservation/not-yet-due",
    "reservation/other-branch",
    "reservation/over",
    "reservation/refund-exceeds-due",
    "reservation/too-early",
    "reservation/too-late-to-cancel",
    "reservation/too-late-to-offer",
    "seat/not-for-sale",
    "seat/taken",
    "time-slot/closed",
    "time-slot/started",
    "time-slot/withdrawn",
    "waitlist/already-waiting",
    "waitlist/not-found",
    "waitlist/not-offered",
    "waitlist/offer-lapsed",
    "waitlist/over",
    "waitlist/somebody-waits",
];

async fn memory() -> Shop {
    let store = Store::in_memory(Vault::new(&MasterSecret::new([42; 32])));
    Shop::in_memory(store, 1, SEATS_WIDE).await
}

/// What a run must have had accepted, each of which needs something else to have happened before.
const ACCEPTED: [&str; 14] = [
    "Accept",
    "CheckIn",
    "Decline",
    "Leave",
    "LiftBar",
    "MarkAbsent",
    "MatchDeposit",
    "OfferMove",
    "Refund",
    "RefuseSlot",
    "Reschedule",
    "Revive",
    "TakeSlot",
    TAKEN_UP_AGAIN,
];
/// Late money that confirmed what had expired.
const TAKEN_UP_AGAIN: &str = "late money confirmed it";

/// What was asked and how it was answered, how often; nothing stands for what was accepted.
type Met = BTreeMap<(String, Option<&'static str>), u64>;

/// What is asked, without about what.
fn named(ask: &Ask) -> String {
    let told = format!("{ask:?}");
    told.split(|letter: char| !letter.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_owned()
}

async fn play(shop: &Shop, sequence: &Sequence, met: &mut Met) -> TestCaseResult {
    let start = shop.store.feed().position();
    let mut player = Player::enter(shop, sequence.starts_in).await;
    let mut business = Business::opening(sequence.starts_in);
    for (index, ask) in sequence.asks.iter().enumerate() {
        let ask = &ask.about(&business);
        let stages: Vec<Stage> = business.reservations.iter().map(|known| known.stage).collect();
        let expected = business.ask(ask);
        let answered = player.ask(ask).await;
        prop_assert_eq!(answered, expected, "request {}: {:?}", index, ask);
        *met.entry((named(ask), answered.err())).or_default() += 1;
        let now = business.reservations.iter().map(|known| known.stage);
        let moved = stages.iter().zip(now);
        let confirmed = moved.filter(|(then, now)| (**then, *now) == (Stage::Expired, Stage::Placed));
        for _again in confirmed {
            *met.entry((TAKEN_UP_AGAIN.to_owned(), None)).or_default() += 1;
        }
    }
    let compared = player.compare(&business).await;
    prop_assert_eq!(compared, Ok(()));
    let events = shop.store.events(start, usize::MAX).await.expect("a log");
    prop_assert_eq!(first_violation(&events), None);
    Ok(())
}

/// Plays so many sequences on logs in memory.
fn campaign(sequences: impl Strategy<Value = Sequence>, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let shop = RefCell::new((0, runtime.block_on(memory()), Met::new()));
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&sequences, |sequence| {
        let mut current = shop.borrow_mut();
        if current.0 == TOGETHER {
            current.1 = runtime.block_on(memory());
            current.0 = 0;
        }
        current.0 += 1;
        let (_, shop, met) = &mut *current;
        runtime.block_on(play(shop, &sequence, met))
    });
    outcome.expect("no divergence");
    let met = shop.into_inner().2;
    let answered: u64 = met.values().sum();
    println!("{cases} sequences, {answered} requests answered as the model says: {met:#?}");
    if cases < USUAL / 2 {
        return;
    }
    let refused = |slug: &str| met.keys().any(|(_, answer)| *answer == Some(slug));
    let missed = REFUSALS.into_iter().filter(|slug| !refused(slug));
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<&str>::new(), "never met");
    let missed = ACCEPTED
        .into_iter()
        .filter(|name| !met.contains_key(&((*name).to_owned(), None)));
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<&str>::new(), "never accepted");
}

#[test]
fn whatever_is_asked_is_answered_as_the_model_says() {
    campaign(sequences(ASKS_MAX, true), count() / 2);
}

#[test]
fn whatever_is_asked_is_answered_as_the_model_says_in_another_thread() {
    campaign(sequences(ASKS_MAX, true), count() / 2);
}

#[test]
fn on_postgresql_the_answers_are_the_same() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let (database, shop) = runtime.block_on(async {
        let database = database::fresh().await;
        let shop = Shop::open(&database.owner(), 1, SEATS_WIDE).await;
        (database, shop)
    });
    let projections = {
        let _entered = runtime.enter();
        follow(&shop)
    };
    let mut runner = TestRunner::new(Config {
        cases: REAL,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&sequences(ASKS_MAX, false), |sequence| {
        runtime.block_on(play(&shop, &sequence, &mut Met::new()))
    });
    outcome.expect("no divergence");
    runtime.block_on(async {
        caught_up(&projections, &shop.store).await;
        assert_proved(&shop).await;
        projections.close().await;
    });
    drop(database);
}

#[tokio::test]
async fn a_business_that_differs_from_the_model_is_noticed() {
    let shop = memory().await;
    let mut player = Player::enter(&shop, 90).await;
    let mut business = Business::opening(90);
    let hold = Ask::Hold { seats: Seats(1) };
    business.ask(&hold).expect("a free seat");
    assert_eq!(player.ask(&hold).await, Ok(()));
    assert_eq!(player.compare(&business).await, Ok(()));
    business.places[0] = Place::Free;
    let noticed = player.compare(&business).await.expect_err("the seat is held");
    assert!(noticed.contains("the model has Some(Free)"), "{noticed}");
}
