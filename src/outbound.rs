//! How this server asks others over HTTP: one client, one way to read what they answer, and whom it asks at all. Never through
//! a proxy that the environment names, never led elsewhere, never without a limit of time and size.

use std::{error::Error as _, fmt::Write as _, time::Duration};

use reqwest::{Client, Response, Url, redirect::Policy};

/// How we call ourselves.
const USER_AGENT: &str = concat!("jari/", env!("CARGO_PKG_VERSION"));

/// A client whose whole questions take no longer than this. https trusts the roots of the system.
pub fn client(answer_max: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(USER_AGENT)
        .timeout(answer_max)
        .redirect(Policy::none())
        // Only variables that begin with JARI_ are read.
        .no_proxy()
        .build()
}

/// Why an answer was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It is longer than it may be.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// It was broken off.
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
}

/// The whole answer, if it has at most so many bytes.
pub async fn body(mut answer: Response, bytes_max: usize) -> Result<Vec<u8>, Unread> {
    let mut all = Vec::new();
    loop {
        let chunk = answer.chunk().await;
        let Some(chunk) = chunk.map_err(|error| Unread::BrokenOff(why(error)))? else {
            return Ok(all);
        };
        if all.len() + chunk.len() > bytes_max {
            return Err(Unread::TooLong(bytes_max));
        }
        all.extend_from_slice(&chunk);
    }
}

/// Why a question was not answered, with its causes and without the address, which may be nobody's business.
#[must_use]
pub fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// An address of somebody to whom secrets are told, or whose word counts: https, plain HTTP on this machine itself only;
/// without user and fragment.
#[must_use]
pub fn trusted(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let reached = match url.scheme() {
        "https" => url.has_host(),
        "http" => matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost")),
        _ => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (reached && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_trusted_is_reached_over_https_or_on_this_machine() {
        for fine in [
            "https://www.googleapis.com/oauth2/v3/certs",
            "https://pay.example.com:8443/below?of=us",
            "http://127.0.0.1:4711/keys",
            "http://localhost/",
            "http://[::1]:80/keys",
        ] {
            assert!(trusted(fine).is_some(), "{fine}");
        }
        for bad in [
            "",
            "keys",
            "/keys",
            "https://",
            "http://example.com/keys",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "http://10.0.0.7/",
            "https://user:word@example.com/keys",
            "https://user@example.com/keys",
            "https://example.com/keys#first",
            "file:///etc/passwd",
            "ftp://example.com/",
        ] {
            assert_eq!(trusted(bad), None, "{bad}");
        }
    }
}
