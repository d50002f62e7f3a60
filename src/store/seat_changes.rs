//! Live seat maps: what happens to seats, told to whoever watches a slot; never a snapshot, never who has a seat.
//!
//! It follows the log, not the table, so it works the same in every process. A change is serialised once and shared by
//! all listeners; one that is too slow loses its place and resumes from the table by position.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{
    Event, Recorded,
    ids::{ReservationId, SeatId, TimeSlotId},
};
use projections::seat_map::{SeatState, after};
use serde::Serialize;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinHandle,
};

use super::Feed;

/// Changes a listener may be behind before it loses its place.
const BEHIND_MAX: usize = 256;
/// Events read from the feed at once.
const BATCH_MAX: usize = 4_096;

/// A change of a seat.
#[derive(Debug, PartialEq, Eq)]
pub struct SeatChange {
    /// The position of the event, also the id to resume from.
    pub position: i64,
    /// Whose seat it is now: to tell a customer's own seats, never shown to others.
    pub reservation: Option<ReservationId>,
    /// What everybody may see, as JSON: `label`, `state` and `position`.
    pub json: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    label: &'a str,
    state: SeatState,
    position: i64,
}

/// What everybody may see of a seat that changed, as JSON.
#[must_use]
pub fn json(label: &str, state: SeatState, position: i64) -> String {
    let shown = Shown {
        label,
        state,
        position,
    };
    // Two words and a number: writing them cannot fail.
    serde_json::to_string(&shown).unwrap_or_default()
}

type Listeners = Arc<Mutex<HashMap<TimeSlotId, broadcast::Sender<Arc<SeatChange>>>>>;

/// What happens to seats, slot by slot.
pub struct SeatChanges {
    listeners: Listeners,
    following: JoinHandle<()>,
}

impl SeatChanges {
    /// Follows the log from here on.
    #[must_use]
    pub fn follow(feed: &Feed) -> Self {
        let listeners = Listeners::default();
        let (feed, told) = (feed.clone(), Arc::clone(&listeners));
        let mut position = feed.position();
        let following = tokio::spawn(async move {
            loop {
                for recorded in feed.after(position, BATCH_MAX).await {
                    position = recorded.position;
                    tell(&told, &recorded);
                }
            }
        });
        Self { listeners, following }
    }

    /// The changes of a slot from now on. Listen first, then read the map, then drop the changes it already shows.
    #[must_use]
    pub fn listen(&self, time_slot: TimeSlotId) -> Listener {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = listeners
            .entry(time_slot)
            .or_insert_with(|| broadcast::Sender::new(BEHIND_MAX));
        Listener {
            receiver: sender.subscribe(),
            time_slot,
            listeners: Arc::clone(&self.listeners),
        }
    }

    /// How many slots are being watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

impl Drop for SeatChanges {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn tell(listeners: &Listeners, recorded: &Recorded) {
    let Event::Seat(event) = &recorded.event else {
        return;
    };
    let listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
    // Nearly always nobody watches: then nothing is parsed.
    if listeners.is_empty() {
        return;
    }
    let Ok(SeatId { time_slot, label }) = recorded.stream.id.parse() else {
        return;
    };
    let Some(sender) = listeners.get(&time_slot) else {
        return;
    };
    let row = after(event);
    let change = SeatChange {
        position: recorded.position,
        reservation: row.reservation,
        json: json(label.as_str(), row.state, recorded.position),
    };
    // The last listener takes the channel away, so somebody hears it.
    let _ = sender.send(Arc::new(change));
}

/// Someone who watches a slot.
pub struct Listener {
    receiver: broadcast::Receiver<Arc<SeatChange>>,
    time_slot: TimeSlotId,
    listeners: Listeners,
}

impl Drop for Listener {
    /// Whoever leaves last takes the slot's channel away: nothing may ever happen to its seats again.
    fn drop(&mut self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let others = |sender: &broadcast::Sender<_>| sender.receiver_count() > 1;
        if !listeners.get(&self.time_slot).is_some_and(others) {
            listeners.remove(&self.time_slot);
        }
    }
}

/// Why there is no next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The listener was too slow: read what it missed from the table, by position, and listen again.
    Behind,
    /// The server stops.
    Closed,
}

impl Listener {
    /// The next change.
    pub async fn next(&mut self) -> Result<Arc<SeatChange>, Ended> {
        self.receiver.recv().await.map_err(|error| match error {
            RecvError::Lagged(_) => Ended::Behind,
            RecvError::Closed => Ended::Closed,
        })
    }
}
