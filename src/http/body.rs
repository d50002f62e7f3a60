//! Reads a JSON body into a typed command, or says everything that is wrong with it; never lets an unchecked text in.

use std::ops::RangeInclusive;

use aggregates::fault::{Fault, Faults};
use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use futures_util::StreamExt as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    document::{self, Strict},
    faults,
    problem::Problem,
    problems,
};

/// Bytes of a body that customers send.
pub const CUSTOMER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body that admins send: a seat layout is large.
pub const ADMIN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a body that staff send about many things at once.
const STAFF_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of a body that are read only to be thrown away.
const DRAINED_MAX: usize = 16 * 1024 * 1024;

/// A type that is sent as a body, with one sound example: documentation, and the measure of wrong ones.
pub trait Sendable: DeserializeOwned {
    /// The example as JSON text.
    const EXAMPLE: &'static str;

    /// The example, for the documentation.
    #[must_use]
    fn example() -> Value {
        serde_json::from_str(Self::EXAMPLE).unwrap_or_default()
    }

    /// What is wrong with a body beyond its type, as far as a body that is no `Self` tells: looked for only when it is
    /// refused, so that everything is said at once.
    fn also(_body: &Value) -> Vec<Fault> {
        Vec::new()
    }

    /// The numbers that a field of a body may have, where its type allows more.
    fn bounds() -> Vec<(&'static str, RangeInclusive<u16>)> {
        Vec::new()
    }
}

/// A body of customers, read.
#[derive(Debug)]
pub struct Sent<T>(pub T);

impl<S: Sync, T: Sendable> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(&parts.headers, body, CUSTOMER_BYTES_MAX).await?;
        read(&bytes).map(Self)
    }
}

/// A body of staff about many things at once, read.
#[derive(Debug)]
pub struct SentByStaff<T>(pub T);

impl<S: Sync, T: Sendable> FromRequest<S> for SentByStaff<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = bytes(&parts.headers, body, STAFF_BYTES_MAX).await?;
        read(&bytes).map(Self)
    }
}

/// A body that may be left out because nothing has to be said.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl Sendable for Nothing {
    const EXAMPLE: &'static str = "{}";
}

/// All of a body, at most `max` bytes; an empty one counts as `{}`, whatever its type.
pub(super) async fn bytes(headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            &problems::TOO_LARGE,
            format!("a body may have at most {max} bytes"),
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > max as u64) {
        // Who waits to be told to continue has not begun to send.
        if !headers.contains_key(header::EXPECT) {
            drain(body.into_data_stream(), 0).await;
        }
        return Err(too_large());
    }
    let Some(bytes) = collected(body.into_data_stream(), max).await? else {
        return Err(too_large());
    };
    if bytes.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    if is_json(headers) {
        Ok(bytes)
    } else {
        Err(unsupported(headers))
    }
}

/// All bytes of a body; none if there are more than `max`.
async fn collected(mut body: BodyDataStream, max: usize) -> Result<Option<Bytes>, Problem> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(chunk) = body.next().await {
        let lost = |_| Problem::new(&problems::MALFORMED_JSON, "the body did not arrive completely");
        let chunk = chunk.map_err(lost)?;
        let read = first.len().max(all.len()) + chunk.len();
        if read > max {
            drain(body, read).await;
            return Ok(None);
        }
        // Nearly every body comes in one piece, which is not copied.
        if first.is_empty() {
            first = chunk;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&chunk);
        }
    }
    Ok(Some(if all.is_empty() { first } else { all.into() }))
}

/// Takes the rest of a body that nobody wants: a caller who is still sending would not hear the answer.
async fn drain(mut body: BodyDataStream, mut read: usize) {
    while let Some(Ok(chunk)) = body.next().await {
        read += chunk.len();
        if read > DRAINED_MAX {
            return;
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|media| media.to_str().ok())
        .unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn unsupported(headers: &HeaderMap) -> Problem {
    let detail = if headers.contains_key(header::CONTENT_TYPE) {
        "Content-Type must be application/json"
    } else {
        "Content-Type is missing; it must be application/json"
    };
    Problem::new(&problems::UNSUPPORTED_MEDIA, detail)
}

/// A sound `T`, or what is wrong.
fn read<T: Sendable>(bytes: &[u8]) -> Result<T, Problem> {
    let (body, unsound) = object(bytes)?;
    let read = T::deserialize(Strict(&body));
    let error = match read {
        Ok(read) if unsound.is_empty() => return Ok(read),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let example = serde_json::from_str(T::EXAMPLE).unwrap_or(Value::Null);
    let mut faults = faults::find::<T>(&body, &example);
    for (pointer, bounds) in T::bounds() {
        let of_numbers = |fault: &&mut Fault| {
            fault.pointer == pointer && fault.problem.starts_with("must be a whole number")
        };
        if let Some(fault) = faults.iter_mut().find(of_numbers) {
            fault.problem = format!(
                "must be a whole number from {} to {}",
                bounds.start(),
                bounds.end()
            );
        }
    }
    refuse(joined([unsound, faults, T::also(&body)]))?;
    Err(unread(error))
}

/// The command with this verb and the fields in `bytes`.
pub(super) fn read_command<T: DeserializeOwned>(
    verb: &str,
    bytes: &[u8],
    example: &str,
    plainly: impl FnOnce(&str, Value) -> Result<Value, Faults>,
) -> Result<T, Problem> {
    let (body, unsound) = object(bytes)?;
    let body = plainly(verb, body).map_err(|Faults(faults)| invalid(&joined([unsound.clone(), faults])))?;
    let tagged = json!({ verb: body });
    let error = match T::deserialize(Strict(&tagged)) {
        Ok(read) if unsound.is_empty() => return Ok(read),
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let example = serde_json::from_str::<Value>(example).unwrap_or(Value::Null);
    let faults = faults::find::<T>(&tagged, &json!({ verb: example }));
    let below = format!("/{verb}");
    let faults = faults.into_iter().map(|fault| {
        let pointer = fault.pointer.strip_prefix(&below).unwrap_or_default().to_owned();
        Fault::at(pointer, fault.problem)
    });
    refuse(joined([unsound, faults.collect()]))?;
    Err(unread(error))
}

/// All faults in the order of their places, the first of each place.
fn joined<const N: usize>(found: [Vec<Fault>; N]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for fault in found.into_iter().flatten() {
        if faults.iter().all(|known| known.pointer != fault.pointer) {
            faults.push(fault);
        }
    }
    faults.sort();
    faults
}

/// What is wrong where no single fault could be found.
fn unread(error: Option<serde_json::Error>) -> Problem {
    let why = error.map_or_else(String::new, |error| error.to_string());
    Problem::new(&problems::INVALID_FIELDS, why)
}

/// The object in a text, and the places in it that no body may have.
fn object(bytes: &[u8]) -> Result<(Value, Vec<Fault>), Problem> {
    let malformed = |error: serde_json::Error| Problem::new(&problems::MALFORMED_JSON, error.to_string());
    let (body, faults) = document::parse(bytes).map_err(malformed)?;
    if !body.is_object() {
        refuse(vec![Fault::at("", "must be an object")])?;
    }
    Ok((body, faults))
}

/// Refuses when there are faults.
pub(super) fn refuse(faults: Vec<Fault>) -> Result<(), Problem> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(invalid(&faults))
}

/// The problem that names these faults.
pub(super) fn invalid(faults: &[Fault]) -> Problem {
    let detail = match faults {
        [fault] if fault.pointer.is_empty() => format!("the body {}", fault.problem),
        [fault] => fault.to_string(),
        faults => format!("{} fields are wrong", faults.len()),
    };
    Problem::new(&problems::INVALID_FIELDS, detail).with_faults(faults)
}
