//! The slots of a day at a branch, as whoever works there needs them: who comes, who has paid, what is left; never
//! changes them.

use aggregates::{
    business_day::on_the_wall,
    ids::{AuditoriumId, BranchId, MovieId, ThemeId, TimeSlotId},
    rights::Permission,
    time_slot::Show,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use projections::{
    daily_numbers::{self, SlotNumbers},
    time_slot_calendar::{self, Filter, Label, Slot, SlotState},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Admin,
        fresh,
        pages::{self, LIMIT_MAX},
        params::{Asked, Day, Moment},
        problem::{Problem, ProblemBody},
    },
    List, Wrong, business_day,
    csv::{self, Cell, maybe, maybe_text, plain},
    page,
};

/// A slot of the day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TimeSlotOfDay {
    /// Which one.
    id: TimeSlotId,
    /// Where.
    branch: BranchId,
    /// `on_sale`, `closed` or `withdrawn`.
    #[schema(value_type = String, example = "on_sale")]
    state: SlotState,
    /// The business day it belongs to.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// Which movie, in a cinema.
    movie: Option<MovieId>,
    /// Which theme, in an escape room.
    theme: Option<ThemeId>,
    /// The title of the movie or the name of the theme.
    show_name: Option<String>,
    /// In which auditorium, in a cinema.
    auditorium: Option<AuditoriumId>,
    /// Its name.
    auditorium_name: Option<String>,
    /// Places in all.
    capacity: i64,
    /// Places nobody has and anybody may hold.
    free: i64,
    /// Places held, not placed yet.
    held: i64,
    /// Places reserved.
    reserved: i64,
    /// Places off sale.
    blocked: i64,
    /// Of the reserved places, those that are paid.
    paid: i64,
    /// Of the reserved places, those that are not paid.
    unpaid: i64,
    /// Of the reserved places, those whose people came.
    attended: i64,
    /// Of the reserved places, those whose people did not come.
    no_show: i64,
    /// Reservations that have the reserved places.
    reservations: i64,
}

impl TimeSlotOfDay {
    fn of(slot: &Slot, label: Option<&Label>, zone: &TimeZone, numbers: SlotNumbers) -> Self {
        let (movie, auditorium, theme) = match slot.plan.show {
            Show::Movie {
                movie, auditorium, ..
            } => (Some(movie), Some(auditorium), None),
            Show::Theme { theme, .. } => (None, None, Some(theme)),
        };
        let capacity = i64::from(slot.plan.show.capacity());
        let gone = numbers.held + numbers.reserved + numbers.blocked;
        let show_name = label.and_then(|label| label.movie.clone().or_else(|| label.theme.clone()));
        Self {
            id: slot.time_slot,
            branch: slot.plan.branch,
            state: slot.state,
            day: on_the_wall(zone, slot.plan.starts_at).0,
            starts_at: slot.plan.starts_at,
            ends_at: slot.plan.ends_at,
            movie,
            theme,
            show_name,
            auditorium,
            auditorium_name: label.and_then(|label| label.auditorium.clone()),
            capacity,
            free: (capacity - gone).max(0),
            held: numbers.held,
            reserved: numbers.reserved,
            blocked: numbers.blocked,
            paid: numbers.paid,
            unpaid: numbers.unpaid,
            attended: numbers.attended,
            no_show: numbers.no_show,
            reservations: numbers.reservations,
        }
    }

    fn line(self, zone: &TimeZone) -> Vec<Cell> {
        let [starts_at, starts_at_utc] = csv::moment(Some(self.starts_at), zone);
        let [ends_at, ends_at_utc] = csv::moment(Some(self.ends_at), zone);
        vec![
            plain(self.id),
            plain(self.branch),
            plain(self.state.as_str()),
            plain(self.day),
            starts_at,
            starts_at_utc,
            ends_at,
            ends_at_utc,
            maybe(self.movie),
            maybe(self.theme),
            maybe_text(self.show_name),
            maybe(self.auditorium),
            maybe_text(self.auditorium_name),
            plain(self.capacity),
            plain(self.free),
            plain(self.held),
            plain(self.reserved),
            plain(self.blocked),
            plain(self.paid),
            plain(self.unpaid),
            plain(self.attended),
            plain(self.no_show),
            plain(self.reservations),
        ]
    }
}

const FIELDS: [&str; 23] = [
    "id",
    "branch",
    "state",
    "day",
    "starts_at",
    "starts_at_utc",
    "ends_at",
    "ends_at_utc",
    "movie",
    "theme",
    "show_name",
    "auditorium",
    "auditorium_name",
    "capacity",
    "free",
    "held",
    "reserved",
    "blocked",
    "paid",
    "unpaid",
    "attended",
    "no_show",
    "reservations",
];

/// Which slots.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// At this branch.
    branch: BranchId,
    /// On this business day, 05:00 to 29:00 in the branch's zone; by default today.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-24")]
    day: Option<Day>,
    /// Only slots of this movie.
    movie: Option<MovieId>,
    /// Only slots of this theme.
    theme: Option<ThemeId>,
    /// Only those in this auditorium.
    auditorium: Option<AuditoriumId>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Slots on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// Which slots, and how they are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ToExport {
    /// At this branch.
    branch: BranchId,
    /// On this business day, 05:00 to 29:00 in the branch's zone; by default today.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-24")]
    day: Option<Day>,
    /// Only slots of this movie.
    movie: Option<MovieId>,
    /// Only slots of this theme.
    theme: Option<ThemeId>,
    /// Only those in this auditorium.
    auditorium: Option<AuditoriumId>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
    /// Begin with a byte order mark, by which Excel knows UTF-8.
    bom: Option<bool>,
}

/// The read models that are joined.
const MODELS: [&str; 4] = ["time_slot_calendar", "seat_map", "daily_numbers", "catalogue"];

/// The slots of a branch's day, withdrawn ones too: the zone of the branch, and which slots.
async fn day_of(
    app: &App,
    admin: &Admin,
    branch: BranchId,
    day: Option<Day>,
    min_position: Option<i64>,
) -> Result<(TimeZone, Filter), Problem> {
    admin.may_at(Permission::SeeShows, Some(branch))?;
    let zone = app.zone(branch).await?;
    let day = day.map_or_else(|| on_the_wall(&zone, app.store.now()).0, |Day(day)| day);
    let mut wrong = Wrong::default();
    let bounds = wrong.read("day", business_day(&zone, day));
    wrong.in_query()?;
    for model in MODELS {
        fresh::reached(app, model, min_position).await?;
    }
    let (starts_from, starts_before) = bounds.unzip();
    let filter = Filter {
        branch: Some(branch),
        starts_from,
        starts_before,
        withdrawn_too: true,
        ..Filter::default()
    };
    Ok((zone, filter))
}

/// The slots that fit, with how they stand.
async fn found(
    app: &App,
    zone: &TimeZone,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<TimeSlotOfDay>, Problem> {
    let slots = time_slot_calendar::time_slots(&app.reads, filter, limit).await?;
    let ids: Vec<TimeSlotId> = slots.iter().map(|slot| slot.time_slot).collect();
    let labels = time_slot_calendar::labels(&app.reads, &ids).await?;
    let numbers = daily_numbers::of_slots(&app.reads, &ids).await?;
    let view = |slot: &Slot| {
        let numbers = numbers.get(&slot.time_slot).copied().unwrap_or_default();
        TimeSlotOfDay::of(slot, labels.get(&slot.time_slot), zone, numbers)
    };
    Ok(slots.iter().map(view).collect())
}

/// The slots of one business day at a branch, with who has what of them.
#[utoipa::path(get, path = "/v1/admin/time-slots", tag = "admin", operation_id = "listTimeSlotsOfDay",
    params(Which), security(("admin" = [])),
    responses((status = OK, description = "Ordered by start", body = List<TimeSlotOfDay>),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody)))]
pub(super) async fn list(
    State(app): State<App>,
    admin: Admin,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let after = pages::behind::<(Moment, TimeSlotId)>(which.cursor.as_deref())?;
    let (zone, filter) = day_of(&app, &admin, which.branch, which.day, which.min_position).await?;
    let filter = Filter {
        movie: which.movie,
        theme: which.theme,
        auditorium: which.auditorium,
        after: after.map(|(Moment(starts_at), slot)| (starts_at, slot)),
        ..filter
    };
    let slots = found(&app, &zone, &filter, limit + 1).await?;
    let place = |slot: &TimeSlotOfDay| (slot.starts_at, slot.id);
    Ok(page(slots, limit, None, place, |slot| slot).linked(&uri))
}

/// The same as comma-separated values (RFC 4180), one line each.
#[utoipa::path(get, path = "/v1/admin/time-slots.csv", tag = "admin", operation_id = "exportTimeSlotsOfDay",
    params(ToExport), security(("admin" = [])),
    responses((status = OK, description = "The first line names the fields", body = String, content_type = "text/csv"),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found", body = ProblemBody)))]
pub(super) async fn export(
    State(app): State<App>,
    admin: Admin,
    Asked(which): Asked<ToExport>,
) -> Result<Response, Problem> {
    let (zone, filter) = day_of(&app, &admin, which.branch, which.day, which.min_position).await?;
    let filter = Filter {
        movie: which.movie,
        theme: which.theme,
        auditorium: which.auditorium,
        ..filter
    };
    let bom = which.bom.unwrap_or_default();
    csv::file("time-slots", &admin, &FIELDS, bom, move |after| {
        let filter = Filter {
            after,
            ..filter.clone()
        };
        part(app.clone(), zone.clone(), filter)
    })
    .await
}

type Place = (Timestamp, TimeSlotId);

async fn part(app: App, zone: TimeZone, filter: Filter) -> Result<csv::Part<Place>, Problem> {
    let at_once = i64::from(LIMIT_MAX);
    let slots = found(&app, &zone, &filter, at_once).await?;
    let whole = i64::try_from(slots.len()).is_ok_and(|read| read == at_once);
    let last = slots.last().map(|slot| (slot.starts_at, slot.id));
    let lines = slots.into_iter().map(|slot| slot.line(&zone));
    Ok((lines.collect(), last.filter(|_| whole)))
}
