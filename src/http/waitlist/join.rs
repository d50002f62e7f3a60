//! `POST /v1/time-slots/{id}/waitlist`: waits for a slot or for seats together; while there are some, they are held at
//! once, and the answer says so (DOMAIN W1, W3). Never past anybody who waits.

use std::ops::RangeInclusive;

use aggregates::{
    Event,
    fault::Fault,
    ids::{ReservationId, TimeSlotId},
    language::Language,
    pricing::{Party, Persons},
    reservation::{Reservation, ReservationError},
    theme::PARTY_MAX,
    values::{CustomerName, PhoneNumber},
    waitlist::{Crowd, Waitlist, WaitlistError, WaitlistEvent},
};
use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        App,
        access::MaybeCustomer,
        answer::Done,
        body::{Sendable, Sent, invalid},
        caller::Caller,
        idempotency::StrangersKey,
        limits::Line,
        params::Id,
        problem::{Problem, ProblemBody},
        reservations::{ReservationView, begun},
        unbroken::unbroken,
    },
    view::EntryView,
};
use crate::{
    booking::Joining,
    store::{Actor, Committed},
};

/// Who waits, and for how many: `persons` for a cinema slot, `party_size` for an escape-room slot.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = Self::example)]
pub struct Join {
    /// The name.
    name: CustomerName,
    /// The number to call.
    phone: PhoneNumber,
    /// Who comes, for seats side by side in a cinema slot.
    #[serde(default)]
    persons: Option<Persons>,
    /// How many come, for an escape-room slot.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 6)]
    party_size: Option<u8>,
}

impl Sendable for Join {
    const EXAMPLE: &'static str = r#"{"name":"김하늘","phone":"010-1234-5678","persons":{"adult":3}}"#;

    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        vec![("/party_size", 1..=u16::from(PARTY_MAX))]
    }
}

impl Join {
    fn joining(self, time_slot: TimeSlotId, language: Option<Language>) -> Result<Joining, Problem> {
        let party = match (self.persons, self.party_size) {
            (Some(persons), None) => Party::Persons(persons),
            (None, Some(size)) => Party::Group { size },
            (Some(_), Some(_)) => {
                let fault = Fault::at("/party_size", "cannot be combined with persons");
                return Err(invalid(&[fault]));
            }
            (None, None) => {
                let fault = Fault::at("/persons", "is missing; send persons or party_size");
                return Err(invalid(&[fault]));
            }
        };
        Ok(Joining {
            time_slot,
            party,
            name: self.name,
            phone: self.phone,
            language,
        })
    }
}

/// What asking to wait led to.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JoinOutcome {
    /// There was nothing that fits: the entry waits.
    Waiting,
    /// There was something that fits: the reservation holds it.
    Held,
}

/// The answer to who asked to wait.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "JoinedWaitlist")]
pub struct JoinedView<'a> {
    /// `waiting` or `held`.
    outcome: JoinOutcome,
    /// The entry, if it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<EntryView>,
    /// What is held instead, to be placed as any hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<ReservationView<'a>>,
}

/// Waits for a slot, or holds places at once if there are some.
#[utoipa::path(post, path = "/v1/time-slots/{id}/waitlist", tag = "waitlist", operation_id = "joinWaitlist",
    request_body = Join,
    security((), ("customer" = [])),
    params(("id" = TimeSlotId, Path),
           ("Idempotency-Key" = Option<String>, Header, description = "22 to 128 printable characters, for example a UUID")),
    responses(
        (status = CREATED, description = "Waiting, or held; the token is its holder's secret", body = JoinedView,
         headers(("Location" = String, description = "The entry or the reservation"))),
        (status = UNAUTHORIZED, description = "The session that was sent has ended", body = ProblemBody),
        (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody),
        (status = CONFLICT, description = "waitlist/already-waiting, waitlist/full and others", body = ProblemBody),
        (status = UNPROCESSABLE_ENTITY, description = "Some fields are wrong", body = ProblemBody),
        (status = TOO_MANY_REQUESTS, description = "Too many attempts, too many with this phone number or from this address, \
            or waitlist/crowded: too many guests of this network wait for the slot", body = ProblemBody)))]
pub(in super::super) async fn join(
    State(app): State<App>,
    caller: Caller,
    MaybeCustomer(customer): MaybeCustomer,
    Id(time_slot): Id<TimeSlotId>,
    StrangersKey(key): StrangersKey,
    Sent(body): Sent<Join>,
) -> Result<Response, Problem> {
    // Whether somebody's number waits already is a secret that can be guessed.
    app.limits.guess(caller.address)?;
    let joining = body.joining(time_slot, caller.named_language)?;
    let number = app.bookings.next_number();
    let is_guest = customer.is_none();
    let line = is_guest.then(|| app.limits.line(caller.address, time_slot));
    if let Some(line) = &line {
        line.enter(number);
    }
    let (actor, scope) = match customer {
        Some(customer) => (customer.actor(), customer.session.principal),
        None => (Actor::Guest(number), "anonymous".to_owned()),
    };
    let key = key.bind(app.store.vault(), scope, &("waitlist", &joining))?;
    let request = caller.request(actor, "time-slots/waitlist", key);
    // Who goes away before the answer is noted as everybody else.
    unbroken(async move {
        let crowd = || line.as_ref().map_or_else(Crowd::default, Line::crowd);
        let outcome = match caller.places(&app, &joining.phone) {
            Ok(placement) => {
                let outcome = app.bookings.join(&request, number, &joining, &crowd).await;
                placement.judge(outcome).map_err(Problem::from)
            }
            Err(too_many) => {
                let before = app.store.answered_before(&request).await;
                before
                    .map_err(Problem::from)
                    .and_then(|before| before.ok_or(too_many))
            }
        };
        let entry = outcome.as_ref().ok().and_then(joined);
        if let Some(line) = &line {
            let now = outcome
                .as_ref()
                .ok()
                .and_then(|committed| committed.state::<Waitlist>(&time_slot));
            let waits = |known| now.as_ref().is_none_or(|now| now.entry(known).is_some());
            line.settle(number, entry, waits);
        }
        let committed = outcome?;
        // A repeated request is answered with what began the first time.
        if let Some(entry) = entry {
            let view =
                EntryView::read(&app, time_slot, entry, Some(committed.position), caller.language).await?;
            let view = JoinedView {
                outcome: JoinOutcome::Waiting,
                entry: Some(view.with_token(&app)),
                reservation: None,
            };
            let location = format!("/v1/waitlist-entries/{entry}");
            return Ok(Done::created(&committed, location, view).into_response());
        }
        let id = begun(&committed).ok_or_else(|| Problem::refused(&WaitlistError::NotFound))?;
        let missing = || Problem::refused(&ReservationError::NotFound);
        let state = committed.state::<Reservation>(&id).ok_or_else(missing)?;
        let held = ReservationView::of(id, &state).ok_or_else(missing)?;
        let view = JoinedView {
            outcome: JoinOutcome::Held,
            entry: None,
            reservation: Some(held.with_token(&app)),
        };
        Ok(Done::created(&committed, format!("/v1/reservations/{id}"), view).into_response())
    })
    .await
}

/// The entry that began in this unit of work.
fn joined(committed: &Committed) -> Option<ReservationId> {
    committed.events.iter().find_map(|recorded| {
        if let Event::Waitlist(WaitlistEvent::Joined { entry, .. }) = &recorded.event {
            Some(*entry)
        } else {
            None
        }
    })
}
