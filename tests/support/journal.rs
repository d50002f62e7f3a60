//! What clients sent and what was acknowledged to them, compared with the log afterwards; never asks the server.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jari::vault::{MasterSecret, Vault};
use uuid::Uuid;

use super::{api::Answer, log::Log};

/// What all clients of a test know.
#[derive(Default)]
pub struct Journal {
    sent: Mutex<HashSet<String>>,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

/// A command that a client was told is done.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    key: Option<String>,
    position: i64,
    /// The reservation it is about, its state and its seats; admin commands have none.
    reservation: Option<(String, String, BTreeSet<String>)>,
}

impl Acknowledged {
    pub fn of(key: Option<String>, answer: &Answer) -> Self {
        let view = answer.json();
        let text = |name: &str| view[name].as_str().map(str::to_owned);
        let position = answer
            .position
            .unwrap_or_else(|| panic!("done, but where in the log? {answer}"));
        // Of those who wait nothing is remembered here.
        let reservation = text("number")
            .zip(text("state"))
            .filter(|_| view.get("quote").is_some());
        let reservation =
            reservation.map(|(number, state)| (number, state, answer.seats().into_iter().collect()));
        Self {
            key,
            position,
            reservation,
        }
    }
}

impl Journal {
    pub fn sent(&self, id: Uuid) {
        self.sent.lock().expect("nobody panicked").insert(id.to_string());
    }

    pub fn acknowledged(&self, acknowledged: Acknowledged) {
        self.acknowledged
            .lock()
            .expect("nobody panicked")
            .push(acknowledged);
    }

    /// How many commands were acknowledged so far.
    pub fn len(&self) -> usize {
        self.acknowledged.lock().expect("nobody panicked").len()
    }

    /// Nothing acknowledged is missing, nothing is there that nobody sent, and a repeated key has one effect (I3, I6).
    pub fn agrees_with(&self, log: &Log) {
        let sent = self.sent.lock().expect("nobody panicked");
        for row in log
            .rows
            .iter()
            .filter(|row| matches!(row.meta("actor_kind"), "guest" | "admin"))
        {
            assert!(sent.contains(row.meta("correlation_id")), "nobody sent {row:?}");
        }
        let mut units: HashMap<&str, &str> = HashMap::new();
        for row in log
            .rows
            .iter()
            .filter(|row| !row.meta("idempotency_key").is_empty())
        {
            let first = *units
                .entry(row.meta("idempotency_key"))
                .or_insert(row.meta("request_id"));
            assert_eq!(first, row.meta("request_id"), "a key had two effects: {row:?}");
        }
        for acknowledged in &*self.acknowledged.lock().expect("nobody panicked") {
            acknowledged.is_in(log);
        }
    }
}

impl Acknowledged {
    fn is_in(&self, log: &Log) {
        let last = log.rows.last().map_or(0, |row| row.position);
        assert!(self.position <= last, "lost: {self:?}, the log ends at {last}");
        if let Some((number, state, seats)) = &self.reservation {
            let stored = log.reservation_at(number, self.position);
            let stored = stored.unwrap_or_else(|| panic!("lost: {self:?}"));
            assert_eq!(
                (stored.state, &stored.seats),
                (state.as_str(), seats),
                "not as acknowledged: {self:?}"
            );
        }
        if let Some(key) = &self.key {
            // A repeat that changed nothing leaves no event.
            let key = remembered(key);
            let effect = log.rows.iter().find(|row| row.meta("idempotency_key") == key);
            assert!(
                effect.is_none_or(|row| row.position <= self.position),
                "answered too early: {self:?}"
            );
        }
    }
}

/// As the log remembers a caller's key: hashed with the secret of these tests.
fn remembered(key: &str) -> String {
    let vault = Vault::new(&MasterSecret::new([7; 32]));
    URL_SAFE_NO_PAD.encode(vault.mac("idempotency-key", key.as_bytes()))
}
