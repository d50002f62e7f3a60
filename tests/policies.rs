//! What happens by itself ends between two units of work: what was begun when a server stops is carried out to its end.

use std::time::Duration;

use aggregates::{Event, time_slot::TimeSlot};
use jari::{
    policies::{Openings, Waitlists},
    shutdown::Signal,
};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::watch;

use crate::{
    projections::sales::{caught_up, follow},
    projections::waiting::join,
    support::{
        database::{self, TestDatabase},
        shop::Shop,
        waiting::eventually,
    },
};

/// Whoever appends holds it, so whoever has it keeps everybody else from appending.
const APPEND_LOCK: i64 = 1_784_771_177;
/// Far longer than a task needs to end that has nothing to do any more.
const A_MOMENT: Duration = Duration::from_millis(300);

/// Runs a policy while nothing can be appended, and tells it to stop when it is about to append.
async fn told_amid_its_work<F>(database: &TestDatabase, run: impl FnOnce(Signal) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let client = database.client().await;
    let lock = "select pg_advisory_lock($1)";
    client.execute(lock, &[&APPEND_LOCK]).await.expect("the lock");
    let (stop, stops) = watch::channel(false);
    let mut working = tokio::spawn(run(stops));
    eventually("something waits to be appended", || async {
        let waiting = "select exists (select from pg_locks
            where locktype = 'advisory' and not granted and classid::bigint << 32 | objid::bigint = $1
              and database = (select oid from pg_database where datname = current_database()))";
        let waits = client
            .query_one(waiting, &[&APPEND_LOCK])
            .await
            .expect("an answer");
        waits.get::<_, bool>(0).then_some(())
    })
    .await;
    stop.send_replace(true);
    let early = tokio::time::timeout(A_MOMENT, &mut working).await;
    assert!(early.is_err(), "it ended while its unit of work was under way");
    let unlock = "select pg_advisory_unlock($1)";
    client
        .execute(unlock, &[&APPEND_LOCK])
        .await
        .expect("it was held");
    working.await.expect("it ends by itself");
}

async fn logged(shop: &Shop, name: &str) -> usize {
    let events = shop.store.events(0, 10_000).await.expect("the log is readable");
    let of_name = |event: &Event| event.name() == name;
    events.iter().filter(|recorded| of_name(&recorded.event)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_are_being_opened_are_opened_before_the_server_stops() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 1, 1).await;
    let openings = Openings::new(shop.store.clone());
    told_amid_its_work(&database, |stop| openings.run(stop)).await;
    assert!(logged(&shop, "TimeSlotScheduled").await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_that_is_being_ended_is_ended_before_the_server_stops() {
    let database = database::fresh().await;
    let shop = Shop::open(&database.owner(), 1, 1).await;
    let slot = shop.session().await;
    shop.hold_room(slot).await.expect("the room is free");
    join(&shop, slot, 1).await;
    // The slot alone, as if it had been withdrawn while nobody looked after those who wait.
    let withdraw = json!({ "reason": null });
    shop.admin::<TimeSlot>(&slot, "withdraw", withdraw).await;
    let projections = follow(&shop);
    caught_up(&projections, &shop.store).await;
    projections.close().await;
    let reads = PgPool::connect_lazy_with(database.owner().as_app().sqlx());
    let waitlists = Waitlists::new(shop.store.clone(), shop.bookings.clone(), reads);
    told_amid_its_work(&database, |stop| waitlists.run(stop)).await;
    assert_eq!(logged(&shop, "WaitlistEnded").await, 1);
}
