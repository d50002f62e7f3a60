//! `POST /v1/admin/schedules/batch`: many screenings at once, or what would be made (DOMAIN C4); translates and never decides.

use aggregates::{
    auditorium::Auditorium,
    business_day::on_the_wall,
    event::Event,
    fault::Fault,
    ids::{AuditoriumId, MovieId, PricePolicyId, TimeSlotId},
    rights::Permission,
    schedule::ScheduleEvent,
    theme::SalesOpening,
    time_slot::{Adjustment, Plan, TimeSlotEvent},
    values::WallTime,
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App,
    access::Admin,
    answer::Done,
    body::{Sendable, Sent, refuse},
    caller::Caller,
    idempotency::Key,
    problem::{Problem, ProblemBody},
};
use crate::{
    programme::{BATCH_SLOTS_MAX, Batch, Batched, Planned, Starts, schedule_batch},
    store::Committed,
};

/// What belongs to schedules.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(batch))
}

/// Screenings of one movie in one auditorium: at `starts`, or at all `times` of all `days`.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct ScheduleBatch {
    /// Where.
    auditorium: AuditoriumId,
    /// Which movie.
    movie: MovieId,
    /// The layout version; the latest, if left out.
    #[serde(default)]
    layout_version: Option<u32>,
    /// What they cost.
    price_policy: PricePolicyId,
    /// In which version; the one in effect on each day, if left out.
    #[serde(default)]
    price_version: Option<u32>,
    /// The moments they begin; 200 at most.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200)]
    starts: Option<Vec<Timestamp>>,
    /// Business days; 200 slots at most, times and days together.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 200, example = json!(["2026-12-24", "2026-12-25"]))]
    days: Option<Vec<Date>>,
    /// Times on the wall of these days, 05:00 to 29:00.
    #[serde(default)]
    #[schema(max_items = 200)]
    times: Option<Vec<WallTime>>,
    /// Minutes for cleaning after each, if more than usual in this auditorium.
    #[serde(default)]
    #[schema(maximum = 600)]
    cleaning_minutes: Option<u16>,
    /// When their sales open; six days before at 05:00, if left out.
    #[serde(default)]
    opens: Option<SalesOpening>,
    /// Seats one customer may take, 1 to 8; 8, if left out.
    #[serde(default)]
    seats_per_customer_max: Option<u8>,
    /// How they are sold, as far as that is not as usual.
    #[serde(default)]
    terms: Option<Adjustment>,
    /// Only tell what would be made.
    #[serde(default)]
    dry_run: bool,
}

/// Days before the business day on which sales of a screening open, unless said otherwise (DOMAIN C5).
const OPENS_USUALLY: SalesOpening = SalesOpening {
    days_ahead: 6,
    time: WallTime::START,
};
/// Minutes of cleaning at most.
const CLEANING_MAX: u16 = 600;

impl Sendable for ScheduleBatch {
    const EXAMPLE: &'static str = r#"{"auditorium":"0192d3a0-0000-7000-8000-000000000004",
        "movie":"0192d3a0-0000-7000-8000-000000000005","price_policy":"0192d3a0-0000-7000-8000-000000000003",
        "days":["2026-12-24","2026-12-25"],"times":["10:00","13:00","25:10"],"cleaning_minutes":20,
        "opens":{"days_ahead":6,"time":"10:00"},"terms":{"orphan_rule":"lenient","cancel_minutes":30},"dry_run":true}"#;

    fn bounds() -> Vec<(&'static str, std::ops::RangeInclusive<u16>)> {
        vec![
            ("/cleaning_minutes", 0..=CLEANING_MAX),
            ("/seats_per_customer_max", 1..=8),
        ]
    }
}

impl ScheduleBatch {
    /// When; or what is wrong with how that is said.
    fn when(&self) -> Result<Starts, Vec<Fault>> {
        let starts = match (&self.starts, &self.days, &self.times) {
            (Some(starts), None, None) => Starts::Moments(starts.clone()),
            (None, Some(days), Some(times)) => Starts::Days {
                days: days.clone(),
                times: times.clone(),
            },
            (Some(_), _, _) => {
                return Err(vec![Fault::at("/starts", "must stand without days and times")]);
            }
            (None, None, Some(_)) => return Err(vec![Fault::at("/days", "is missing, with times")]),
            (None, Some(_), None) => return Err(vec![Fault::at("/times", "is missing, with days")]),
            (None, None, None) => {
                return Err(vec![Fault::at("/starts", "is missing, or days and times are")]);
            }
        };
        let place = match starts {
            Starts::Moments(_) => "/starts",
            Starts::Days { .. } => "/times",
        };
        if (1..=BATCH_SLOTS_MAX).contains(&starts.count()) {
            Ok(starts)
        } else {
            let problem = format!("must make 1 to {BATCH_SLOTS_MAX} time slots");
            Err(vec![Fault::at(place, problem)])
        }
    }

    fn read(&self) -> Result<Batch, Problem> {
        let mut faults = Vec::new();
        let starts = self.when().unwrap_or_else(|wrong| {
            faults.extend(wrong);
            Starts::Moments(Vec::new())
        });
        if self
            .cleaning_minutes
            .is_some_and(|minutes| minutes > CLEANING_MAX)
        {
            let problem = format!("must be a whole number from 0 to {CLEANING_MAX}");
            faults.push(Fault::at("/cleaning_minutes", problem));
        }
        let opens = self.opens.unwrap_or(OPENS_USUALLY);
        if let Err(error) = opens.sound() {
            faults.extend(aggregates::refusal::Refusal::faults(&error));
        }
        refuse(faults)?;
        Ok(Batch {
            auditorium: self.auditorium,
            movie: self.movie,
            layout_version: self.layout_version,
            price_policy: self.price_policy,
            price_version: self.price_version,
            starts,
            cleaning_minutes: self.cleaning_minutes,
            opens,
            seats_per_customer_max: self.seats_per_customer_max,
            terms: self.terms.unwrap_or_default(),
        })
    }
}

/// The time slots of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ScheduledBatch")]
pub struct BatchView {
    /// Whether they were not made, because only that was asked.
    dry_run: bool,
    /// Each of them, in the order of the request.
    slots: Vec<BatchSlot>,
}

/// A time slot that was made, or would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BatchSlot {
    /// Which one, if it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<TimeSlotId>,
    /// The business day it belongs to.
    #[schema(value_type = String, format = Date)]
    business_date: Date,
    /// When it begins, on the wall of that day.
    starts: WallTime,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// When it ends, without cleaning.
    #[schema(value_type = String, format = DateTime)]
    ends_at: Timestamp,
    /// When the auditorium is ready for the next.
    #[schema(value_type = String, format = DateTime)]
    ready_at: Timestamp,
    /// When its sales open.
    #[schema(value_type = String, format = DateTime)]
    sales_open_at: Timestamp,
    /// The frozen version of its prices.
    price_version: u32,
    /// How many seats it sells.
    capacity: u32,
}

impl BatchSlot {
    fn of(id: Option<TimeSlotId>, plan: &Plan, ready_at: Timestamp, zone: &TimeZone) -> Self {
        let (business_date, starts) = on_the_wall(zone, plan.starts_at);
        Self {
            id,
            business_date,
            starts,
            starts_at: plan.starts_at,
            ends_at: plan.ends_at,
            ready_at,
            sales_open_at: plan.sales_open_at,
            price_version: plan.price_version,
            capacity: plan.show.capacity(),
        }
    }
}

/// Schedules many screenings at once: all of them, or none, and then every start in the way is named.
#[utoipa::path(post, path = "/v1/admin/schedules/batch", tag = "admin", operation_id = "scheduleBatch",
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again, it is answered with the same slots")),
    security(("admin" = [])),
    request_body = ScheduleBatch,
    responses((status = CREATED, description = "All of them", body = BatchView),
              (status = OK, description = "What would be made", body = BatchView),
              (status = NOT_FOUND, description = "auditorium/not-found, movie/not-found and others", body = ProblemBody),
              (status = CONFLICT, description = "schedule/batch-refused: errors names each start", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemBody)))]
pub(super) async fn batch(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(body): Sent<ScheduleBatch>,
) -> Result<Response, Problem> {
    let auditorium = app.store.read::<Auditorium>(&body.auditorium).await?;
    let branch = auditorium
        .built()
        .map_err(|error| Problem::refused(&error))?
        .branch;
    admin.may_at(Permission::ChangeSlots, Some(branch))?;
    let batch = body.read()?;
    let zone = app.zone(branch).await?;
    let key = key.bind(app.store.vault(), admin.scope(), &("schedules/batch", &body))?;
    let request = caller.request(admin.actor(), "schedules/batch", key);
    let done = schedule_batch(&app.store, &request, &batch, body.dry_run).await?;
    Ok(match done {
        Batched::Made(committed) => Done {
            status: StatusCode::CREATED,
            ..Done::ok(&committed, made(&committed, &zone))
        }
        .into_response(),
        Batched::Possible(planned) => Done {
            status: StatusCode::OK,
            position: app.store.feed().position(),
            repeated: false,
            location: None,
            body: possible(&planned, &zone),
        }
        .into_response(),
    })
}

fn possible(planned: &[Planned], zone: &TimeZone) -> BatchView {
    let slots = planned
        .iter()
        .map(|slot| BatchSlot::of(None, &slot.plan, slot.ready_at, zone));
    BatchView {
        dry_run: true,
        slots: slots.collect(),
    }
}

/// What the events say that were appended, the same for a repeat.
fn made(committed: &Committed, zone: &TimeZone) -> BatchView {
    let ready_at = |id: TimeSlotId| {
        committed.events.iter().find_map(|recorded| {
            let Event::Schedule(ScheduleEvent::Entered {
                time_slot, ends_at, ..
            }) = &recorded.event
            else {
                return None;
            };
            (*time_slot == id).then_some(*ends_at)
        })
    };
    let slots = committed.events.iter().filter_map(|recorded| {
        let Event::TimeSlot(TimeSlotEvent::Scheduled { plan }) = &recorded.event else {
            return None;
        };
        let id: TimeSlotId = recorded.stream.id.parse().ok()?;
        Some(BatchSlot::of(
            Some(id),
            plan,
            ready_at(id).unwrap_or(plan.ends_at),
            zone,
        ))
    });
    BatchView {
        dry_run: false,
        slots: slots.collect(),
    }
}
