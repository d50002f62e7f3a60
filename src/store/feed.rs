//! The log in order, for whoever follows it: pull based, so a slow reader slows nobody. Never skips or repeats a position.

mod ring;
pub(crate) mod tailer;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aggregates::Recorded;
use tokio::{sync::watch, time::Instant};

use super::reading::Reading;
use ring::Ring;
pub(crate) use ring::Weighed;

const PAUSE: Duration = Duration::from_millis(200);

/// The log in order. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

struct Shared {
    ring: Mutex<Ring>,
    /// The last position from which on nothing is missing.
    head: watch::Sender<i64>,
    /// The highest position heard of, here or from others.
    heard: watch::Sender<i64>,
    /// The highest position this process appended.
    own: watch::Sender<i64>,
    reading: Arc<Reading>,
}

impl Feed {
    pub(crate) fn new(head: i64, reading: Arc<Reading>) -> Self {
        let shared = Shared {
            ring: Mutex::new(Ring::new(head)),
            head: watch::Sender::new(head),
            heard: watch::Sender::new(head),
            own: watch::Sender::new(head),
            reading,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The last position this feed has reached.
    #[must_use]
    pub fn position(&self) -> i64 {
        *self.shared.head.borrow()
    }

    /// Waits until the feed has reached `position`; false if `deadline` comes first.
    pub async fn reached(&self, position: i64, deadline: Instant) -> bool {
        self.expect(position);
        let mut head = self.shared.head.subscribe();
        let reached = head.wait_for(|head| *head >= position);
        matches!(tokio::time::timeout_at(deadline, reached).await, Ok(Ok(_)))
    }

    /// At most `max` events after `position`, in order; waits until there is one. While the database is away it waits.
    pub async fn after(&self, position: i64, max: usize) -> Vec<Arc<Recorded>> {
        let mut head = self.shared.head.subscribe();
        loop {
            // The sender lives in `self`, so waiting cannot fail; if it did, there is nothing to wait for.
            if head.wait_for(|head| *head > position).await.is_err() {
                return Vec::new();
            }
            let recent = self
                .shared
                .ring
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .after(position, max);
            if let Some(events) = recent {
                return events;
            }
            match self.shared.reading.after(position, max).await {
                Ok(events) if !events.is_empty() => {
                    return events.into_iter().map(|(event, _)| event).collect();
                }
                Ok(_) => tracing::error!(
                    position,
                    "an event is missing in the log though later ones are there"
                ),
                Err(error) => tracing::warn!(%error, "the feed cannot be read"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Takes events known to be committed, the first of them at `first`, the others right behind.
    pub(crate) fn offer(&self, first: i64, events: Vec<Weighed>) {
        let Some(last) = events.last().map(|(event, _)| event.position) else {
            return;
        };
        self.shared.own.send_if_modified(|own| raise(own, last));
        self.take(first, events);
    }

    /// Takes events read from the log.
    pub(crate) fn take(&self, first: i64, events: Vec<Weighed>) {
        let mut ring = self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let head = ring.take(first, events);
        // Told while the ring is locked, so that the head never seems to go back.
        self.shared.head.send_if_modified(|known| raise(known, head));
        let beyond = ring.beyond();
        drop(ring);
        if let Some(beyond) = beyond {
            self.expect(beyond);
        }
    }

    /// Lets go of all recent events, because values in them are erased now; they are read again from the log.
    pub(crate) fn forget(&self) {
        self.shared
            .ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .forget();
    }

    /// What was heard and is not in the log now, although all of the log was read, is no longer waited for.
    fn lower(&self) {
        let head = self.position();
        self.shared.heard.send_if_modified(|heard| {
            *heard = head;
            false
        });
    }

    /// The log is known to reach `position`: what is missing up to it has to be read.
    pub(crate) fn expect(&self, position: i64) {
        self.shared.heard.send_if_modified(|heard| raise(heard, position));
    }
}

fn raise(known: &mut i64, new: i64) -> bool {
    let higher = new > *known;
    *known = new.max(*known);
    higher
}
