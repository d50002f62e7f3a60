//! Reads a chain of cinemas: movies, prices, auditoriums and their weekly programme; never a time slot.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use aggregates::{
    branch::BranchKind,
    business_day::Weekday,
    fault::Node,
    layout::Layout,
    movie::{Film, RUNNING_TIME_MAX},
    pricing::{Band, PersonDeltas, ScreeningTariff, Tariff},
    time_slot::{CANCEL_MINUTES_DEFAULT, CANCEL_MINUTES_MAX, POOL_MINUTES_MAX},
    values::{Category, Currency, Name, Title, WallTime},
};

use super::{
    catalogue::{At, Cinema, CinemaChain, Room, Screening},
    files::stem,
    premises::{self, ENTRIES_MAX, Unique, any, weekday},
};
use crate::timetable::Seating;

/// Finds the hall a node names.
type LayoutOf<'a> = &'a mut dyn FnMut(&Node<'_>) -> Option<(Name, Arc<Layout>)>;

/// The widest amount a file may name; a tariff bounds it further.
const AMOUNTS: std::ops::RangeInclusive<i64> = -1_000_000_000..=1_000_000_000;

pub(super) fn read(root: &Node<'_>, layout_of: LayoutOf<'_>) -> Option<CinemaChain> {
    root.only(&[
        "chain",
        "movies",
        "price_policy",
        "cinemas",
        "cancellation_policy",
        "seating",
    ]);
    let chain = root.field("chain", Node::text);
    let mut titles = Unique::default();
    let mut running = BTreeMap::new();
    let movies = root.field("movies", |movies| {
        movies.each(ENTRIES_MAX, |movie| {
            titles.check_field(movie, "title");
            Some(At::new(movie.pointer(), film(movie, &mut running)?))
        })
    });
    let mut known = Named {
        running: root.get("movies").map(|_| running),
        categories: None,
    };
    let tariff = root.field("price_policy", |policy| {
        known.categories = policy.get("categories").map(|categories| priced(&categories));
        Some(At::new(policy.pointer(), screening_tariff(policy)?))
    });
    let cancel_minutes = root.maybe("cancellation_policy", cancel_minutes);
    let seating = root.maybe("seating", seating);
    let mut names = Unique::default();
    let cinemas = root.field("cinemas", |cinemas| {
        cinemas.each(ENTRIES_MAX, |node| {
            let cinema = cinema(node, layout_of, &known);
            names.check_field(node, "name");
            cinema
        })
    });
    check_halls(root);
    Some(CinemaChain {
        chain: chain?,
        tariff: tariff.map(|tariff| At {
            pointer: tariff.pointer,
            value: Arc::new(tariff.value),
        })?,
        cancel_minutes: cancel_minutes?.unwrap_or(CANCEL_MINUTES_DEFAULT),
        seating: seating?.unwrap_or_default(),
        cinemas: cinemas?,
        movies: movies?,
    })
}

/// A price for a kind of hall must be for one that an auditorium of the file has, however faulty that is otherwise.
fn check_halls(root: &Node<'_>) -> Option<()> {
    let prices = root.get("price_policy")?.get("halls")?;
    let cinemas = root.get("cinemas")?.value().as_array()?;
    let rooms = cinemas
        .iter()
        .filter_map(|cinema| cinema.get("auditoriums")?.as_array());
    let layouts = rooms.flatten().filter_map(|room| room.get("layout")?.as_str());
    let built: BTreeSet<Name> = layouts.filter_map(|path| stem(Path::new(path)).ok()).collect();
    for (hall, price) in prices.entries() {
        if let Ok(hall) = hall.parse::<Name>()
            && !built.contains(&hall)
        {
            price.fault(format!("no auditorium of the file has the hall {hall}"));
        }
    }
    Some(())
}

/// What the parts of a file name in each other; known also where what is named has faults of its own.
struct Named {
    /// The movies, and how long each runs, as far as that is known; none, if the file has no list of them.
    running: Option<BTreeMap<Title, Option<u16>>>,
    /// The categories of seats that have a price; none, if the file has no list of them.
    categories: Option<BTreeSet<Category>>,
}

/// The categories a price list names.
fn priced(categories: &Node<'_>) -> BTreeSet<Category> {
    let prices = categories.value().as_object();
    let names = prices.into_iter().flat_map(serde_json::Map::keys);
    names.filter_map(|name| name.parse().ok()).collect()
}

fn film(movie: &Node<'_>, running: &mut BTreeMap<Title, Option<u16>>) -> Option<Film> {
    movie.only(&[
        "title",
        "director",
        "running_time_minutes",
        "rating",
        "description",
        "poster_url",
    ]);
    let title = movie.field("title", Node::text);
    let director = movie.maybe("director", Node::text);
    let description = movie.maybe("description", Node::text);
    let poster_url = movie.maybe("poster_url", Node::text);
    let running_time_minutes = movie.field("running_time_minutes", |minutes| {
        minutes.integer(1..=RUNNING_TIME_MAX.into())
    });
    let rating = movie.field("rating", Node::text);
    if let Some(title) = &title {
        running.insert(Title::clone(title), running_time_minutes);
    }
    Some(Film {
        title: title?,
        director: director?,
        description: description?,
        poster_url: poster_url?,
        running_time_minutes: running_time_minutes?,
        rating: rating?,
    })
}

fn screening_tariff(policy: &Node<'_>) -> Option<Tariff> {
    policy.only(&[
        "currency",
        "persons",
        "bands",
        "weekend_days",
        "holidays",
        "categories",
        "halls",
    ]);
    let currency = policy.field("currency", currency);
    let persons = policy.field("persons", persons);
    let bands = policy.field("bands", |bands| bands.each(ENTRIES_MAX, band));
    let weekend_days = policy.maybe("weekend_days", |days| days.each(7, weekday));
    let holidays = policy.maybe("holidays", |dates| dates.each(ENTRIES_MAX, Node::text));
    let categories = policy.field("categories", amounts::<Category>);
    let halls = policy.maybe("halls", amounts::<Name>);
    let weekend = || vec![Weekday::Saturday, Weekday::Sunday];
    let parts = (
        currency.is_some() && persons.is_some() && bands.is_some() && categories.is_some(),
        weekend_days.is_some() && holidays.is_some() && halls.is_some(),
    );
    // What was not understood is at fault already; the rest is checked as far as it goes.
    let tariff = Tariff::Screening(ScreeningTariff {
        currency: currency.unwrap_or(Currency::KRW),
        persons: persons.unwrap_or_default(),
        bands: bands.unwrap_or_else(any_band),
        weekend_days: weekend_days
            .flatten()
            .unwrap_or_else(weekend)
            .into_iter()
            .collect(),
        holidays: holidays.flatten().unwrap_or_default().into_iter().collect(),
        categories: categories.unwrap_or_else(any_category),
        halls: halls.flatten().unwrap_or_default(),
    });
    tariff.faults().iter().for_each(|fault| policy.nested(fault));
    (parts == (true, true)).then_some(tariff)
}

/// In the place of bands that were not understood.
fn any_band() -> Vec<Band> {
    let band = |name| Band {
        name,
        until: WallTime::END,
        weekday: 0,
        weekend: 0,
    };
    any().map(band).into_iter().collect()
}

/// In the place of categories that were not understood.
fn any_category() -> BTreeMap<Category, i64> {
    any().map(|name| (name, 0)).into_iter().collect()
}

/// An ISO 4217 code.
pub(super) fn currency(node: &Node<'_>) -> Option<Currency> {
    let currency = node.value().as_str().and_then(Currency::from_code);
    if currency.is_none() {
        node.fault("must be the code of a currency, for example KRW");
    }
    currency
}

fn persons(node: &Node<'_>) -> Option<PersonDeltas> {
    node.only(&["adult", "teen", "senior", "preferential"]);
    let [adult, teen, senior, preferential] = ["adult", "teen", "senior", "preferential"]
        .map(|person| node.field(person, |delta| delta.integer(AMOUNTS)));
    Some(PersonDeltas {
        adult: adult?,
        teen: teen?,
        senior: senior?,
        preferential: preferential?,
    })
}

fn band(node: &Node<'_>) -> Option<Band> {
    node.only(&["name", "until", "weekday", "weekend"]);
    let name = node.field("name", Node::text);
    let until = node.field("until", Node::text);
    let weekday = node.field("weekday", |price| price.integer(AMOUNTS));
    let weekend = node.field("weekend", |price| price.integer(AMOUNTS));
    Some(Band {
        name: name?,
        until: until?,
        weekday: weekday?,
        weekend: weekend?,
    })
}

/// Amounts by name.
fn amounts<K: std::str::FromStr<Err: std::fmt::Display> + Ord>(node: &Node<'_>) -> Option<BTreeMap<K, i64>> {
    let amount = |(key, amount): (&str, Node<'_>)| {
        let name = key
            .parse()
            .map_err(|error: K::Err| amount.fault(format!("its name {error}")))
            .ok();
        Some((name?, amount.integer(AMOUNTS)?))
    };
    let amounts: Vec<Option<(K, i64)>> = node.entries().into_iter().map(amount).collect();
    amounts.into_iter().collect()
}

/// The tier customers can use by themselves. The other tiers are checked, and kept by the counter.
fn cancel_minutes(policy: &Node<'_>) -> Option<u16> {
    policy.only(&["tiers"]);
    let tiers = policy.field("tiers", |tiers| {
        tiers.each(ENTRIES_MAX, |tier| {
            tier.only(&["until_minutes_before", "refund_percent", "channel"]);
            let minutes = tier.field("until_minutes_before", |minutes| {
                minutes.integer::<u16>(0..=CANCEL_MINUTES_MAX.into())
            });
            let percent = tier.field("refund_percent", |percent| percent.integer::<u8>(0..=100));
            let channel: Option<String> = tier.field("channel", Node::text);
            let online = match channel.as_deref() {
                Some("online") => Some(true),
                Some("counter") => Some(false),
                Some(_) => {
                    tier.get("channel")?.fault("must be online or counter");
                    None
                }
                None => None,
            };
            percent?;
            Some((minutes?, online?))
        })
    })?;
    let online = tiers
        .into_iter()
        .filter(|(_, online)| *online)
        .map(|(minutes, _)| minutes)
        .min();
    if online.is_none() {
        policy.fault("must have a tier for the channel online");
    }
    online
}

/// Which seats may be chosen together; what is left out is as usual.
fn seating(node: &Node<'_>) -> Option<Seating> {
    node.only(&["orphan_rule", "pool_minutes"]);
    let orphan_rule = node.maybe("orphan_rule", Node::text);
    let pool_minutes = node.maybe("pool_minutes", |m| m.integer(0..=POOL_MINUTES_MAX.into()));
    let usual = Seating::default();
    Some(Seating {
        orphan_rule: orphan_rule?.unwrap_or(usual.orphan_rule),
        pool_minutes: pool_minutes?.unwrap_or(usual.pool_minutes),
    })
}

fn cinema(node: &Node<'_>, layout_of: LayoutOf<'_>, known: &Named) -> Option<Cinema> {
    node.only(&[&premises::FIELDS[..], &["auditoriums", "schedule"]].concat());
    let premises = premises::read(node, BranchKind::Cinema);
    let mut names = Unique::default();
    // How long each auditorium is cleaned, as far as that is known.
    let mut cleaning = BTreeMap::new();
    let auditoriums = node.field("auditoriums", |rooms| {
        rooms.each(ENTRIES_MAX, |node| {
            let room = room(node, layout_of, known, &mut cleaning);
            names.check_field(node, "name");
            Some(At::new(node.pointer(), room?))
        })
    });
    let cleaning = node.get("auditoriums").map(|_| cleaning);
    let mut week = Week::default();
    let screenings = node.field("schedule", |schedule| {
        schedule.each(ENTRIES_MAX, |node| {
            let (auditorium, movie, screening) = screening(node);
            let unknown = |field, problem: String| {
                if let Some(field) = node.get(field) {
                    field.fault(problem);
                }
            };
            let cleaned = auditorium.zip(cleaning.as_ref()).and_then(|(name, rooms)| {
                if !rooms.contains_key(&name) {
                    unknown("auditorium", format!("the cinema has no auditorium {name}"));
                }
                rooms.get(&name).copied().flatten()
            });
            let minutes = movie.zip(known.running.as_ref()).and_then(|(title, movies)| {
                if !movies.contains_key(&title) {
                    unknown("movie", format!("the file has no movie {title}"));
                }
                movies.get(&title).copied().flatten()
            });
            let screening = screening?;
            week.enter(node, &screening, minutes? + cleaned?);
            Some(screening)
        })
    });
    Some(Cinema {
        premises: premises?,
        auditoriums: auditoriums?,
        screenings: screenings?,
    })
}

fn room(
    node: &Node<'_>,
    layout_of: LayoutOf<'_>,
    known: &Named,
    cleaning: &mut BTreeMap<Name, Option<u16>>,
) -> Option<Room> {
    node.only(&["name", "layout", "cleaning_minutes", "seating"]);
    let name = node.field("name", Node::text);
    let found = node.field("layout", |path| layout_of(path));
    let cleaning_minutes = node.field("cleaning_minutes", |m| {
        m.integer(0..=aggregates::auditorium::CLEANING_MAX.into())
    });
    let seating = node.maybe("seating", seating);
    if let Some(name) = &name {
        cleaning.insert(Name::clone(name), cleaning_minutes);
    }
    let (hall, layout) = found?;
    if let Some(priced) = &known.categories {
        let categories: BTreeSet<&Category> = layout.seats().map(|seat| &seat.category).collect();
        for category in categories
            .into_iter()
            .filter(|category| !priced.contains(*category))
        {
            node.get("layout")?.fault(format!(
                "the price policy has no price for its category {category}"
            ));
        }
    }
    Some(Room {
        name: name?,
        hall,
        layout,
        cleaning_minutes: cleaning_minutes?,
        seating: seating?,
    })
}

/// What is shown where, as far as it is understood, and the whole of it.
fn screening(node: &Node<'_>) -> (Option<Name>, Option<Title>, Option<Screening>) {
    node.only(&["auditorium", "movie", "starts", "weekdays"]);
    let auditorium: Option<Name> = node.field("auditorium", Node::text);
    let movie: Option<Title> = node.field("movie", Node::text);
    let starts = node.field("starts", |starts| {
        let time: WallTime = starts.text()?;
        if time < WallTime::START || time >= WallTime::END {
            starts.fault("must be within the business day, 05:00 to 29:00");
        }
        Some(time)
    });
    let days = node.field("weekdays", |days| match days.value().as_str() {
        Some("daily") => Some(Weekday::ALL.to_vec()),
        Some(_) => {
            days.fault("must be daily or a list of days");
            None
        }
        None => days.each(7, weekday),
    });
    let whole = (|| {
        Some(Screening {
            auditorium: auditorium.clone()?,
            movie: movie.clone()?,
            starts: starts?,
            days: days?.into_iter().collect(),
        })
    })();
    (auditorium, movie, whole)
}

/// What is shown when in each auditorium, in minutes since Monday's midnight.
#[derive(Default)]
struct Week(BTreeMap<Name, Vec<(i32, i32, String)>>);

const WEEK_MINUTES: i32 = 7 * 24 * 60;

impl Week {
    /// Enters a screening that keeps its auditorium for so many minutes, unless another one is in the way.
    fn enter(&mut self, node: &Node<'_>, screening: &Screening, minutes: u16) {
        let entries = self.0.entry(screening.auditorium.clone()).or_default();
        for (index, day) in (0_i32..)
            .zip(Weekday::ALL)
            .filter(|(_, day)| screening.days.contains(day))
        {
            let from = index * 24 * 60 + i32::from(screening.starts.minutes());
            let length = i32::from(minutes);
            // A week is a circle: Sunday night meets Monday morning.
            let clash = entries.iter().find(|(other, other_length, _)| {
                (from - other).rem_euclid(WEEK_MINUTES) < *other_length
                    || (other - from).rem_euclid(WEEK_MINUTES) < length
            });
            if let Some((_, _, other)) = clash {
                return node.fault(format!(
                    "overlaps {other} on {day}, running time and cleaning included"
                ));
            }
            entries.push((from, length, node.pointer().to_owned()));
        }
    }
}
