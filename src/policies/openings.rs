//! Opens the sales of the coming days by the weekly templates of themes (DOMAIN E3); never closes or moves a slot.
//!
//! A slot is known by its theme and its start, so any number of processes may run this: what one has made, the others
//! find.

use std::{collections::BTreeSet, time::Duration};

use aggregates::{Event, Recorded, ids::ThemeId};
use tokio::{sync::watch, time::Instant};

use crate::{
    import::{ImportError, open_sessions},
    shutdown::told,
    store::Store,
};

/// Days whose slots are there at least: the tabs customers see (DOMAIN C5).
pub const DAYS: u16 = 7;
/// How often every theme is looked at: a new day begins at another hour in every zone.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
/// How long changes are gathered before they are acted on.
const GATHER: Duration = Duration::from_millis(500);
/// How long a failure is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How many events are read at once.
const BATCH_MAX: usize = 1_000;
/// The policy's name in metadata.
pub const NAME: &str = "openings";

/// The policy, ready to run.
pub struct Openings {
    store: Store,
}

/// Which themes may lack slots.
enum Look {
    Everywhere,
    At(BTreeSet<ThemeId>),
}

impl Openings {
    /// A policy on this log.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Works until `stop` turns true. A lost database is waited for.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = told(&mut stop) => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        let mut look = Look::Everywhere;
        let mut position = self.store.feed().position();
        loop {
            match self.open(&look).await {
                Ok(()) => look = self.changed(&mut position).await,
                Err(error) => {
                    tracing::warn!(%error, "sales of the coming days could not be opened yet");
                    look = Look::Everywhere;
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    async fn open(&self, look: &Look) -> Result<(), ImportError> {
        let only: Option<Vec<ThemeId>> = match look {
            Look::Everywhere => None,
            Look::At(themes) => Some(themes.iter().copied().collect()),
        };
        let opened = open_sessions(&self.store, NAME, only.as_deref(), DAYS, &|_| {}).await?;
        if opened.scheduled > 0 {
            tracing::info!(time_slots = opened.scheduled, "opened sales of the coming days");
        }
        Ok(())
    }

    /// Waits for a change of a theme or branch, or until it is time to look everywhere.
    async fn changed(&self, position: &mut i64) -> Look {
        let mut look = Look::At(BTreeSet::new());
        let mut until = Instant::now() + LOOK_EVERY;
        while Instant::now() < until {
            let events = self.store.feed().after(*position, BATCH_MAX);
            let events = tokio::time::timeout_at(until, events).await.unwrap_or_default();
            for recorded in events {
                *position = recorded.position;
                if look.add(&recorded) {
                    until = until.min(Instant::now() + GATHER);
                }
            }
        }
        match look {
            Look::At(themes) if themes.is_empty() => Look::Everywhere,
            Look::At(_) | Look::Everywhere => look,
        }
    }
}

impl Look {
    /// Looks where this event may have left slots out, too; says whether it may.
    fn add(&mut self, recorded: &Recorded) -> bool {
        match (&recorded.event, self) {
            (Event::Theme(_), Self::At(themes)) => {
                themes.extend(recorded.stream.id.parse::<ThemeId>());
                true
            }
            (Event::Branch(_) | Event::PricePolicy(_), look) => {
                *look = Self::Everywhere;
                true
            }
            (
                Event::Theme(_)
                | Event::Seat(_)
                | Event::TimeSlot(_)
                | Event::Reservation(_)
                | Event::Coupon(_)
                | Event::Schedule(_)
                | Event::Auditorium(_)
                | Event::Movie(_)
                | Event::Claim(_)
                | Event::Foreign,
                _,
            ) => false,
        }
    }
}
