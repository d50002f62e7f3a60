//! `POST /v1/check-ins` and `…/batch`: scanned tickets, one by one or many at once from devices that had no network;
//! never decides who is let in.

use std::ops::RangeInclusive;

use aggregates::{
    fault::Fault,
    ids::{BranchId, ReservationId, TimeSlotId},
    rights::Permission,
    values::{Name, SeatLabel},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::{
    App,
    access::Admin,
    answer::{Done, Json},
    body::{Sendable, Sent, SentByStaff, refuse},
    caller::Caller,
    idempotency::Key,
    problem::{Problem, ProblemBody, title},
};
use crate::{
    booking::{Arrival, Refused, Scan},
    store::{Committed, Request, Stop},
    ticket::Ticket,
};

/// Scans that are told at once at most.
const SCANS_MAX: usize = 500;
/// How many of them are worked on at the same time.
const AT_ONCE_MAX: usize = 16;

/// A ticket that was scanned.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the field is called so in JSON")]
#[schema(example = Self::example)]
pub struct Scanned {
    /// What the scanner read.
    #[schema(max_length = 1024)]
    code: String,
    /// When it was scanned; now, if left out. Not more than 7 days ago.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    scanned_at: Option<Timestamp>,
    /// Which device scanned it, in the branch's own words.
    #[serde(default)]
    device: Option<Name>,
    /// At the door of which branch; any of one's own, if left out.
    #[serde(default)]
    branch: Option<BranchId>,
}

impl Sendable for Scanned {
    const EXAMPLE: &'static str =
        r#"{"code":"AZ86Abw","scanned_at":"2026-12-24T09:50:00Z","device":"9관 입구"}"#;
}

/// Tickets that were scanned.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "scans": [{ "code": "AZ86Abw", "scanned_at": "2026-12-24T09:50:00Z" }] }))]
pub struct Scans {
    /// All of them, in any order.
    #[schema(min_items = 1, max_items = 500)]
    scans: Vec<Scanned>,
}

impl Sendable for Scans {
    const EXAMPLE: &'static str = r#"{"scans":[{"code":"AZ86Abw","scanned_at":"2026-12-24T09:50:00Z"}]}"#;
}

/// What became of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScanOutcome)]
pub enum Outcome {
    /// They are in, by this scan.
    CheckedIn,
    /// They were in already.
    Already,
    /// They are not let in.
    Refused,
}

/// Somebody who is in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "CheckIn")]
pub struct CheckInView {
    /// By this scan or already.
    outcome: Outcome,
    /// The reservation.
    reservation: ReservationId,
    /// The time slot.
    time_slot: TimeSlotId,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// How many people come.
    people: u8,
    /// Their seats.
    seats: Vec<SeatLabel>,
    /// When they came.
    #[schema(value_type = String, format = DateTime)]
    checked_in_at: Timestamp,
    /// Who let them in: the id of an admin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    checked_in_by: Option<String>,
    /// By which device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    device: Option<Name>,
}

impl CheckInView {
    fn of(ticket: Ticket, arrival: Arrival) -> Self {
        Self {
            outcome: if arrival.by_this {
                Outcome::CheckedIn
            } else {
                Outcome::Already
            },
            reservation: ticket.reservation,
            time_slot: ticket.time_slot,
            starts_at: ticket.starts_at,
            people: ticket.people,
            seats: ticket.seats,
            checked_in_at: arrival.at,
            checked_in_by: arrival.by,
            device: arrival.device,
        }
    }
}

/// What became of one scan of many.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ScanOutcome")]
pub struct OutcomeView {
    /// The scan's place in the list, from 0.
    index: usize,
    /// What became of it.
    outcome: Outcome,
    /// Who is in, unless they were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    check_in: Option<CheckInView>,
    /// Why they were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<ReasonView>,
}

/// Why a scan was refused.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ScanRefusal")]
pub struct ReasonView {
    /// The type of the problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/ticket/superseded")]
    kind: String,
    /// The same in words.
    title: String,
    /// What happened.
    detail: String,
    /// What can be done.
    help: &'static str,
}

/// What became of many scans.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "ScanOutcomes")]
pub struct OutcomesView {
    /// One for each, in the order of the scans.
    outcomes: Vec<OutcomeView>,
}

/// Checks the code and lets them in, or says why not.
async fn admit(
    app: &App,
    admin: &Admin,
    request: &Request,
    scanned: &Scanned,
) -> Result<Result<(Committed, CheckInView), Refused>, Problem> {
    let ticket = match app.ticket_keys.verify(&scanned.code).await? {
        Ok(ticket) => ticket,
        Err(error) => return Ok(Err(error.into())),
    };
    let scan = Scan {
        ticket,
        at: scanned.scanned_at,
        device: scanned.device.clone(),
        branch: scanned.branch,
    };
    let may = |branch| admin.authority().at(Permission::ChangeReservations, Some(branch));
    match app.bookings.admit(request, &scan, may).await {
        Ok((committed, arrival)) => Ok(Ok((committed, CheckInView::of(scan.ticket, arrival)))),
        Err(Stop::Refused(refused)) => Ok(Err(refused)),
        Err(Stop::Store(error)) => Err(error.into()),
    }
}

/// Lets in whoever has a ticket.
#[utoipa::path(post, path = "/v1/check-ins", tag = "admin", operation_id = "checkInByTicket",
    description = "A second scan of the same ticket is no fault: it is answered with `already`, when and by whom they were let \
        in. A scan sent again with the same `scanned_at` and `device` is answered as the first time.",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = Scanned, security(("admin" = [])),
    responses((status = OK, description = "They are in", body = CheckInView),
              (status = NOT_FOUND, description = "ticket/unknown", body = ProblemBody),
              (status = CONFLICT, description = "ticket/other-branch, ticket/other-day, reservation/too-early, reservation/not-paid, reservation/no-show and others", body = ProblemBody),
              (status = GONE, description = "ticket/superseded, reservation/cancelled, reservation/expired, reservation/over", body = ProblemBody),
              (status = UNPROCESSABLE_ENTITY, description = "ticket/unreadable, ticket/wrong-signature, ticket/unknown-key and others", body = ProblemBody)))]
pub(in super::super) async fn check_in(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    key: Key,
    Sent(scanned): Sent<Scanned>,
) -> Result<Response, Problem> {
    let key = key.bind(app.store.vault(), admin.scope(), &("check-ins", &scanned))?;
    let request = caller.request(admin.actor(), "check-ins/scan", key);
    let (committed, view) = admit(&app, &admin, &request, &scanned).await??;
    Ok(Done::ok(&committed, view).into_response())
}

/// Lets in whoever was scanned a while ago.
#[utoipa::path(post, path = "/v1/check-ins/batch", tag = "admin", operation_id = "checkInByTickets",
    description = "For devices that had no network: each scan is judged by its own moment and has its own outcome. Sent again, \
        in whatever order, nobody is let in twice and each scan is answered as before. Who was marked as no-show after they \
        were scanned had come: the no-show is withdrawn.",
    request_body = Scans, security(("admin" = [])),
    responses((status = OK, description = "What became of each", body = OutcomesView),
              (status = UNAUTHORIZED, description = "Not signed in", body = ProblemBody)))]
pub(in super::super) async fn check_in_all(
    State(app): State<App>,
    admin: Admin,
    caller: Caller,
    SentByStaff(Scans { scans }): SentByStaff<Scans>,
) -> Result<Response, Problem> {
    let many: RangeInclusive<usize> = 1..=SCANS_MAX;
    if !many.contains(&scans.len()) {
        let problem = format!("must have 1 to {SCANS_MAX} scans, has {}", scans.len());
        refuse(vec![Fault::at("/scans", problem)])?;
    }
    let (app, admin, caller) = (&app, &admin, &caller);
    let outcomes = stream::iter(scans.into_iter().enumerate())
        .map(|(index, scanned)| async move {
            // Each is a unit of work of its own.
            let request = Request {
                request_id: uuid::Uuid::now_v7(),
                ..caller.request(admin.actor(), "check-ins/batch", None)
            };
            let told = match admit(app, admin, &request, &scanned).await? {
                Ok((_, view)) => OutcomeView {
                    index,
                    outcome: view.outcome,
                    check_in: Some(view),
                    reason: None,
                },
                Err(refused) => OutcomeView {
                    index,
                    outcome: Outcome::Refused,
                    check_in: None,
                    reason: Some(reason(&refused)),
                },
            };
            Ok::<_, Problem>(told)
        })
        .buffered(AT_ONCE_MAX)
        .try_collect()
        .await?;
    Ok(Json(OutcomesView { outcomes }).into_response())
}

fn reason(refused: &Refused) -> ReasonView {
    let refusal = refused.refusal();
    ReasonView {
        kind: format!("/problems/{}", refusal.slug()),
        title: title(refusal.slug()),
        detail: refusal.to_string(),
        help: refusal.help(),
    }
}
