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

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use aggregates::{
    Event, Recorded,
    branch::Branch,
    customer::Customer,
    ids::{CustomerId, ReservationId, TimeSlotId},
    movie::Movie,
    reservation::{Contact, Reservation, ReservationCommand},
    theme::Theme,
    time_slot::{Show, TimeSlot},
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use moka::sync::Cache;
use tokio::sync::Notify;
use zeroize::Zeroizing;

use self::offers::Offered;
use crate::{
    booking::Bookings,
    language::Language,
    notify::{About, Channel, Message, Notice, Outcome, PlaceOffer, Ports, Telling, text},
    shutdown::{Signal, told},
    store::{IdempotencyKey, Request, Stop, Store, StoreError},
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
/// How many slots' names are kept at hand, and how long: a message may call a branch what it was called a minute ago.
const NAMES_MAX: u64 = 10_000;
const NAMES_KEPT: Duration = Duration::from_secs(60);
/// A message that is later than this is of no use any more.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// The policy's name in metadata and keys.
const NAME: &str = "notifications";

/// The policy, ready to run.
pub struct Notifications {
    store: Store,
    bookings: Bookings,
    deliveries: Deliveries,
    ports: Ports,
    language: Language,
    names: Cache<TimeSlotId, Arc<Names>>,
    planned: Notify,
}

/// What a slot is called.
struct Names {
    show: String,
    branch: String,
    zone: TimeZone,
    starts_at: Timestamp,
}

/// What the messages of a batch are about, as it is now; what could not be read is missing.
struct Read {
    reservations: HashMap<ReservationId, Reservation>,
    offers: Option<HashMap<ReservationId, Offered>>,
}

/// Why nothing is sent.
enum Unsent {
    /// There is nothing to tell any more.
    Dropped(&'static str),
    /// The reservation could not be read.
    Unread,
    /// Nor could something else.
    Store(StoreError),
}

impl From<StoreError> for Unsent {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
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
            store,
            bookings,
            deliveries,
            ports,
            language,
            names: Cache::builder()
                .max_capacity(NAMES_MAX)
                .time_to_live(NAMES_KEPT)
                .build(),
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
        let read = &self.read(&claimed).await;
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

    /// What the messages are about: the reservations, and the offers where an offer is told.
    async fn read(&self, claimed: &[Claimed]) -> Read {
        let reservations = self.reservations(claimed).await;
        let told = claimed
            .iter()
            .filter(|message| message.notice == Notice::PlaceOffered.name());
        let slot = |message: &Claimed| {
            let hold = reservations.get(&message.reservation)?.hold()?;
            Some((message.reservation, hold.time_slot))
        };
        let entries: Vec<(ReservationId, TimeSlotId)> = told.filter_map(slot).collect();
        if entries.is_empty() {
            return Read {
                reservations,
                offers: Some(HashMap::new()),
            };
        }
        let offers = offers::running(&self.store, &entries).await;
        if let Err(error) = &offers {
            tracing::warn!(%error, "the offers of messages could not be read yet");
        }
        Read {
            reservations,
            offers: offers.ok(),
        }
    }

    /// What the messages are about, as it is now; nothing, while the log cannot be read.
    async fn reservations(&self, claimed: &[Claimed]) -> HashMap<ReservationId, Reservation> {
        let about: BTreeSet<ReservationId> = claimed.iter().map(|message| message.reservation).collect();
        let about: Vec<ReservationId> = about.into_iter().collect();
        match self.store.read_all::<Reservation>(&about).await {
            Ok(read) => about.into_iter().zip(read).collect(),
            Err(error) => {
                tracing::warn!(%error, "the reservations of messages could not be read yet");
                HashMap::new()
            }
        }
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
        let message = self.message(claimed, channel, read).await?;
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

    async fn message(&self, claimed: &Claimed, channel: Channel, read: &Read) -> Result<Message, Unsent> {
        let notice = Notice::named(&claimed.notice).ok_or(Unsent::Dropped("there is no such notice"))?;
        let reservation = read
            .reservations
            .get(&claimed.reservation)
            .ok_or(Unsent::Unread)?;
        let now = self.store.now();
        if now.duration_since(claimed.due_at) > LATE_MAX {
            return Err(Unsent::Dropped("it is too late"));
        }
        let over = || Unsent::Dropped("it is not so any more");
        let (offer, names);
        let (about, contact, customer, language) = if notice == Notice::PlaceOffered {
            let offers = read.offers.as_ref().ok_or(Unsent::Unread)?;
            let offered = offers
                .get(&claimed.reservation)
                .filter(|offered| now < offered.until);
            let offered = offered.ok_or_else(over)?;
            names = self.names(offered.time_slot).await?;
            offer = PlaceOffer {
                number: claimed.reservation,
                seats: offered.seats.clone(),
                starts_at: names.starts_at,
                until: offered.until,
            };
            let about = About::Offer(&offer);
            (about, &offered.contact, offered.customer, offered.language)
        } else {
            let placed = notice.holds(reservation).ok_or_else(over)?;
            names = self.names(placed.hold.time_slot).await?;
            let placement = &placed.placement;
            let about = About::Placed(placed);
            (
                about,
                &placement.contact,
                placed.hold.customer,
                placement.language,
            )
        };
        let to = self
            .recipient(contact, customer, channel)
            .await?
            .ok_or(Unsent::Dropped("nobody can be reached this way"))?;
        let telling = Telling {
            about,
            show: names.show.clone(),
            branch: names.branch.clone(),
            zone: names.zone.clone(),
        };
        let words = text(language.unwrap_or(self.language), notice, &telling)
            .ok_or(Unsent::Dropped("there are no words for it"))?;
        Ok(Message {
            id: claimed.id,
            notice: notice.name(),
            reservation: claimed.reservation.to_string(),
            to,
            subject: words.subject,
            body: words.body,
        })
    }

    /// Whom a message is for; nobody, if they gave no such address or were erased.
    async fn recipient(
        &self,
        contact: &Contact,
        customer: Option<CustomerId>,
        channel: Channel,
    ) -> Result<Option<Zeroizing<String>>, StoreError> {
        match channel {
            Channel::Sms => {
                let phone = contact.phone.plain();
                Ok(phone.map(|phone| Zeroizing::new(phone.to_string())))
            }
            Channel::Email => {
                let Some(id) = customer else {
                    return Ok(None);
                };
                let email = match &*self.store.read::<Customer>(&id).await? {
                    Customer::SignedUp(known) => known.email.plain().map(ToString::to_string),
                    Customer::Unknown | Customer::Left => None,
                };
                Ok(email.map(Zeroizing::new))
            }
        }
    }

    /// What a slot is called, as it was a moment ago.
    async fn names(&self, time_slot: TimeSlotId) -> Result<Arc<Names>, Unsent> {
        if let Some(known) = self.names.get(&time_slot) {
            return Ok(known);
        }
        let read = Arc::new(self.names_of(time_slot).await?);
        self.names.insert(time_slot, Arc::clone(&read));
        Ok(read)
    }

    async fn names_of(&self, time_slot: TimeSlotId) -> Result<Names, Unsent> {
        let slot = self.store.read::<TimeSlot>(&time_slot).await?;
        let plan = slot
            .plan()
            .map_err(|_| Unsent::Dropped("its time slot is unknown"))?;
        let branch = self.store.read::<Branch>(&plan.branch).await?;
        let (Some(zone), Some(branch)) = (branch.zone(), name_of(&branch)) else {
            return Err(Unsent::Dropped("its branch is unknown"));
        };
        let show = match &plan.show {
            Show::Movie { movie, .. } => match &*self.store.read::<Movie>(movie).await? {
                Movie::Announced(film) | Movie::Withdrawn(film) => film.title.to_string(),
                Movie::Unknown => String::new(),
            },
            Show::Theme { theme, .. } => match &*self.store.read::<Theme>(theme).await? {
                Theme::Active(game) | Theme::Inactive(game) => game.name.to_string(),
                Theme::Unknown => String::new(),
            },
        };
        Ok(Names {
            show,
            branch,
            zone,
            starts_at: plan.starts_at,
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

/// The messages about one event: each of its notices by each way. Whether somebody can be reached, shows when it is sent.
fn planned(recorded: &Arc<Recorded>) -> Vec<Planned> {
    let notices: Vec<(Notice, ReservationId, Timestamp)> = match &recorded.event {
        Event::Reservation(event) => {
            let Ok(reservation) = recorded.stream.id.parse::<ReservationId>() else {
                return Vec::new();
            };
            let notices = Notice::of(event, recorded.recorded_at).into_iter();
            notices
                .map(|(notice, due_at)| (notice, reservation, due_at))
                .collect()
        }
        Event::Waitlist(event) => {
            let notice = Notice::of_waitlist(event).into_iter();
            notice
                .map(|(notice, entry)| (notice, entry, recorded.recorded_at))
                .collect()
        }
        Event::Seat(_)
        | Event::Coupon(_)
        | Event::Deposit(_)
        | Event::TimeSlot(_)
        | Event::Schedule(_)
        | Event::Branch(_)
        | Event::Auditorium(_)
        | Event::Movie(_)
        | Event::Theme(_)
        | Event::PricePolicy(_)
        | Event::Claim(_)
        | Event::Role(_)
        | Event::Admin(_)
        | Event::Customer(_)
        | Event::Allowance(_)
        | Event::Patron(_)
        | Event::CancellationPolicy(_)
        | Event::Foreign => Vec::new(),
    };
    let planned = notices.into_iter().flat_map(|(notice, reservation, due_at)| {
        Channel::ALL.into_iter().map(move |channel| Planned {
            position: recorded.position,
            notice: notice.name(),
            channel: channel.name(),
            reservation,
            due_at,
        })
    });
    planned.collect()
}

fn name_of(branch: &Branch) -> Option<String> {
    match branch {
        Branch::Unknown => None,
        Branch::Open(site) | Branch::Closed(site) => Some(site.premises.name.to_string()),
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
