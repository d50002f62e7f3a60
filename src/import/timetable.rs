//! Opens sales for the coming days: makes time slots from the weekly programmes of cinemas and themes; never changes or
//! withdraws a slot that is there.
//!
//! A slot is known by its place and its start, so opening the same days again adds only what is missing.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use aggregates::{
    auditorium::{Auditorium, Hall},
    branch::Branch,
    business_day::{Weekday, moment, on_the_wall},
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ThemeId, TimeSlotId},
    movie::Movie,
    price_policy::PricePolicy,
    theme::{SalesOpening, Theme},
    time_slot::{
        CANCEL_MINUTES_DEFAULT, HOLD_CAP_MINUTES_DEFAULT, HOLD_MINUTES_DEFAULT, Plan,
        SEATS_PER_CUSTOMER_DEFAULT, Show, TimeSlot,
    },
    values::WallTime,
};
use futures_util::{StreamExt as _, stream};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use sha2::{Digest as _, Sha256};

use super::{
    ImportError, OnProgress, Progress,
    catalogue::{Catalogue, CinemaChain, Content, Screening},
    names::Names,
};
use crate::{
    administration::Denied,
    programme,
    store::{Request, Stop, Store, StoreError, UnitOfWork},
};

/// Days that can be opened at once.
pub const SALES_DAYS_MAX: u16 = 92;
/// Places whose slots are made at the same time.
const AT_ONCE: usize = 8;
/// Days of one place in one unit of work.
const UNIT_DAYS: u16 = 14;
/// Days before the business day on which sales of a screening open, as its day appears (DOMAIN C5).
const SCREENING_DAYS_AHEAD: u16 = 6;

/// What opening sales did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Opened {
    /// Time slots that were made.
    pub scheduled: usize,
    /// Time slots that were there.
    pub present: usize,
    /// Time slots that could not be made: another one of the same place is in the way.
    pub in_the_way: usize,
    /// Time slots that were not made, because their sales would only open when they have started.
    pub never_on_sale: usize,
    /// The position up to which the log holds all of it.
    pub position: i64,
}

/// Makes the time slots of the next `days` business days, today's first: of every screening of the catalogues' cinemas and
/// of every active theme. Closing days, and starts that are past, have none.
pub async fn open_sales(
    store: &Store,
    catalogues: &[Catalogue],
    days: u16,
    on_progress: OnProgress<'_>,
) -> Result<Opened, ImportError> {
    let names = Names::find(store, catalogues).await?;
    let programmes = programmes(catalogues, &names).into_iter();
    open_all(
        store,
        "import",
        programmes.map(|programme| (programme, days)).collect(),
        on_progress,
    )
    .await
}

/// Makes the time slots of active themes by their own weekly templates, as far ahead as each sells and a week at least
/// (DOMAIN E3, C5): of these themes, or of all. Without a catalogue, because a theme knows when it is played.
pub async fn open_sessions(
    store: &Store,
    policy: &'static str,
    only: Option<&[ThemeId]>,
    days: u16,
    on_progress: OnProgress<'_>,
) -> Result<Opened, ImportError> {
    let themes = store.read_all::<Theme>().await?.into_iter();
    let wanted = themes.filter(|(id, _)| only.is_none_or(|only| only.contains(id)));
    let programmes = wanted.filter_map(|(id, theme)| {
        let game = theme.active().ok()?;
        let programme = Programme {
            branch: game.branch,
            what: Shows::Sessions(id),
        };
        Some((programme, days.max(game.opens.days_ahead.saturating_add(1))))
    });
    open_all(store, policy, programmes.collect(), on_progress).await
}

/// Opens so many days of each programme, some at the same time.
async fn open_all(
    store: &Store,
    policy: &'static str,
    programmes: Vec<(Programme, u16)>,
    on_progress: OnProgress<'_>,
) -> Result<Opened, ImportError> {
    let parts: Vec<(&Programme, Range<u16>)> = programmes
        .iter()
        .flat_map(|(programme, days)| {
            let days = (*days).min(SALES_DAYS_MAX);
            (0..days)
                .step_by(UNIT_DAYS.into())
                .map(move |from| (programme, from..days.min(from + UNIT_DAYS)))
        })
        .collect();
    let total = parts.len();
    let open = |(programme, days): (&Programme, Range<u16>)| {
        let programme = programme.clone();
        async move { open_part(store, policy, &programme, days).await }
    };
    let mut results = stream::iter(parts.into_iter().map(open)).buffer_unordered(AT_ONCE);
    let mut opened = Opened::default();
    let mut done = 0;
    on_progress(Progress { done, total });
    while let Some(part) = results.next().await {
        let part = part?;
        opened.scheduled += part.scheduled;
        opened.present += part.present;
        opened.in_the_way += part.in_the_way;
        opened.never_on_sale += part.never_on_sale;
        opened.position = opened.position.max(part.position);
        done += 1;
        on_progress(Progress { done, total });
    }
    Ok(opened)
}

/// What is shown in one place.
#[derive(Debug, Clone)]
struct Programme {
    branch: BranchId,
    what: Shows,
}

#[derive(Debug, Clone)]
enum Shows {
    Screenings {
        auditorium: AuditoriumId,
        price_policy: PricePolicyId,
        cancel_minutes: u16,
        screenings: Arc<Vec<(Screening, MovieId)>>,
    },
    /// As the theme's own template says.
    Sessions(ThemeId),
}

fn programmes(catalogues: &[Catalogue], names: &Names) -> Vec<Programme> {
    let of = |catalogue: &Catalogue| match &catalogue.content {
        Content::Cinemas(chain) => screenings(chain, names),
        Content::EscapeRooms(shops) => {
            let themes = shops.iter().flat_map(|shop| {
                let branch = names.branch(&shop.premises.value.name);
                let theme = move |name| Programme {
                    branch,
                    what: Shows::Sessions(names.theme(name)),
                };
                shop.themes.iter().map(move |play| theme(&play.value.name))
            });
            themes.collect()
        }
        Content::Hall(..) => Vec::new(),
    };
    catalogues.iter().flat_map(of).collect()
}

fn screenings(chain: &CinemaChain, names: &Names) -> Vec<Programme> {
    let mut programmes = Vec::new();
    for cinema in &chain.cinemas {
        let branch = names.branch(&cinema.premises.value.name);
        let mut rooms: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for screening in &cinema.screenings {
            let movie = names.movie(&screening.movie);
            rooms
                .entry(&screening.auditorium)
                .or_default()
                .push((screening.clone(), movie));
        }
        programmes.extend(rooms.into_iter().map(|(room, screenings)| Programme {
            branch,
            what: Shows::Screenings {
                auditorium: names.auditorium(branch, room),
                price_policy: names.price_policy(&chain.chain),
                cancel_minutes: chain.cancel_minutes,
                screenings: Arc::new(screenings),
            },
        }));
    }
    programmes
}

async fn open_part(
    store: &Store,
    policy: &'static str,
    programme: &Programme,
    days: Range<u16>,
) -> Result<Opened, ImportError> {
    let counted = Mutex::new(Opened::default());
    let committed = store
        .run(&Request::system(policy, "OpenSales"), |mut unit| {
            let (counted, days) = (&counted, days.clone());
            async move {
                let opened = open_days(&mut unit, programme, days).await?;
                *counted.lock().unwrap_or_else(PoisonError::into_inner) = opened;
                Ok::<(), Stop<Denied>>(())
            }
        })
        .await?;
    let mut opened = counted.into_inner().unwrap_or_else(PoisonError::into_inner);
    opened.position = committed.position;
    Ok(opened)
}

async fn open_days(
    work: &mut UnitOfWork,
    programme: &Programme,
    days: Range<u16>,
) -> Result<Opened, Stop<Denied>> {
    let now = work.now();
    let site = work
        .load::<Branch>(&programme.branch)
        .await?
        .open()
        .map_err(Denied::stop)?
        .clone();
    let zone = site.premises.time_zone.zone();
    let (today, _) = on_the_wall(&zone, now);
    let mut opened = Opened::default();
    let mut plans = Vec::new();
    for day in days {
        let date = today.saturating_add(i64::from(day).days());
        if !site.closed_on.contains_key(&date) {
            plans.extend(programme.plans(work, &zone, date).await?);
        }
    }
    plans.retain(|plan| plan.starts_at > now);
    let ids: Vec<TimeSlotId> = plans.iter().map(slot_of).collect();
    work.load_all::<TimeSlot>(&ids).await?;
    for (id, plan) in ids.into_iter().zip(plans) {
        // One that was withdrawn is not made again.
        if *work.state::<TimeSlot>(&id) != TimeSlot::Unknown {
            opened.present += 1;
            continue;
        }
        match programme::clash(work, &plan).await? {
            Some(entry) if entry.starts_at == plan.starts_at => opened.present += 1,
            Some(_) => opened.in_the_way += 1,
            None if plan.sales_open_at >= plan.sales_close_at => opened.never_on_sale += 1,
            None => {
                programme::schedule(work, id, plan).await?;
                opened.scheduled += 1;
            }
        }
    }
    Ok(opened)
}

/// The slot for what is shown then and there: the same whoever makes it, so that nobody makes a second one.
fn slot_of(plan: &Plan) -> TimeSlotId {
    let (what, place) = match plan.show {
        Show::Movie {
            movie, auditorium, ..
        } => (movie.uuid(), auditorium.uuid()),
        Show::Theme { theme, .. } => (theme.uuid(), theme.uuid()),
    };
    let digest: [u8; 32] = Sha256::new()
        .chain_update(what)
        .chain_update(place)
        .chain_update(plan.starts_at.as_microsecond().to_be_bytes())
        .finalize()
        .into();
    let bytes = std::array::from_fn(|index| digest[index]);
    TimeSlotId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

impl Programme {
    /// What is planned for one business day, as far as it can be sold: shown, priced, and with seats.
    async fn plans(
        &self,
        work: &mut UnitOfWork,
        zone: &TimeZone,
        date: Date,
    ) -> Result<Vec<Plan>, StoreError> {
        match &self.what {
            Shows::Screenings {
                auditorium,
                price_policy,
                cancel_minutes,
                screenings,
            } => {
                let priced = work.load::<PricePolicy>(price_policy).await?.in_effect(date);
                let Some((price_version, _)) = priced else {
                    return Ok(Vec::new());
                };
                let built = work.load::<Auditorium>(auditorium).await?.built().ok();
                let Some((layout_version, layout)) = built.and_then(Hall::latest_layout) else {
                    return Ok(Vec::new());
                };
                let capacity = u32::try_from(layout.capacity()).unwrap_or(u32::MAX);
                let opens = SalesOpening {
                    days_ahead: SCREENING_DAYS_AHEAD,
                    time: WallTime::START,
                };
                let day = Day {
                    branch: self.branch,
                    zone,
                    date,
                    opens,
                    price: (*price_policy, price_version),
                };
                let mut plans = Vec::new();
                let today = Weekday::of(date);
                for (screening, movie) in screenings.iter().filter(|(shown, _)| shown.days.contains(&today)) {
                    let Ok(film) = work.load::<Movie>(movie).await?.film() else {
                        continue;
                    };
                    let show = Show::Movie {
                        movie: *movie,
                        auditorium: *auditorium,
                        layout_version,
                        capacity,
                    };
                    let plan = day.plan(screening.starts, film.running_time_minutes, show);
                    plans.extend(plan.map(|plan| Plan {
                        cancel_minutes: *cancel_minutes,
                        ..plan
                    }));
                }
                Ok(plans)
            }
            Shows::Sessions(theme) => {
                let Ok(game) = work.load::<Theme>(theme).await?.active().cloned() else {
                    return Ok(Vec::new());
                };
                let priced = work
                    .load::<PricePolicy>(&game.price_policy)
                    .await?
                    .in_effect(date);
                let Some((price_version, _)) = priced else {
                    return Ok(Vec::new());
                };
                let price = (game.price_policy, price_version);
                let day = Day {
                    branch: self.branch,
                    zone,
                    date,
                    opens: game.opens,
                    price,
                };
                let show = || Show::Theme {
                    theme: *theme,
                    party_min: game.party.min,
                    party_max: game.party.max,
                };
                let starts = game.slots.starts_on(Weekday::of(date));
                let plans = starts.filter_map(|start| day.plan(start, game.duration_minutes, show()));
                Ok(plans
                    .map(|plan| Plan {
                        seats_per_customer_max: 1,
                        ..plan
                    })
                    .collect())
            }
        }
    }
}

/// What the slots of one place on one business day have in common.
struct Day<'a> {
    branch: BranchId,
    zone: &'a TimeZone,
    date: Date,
    opens: SalesOpening,
    price: (PricePolicyId, u32),
}

impl Day<'_> {
    /// A slot that starts at this time on the wall; none, if the calendar has no such moment.
    fn plan(&self, start: WallTime, minutes: u16, show: Show) -> Option<Plan> {
        let starts_at = moment(self.zone, self.date, start).ok()?;
        Some(Plan {
            branch: self.branch,
            show,
            starts_at,
            ends_at: starts_at + i64::from(minutes).minutes(),
            sales_open_at: self.opens.moment(self.zone, self.date).ok()?,
            sales_close_at: starts_at,
            price_policy: self.price.0,
            price_version: self.price.1,
            seats_per_customer_max: SEATS_PER_CUSTOMER_DEFAULT,
            hold_minutes: HOLD_MINUTES_DEFAULT,
            hold_cap_minutes: HOLD_CAP_MINUTES_DEFAULT,
            cancel_minutes: CANCEL_MINUTES_DEFAULT,
        })
    }
}
