//! `GET /v1/reservations/{id}/ticket` and `…/ticket.svg`: the ticket of a placed reservation, for its holder; never for
//! anybody else.

use aggregates::{ids::ReservationId, reservation::Reservation};
use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use qrcode::{EcLevel, QrCode, render::svg};
use serde::Serialize;

use super::super::{
    App,
    access::Holder,
    answer::Json,
    problem::{Problem, ProblemBody},
    problems,
};
use crate::ticket::Ticket;

/// Pixels of a side of the picture at least.
const SIDE_MIN: u32 = 256;

/// A ticket.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(title = "Ticket")]
pub struct TicketView {
    /// What stands in the QR code: the ticket, signed.
    #[schema(example = "AZ86AbwELt6W…")]
    code: String,
    /// What the code says, for people.
    ticket: Ticket,
}

async fn ticket_of(app: &App, id: ReservationId) -> Result<TicketView, Problem> {
    let reservation = app.store.read::<Reservation>(&id).await?;
    let placed = reservation
        .admissible()
        .map_err(|error| Problem::refused(&error))?;
    let ticket = Ticket {
        reservation: id,
        number: placed.moves,
        time_slot: placed.hold.time_slot,
        starts_at: to_the_second(placed.placement.starts_at),
        people: u8::try_from(placed.hold.choice.party.size()).unwrap_or(u8::MAX),
        seats: placed.hold.choice.seats.clone(),
    };
    let code = app.ticket_keys.sign(&ticket).await?;
    Ok(TicketView { code, ticket })
}

/// The ticket of a reservation.
#[utoipa::path(get, path = "/v1/reservations/{id}/ticket", tag = "reservations", operation_id = "getTicket",
    description = "The code a door scanner checks without network, by the keys of GET /v1/ticket-keys. The code is base64url \
        without padding (RFC 4648 §5) of a payload and a signature. The payload: version, 1 byte (1); key id, 4; reservation, \
        8; number, 2 (how often it had been rescheduled); time slot, 16 (UUID); start, 8 (seconds since 1970 UTC); people, 1; \
        length of the seats, 2; the seats, UTF-8 with commas between. The signature: Ed25519 (RFC 8032), 64 bytes, over the \
        ASCII text `jari ticket` followed by the payload. Integers are big-endian. `jari ticket verify` does the same.",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The ticket", body = TicketView),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/not-placed, reservation/not-paid and others", body = ProblemBody),
              (status = GONE, description = "reservation/cancelled and others", body = ProblemBody)))]
pub(in super::super) async fn ticket(State(app): State<App>, holder: Holder) -> Result<Response, Problem> {
    let ticket = ticket_of(&app, holder.id()).await?;
    Ok(private(Json(ticket).into_response()))
}

/// The ticket of a reservation as a QR code.
#[utoipa::path(get, path = "/v1/reservations/{id}/ticket.svg", tag = "reservations", operation_id = "getTicketPicture",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The code as a QR code", content((String = "image/svg+xml"))),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/not-placed, reservation/not-paid and others", body = ProblemBody),
              (status = GONE, description = "reservation/cancelled and others", body = ProblemBody)))]
pub(in super::super) async fn picture(State(app): State<App>, holder: Holder) -> Result<Response, Problem> {
    let ticket = ticket_of(&app, holder.id()).await?;
    let code = QrCode::with_error_correction_level(ticket.code.as_bytes(), EcLevel::M).map_err(|error| {
        tracing::error!(%error, "a ticket does not fit a QR code");
        Problem::new(&problems::FAULT, "the picture could not be drawn")
    })?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SIDE_MIN, SIDE_MIN)
        .build();
    let media = [(header::CONTENT_TYPE, "image/svg+xml")];
    Ok(private((media, picture).into_response()))
}

/// A moment as a ticket can say it.
fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A ticket is as good as its reservation: nothing in between keeps a copy.
pub(super) fn private(mut response: Response) -> Response {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}
