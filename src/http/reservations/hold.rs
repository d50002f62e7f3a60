//! `POST /v1/reservations`: begins a reservation by holding seats or a slot; the price is quoted here, never sent.

use aggregates::{
    Event,
    fault::Fault,
    ids::{ReservationId, TimeSlotId},
    pricing::{Party, Persons},
    reservation::{Reservation, ReservationError, ReservationEvent},
    values::SeatLabel,
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::{
    super::{
        App,
        answer::Done,
        body::{Sendable, Sent, refuse},
        caller::Caller,
        idempotency::StrangersKey,
        problem::{Problem, ProblemBody},
    },
    view::ReservationView,
};
use crate::{
    booking::{Places, Wish},
    store::{Actor, Committed},
};

/// What to hold: `seats` or `best_available` with `persons`, or a whole session with `party_size`.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "time_slot": "0192d3a0-0000-7000-8000-000000000001", "seats": ["C7", "C8"], "persons": { "adult": 2 } }))]
pub struct Hold {
    /// In which slot.
    time_slot: TimeSlotId,
    /// These seats, by their labels.
    #[serde(default)]
    #[schema(max_items = 8)]
    seats: Option<Vec<SeatLabel>>,
    /// The best adjacent seats, so many.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 8)]
    best_available: Option<u8>,
    /// Who comes to a screening.
    #[serde(default)]
    persons: Option<Persons>,
    /// How many come to a session.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 6)]
    party_size: Option<u8>,
}

impl Sendable for Hold {
    const EXAMPLE: &'static str = r#"{"time_slot":"0192d3a0-0000-7000-8000-000000000001","seats":["C7","C8"],
        "persons":{"adult":2}}"#;
}

impl Hold {
    pub(super) fn wish(self) -> Result<Wish, Problem> {
        wish(
            self.time_slot,
            Choice {
                seats: self.seats,
                best_available: self.best_available,
                persons: self.persons,
                party_size: self.party_size,
            },
        )
    }
}

/// The part of a wish that can be changed later.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) seats: Option<Vec<SeatLabel>>,
    pub(super) best_available: Option<u8>,
    pub(super) persons: Option<Persons>,
    pub(super) party_size: Option<u8>,
}

/// The wish behind the fields, or every field that does not go with the others.
pub(super) fn wish(time_slot: TimeSlotId, choice: Choice) -> Result<Wish, Problem> {
    let fault = |pointer, problem: &str| Fault::at(pointer, problem);
    let apart = |given: bool, pointer| given.then(|| fault(pointer, "does not go with party_size"));
    let (places, party) = match choice {
        Choice {
            party_size: Some(size),
            seats,
            best_available,
            persons,
        } => {
            let faults = [
                apart(seats.is_some(), "/seats"),
                apart(best_available.is_some(), "/best_available"),
                apart(persons.is_some(), "/persons"),
            ];
            refuse(faults.into_iter().flatten().collect())?;
            (Places::Room, Party::Group { size })
        }
        Choice {
            seats: Some(_),
            best_available: Some(_),
            ..
        } => {
            refuse(vec![fault("/best_available", "does not go with seats")])?;
            return Err(unfit());
        }
        Choice {
            seats: None,
            best_available: None,
            ..
        } => {
            refuse(vec![fault(
                "/seats",
                "is missing (or best_available, or party_size)",
            )])?;
            return Err(unfit());
        }
        Choice { persons: None, .. } => {
            refuse(vec![fault("/persons", "is missing")])?;
            return Err(unfit());
        }
        Choice {
            seats: Some(labels),
            persons: Some(persons),
            ..
        } => (Places::Seats(labels), Party::Persons(persons)),
        Choice {
            best_available: Some(count),
            persons: Some(persons),
            ..
        } => (Places::BestAvailable(count), Party::Persons(persons)),
    };
    Ok(Wish {
        time_slot,
        places,
        party,
    })
}

fn unfit() -> Problem {
    Problem::new(
        &super::super::problems::INVALID_FIELDS,
        "the fields do not go together",
    )
}

/// Holds seats or a session.
#[utoipa::path(post, path = "/v1/reservations", tag = "reservations", operation_id = "holdReservation",
    request_body = Hold,
    params(("Idempotency-Key" = Option<String>, Header, description = "22 to 128 printable characters, for example a UUID")),
    responses(
        (status = CREATED, description = "Held; the token is the secret of its holder", body = ReservationView,
         headers(("Location" = String, description = "The reservation"))),
        (status = CONFLICT, description = "seat/taken and others; names the seats", body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, description = "Fields are wrong", body = ProblemBody)))]
pub(in super::super) async fn hold(
    State(app): State<App>,
    caller: Caller,
    StrangersKey(key): StrangersKey,
    Sent(body): Sent<Hold>,
) -> Result<Response, Problem> {
    let wish = body.wish()?;
    let key = key.bind(app.store.vault(), "anonymous".to_owned(), &wish);
    let number = app.bookings.next_number();
    let request = caller.request(Actor::Guest(number), "reservations/hold", key);
    let committed = app.bookings.hold(&request, number, &wish).await?;
    // A repeated request is answered with the reservation that began the first time.
    let id = begun(&committed).ok_or(Problem::refused(&ReservationError::NotFound))?;
    let state = committed
        .state::<Reservation>(&id)
        .ok_or(Problem::refused(&ReservationError::NotFound))?;
    let view = ReservationView::of(id, &state).ok_or(Problem::refused(&ReservationError::NotFound))?;
    Ok(Done::created(
        &committed,
        format!("/v1/reservations/{id}"),
        view.with_token(&app),
    )
    .into_response())
}

/// The reservation that began in this unit of work; others may have lapsed in it to make room.
fn begun(committed: &Committed) -> Option<ReservationId> {
    let held = |event: &Event| matches!(event, Event::Reservation(ReservationEvent::Held { .. }));
    let begun = committed.events.iter().find(|recorded| held(&recorded.event))?;
    begun.stream.id.parse().ok()
}
