//! A quote: lines that explain each amount and add up to the total (invariant I9); never a recipe to compute again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Discount, Occasion, PersonKind, Persons, PricingError,
    tariff::{ScreeningTariff, SessionPrice, SessionTariff},
};
use crate::{
    business_day::Weekday,
    values::{Category, CouponCode, Currency, Name},
};

/// A price with its explanation. The total is the sum of the lines' amounts and never below zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Quote {
    /// The currency of every amount.
    #[schema(value_type = String, example = "KRW")]
    pub currency: Currency,
    /// What makes up the price, additions first.
    pub lines: Vec<QuoteLine>,
    /// The sum of the lines.
    pub total: i64,
}

/// One line: `count × unit`, and what of it really counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuoteLine {
    /// What the line is for.
    pub item: LineItem,
    /// How many.
    pub count: u32,
    /// The amount for one, as the tariff says.
    pub unit: i64,
    /// What the line adds (or takes off, at most what is left).
    pub amount: i64,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LineItem {
    /// Seats in a band of the day.
    Band {
        /// The band's name.
        name: Name,
        /// Whether the weekend price applied.
        weekend: bool,
    },
    /// People of a kind.
    Person {
        /// Which kind.
        person: PersonKind,
    },
    /// Seats of a category.
    Category {
        /// Which one.
        name: Category,
    },
    /// Seats in a kind of auditorium.
    Hall {
        /// Which one.
        name: Name,
    },
    /// A room, whoever comes.
    Room,
    /// A room for a group.
    Group {
        /// How many people.
        size: u8,
    },
    /// The discount for early slots.
    EarlyBird,
    /// The discount for late slots.
    Closing,
    /// A coupon.
    Coupon {
        /// Its code.
        code: CouponCode,
    },
}

impl Quote {
    const fn empty(currency: Currency) -> Self {
        Self {
            currency,
            lines: Vec::new(),
            total: 0,
        }
    }

    /// Adds `count × unit`; a deduction takes off at most what is left. A line of nothing is left out.
    fn add(&mut self, item: LineItem, count: u32, unit: i64) {
        let amount = unit.saturating_mul(i64::from(count)).max(-self.total);
        if count > 0 && unit != 0 {
            self.total += amount;
            self.lines.push(QuoteLine {
                item,
                count,
                unit,
                amount,
            });
        }
    }

    fn less(&mut self, item: LineItem, discount: &Discount) {
        let off = discount.off(self.total);
        if off > 0 {
            self.add(item, 1, -off);
        }
    }

    /// The same with a coupon taken off, never below zero; the line shows what was really taken off, even if nothing
    /// was left, so that it says which coupon was redeemed.
    #[must_use]
    pub fn less_coupon(&self, discount: &Discount, code: &CouponCode) -> Self {
        let mut quote = self.clone();
        let off = discount.off(quote.total);
        quote.total -= off;
        quote.lines.push(QuoteLine {
            item: LineItem::Coupon { code: code.clone() },
            count: 1,
            unit: -off,
            amount: -off,
        });
        quote
    }

    /// Whether the total is the sum of the lines and not below zero (invariant I9).
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.total >= 0 && self.lines.iter().map(|line| line.amount).sum::<i64>() == self.total
    }
}

pub(super) fn screening(
    tariff: &ScreeningTariff,
    occasion: &Occasion,
    persons: &Persons,
    categories: &[Category],
) -> Result<Quote, PricingError> {
    let people = persons.total();
    if usize::try_from(people) != Ok(categories.len()) {
        let seats = u32::try_from(categories.len()).unwrap_or(u32::MAX);
        return Err(PricingError::SeatsDiffer { people, seats });
    }
    let mut parts = Vec::new();
    let weekend = tariff.weekend_days.contains(&Weekday::of(occasion.business_date))
        || tariff.holidays.contains(&occasion.business_date);
    let band = tariff
        .bands
        .iter()
        .find(|band| occasion.starts < band.until)
        .or(tariff.bands.last());
    if let Some(band) = band {
        let unit = if weekend { band.weekend } else { band.weekday };
        parts.push((
            LineItem::Band {
                name: band.name.clone(),
                weekend,
            },
            people,
            unit,
        ));
    }
    if let Some((hall, extra)) = occasion
        .hall
        .as_ref()
        .and_then(|hall| tariff.halls.get_key_value(hall))
    {
        parts.push((LineItem::Hall { name: hall.clone() }, people, *extra));
    }
    let mut counts: BTreeMap<&Category, u32> = BTreeMap::new();
    for category in categories {
        *counts.entry(category).or_default() += 1;
    }
    for (category, count) in counts {
        let extra = tariff.categories.get(category);
        let extra = extra.ok_or_else(|| PricingError::UnknownCategory {
            category: category.clone(),
        })?;
        parts.push((
            LineItem::Category {
                name: category.clone(),
            },
            count,
            *extra,
        ));
    }
    for (person, count) in persons.each() {
        let delta = match person {
            PersonKind::Adult => tariff.persons.adult,
            PersonKind::Teen => tariff.persons.teen,
            PersonKind::Senior => tariff.persons.senior,
            PersonKind::Preferential => tariff.persons.preferential,
        };
        parts.push((LineItem::Person { person }, count, delta));
    }
    // Additions before deductions, so that no deduction is cut short by an addition that only comes later.
    parts.sort_by_key(|(_, _, unit)| *unit < 0);
    let mut quote = Quote::empty(tariff.currency);
    for (item, count, unit) in parts {
        quote.add(item, count, unit);
    }
    Ok(quote)
}

pub(super) fn session(tariff: &SessionTariff, occasion: &Occasion, size: u8) -> Result<Quote, PricingError> {
    let mut quote = Quote::empty(tariff.currency);
    match &tariff.price {
        SessionPrice::Room { amount } => quote.add(LineItem::Room, 1, *amount),
        SessionPrice::Person { table } => {
            let price = table.get(&size).ok_or(PricingError::NoPriceForSize { size })?;
            quote.add(LineItem::Group { size }, 1, *price);
        }
    }
    if let Some(early) = tariff
        .early_bird
        .as_ref()
        .filter(|early| occasion.starts < early.before)
    {
        quote.less(LineItem::EarlyBird, &early.discount);
    }
    if let Some(closing) = tariff
        .closing
        .as_ref()
        .filter(|closing| occasion.starts >= closing.from)
    {
        quote.less(LineItem::Closing, &closing.discount);
    }
    Ok(quote)
}
