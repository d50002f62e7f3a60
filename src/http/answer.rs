//! What a handler gives back: JSON written once, with the headers that go with it; never decides a status by itself.

use aggregates::Decider;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{problem::Problem, problems};
use crate::store::Committed;

/// The log position of what a command committed, to be given to queries as `min_position`.
pub const POSITION: HeaderName = HeaderName::from_static("x-jari-position");
/// Set when the answer is that of an earlier request with the same `Idempotency-Key`.
pub const REPEATED: HeaderName = HeaderName::from_static("x-jari-repeated");

/// A value as JSON.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => {
                let mut response = Response::new(Body::from(bytes));
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Problem::new(&problems::FAULT, "the answer could not be written").into_response()
            }
        }
    }
}

/// The answer to a command: the state after it, and where in the log that is.
pub struct Done<T> {
    /// What it is answered with.
    pub status: StatusCode,
    /// The log position.
    pub position: i64,
    /// Whether an earlier request had done it.
    pub repeated: bool,
    /// The path of the resource, if it was made.
    pub location: Option<String>,
    /// The state as the caller sees it.
    pub body: T,
}

impl<T: Serialize> Done<T> {
    /// An answer with status 200.
    pub fn ok(committed: &Committed, body: T) -> Self {
        Self {
            status: StatusCode::OK,
            position: committed.position,
            repeated: committed.repeated,
            location: None,
            body,
        }
    }

    /// An answer with status 201 and the path of what was made.
    pub fn created(committed: &Committed, location: String, body: T) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location),
            ..Self::ok(committed, body)
        }
    }
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        if response.status() == StatusCode::OK {
            *response.status_mut() = self.status;
        }
        let headers = response.headers_mut();
        headers.insert(POSITION, self.position.into());
        if self.repeated {
            headers.insert(REPEATED, HeaderValue::from_static("true"));
        }
        if let Some(location) = self.location.and_then(|path| HeaderValue::from_str(&path).ok()) {
            headers.insert(header::LOCATION, location);
        }
        response
    }
}

/// The entity tag of one aggregate: the sequence of its stream (DESIGN §5).
#[must_use]
pub fn etag(sequence: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{sequence}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"0\""))
}

/// The sequence of a stream after a commit, if the commit touched it.
#[must_use]
pub fn sequence_after<A: Decider>(committed: &Committed, id: &A::Id) -> Option<i64> {
    let stream = aggregates::StreamId::of::<A>(id);
    committed
        .events
        .iter()
        .filter(|event| event.stream == stream)
        .map(|event| event.sequence)
        .max()
}
