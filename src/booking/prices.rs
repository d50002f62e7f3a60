//! What places of a time slot cost before anything is held (DOMAIN C10, C11, E2): the same prices a hold would be quoted;
//! never a promise, because only a hold keeps its price.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aggregates::{
    auditorium::Auditorium,
    coupon::{Coupon, CouponCommand, CouponError},
    ids::{ReservationId, TimeSlotId},
    layout::Layout,
    price_policy::PricePolicy,
    pricing::{self, Occasion, Party, PersonKind, Persons, PricingError, Quote, Tariff},
    reservation::{Reservation, ReservationError},
    time_slot::{Plan, Show, TimeSlot},
    values::{Category, CouponCode, SeatLabel, WallTime},
};
use jiff::civil::Date;

use super::{
    Bookings, ChoiceError, Refused,
    choice::{categories, fits, occasion},
};
use crate::store::{Request, Stop, UnitOfWork};

/// For whom and what a price is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Who would come; nobody asks for the table alone.
    pub party: Option<Party>,
    /// In these seats.
    pub seats: Vec<SeatLabel>,
    /// In seats of this category; in the cheapest, if neither is said.
    pub category: Option<Category>,
}

/// The price of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// In a seat of this category.
    pub category: Option<Category>,
    /// For a person of this kind.
    pub person: Option<PersonKind>,
    /// For a group of so many.
    pub party_size: Option<u8>,
    /// With its explanation.
    pub quote: Quote,
}

/// What a slot costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceTable {
    /// The business day whose prices these are.
    pub business_date: Date,
    /// When it begins, on the wall of that day.
    pub starts: WallTime,
    /// Each price there is: by category and kind of person, or by the size of the group.
    pub prices: Vec<Price>,
    /// The whole price for who was asked about.
    pub quote: Option<Quote>,
}

impl Bookings {
    /// What places of a slot cost.
    pub async fn prices(&self, id: TimeSlotId, asked: &Asked) -> Result<PriceTable, Stop<Refused>> {
        let table = Mutex::new(None);
        self.run(&Request::system("prices", "time-slots/prices"), |mut unit| {
            let table = &table;
            async move {
                let priced = priced(&mut unit, id, asked).await?;
                *table.lock().unwrap_or_else(PoisonError::into_inner) = Some(priced);
                Ok(())
            }
        })
        .await?;
        let table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
        table.ok_or_else(|| ChoiceError::Incomplete.into())
    }

    /// What a hold would cost with this coupon, if it could be redeemed for it now; else why it could not.
    pub async fn price_with(&self, id: ReservationId, code: &CouponCode) -> Result<Quote, Stop<Refused>> {
        let quote = Mutex::new(None);
        self.run(
            &Request::system("prices", "reservations/check-coupon"),
            |mut unit| {
                let quote = &quote;
                async move {
                    let less = less_coupon(&mut unit, id, code).await?;
                    *quote.lock().unwrap_or_else(PoisonError::into_inner) = Some(less);
                    Ok(())
                }
            },
        )
        .await?;
        let quote = quote.into_inner().unwrap_or_else(PoisonError::into_inner);
        quote.ok_or_else(|| CouponError::NotFound.into())
    }
}

async fn less_coupon(
    work: &mut UnitOfWork,
    id: ReservationId,
    code: &CouponCode,
) -> Result<Quote, Stop<Refused>> {
    let now = work.now();
    let (time_slot, quote) = match work.load::<Reservation>(&id).await? {
        Reservation::Held(hold) if now < hold.until => (hold.time_slot, hold.choice.quote.clone()),
        Reservation::Held(hold) => {
            return Err(ReservationError::HoldLapsed { until: hold.until }.into());
        }
        other @ (Reservation::Blank
        | Reservation::Lapsed(_)
        | Reservation::Released(_)
        | Reservation::Placed(_)
        | Reservation::Attended(_)
        | Reservation::NoShow(_)
        | Reservation::Cancelled(_)
        | Reservation::Expired(_)) => return Err(other.in_the_way().into()),
    };
    let plan = work.load::<TimeSlot>(&time_slot).await?.plan()?.clone();
    let coupon = work.load::<Coupon>(code).await?;
    let terms = coupon.terms().cloned();
    let covered = terms.as_ref().is_some_and(|terms| terms.scope.covers(&plan));
    // The coupon's own rule says whether; what it decides is thrown away.
    aggregates::Decider::decide(coupon, CouponCommand::Redeem { by: id, covered }, now)?;
    let terms = terms.ok_or(CouponError::NotFound)?;
    Ok(quote.less_coupon(&terms.discount, code))
}

async fn priced(work: &mut UnitOfWork, id: TimeSlotId, asked: &Asked) -> Result<PriceTable, Stop<Refused>> {
    let plan = work.load::<TimeSlot>(&id).await?.plan()?.clone();
    let sold = Sold::of(work, &plan).await?;
    let prices = sold.prices();
    let quote = match &asked.party {
        Some(party) => Some(sold.quote(party, asked, &prices).map_err(Stop::Refused)?),
        None => None,
    };
    let Occasion {
        business_date,
        starts,
        ..
    } = sold.occasion;
    Ok(PriceTable {
        business_date,
        starts,
        prices,
        quote,
    })
}

/// Everything the prices of a slot depend on.
struct Sold {
    plan: Plan,
    occasion: Occasion,
    tariff: std::sync::Arc<Tariff>,
    layout: Option<std::sync::Arc<Layout>>,
}

impl Sold {
    async fn of(work: &mut UnitOfWork, plan: &Plan) -> Result<Self, Stop<Refused>> {
        let (mut hall, mut layout) = (None, None);
        if let Show::Movie {
            auditorium,
            layout_version,
            ..
        } = plan.show
        {
            let auditorium = work.load::<Auditorium>(&auditorium).await?;
            let built = auditorium.built().map_err(|_| ChoiceError::Incomplete)?;
            hall.clone_from(&built.hall);
            let drawn = auditorium.layout(layout_version);
            layout = Some(std::sync::Arc::clone(drawn.map_err(|_| ChoiceError::Incomplete)?));
        }
        let occasion = occasion(work, plan, hall).await?;
        let policy = work.load::<PricePolicy>(&plan.price_policy).await?;
        let tariff = policy.tariff(plan.price_version);
        Ok(Self {
            plan: plan.clone(),
            occasion,
            tariff: std::sync::Arc::clone(tariff.map_err(|_| ChoiceError::Incomplete)?),
            layout,
        })
    }

    fn price(&self, party: &Party, categories: &[Category]) -> Result<Quote, PricingError> {
        pricing::quote(&self.tariff, &self.occasion, party, categories)
    }

    /// Each price there is. What the policy has no price for cannot be sold, and is left out.
    fn prices(&self) -> Vec<Price> {
        match (&self.plan.show, &self.layout) {
            (
                Show::Theme {
                    party_min, party_max, ..
                },
                _,
            ) => {
                let sizes = (*party_min..=*party_max).filter_map(|size| {
                    let quote = self.price(&Party::Group { size }, &[]).ok()?;
                    Some(Price {
                        category: None,
                        person: None,
                        party_size: Some(size),
                        quote,
                    })
                });
                sizes.collect()
            }
            (Show::Movie { .. }, Some(layout)) => {
                let categories: BTreeSet<&Category> = layout.seats().map(|seat| &seat.category).collect();
                let places = categories
                    .into_iter()
                    .flat_map(|category| PersonKind::ALL.map(|person| (category, person)));
                let priced = places.filter_map(|(category, person)| {
                    let party = Party::Persons(Persons::one(person));
                    let quote = self.price(&party, std::slice::from_ref(category)).ok()?;
                    Some(Price {
                        category: Some(category.clone()),
                        person: Some(person),
                        party_size: None,
                        quote,
                    })
                });
                priced.collect()
            }
            (Show::Movie { .. }, None) => Vec::new(),
        }
    }

    /// The whole price for a party.
    fn quote(&self, party: &Party, asked: &Asked, prices: &[Price]) -> Result<Quote, Refused> {
        if let Show::Theme {
            party_min, party_max, ..
        } = self.plan.show
            && let Party::Group { size } = party
            && !(party_min..=party_max).contains(size)
        {
            let (min, max) = (party_min, party_max);
            return Err(ChoiceError::PartySize { min, max }.into());
        }
        let categories = match &self.layout {
            None => Vec::new(),
            Some(layout) if !asked.seats.is_empty() => {
                fits(&asked.seats, self.plan.seats_per_customer_max)?;
                categories(layout, &asked.seats)?
            }
            Some(_) => {
                let cheapest = prices.iter().min_by_key(|price| price.quote.total);
                let cheapest = cheapest.and_then(|price| price.category.clone());
                let category = asked.category.clone().or(cheapest);
                let seats = usize::try_from(party.size()).unwrap_or(usize::MAX);
                category.into_iter().cycle().take(seats.min(PEOPLE_MAX)).collect()
            }
        };
        Ok(self.price(party, &categories)?)
    }
}

/// More people are refused by the price itself, whatever their seats.
const PEOPLE_MAX: usize = 8;
