//! Tells customers what happened to their reservations: plans a message for each event that has a notice, sends what is
//! due, and has the reservation remember it; never the words, never a message twice where its way does not allow that.
//!
//! Both halves may run in any number of processes. The log is looked at behind a checkpoint that moves in the transaction
//! which adds the messages, so each event is planned once. A message is claimed by one process at a time. It is sent with
//! the same id each time; what a process leaves behind in the middle is sent again only on a way that takes an id once.
//!
//! Each batch of messages costs two reads of the log, however many there are: the reservations they are about, and the
//! waitlists of those that tell of an offered place.

mod offers;
mod planning;
mod writing;

use std::time::{Duration, Instant};

use aggregates::{ids::ReservationId, reservation::ReservationCommand};
use futures_util::{StreamExt as _, stream};
use tokio::sync::Notify;

use self::{
    planning::planned,
    writing::{Read, Unsent, Writing},
};
use crate::{
    booking::Bookings,
    language::Language,
    notify::{Channel, Notice, Outcome, Ports},
    shutdown::{Signal, told},
    store::{IdempotencyKey, Request, Stop, Store},
    vault::{Claimed, Deliveries, Ended, Planned},
};

/// Events looked at in one transaction.
const BATCH_MAX: usize = 8_192;
/// While events keep coming, they are looked at as often as this: each transaction waits for the disk that bookings need.
const PLAN_EVERY: Duration = Duration::from_millis(200);
/// Messages claimed at once, and sent at the same time: none waits for another one while its lease runs out.
const CLAIMED_MAX: u16 = 16;
/// The same where none goes anywhere, so that none takes long.
const CLAIMED_WITHOUT_WAY_MAX: u16 = 1_000;
/// How often it is looked for what another process left behind.
const TAKE_UP_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a lost database is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// The first pause after an attempt that failed; each further one is twice as long.
const BACKOFF: Duration = Duration::from_secs(2);
/// The longest pause between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);
/// The policy's name in metadata and keys.
const NAME: &str = "notifications";

/// The policy, ready to run.
pub struct Notifications {
    store: Store,
    bookings: Bookings,
    deliveries: Deliveries,
    ports: Ports,
    writing: Writing,
    planned: Notify,
}

impl Notifications {
    /// A policy on this log that sends by these ways, in this language to whoever has named none.
    #[must_use]
    pub fn new(
        store: Store,
        bookings: Bookings,
        deliveries: Deliveries,
        ports: Ports,
        language: Language,
    ) -> Self {
        Self {
            writing: Writing::new(store.clone(), language),
            store,
            bookings,
            deliveries,
            ports,
            planned: Notify::new(),
        }
    }

    /// Works until `stop` turns true; what is being sent then is sent to the end.
    pub async fn run(self, stop: Signal) {
        tokio::join!(self.plan(stop.clone()), self.send(stop));
    }

    async fn plan(&self, mut stop: Signal) {
        loop {
            let over = match self.plan_next(&mut stop).await {
                Ok(over) => over,
                Err(error) => {
                    tracing::warn!(%error, "messages could not be planned yet");
                    tokio::time::timeout(RETRY_AFTER, told(&mut stop)).await.is_ok()
                }
            };
            if over {
                return;
            }
        }
    }

    /// Plans the messages about the next events and tells whether it is over; only waiting for events is given up at the
    /// signal, never a transaction.
    async fn plan_next(&self, stop: &mut Signal) -> Result<bool, sqlx::Error> {
        let from = self.deliveries.position().await?;
        let events = tokio::select! {
            events = async {
                self.store.feed().after(from, BATCH_MAX).await;
                tokio::time::sleep(PLAN_EVERY).await;
                self.store.feed().after(from, BATCH_MAX).await
            } => events,
            () = told(stop) => return Ok(true),
        };
        let Some(last) = events.last() else {
            return Ok(false);
        };
        let planned: Vec<Planned> = events.iter().flat_map(planned).collect();
        if self.deliveries.plan(from, last.position, &planned).await? && !planned.is_empty() {
            self.planned.notify_one();
        }
        Ok(false)
    }

    async fn send(&self, mut stop: Signal) {
        let mut taken_up = None;
        while !*stop.borrow() {
            let wait = match self.send_next(&mut taken_up).await {
                Ok(0) => LOOK_EVERY,
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "messages could not be sent yet");
                    RETRY_AFTER
                }
            };
            // Whichever comes first means the same: look again.
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.planned.notified() => {}
                () = told(&mut stop) => return,
            }
        }
    }

    /// Sends what is due, and has reservations remember what was sent; answers how much there was to do.
    async fn send_next(&self, taken_up: &mut Option<Instant>) -> Result<usize, sqlx::Error> {
        if taken_up.is_none_or(|at| at.elapsed() >= TAKE_UP_EVERY) {
            self.deliveries.take_up(&self.ports.repeatable()).await?;
            *taken_up = Some(Instant::now());
        }
        let most = if self.ports.reach_somebody() {
            CLAIMED_MAX
        } else {
            CLAIMED_WITHOUT_WAY_MAX
        };
        let claimed = self.deliveries.claim(i64::from(most)).await?;
        let count = claimed.len();
        let read = &self.writing.read(&claimed).await;
        let deliveries = stream::iter(claimed).map(|claimed| self.deliver(claimed, read));
        let ended: Vec<sqlx::Result<Option<(Claimed, Ended)>>> = deliveries
            .buffer_unordered(usize::from(CLAIMED_MAX))
            .collect()
            .await;
        let ended = ended.into_iter().filter_map(Result::transpose);
        let ended: Vec<(Claimed, Ended)> = ended.collect::<Result<_, _>>()?;
        if !ended.is_empty() {
            self.deliveries.end(&ended).await?;
        }
        for (id, position, reservation) in self.deliveries.unnoted(i64::from(CLAIMED_MAX)).await? {
            let key = format!("delivery/{id}");
            if self.note(&key, position, reservation).await {
                self.deliveries.noted(id).await?;
            }
        }
        Ok(count)
    }

    /// Sends a message. How it went is said at once where it went somewhere; else it is answered, to be said with others.
    async fn deliver(&self, claimed: Claimed, read: &Read) -> Result<Option<(Claimed, Ended)>, sqlx::Error> {
        let ended = match self.attempt(&claimed, read).await {
            Ok(ended) => ended,
            Err(Unsent::Dropped(why)) => Ended::Dropped(why),
            Err(Unsent::Unread) => again(&claimed, "the reservation could not be read"),
            Err(Unsent::Store(error)) => {
                tracing::warn!(id = %claimed.id, %error, "a message could not be put together yet");
                again(&claimed, "what it speaks of could not be read")
            }
        };
        match &ended {
            Ended::Failed(why) | Ended::Unknown(why) => {
                tracing::warn!(id = %claimed.id, notice = claimed.notice, channel = claimed.channel, why,
                    "a message did not reach its customer");
            }
            Ended::Sent { .. } | Ended::Again(..) | Ended::Dropped(_) => {}
        }
        let goes_nowhere = Channel::named(&claimed.channel).is_none_or(|way| !self.ports.port(way).reaches());
        let attempt = (claimed, ended);
        if goes_nowhere {
            return Ok(Some(attempt));
        }
        self.deliveries.end(std::slice::from_ref(&attempt)).await?;
        Ok(None)
    }

    /// Sends a message once, if there is still something to tell somebody.
    async fn attempt(&self, claimed: &Claimed, read: &Read) -> Result<Ended, Unsent> {
        let channel = Channel::named(&claimed.channel).ok_or(Unsent::Dropped("there is no such way"))?;
        let message = self.writing.message(claimed, channel, read).await?;
        let port = self.ports.port(channel);
        Ok(match port.send(&message).await {
            Outcome::Sent(provider_id) => Ended::Sent {
                provider_id,
                // What is only offered is no reservation yet that could remember it.
                to_be_noted: port.reaches() && message.notice != Notice::PlaceOffered.name(),
            },
            Outcome::NotSent(why) => again(claimed, why),
            Outcome::Refused(why) => Ended::Failed(why),
            Outcome::Unknown(why) if port.repeats() => again(claimed, why),
            Outcome::Unknown(why) => Ended::Unknown(why),
        })
    }

    /// Has the reservation remember that its customer was told; whether that is done, or will never be.
    async fn note(&self, key: &str, position: i64, id: ReservationId) -> bool {
        let request = Request {
            key: Some(IdempotencyKey {
                scope: NAME.to_owned(),
                key: key.to_owned(),
                fingerprint: [0; 32],
            }),
            causation: Some(position),
            ..Request::system(NAME, "reservations/mark-notified")
        };
        let told = ReservationCommand::MarkNotified { note: None };
        match self.bookings.record(&request, id, told).await {
            // What is over needs to remember nothing any more.
            Ok(_) | Err(Stop::Refused(_)) => true,
            Err(Stop::Store(error)) => {
                tracing::warn!(%id, %error, "a reservation could not be told yet that its customer was");
                false
            }
        }
    }
}

/// Another attempt later, or none if this was the last.
fn again(claimed: &Claimed, why: &'static str) -> Ended {
    if claimed.attempt >= claimed.attempts_max {
        return Ended::Failed(why);
    }
    Ended::Again(backoff(claimed.attempt, rand::random_range(0.5..1.0)), why)
}

/// The pause after so many attempts, of which only a part is waited, so that not all come back at once.
fn backoff(attempt: i32, part: f64) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or_default().min(16);
    BACKOFF
        .saturating_mul(1 << doublings)
        .min(BACKOFF_MAX)
        .mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let seconds = |attempt| backoff(attempt, 1.0).as_secs();
        assert_eq!((1..=5).map(seconds).collect::<Vec<_>>(), [2, 4, 8, 16, 32]);
        assert_eq!(seconds(60), BACKOFF_MAX.as_secs());
        assert_eq!(backoff(2, 0.5), Duration::from_secs(2));
    }
}
