//! Puts the coming days of every active theme on sale, as its weekly template says (DOMAIN E3); never a slot twice, and never
//! again one that was withdrawn.
//!
//! Whatever concerns a theme opens its days soon after; everything is looked over now and then, because the days pass
//! without an event. Any number of processes may run this: the same slot has the same id for all of them.

use std::{collections::HashSet, time::Duration};

use aggregates::{Recorded, branch::Branch, price_policy::PricePolicy, theme::Theme};
use cqrs_es::Aggregate as _;
use uuid::Uuid;

use super::{over, pause};
use crate::{
    administration::Denied,
    shutdown::{Signal, told},
    store::{Stop, Store, StoreError},
    timetable::{self, Opened},
};

/// How often everything is looked over.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// How long a lost database is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Events read at once.
const BATCH_MAX: usize = 1_000;
/// The policy's name in metadata.
const NAME: &str = "openings";

/// The policy, ready to run.
pub struct Openings {
    store: Store,
}

impl Openings {
    /// A policy on this log.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Works until `stop` turns true; only waiting is given up then, never a unit of work.
    pub async fn run(self, mut stop: Signal) {
        let mut position = self.store.feed().position();
        let mut touched = None;
        while !over(&stop) {
            if let Err(error) = self.open(touched.take().as_ref(), &stop).await {
                tracing::warn!(%error, "the coming days could not be opened yet");
                // Everything is looked over then: nobody knows any more what had been touched.
                pause(&mut stop, RETRY_AFTER).await;
                continue;
            }
            // Elapsed: everything is looked over.
            touched = tokio::select! {
                next = tokio::time::timeout(LOOK_EVERY, self.touched(&mut position)) => next.ok(),
                () = told(&mut stop) => return,
            };
        }
    }

    /// Waits for an event that concerns themes; answers the ids of what changed.
    async fn touched(&self, position: &mut i64) -> HashSet<Uuid> {
        loop {
            let events = self.store.feed().after(*position, BATCH_MAX).await;
            let Some(last) = events.last() else { continue };
            *position = last.position;
            let ids: HashSet<Uuid> = events.iter().filter_map(|event| concerns(event)).collect();
            if !ids.is_empty() {
                return ids;
            }
        }
    }

    /// Opens the days of the themes that are touched, or of all of them; of no further one after the signal.
    async fn open(&self, touched: Option<&HashSet<Uuid>>, stop: &Signal) -> Result<(), StoreError> {
        let opened = open_themes(&self.store, NAME, |id, theme| {
            if over(stop) {
                return false;
            }
            let Some(touched) = touched else { return true };
            theme.active().is_ok_and(|game| {
                [id, game.branch.uuid(), game.price_policy.uuid()]
                    .iter()
                    .any(|id| touched.contains(id))
            })
        })
        .await?;
        if opened.scheduled > 0 {
            tracing::info!(slots = opened.scheduled, "opened the coming days");
        }
        Ok(())
    }
}

/// Makes the missing time slots of every active theme that is wanted, as far ahead as it sells. A theme whose slots are
/// refused is left out and reported.
pub async fn open_themes(
    store: &Store,
    policy: &'static str,
    wanted: impl Fn(Uuid, &Theme) -> bool,
) -> Result<Opened, StoreError> {
    let mut opened = Opened::default();
    for (id, theme) in store.all::<Theme>().await? {
        if !wanted(id.uuid(), &theme) {
            continue;
        }
        match timetable::open_theme(store, policy, id).await {
            Ok(part) => opened += part,
            Err(Stop::Refused(denied)) => report(id.uuid(), &denied),
            Err(Stop::Store(error)) => return Err(error),
        }
    }
    Ok(opened)
}

fn report(theme: Uuid, denied: &Denied) {
    tracing::error!(%theme, %denied, "the days of a theme cannot be opened");
}

/// The id of the theme, branch or price policy an event belongs to.
fn concerns(recorded: &Recorded) -> Option<Uuid> {
    let kinds = [Theme::TYPE, Branch::TYPE, PricePolicy::TYPE];
    let stream = &recorded.stream;
    kinds
        .contains(&stream.kind.as_str())
        .then(|| Uuid::try_parse(&stream.id).ok())
        .flatten()
}
