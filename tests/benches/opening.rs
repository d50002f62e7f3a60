//! The opening of sales: everybody asks for the nine slots of one theme in the moment they open (DOMAIN S1); never a test.
//!
//! `cargo bench --bench opening` plays it with 2,000 clients against a server process of its own, and tells how long they
//! waited, what they were answered and what it cost the server. It fails if a slot is sold twice or not at all, or if
//! anybody is answered with a failure of the server.

#[path = "booking/client.rs"]
mod client;
#[path = "opening/customer.rs"]
mod customer;
#[path = "booking/files.rs"]
mod files;
#[path = "opening/server.rs"]
mod server;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::Barrier;

use crate::{customer::Heard, server::Server};

/// Who comes, and what there is.
const CLIENTS: usize = 2_000;
const SLOTS: usize = 9;
/// How often it is played; the median is reported.
const ROUNDS: usize = 3;
/// The longest 99 of 100 answers should take.
const EXPECTED: Duration = Duration::from_secs(1);

fn main() {
    files::raise_file_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut rounds = Vec::new();
        for round in 1..=ROUNDS {
            let opening = Opening::play().await;
            println!("round {round}: {}", opening.line());
            rounds.push(opening);
        }
        rounds.sort_by_key(|round| round.at(99));
        println!(
            "{CLIENTS} clients, {SLOTS} slots, median of {ROUNDS} rounds: p99 {} ms (expected: under {} ms)",
            rounds[ROUNDS / 2].at(99).as_millis(),
            EXPECTED.as_millis()
        );
    });
}

/// What one opening came to.
struct Opening {
    /// How long each answer took, sorted.
    waits: Vec<Duration>,
    answers: BTreeMap<String, usize>,
    lasted: Duration,
    memory_mib: [u64; 2],
}

impl Opening {
    async fn play() -> Self {
        let server = Server::start().await;
        let (slots, opens_at) = server.furnish(SLOTS).await;
        let (slots, everybody) = (Arc::new(slots), Arc::new(Barrier::new(CLIENTS + 1)));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (slots, everybody) = (Arc::clone(&slots), Arc::clone(&everybody));
                tokio::spawn(customer::come(server.address, number, slots, everybody))
            })
            .collect();
        let before = server.resident_mib();
        let left = opens_at.duration_since(Timestamp::now());
        assert!(left.is_positive(), "sales open too soon for this machine");
        tokio::time::sleep(left.unsigned_abs()).await;
        let begun = Instant::now();
        everybody.wait().await;
        let (mut waits, mut answers) = (Vec::new(), BTreeMap::<String, usize>::new());
        for client in clients {
            for Heard { answer, wait } in client.await.expect("a customer") {
                waits.push(wait);
                *answers.entry(answer).or_default() += 1;
            }
        }
        let lasted = begun.elapsed();
        let memory_mib = [before, server.resident_mib()];
        server.stop();
        waits.sort_unstable();
        let held = answers.get("201").copied().unwrap_or(0);
        assert_eq!(held, SLOTS, "one reservation a slot: {answers:?}");
        let failed = answers.keys().any(|answer| answer.starts_with('5'));
        assert!(!failed, "nobody is failed: {answers:?}");
        Self {
            waits,
            answers,
            lasted,
            memory_mib,
        }
    }

    fn at(&self, percent: usize) -> Duration {
        self.waits[(self.waits.len() - 1) * percent / 100]
    }

    fn line(&self) -> String {
        let [before, after] = self.memory_mib;
        format!(
            "{} requests in {} ms: p50 {} ms, p99 {} ms, longest {} ms; the server {before} MiB before, {after} MiB after; {:?}",
            self.waits.len(),
            self.lasted.as_millis(),
            self.at(50).as_millis(),
            self.at(99).as_millis(),
            self.at(100).as_millis(),
            self.answers,
        )
    }
}
