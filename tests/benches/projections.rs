//! How fast read models follow, are built anew and are proved, beside a bare copy of the log; never a pass or a fail.
//!
//! `cargo bench --bench projections -- [bookings] [clients]`. A booking is: hold 2 seats, then place with a coupon, 7 events.

#[path = "../support/database.rs"]
#[expect(
    clippy::unwrap_used,
    dead_code,
    reason = "stories need more of it, and stop at the first surprise"
)]
mod database;
#[path = "../support/shop.rs"]
#[expect(
    clippy::unwrap_used,
    dead_code,
    reason = "stories need more of it, and stop at the first surprise"
)]
mod shop;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aggregates::{ids::TimeSlotId, values::CouponCode};
use futures_util::{StreamExt as _, stream};
use jari::{
    store::{rebuild::rebuild, runner::Projections},
    verify::verify,
};
use shop::{Shop, number};
use sqlx::{Connection as _, PgConnection};

/// Bookings of 2 seats that a slot of the auditorium takes.
const PER_SLOT: usize = 300;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let bookings = numbers.first().copied().unwrap_or(20_000);
    let clients = numbers.get(1).copied().unwrap_or(256);
    tokio::runtime::Runtime::new()
        .expect("a bench stops at the first surprise")
        .block_on(measure(bookings, clients));
}

#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn measure(bookings: usize, clients: usize) {
    let database = database::fresh().await;
    let app = database.owner().as_app().sqlx();
    let shop = Arc::new(Shop::open(&database.owner(), 20, 30).await);

    println!("{bookings} bookings by {clients} clients");
    let projections = Arc::new(Projections::start(&shop.store, &app));
    let (first, second) = (prepare(&shop, bookings).await, prepare(&shop, bookings).await);
    let prepared = shop.store.feed().position();
    caught_up(&projections, prepared).await;
    let sampling = tokio::spawn(sample(Arc::clone(&shop), Arc::clone(&projections)));
    let began = Instant::now();
    book(&shop, first, clients).await;
    let (took, booked) = (began.elapsed(), shop.store.feed().position());
    report("booked while all models follow", booked - prepared, took);
    caught_up(&projections, booked).await;
    println!(
        "  caught up {:?} after the last booking",
        began.elapsed().saturating_sub(took)
    );
    sampling.abort();
    // Until it is gone, the projections are not ours alone.
    let _ = sampling.await;
    Arc::into_inner(projections)
        .expect("a bench stops at the first surprise")
        .close()
        .await;

    let began = Instant::now();
    book(&shop, second, clients).await;
    let head = shop.store.feed().position();
    report("booked while nothing follows", head - booked, began.elapsed());
    macro_rules! follow {
        ($($model:ty),+ $(,)?) => {$({
            let name = <$model as projections::ReadModel>::NAME;
            let began = Instant::now();
            let mut projections = Projections::none();
            projections.run::<$model>(&shop.store, &app);
            projections.reached(name, head, tokio::time::Instant::now() + Duration::from_secs(600)).await;
            report(&format!("{name} follows alone"), head - booked, began.elapsed());
            projections.close().await;
        })+};
    }
    projections::for_each_model!(follow);

    let mut db = PgConnection::connect_with(&app)
        .await
        .expect("a bench stops at the first surprise");
    for _ in 0..2 {
        let began = Instant::now();
        let mut bytes = 0;
        let mut copy = db
            .copy_out_raw("copy events to stdout")
            .await
            .expect("a bench stops at the first surprise");
        while let Some(row) = copy.next().await {
            bytes += row.expect("a bench stops at the first surprise").len();
        }
        report(
            &format!("bare copy of {} MiB", bytes >> 20),
            head,
            began.elapsed(),
        );
    }
    for _ in 0..2 {
        let began = Instant::now();
        let rebuilt = rebuild(&shop.store, &app, &[], |_| ())
            .await
            .expect("a bench stops at the first surprise");
        report("rebuild of all models", head, began.elapsed());
        for model in rebuilt {
            println!(
                "    {:<20} {:>8} rows {:>8} former {:?}",
                model.model, model.rows, model.former, model.took
            );
        }
    }
    for name in projections::NAMES {
        let began = Instant::now();
        rebuild(&shop.store, &app, &[(*name).to_owned()], |_| ())
            .await
            .expect("a bench stops at the first surprise");
        report(&format!("rebuild of {name}"), head, began.elapsed());
    }
    let began = Instant::now();
    let proved = verify(&shop.store, &app, |_| ())
        .await
        .expect("a bench stops at the first surprise");
    report("verify", head, began.elapsed());
    println!("  violation: {:?}", proved.violation);
}

type Work = Vec<(TimeSlotId, usize, CouponCode)>;

/// Slots and coupons for so many bookings.
async fn prepare(shop: &Arc<Shop>, bookings: usize) -> Work {
    let mut work = Vec::new();
    let mut slot = shop.screening().await;
    let mut coupons = stream::iter(0..bookings)
        .map(|_| {
            let shop = Arc::clone(shop);
            tokio::spawn(async move { shop.coupon().await })
        })
        .buffered(256);
    while let Some(coupon) = coupons.next().await {
        let in_slot = work.len() % PER_SLOT;
        if in_slot == 0 {
            slot = shop.screening().await;
        }
        work.push((
            slot,
            in_slot * 2,
            coupon.expect("a bench stops at the first surprise"),
        ));
    }
    work
}

async fn book(shop: &Arc<Shop>, work: Work, clients: usize) {
    let (work, next) = (Arc::new(work), Arc::new(AtomicUsize::new(0)));
    let clients = (0..clients).map(|_| {
        let (shop, work, next) = (Arc::clone(shop), Arc::clone(&work), Arc::clone(&next));
        tokio::spawn(async move {
            while let Some((slot, seat, coupon)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                let seats = vec![shop.label(*seat), shop.label(*seat + 1)];
                let held = shop
                    .hold(*slot, seats)
                    .await
                    .expect("a bench stops at the first surprise");
                shop.place(number(&held), Some(coupon.clone()))
                    .await
                    .expect("a bench stops at the first surprise");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a bench stops at the first surprise");
    }
}

async fn caught_up(projections: &Projections, position: i64) {
    for name in projections::NAMES {
        projections
            .reached(
                name,
                position,
                tokio::time::Instant::now() + Duration::from_secs(600),
            )
            .await;
    }
}

/// Prints, every second, how long ago the slowest model's newest event was appended.
async fn sample(shop: Arc<Shop>, projections: Arc<Projections>) {
    let mut heads: Vec<(Instant, i64)> = Vec::new();
    let mut lags: Vec<Duration> = Vec::new();
    loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = Instant::now();
        heads.push((now, shop.store.feed().position()));
        let slowest = projections::NAMES
            .iter()
            .filter_map(|name| projections.position(name))
            .min()
            .unwrap_or(0);
        // The first moment at which the log had more than the slowest model shows.
        let waiting = heads.iter().find(|(_, head)| *head > slowest);
        lags.push(waiting.map_or(Duration::ZERO, |(since, _)| now - *since));
        if lags.len() == 50 {
            lags.sort_unstable();
            println!(
                "  lag of the slowest model: p50 {:?} max {:?}",
                lags[25], lags[49]
            );
            lags.clear();
        }
    }
}

fn report(what: &str, events: i64, took: Duration) {
    let millis = i64::try_from(took.as_millis())
        .expect("a bench stops at the first surprise")
        .max(1);
    println!(
        "{what:<40} {events:>9} events {millis:>7} ms {:>9} events/s",
        events * 1000 / millis
    );
}
