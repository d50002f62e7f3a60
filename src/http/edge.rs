//! What surrounds every request: its id, limits, deadline, last net against panics, headers, metrics; never a route.

use std::{
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt as _;
use jiff::tz::TimeZone;
use tower::Service as _;
use uuid::Uuid;

use super::{
    App,
    access::presented,
    caller::Caller,
    limits::Limits,
    metrics,
    places::{Full, Places},
    problem::Problem,
    problems,
};
use crate::{config::HttpArgs, language, store::Trace};

/// The header that carries the request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The router with everything around it.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    router: Router,
    app: App,
    limits: Limits,
    in_flight: Places,
    https: bool,
    deadline: Duration,
    address_header: Option<HeaderName>,
}

impl Edge {
    /// Surrounds the routes of `app`.
    #[must_use]
    pub fn new(app: App, settings: &HttpArgs) -> Self {
        let router = super::router(app.clone());
        Self(Arc::new(Inner {
            router: router.layer(axum::middleware::from_fn(remember_route)),
            limits: app.limits.clone(),
            app,
            in_flight: Places::new(settings.requests_max, settings.requests_per_address_max),
            https: settings.https,
            deadline: settings.deadline(),
            address_header: settings.client_address_header.clone(),
        }))
    }

    /// Answers one request that came over a connection from `peer`.
    pub async fn answer(&self, peer: IpAddr, mut request: Request) -> Response {
        let begun = Instant::now();
        let address = self.client(peer, request.headers());
        let languages = languages(request.headers());
        let language = language::accepted(&languages);
        let caller = Caller {
            language,
            named_language: language::named(&languages),
            ..Caller::new(address, request.headers().get(REQUEST_ID))
        };
        let mut id_text = Uuid::encode_buffer();
        let id_text: &str = caller.request_id.hyphenated().encode_lower(&mut id_text);
        let method = metrics::method(request.method());
        let trace = caller.trace.clone();
        request.extensions_mut().insert(caller);
        if self.0.https {
            // Everything behind reads it where a proxy would have written it.
            request
                .headers_mut()
                .insert(presented::FORWARDED_PROTO, HeaderValue::from_static("https"));
        }
        let mut response = self.guarded(address, request).await;
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            let route = response.extensions_mut().remove::<MatchedPath>();
            let zone = self.zone(&trace).await;
            let mut written = problem.write(id_text, &trace, language, zone.as_ref());
            metrics::refused(problem.slug());
            if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
                written.headers_mut().insert(header::ALLOW, allow);
            }
            if let Some(route) = route {
                written.extensions_mut().insert(route);
            }
            response = written;
        }
        finish(&mut response, id_text);
        let route = response
            .extensions()
            .get::<MatchedPath>()
            .map_or("none", MatchedPath::as_str);
        metrics::answered(method, route, response.status(), begun.elapsed());
        response
    }

    /// The zone of the branch where something was refused, if it was at one and can be read in time.
    async fn zone(&self, trace: &Trace) -> Option<TimeZone> {
        let branch = trace.branch()?.parse().ok()?;
        let zone = tokio::time::timeout(self.0.deadline, self.0.app.zone(branch)).await;
        zone.ok()?.ok()
    }

    /// Who asks: the peer, or whom the trusted proxy names last, which is the one it has seen itself.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let Some(name) = &self.0.address_header else {
            return peer;
        };
        let named = headers
            .get_all(name)
            .iter()
            .next_back()
            .and_then(|value| value.to_str().ok());
        let last = named.and_then(|value| value.rsplit(',').next());
        last.and_then(|address| address.trim().parse().ok())
            .unwrap_or(peer)
    }

    async fn guarded(&self, address: IpAddr, request: Request) -> Response {
        let inner = &*self.0;
        if let Err(problem) = inner.limits.admit(address) {
            return problem.into_response();
        }
        let _place = match inner.in_flight.take(address) {
            Ok(place) => place,
            Err(full) => {
                let problem = match full {
                    Full::Altogether => Problem::new(&problems::BUSY, "too many requests at once"),
                    Full::Here => {
                        Problem::new(&problems::TOO_MANY, "too many requests from this address at once")
                    }
                };
                return problem.retry_after(1).into_response();
            }
        };
        let mut router = inner.router.clone();
        let answer = AssertUnwindSafe(router.call(request)).catch_unwind();
        match tokio::time::timeout(inner.deadline, answer).await {
            Ok(Ok(answer)) => answer.into_response(),
            Ok(Err(_panic)) => {
                Problem::new(&problems::FAULT, "the request could not be answered").into_response()
            }
            Err(_) => Problem::new(&problems::TIMED_OUT, "the answer took too long")
                .retry_after(1)
                .into_response(),
        }
    }
}

/// Which languages whoever asks says they read.
fn languages(headers: &HeaderMap) -> String {
    let lists: Vec<&str> = headers
        .get_all(header::ACCEPT_LANGUAGE)
        .iter()
        .filter_map(|list| list.to_str().ok())
        .collect();
    lists.join(",")
}

/// Only inside the router is the route's template known; it goes out with the answer, for the metrics.
async fn remember_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

fn finish(response: &mut Response<Body>, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let defaults = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
