//! An event that cannot be folded: its row stands still, everything else flows, and after the fix nothing is missing.

use std::sync::atomic::Ordering;

use jari::{postgres::Connect, store::runner::Projections};
use projections::ReadModel;

use super::{
    models::{Fragile, MENDED, Narrow, fragile_table, narrow_table},
    sales::{app, sell, soon, superuser},
};
use crate::support::{database, shop::Shop};

async fn followed<M: ReadModel>(shop: &Shop) {
    let mut projections = Projections::none();
    projections.run::<M>(&shop.store, &shop.database.clone().as_app().sqlx());
    assert!(
        projections
            .reached(M::NAME, shop.store.feed().position(), soon())
            .await
    );
    projections.close().await;
}

async fn count(database: &Connect, model: &str, kind: &str) -> Option<i64> {
    let sql = format!("select count from {model} where kind = $1");
    sqlx::query_scalar(&sql)
        .bind(kind)
        .fetch_optional(&mut app(database).await)
        .await
        .unwrap()
}

async fn parked(database: &Connect) -> Vec<(String, String, i64)> {
    let sql = "select model, key, position from parked_keys order by model, key";
    sqlx::query_as(sql)
        .fetch_all(&mut app(database).await)
        .await
        .unwrap()
}

async fn events(database: &Connect, kind: &str) -> Option<i64> {
    let sql = "select count(*) from events where aggregate_type = $1";
    sqlx::query_scalar(sql)
        .bind(kind)
        .fetch_optional(&mut app(database).await)
        .await
        .unwrap()
}

async fn first(database: &Connect, kind: &str) -> i64 {
    let sql = "select min(position) from events where aggregate_type = $1";
    sqlx::query_scalar(sql)
        .bind(kind)
        .fetch_one(&mut app(database).await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_fold_that_panics_parks_its_row_and_goes_on_in_order_once_mended() {
    let database = database::fresh().await;
    let owner = database.owner();
    fragile_table(&owner).await;
    let shop = Shop::open(&owner, 2, 5).await;
    let slot = shop.screening().await;
    sell(&shop, slot, 0).await;
    followed::<Fragile>(&shop).await;
    let first = first(&owner, "seat").await;
    assert_eq!(
        parked(&owner).await,
        [("fragile".to_owned(), "seat".to_owned(), first)]
    );
    assert_eq!(count(&owner, "fragile", "seat").await, None);
    assert_eq!(
        count(&owner, "fragile", "reservation").await,
        events(&owner, "reservation").await
    );

    sell(&shop, slot, 2).await;
    followed::<Fragile>(&shop).await;
    assert_eq!(
        count(&owner, "fragile", "seat").await,
        None,
        "a parked row stands still"
    );

    MENDED.store(true, Ordering::Relaxed);
    sell(&shop, slot, 4).await;
    followed::<Fragile>(&shop).await;
    assert_eq!(parked(&owner).await, []);
    for kind in ["seat", "reservation", "coupon"] {
        assert_eq!(
            count(&owner, "fragile", kind).await,
            events(&owner, kind).await,
            "{kind}"
        );
    }
    let dense = "select count(*) from fragile_history a join fragile_history b on a.kind = b.kind and a.count = b.count - 1
                  where a.until_position <> b.from_position";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(dense)
            .fetch_one(&mut app(&owner).await)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_row_that_the_database_refuses_is_parked_alone() {
    let database = database::fresh().await;
    let owner = database.owner();
    narrow_table(&owner).await;
    let shop = Shop::open(&owner, 2, 5).await;
    let slot = shop.screening().await;
    shop.hold(slot, vec![shop.label(0), shop.label(1), shop.label(2)])
        .await
        .unwrap();
    followed::<Narrow>(&shop).await;
    let seats =
        "select position from events where aggregate_type = 'seat' order by position offset 2 limit 1";
    let third: i64 = sqlx::query_scalar(seats)
        .fetch_one(&mut app(&owner).await)
        .await
        .unwrap();
    assert!(
        parked(&owner)
            .await
            .contains(&("narrow".to_owned(), "seat".to_owned(), third))
    );
    assert_eq!(count(&owner, "narrow", "seat").await, Some(2));
    assert_eq!(
        count(&owner, "narrow", "reservation").await,
        Some(1),
        "what follows is folded"
    );

    let widen = "alter table read_models.narrow drop constraint narrow_count_check";
    sqlx::query(widen)
        .execute(&mut superuser(&owner).await)
        .await
        .unwrap();
    shop.hold(slot, vec![shop.label(3)]).await.unwrap();
    followed::<Narrow>(&shop).await;
    assert_eq!(parked(&owner).await, []);
    assert_eq!(
        count(&owner, "narrow", "seat").await,
        events(&owner, "seat").await
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_read_parks_only_the_rows_of_its_stream() {
    let database = database::fresh().await;
    let owner = database.owner();
    let shop = Shop::open(&owner, 2, 5).await;
    let slot = shop.screening().await;
    shop.hold(slot, vec![shop.label(0)]).await.unwrap();
    // As a newer program would write it.
    let strange = "insert into public.events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
                   select aggregate_type, aggregate_id, sequence + 1, 'SeatPolished', '9.0', '{\"Polished\":{}}', '{}'
                     from public.events where aggregate_type = 'seat'";
    sqlx::query(strange)
        .execute(&mut superuser(&owner).await)
        .await
        .unwrap();
    let held = shop.hold(slot, vec![shop.label(1)]).await.unwrap();
    let projections = super::sales::follow(&shop);
    assert!(projections.reached("seat_map", held.position, soon()).await);
    assert!(
        projections
            .reached("reservation_list", held.position, soon())
            .await
    );
    projections.close().await;
    let map = projections::seat_map::seat_map(&mut app(&owner).await, slot, None)
        .await
        .unwrap();
    assert_eq!(map.seats.len(), 2, "the seat as it was before, and the next one");
    let models: Vec<_> = parked(&owner)
        .await
        .into_iter()
        .map(|(model, key, _)| (model, key))
        .collect();
    assert!(models.contains(&("seat_map".to_owned(), format!("{slot}:A1"))));
    assert!(
        models
            .iter()
            .all(|(model, _)| model == "seat_map" || model == "time_slot_calendar")
    );
}
