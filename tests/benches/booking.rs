//! How many bookings a second, beside stock cqrs-es and postgres-es on the same PostgreSQL in the same run; never a test.
//!
//! `cargo bench --bench booking` measures everything; `-- --quick` shortens it; `-- append book http` picks parts.

#[path = "booking/business.rs"]
mod business;
#[path = "booking/client.rs"]
mod client;
#[path = "booking/contest.rs"]
mod contest;
#[path = "booking/edge.rs"]
mod edge;
#[path = "booking/files.rs"]
mod files;
#[path = "booking/house.rs"]
mod house;
#[path = "booking/load.rs"]
mod load;
#[path = "booking/ours.rs"]
mod ours;
#[path = "booking/report.rs"]
mod report;
#[path = "booking/stock.rs"]
mod stock;

use std::{path::PathBuf, sync::Arc, time::Duration};

use aggregates::ids::SeatId;
use jari::{
    postgres::{
        Cluster, Connect, Search, Settings,
        install::{Consent, ensure_installed},
    },
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};

use crate::{
    edge::Edge,
    files::raise_file_limit,
    house::House,
    load::{Sample, closed_loop, median},
    ours::Ours,
    report::{Cell, table},
    stock::Stock,
};

const LEVELS: [usize; 5] = [1, 16, 64, 256, 1024];
/// The most bookings per second any variant is expected to reach; decides how many seats are built.
const RATE_MAX: f64 = 15_000.0;

/// How long and how often each cell is measured.
#[derive(Clone, Copy)]
struct Effort {
    warm_up: Duration,
    measured: Duration,
    rounds: usize,
}

impl Effort {
    fn bookings(self) -> u64 {
        let seconds = (self.warm_up + self.measured).as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive number"
        )]
        let bookings = (seconds * RATE_MAX) as u64;
        bookings
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let wants = |part: &str| {
        let mut named = arguments
            .iter()
            .filter(|argument| !argument.starts_with("--"))
            .peekable();
        named.peek().is_none() || named.any(|argument| argument == part)
    };
    let effort = if quick {
        Effort {
            warm_up: Duration::from_millis(500),
            measured: Duration::from_secs(1),
            rounds: 1,
        }
    } else {
        Effort {
            warm_up: Duration::from_secs(1),
            measured: Duration::from_secs(3),
            rounds: 3,
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let bench = Bench::start(effort).await;
        println!("{}\n", report::machine(&bench.postgres_version().await));
        if wants("append") {
            bench.appends().await;
        }
        if wants("book") {
            bench.bookings().await;
        }
        if wants("contest") {
            bench.contest().await;
        }
        if wants("snapshot") {
            bench.under_a_long_snapshot().await;
        }
        if wants("http") {
            bench.http_costs().await;
        }
        bench.stop().await;
    });
}

/// One PostgreSQL on disk, with fsync, for all variants.
struct Bench {
    cluster: Cluster,
    folder: PathBuf,
    effort: Effort,
}

impl Bench {
    async fn start(effort: Effort) -> Self {
        raise_file_limit();
        ensure_installed(&Search::system(), Consent::AskOnTerminal).expect("a PostgreSQL server");
        let folder = std::env::temp_dir().join(format!("jari-bench-{}", std::process::id()));
        let mut settings = Settings::new(folder.clone());
        settings.helper = Some(PathBuf::from(env!("CARGO_BIN_EXE_jari")));
        let cluster = Cluster::start(settings).await.expect("a cluster");
        Self {
            cluster,
            folder,
            effort,
        }
    }

    async fn stop(self) {
        if let Err(error) = self.cluster.stop().await {
            eprintln!("the server did not stop: {error}");
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("{} stays: {error}", self.folder.display());
        }
    }

    async fn postgres_version(&self) -> String {
        let client = self.client(self.cluster.owner()).await;
        let row = client
            .query_one("show server_version", &[])
            .await
            .expect("a version");
        format!("PostgreSQL {}", row.get::<_, String>(0))
    }

    async fn client(&self, connect: &Connect) -> tokio_postgres::Client {
        let (client, connection) = connect
            .tokio_postgres()
            .connect(tokio_postgres::NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        client
    }

    async fn database(&self, name: &str) -> Connect {
        let client = self.client(self.cluster.owner()).await;
        client
            .batch_execute(&format!("create database {name}"))
            .await
            .expect("a database");
        self.cluster.owner().clone().with_database(name)
    }

    /// A migrated database.
    async fn migrated(&self, name: &str) -> Connect {
        let connect = self.database(name).await;
        let pool = sqlx::PgPool::connect_with(connect.sqlx()).await.expect("a pool");
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"));
        let migrator = sqlx::migrate::Migrator::new(folder).await.expect("migrations");
        migrator.run(&pool).await.expect("a schema");
        pool.close().await;
        connect
    }

    async fn ours(&self, name: &str) -> Ours {
        let connect = self.migrated(name).await;
        let settings = StoreSettings {
            database: connect.as_app().tokio_postgres(),
            upcasters: Upcasters::default(),
        };
        Ours::new(
            Store::open(settings, Vault::new(&MasterSecret::new(SECRET)))
                .await
                .expect("a store"),
        )
    }

    /// Four events in four new streams: stock, ours, and one multi-row insert as the floor.
    async fn appends(&self) {
        let (stock, floor) = Stock::open(self.database("append_stock").await.sqlx()).await;
        let ours = self.ours("append_ours").await;
        let mut cells = Vec::new();
        for clients in LEVELS {
            let (mut by_stock, mut by_us, mut by_insert) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..self.effort.rounds {
                let own = stock.clone();
                by_stock.push(
                    self.measure(clients, move |_| {
                        let own = own.clone();
                        async move { own.append(&new_seats()).await }
                    })
                    .await,
                );
                let own = ours.clone();
                by_us.push(
                    self.measure(clients, move |_| {
                        let own = own.clone();
                        async move { own.append(&new_seats()).await }
                    })
                    .await,
                );
                let pool = floor.clone();
                by_insert.push(
                    self.measure(clients, move |_| {
                        let pool = pool.clone();
                        async move { stock::insert(&pool, &new_seats()).await }
                    })
                    .await,
                );
            }
            for (variant, samples) in [("stock", by_stock), ("Jari", by_us), ("one INSERT", by_insert)] {
                cells.push(Cell {
                    variant,
                    clients,
                    sample: median(samples),
                });
            }
        }
        println!("### Four events in four streams\n\n{}", table("appends", &cells));
    }

    /// Hold two seats, then place with a coupon: stock, our store, our HTTP API with everything on.
    async fn bookings(&self) {
        let effort = self.effort;
        let total = usize::try_from(effort.bookings()).unwrap_or(0) * effort.rounds * LEVELS.len();
        let (stock, _) = Stock::open(self.database("book_stock").await.sqlx()).await;
        let house = House::plan(total);
        let ours = self.ours("book_ours").await;
        house.build(&ours.store).await;
        let stock_house = House::plan(total / 4);
        let edge = Edge::start(self.migrated("book_edge").await, SECRET, total / 2).await;
        let mut cells = Vec::new();
        for clients in LEVELS {
            let (mut by_stock, mut by_store, mut by_http) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..effort.rounds {
                for number in stock_house.coupons_to_issue(effort.bookings() / 6) {
                    stock
                        .issue(&business::coupon_code(number), business::terms())
                        .await
                        .expect("a coupon");
                }
                let (own, supply, numbers) = (stock.clone(), stock_house.clone(), ours.bookings.clone());
                by_stock.push(
                    self.measure(clients, move |_| {
                        let (own, supply, numbers) = (own.clone(), supply.clone(), numbers.clone());
                        async move {
                            own.book(numbers.next_number(), &supply.next().ok_or(SOLD_OUT)?)
                                .await
                        }
                    })
                    .await,
                );
                house
                    .issue(&ours.store, house.coupons_to_issue(effort.bookings()))
                    .await;
                let (own, supply) = (ours.clone(), house.clone());
                by_store.push(
                    self.measure(clients, move |_| {
                        let (own, supply) = (own.clone(), supply.clone());
                        async move { own.book(&supply.next().ok_or(SOLD_OUT)?).await }
                    })
                    .await,
                );
                by_http.push(edge.measure(clients, effort).await);
            }
            for (variant, samples) in [("stock", by_stock), ("store", by_store), ("HTTP", by_http)] {
                cells.push(Cell {
                    variant,
                    clients,
                    sample: median(samples),
                });
            }
        }
        println!(
            "### Bookings: hold two seats, place with a coupon\n\n{}",
            table("bookings", &cells)
        );
        println!("{}", edge.report().await);
        edge.stop().await;
    }

    /// A thousand clients, fifty seats.
    async fn contest(&self) {
        let ours = self.ours("contest_ours").await;
        let house = House::plan(50);
        house.build(&ours.store).await;
        let (stock, _) = Stock::open(self.database("contest_stock").await.sqlx()).await;
        println!("{}", contest::run(&stock, &ours, &house).await);
    }

    /// The store's throughput while somebody keeps a snapshot open, beside its throughput without.
    async fn under_a_long_snapshot(&self) {
        let ours = self.ours("snapshot_ours").await;
        let house = House::plan(usize::try_from(self.effort.bookings()).unwrap_or(0) * 6);
        house.build(&ours.store).await;
        let connect = self.cluster.owner().clone().with_database("snapshot_ours");
        let (mut free, mut held) = (Vec::new(), Vec::new());
        for _ in 0..self.effort.rounds {
            free.push(self.book_once(&ours, &house, 64).await);
            let reader = self.client(&connect).await;
            let open = "begin isolation level repeatable read; select count(*) from events";
            reader.batch_execute(open).await.expect("a snapshot");
            held.push(self.book_once(&ours, &house, 64).await);
            reader
                .batch_execute("rollback")
                .await
                .expect("the end of the snapshot");
        }
        let (free, held) = (median(free), median(held));
        println!(
            "### While a long snapshot is open (64 clients)\n\nwithout: {} bookings/s, with: {} bookings/s, ratio {:.2}\n",
            report::thousands(free.rate),
            report::thousands(held.rate),
            held.rate / free.rate
        );
    }

    async fn book_once(&self, ours: &Ours, house: &Arc<House>, clients: usize) -> Sample {
        house
            .issue(&ours.store, house.coupons_to_issue(self.effort.bookings()))
            .await;
        let (own, supply) = (ours.clone(), house.clone());
        self.measure(clients, move |_| {
            let (own, supply) = (own.clone(), supply.clone());
            async move { own.book(&supply.next().ok_or(SOLD_OUT)?).await }
        })
        .await
    }

    /// What rebuilding costs and how much memory the server takes.
    async fn http_costs(&self) {
        let edge = Edge::start(self.migrated("costs_edge").await, SECRET, 60_000).await;
        println!("{}", edge.costs(self.effort).await);
        edge.stop().await;
    }

    async fn measure<F, Fut>(&self, clients: usize, operation: F) -> Sample
    where
        F: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send,
    {
        closed_loop(clients, self.effort.warm_up, self.effort.measured, operation).await
    }
}

/// The master secret of every bench database.
const SECRET: [u8; 32] = [7; 32];
const SOLD_OUT: &str = "the bench ran out of seats or coupons";

fn new_seats() -> [SeatId; 4] {
    let time_slot = aggregates::ids::TimeSlotId::new(uuid::Uuid::now_v7());
    ["A1", "A2", "A3", "A4"].map(|label| SeatId {
        time_slot,
        label: label.parse().expect("a label"),
    })
}
