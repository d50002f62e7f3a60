//! `/v1/admin/closing-days`: what stands on a day or in a slot that shall do no business, and what becomes of it (DOMAIN E3).
//! Each reservation is one append of its own; never decides what a rule says.

mod view;

use aggregates::{
    branch::{Branch, BranchCommand},
    business_day::moment,
    fault::Fault,
    ids::{BranchId, ReservationId, TimeSlotId},
    reservation::Canceller,
    rights::Permission,
    time_slot::{TimeSlot, TimeSlotCommand},
    values::{Note, WallTime},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use projections::reservation_list::{self, Filter, Part, Stage, Standing};
use serde::{Deserialize, Serialize};
use smol_str::ToSmolStr as _;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::view::{CalledOff, Handlings, Kept, Offered, PreviewView, Progress, SlotView};

use super::{
    App,
    access::Admin,
    answer::Json,
    body::{Sendable, Sent, refuse},
    caller::Caller,
    fresh,
    params::Day,
    problem::{Problem, ProblemBody},
    problems,
};
use crate::{
    admin_commands,
    booking::Answer,
    store::{Precondition, Request, Trace},
};

/// Slots that are listed at most: more than any branch has on one day.
const SLOTS_MAX: i64 = 2_000;
/// Reservations that one request works on at most.
const UNITS_MAX: i64 = 100;
/// How many of them at the same time.
const AT_ONCE_MAX: usize = 8;

/// What belongs to closing days.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(preview))
        .routes(routes!(carry_out))
}

/// A day of a branch, or one time slot.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "ClosingDay")]
#[schema(example = Self::example)]
pub struct Preview {
    /// The branch, with `date`.
    #[serde(default)]
    branch: Option<BranchId>,
    /// The business day.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Day>,
    /// One time slot alone, without `branch` and `date`.
    #[serde(default)]
    time_slot: Option<TimeSlotId>,
}

impl Sendable for Preview {
    const EXAMPLE: &'static str = r#"{"branch":"0192d3a0-0000-7000-8000-000000000001","date":"2026-12-25"}"#;
}

/// What becomes of the reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// They stay as they are; only nothing new comes in.
    Keep,
    /// The branch calls them off, and what was paid is due in full.
    Cancel,
    /// Until a deadline their holders may move them, or cancel and owe nothing.
    OfferReschedule,
}

/// A day of a branch or one time slot, and what becomes of what stands there.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "ClosingDayToCarryOut")]
#[schema(example = Self::example)]
pub struct CarryOut {
    /// The branch, with `date`.
    #[serde(default)]
    branch: Option<BranchId>,
    /// The business day.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    date: Option<Day>,
    /// One time slot alone, without `branch` and `date`.
    #[serde(default)]
    time_slot: Option<TimeSlotId>,
    /// What becomes of the reservations.
    handling: Handling,
    /// The deadline of an offer to reschedule.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why, in the words of staff.
    #[serde(default)]
    reason: Option<Note>,
    /// Where the last answer ended: its `next`. Left out, it begins anew; what was done is not done twice.
    #[serde(default)]
    next: Option<ReservationId>,
}

impl Sendable for CarryOut {
    const EXAMPLE: &'static str = r#"{"branch":"0192d3a0-0000-7000-8000-000000000001","date":"2026-12-25",
        "handling":"offer_reschedule","until":"2026-12-20T00:00:00Z","reason":"정전"}"#;
}

/// Tells what stands on a day or in a slot, and what each handling would do; changes nothing.
#[utoipa::path(post, path = "/v1/admin/closing-days/preview", tag = "admin", operation_id = "previewClosingDay",
    security(("admin" = [])),
    request_body = Preview,
    responses((status = OK, description = "What stands there", body = PreviewView),
              (status = NOT_FOUND, description = "branch/not-found, time-slot/not-found", body = ProblemBody)))]
pub(super) async fn preview(
    State(app): State<App>,
    admin: Admin,
    Sent(body): Sent<Preview>,
) -> Result<Response, Problem> {
    let place = Place::of(&app, (body.branch, body.date, body.time_slot)).await?;
    admin.may_at(Permission::SeeReservations, Some(place.branch()))?;
    let part = place.part(&app).await?;
    settled(&app, app.store.feed().position()).await?;
    let slots = reservation_list::standing(&app.reads, &part, SLOTS_MAX).await?;
    let due_back = reservation_list::due_back(&app.reads, &part).await?;
    let sum = |of: fn(&Standing) -> i64| slots.iter().map(of).sum::<i64>();
    let (held, unpaid, paid) = (
        sum(|slot| slot.held),
        sum(|slot| slot.unpaid),
        sum(|slot| slot.paid),
    );
    let reservations = unpaid + paid;
    let view = PreviewView {
        held,
        unpaid,
        paid,
        handlings: Handlings {
            keep: Kept { reservations },
            cancel: CalledOff {
                reservations,
                due_back: due_back.clone(),
            },
            offer_reschedule: Offered {
                reservations,
                due_back_max: due_back,
            },
        },
        slots: slots.into_iter().map(SlotView::of).collect(),
    };
    Ok(Json(view).into_response())
}

/// Closes a day or a slot, and handles what stands there, some reservations with each request until none are left. A repeat
/// does nothing.
#[utoipa::path(post, path = "/v1/admin/closing-days/carry-out", tag = "admin", operation_id = "carryOutClosingDay",
    security(("admin" = [])),
    request_body = CarryOut,
    responses((status = OK, description = "How far it is", body = Progress),
              (status = NOT_FOUND, description = "branch/not-found, time-slot/not-found", body = ProblemBody),
              (status = CONFLICT, description = "branch/too-many-closing-days", body = ProblemBody),
              (status = GONE, description = "branch/closed, time-slot/withdrawn", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemBody)))]
pub(super) async fn carry_out(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    Sent(body): Sent<CarryOut>,
) -> Result<Response, Problem> {
    let place = Place::of(&app, (body.branch, body.date, body.time_slot)).await?;
    for permission in [Permission::ChangeBranches, Permission::ChangeReservations] {
        admin.may_at(permission, Some(place.branch()))?;
    }
    let task = Task::of(body.handling, body.until, app.store.now())?;
    let part = place.part(&app).await?;
    let request = Request {
        if_match: Precondition::None,
        ..caller.request(admin.actor(), "closing-days/carry-out", None)
    };
    // First of all nothing new comes in; from then on the reservations there are can only become fewer.
    let closed = place.close(&app, &request, &admin, body.reason.as_ref()).await?;
    settled(&app, closed).await?;
    let mut progress = Progress {
        handling: body.handling,
        handled: 0,
        unchanged: 0,
        refused: Vec::new(),
        left: 0,
        next: None,
        position: closed,
    };
    if task == Task::Keep {
        progress.unchanged =
            usize::try_from(reservation_list::left(&app.reads, &part, None).await?).unwrap_or(usize::MAX);
        return Ok(Json(progress).into_response());
    }
    let ids = page(&app, &part, body.next).await?;
    let reason = body.reason.as_ref();
    let units = stream::iter(ids.iter().copied()).map(|id| {
        let (app, request) = (&app, &request);
        async move {
            // Each is a unit of work of its own, under what they have in common.
            let request = Request {
                request_id: Uuid::now_v7(),
                correlation_id: request
                    .correlation_id
                    .clone()
                    .or_else(|| Some(request.request_id.to_smolstr())),
                trace: Trace::default(),
                ..request.clone()
            };
            (id, task.run(app, &request, id, reason).await)
        }
    });
    let answers: Vec<(ReservationId, Answer)> = units.buffered(AT_ONCE_MAX).collect().await;
    for (id, answer) in answers {
        progress.add(id, answer)?;
    }
    if let Some(last) = ids.last() {
        progress.left = reservation_list::left(&app.reads, &part, Some(*last)).await?;
        progress.next = (progress.left > 0).then_some(*last);
    }
    Ok(Json(progress).into_response())
}

/// What is done to each reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Keep,
    Cancel,
    Offer(Timestamp),
}

impl Task {
    fn of(handling: Handling, until: Option<Timestamp>, now: Timestamp) -> Result<Self, Problem> {
        let wrong = |problem| refuse(vec![Fault::at("/until", problem)]);
        match (handling, until) {
            (Handling::Keep, None) => Ok(Self::Keep),
            (Handling::Cancel, None) => Ok(Self::Cancel),
            (Handling::OfferReschedule, Some(until)) if until > now => Ok(Self::Offer(until)),
            (Handling::OfferReschedule, Some(_)) => wrong("must not be past").map(|()| Self::Keep),
            (Handling::OfferReschedule, None) => {
                wrong("is missing: an offer has a deadline").map(|()| Self::Keep)
            }
            (Handling::Keep | Handling::Cancel, Some(_)) => {
                wrong("goes with offer_reschedule only").map(|()| Self::Keep)
            }
        }
    }

    async fn run(self, app: &App, request: &Request, id: ReservationId, reason: Option<&Note>) -> Answer {
        let reason = reason.cloned();
        match self {
            Self::Keep | Self::Cancel => app.bookings.cancel(request, id, Canceller::Branch, reason).await,
            Self::Offer(until) => app.bookings.offer_reschedule(request, id, until, reason).await,
        }
    }
}

/// What is closed.
#[derive(Debug, Clone, Copy)]
enum Place {
    Day(BranchId, Day),
    Slot(BranchId, TimeSlotId, Timestamp),
}

impl Place {
    async fn of(
        app: &App,
        said: (Option<BranchId>, Option<Day>, Option<TimeSlotId>),
    ) -> Result<Self, Problem> {
        match said {
            (Some(branch), Some(date), None) => Ok(Self::Day(branch, date)),
            (None, None, Some(id)) => {
                let slot = app.store.read::<TimeSlot>(&id).await?;
                let plan = slot.plan().map_err(|error| Problem::refused(&error))?;
                Ok(Self::Slot(plan.branch, id, plan.starts_at))
            }
            (branch, date, Some(_)) => {
                let beside = [(branch.is_some(), "/branch"), (date.is_some(), "/date")];
                let beside = beside.into_iter().filter(|(said, _)| *said);
                let faults = beside.map(|(_, place)| Fault::at(place, "must not stand beside time_slot"));
                Err(super::body::invalid(&faults.collect::<Vec<_>>()))
            }
            (branch, date, None) => {
                let missing = [(branch.is_none(), "/branch"), (date.is_none(), "/date")];
                let missing = missing.into_iter().filter(|(missing, _)| *missing);
                let faults = missing.map(|(_, place)| Fault::at(place, "is missing, or time_slot is"));
                Err(super::body::invalid(&faults.collect::<Vec<_>>()))
            }
        }
    }

    const fn branch(self) -> BranchId {
        match self {
            Self::Day(branch, _) | Self::Slot(branch, ..) => branch,
        }
    }

    /// Its slots.
    async fn part(self, app: &App) -> Result<Part, Problem> {
        match self {
            Self::Day(branch, Day(date)) => {
                let zone = app.zone(branch).await?;
                let far = |_| Problem::new(&problems::INVALID_FIELDS, "the date is out of range");
                let next = date.checked_add(1.day()).map_err(far)?;
                Ok(Part {
                    branch,
                    time_slot: None,
                    starts_from: moment(&zone, date, WallTime::START).map_err(far)?,
                    starts_before: moment(&zone, next, WallTime::START).map_err(far)?,
                })
            }
            Self::Slot(branch, id, starts_at) => Ok(Part {
                branch,
                time_slot: Some(id),
                starts_from: starts_at,
                starts_before: starts_at
                    .checked_add(SignedDuration::from_secs(1))
                    .unwrap_or(Timestamp::MAX),
            }),
        }
    }

    /// From now on nothing is sold there; answers the position of the log at which that is so.
    async fn close(
        self,
        app: &App,
        request: &Request,
        by: &Admin,
        reason: Option<&Note>,
    ) -> Result<i64, Problem> {
        let (reason, by) = (reason.cloned(), by.authority());
        let committed = match self {
            Self::Day(branch, Day(date)) => {
                let close = BranchCommand::CloseOn { date, reason };
                admin_commands::send::<Branch>(&app.store, request, by, &branch, &close).await?
            }
            Self::Slot(_, slot, _) => {
                let close = TimeSlotCommand::Close { reason };
                admin_commands::send::<TimeSlot>(&app.store, request, by, &slot, &close).await?
            }
        };
        Ok(committed.position.max(app.store.feed().position()))
    }
}

/// Waits until the lists show everything up to a position.
async fn settled(app: &App, position: i64) -> Result<(), Problem> {
    for model in ["reservation_list", "time_slot_calendar", "catalogue"] {
        fresh::reached(app, model, Some(position)).await?;
    }
    Ok(())
}

/// The next reservations to be handled, the newest first.
async fn page(app: &App, part: &Part, after: Option<ReservationId>) -> Result<Vec<ReservationId>, Problem> {
    let filter = Filter {
        time_slot: part.time_slot,
        branch: Some(part.branch),
        starts_from: Some(part.starts_from),
        starts_before: Some(part.starts_before),
        stages: vec![Stage::Placed],
        ..Filter::default()
    };
    let mut connection = app.reads.acquire().await?;
    let entries = reservation_list::reservations(&mut connection, &filter, after, UNITS_MAX).await?;
    Ok(entries.into_iter().map(|entry| entry.reservation).collect())
}
