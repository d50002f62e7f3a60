//! Counts and times for Prometheus with bounded labels: routes by template, never by path, id or address.

use std::{sync::OnceLock, time::Duration};

use axum::http::{Method, StatusCode};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Upper bounds of the buckets of counts.
const COUNT_BUCKETS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// The one histogram of counts.
const LOG_BATCH: &str = "jari_log_batch_commands";

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts counting; once per process, however many servers it has.
pub fn start() {
    PROMETHEUS.get_or_init(|| {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .and_then(|builder| {
                let counts = Matcher::Full(LOG_BATCH.to_owned());
                builder.set_buckets_for_metric(counts, &COUNT_BUCKETS)
            })
            .unwrap_or_else(|_| PrometheusBuilder::new())
            .build_recorder();
        let handle = recorder.handle();
        // Another recorder was there first: then ours stays empty, which /metrics shows.
        let _ = metrics::set_global_recorder(recorder);
        metrics::describe_counter!(
            "jari_http_requests_total",
            "Requests by method, route template and status"
        );
        metrics::describe_histogram!("jari_http_request_seconds", "Time to the head of the answer");
        metrics::describe_counter!("jari_problems_total", "Problems answered, by type");
        metrics::describe_counter!(
            "jari_connections_refused_total",
            "Connections closed because their address had too many"
        );
        metrics::describe_histogram!(LOG_BATCH, "Commands that the log took in one commit");
        metrics::describe_counter!(
            "jari_projection_events_total",
            "Events folded into each read model"
        );
        metrics::describe_histogram!(
            "jari_projection_batch_seconds",
            "Time to fold and write one batch of events"
        );
        metrics::describe_histogram!(
            "jari_projection_lag_seconds",
            "Time from the record of an event to its read model"
        );
        metrics::describe_counter!(
            "jari_projection_parked_total",
            "Rows that a read model could not fold and left aside"
        );
        metrics::describe_gauge!(
            "jari_log_position",
            "The last position of the log this process knows"
        );
        metrics::describe_gauge!(
            "jari_read_model_lag_events",
            "Events a read model is behind the log"
        );
        handle
    });
}

/// Everything counted so far, as text.
#[must_use]
pub fn text() -> String {
    PROMETHEUS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Counts a connection that was closed as it came.
pub(super) fn connection_refused() {
    metrics::counter!("jari_connections_refused_total").increment(1);
}

/// Drops samples that histograms keep until they are read.
pub fn upkeep() {
    if let Some(handle) = PROMETHEUS.get() {
        handle.run_upkeep();
    }
}

/// Tells how far the log is and how far behind it each read model.
pub fn standing(head: i64, models: impl Iterator<Item = (&'static str, i64)>) {
    gauge("jari_log_position", head, Vec::new());
    for (model, position) in models {
        gauge(
            "jari_read_model_lag_events",
            head - position,
            vec![metrics::Label::from_static_parts("model", model)],
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions are far below 2^53")]
fn gauge(name: &'static str, value: i64, labels: Vec<metrics::Label>) {
    metrics::gauge!(name, labels).set(value as f64);
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
    metrics::histogram!("jari_http_request_seconds", labels.iter()).record(took.as_secs_f64());
    let labels = labels
        .into_iter()
        .chain([metrics::Label::new("status", status.as_u16().to_string())]);
    metrics::counter!("jari_http_requests_total", labels.collect::<Vec<_>>()).increment(1);
}

pub(super) fn refused(slug: &'static str) {
    metrics::counter!("jari_problems_total", "type" => slug).increment(1);
}
