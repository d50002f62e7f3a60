//! How fast the log takes units of work: four events in four new streams, loads included, durable. Run it with
//! `cargo bench --bench append -- [clients…] [--seconds n] [--guests]`; never a test of correctness.
//!
//! `--guests`: every unit is a guest's with an address, so that a person's key is made and stored with each.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use aggregates::{
    ids::{ReservationId, SeatId, TimeSlotId},
    seat::{Seat, SeatCommand, SeatError},
};
use jari::{
    postgres::{Cluster, Settings},
    store::{Actor, Request, Stop, Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};
use uuid::Uuid;

static NUMBER: AtomicI64 = AtomicI64::new(1);

struct Options {
    clients: Vec<usize>,
    seconds: u64,
    guests: bool,
}

fn options() -> Options {
    let mut options = Options {
        clients: Vec::new(),
        seconds: 5,
        guests: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seconds" => options.seconds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(5),
            "--guests" => options.guests = true,
            other => options.clients.extend(other.parse::<usize>().ok()),
        }
    }
    if options.clients.is_empty() {
        options.clients = vec![1, 64, 512];
    }
    options
}

fn request(guests: bool) -> Request {
    let mut request = Request::system("bench", "HoldSeats");
    if guests {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        request.actor = Actor::Guest(ReservationId::new(number));
        request.address = Some(Ipv4Addr::new(192, 0, 2, 1).into());
    }
    request
}

async fn book(store: &Store, guests: bool) -> Result<(), Stop<SeatError>> {
    let time_slot = TimeSlotId::new(Uuid::now_v7());
    let label = |text: &str| text.parse().map(|label| SeatId { time_slot, label });
    let seats: Vec<SeatId> = ["A1", "A2", "A3", "A4"]
        .into_iter()
        .filter_map(|text| label(text).ok())
        .collect();
    let seats = &seats;
    let by = ReservationId::new(1);
    let request = request(guests);
    let unit = store.run(&request, |mut unit| async move {
        unit.load_all::<Seat>(seats).await?;
        for seat in seats {
            unit.execute::<Seat>(seat, SeatCommand::Hold { by })
                .map_err(Stop::Refused)?;
        }
        Ok(())
    });
    unit.await.map(|_| ())
}

async fn measure(store: &Store, clients: usize, options: &Options) {
    let stop = Arc::new(AtomicBool::new(false));
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (store, stop, guests) = (store.clone(), Arc::clone(&stop), options.guests);
            tokio::spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begun = Instant::now();
                    if let Err(error) = book(&store, guests).await {
                        eprintln!("{error:?}");
                        break;
                    }
                    took.push(begun.elapsed());
                }
                took
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut took: Vec<Duration> = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap_or_default());
    }
    let elapsed = started.elapsed();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let rate = f64::from(u32::try_from(took.len()).unwrap_or(u32::MAX)) / elapsed.as_secs_f64();
    println!(
        "{clients:5} clients  {rate:8.0} bookings/s  p50 {:?}  p99 {:?}",
        at(50),
        at(99)
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = options();
    let data = std::env::temp_dir().join("jari-bench-append");
    let _absent = std::fs::remove_dir_all(&data);
    let mut settings = Settings::new(data);
    settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
    let cluster = Cluster::start(settings).await?;
    let mut owner = PgConnection::connect_with(&cluster.owner().sqlx()).await?;
    let migrations = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations");
    Migrator::new(migrations).await?.run(&mut owner).await?;
    let database = cluster.owner().clone().as_app().tokio_postgres();
    let settings = StoreSettings {
        database,
        upcasters: Upcasters::default(),
    };
    let store = Store::open(settings, Vault::new(&MasterSecret::new([7; 32]))).await?;
    measure(
        &store,
        64,
        &Options {
            clients: vec![],
            seconds: 1,
            ..options
        },
    )
    .await;
    println!("warmed up");
    for clients in &options.clients {
        measure(&store, *clients, &options).await;
    }
    store.close().await;
    cluster.stop().await?;
    Ok(())
}
