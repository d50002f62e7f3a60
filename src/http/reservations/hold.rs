//! `POST /v1/reservations`: begins a reservation by holding seats or a slot; the price is quoted here, never sent.

use std::ops::RangeInclusive;

use aggregates::{
    Event,
    fault::Fault,
    ids::{ReservationId, TimeSlotId},
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{Reservation, ReservationEvent},
    rights::Permission,
    theme::PARTY_MAX,
    time_slot::SEATS_PER_CUSTOMER_DEFAULT,
    values::SeatLabel,
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        App,
        access::Booker,
        answer::Done,
        body::{Sendable, Sent, invalid, refuse},
        caller::Caller,
        idempotency::StrangersKey,
        problem::{Problem, ProblemBody},
    },
    view::{ReservationView, not_found},
};
use crate::{
    booking::{Places, Refused, Wish},
    store::{Actor, Committed, Stop},
};

/// What to hold: `seats` or `best_available` with `persons`, or a whole escape-room slot with `party_size`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "one yes or no for each thing that can be stated"
)]
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
    /// The statement that somebody of the group needs a wheelchair place: until their pool opens, wheelchair and companion
    /// places are sold with it only.
    #[serde(default)]
    accessible: bool,
    /// For a rated movie, booked without an account: that everybody is old enough or comes with a guardian. It can be said
    /// when placing, too.
    #[serde(default)]
    age_confirmed: bool,
    /// For a movie from 12 or 15: that a guardian comes along.
    #[serde(default)]
    guardian_accompanies: bool,
    /// For staff: that they have looked at an identity card.
    #[serde(default)]
    id_checked: bool,
}

impl Sendable for Hold {
    const EXAMPLE: &'static str = r#"{"time_slot":"0192d3a0-0000-7000-8000-000000000001","seats":["C7","C8"],
        "persons":{"adult":2}}"#;

    fn also(body: &Value) -> Vec<Fault> {
        missing_in(body)
    }

    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        bounds()
    }
}

impl Hold {
    pub(super) fn wish(self) -> Result<Wish, Problem> {
        let (places, party) = chosen(ChoiceFields {
            seats: self.seats,
            best_available: self.best_available,
            persons: self.persons,
            party_size: self.party_size,
            accessible: self.accessible,
        })?;
        Ok(Wish {
            time_slot: self.time_slot,
            places,
            party,
            accessible: self.accessible,
            said: Statement {
                age_confirmed: self.age_confirmed,
                guardian_accompanies: self.guardian_accompanies,
                id_checked: self.id_checked,
            },
        })
    }
}

/// The part of a wish that can be changed later.
#[derive(Debug)]
pub(super) struct ChoiceFields {
    pub(super) seats: Option<Vec<SeatLabel>>,
    pub(super) best_available: Option<u8>,
    pub(super) persons: Option<Persons>,
    pub(super) party_size: Option<u8>,
    pub(super) accessible: bool,
}

/// What a choice lacks: places and people of a movie, or a group for a theme.
fn missing(places: bool, persons: bool, group: bool) -> Vec<Fault> {
    let absent =
        |given: bool, pointer, problem: &str| (!given && !group).then(|| Fault::at(pointer, problem));
    let faults = [
        absent(
            places,
            "/seats",
            "is missing; send seats, best_available or party_size",
        ),
        absent(persons, "/persons", "is missing; it says who takes the seats"),
    ];
    faults.into_iter().flatten().collect()
}

/// What the choice in a body lacks that is refused for something else.
pub(super) fn missing_in(body: &Value) -> Vec<Fault> {
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
    missing(
        given("seats") || given("best_available"),
        given("persons"),
        given("party_size"),
    )
}

/// The numbers a choice may have.
pub(super) fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
    vec![
        ("/best_available", 1..=u16::from(SEATS_PER_CUSTOMER_DEFAULT)),
        ("/party_size", 1..=u16::from(PARTY_MAX)),
    ]
}

/// The places and people behind the fields, or every field that does not go with the others.
pub(super) fn chosen(choice: ChoiceFields) -> Result<(Places, Party), Problem> {
    let fault = |pointer, problem: &str| Fault::at(pointer, problem);
    let apart = |given: bool, pointer| given.then(|| fault(pointer, "cannot be combined with party_size"));
    let (places, party) = match choice {
        ChoiceFields {
            party_size: Some(size),
            seats,
            best_available,
            persons,
            accessible,
        } => {
            let faults = [
                apart(seats.is_some(), "/seats"),
                apart(best_available.is_some(), "/best_available"),
                apart(persons.is_some(), "/persons"),
                apart(accessible, "/accessible"),
            ];
            refuse(faults.into_iter().flatten().collect())?;
            (Places::Room, Party::Group { size })
        }
        ChoiceFields {
            seats: Some(_),
            best_available: Some(_),
            ..
        } => {
            return Err(invalid(&[fault(
                "/best_available",
                "cannot be combined with seats",
            )]));
        }
        ChoiceFields {
            seats: None,
            best_available: None,
            persons,
            party_size: None,
            accessible: _,
        } => return Err(invalid(&missing(false, persons.is_some(), false))),
        ChoiceFields { persons: None, .. } => return Err(invalid(&missing(true, false, false))),
        ChoiceFields {
            seats: Some(labels),
            persons: Some(persons),
            ..
        } => (Places::Seats(labels), Party::Persons(persons)),
        ChoiceFields {
            best_available: Some(count),
            persons: Some(persons),
            ..
        } => (Places::BestAvailable(count), Party::Persons(persons)),
    };
    Ok((places, party))
}

/// Holds seats or an escape-room slot.
#[utoipa::path(post, path = "/v1/reservations", tag = "reservations", operation_id = "holdReservation",
    request_body = Hold,
    security((), ("customer" = []), ("admin" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "22 to 128 printable characters, for example a UUID")),
    responses(
        (status = CREATED, description = "Held; the token is its holder's secret", body = ReservationView,
         headers(("Location" = String, description = "The reservation"))),
        (status = UNAUTHORIZED, description = "The session that was sent has ended", body = ProblemBody),
        (status = FORBIDDEN, description = "rating/too-young and others: the movie is not for them", body = ProblemBody),
        (status = CONFLICT, description = "seat/taken, seating/orphan and others; names the seats, and suggests others", body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, description = "Some fields are wrong", body = ProblemBody)))]
pub(in super::super) async fn hold(
    State(app): State<App>,
    caller: Caller,
    booker: Booker,
    StrangersKey(key): StrangersKey,
    Sent(body): Sent<Hold>,
) -> Result<Response, Problem> {
    let wish = body.wish()?;
    let number = app.bookings.next_number();
    let (actor, scope) = match booker {
        Booker::Customer(customer) => (customer.actor(), customer.session.principal),
        // Staff book like everybody else, unless they say what only staff can say.
        Booker::Staff(admin) if wish.said.id_checked => {
            let needed = Permission::ChangeReservations;
            admin.may_in_slot(&app, needed, wish.time_slot).await?;
            (admin.actor(), admin.scope())
        }
        Booker::Staff(_) | Booker::Guest => (Actor::Guest(number), "anonymous".to_owned()),
    };
    let key = key.bind(app.store.vault(), scope, &wish)?;
    let request = caller.request(actor, "reservations/hold", key);
    let held = app.bookings.hold(&request, number, &wish).await;
    let committed = held.map_err(|stop| or_wait(stop, wish.time_slot))?;
    // A repeated request is answered with the reservation that began the first time.
    let id = begun(&committed).ok_or_else(not_found)?;
    let state = committed.state::<Reservation>(&id).ok_or_else(not_found)?;
    let view = ReservationView::of(id, &state).ok_or_else(not_found)?;
    Ok(Done::created(
        &committed,
        format!("/v1/reservations/{id}"),
        view.with_token(&app),
    )
    .into_response())
}

/// What was wanted is taken: the refusal offers to wait for it (DOMAIN W3).
fn or_wait(stop: Stop<Refused>, time_slot: TimeSlotId) -> Problem {
    let can_wait = matches!(&stop, Stop::Refused(refused) if refused.can_be_waited_for());
    let problem = Problem::from(stop);
    if can_wait {
        problem.with("waitlist", format!("/v1/time-slots/{time_slot}/waitlist"))
    } else {
        problem
    }
}

/// The reservation that began in this unit of work; others may have lapsed in it to make room, and been
/// followed by who waited.
pub(in super::super) fn begun(committed: &Committed) -> Option<ReservationId> {
    let held = |event: &Event| {
        matches!(
            event,
            Event::Reservation(ReservationEvent::Held { offered: false, .. })
        )
    };
    let begun = committed.events.iter().find(|recorded| held(&recorded.event))?;
    begun.stream.id.parse().ok()
}
