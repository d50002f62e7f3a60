//! A server process with a database of its own, and a shop with one theme whose slots open in a few seconds.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Client;

const ADMIN_TOKEN: &str = "an-admin-token-for-the-bench-only";
/// Until sales open: enough to build the shop and to connect everybody.
const OPENS_IN_SECONDS: i64 = 8;
const START_MAX: Duration = Duration::from_secs(120);

pub struct Server {
    process: Child,
    pub address: SocketAddr,
    data: PathBuf,
}

impl Server {
    /// Starts `jari serve`; one address stands for all customers, so it may ask as often as it likes.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let data = std::env::temp_dir().join(format!("jari-opening-{}", Uuid::now_v7()));
        let process = Command::new(env!("CARGO_BIN_EXE_jari"))
            .args(["serve", "--port", &port.to_string(), "--data-dir"])
            .arg(&data)
            .env("JARI_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("JARI_RATE_LIMIT", "10000000")
            .env("JARI_PLACEMENT_LIMIT", "4294967295")
            .env("JARI_PLACEMENTS_PER_ADDRESS", "4294967295")
            .env("JARI_CONNECTIONS_PER_ADDRESS_MAX", "10000")
            .env("JARI_REQUESTS_PER_ADDRESS_MAX", "4000")
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        while Client::connect(address).await.is_err() {
            assert!(begun.elapsed() < START_MAX, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self {
            process,
            address,
            data,
        }
    }

    /// A theme with so many slots tomorrow and the moment their sales open.
    pub async fn furnish(&self, slots: usize) -> (Vec<Uuid>, Timestamp) {
        let [branch, prices, theme] = [(); 3].map(|()| Uuid::now_v7());
        self.admin("branches", branch, "open", json!({ "kind": "escape_room", "name": "홍대", "address": "예시로 1",
            "time_zone": "Asia/Seoul", "accounts": [{ "bank": "국민은행", "number": "100-200", "holder": "예시주식회사" }] }))
            .await;
        self.admin(
            "price-policies",
            prices,
            "adopt",
            json!({ "name": "테마", "tariff": { "session": { "currency": "KRW",
            "price": { "person": { "table": { "2": 48_000 } } }, "early_bird": null, "closing": null } } }),
        )
        .await;
        self.admin(
            "themes",
            theme,
            "introduce",
            json!({ "branch": branch, "name": "달빛 서고", "price_policy": prices,
            "party": { "min": 2, "max": 2, "default": 2 }, "duration_minutes": 60, "turnover_minutes": 20,
            "opens": { "days_ahead": 0, "time": "00:00" }, "slots": {} }),
        )
        .await;
        self.admin("themes", theme, "activate", json!({})).await;
        let opens_at = Timestamp::now() + OPENS_IN_SECONDS.seconds();
        let first = opens_at + 30.hours();
        let mut made = Vec::new();
        for number in 0..slots {
            let starts_at = first + (i64::try_from(number).unwrap_or(0) * 80).minutes();
            let id = Uuid::now_v7();
            self.admin("time-slots", id, "schedule", json!({ "plan": { "branch": branch,
                "show": { "kind": "theme", "theme": theme, "party_min": 2, "party_max": 2 }, "starts_at": starts_at,
                "ends_at": starts_at + 1.hour(), "sales_open_at": opens_at, "sales_close_at": starts_at,
                "price_policy": prices } }))
                .await;
            made.push(id);
        }
        (made, opens_at)
    }

    async fn admin(&self, collection: &str, id: Uuid, verb: &str, body: Value) {
        let mut client = Client::connect(self.address).await.expect("a connection");
        let path = format!("/v1/{collection}/{id}/{verb}");
        let answer = client
            .post(&path, Some(ADMIN_TOKEN), &body.to_string())
            .await
            .expect("an answer");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(answer.status < 300, "{path}: {} {text}", answer.status);
    }

    /// The memory the process has in use.
    pub fn resident_mib(&self) -> u64 {
        let path = Path::new("/proc")
            .join(self.process.id().to_string())
            .join("status");
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    }

    /// Ends it the way a user does, and removes its data.
    pub fn stop(mut self) {
        let pid = i32::try_from(self.process.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .expect("the server is told to stop");
        }
        let status = self.process.wait().expect("the server ends");
        assert!(status.success(), "the server did not end well: {status}");
        std::fs::remove_dir_all(&self.data).expect("its data is removed");
    }
}
