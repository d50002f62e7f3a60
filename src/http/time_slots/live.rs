//! `GET /v1/time-slots/{id}/live`: changes of a slot's seats as server-sent events; each is written once for all. Never
//! waits for a listener that is slow.
//!
//! The id of an event is its log position. Whoever comes back with `Last-Event-ID` (or `?after=`) first gets what
//! changed since from the read model, then what happens. A listener that is too slow is let go and comes back so.

use std::{net::IpAddr, sync::Arc, time::Duration};

use aggregates::ids::TimeSlotId;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, Method, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use projections::seat_map;
use serde::Deserialize;

use super::{
    super::{
        App,
        caller::Caller,
        fresh,
        params::{Asked, Id},
        places::{Full, Place, Places},
        problem::{Problem, ProblemBody},
        problems,
    },
    as_of::AsOf,
    show::find,
};
use crate::{
    shutdown::{Signal, told},
    store::{
        Feed,
        seat_changes::{self, Listener, SeatChanges},
    },
};

/// How often a quiet line says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What listeners are told to wait before they come back, in milliseconds.
const RETRY: &str = "retry: 1000\n\n";

/// All listeners of this process. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    changes: SeatChanges,
    places: Places,
    stop: Signal,
}

impl Live {
    /// Nobody listens yet, and so many may, in all and from one address; lines end when `stop` turns true.
    #[must_use]
    pub fn new(feed: &Feed, listeners_max: usize, per_address_max: usize, stop: Signal) -> Self {
        Self(Arc::new(Inner {
            changes: SeatChanges::follow(feed),
            places: Places::new(listeners_max, per_address_max),
            stop,
        }))
    }

    /// A place at the line of a slot, unless all are taken.
    fn listen(&self, time_slot: TimeSlotId, address: IpAddr) -> Result<Line, Problem> {
        let place = self.0.places.take(address).map_err(|full| match full {
            Full::Altogether => Problem::new(&problems::BUSY, "too many listeners").retry_after(2),
            Full::Here => {
                Problem::new(&problems::TOO_MANY, "too many listeners from this address").retry_after(2)
            }
        })?;
        Ok(Line {
            listener: self.0.changes.listen(time_slot),
            after: 0,
            stop: self.0.stop.clone(),
            _place: place,
        })
    }
}

/// Somebody who listens.
struct Line {
    listener: Listener,
    /// What the listener knows already.
    after: i64,
    stop: Signal,
    _place: Place,
}

impl Line {
    /// The next bytes to send; none ends the line.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let change = tokio::select! {
                change = tokio::time::timeout(HEARTBEAT, self.listener.next()) => change,
                () = told(&mut self.stop) => return None,
            };
            match change {
                Ok(Ok(change)) if change.position > self.after => {
                    return Some(frame("seat", change.position, &change.json).into());
                }
                Ok(Ok(_known)) => {}
                Ok(Err(_too_slow_or_over)) => return None,
                Err(_quiet) => return Some(Bytes::from_static(b": alive\n\n")),
            }
        }
    }
}

fn frame(event: &str, position: i64, data: &str) -> String {
    format!("id: {position}\nevent: {event}\ndata: {data}\n\n")
}

/// From where to listen.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListenFrom {
    /// After this log position, for example that of a seat map; by default from now on.
    #[serde(default)]
    after: Option<i64>,
}

/// Changes of a time slot's seats, as they happen.
#[utoipa::path(get, path = "/v1/time-slots/{id}/live", tag = "catalogue", operation_id = "listenToTimeSlot",
    params(("id" = TimeSlotId, Path), ListenFrom,
           ("Last-Event-ID" = Option<String>, Header, description = "Continue after this log position")),
    responses((status = OK, description = "Events `seat`, and `ready` first; the id is the log position",
               content_type = "text/event-stream", body = String),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody),
              (status = SERVICE_UNAVAILABLE, description = "Too many listeners", body = ProblemBody)))]
pub(in super::super) async fn live(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(from): Asked<ListenFrom>,
    caller: Caller,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find(&app, id, &AsOf::default()).await?;
    let after = known(&headers, from.after)?;
    if method == Method::HEAD {
        // Nobody would hear anything.
        return Ok((STREAM, Body::empty()).into_response());
    }
    if let Some(after) = after {
        // Another process may be further than this one, but nobody can know what has not happened.
        if !fresh::exists(&app, after).await? {
            return Err(unknown());
        }
        fresh::reached(&app, "seat_map", Some(after)).await?;
    }
    let mut line = app.live.listen(id, caller.address)?;
    // From here on the line gets everything; what came before must come from the read model.
    let position = app.store.feed().position();
    let mut first = String::from(RETRY);
    if let Some(after) = after {
        fresh::reached(&app, "seat_map", Some(position)).await?;
        let mut missed = seat_map::changes(&app.reads, id, after).await?;
        missed.seats.sort_by_key(|seat| seat.from_position);
        for seat in &missed.seats {
            let position = seat.from_position;
            let data = seat_changes::json(&seat.label, seat.state, position);
            first.push_str(&frame("seat", position, &data));
        }
        line.after = missed.position.max(after);
    } else {
        first.push_str(&frame("ready", position, &format!("{{\"position\":{position}}}")));
        line.after = position;
    }
    let frames = stream::unfold((Some(Bytes::from(first)), line), |(first, mut line)| async {
        let bytes = match first {
            Some(bytes) => bytes,
            None => line.next().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(bytes), (None, line)))
    });
    Ok((STREAM, Body::from_stream(frames)).into_response())
}

/// What every line begins with.
const STREAM: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "no-store"),
];

/// The log position up to which the caller has heard everything.
fn known(headers: &HeaderMap, after: Option<i64>) -> Result<Option<i64>, Problem> {
    let Some(id) = headers.get("last-event-id") else {
        return match after {
            Some(..0) => Err(unknown()),
            Some(0..) | None => Ok(after),
        };
    };
    let position = id
        .to_str()
        .ok()
        .and_then(|id| id.trim().parse().ok())
        .filter(|position| *position >= 0);
    let malformed = || {
        Problem::new(
            &problems::MALFORMED_HEADER,
            "Last-Event-ID must be a log position",
        )
    };
    position.map(Some).ok_or_else(malformed)
}

fn unknown() -> Problem {
    Problem::new(
        &problems::MALFORMED_QUERY,
        "there is no such position in the log; listen from that of a seat map",
    )
}
