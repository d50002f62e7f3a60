//! What a message says and to whom, as things are when it is sent; never sends it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use aggregates::{
    branch::Branch,
    customer::Customer,
    ids::{CustomerId, ReservationId, TimeSlotId},
    movie::Movie,
    reservation::{Contact, Reservation},
    theme::Theme,
    time_slot::{Show, TimeSlot},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use moka::sync::Cache;
use zeroize::Zeroizing;

use super::offers::{self, Offered};
use crate::{
    language::Language,
    notify::{About, Channel, Message, Notice, PlaceOffer, Telling, text},
    store::{Store, StoreError},
    vault::Claimed,
};

/// How many slots' names are kept at hand, and how long: a message may call a branch what it was called a minute ago.
const NAMES_MAX: u64 = 10_000;
const NAMES_KEPT: Duration = Duration::from_secs(60);
/// A message that is later than this is of no use any more.
const LATE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Puts messages together.
pub(super) struct Writing {
    store: Store,
    /// Of whoever has named none.
    language: Language,
    names: Cache<TimeSlotId, Arc<Names>>,
}

/// What a slot is called.
struct Names {
    show: String,
    branch: String,
    zone: TimeZone,
    starts_at: Timestamp,
}

/// What the messages of a batch are about, as it is now; what could not be read is missing.
pub(super) struct Read {
    reservations: HashMap<ReservationId, Reservation>,
    offers: Option<HashMap<ReservationId, Offered>>,
}

/// Why nothing is sent.
pub(super) enum Unsent {
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

impl Writing {
    /// From this log, in this language to whoever has named none.
    pub fn new(store: Store, language: Language) -> Self {
        Self {
            store,
            language,
            names: Cache::builder()
                .max_capacity(NAMES_MAX)
                .time_to_live(NAMES_KEPT)
                .build(),
        }
    }

    /// What the messages are about: the reservations, and the offers where an offer is told.
    pub async fn read(&self, claimed: &[Claimed]) -> Read {
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

    /// The message as it is to be sent; or why not.
    pub async fn message(&self, claimed: &Claimed, channel: Channel, read: &Read) -> Result<Message, Unsent> {
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
}

fn name_of(branch: &Branch) -> Option<String> {
    match branch {
        Branch::Unknown => None,
        Branch::Open(site) | Branch::Closed(site) => Some(site.premises.name.to_string()),
    }
}
