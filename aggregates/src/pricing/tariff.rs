//! A tariff: the amounts a price policy version fixes; never a computed price.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Discount;
use crate::{
    business_day::Weekday,
    fault::Fault,
    values::{AMOUNT_MAX, Category, Currency, Name, WallTime},
};

/// The greatest number of bands, holidays, categories or halls in one tariff.
const ENTRIES_MAX: usize = 1_000;
/// The largest group a session tariff may price (DOMAIN E2).
const GROUP_MAX: u8 = 6;

/// The amounts of one price policy version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Tariff {
    /// For cinema slots: by band, person, category and hall (DOMAIN C11).
    Screening(ScreeningTariff),
    /// For escape-room slots: by room or group (DOMAIN E2).
    Session(SessionTariff),
}

/// What cinema slots cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScreeningTariff {
    /// The currency of every amount.
    #[schema(value_type = String, example = "KRW")]
    pub currency: Currency,
    /// What each kind of person pays more or less.
    pub persons: PersonDeltas,
    /// The bands of the day, early ones first; the last ends at 29:00.
    pub bands: Vec<Band>,
    /// The days that cost the weekend price.
    #[serde(default = "weekend")]
    pub weekend_days: BTreeSet<Weekday>,
    /// Dates that cost the weekend price too.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub holidays: BTreeSet<Date>,
    /// What a seat of each category costs more or less.
    pub categories: BTreeMap<Category, i64>,
    /// What a seat in each kind of auditorium costs more or less; others cost nothing extra.
    #[serde(default)]
    pub halls: BTreeMap<Name, i64>,
}

/// What each kind of person pays more or less than the band says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonDeltas {
    /// 성인.
    pub adult: i64,
    /// 청소년.
    pub teen: i64,
    /// 경로.
    pub senior: i64,
    /// 우대.
    pub preferential: i64,
}

/// A part of the day with its price: 조조, 일반, 심야.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub name: Name,
    /// Slots that start before this belong to it, unless an earlier band has them.
    pub until: WallTime,
    /// A seat on a weekday.
    pub weekday: i64,
    /// A seat on a weekend day or holiday.
    pub weekend: i64,
}

/// What escape-room slots cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionTariff {
    /// The currency of every amount.
    #[schema(value_type = String, example = "KRW")]
    pub currency: Currency,
    /// The price before discounts.
    pub price: SessionPrice,
    /// 조조: for early slots.
    #[serde(default)]
    pub early_bird: Option<EarlyBird>,
    /// 마감: for late slots.
    #[serde(default)]
    pub closing: Option<Closing>,
}

/// What an escape-room slot costs before discounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SessionPrice {
    /// The same for every group.
    Room {
        /// For the room.
        amount: i64,
    },
    /// By the size of the group.
    Person {
        /// The size of the group and what all of it pays together.
        table: BTreeMap<u8, i64>,
    },
}

/// A discount for slots that start before a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EarlyBird {
    /// The first start that pays in full.
    pub before: WallTime,
    /// What is taken off.
    pub discount: Discount,
}

/// A discount for slots that start at or after a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The first start that pays less.
    pub from: WallTime,
    /// What is taken off.
    pub discount: Discount,
}

/// Saturday and Sunday.
pub(crate) fn weekend() -> BTreeSet<Weekday> {
    [Weekday::Saturday, Weekday::Sunday].into()
}

impl Tariff {
    /// The currency of every amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        match self {
            Self::Screening(tariff) => tariff.currency,
            Self::Session(tariff) => tariff.currency,
        }
    }

    /// Everything wrong with it; nothing, if every occasion has a price.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        match self {
            Self::Screening(tariff) => tariff.check(&mut faults),
            Self::Session(tariff) => tariff.check(&mut faults),
        }
        faults
    }
}

fn amount(faults: &mut Vec<Fault>, pointer: impl Into<String>, amount: i64) {
    if !(0..=AMOUNT_MAX).contains(&amount) {
        faults.push(Fault::at(
            pointer,
            format!("must be an amount from 0 to {AMOUNT_MAX}"),
        ));
    }
}

fn surcharge(faults: &mut Vec<Fault>, pointer: impl Into<String>, amount: i64) {
    if !(-AMOUNT_MAX..=AMOUNT_MAX).contains(&amount) {
        faults.push(Fault::at(
            pointer,
            format!("must be an amount from -{AMOUNT_MAX} to {AMOUNT_MAX}"),
        ));
    }
}

impl ScreeningTariff {
    fn check(&self, faults: &mut Vec<Fault>) {
        for (field, entries) in [
            ("bands", self.bands.len()),
            ("holidays", self.holidays.len()),
            ("categories", self.categories.len()),
            ("halls", self.halls.len()),
        ] {
            if entries > ENTRIES_MAX {
                faults.push(Fault::at(
                    format!("/{field}"),
                    format!("must have at most {ENTRIES_MAX} entries"),
                ));
            }
        }
        if self.bands.last().is_none_or(|last| last.until != WallTime::END) {
            faults.push(Fault::at(
                "/bands",
                "the last band must end at 29:00, so that every start has a price",
            ));
        }
        for (index, pair) in self.bands.windows(2).enumerate() {
            if pair[0].until >= pair[1].until {
                faults.push(Fault::at(
                    format!("/bands/{}/until", index + 1),
                    "must be later than the band before",
                ));
            }
        }
        for (index, band) in self.bands.iter().enumerate() {
            amount(faults, format!("/bands/{index}/weekday"), band.weekday);
            amount(faults, format!("/bands/{index}/weekend"), band.weekend);
        }
        for (person, delta) in [
            ("adult", self.persons.adult),
            ("teen", self.persons.teen),
            ("senior", self.persons.senior),
            ("preferential", self.persons.preferential),
        ] {
            surcharge(faults, format!("/persons/{person}"), delta);
        }
        for (category, extra) in &self.categories {
            surcharge(faults, format!("/categories/{category}"), *extra);
        }
        for (hall, extra) in &self.halls {
            surcharge(faults, format!("/halls/{hall}"), *extra);
        }
        if self.categories.is_empty() {
            faults.push(Fault::at("/categories", "must price at least one category"));
        }
    }
}

impl SessionTariff {
    fn check(&self, faults: &mut Vec<Fault>) {
        match &self.price {
            SessionPrice::Room { amount: price } => amount(faults, "/price/amount", *price),
            SessionPrice::Person { table } => {
                if table.is_empty() {
                    faults.push(Fault::at("/price/table", "must price at least one size"));
                }
                for (size, price) in table {
                    amount(faults, format!("/price/table/{size}"), *price);
                    if !(1..=GROUP_MAX).contains(size) {
                        let problem = format!("a group has 1 to {GROUP_MAX} people");
                        faults.push(Fault::at(format!("/price/table/{size}"), problem));
                    }
                }
            }
        }
        let discounts = [
            (
                "/discounts/early_bird",
                self.early_bird.as_ref().map(|early| &early.discount),
            ),
            (
                "/discounts/closing",
                self.closing.as_ref().map(|closing| &closing.discount),
            ),
        ];
        for (pointer, discount) in discounts {
            if discount.is_some_and(|discount| !discount.is_sound()) {
                faults.push(Fault::at(
                    pointer,
                    "must take off 1 to 100 percent, or an amount above 0",
                ));
            }
        }
        if let (Some(early), Some(closing)) = (&self.early_bird, &self.closing)
            && closing.from < early.before
        {
            faults.push(Fault::at(
                "/discounts/closing",
                "must not begin before the early discount ends",
            ));
        }
    }
}
