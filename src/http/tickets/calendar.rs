//! `GET /v1/reservations/{id}/calendar.ics`: the visit as an entry for any calendar (RFC 5545), for its holder; no
//! names, no numbers to call, because calendars are shared. Never for anybody else.

use std::fmt::Write as _;

use aggregates::{
    branch::Branch,
    ids::ReservationId,
    movie::Movie,
    reservation::{Placed, Reservation},
    theme::Theme,
    time_slot::{Plan, Show, TimeSlot},
    values::SeatLabel,
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;

use super::{
    super::{
        App,
        access::Holder,
        problem::{Problem, ProblemBody},
    },
    show::private,
};

/// Bytes of a line at most, without its end (RFC 5545 §3.1).
const LINE_BYTES_MAX: usize = 75;

/// The visit as an entry for calendars.
#[utoipa::path(get, path = "/v1/reservations/{id}/calendar.ics", tag = "reservations", operation_id = "getCalendarEntry",
    description = "Fetched again after a change, it replaces the entry made before: its UID stays, its SEQUENCE grows. After a \
        cancellation its STATUS is CANCELLED.",
    params(("id" = ReservationId, Path)),
    security(("reservation" = []), ("customer" = []), ("admin" = [])),
    responses((status = OK, description = "The entry (RFC 5545)", content((String = "text/calendar"))),
              (status = NOT_FOUND, description = "Unknown number or wrong token", body = ProblemBody),
              (status = CONFLICT, description = "reservation/not-placed", body = ProblemBody),
              (status = GONE, description = "reservation/hold-lapsed and others", body = ProblemBody)))]
pub(in super::super) async fn calendar(State(app): State<App>, holder: Holder) -> Result<Response, Problem> {
    let id = holder.id();
    let (reservation, sequence) = app.store.read_with_sequence::<Reservation>(&id).await?;
    let (placed, stands) = reservation.visit().map_err(|error| Problem::refused(&error))?;
    let slot = app.store.read::<TimeSlot>(&placed.hold.time_slot).await?;
    let plan = slot.plan().map_err(|error| Problem::refused(&error))?;
    let entry = Entry {
        id,
        sequence,
        stands,
        plan,
        placed,
        title: title(&app, plan).await?,
        place: place(&app, plan).await?,
    };
    let media = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
    Ok(private((media, entry.written(app.store.now())).into_response()))
}

/// What is shown or played.
async fn title(app: &App, plan: &Plan) -> Result<String, Problem> {
    Ok(match plan.show {
        Show::Movie { movie, .. } => match &*app.store.read::<Movie>(&movie).await? {
            Movie::Unknown => String::new(),
            Movie::Announced(film) | Movie::Withdrawn(film) => film.title.to_string(),
        },
        Show::Theme { theme, .. } => {
            let theme = app.store.read::<Theme>(&theme).await?;
            theme
                .game()
                .map_or_else(|_| String::new(), |game| game.name.to_string())
        }
    })
}

/// Where that is.
async fn place(app: &App, plan: &Plan) -> Result<String, Problem> {
    let branch = app.store.read::<Branch>(&plan.branch).await?;
    Ok(match &*branch {
        Branch::Unknown => String::new(),
        Branch::Open(site) | Branch::Closed(site) => {
            let premises = &site.premises;
            let detail = premises.detail_address.as_ref();
            let detail = detail.map_or_else(String::new, |detail| format!(" {detail}"));
            format!("{}, {}{detail}", premises.name, premises.address)
        }
    })
}

/// One entry.
struct Entry<'a> {
    id: ReservationId,
    sequence: i64,
    /// Whether it has not been called off.
    stands: bool,
    plan: &'a Plan,
    placed: &'a Placed,
    title: String,
    place: String,
}

impl Entry<'_> {
    fn written(&self, now: Timestamp) -> String {
        let labels: Vec<&str> = self
            .placed
            .hold
            .choice
            .seats
            .iter()
            .map(SeatLabel::as_str)
            .collect();
        let people = self.placed.hold.choice.party.size();
        let description = format!(
            "{}\n{}\n{people}",
            self.placed.placement.short_code,
            labels.join(", ")
        );
        let status = if self.stands { "CONFIRMED" } else { "CANCELLED" };
        let lines = [
            "BEGIN:VCALENDAR".to_owned(),
            "VERSION:2.0".to_owned(),
            "PRODID:-//Jari//Jari//EN".to_owned(),
            "CALSCALE:GREGORIAN".to_owned(),
            "METHOD:PUBLISH".to_owned(),
            "BEGIN:VEVENT".to_owned(),
            format!("UID:reservation-{}@jari", self.id),
            format!("SEQUENCE:{}", self.sequence),
            format!("DTSTAMP:{}", moment(now)),
            format!("DTSTART:{}", moment(self.plan.starts_at)),
            format!("DTEND:{}", moment(self.plan.ends_at)),
            format!("SUMMARY:{}", escaped(&self.title)),
            format!("LOCATION:{}", escaped(&self.place)),
            format!("DESCRIPTION:{}", escaped(&description)),
            format!("STATUS:{status}"),
            "END:VEVENT".to_owned(),
            "END:VCALENDAR".to_owned(),
        ];
        lines.iter().fold(String::new(), |mut text, line| {
            fold(&mut text, line);
            text
        })
    }
}

/// A moment in UTC (RFC 5545 §3.3.5).
fn moment(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace('\n', "\\n")
}

/// Writes a line, folded so that none is too long and no character is torn apart (RFC 5545 §3.1).
fn fold(text: &mut String, line: &str) {
    let mut bytes = 0;
    for c in line.chars() {
        if bytes + c.len_utf8() > LINE_BYTES_MAX {
            text.push_str("\r\n ");
            bytes = 1;
        }
        // Writing to a string cannot fail.
        let _ = text.write_char(c);
        bytes += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfolded(text: &str) -> String {
        text.replace("\r\n ", "")
    }

    #[test]
    fn long_lines_are_folded_between_characters_and_read_the_same() {
        for line in [
            "SUMMARY:short".to_owned(),
            "x".repeat(75),
            "x".repeat(76),
            "한강의 밤 ".repeat(60),
            "🎬".repeat(100),
        ] {
            let mut text = String::new();
            fold(&mut text, &line);
            assert!(text.ends_with("\r\n"));
            assert_eq!(unfolded(&text), format!("{line}\r\n"));
            let longest = text.split("\r\n").map(str::len).max();
            assert!(longest <= Some(LINE_BYTES_MAX), "{longest:?}");
        }
    }

    #[test]
    fn what_means_something_in_an_entry_is_escaped() {
        assert_eq!(escaped(r"a,b;c\d"), r"a\,b\;c\\d");
        assert_eq!(escaped("two\nlines"), r"two\nlines");
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(moment(Timestamp::constant(1_800_014_400, 0)), "20270115T120000Z");
    }
}
