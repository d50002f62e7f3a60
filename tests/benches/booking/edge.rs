//! Our HTTP API end to end: a server process of its own with read models and policies on; never the library in-process.

use std::{
    fmt::Write as _,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jari::{
    postgres::Connect,
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use tokio::{sync::Mutex, task::JoinHandle};
use tokio_postgres::NoTls;

use crate::{
    Effort, SOLD_OUT,
    business::Booking,
    client::Client,
    house::House,
    load::{Sample, closed_loop},
    report,
};

/// The most connections the load generator keeps.
const CLIENTS_MAX: usize = 1024;
const START_MAX: Duration = Duration::from_secs(60);

/// A running server and its database.
pub struct Edge {
    server: Child,
    address: SocketAddr,
    database: Connect,
    secret: [u8; 32],
    house: Arc<House>,
    clients: Arc<Vec<Mutex<Option<Client>>>>,
    lags: Arc<Mutex<Vec<Duration>>>,
    memory_kib: Arc<Mutex<Vec<(usize, u64)>>>,
}

impl Edge {
    /// Starts `jari serve` on a migrated database, with enough seats for `bookings`.
    pub async fn start(database: Connect, secret: [u8; 32], bookings: usize) -> Self {
        let house = House::plan(bookings);
        let store = open(&database, secret).await;
        house.build(&store).await;
        store.close().await;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let hex = hex(secret);
        let server = Command::new(env!("CARGO_BIN_EXE_jari"))
            .args(["serve", "--port", &port.to_string()])
            .env("JARI_DATABASE_URL", database.url())
            .env("JARI_SECRET", hex)
            .env("JARI_ADMIN_TOKEN", "an-admin-token-for-the-bench-only")
            .env("JARI_RATE_LIMIT", "10000000")
            .env("JARI_GUESS_LIMIT", "600000000")
            .env("JARI_COUPON_FAILURE_LIMIT", "600000000")
            // One address stands for all customers.
            .env("JARI_PLACEMENT_LIMIT", "4294967295")
            .env("JARI_PLACEMENTS_PER_ADDRESS", "4294967295")
            .env("JARI_CONNECTIONS_PER_ADDRESS_MAX", "10000")
            .env("JARI_REQUESTS_PER_ADDRESS_MAX", "4000")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        while Client::connect(address).await.is_err() {
            assert!(
                begun.elapsed() < START_MAX,
                "the server does not answer on {address}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            server,
            address,
            database,
            secret,
            house,
            clients: Arc::new((0..CLIENTS_MAX).map(|_| Mutex::new(None)).collect()),
            lags: Arc::default(),
            memory_kib: Arc::default(),
        }
    }

    /// Two requests a booking, on kept connections; samples how far the read models are behind.
    pub async fn measure(&self, clients: usize, effort: Effort) -> Sample {
        let store = open(&self.database, self.secret).await;
        self.house
            .issue(&store, self.house.coupons_to_issue(effort.bookings() / 2))
            .await;
        store.close().await;
        self.settled().await;
        let stop = Arc::new(AtomicBool::new(false));
        let sampler = self.sample_lag(stop.clone());
        let (address, house, connections) = (self.address, self.house.clone(), self.clients.clone());
        let sample = closed_loop(clients, effort.warm_up, effort.measured, move |client| {
            let (house, connections) = (house.clone(), connections.clone());
            async move {
                let booking = house.next().ok_or(SOLD_OUT)?;
                let mut kept = connections[client].lock().await;
                let mut connection = match kept.take() {
                    Some(connection) => connection,
                    None => Client::connect(address)
                        .await
                        .map_err(|error| error.to_string())?,
                };
                book(&mut connection, &booking).await?;
                *kept = Some(connection);
                Ok(())
            }
        })
        .await;
        self.memory_kib
            .lock()
            .await
            .push((clients, resident_kib(self.server.id())));
        stop.store(true, Ordering::Relaxed);
        if let Ok(lags) = sampler.await {
            self.lags.lock().await.extend(lags);
        }
        sample
    }

    /// How far the read models were behind, and how much memory the server took.
    pub async fn report(&self) -> String {
        let mut lags = self.lags.lock().await.clone();
        lags.sort_unstable();
        let at = |percent: usize| {
            lags.get(lags.len().saturating_sub(1) * percent / 100)
                .copied()
                .unwrap_or_default()
        };
        let mut memory = self.memory_kib.lock().await.clone();
        memory.sort_unstable();
        let peak = memory
            .iter()
            .filter(|(clients, _)| *clients == CLIENTS_MAX)
            .map(|(_, kib)| *kib)
            .max();
        format!(
            "All read models behind the log while booking over HTTP: p50 {}, p99 {} ({} samples). \
             Resident memory of the server at {CLIENTS_MAX} clients: {} MiB.\n",
            report::milliseconds(at(50)),
            report::milliseconds(at(99)),
            lags.len(),
            peak.map_or_else(|| "–".to_owned(), |kib| (kib / 1024).to_string()),
        )
    }

    /// Rebuilds all read models of the bookings made so far, beside a bare COPY of the same events.
    pub async fn costs(&self, effort: Effort) -> String {
        let booked = self.measure(64, effort).await;
        self.settled().await;
        let client = self.client().await;
        let events: i64 = client
            .query_one("select count(*) from events", &[])
            .await
            .expect("a count")
            .get(0);
        let (mut copies, mut rebuilds) = (Vec::new(), Vec::new());
        for _ in 0..effort.rounds {
            let begun = Instant::now();
            let rows = client.copy_out("copy events to stdout").await.expect("a copy");
            let mut rows = std::pin::pin!(rows);
            while let Some(row) = futures_util::StreamExt::next(&mut rows).await {
                std::hint::black_box(row.expect("a row"));
            }
            copies.push(begun.elapsed());
            let begun = Instant::now();
            let hex = hex(self.secret);
            let status = Command::new(env!("CARGO_BIN_EXE_jari"))
                .arg("rebuild")
                .env("JARI_DATABASE_URL", self.database.url())
                .env("JARI_SECRET", hex)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("a rebuild");
            assert!(status.success(), "the rebuild failed: {status}");
            rebuilds.push(begun.elapsed());
        }
        copies.sort_unstable();
        rebuilds.sort_unstable();
        let (copy, rebuild) = (copies[copies.len() / 2], rebuilds[rebuilds.len() / 2]);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let per_second = |time: Duration| report::thousands(events as f64 / time.as_secs_f64());
        format!(
            "### Rebuild of all read models ({events} events, {} bookings/s made them)\n\nbare COPY TO STDOUT: {} events/s, \
             rebuild: {} events/s, ratio {:.2}\n",
            report::thousands(booked.rate),
            per_second(copy),
            per_second(rebuild),
            copy.as_secs_f64() / rebuild.as_secs_f64(),
        )
    }

    /// Ends the server the way a user does.
    pub async fn stop(mut self) {
        if let Some(pid) = i32::try_from(self.server.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::TERM)
        {
            eprintln!("the server could not be told to stop: {error}");
        }
        let waited = tokio::task::spawn_blocking(move || self.server.wait()).await;
        if !matches!(waited, Ok(Ok(status)) if status.success()) {
            eprintln!("the server did not end well: {waited:?}");
        }
    }

    async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = self
            .database
            .tokio_postgres()
            .connect(NoTls)
            .await
            .expect("a connection");
        tokio::spawn(connection);
        client
    }

    /// Waits until the read models have caught up with what was made meanwhile.
    async fn settled(&self) {
        let client = self.client().await;
        loop {
            let row = client.query_one(BEHIND, &[]).await.expect("the positions");
            if row.get::<_, i64>(0) <= row.get::<_, i64>(1) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn sample_lag(&self, stop: Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
        let database = self.database.clone();
        tokio::spawn(async move {
            let (client, connection) = database
                .tokio_postgres()
                .connect(NoTls)
                .await
                .expect("a connection");
            tokio::spawn(connection);
            let mut lags = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let row = client.query_one(BEHIND, &[]).await.expect("the positions");
                let (head, begun) = (row.get::<_, i64>(0), Instant::now());
                let mut reached = row.get::<_, i64>(1);
                while reached < head && begun.elapsed() < START_MAX {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    reached = client.query_one(BEHIND, &[]).await.expect("the positions").get(1);
                }
                lags.push(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            lags
        })
    }
}

const BEHIND: &str =
    "select coalesce((select position from public.events order by position desc limit 1), 0),
                             (select min(position) from read_models.checkpoints)";

async fn open(database: &Connect, secret: [u8; 32]) -> Store {
    let settings = StoreSettings {
        database: database.clone().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    Store::open(settings, Vault::new(&MasterSecret::new(secret)))
        .await
        .expect("a store")
}

async fn book(client: &mut Client, booking: &Booking) -> Result<(), String> {
    let [first, second] = &booking.seats;
    let wish = format!(
        r#"{{"time_slot":"{}","seats":["{first}","{second}"],"persons":{{"adult":2}}}}"#,
        booking.time_slot
    );
    let held = client.post("/v1/reservations", None, &wish).await?;
    if held.status != 201 {
        return Err(format!(
            "held: {} {}",
            held.status,
            String::from_utf8_lossy(&held.body)
        ));
    }
    let answer = held.json()?;
    let text = |name: &str| {
        answer[name]
            .as_str()
            .ok_or_else(|| format!("no {name} in {answer}"))
    };
    // Each is somebody else, as far as one customer may have so many seats.
    let number: u64 = text("number")?
        .parse()
        .map_err(|error| format!("{error}: {answer}"))?;
    let phone = format!("010{:08}", number % 100_000_000);
    let place = format!(
        r#"{{"name":"홍길동","phone":"{phone}","agreements":{{"privacy":true,"house_rules":true}},"coupon":"{}","payment":"on_site"}}"#,
        booking.coupon
    );
    let path = format!("/v1/reservations/{}/place", text("number")?);
    let placed = client.post(&path, Some(text("token")?), &place).await?;
    if placed.status == 200 {
        Ok(())
    } else {
        Err(format!(
            "placed: {} {}",
            placed.status,
            String::from_utf8_lossy(&placed.body)
        ))
    }
}

fn resident_kib(pid: u32) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// A secret as the server's configuration takes it.
fn hex(secret: [u8; 32]) -> String {
    secret.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
