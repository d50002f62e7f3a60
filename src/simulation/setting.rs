//! What the prices of a slot depended on when its seats were sold, looked up once; never what they are.

use std::{collections::HashMap, sync::Arc};

use aggregates::{
    auditorium::Auditorium,
    branch::Branch,
    business_day::on_the_wall,
    ids::{AuditoriumId, BranchId, ReservationId, TimeSlotId},
    price_policy::PricePolicy,
    pricing::{LineItem, Occasion, Quote, Tariff},
    reservation::Placed,
    time_slot::{Plan, Show, TimeSlot},
    values::{Category, Name},
};
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::store::{Store, StoreError};

/// What the prices of one slot depend on.
pub(super) struct Setting {
    plan: Plan,
    pub occasion: Occasion,
    /// What it was sold by.
    tariff: Option<Arc<Tariff>>,
    auditorium: Option<Arc<Auditorium>>,
}

/// What was looked up before.
pub(super) struct Known<'a> {
    store: &'a Store,
    policy: &'a PricePolicy,
    settings: HashMap<TimeSlotId, Setting>,
    auditoriums: HashMap<AuditoriumId, Arc<Auditorium>>,
    zones: HashMap<BranchId, TimeZone>,
}

impl<'a> Known<'a> {
    /// Nothing yet, of what was sold under this policy.
    pub fn of(store: &'a Store, policy: &'a PricePolicy) -> Self {
        Self {
            store,
            policy,
            settings: HashMap::new(),
            auditoriums: HashMap::new(),
            zones: HashMap::new(),
        }
    }

    /// What the prices of a slot depend on, if it was looked up and is there.
    pub fn setting(&self, time_slot: TimeSlotId) -> Option<&Setting> {
        self.settings.get(&time_slot)
    }

    /// Looks up the slots of a page that are not known yet.
    pub async fn learn(&mut self, page: &[(ReservationId, TimeSlotId)]) -> Result<(), StoreError> {
        let mut ids: Vec<TimeSlotId> = page.iter().map(|(_, slot)| *slot).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|slot| !self.settings.contains_key(slot));
        let slots = self.store.read_all::<TimeSlot>(&ids).await?;
        for (id, slot) in ids.into_iter().zip(slots) {
            let Ok(plan) = slot.plan() else { continue };
            let auditorium = match plan.show {
                Show::Movie { auditorium, .. } => Some(self.auditorium(auditorium).await?),
                Show::Theme { .. } => None,
            };
            let built = auditorium
                .as_deref()
                .and_then(|auditorium| auditorium.built().ok());
            let hall = built.and_then(|built| built.hall.clone());
            let (business_date, starts) = on_the_wall(&self.zone(plan.branch).await?, plan.starts_at);
            let occasion = Occasion {
                business_date,
                starts,
                hall,
            };
            let setting = Setting {
                plan: plan.clone(),
                occasion,
                tariff: self.policy.tariff(plan.price_version).ok().cloned(),
                auditorium,
            };
            self.settings.insert(id, setting);
        }
        Ok(())
    }

    async fn auditorium(&mut self, id: AuditoriumId) -> Result<Arc<Auditorium>, StoreError> {
        if let Some(known) = self.auditoriums.get(&id) {
            return Ok(Arc::clone(known));
        }
        let read = self.store.read::<Auditorium>(&id).await?;
        self.auditoriums.insert(id, Arc::clone(&read));
        Ok(read)
    }

    async fn zone(&mut self, id: BranchId) -> Result<TimeZone, StoreError> {
        if let Some(known) = self.zones.get(&id) {
            return Ok(known.clone());
        }
        let branch = self.store.read::<Branch>(&id).await?;
        let zone = branch.zone().unwrap_or(TimeZone::UTC);
        self.zones.insert(id, zone.clone());
        Ok(zone)
    }
}

impl Setting {
    /// The categories of the seats, as the layout has them that was sold.
    pub fn categories(&self, placed: &Placed) -> Vec<Category> {
        let Show::Movie { layout_version, .. } = self.plan.show else {
            return Vec::new();
        };
        let auditorium = self.auditorium.as_deref();
        let Some(layout) = auditorium.and_then(|auditorium| auditorium.layout(layout_version).ok()) else {
            return Vec::new();
        };
        let seats = placed.hold.choice.seats.iter();
        seats
            .filter_map(|label| Some(layout.seat(label)?.category.clone()))
            .collect()
    }

    /// The kind of hall as it was when this was sold: the quote names it if it cost anything.
    pub fn hall(&self, quote: &Quote) -> Option<Name> {
        let named = quote.lines.iter().find_map(|line| match &line.item {
            LineItem::Hall { name } => Some(name.clone()),
            LineItem::Band { .. }
            | LineItem::Person { .. }
            | LineItem::Category { .. }
            | LineItem::Room
            | LineItem::Group { .. }
            | LineItem::EarlyBird
            | LineItem::Closing
            | LineItem::Coupon { .. } => None,
        });
        named.or_else(|| {
            let now = self.occasion.hall.clone()?;
            // Had it been of today's kind, and that cost something, the quote would say so.
            let Some(Tariff::Screening(sold_by)) = self.tariff.as_deref() else {
                return Some(now);
            };
            let cost = sold_by.halls.get(&now).copied().unwrap_or(0);
            (cost == 0).then_some(now)
        })
    }

    pub fn show(&self) -> Uuid {
        match self.plan.show {
            Show::Movie { movie, .. } => movie.uuid(),
            Show::Theme { theme, .. } => theme.uuid(),
        }
    }
}
