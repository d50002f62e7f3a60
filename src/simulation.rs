//! What a period would have brought under another tariff: prices what was sold again, with the same pricing and with
//! what each reservation recorded; changes nothing, and holds no more in memory than one page and the sums. Never a
//! command.

mod setting;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aggregates::{
    coupon::Coupon,
    fault::Fault,
    ids::{BranchId, PricePolicyId, ReservationId},
    price_policy::{PricePolicy, PricePolicyError, sound},
    pricing::{self, Discount, LineItem, Occasion, Quote, Tariff},
    refusal::{Kind, Refusal},
    reservation::{Placed, Reservation},
    values::CouponCode,
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::Offset};
use projections::reservation_list::{self, Priced};
use sqlx::PgPool;
use uuid::Uuid;

use self::setting::{Known, Setting};
use crate::store::{Store, StoreError};

/// Business days of one simulation at most.
pub const DAYS_MAX: i32 = 92;
/// Reservations of one simulation at most.
const SIMULATED_MAX: u64 = 20_000;
/// Reservations that are read at once.
const PAGE: i64 = 250;
/// Reservations that are named for each reason why they have no price.
const NAMED_MAX: usize = 20;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What was sold under this policy.
    pub policy: PricePolicyId,
    /// The tariff it might have.
    pub tariff: Arc<Tariff>,
    /// The first business day.
    pub from: Date,
    /// The last business day.
    pub until: Date,
    /// Only at this branch.
    pub branch: Option<BranchId>,
    /// At one of these branches, if the reader may not see the others.
    pub branches: Option<Vec<BranchId>>,
}

/// Sums of what was sold and what it would have been sold for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many reservations.
    pub count: u64,
    /// What they cost, in minor units.
    pub old: i64,
    /// What they would have cost.
    pub new: i64,
}

impl Difference {
    fn add(&mut self, old: i64, new: i64) {
        self.count += 1;
        self.old += old;
        self.new += new;
    }
}

/// Reservations that have no price under the draft, for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpriced {
    /// How many.
    pub count: u64,
    /// The first of them, with why.
    pub reservations: Vec<(ReservationId, String)>,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Of all that have a price.
    pub total: Difference,
    /// By the band of the day, or the discount of its time.
    pub by_band: BTreeMap<String, Difference>,
    /// By business day.
    pub by_day: BTreeMap<Date, Difference>,
    /// By movie or theme.
    pub by_show: BTreeMap<Uuid, Difference>,
    /// Those without a price, by the stable type of the reason.
    pub unpriced: BTreeMap<&'static str, Unpriced>,
}

/// Why nothing was simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhatIfError {
    /// More than one request can price again.
    #[error("more than {SIMULATED_MAX} reservations were sold in this period")]
    TooMuch,
}

impl WhatIfError {
    /// Every refusal's stable type, class and help, for the documentation.
    pub const REFUSALS: &'static [(&'static str, Kind, &'static str)] = &[(
        "price-policy/too-much-to-simulate",
        Kind::Invalid,
        "Ask for a shorter period, or for one branch.",
    )];
}

impl Refusal for WhatIfError {
    fn slug(&self) -> &'static str {
        Self::REFUSALS[0].0
    }

    fn kind(&self) -> Kind {
        Self::REFUSALS[0].1
    }

    fn help(&self) -> &'static str {
        Self::REFUSALS[0].2
    }

    fn faults(&self) -> Vec<Fault> {
        vec![Fault::at("/until", self.to_string())]
    }
}

/// What ended a simulation.
#[derive(Debug, thiserror::Error)]
pub enum NotSimulated {
    /// The policy or the draft says no.
    #[error(transparent)]
    Policy(#[from] PricePolicyError),
    /// It is too much.
    #[error(transparent)]
    TooMuch(#[from] WhatIfError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The read models cannot be read.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Prices everything again that was sold under a policy in a period, and is neither cancelled nor expired.
pub async fn simulate(
    store: &Store,
    reads: &PgPool,
    simulation: &Simulation,
) -> Result<Simulated, NotSimulated> {
    let policy = store.read::<PricePolicy>(&simulation.policy).await?;
    let latest = policy.versions().last().ok_or(PricePolicyError::NotFound)?;
    sound(&simulation.tariff)?;
    if latest.tariff.currency() != simulation.tariff.currency() {
        return Err(PricePolicyError::OtherCurrency.into());
    }
    let which = Priced {
        policy: simulation.policy,
        branch: simulation.branch,
        branches: simulation.branches.clone(),
        // No zone is further from UTC than a day; which business day it is, its own zone says.
        starts_from: midnight(simulation.from.saturating_sub(1.day())),
        starts_before: midnight(simulation.until.saturating_add(3.days())),
    };
    let mut known = Known::of(store, &policy);
    let (mut simulated, mut after, mut seen) = (Simulated::default(), None, 0_u64);
    loop {
        let page = reservation_list::priced(reads, &which, after, PAGE).await?;
        let Some((last, _)) = page.last() else {
            return Ok(simulated);
        };
        after = Some(*last);
        known.learn(&page).await?;
        let ids: Vec<ReservationId> = page.iter().map(|(id, _)| *id).collect();
        let sold: Vec<(ReservationId, Reservation)> =
            ids.iter().copied().zip(store.read_all(&ids).await?).collect();
        let coupons = coupons_of(store, &sold).await?;
        for (id, reservation) in &sold {
            let Some(placed) = standing(reservation) else {
                continue;
            };
            let Some(setting) = known.setting(placed.hold.time_slot) else {
                continue;
            };
            if !(simulation.from..=simulation.until).contains(&setting.occasion.business_date) {
                continue;
            }
            seen += 1;
            if seen > SIMULATED_MAX {
                return Err(WhatIfError::TooMuch.into());
            }
            simulated.add(*id, placed, setting, &simulation.tariff, &coupons);
        }
    }
}

fn midnight(date: Date) -> Timestamp {
    Offset::UTC
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .unwrap_or(Timestamp::MAX)
}

/// What is bound, whether or not it has been attended.
fn standing(reservation: &Reservation) -> Option<&Placed> {
    match reservation {
        Reservation::Placed(placed) | Reservation::Attended(placed) | Reservation::NoShow(placed) => {
            Some(placed)
        }
        Reservation::Blank
        | Reservation::Held(_)
        | Reservation::Lapsed(_)
        | Reservation::Released(_)
        | Reservation::Cancelled(_)
        | Reservation::Expired(_) => None,
    }
}

async fn coupons_of(
    store: &Store,
    sold: &[(ReservationId, Reservation)],
) -> Result<HashMap<CouponCode, Coupon>, StoreError> {
    let used = sold.iter().filter_map(|(_, reservation)| standing(reservation));
    let mut codes: Vec<CouponCode> = used
        .filter_map(|placed| placed.placement.coupon.clone())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let coupons = store.read_all::<Coupon>(&codes).await?;
    Ok(codes.into_iter().zip(coupons).collect())
}

impl Simulated {
    fn add(
        &mut self,
        id: ReservationId,
        placed: &Placed,
        setting: &Setting,
        draft: &Tariff,
        coupons: &HashMap<CouponCode, Coupon>,
    ) {
        let choice = &placed.hold.choice;
        let occasion = Occasion {
            hall: setting.hall(&choice.quote),
            ..setting.occasion.clone()
        };
        let quote = pricing::quote(draft, &occasion, &choice.party, &setting.categories(placed));
        let quote = match quote {
            Ok(quote) => quote,
            Err(error) => {
                let without = self.unpriced.entry(error.slug()).or_default();
                without.count += 1;
                if without.reservations.len() < NAMED_MAX {
                    without.reservations.push((id, error.to_string()));
                }
                return;
            }
        };
        let quote = match &placed.placement.coupon {
            Some(code) => quote.less_coupon(&discount(&placed.placement.quote, code, coupons), code),
            None => quote,
        };
        let (old, new) = (placed.placement.quote.total, quote.total);
        self.total.add(old, new);
        self.by_band.entry(band(&choice.quote)).or_default().add(old, new);
        let day = self.by_day.entry(setting.occasion.business_date).or_default();
        day.add(old, new);
        self.by_show.entry(setting.show()).or_default().add(old, new);
    }
}

/// What the coupon grants; of one that is not known any more, what it took off.
fn discount(quote: &Quote, code: &CouponCode, coupons: &HashMap<CouponCode, Coupon>) -> Discount {
    let terms = coupons.get(code).and_then(Coupon::terms);
    let taken_off = quote.lines.iter().filter_map(|line| match &line.item {
        LineItem::Coupon { code: known } if known == code => Some(-line.amount),
        LineItem::Coupon { .. }
        | LineItem::Band { .. }
        | LineItem::Person { .. }
        | LineItem::Category { .. }
        | LineItem::Hall { .. }
        | LineItem::Room
        | LineItem::Group { .. }
        | LineItem::EarlyBird
        | LineItem::Closing => None,
    });
    terms.map_or_else(
        || Discount::Amount {
            amount: taken_off.sum(),
        },
        |terms| terms.discount.clone(),
    )
}

/// The band of the day it was sold in, or the discount of its time; `regular`, where nothing names one.
fn band(quote: &Quote) -> String {
    let named = quote.lines.iter().find_map(|line| match &line.item {
        LineItem::Band { name, .. } => Some(name.to_string()),
        LineItem::EarlyBird => Some("early_bird".to_owned()),
        LineItem::Closing => Some("closing".to_owned()),
        LineItem::Person { .. }
        | LineItem::Category { .. }
        | LineItem::Hall { .. }
        | LineItem::Room
        | LineItem::Group { .. }
        | LineItem::Coupon { .. } => None,
    });
    named.unwrap_or_else(|| "regular".to_owned())
}
