//! Accepts connections and feeds them to the edge until told to stop; never looks into a request.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};

use super::{edge::Edge, metrics, places::Places, progress::Progress};
use crate::{
    config::HttpArgs,
    shutdown::{Signal, told},
};

/// The time a caller has to send a whole head, the pause before it included: shorter ones cut connections kept for later.
const HEAD_SECONDS: Duration = Duration::from_secs(60);
/// Header fields of one request.
const HEADERS_MAX: usize = 64;
/// Bytes of one request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The pause after the system refused a connection, for example for want of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// What connections are held to.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    all: usize,
    per_address: usize,
    stalled: Duration,
}

impl Bounds {
    /// As configured. Behind a proxy all connections come from it, and it is the proxy that counts them by address.
    #[must_use]
    pub const fn of(settings: &HttpArgs) -> Self {
        let behind_a_proxy = settings.client_address_header.is_some();
        Self {
            all: settings.connections_max,
            per_address: if behind_a_proxy {
                usize::MAX
            } else {
                settings.connections_per_address_max
            },
            stalled: settings.stalled(),
        }
    }
}

/// Serves until `stop` turns true; then takes no new connections, and returns when those that are left have got their
/// answers, or after `patience`.
pub async fn serve(listener: TcpListener, edge: Edge, bounds: Bounds, mut stop: Signal, patience: Duration) {
    let places = Arc::new(Semaphore::new(bounds.all));
    let by_network = Places::new(usize::MAX, bounds.per_address);
    let mut connections = JoinSet::new();
    loop {
        // Bounded: who comes when all places are taken waits in the system's queue.
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = told(&mut stop) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told(&mut stop) => break,
        };
        let edge = edge.clone();
        let stop = stop.clone();
        match accepted {
            Ok((stream, peer)) => match by_network.take(peer.ip()) {
                Ok(here) => {
                    // Answers are small and whole: waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    let stream = Progress::new(stream, bounds.stalled);
                    connections.spawn(async move {
                        connection(stream, peer, edge, stop).await;
                        drop((here, place));
                    });
                }
                // Without a word: one that does not read would hold a place even for that.
                Err(_full) => metrics::connection_refused(),
            },
            Err(error) => pause(&error).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(patience, all).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut");
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(REFUSED_PAUSE).await;
}

async fn connection(stream: Progress<TcpStream>, peer: SocketAddr, edge: Edge, mut stop: Signal) {
    let address = peer.ip().to_canonical();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let edge = edge.clone();
        async move { Ok::<_, std::convert::Infallible>(edge.answer(address, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_SECONDS)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
