//! `GET /v1/time-slots/{id}`: one slot; under an auditorium it does not play in it is not found (DOMAIN C4); never who
//! has its places.

use aggregates::{
    ids::{AuditoriumId, TimeSlotId},
    time_slot::{Show, TimeSlot, TimeSlotError},
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use projections::time_slot_calendar::{self, Slot, SlotState};

use super::{
    super::{
        App,
        answer::{Json, etag},
        fresh,
        params::{Asked, Id, PathTexts},
        problem::{Problem, ProblemBody},
    },
    as_of::AsOf,
    business::Business,
    view::TimeSlotView,
};

/// One time slot, now or as it was.
#[utoipa::path(get, path = "/v1/time-slots/{id}", tag = "catalogue", operation_id = "getTimeSlot",
    params(("id" = TimeSlotId, Path), AsOf),
    responses((status = OK, description = "The time slot", body = TimeSlotView),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody)))]
pub(in super::super) async fn show(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(as_of): Asked<AsOf>,
) -> Result<Response, Problem> {
    let slot = find(&app, id, &as_of).await?;
    answer(&app, &slot, &as_of).await
}

/// One time slot of an auditorium.
#[utoipa::path(get, path = "/v1/auditoriums/{id}/time-slots/{time_slot}", tag = "catalogue",
    operation_id = "getTimeSlotOfAuditorium",
    params(("id" = AuditoriumId, Path), ("time_slot" = TimeSlotId, Path), AsOf),
    responses((status = OK, description = "The time slot", body = TimeSlotView),
              (status = NOT_FOUND, description = "No such time slot in this auditorium", body = ProblemBody)))]
pub(in super::super) async fn show_in_auditorium(
    State(app): State<App>,
    path: PathTexts,
    Asked(as_of): Asked<AsOf>,
) -> Result<Response, Problem> {
    let (asked, id): (AuditoriumId, TimeSlotId) = (path.get("id")?, path.get("time_slot")?);
    let slot = find(&app, id, &as_of).await?;
    match slot.plan.show {
        Show::Movie { auditorium, .. } if auditorium == asked => answer(&app, &slot, &as_of).await,
        Show::Movie { .. } | Show::Theme { .. } => Err(Problem::refused(&TimeSlotError::NotFound)),
    }
}

/// The slot, or why there is none.
pub(super) async fn find(app: &App, id: TimeSlotId, as_of: &AsOf) -> Result<Slot, Problem> {
    let position = as_of.position(app, "time_slot_calendar").await?;
    fresh::reached(app, "catalogue", as_of.min_position).await?;
    let slot = time_slot_calendar::time_slot(&app.reads, id, position).await?;
    slot.ok_or_else(|| Problem::refused(&TimeSlotError::NotFound))
}

async fn answer(app: &App, slot: &Slot, as_of: &AsOf) -> Result<Response, Problem> {
    let zone = app.zone(slot.plan.branch).await?;
    let labels = time_slot_calendar::labels(&app.reads, &[slot.time_slot]).await?;
    let label = labels.get(&slot.time_slot);
    let moment = as_of.moment(app).await?;
    if !as_of.is_now() {
        // What is past is told as the slot itself stood, and has no tag for If-Match: it cannot be changed.
        return Ok(Json(TimeSlotView::of(slot, label, &zone, moment, true)).into_response());
    }
    // The tag and what it stands for come from one place: the read model may be a step behind the log.
    let (state, sequence) = app.store.read_with_sequence::<TimeSlot>(&slot.time_slot).await?;
    let slot = Slot {
        state: match &*state {
            TimeSlot::OnSale(_) => SlotState::OnSale,
            TimeSlot::Closed(_) => SlotState::Closed,
            TimeSlot::Withdrawn(_) => SlotState::Withdrawn,
            TimeSlot::Unknown => return Err(Problem::refused(&TimeSlotError::NotFound)),
        },
        ..slot.clone()
    };
    let in_business = Business::of(&app.reads, std::slice::from_ref(&slot))
        .await?
        .is_done(&slot.plan);
    let mut response = Json(TimeSlotView::of(&slot, label, &zone, moment, in_business)).into_response();
    response.headers_mut().insert(header::ETAG, etag(sequence));
    Ok(response)
}
