//! Who asks, as far as the request tells: address, request id, reason and what they have read; never what they may do.

use std::net::IpAddr;

use aggregates::values::Note;
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
};
use smol_str::{SmolStr, ToSmolStr as _};
use uuid::Uuid;

use super::{if_match, problem::Problem, problems, reason};
use crate::store::{Actor, IdempotencyKey, Precondition, Request, Trace};

/// One request's origin. The edge leaves it with the request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// This request.
    pub request_id: Uuid,
    /// What it belongs to, if the caller said so by a UUID in `X-Request-Id`.
    pub correlation_id: Option<Uuid>,
    /// The peer, or whom the trusted proxy names.
    pub address: IpAddr,
    /// Where it is noted what stood in the way.
    pub trace: Trace,
    /// Why they ask, if they said so in `Jari-Reason`.
    pub reason: Option<Note>,
    /// What they take the thing to be that they change.
    pub if_match: Precondition,
}

impl Caller {
    /// The origin of a request that has just come in.
    pub(super) fn new(address: IpAddr, named: Option<&HeaderValue>) -> Self {
        let correlation_id = named.and_then(|id| Uuid::try_parse_ascii(id.as_bytes()).ok());
        Self {
            request_id: Uuid::now_v7(),
            correlation_id,
            address,
            trace: Trace::default(),
            reason: None,
            if_match: Precondition::None,
        }
    }

    /// The unit of work this request asks for.
    #[must_use]
    pub fn request(&self, actor: Actor, command: impl Into<SmolStr>, key: Option<IdempotencyKey>) -> Request {
        Request {
            actor,
            command: command.into(),
            request_id: self.request_id,
            correlation_id: self.correlation_id.map(|id| id.to_smolstr()),
            causation: None,
            reason: self.reason.as_ref().map(|note| note.as_str().into()),
            address: Some(self.address),
            key,
            trace: self.trace.clone(),
            if_match: self.if_match.clone(),
        }
    }
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
