//! Sales and waits that several stories share. Never asserts anything about read models.

use std::{sync::Arc, time::Duration};

use aggregates::ids::{ReservationId, TimeSlotId};
use jari::{
    postgres::Connect,
    store::{Store, runner::Projections},
    verify::{Report, verify},
};
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

use crate::support::shop::{Shop, number};

/// A bound that is never met unless something is broken.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A connection of the role the server works as.
pub async fn app(database: &Connect) -> PgConnection {
    PgConnection::connect_with(&database.clone().as_app().sqlx())
        .await
        .unwrap()
}

/// A connection of the tables' owner.
pub async fn superuser(database: &Connect) -> PgConnection {
    PgConnection::connect_with(&database.sqlx()).await.unwrap()
}

/// All models of one process.
pub fn follow(shop: &Shop) -> Projections {
    Projections::start(&shop.store, &shop.database.clone().as_app().sqlx())
}

/// Waits until every model shows the whole log.
pub async fn caught_up(projections: &Projections, store: &Store) {
    let position = store.feed().position();
    for name in projections::NAMES {
        assert!(
            projections.reached(name, position, soon()).await,
            "{name} does not reach {position}"
        );
    }
}

/// Sells two seats with a coupon.
pub async fn sell(shop: &Shop, slot: TimeSlotId, first: usize) -> ReservationId {
    let held = shop
        .hold(slot, vec![shop.label(first), shop.label(first + 1)])
        .await
        .unwrap();
    let coupon = shop.coupon().await;
    shop.place(number(&held), Some(coupon)).await.unwrap();
    number(&held)
}

/// Sells so many pairs of seats of one slot, all at once.
pub async fn sell_many(shop: &Arc<Shop>, slot: TimeSlotId, pairs: std::ops::Range<usize>) {
    let sales: Vec<_> = pairs
        .map(|pair| {
            let shop = Arc::clone(shop);
            tokio::spawn(async move { sell(&shop, slot, pair * 2).await })
        })
        .collect();
    for sale in sales {
        sale.await.unwrap();
    }
}

/// Proves everything.
pub async fn proved(shop: &Shop) -> Report {
    verify(&shop.store, &shop.database.clone().as_app().sqlx(), |_| ())
        .await
        .unwrap()
}

/// Proves everything, which must be as it should.
pub async fn assert_proved(shop: &Shop) {
    let report = proved(shop).await;
    assert_eq!(report.violation, None);
    assert_eq!(report.models.len(), projections::NAMES.len());
    assert!(
        report
            .models
            .iter()
            .all(|model| model.position == report.events && model.parked == 0),
        "{report:?}"
    );
}
