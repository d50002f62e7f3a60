//! `GET /v1/branches/{id}/days`: the seven business days that can be chosen from, beginning with today there
//! (DOMAIN C5); never a slot of them.

use aggregates::{
    business_day::{moment, on_the_wall},
    ids::{AuditoriumId, BranchId, MovieId, ThemeId, TimeSlotId},
    movie::{Movie, MovieError},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, ToSpan as _, civil::Date};
use projections::time_slot_calendar::{self, Filter};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        answer::Json,
        catalogue::known,
        fresh,
        params::{Asked, Id},
        problem::{Problem, ProblemBody},
    },
    business::Business,
    list::{DAY_BEGINS, far_away, place},
    view::{Availability, availability},
};

/// Days that are shown.
const DAYS: i64 = 7;
/// Time slots read at once.
const SLOTS_AT_ONCE: i64 = 1_000;

/// The days to choose from.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "BusinessDays")]
pub struct DaysView {
    /// Seven in a row; the first is today at the branch, which begins at 05:00 there.
    items: Vec<DayView>,
}

/// A business day of a branch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "BusinessDay")]
pub struct DayView {
    /// Which one, 05:00 to 29:00 in the branch's zone.
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// Time slots of that day, those that have begun included.
    #[schema(minimum = 0)]
    slots: u32,
    /// How many of them can be reserved now.
    #[schema(minimum = 0)]
    bookable: u32,
}

/// Which time slots count.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Counted {
    /// Only slots of this movie.
    movie: Option<MovieId>,
    /// Only slots of this theme.
    theme: Option<ThemeId>,
    /// In this auditorium.
    auditorium: Option<AuditoriumId>,
    /// Wait until the answer is as new as this log position.
    min_position: Option<i64>,
}

/// The seven business days from today at a branch, and what is on at each.
#[utoipa::path(get, path = "/v1/branches/{id}/days", tag = "catalogue", operation_id = "listBusinessDays",
    params(("id" = BranchId, Path), Counted),
    responses((status = OK, description = "Today at the branch first", body = DaysView),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found and others", body = ProblemBody)))]
pub(in super::super) async fn days(
    State(app): State<App>,
    Id(branch): Id<BranchId>,
    Asked(counted): Asked<Counted>,
) -> Result<Response, Problem> {
    let branch = place(&app, Some(branch), counted.theme, counted.auditorium).await?;
    let zone = app.zone(branch).await?;
    known::<Movie>(&app, counted.movie, MovieError::NotFound).await?;
    for model in ["time_slot_calendar", "catalogue"] {
        fresh::reached(&app, model, counted.min_position).await?;
    }
    let now = app.store.now();
    let today = on_the_wall(&zone, now).0;
    let begins = |date: Date| moment(&zone, date, DAY_BEGINS).map_err(|_| far_away());
    let dates = (0..=DAYS).map(|day| today.checked_add(day.days()).map_err(|_| far_away()));
    let dates: Vec<Date> = dates.collect::<Result<_, _>>()?;
    let mut days: Vec<DayView> = dates
        .iter()
        .take(dates.len() - 1)
        .map(|date| DayView {
            date: *date,
            slots: 0,
            bookable: 0,
        })
        .collect();
    let mut filter = Filter {
        branch: Some(branch),
        movie: counted.movie,
        theme: counted.theme,
        auditorium: counted.auditorium,
        starts_from: Some(begins(dates[0])?),
        starts_before: Some(begins(dates[dates.len() - 1])?),
        withdrawn_too: false,
        after: None,
    };
    loop {
        let slots = time_slot_calendar::time_slots(&app.reads, &filter, SLOTS_AT_ONCE).await?;
        let business = Business::of(&app.reads, &slots).await?;
        for slot in &slots {
            let date = on_the_wall(&zone, slot.plan.starts_at).0;
            let Some(day) = days.iter_mut().find(|day| day.date == date) else {
                continue;
            };
            let state = availability(slot, now, business.is_done(&slot.plan));
            day.slots += 1;
            day.bookable += u32::from(state == Availability::OnSale);
        }
        let place: Option<(Timestamp, TimeSlotId)> =
            slots.last().map(|slot| (slot.plan.starts_at, slot.time_slot));
        filter.after = place;
        if i64::try_from(slots.len()).is_ok_and(|read| read < SLOTS_AT_ONCE) {
            return Ok(Json(DaysView { items: days }).into_response());
        }
    }
}
