//! One short question to the provider over HTTP: https with the roots of the web, plain only on this machine itself; bounded
//! in size and time, and never led elsewhere.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Request, Response, StatusCode, Uri,
    body::Incoming,
    client::conn::http1,
    header::{self, HeaderMap},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// How long the whole question may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes of an answer at most.
const BYTES_MAX: usize = 64 * 1024;
/// How long an answer counts that does not say so.
const USUALLY_KEPT: Duration = Duration::from_secs(60 * 60);
/// The least and the most an answer counts, whatever it says.
const KEPT: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60);

/// Where a provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUrl {
    host: String,
    port: u16,
    path: String,
    secure: bool,
}

/// Why a text is no address of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an https:// address without a password; http:// is for this machine itself only")]
pub struct NotAProviderUrl;

impl ProviderUrl {
    /// Where Google publishes its keys.
    #[must_use]
    pub fn google() -> Self {
        Self {
            host: "www.googleapis.com".to_owned(),
            port: 443,
            path: "/oauth2/v3/certs".to_owned(),
            secure: true,
        }
    }

    fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for ProviderUrl {
    type Err = NotAProviderUrl;

    fn from_str(text: &str) -> Result<Self, NotAProviderUrl> {
        let uri: Uri = text.parse().map_err(|_| NotAProviderUrl)?;
        let authority = uri.authority().ok_or(NotAProviderUrl)?;
        let host = authority.host();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if matches!(host, "127.0.0.1" | "[::1]" | "localhost") => false,
            Some(_) | None => return Err(NotAProviderUrl),
        };
        if host.is_empty() || authority.as_str().contains('@') {
            return Err(NotAProviderUrl);
        }
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            secure,
        })
    }
}

/// Why the provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// It took too long.
    #[error("no whole answer within {} seconds", TIME_MAX.as_secs())]
    TooSlow,
    /// There was no connection.
    #[error("no connection: {0}")]
    Connection(#[from] std::io::Error),
    /// The host cannot be asked over TLS.
    #[error("no name for TLS")]
    Name,
    /// HTTP failed.
    #[error("HTTP failed: {0}")]
    Http(#[from] hyper::Error),
    /// The request could not be written.
    #[error("no request: {0}")]
    Request(#[from] hyper::http::Error),
    /// Another status than 200; who is sent elsewhere does not go.
    #[error("answered with {0}")]
    Status(StatusCode),
    /// Too long, or broken off.
    #[error("the answer is not whole, or longer than {BYTES_MAX} bytes")]
    Body,
    /// Not what was asked for.
    #[error("the answer has no keys")]
    NoKeys,
    /// Asked in vain a moment ago.
    #[error("asked in vain a moment ago")]
    LatelyInVain,
}

/// Asks for what is at an address.
#[derive(Clone)]
pub(super) struct Fetch {
    url: ProviderUrl,
    /// None if TLS cannot be spoken here at all.
    tls: Option<TlsConnector>,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Fetch").field(&self.url).finish()
    }
}

impl Fetch {
    pub fn new(url: ProviderUrl) -> Self {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots).with_no_client_auth());
        let tls = config.ok().map(|config| TlsConnector::from(Arc::new(config)));
        Self { url, tls }
    }

    /// The answer, and how long it counts.
    pub async fn get(&self) -> Result<(Bytes, Duration), Unreachable> {
        tokio::time::timeout(TIME_MAX, self.asked())
            .await
            .map_err(|_| Unreachable::TooSlow)?
    }

    async fn asked(&self) -> Result<(Bytes, Duration), Unreachable> {
        let host = self.url.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.url.port)).await?;
        if !self.url.secure {
            return self.over(stream).await;
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Unreachable::Name)?;
        let tls = self.tls.as_ref().ok_or(Unreachable::Name)?;
        self.over(tls.connect(name, stream).await?).await
    }

    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<(Bytes, Duration), Unreachable> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let _driven = Driven(tokio::spawn(async move {
            // Whatever goes wrong shows in the answer.
            let _ended = connection.await;
        }));
        let request = Request::get(&self.url.path)
            .header(header::HOST, self.url.authority())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("jari/", env!("CARGO_PKG_VERSION")))
            .body(Empty::<Bytes>::new())?;
        read(sender.send_request(request).await?).await
    }
}

async fn read(answer: Response<Incoming>) -> Result<(Bytes, Duration), Unreachable> {
    let (parts, body) = answer.into_parts();
    if parts.status != StatusCode::OK {
        return Err(Unreachable::Status(parts.status));
    }
    let kept = kept(&parts.headers);
    let body = Limited::new(body, BYTES_MAX).collect().await;
    Ok((body.map_err(|_| Unreachable::Body)?.to_bytes(), kept))
}

/// How long an answer counts, as it says itself and within bounds.
fn kept(headers: &HeaderMap) -> Duration {
    let control = headers
        .get(header::CACHE_CONTROL)
        .and_then(|value| value.to_str().ok());
    let seconds = control.and_then(|control| {
        let mut parts = control.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix("max-age=")?.parse().ok())
    });
    seconds
        .map_or(USUALLY_KEPT, Duration::from_secs)
        .clamp(*KEPT.start(), *KEPT.end())
}

/// The task that drives a connection; it ends with the question.
struct Driven(JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_https_or_on_this_machine() {
        let google = "https://www.googleapis.com/oauth2/v3/certs".parse();
        assert_eq!(google, Ok(ProviderUrl::google()));
        for fine in [
            "http://127.0.0.1:4711/keys",
            "http://localhost/",
            "http://[::1]:80/keys",
        ] {
            assert!(fine.parse::<ProviderUrl>().is_ok(), "{fine}");
        }
        for bad in [
            "",
            "keys",
            "/keys",
            "http://example.com/keys",
            "http://127.0.0.1.example.com/",
            "https://user:word@example.com/keys",
            "file:///etc/passwd",
            "ftp://example.com/",
        ] {
            assert_eq!(bad.parse::<ProviderUrl>(), Err(NotAProviderUrl), "{bad}");
        }
    }

    #[test]
    fn an_answer_counts_as_long_as_it_says_within_bounds() {
        let kept = |control: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, control.parse().expect("a header"));
            super::kept(&headers).as_secs()
        };
        assert_eq!(kept("public, max-age=19845, must-revalidate"), 19_845);
        assert_eq!(kept("max-age=0"), 60);
        assert_eq!(kept("max-age=99999999"), 86_400);
        assert_eq!(kept("no-store"), 3_600);
        assert_eq!(super::kept(&HeaderMap::new()), USUALLY_KEPT);
    }
}
