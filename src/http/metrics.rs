//! Counts and times for Prometheus with bounded labels: routes by template, never by path, id or address.

use std::{sync::OnceLock, time::Duration};

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts counting; once per process, however many servers it has.
pub fn start() {
    PROMETHEUS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        // Another recorder was there first: then ours stays empty, which /metrics shows.
        let _ = metrics::set_global_recorder(recorder);
        metrics::describe_counter!(
            "http_requests_total",
            "Requests by method, route template and status"
        );
        metrics::describe_histogram!("http_request_seconds", "Time to the head of the answer");
        metrics::describe_counter!("problems_total", "Problems answered, by type");
        handle
    });
}

/// Everything counted so far, as text.
#[must_use]
pub fn text() -> String {
    PROMETHEUS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Drops samples that histograms keep until they are read.
pub fn upkeep() {
    if let Some(handle) = PROMETHEUS.get() {
        handle.run_upkeep();
    }
}

/// The label of a method; callers may invent others, labels may not grow with them.
pub(super) fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 5] = ["GET", "POST", "HEAD", "PUT", "DELETE"];
    KNOWN
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("other")
}

pub(super) fn answered(method: &'static str, route: &str, status: StatusCode, took: Duration) {
    let route: std::sync::Arc<str> = route.into();
    let labels = [
        metrics::Label::from_static_parts("method", method),
        metrics::Label::new("route", metrics::SharedString::from_shared(route)),
    ];
    metrics::histogram!("http_request_seconds", labels.iter()).record(took.as_secs_f64());
    let labels = labels
        .into_iter()
        .chain([metrics::Label::new("status", status.as_u16().to_string())]);
    metrics::counter!("http_requests_total", labels.collect::<Vec<_>>()).increment(1);
}

pub(super) fn refused(slug: &'static str) {
    metrics::counter!("problems_total", "type" => slug).increment(1);
}
