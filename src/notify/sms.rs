//! Short messages through a provider's HTTP interface: one POST of JSON each. Never follows it anywhere else.
//!
//! It repeats: the message's id goes along as `Idempotency-Key` and wherever the body has `{id}`. A provider that takes
//! the same id twice as two messages must not be set up here.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use reqwest::{Client, StatusCode, Url, header};
use serde_json::Value;

use super::{
    NoWay,
    port::{Message, Outcome, Port, provider_id},
};
use crate::{
    config::{HeaderLine, NoticeArgs, SmsBody},
    outbound,
};

/// How long a provider may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Bytes of an answer that are looked into.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A provider of short messages.
pub struct HttpSms {
    client: Client,
    url: Url,
    header: Option<HeaderLine>,
    body: SmsBody,
    answer_id: String,
}

impl HttpSms {
    /// The provider at this address.
    pub fn new(url: &Url, settings: &NoticeArgs) -> Result<Self, NoWay> {
        Ok(Self {
            client: outbound::client(ANSWER_MAX).map_err(|error| NoWay(outbound::why(error)))?,
            url: url.clone(),
            header: settings.sms_header.clone(),
            body: settings.sms_body.clone(),
            answer_id: settings.sms_answer_id.clone(),
        })
    }

    async fn post(&self, message: &Message) -> Outcome {
        let id = message.id.to_string();
        let body = filled(
            &self.body.0,
            &[("{to}", &message.to), ("{text}", &message.body), ("{id}", &id)],
        );
        let mut request = self
            .client
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", &id)
            .body(body.to_string());
        if let Some(HeaderLine { name, value }) = &self.header {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(answer) => self.understood(answer).await,
            Err(error) if error.is_connect() => Outcome::NotSent("the provider cannot be reached"),
            Err(error) if error.is_timeout() => Outcome::Unknown("the provider did not answer in time"),
            Err(_) => Outcome::Unknown("the provider did not answer"),
        }
    }

    async fn understood(&self, answer: reqwest::Response) -> Outcome {
        let status = answer.status();
        if status.is_success() {
            // It was taken; how far the answer can be read decides nothing any more.
            let bytes = outbound::body(answer, ANSWER_BYTES_MAX).await.unwrap_or_default();
            let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let named = match said.pointer(&self.answer_id) {
                Some(Value::String(text)) => provider_id(text),
                Some(Value::Number(number)) => provider_id(&number.to_string()),
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
            };
            return Outcome::Sent(named);
        }
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Outcome::NotSent("the provider is busy")
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_EARLY => {
                Outcome::Unknown("the provider is not done with it")
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Outcome::NotSent("the provider does not accept our credentials")
            }
            status if status.is_server_error() => Outcome::Unknown("the provider failed"),
            _refused => Outcome::Refused("the provider refused it"),
        }
    }
}

impl Port for HttpSms {
    fn repeats(&self) -> bool {
        true
    }

    fn reaches(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Outcome> {
        self.post(message).boxed()
    }
}

/// The template with each gap in its texts filled; what fills one is never looked into for another.
fn filled(template: &Value, gaps: &[(&str, &str)]) -> Value {
    match template {
        Value::String(text) => Value::String(filled_text(text, gaps)),
        Value::Array(items) => items.iter().map(|item| filled(item, gaps)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (name.clone(), filled(value, gaps)))
                .collect()
        }
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_)) => leaf.clone(),
    }
}

fn filled_text(text: &str, gaps: &[(&str, &str)]) -> String {
    let found = gaps
        .iter()
        .filter_map(|(gap, value)| text.split_once(gap).map(|parts| (parts, value)))
        .min_by_key(|((before, _), _)| before.len());
    match found {
        None => text.to_owned(),
        Some(((before, after), value)) => format!("{before}{value}{}", filled_text(after, gaps)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_is_filled_once_and_stays_json() {
        let template = json!({ "to": "{to}", "parts": [{ "text": "Jari: {text} ({id})" }], "count": 1 });
        let gaps = [
            ("{to}", "010-1234-5678"),
            ("{text}", "\"{id}\" {to}"),
            ("{id}", "7"),
        ];
        assert_eq!(
            filled(&template, &gaps),
            json!({ "to": "010-1234-5678", "parts": [{ "text": "Jari: \"{id}\" {to} (7)" }], "count": 1 })
        );
    }
}
