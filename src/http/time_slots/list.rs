//! `GET /v1/time-slots`: the slots of one business day, by their start (DOMAIN C5); never one that was withdrawn.

use aggregates::{
    auditorium::{Auditorium, AuditoriumError},
    business_day::{moment, on_the_wall},
    ids::{AuditoriumId, BranchId, MovieId, ThemeId, TimeSlotId},
    movie::{Movie, MovieError},
    theme::{Theme, ThemeError},
    values::WallTime,
};
use axum::{extract::State, http::Uri, response::Response};
use jiff::ToSpan as _;
use projections::time_slot_calendar::{self, Filter};
use serde::Deserialize;

use super::{
    super::{
        App,
        catalogue::known,
        fresh,
        pages::{self, Page},
        params::{Asked, Day, Moment},
        problem::{Problem, ProblemBody},
        problems,
    },
    business::Business,
    view::TimeSlotView,
};

/// Which slots.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// At this branch; needed unless `theme` or `auditorium` says where.
    branch: Option<BranchId>,
    /// Only slots of this movie.
    movie: Option<MovieId>,
    /// Only slots of this theme.
    theme: Option<ThemeId>,
    /// In this auditorium.
    auditorium: Option<AuditoriumId>,
    /// On this business day, 05:00 to 29:00 in the branch's zone; by default the one it is there now. The seven to choose
    /// from are `GET /v1/branches/{id}/days`.
    #[param(value_type = Option<String>, format = Date, example = "2026-12-24")]
    date: Option<Day>,
    /// Where the page begins.
    cursor: Option<String>,
    /// Slots on a page, 1 to 200.
    limit: Option<u16>,
    /// Wait until the list is as new as this log position.
    min_position: Option<i64>,
}

/// The time slots of one business day.
#[utoipa::path(get, path = "/v1/time-slots", tag = "catalogue", operation_id = "listTimeSlots",
    params(Which),
    responses((status = OK, description = "Ordered by start", body = Page<TimeSlotView>),
              (status = BAD_REQUEST, description = "The query is malformed", body = ProblemBody),
              (status = NOT_FOUND, description = "branch/not-found and others", body = ProblemBody)))]
pub(in super::super) async fn list(
    State(app): State<App>,
    uri: Uri,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    let limit = pages::limit(which.limit)?;
    let after = pages::behind::<(Moment, TimeSlotId)>(which.cursor.as_deref())?;
    // From the log, so never behind: what cannot be answered is refused before anything is waited for.
    let branch = place(&app, which.branch, which.theme, which.auditorium).await?;
    let zone = app.zone(branch).await?;
    fresh::reached(&app, "time_slot_calendar", which.min_position).await?;
    fresh::reached(&app, "catalogue", which.min_position).await?;
    let now = app.store.now();
    let date = which
        .date
        .map_or_else(|| on_the_wall(&zone, now).0, |Day(date)| date);
    let from = moment(&zone, date, DAY_BEGINS).map_err(|_| far_away())?;
    let next = date.checked_add(1.day()).map_err(|_| far_away())?;
    let before = moment(&zone, next, DAY_BEGINS).map_err(|_| far_away())?;
    let filter = Filter {
        branch: Some(branch),
        movie: which.movie,
        theme: which.theme,
        auditorium: which.auditorium,
        starts_from: Some(from),
        starts_before: Some(before),
        withdrawn_too: false,
        after: after.map(|(Moment(starts_at), slot)| (starts_at, slot)),
    };
    let slots = time_slot_calendar::time_slots(&app.reads, &filter, limit + 1).await?;
    if slots.is_empty() {
        known::<Movie>(&app, which.movie, MovieError::NotFound).await?;
    }
    let ids: Vec<TimeSlotId> = slots.iter().map(|slot| slot.time_slot).collect();
    let labels = time_slot_calendar::labels(&app.reads, &ids).await?;
    let business = Business::of(&app.reads, &slots).await?;
    let place = |slot: &time_slot_calendar::Slot| (slot.plan.starts_at, slot.time_slot);
    Ok(pages::page(&uri, slots, limit, place, |slot| {
        let label = labels.get(&slot.time_slot);
        let in_business = business.is_done(&slot.plan);
        Some(TimeSlotView::of(&slot, label, &zone, now, in_business))
    }))
}

/// When a business day begins (DOMAIN C5).
pub(super) const DAY_BEGINS: WallTime = WallTime::START;

pub(super) fn far_away() -> Problem {
    Problem::new(&problems::MALFORMED_QUERY, "the date is out of range")
}

/// The branch whose day is meant. A theme or an auditorium of another branch is as unknown there as one that is not there
/// (DOMAIN C4).
pub(super) async fn place(
    app: &App,
    branch: Option<BranchId>,
    theme: Option<ThemeId>,
    auditorium: Option<AuditoriumId>,
) -> Result<BranchId, Problem> {
    let mut meant = branch;
    if let Some(theme) = theme {
        let at = app
            .store
            .read::<Theme>(&theme)
            .await?
            .game()
            .map(|game| game.branch);
        let at = at.map_err(|error| Problem::refused(&error))?;
        if *meant.get_or_insert(at) != at {
            return Err(Problem::refused(&ThemeError::NotFound));
        }
    }
    if let Some(auditorium) = auditorium {
        let hall = app.store.read::<Auditorium>(&auditorium).await?;
        let at = hall.built().map(|hall| hall.branch);
        let at = at.map_err(|error| Problem::refused(&error))?;
        if *meant.get_or_insert(at) != at {
            return Err(Problem::refused(&AuditoriumError::NotFound));
        }
    }
    meant.ok_or_else(|| {
        Problem::new(
            &problems::MALFORMED_QUERY,
            "branch, theme or auditorium is required; movie, date, cursor and limit are possible beside it",
        )
    })
}
