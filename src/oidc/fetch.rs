//! One short question to the provider: where its keys are, and how long its answer counts; never what is in it.

use std::{str::FromStr, time::Duration};

use reqwest::{
    Client, StatusCode,
    header::{self, HeaderMap},
};

use crate::outbound::{self, Unread};

/// How long the whole question may take.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Bytes of an answer at most.
const BYTES_MAX: usize = 64 * 1024;
/// How long an answer counts that does not say so.
const USUALLY_KEPT: Duration = Duration::from_secs(60 * 60);
/// The least and the most an answer counts, whatever it says.
const KEPT: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(24 * 60 * 60);

/// Where a provider publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysUrl(String);

/// Where Google does.
pub(super) const GOOGLE_KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

impl KeysUrl {
    /// Where Google publishes its keys.
    #[must_use]
    pub fn google() -> Self {
        Self(GOOGLE_KEYS.to_owned())
    }
}

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an https:// address without a password; http:// is for this machine itself only")]
pub struct NotAKeysUrl;

impl FromStr for KeysUrl {
    type Err = NotAKeysUrl;

    fn from_str(text: &str) -> Result<Self, NotAKeysUrl> {
        let url = outbound::trusted(text).ok_or(NotAKeysUrl)?;
        Ok(Self(url.into()))
    }
}

/// Why the provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Nobody can be asked from here.
    #[error("no client")]
    NoClient,
    /// There was no answer.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Another status than 200; who is sent elsewhere does not go.
    #[error("answered with {0}")]
    Status(StatusCode),
    /// Too long, or broken off.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// Not what was asked for.
    #[error("the answer has no keys")]
    NoKeys,
    /// Asked in vain a moment ago.
    #[error("asked in vain a moment ago")]
    LatelyInVain,
}

/// Asks for what is at an address.
#[derive(Debug)]
pub(super) struct Fetch {
    url: KeysUrl,
    /// None if nobody can be asked from here at all.
    client: Option<Client>,
}

impl Fetch {
    pub fn new(url: KeysUrl) -> Self {
        let client = outbound::client(TIME_MAX);
        if let Err(error) = &client {
            tracing::error!(%error, "the keys of the sign-in provider cannot be asked for from here");
        }
        Self {
            url,
            client: client.ok(),
        }
    }

    /// The answer, and how long it counts.
    pub async fn get(&self) -> Result<(Vec<u8>, Duration), Unreachable> {
        let client = self.client.as_ref().ok_or(Unreachable::NoClient)?;
        let question = client.get(&self.url.0).header(header::ACCEPT, "application/json");
        let answer = question.send().await;
        let answer = answer.map_err(|error| Unreachable::NoAnswer(outbound::why(error)))?;
        if answer.status() != StatusCode::OK {
            return Err(Unreachable::Status(answer.status()));
        }
        let kept = kept(answer.headers());
        Ok((outbound::body(answer, BYTES_MAX).await?, kept))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_is_asked_where_it_says() {
        assert_eq!(GOOGLE_KEYS.parse(), Ok(KeysUrl::google()));
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
