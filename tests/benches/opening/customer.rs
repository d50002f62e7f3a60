//! One of those who come when sales open: asks for one slot after the other until one is theirs or all are gone.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Barrier;
use uuid::Uuid;

use crate::client::{Answer, Client};

/// An answer and how long it took.
pub struct Heard {
    /// Its status, and why it was refused.
    pub answer: String,
    pub wait: Duration,
}

/// Connects, waits with everybody else, and asks.
pub async fn come(
    address: SocketAddr,
    number: usize,
    slots: Arc<Vec<Uuid>>,
    everybody: Arc<Barrier>,
) -> Vec<Heard> {
    let mut connection = Client::connect(address).await.expect("a connection");
    everybody.wait().await;
    let mut heard = Vec::new();
    for next in 0..slots.len() {
        let slot = slots[(number + next) % slots.len()];
        let wish = format!(r#"{{"time_slot":"{slot}","party_size":2}}"#);
        let begun = Instant::now();
        let answer = connection.post("/v1/reservations", None, &wish).await;
        let wait = begun.elapsed();
        let (answer, done) = told(answer);
        heard.push(Heard { answer, wait });
        if done {
            break;
        }
    }
    heard
}

/// What was answered in short, and whether nothing more is wanted.
fn told(answer: Result<Answer, String>) -> (String, bool) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return (format!("599 {error}"), true),
    };
    if answer.status == 201 {
        return ("201".to_owned(), true);
    }
    let problem = answer.json().unwrap_or_default();
    let kind = problem["type"].as_str().unwrap_or("no problem");
    (format!("{} {kind}", answer.status), false)
}
