//! Reads a chain of escape-room shops and their themes; never a time slot.
//!
//! What a theme leaves out is as DOMAIN E2 has it: a party of 1 to 6, the form begins with 2; sales open six days ahead, at
//! the time of the theme's first slot.

use std::{collections::BTreeMap, sync::Arc};

use aggregates::{
    Decider as _,
    branch::BranchKind,
    business_day::Weekday,
    fault::Node,
    ids::{BranchId, PricePolicyId},
    pricing::{Closing, Discount, EarlyBird, SessionPrice, SessionTariff, Tariff},
    refusal::Refusal as _,
    theme::{
        DAYS_AHEAD_MAX, DURATION_MAX, Game, PARTY_MAX, PartyRange, SalesOpening, Theme, ThemeCommand,
        WeeklyTemplate,
    },
    values::{AMOUNT_MAX, Currency, Name, WallTime},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    catalogue::{At, Play, Shop},
    cinemas::currency,
    premises::{self, ENTRIES_MAX, Unique, any},
};

/// The party of a theme that does not say (DOMAIN E2).
const PARTY_DEFAULT: PartyRange = PartyRange {
    min: 1,
    max: PARTY_MAX,
    default: 2,
};
/// Days before a slot on which sales of it open, of a theme that does not say (DOMAIN E2).
const DAYS_AHEAD_DEFAULT: u16 = 6;
/// The most sessions of one theme on one day.
const SLOTS_MAX: usize = 100;

pub(super) fn read(root: &Node<'_>) -> Option<Vec<Shop>> {
    root.only(&["chain", "branches"]);
    let chain: Option<Name> = root.field("chain", Node::text);
    let mut branches = Unique::default();
    // Unique over all branches (DOMAIN E2).
    let mut themes = Unique::default();
    let shops = root.field("branches", |list| {
        list.each(ENTRIES_MAX, |node| {
            node.only(&[&premises::FIELDS[..], &["themes"]].concat());
            let premises = premises::read(node, BranchKind::EscapeRoom);
            branches.check_field(node, "name");
            let plays = node.field("themes", |list| {
                list.each(ENTRIES_MAX, |node| {
                    let play = play(node);
                    themes.check_field(node, "name");
                    Some(At::new(node.pointer(), play?))
                })
            });
            Some(Shop {
                premises: premises?,
                themes: plays?,
            })
        })
    });
    chain?;
    shops
}

fn play(node: &Node<'_>) -> Option<Play> {
    node.only(&[
        "name",
        "price",
        "currency",
        "party",
        "duration_minutes",
        "turnover_minutes",
        "opens",
        "discounts",
        "active",
        "slots",
    ]);
    let name = node.field("name", Node::text);
    let (tariff, price) = tariff(node);
    let party = node
        .maybe("party", party)
        .map(|party| party.unwrap_or(PARTY_DEFAULT));
    let duration_minutes = node.field("duration_minutes", |m| m.integer(1..=DURATION_MAX.into()));
    let turnover_minutes = node.field("turnover_minutes", |m| m.integer(0..=DURATION_MAX.into()));
    let opens = node.maybe("opens", opens);
    let slots = node.field("slots", slots);
    let opens = opens.map(|opens| {
        let (days_ahead, time) = opens.unwrap_or((DAYS_AHEAD_DEFAULT, None));
        let time = time.or_else(|| slots.as_ref().and_then(first_start));
        SalesOpening {
            days_ahead,
            time: time.unwrap_or(WallTime::START),
        }
    });
    let active = node.maybe("active", Node::truth);
    if let (Some(SessionPrice::Person { table }), Some(party)) = (&price, party)
        && let Some(size) = (party.min..=party.max).find(|size| !table.contains_key(size))
    {
        node.get("price")?
            .get("table")?
            .fault(format!("has no price for a party of {size}"));
    }
    if let Some(party) = party {
        possible(node, ThemeCommand::Regroup { party });
    }
    if let Some(opens) = opens {
        possible(node, ThemeCommand::MoveOpening { opens });
    }
    if let Some(slots) = slots.clone() {
        // Where a length is missing, the starts are checked with the shortest one.
        let retime = ThemeCommand::Retime {
            duration_minutes: duration_minutes.unwrap_or(1),
            turnover_minutes: turnover_minutes.unwrap_or(0),
            slots,
        };
        possible(node, retime);
    }
    Some(Play {
        name: name?,
        tariff: Arc::new(tariff?),
        party: party?,
        duration_minutes: duration_minutes?,
        turnover_minutes: turnover_minutes?,
        opens: opens?,
        slots: slots?,
        active: active?.unwrap_or_default(),
    })
}

/// Whether the rule of a theme would take this part, whatever the other parts are.
fn possible(node: &Node<'_>, command: ThemeCommand) {
    let Some(name) = any() else { return };
    let theme = Theme::Inactive(Game {
        branch: BranchId::new(Uuid::nil()),
        name,
        price_policy: PricePolicyId::new(Uuid::nil()),
        party: PARTY_DEFAULT,
        duration_minutes: 1,
        turnover_minutes: 0,
        opens: SalesOpening {
            days_ahead: 0,
            time: WallTime::START,
        },
        slots: WeeklyTemplate::default(),
    });
    if let Err(error) = theme.decide(command, Timestamp::UNIX_EPOCH) {
        error.faults().iter().for_each(|fault| node.nested(fault));
    }
}

impl Play {
    /// The theme at this branch, under this price policy.
    pub fn game(&self, branch: BranchId, price_policy: PricePolicyId) -> Game {
        Game {
            branch,
            name: self.name.clone(),
            price_policy,
            party: self.party,
            duration_minutes: self.duration_minutes,
            turnover_minutes: self.turnover_minutes,
            opens: self.opens,
            slots: self.slots.clone(),
        }
    }
}

/// What it costs, and its prices alone where the rest has faults.
fn tariff(node: &Node<'_>) -> (Option<Tariff>, Option<SessionPrice>) {
    let currency = node.field("currency", currency);
    let price = node.field("price", price);
    let discounts = node.maybe("discounts", |discounts| {
        discounts.only(&["early_bird", "closing"]);
        let early_bird = discounts.maybe("early_bird", |early| {
            early.only(&["before", "rate_percent", "amount"]);
            let (before, discount) = (early.field("before", Node::text), discount(early));
            Some(EarlyBird {
                before: before?,
                discount: discount?,
            })
        });
        let closing = discounts.maybe("closing", |closing| {
            closing.only(&["from", "rate_percent", "amount"]);
            let (from, discount) = (closing.field("from", Node::text), discount(closing));
            Some(Closing {
                from: from?,
                discount: discount?,
            })
        });
        Some((early_bird?, closing?))
    });
    // What was not understood is at fault already; the rest is checked as far as it goes.
    let whole = currency.is_some() && price.is_some() && discounts.is_some();
    let (early_bird, closing) = discounts.flatten().unwrap_or_default();
    let tariff = Tariff::Session(SessionTariff {
        currency: currency.unwrap_or(Currency::KRW),
        price: price.clone().unwrap_or(SessionPrice::Room { amount: 0 }),
        early_bird,
        closing,
    });
    tariff.faults().iter().for_each(|fault| node.nested(fault));
    (whole.then_some(tariff), price)
}

fn discount(node: &Node<'_>) -> Option<Discount> {
    let percent = node.maybe("rate_percent", |percent| percent.integer(1..=100));
    let amount = node.maybe("amount", |amount| amount.integer(1..=AMOUNT_MAX));
    match (percent?, amount?) {
        (Some(percent), None) => Some(Discount::Rate { percent }),
        (None, Some(amount)) => Some(Discount::Amount { amount }),
        (Some(_), Some(_)) | (None, None) => {
            node.fault("must have either rate_percent or amount");
            None
        }
    }
}

fn price(node: &Node<'_>) -> Option<SessionPrice> {
    let per: String = node.field("per", Node::text)?;
    match per.as_str() {
        "room" => {
            node.only(&["per", "amount"]);
            Some(SessionPrice::Room {
                amount: node.field("amount", |amount| amount.integer(0..=AMOUNT_MAX))?,
            })
        }
        "person" => {
            node.only(&["per", "table"]);
            Some(SessionPrice::Person {
                table: node.field("table", table)?,
            })
        }
        _ => {
            node.get("per")?.fault("must be room or person");
            None
        }
    }
}

fn table(node: &Node<'_>) -> Option<BTreeMap<u8, i64>> {
    let row = |(size, price): (&str, Node<'_>)| {
        let people = size
            .parse()
            .ok()
            .filter(|people| (1..=PARTY_MAX).contains(people) && size.len() == 1);
        if people.is_none() {
            price.fault(format!(
                "is for a party of {size}; a party has 1 to {PARTY_MAX} people"
            ));
        }
        let price = price.integer(0..=AMOUNT_MAX);
        Some((people?, price?))
    };
    let rows: Vec<Option<(u8, i64)>> = node.entries().into_iter().map(row).collect();
    rows.into_iter().collect()
}

fn party(node: &Node<'_>) -> Option<PartyRange> {
    node.only(&["min", "max", "default"]);
    let size = |node: &Node<'_>| node.integer(1..=PARTY_MAX.into());
    let (min, max) = (node.maybe("min", size), node.maybe("max", size));
    let default = node.maybe("default", size);
    let (min, max) = (
        min?.unwrap_or(PARTY_DEFAULT.min),
        max?.unwrap_or(PARTY_DEFAULT.max),
    );
    if default.is_none() && min > max {
        node.get("max")?.fault("must not be below min");
    }
    Some(PartyRange {
        min,
        max,
        default: default?.unwrap_or(PARTY_DEFAULT.default),
    })
}

/// How many days ahead, and at what time, if it says so.
fn opens(node: &Node<'_>) -> Option<(u16, Option<WallTime>)> {
    node.only(&["days_ahead", "time"]);
    let days_ahead = node.maybe("days_ahead", |days| days.integer(0..=DAYS_AHEAD_MAX.into()));
    let time = node.maybe("time", Node::text);
    Some((days_ahead?.unwrap_or(DAYS_AHEAD_DEFAULT), time?))
}

/// The theme's own time, as long as it is one of the calendar day.
fn first_start(slots: &WeeklyTemplate) -> Option<WallTime> {
    let starts = Weekday::ALL.into_iter().flat_map(|day| slots.starts_on(day));
    starts.filter(|start| start.minutes() < 24 * 60).min()
}

/// A list for every day, or a list by day of the week.
fn slots(node: &Node<'_>) -> Option<WeeklyTemplate> {
    let starts = |list: &Node<'_>| {
        let mut starts = Unique::default();
        list.each(SLOTS_MAX, |start| {
            let time: WallTime = start.text()?;
            starts.check(start);
            Some(time)
        })
    };
    if node.value().is_array() {
        return Some(WeeklyTemplate::daily(starts(node)?));
    }
    let days = Weekday::ALL.map(|day| day.to_string());
    node.only(&days.each_ref().map(String::as_str));
    let week = Weekday::ALL.map(|day| (day, node.maybe(&day.to_string(), starts)));
    let mut entries = Vec::new();
    for (day, starts) in week {
        entries.extend(starts?.unwrap_or_default().into_iter().map(|start| (day, start)));
    }
    Some(WeeklyTemplate::weekly(entries))
}
