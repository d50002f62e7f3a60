//! Who asks, as far as the connection tells: address and request id; never what they may do.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
};
use smol_str::ToSmolStr as _;
use uuid::Uuid;

use super::problem::Problem;
use super::problems;
use crate::store::{Actor, IdempotencyKey, Request, Trace};

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
        }
    }

    /// The unit of work this request asks for.
    #[must_use]
    pub fn request(&self, actor: Actor, command: &'static str, key: Option<IdempotencyKey>) -> Request {
        Request {
            actor,
            command,
            request_id: self.request_id,
            correlation_id: self.correlation_id.map(|id| id.to_smolstr()),
            causation: None,
            reason: None,
            address: Some(self.address),
            key,
            trace: self.trace.clone(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(&problems::FAULT, "the request came around the edge"))
    }
}
