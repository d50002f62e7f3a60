//! The numbers of a branch, day by day: slots, places, people, money. A day is the business day on which its slots
//! begin, whenever they were sold or paid. Never tells who came.

use std::collections::BTreeMap;

use aggregates::{business_day::on_the_wall, ids::BranchId, rights::Permission};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::{ToSpan as _, civil::Date};
use projections::daily_numbers::{self, BusinessDay, Counts, Money, Show, ShowOfDay};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{
        App,
        access::Admin,
        answer::Json,
        fresh,
        params::{Asked, Day, Moment},
        problem::{Problem, ProblemBody},
        time_slots::AsOf,
    },
    List, Wrong, business_day,
    csv::{self, Cell, maybe, maybe_text, plain},
};

/// Days that are summed up at once.
pub const DAYS_MAX: usize = 92;

/// The numbers of a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumbersOfDay {
    /// Which business day, 05:00 to 29:00 in the branch's zone.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// Where.
    branch: BranchId,
    /// How many of what.
    #[serde(flatten)]
    counts: NumbersCounted,
    /// How much of what, for each currency.
    money: Vec<NumbersOfMoney>,
    /// The same for each movie or theme.
    shows: Vec<NumbersOfShow>,
}

/// The numbers of one movie or theme on a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumbersOfShow {
    /// `movie` or `theme`.
    #[schema(example = "movie")]
    kind: &'static str,
    /// Which one.
    id: Uuid,
    /// Its title or name.
    name: Option<String>,
    /// How many of what.
    #[serde(flatten)]
    counts: NumbersCounted,
    /// How much of what, for each currency.
    money: Vec<NumbersOfMoney>,
}

/// How many of what.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumbersCounted {
    /// Slots on the programme.
    slots: i64,
    /// Slots taken off the programme.
    withdrawn: i64,
    /// Places of the slots on the programme.
    capacity: i64,
    /// Places that are sold: placed, and neither cancelled nor expired since.
    sold: i64,
    /// Of a thousand places of the slots on the programme, so many are sold.
    #[schema(minimum = 0, maximum = 1000)]
    occupancy_permille: i64,
    /// People who came, come or were expected.
    people: i64,
    /// Reservations sold.
    reservations: i64,
    /// Of these, people came.
    attended: i64,
    /// Of these, nobody came.
    no_show: i64,
    /// Reservations that were placed and called off.
    cancelled: i64,
    /// Reservations that were placed and not paid in time.
    expired: i64,
}

/// How much of what, in minor units.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NumbersOfMoney {
    /// Of every amount.
    #[schema(example = "KRW")]
    currency: &'static str,
    /// Paid for what is sold.
    revenue: i64,
    /// Still to be paid for it.
    due: i64,
    /// Taken off it by coupons.
    coupons_off: i64,
    /// How many coupons.
    coupons: i64,
    /// Paid for what was cancelled or has expired; what is kept of it is another matter.
    paid_for_ended: i64,
}

impl From<Counts> for NumbersCounted {
    fn from(counts: Counts) -> Self {
        Self {
            slots: counts.slots,
            withdrawn: counts.withdrawn,
            capacity: counts.capacity,
            sold: counts.sold,
            occupancy_permille: occupancy(&counts),
            people: counts.people,
            reservations: counts.reservations,
            attended: counts.attended,
            no_show: counts.no_show,
            cancelled: counts.cancelled,
            expired: counts.expired,
        }
    }
}

const fn occupancy(counts: &Counts) -> i64 {
    if counts.capacity == 0 {
        0
    } else {
        counts.occupied.saturating_mul(1000) / counts.capacity
    }
}

fn money(money: &BTreeMap<&'static str, Money>) -> Vec<NumbersOfMoney> {
    let view = |(currency, money): (&&'static str, &Money)| NumbersOfMoney {
        currency,
        revenue: money.revenue,
        due: money.due,
        coupons_off: money.coupons_off,
        coupons: money.coupons,
        paid_for_ended: money.paid_for_ended,
    };
    money.iter().map(view).collect()
}

const fn kind_and_id(show: Show) -> (&'static str, Uuid) {
    match show {
        Show::Movie(movie) => ("movie", movie.uuid()),
        Show::Theme(theme) => ("theme", theme.uuid()),
    }
}

impl NumbersOfDay {
    fn of(branch: BranchId, day: Date, shows: Vec<ShowOfDay>) -> Self {
        let (mut counts, mut sums) = (Counts::default(), BTreeMap::<&'static str, Money>::new());
        for show in &shows {
            counts += show.counts;
            for (currency, amount) in &show.money {
                *sums.entry(currency).or_default() += *amount;
            }
        }
        let shows = shows.into_iter().map(|show| {
            let (kind, id) = kind_and_id(show.show);
            NumbersOfShow {
                kind,
                id,
                money: money(&show.money),
                name: show.name,
                counts: show.counts.into(),
            }
        });
        Self {
            day,
            branch,
            counts: counts.into(),
            money: money(&sums),
            shows: shows.collect(),
        }
    }
}

/// Which days of which branch.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The branch.
    branch: BranchId,
    /// The first business day; by default today.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-01")]
    from: Option<Day>,
    /// The last business day, at most 92 days in all; by default the first.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
    until: Option<Day>,
    /// As they were right after this log position.
    position: Option<i64>,
    /// As they were at this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Moment>,
    /// Wait until the numbers are as new as this log position.
    min_position: Option<i64>,
}

/// Which days of which branch, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// The branch.
    branch: BranchId,
    /// The first business day; by default today.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-01")]
    from: Option<Day>,
    /// The last business day, at most 92 days in all; by default the first.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
    until: Option<Day>,
    /// As they were right after this log position.
    position: Option<i64>,
    /// As they were at this moment.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Moment>,
    /// Wait until the numbers are as new as this log position.
    min_position: Option<i64>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

impl From<ToExport> for Which {
    fn from(asked: ToExport) -> Self {
        Self {
            branch: asked.branch,
            from: asked.from,
            until: asked.until,
            position: asked.position,
            at: asked.at,
            min_position: asked.min_position,
        }
    }
}

/// The read models that are summed up.
const MODELS: [&str; 2] = ["time_slot_calendar", "catalogue"];

/// The days that are asked for, each with the numbers of its shows.
async fn summed_up(app: &App, admin: &Admin, which: Which) -> Result<Vec<(Date, Vec<ShowOfDay>)>, Problem> {
    admin.may_at(Permission::SeeReservations, Some(which.branch))?;
    let zone = app.zone(which.branch).await?;
    let today = || on_the_wall(&zone, app.store.now()).0;
    let first = which.from.map_or_else(today, |Day(day)| day);
    let last = which.until.map_or(first, |Day(day)| day);
    let mut wrong = Wrong::default();
    if last < first {
        wrong.note("until", "must not lie before from");
    }
    let days: Vec<Date> = first
        .series(1.day())
        .take_while(|day| *day <= last)
        .take(DAYS_MAX + 1)
        .collect();
    if days.len() > DAYS_MAX {
        wrong.note("until", format!("must be at most {DAYS_MAX} days from from"));
    }
    let bounds = days.iter().map(|day| business_day(&zone, *day));
    let bounds = wrong.read("from", bounds.collect::<Result<Vec<_>, _>>());
    wrong.in_query()?;
    let as_of = AsOf {
        position: which.position,
        at: which.at,
        min_position: which.min_position,
    };
    let position = as_of.position(app, "daily_numbers").await?;
    for model in MODELS {
        fresh::reached(app, model, position.max(which.min_position)).await?;
    }
    let bounds = bounds.unwrap_or_default().into_iter();
    let bounds: Vec<BusinessDay> = bounds
        .map(|(from, before)| BusinessDay { from, before })
        .collect();
    let mut connection = app.reads.acquire().await?;
    let shows = daily_numbers::numbers(&mut connection, which.branch, &bounds, position).await?;
    let mut found: Vec<(Date, Vec<ShowOfDay>)> = days.into_iter().map(|day| (day, Vec::new())).collect();
    for show in shows {
        if let Some((_, of_day)) = found.get_mut(show.day) {
            of_day.push(show);
        }
    }
    Ok(found)
}

/// The numbers of a branch: each of the days, in all and for each movie or theme.
#[utoipa::path(get, path = "/v1/admin/daily-numbers", tag = "admin", operation_id = "listDailyNumbers",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Day by day", body = List<NumbersOfDay>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let branch = which.branch;
    let days = summed_up(&app, &admin, which).await?;
    let items = days
        .into_iter()
        .map(|(day, shows)| NumbersOfDay::of(branch, day, shows));
    Ok(Json(List {
        items: items.collect(),
        next: None,
        total: None,
    })
    .into_response())
}

const FIELDS: [&str; 22] = [
    "day",
    "branch",
    "kind",
    "id",
    "name",
    "slots",
    "withdrawn",
    "capacity",
    "sold",
    "occupancy_permille",
    "people",
    "reservations",
    "attended",
    "no_show",
    "cancelled",
    "expired",
    "currency",
    "revenue",
    "due",
    "coupons_off",
    "coupons",
    "paid_for_ended",
];

/// The same as comma-separated values (RFC 4180): one line for each movie or theme of a day, so that no line sums up others.
/// A show sold in several currencies has a line more for each, without the counts.
#[utoipa::path(get, path = "/v1/admin/daily-numbers.csv", tag = "admin", operation_id = "exportDailyNumbers",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody)))]
pub(super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let (branch, bom) = (which.branch, which.bom.unwrap_or_default());
    let days = summed_up(&app, &admin, which.into()).await?;
    let lines: Vec<Vec<Cell>> = days
        .into_iter()
        .flat_map(|(day, shows)| shows.into_iter().flat_map(move |show| lines(branch, day, show)))
        .collect();
    // Days and shows are few: all of them are one part.
    csv::file::<(), _, _>("daily-numbers", &admin, &FIELDS, bom, move |_| {
        let lines = lines.clone();
        async move { Ok((lines, None)) }
    })
    .await
}

fn lines(branch: BranchId, day: Date, show: ShowOfDay) -> Vec<Vec<Cell>> {
    let (kind, id) = kind_and_id(show.show);
    let c = show.counts;
    let counted = [
        c.slots,
        c.withdrawn,
        c.capacity,
        c.sold,
        occupancy(&c),
        c.people,
        c.reservations,
        c.attended,
        c.no_show,
        c.cancelled,
        c.expired,
    ];
    let mut money: Vec<Option<NumbersOfMoney>> = self::money(&show.money).into_iter().map(Some).collect();
    if money.is_empty() {
        money.push(None);
    }
    let line = |(nth, money): (usize, Option<NumbersOfMoney>)| {
        let mut line = vec![
            plain(day),
            plain(branch),
            plain(kind),
            plain(id),
            maybe_text(show.name.clone()),
        ];
        line.extend(counted.iter().map(|count| maybe((nth == 0).then_some(count))));
        let amounts = money.as_ref();
        line.push(maybe(amounts.map(|money| money.currency)));
        let amount = |of: fn(&NumbersOfMoney) -> i64| maybe(amounts.map(of));
        line.extend([
            amount(|money| money.revenue),
            amount(|money| money.due),
            amount(|money| money.coupons_off),
            amount(|money| money.coupons),
            amount(|money| money.paid_for_ended),
        ]);
        line
    };
    money.into_iter().enumerate().map(line).collect()
}
