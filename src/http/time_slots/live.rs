//! `GET /v1/time-slots/{id}/live`: changes of a slot's seats as server-sent events; each is written once for all.
//!
//! The id of an event is its log position. Whoever comes back with `Last-Event-ID` (or `?after=`) first gets what
//! changed since from the read model, then what happens. A listener that is too slow is let go and comes back so.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use aggregates::{
    Event, Recorded,
    ids::{SeatId, TimeSlotId},
    time_slot::TimeSlotEvent,
};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use projections::seat_map::{self, SeatState};
use serde::Deserialize;
use tokio::sync::broadcast;

use super::{
    super::{
        App, fresh,
        params::{Asked, Id},
        problem::{Problem, ProblemBody},
        problems,
    },
    as_of::AsOf,
    show::find,
};
use crate::{
    shutdown::{Signal, told},
    store::Feed,
};

/// Changes a listener may be behind before it is let go.
const BEHIND_MAX: usize = 1_024;
/// Events taken from the feed at once.
const BATCH_MAX: usize = 1_024;
/// How often a quiet line says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What listeners are told to wait before they come back.
const RETRY: &str = "retry: 1000\n\n";

/// A change, written out.
#[derive(Debug, Clone)]
struct Frame {
    position: i64,
    text: Bytes,
}

/// All listeners of this process. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    lines: Mutex<Lines>,
    listeners: AtomicUsize,
    listeners_max: usize,
    stop: Signal,
}

struct Lines {
    /// The position up to which everything was passed on.
    position: i64,
    by_slot: HashMap<TimeSlotId, broadcast::Sender<Frame>>,
}

/// No more listeners are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many listeners")]
pub struct ListenersFull;

impl Live {
    /// Nobody listens yet; lines end when `stop` turns true.
    #[must_use]
    pub fn new(from: i64, listeners_max: usize, stop: Signal) -> Self {
        let lines = Lines { position: from, by_slot: HashMap::new() };
        Self(Arc::new(Inner { lines: Mutex::new(lines), listeners: AtomicUsize::new(0), listeners_max, stop }))
    }

    /// Passes on what the feed brings, until told to stop.
    pub async fn run(&self, feed: Feed) {
        let mut stop = self.0.stop.clone();
        let mut position = self.lines().position;
        loop {
            let events = tokio::select! {
                events = feed.after(position, BATCH_MAX) => events,
                () = told(&mut stop) => return,
            };
            let Some(last) = events.last() else { continue };
            position = last.position;
            self.pass_on(&events, position);
        }
    }

    fn pass_on(&self, events: &[Arc<Recorded>], position: i64) {
        let mut lines = self.lines();
        for recorded in events {
            let Some((time_slot, written)) = written(recorded) else { continue };
            if let Some(line) = lines.by_slot.get(&time_slot)
                && line.send(Frame { position: recorded.position, text: written() }).is_err()
            {
                // The last listener has gone.
                lines.by_slot.remove(&time_slot);
            }
        }
        lines.position = position;
    }

    /// A place at the line of a slot, and the position from which on it gets everything.
    fn listen(&self, time_slot: TimeSlotId) -> Result<(Listener, i64), ListenersFull> {
        let place = Place::take(&self.0).ok_or(ListenersFull)?;
        let mut lines = self.lines();
        let line = lines.by_slot.entry(time_slot).or_insert_with(|| broadcast::channel(BEHIND_MAX).0);
        let listener = Listener { line: line.subscribe(), after: 0, stop: self.0.stop.clone(), _place: place };
        Ok((listener, lines.position))
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the places for listeners.
struct Place(Arc<Inner>);

impl Place {
    fn take(inner: &Arc<Inner>) -> Option<Self> {
        let place = Self(Arc::clone(inner));
        (inner.listeners.fetch_add(1, Ordering::Relaxed) < inner.listeners_max).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Listener {
    line: broadcast::Receiver<Frame>,
    after: i64,
    stop: Signal,
    _place: Place,
}

impl Listener {
    /// The next bytes to send; none ends the line.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let received = tokio::select! {
                received = tokio::time::timeout(HEARTBEAT, self.line.recv()) => received,
                () = told(&mut self.stop) => return None,
            };
            match received {
                Ok(Ok(frame)) if frame.position > self.after => return Some(frame.text),
                Ok(Ok(_known)) => {}
                Ok(Err(_too_slow_or_over)) => return None,
                Err(_quiet) => return Some(Bytes::from_static(b": alive\n\n")),
            }
        }
    }
}

/// What an event of a seat or slot looks like on the line, and whose line it is.
fn written(recorded: &Recorded) -> Option<(TimeSlotId, impl FnOnce() -> Bytes)> {
    let position = recorded.position;
    let (time_slot, name, label, state) = match &recorded.event {
        Event::Seat(event) => {
            let seat: SeatId = recorded.stream.id.parse().ok()?;
            (seat.time_slot, "seat", Some(seat.label), seat_map::after(event).state.as_str())
        }
        Event::TimeSlot(event) => {
            let state = match event {
                TimeSlotEvent::Scheduled { .. } | TimeSlotEvent::Reopened => "on_sale",
                TimeSlotEvent::Closed { .. } => "closed",
                TimeSlotEvent::Withdrawn { .. } => "withdrawn",
            };
            (recorded.stream.id.parse().ok()?, "time-slot", None, state)
        }
        _other => return None,
    };
    let write = move || {
        let label = label.map_or_else(String::new, |label| format!("\"label\":\"{label}\","));
        let data = format!("{{{label}\"state\":\"{state}\",\"position\":{position}}}");
        Bytes::from(format!("id: {position}\nevent: {name}\ndata: {data}\n\n"))
    };
    Some((time_slot, write))
}

fn seat_frame(label: &str, state: SeatState, position: i64) -> String {
    let state = state.as_str();
    let data = format!("{{\"label\":\"{label}\",\"state\":\"{state}\",\"position\":{position}}}");
    format!("id: {position}\nevent: seat\ndata: {data}\n\n")
}

/// From where to listen.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// From behind this log position, for example that of a seat map; from now on if not said.
    #[serde(default)]
    after: Option<i64>,
}

/// Changes of a time slot's seats, as they happen.
#[utoipa::path(get, path = "/v1/time-slots/{id}/live", tag = "catalogue", operation_id = "listenToTimeSlot",
    params(("id" = TimeSlotId, Path), From,
           ("Last-Event-ID" = Option<String>, Header, description = "Go on behind this log position")),
    responses((status = OK, description = "Events `seat` and `time-slot`; the id is the log position",
               content_type = "text/event-stream", body = String),
              (status = NOT_FOUND, description = "time-slot/not-found", body = ProblemBody),
              (status = SERVICE_UNAVAILABLE, description = "Too many listeners", body = ProblemBody)))]
pub(in super::super) async fn live(
    State(app): State<App>,
    Id(id): Id<TimeSlotId>,
    Asked(from): Asked<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    find(&app, id, &AsOf::default()).await?;
    let after = last_event_id(&headers)?.or(from.after);
    let full = |full: ListenersFull| Problem::new(&problems::BUSY, full.to_string()).retry_after(2);
    let (mut listener, position) = app.live.listen(id).map_err(full)?;
    let mut first = String::from(RETRY);
    match after {
        Some(after) => {
            fresh::reached(&app, "seat_map", Some(position)).await?;
            let mut missed = seat_map::changes(&app.reads, id, after).await?;
            missed.seats.sort_by_key(|seat| seat.from_position);
            for seat in &missed.seats {
                first.push_str(&seat_frame(&seat.label, seat.state, seat.from_position));
            }
            listener.after = missed.position.max(after);
        }
        None => {
            use std::fmt::Write as _;
            listener.after = position;
            // Writing to a string cannot fail.
            let _ = write!(first, "id: {position}\nevent: ready\ndata: {{\"position\":{position}}}\n\n");
        }
    }
    let frames = stream::unfold((Some(Bytes::from(first)), listener), |(first, mut listener)| async {
        let bytes = match first {
            Some(bytes) => bytes,
            None => listener.next().await?,
        };
        Some((Ok::<_, std::convert::Infallible>(bytes), (None, listener)))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, Body::from_stream(frames)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let position = id.to_str().ok().and_then(|id| id.trim().parse().ok()).filter(|position| *position >= 0);
    let malformed = || Problem::new(&problems::MALFORMED_HEADER, "Last-Event-ID must be a log position");
    position.map(Some).ok_or_else(malformed)
}
