//! Building anew: beside the live rows, equal to them, and swapped in while readers go on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use aggregates::{StreamId, reservation::Reservation};
use jari::store::{
    rebuild::{Progress, RebuildError, rebuild},
    runner::Projections,
};
use projections::{
    ReadModel as _,
    reservation_list::{self, ReservationList},
    seat_map,
};
use sqlx::{PgConnection, Row as _};
use tokio::{runtime::Handle, time::timeout};

use super::{
    models::{Tally, tally_table},
    sales::{app, assert_proved, caught_up, follow, sell, sell_many, soon, superuser},
};
use crate::support::{
    database,
    shop::Shop,
    waiting::{PATIENCE, eventually},
};

/// Every row of a table as text, in a fixed order.
async fn content(db: &mut PgConnection, table: &str) -> Vec<String> {
    let sql = format!("select t::text from read_models.{table} t order by 1");
    sqlx::query(&sql)
        .fetch_all(db)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

/// What a table looks like: columns, settings, owner, indexes.
async fn shape(db: &mut PgConnection) -> Vec<String> {
    let sql = "select concat_ws(' ', c.relname, c.relkind, pg_get_userbyid(c.relowner), c.reloptions,
                      pg_get_indexdef(c.oid), (select string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                        || ' ' || a.attnotnull || ' ' || a.attcollation::regcollation, ', ' order by a.attnum)
                        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
                      (select string_agg(conname || ' ' || pg_get_constraintdef(k.oid), ', ' order by conname)
                        from pg_constraint k where k.conrelid = c.oid))
                 from pg_class c where c.relnamespace = 'read_models'::regnamespace order by c.relname";
    sqlx::query(sql)
        .fetch_all(db)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuilt_model_equals_the_live_one_in_rows_history_and_shape() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 20, 20).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    sell_many(&shop, slot, 0..60).await;
    caught_up(&projections, &shop.store).await;
    let mut db = superuser(&database.owner()).await;
    let shape_before = shape(&mut db).await;
    let tables = [
        "seat_map",
        "seat_map_history",
        "time_slot_calendar",
        "time_slot_calendar_history",
        "reservation_list",
        "reservation_list_history",
        "coupon_list",
        "coupon_list_history",
        "catalogue",
        "catalogue_history",
        "open_holds",
        "open_holds_history",
        "audit_trail",
        "daily_numbers",
        "daily_numbers_history",
        "customer_directory",
        "customer_directory_history",
    ];
    let mut before = Vec::new();
    for table in tables {
        before.push(content(&mut db, table).await);
    }
    let rebuilt = rebuild(&shop.store, &database.owner().as_app().sqlx(), &[], |_| ())
        .await
        .unwrap();
    assert_eq!(rebuilt.len(), projections::NAMES.len());
    for (table, before) in tables.into_iter().zip(before) {
        assert_eq!(content(&mut db, table).await, before, "{table}");
    }
    assert_eq!(shape(&mut db).await, shape_before);
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_never_brings_back_who_was_erased_meanwhile() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 2, 5).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    let id = sell(&shop, slot, 0).await;
    caught_up(&projections, &shop.store).await;
    let app = database.owner().as_app().sqlx();
    let erase_once_read = |Progress { read, of }| {
        if read == of {
            let person = StreamId::of::<Reservation>(&id);
            let erased =
                tokio::task::block_in_place(|| Handle::current().block_on(shop.store.erase(&person)));
            assert!(erased.unwrap());
        }
    };
    let model = reservation_list::ReservationList::NAME.to_owned();
    let rebuilt = rebuild(&shop.store, &app, std::slice::from_ref(&model), erase_once_read).await;
    assert!(matches!(rebuilt, Err(RebuildError::Erased(_))), "{rebuilt:?}");
    let mut db = superuser(&database.owner()).await;
    let named = "select 1 from read_models.reservation_list where name is not null or phone is not null";
    assert!(sqlx::query(named).fetch_all(&mut db).await.unwrap().is_empty());

    rebuild(&shop.store, &app, &[model], |_| ()).await.unwrap();
    assert!(sqlx::query(named).fetch_all(&mut db).await.unwrap().is_empty());
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_goes_on_beside_sales_and_readers() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 20, 30).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    sell_many(&shop, slot, 0..30).await;
    let done = Arc::new(AtomicBool::new(false));
    let reading = tokio::spawn({
        let (done, owner) = (Arc::clone(&done), database.owner());
        async move {
            let mut db = app(&owner).await;
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let map = seat_map::seat_map(&mut db, slot, None).await.unwrap();
                assert!(map.seats.len() >= seen, "a reader saw seats disappear");
                seen = map.seats.len();
            }
            seen
        }
    });
    let selling = tokio::spawn({
        let shop = Arc::clone(&shop);
        async move { sell_many(&shop, slot, 30..130).await }
    });
    for _ in 0..3 {
        rebuild(
            &shop.store,
            &database.owner().as_app().sqlx(),
            &["seat_map".to_owned()],
            |_| (),
        )
        .await
        .unwrap();
    }
    selling.await.unwrap();
    rebuild(&shop.store, &database.owner().as_app().sqlx(), &[], |_| ())
        .await
        .unwrap();
    caught_up(&projections, &shop.store).await;
    done.store(true, Ordering::Relaxed);
    assert!(reading.await.unwrap() > 0);
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proving_and_building_anew_do_not_stop_each_other() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 4, 20).await);
    let projections = follow(&shop);
    sell_many(&shop, shop.screening().await, 0..20).await;
    caught_up(&projections, &shop.store).await;
    let options = database.owner().as_app().sqlx();
    for _ in 0..5 {
        let (rebuilt, ()) = tokio::join!(rebuild(&shop.store, &options, &[], |_| ()), assert_proved(&shop));
        assert_eq!(rebuilt.unwrap().len(), projections::NAMES.len());
    }
    projections.close().await;
}

/// How often it is seen that the swap waits and others go on.
const SWAPS_WATCHED: u32 = 3;
/// Whether the swap asks for the rows that somebody reads.
const SWAP_WAITS: &str =
    "select exists (select from pg_locks where not granted and mode = 'AccessExclusiveLock'
    and relation = 'read_models.seat_map'::regclass
    and database = (select oid from pg_database where datname = current_database()))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_who_reads_on_and_on_delays_the_swap_and_nobody_else() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 4, 20).await);
    let slot = shop.screening().await;
    let projections = follow(&shop);
    sell_many(&shop, slot, 0..20).await;
    caught_up(&projections, &shop.store).await;
    let mut long = app(&database.owner()).await;
    let read = "begin; select count(*) from read_models.seat_map";
    sqlx::raw_sql(read).execute(&mut long).await.unwrap();
    let building = tokio::spawn({
        let (shop, options) = (Arc::clone(&shop), database.owner().as_app().sqlx());
        async move { rebuild(&shop.store, &options, &["seat_map".to_owned()], |_| ()).await }
    });
    let mut db = app(&database.owner()).await;
    let client = database.client().await;
    for _ in 0..SWAPS_WATCHED {
        eventually("the swap waits for who reads", || async {
            let waits = client.query_one(SWAP_WAITS, &[]).await.unwrap();
            waits.get::<_, bool>(0).then_some(())
        })
        .await;
        // Whoever comes now waits behind it, until it gives way to whoever reads.
        let read = seat_map::seat_map(&mut db, slot, None);
        timeout(PATIENCE, read)
            .await
            .expect("the swap gives way")
            .unwrap();
        assert!(!building.is_finished(), "the old rows are still read");
    }
    sqlx::raw_sql("commit").execute(&mut long).await.unwrap();
    building.await.unwrap().unwrap();
    assert_proved(&shop).await;
    projections.close().await;
}

#[tokio::test]
async fn a_model_that_does_not_exist_cannot_be_built() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    let error = rebuild(
        &shop.store,
        &database.owner().as_app().sqlx(),
        &["seats".to_owned()],
        |_| (),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, RebuildError::Unknown(name) if name == "seats"));
}

#[tokio::test]
async fn a_model_of_an_older_program_is_built_anew_when_a_newer_one_starts() {
    let database = database::fresh().await;
    let shop = Arc::new(Shop::open(&database.owner(), 2, 5).await);
    let slot = shop.screening().await;
    let first = follow(&shop);
    sell_many(&shop, slot, 0..3).await;
    caught_up(&first, &shop.store).await;
    first.close().await;
    // As an older program has left it: another version of the fold, and rows that it wrote otherwise.
    let mut db = superuser(&database.owner()).await;
    let older = "update read_models.checkpoints set version = version - 1 where model = 'reservation_list';
        update read_models.reservation_list set customer = gen_random_uuid(), seats = '{}';
        delete from read_models.reservation_list_history";
    sqlx::raw_sql(older).execute(&mut db).await.unwrap();
    let newer = follow(&shop);
    let swapped = "select version = $1 from read_models.checkpoints where model = 'reservation_list'";
    let mut built = false;
    while !built {
        built = sqlx::query_scalar(swapped)
            .bind(ReservationList::VERSION)
            .fetch_one(&mut db)
            .await
            .unwrap();
    }
    caught_up(&newer, &shop.store).await;
    newer.close().await;
    assert_proved(&shop).await;
}

#[tokio::test]
async fn another_version_of_a_fold_is_built_beside_and_swapped_in_and_the_older_one_gives_way() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 2, 5).await;
    tally_table(&database.owner()).await;
    let options = database.owner().as_app().sqlx();
    let slot = shop.screening().await;
    let held = shop.hold(slot, vec![shop.label(0)]).await.unwrap();
    let mut old = Projections::none();
    old.run::<Tally<1>>(&shop.store, &options);
    assert!(old.reached(Tally::<1>::NAME, held.position, soon()).await);
    let mut db = superuser(&database.owner()).await;
    let seats = "select count::bigint from read_models.tally where kind = 'seat'";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(seats)
            .fetch_one(&mut db)
            .await
            .unwrap(),
        1
    );
    old.close().await;

    let mut new = Projections::none();
    new.run::<Tally<2>>(&shop.store, &options);
    assert!(new.reached(Tally::<2>::NAME, held.position, soon()).await);
    let both = "select (select count from read_models.tally where kind = 'seat') * 100 + version from read_models.checkpoints
                 where model = 'tally' and version = 2";
    // The swap is one transaction: once the version shows, so do its rows.
    let mut shown = None;
    while shown.is_none() {
        shown = sqlx::query_scalar::<_, i64>(both)
            .fetch_optional(&mut db)
            .await
            .unwrap();
    }
    assert_eq!(shown, Some(202));
    new.close().await;

    let mut old = Projections::none();
    old.run::<Tally<1>>(&shop.store, &options);
    let more = shop.hold(slot, vec![shop.label(1)]).await.unwrap();
    let mut new = Projections::none();
    new.run::<Tally<2>>(&shop.store, &options);
    assert!(new.reached(Tally::<2>::NAME, more.position, soon()).await);
    assert!(
        old.reached(Tally::<1>::NAME, more.position, soon()).await,
        "the older program still knows how far it is"
    );
    assert_eq!(
        sqlx::query_scalar::<_, i64>(seats)
            .fetch_one(&mut db)
            .await
            .unwrap(),
        4
    );
}
