//! Looks after those who wait where no place is freed: their waiting ends with the sale (DOMAIN W2), and what became free
//! by time or by a branch that opened again is offered. Never decides whose turn it is.
//!
//! Offers lapse as the held reservations they are. Any number of processes may run this: what one has done, the others
//! find done.

use std::time::Duration;

use aggregates::ids::TimeSlotId;
use projections::waitlist_queue;
use sqlx::PgPool;

use super::{over, pause};
use crate::{
    booking::Bookings,
    shutdown::Signal,
    store::{Request, Stop, Store},
};

/// How often sales that are over are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Every so many times, slots with places left are looked at too.
const THOROUGH_EVERY: u32 = 10;
/// Slots looked at in one go at most; the others have their turn a moment later.
const SLOTS_MAX: i64 = 1_000;
/// The policy's name in metadata.
const NAME: &str = "waitlists";

/// The policy, ready to run.
pub struct Waitlists {
    store: Store,
    bookings: Bookings,
    reads: PgPool,
}

impl Waitlists {
    /// A policy on this log; `reads` is where its read model stands.
    #[must_use]
    pub const fn new(store: Store, bookings: Bookings, reads: PgPool) -> Self {
        Self {
            store,
            bookings,
            reads,
        }
    }

    /// Works until `stop` turns true; what was begun then is done to its end.
    pub async fn run(self, mut stop: Signal) {
        let mut looks: u32 = 0;
        while !over(&stop) {
            let thorough = looks.is_multiple_of(THOROUGH_EVERY);
            let found = waitlist_queue::to_look_after(&self.reads, self.store.now(), thorough, SLOTS_MAX);
            match found.await {
                Ok(slots) => self.look_after(slots, &stop).await,
                Err(error) => tracing::warn!(%error, "waitlists could not be looked at yet"),
            }
            looks = looks.wrapping_add(1);
            pause(&mut stop, LOOK_EVERY).await;
        }
    }

    async fn look_after(&self, slots: Vec<TimeSlotId>, stop: &Signal) {
        for slot in slots {
            if over(stop) {
                return;
            }
            let request = Request::system(NAME, "waitlists/look-after");
            match self.bookings.look_after(&request, slot).await {
                Ok(_) => {}
                Err(Stop::Refused(refused)) => {
                    tracing::error!(%slot, %refused, "a waitlist could not be looked after");
                }
                Err(Stop::Store(error)) => {
                    tracing::warn!(%slot, %error, "a waitlist could not be looked after yet");
                }
            }
        }
    }
}
