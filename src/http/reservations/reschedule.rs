//! `POST /v1/reservations/{id}/reschedule`: moves a placed reservation to another slot or other seats, at once or not
//! at all; never decides what it costs.

use std::ops::RangeInclusive;

use aggregates::{
    fault::Fault,
    ids::{ReservationId, TimeSlotId},
    pricing::{Party, Persons},
    reservation::Canceller,
    values::SeatLabel,
};
use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::Holder,
        body::{Sendable, Sent, refuse},
        caller::Caller,
        idempotency::Key,
        problem::{Problem, ProblemBody},
    },
    hold::bounds,
    view::{ReservationView, after},
};
use crate::booking::{Places, Wanted};

/// Where to move it; what is left out stays as it is: the same seats by their labels, the same people.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "time_slot": "0192d3a0-0000-7000-8000-000000000001", "seats": ["C7", "C8"] }))]
pub struct Reschedule {
    /// To which slot of the same branch; it may be the one it is in.
    time_slot: TimeSlotId,
    /// These seats, by their labels.
    #[serde(default)]
    #[schema(max_items = 8)]
    seats: Option<Vec<SeatLabel>>,
    /// This many of the best free seats, side by side.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 8)]
    best_available: Option<u8>,
    /// Who comes, for a cinema slot.
    #[serde(default)]
    persons: Option<Persons>,
    /// How many come, for an escape-room slot.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 6)]
    party_size: Option<u8>,
    /// The statement that somebody of the group needs a wheelchair place.
    #[serde(default)]
    accessible: bool,
}

impl Sendable for Reschedule {
    const EXAMPLE: &'static str =
        r#"{"time_slot":"0192d3a0-0000-7000-8000-000000000001","seats":["C7","C8"]}"#;

    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        bounds()
    }
}

impl Reschedule {
    /// What is wanted, or every field that does not go with the others.
    fn wanted(&self) -> Result<Wanted, Problem> {
        let group = self.party_size.is_some();
        let apart = |given: bool, pointer| {
            (group && given).then(|| Fault::at(pointer, "cannot be combined with party_size"))
        };
        let twice = self.seats.is_some() && self.best_available.is_some() && !group;
        let faults = [
            apart(self.seats.is_some(), "/seats"),
            apart(self.best_available.is_some(), "/best_available"),
            apart(self.persons.is_some(), "/persons"),
            apart(self.accessible, "/accessible"),
            twice.then(|| Fault::at("/best_available", "cannot be combined with seats")),
        ];
        refuse(faults.into_iter().flatten().collect())?;
        let seats = self.seats.clone().map(Places::Seats);
        let best = self.best_available.map(Places::BestAvailable);
        let persons = self.persons.map(Party::Persons);
        Ok(Wanted {
            time_slot: self.time_slot,
            places: seats.or(best).or_else(|| group.then_some(Places::Room)),
            party: persons.or_else(|| self.party_size.map(|size| Party::Group { size })),
            accessible: self.accessible,
        })
    }
}

/// Moves a placed reservation.
#[utoipa::path(post, path = "/v1/reservations/{id}/reschedule", tag = "reservations", operation_id = "rescheduleReservation",
    description = "Moves a placed reservation to another time slot of its branch, or to other seats of the same one: the new \
        seats are reserved and the old ones free in one step, or nothing happens. The price is quoted anew; `rescheduled` says \
        what is due or was paid too much. The coupon stays redeemed if it is good for the other slot. Customers do so until \
        `cancel_until`, at most 5 times; staff until the start.",
    params(("id" = ReservationId, Path), ("Idempotency-Key" = Option<String>, Header),
           ("If-Match" = Option<String>, Header, description = "The ETag of what the caller has read")),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    request_body = Reschedule,
    responses((status = OK, description = "As it is now", body = ReservationView),
              (status = NOT_FOUND, description = "Unknown number, wrong token, or no such time slot", body = ProblemBody),
              (status = CONFLICT, description = "seat/taken, seating/orphan, coupon/out-of-scope and others; names the seats, and suggests others", body = ProblemBody),
              (status = GONE, description = "reservation/too-late-to-reschedule and others", body = ProblemBody)))]
pub(in super::super) async fn reschedule(
    State(app): State<App>,
    caller: Caller,
    holder: Holder,
    key: Key,
    Sent(body): Sent<Reschedule>,
) -> Result<Response, Problem> {
    let by = match holder {
        Holder::Guest(_) | Holder::Customer(..) => Canceller::Customer,
        Holder::Staff(..) => Canceller::Staff,
    };
    let (id, wanted) = (holder.id(), body.wanted()?);
    let key = key.bind(app.store.vault(), holder.scope(), &("reschedule", id, &body))?;
    let request = caller.request(holder.actor(), "reservations/reschedule", key);
    let committed = app.bookings.reschedule(&request, id, by, &wanted).await?;
    after(&app, &committed, id).await
}
