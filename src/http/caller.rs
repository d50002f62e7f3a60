//! Who asks, as far as the request tells: address, request id, reason and what they have read; never what they may do.

use std::net::IpAddr;

use aggregates::values::{Note, PhoneNumber};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
};
use smol_str::SmolStr;
use uuid::Uuid;

use super::{App, if_match, limits::PlacementTry, problem::Problem, problems, reason};
use crate::{
    language::Language,
    store::{Actor, IdempotencyKey, Precondition, Request, Trace},
};

/// One request's origin. The edge leaves it with the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// This request.
    pub request_id: Uuid,
    /// What it belongs to, if the caller said so in `X-Request-Id`: the log keeps it, and our own id goes out.
    pub correlation_id: Option<SmolStr>,
    /// The peer, or whom the trusted proxy names.
    pub address: IpAddr,
    /// Where it is noted what stood in the way.
    pub trace: Trace,
    /// Why they ask, if they said so in `Jari-Reason`.
    pub reason: Option<Note>,
    /// What they take the thing to be that they change.
    pub if_match: Precondition,
    /// The language that suits them best.
    pub language: Language,
    /// The language they asked for by its name, if there is one.
    pub named_language: Option<Language>,
}

impl Caller {
    /// The origin of a request that has just come in.
    pub(super) fn new(address: IpAddr, named: Option<&HeaderValue>) -> Self {
        let named = named.and_then(|id| id.to_str().ok());
        let correlation_id = named.filter(|id| is_plain(id)).map(SmolStr::new);
        Self {
            request_id: Uuid::now_v7(),
            correlation_id,
            address,
            trace: Trace::default(),
            reason: None,
            if_match: Precondition::None,
            language: Language::default(),
            named_language: None,
        }
    }

    /// Whether they may place or wait for something with this phone number now.
    pub fn places(&self, app: &App, phone: &PhoneNumber) -> Result<PlacementTry, Problem> {
        let phone = app
            .store
            .vault()
            .mac("placement phone", phone.as_str().as_bytes());
        app.limits.try_placement(self.address, phone)
    }

    /// The unit of work this request asks for.
    #[must_use]
    pub fn request(&self, actor: Actor, command: impl Into<SmolStr>, key: Option<IdempotencyKey>) -> Request {
        Request {
            actor,
            command: command.into(),
            request_id: self.request_id,
            correlation_id: self.correlation_id.clone(),
            causation: None,
            reason: self.reason.as_ref().map(|note| note.as_str().into()),
            address: Some(self.address),
            key,
            trace: self.trace.clone(),
            if_match: self.if_match.clone(),
        }
    }
}

/// Characters of an id that callers may give their requests.
const CORRELATION_LENGTH_MAX: usize = 128;

/// Whether an id from outside can be kept and shown anywhere: letters, digits and what common tracers put between them.
fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    (1..=CORRELATION_LENGTH_MAX).contains(&id.len()) && id.bytes().all(plain)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        let around = || Problem::new(&problems::FAULT, "the request came around the edge");
        Ok(Self {
            reason: reason::of(&parts.headers)?,
            if_match: if_match::read(&parts.headers)?,
            ..caller.ok_or_else(around)?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_kept_if_it_is_short_and_plain() {
        let kept = |id: &str| {
            let header = HeaderValue::from_str(id).expect("a header");
            let caller = Caller::new(IpAddr::from([127, 0, 0, 1]), Some(&header));
            caller.correlation_id
        };
        for id in [
            "order-4711",
            "0192d3a0-0000-7000-8000-000000000001",
            "1-67891233-abcdef012345:a/b",
        ] {
            assert_eq!(kept(id).as_deref(), Some(id));
        }
        for id in ["", "a b", "a\"b", "<script>", &"x".repeat(129)] {
            assert_eq!(kept(id), None, "{id}");
        }
    }
}
