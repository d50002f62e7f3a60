//! A provider that speaks plain JSON over HTTP with Standard Webhooks signatures both ways; never sees a card.
//!
//! Customers pay at `{url}/checkout?…`, whose parameters are signed. Refunds are asked for at `POST {url}/refunds` with
//! `{"payment","reservation","amount"}` and answered with `{"refund"}`; `webhook-id` is the same for every attempt. What the
//! provider tells is `{"type": "payment.succeeded" | "refund.succeeded" | …, "data": {…}}`.

use std::time::Duration;

use aggregates::{
    ids::ReservationId,
    values::{AMOUNT_MAX, BankReference, Money},
};
use axum::http::HeaderMap;
use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Checkout, CheckoutUrl, GivenBack, Intent, Message, NotTaken, PaymentProvider, ProviderError, Received,
    Refund, Secrets, Told,
};
use crate::outbound::{self, Unread};

/// How long the provider may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Bytes of its answer at most.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The provider.
pub struct Generic {
    http: Client,
    url: Url,
    secrets: Secrets,
}

/// What it sends.
#[derive(Deserialize)]
struct Sent {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
struct PaymentSent {
    payment: BankReference,
    #[serde(default)]
    reservation: Option<String>,
    amount: Money,
}

#[derive(Deserialize)]
struct RefundSent {
    refund: BankReference,
    payment: BankReference,
    reservation: ReservationId,
    amount: Money,
}

/// What it answers to a refund.
#[derive(Deserialize)]
struct RefundAnswer {
    refund: BankReference,
}

impl Generic {
    /// The provider at this address, with these secrets.
    pub fn new(url: &CheckoutUrl, secrets: Secrets) -> Result<Self, ProviderError> {
        Ok(Self {
            http: outbound::client(ANSWER_MAX).map_err(unreachable)?,
            url: url.0.clone(),
            secrets,
        })
    }

    fn below(&self, path: &str) -> String {
        format!("{}/{path}", self.url.as_str().trim_end_matches('/'))
    }

    async fn ask(&self, refund: Refund, now: Timestamp) -> Result<BankReference, ProviderError> {
        let body =
            json!({ "payment": refund.payment, "reservation": refund.reservation, "amount": refund.amount });
        let body = body.to_string();
        let timestamp = now.as_second();
        let request = self
            .http
            .post(self.below("refunds"))
            .header("content-type", "application/json")
            .header("webhook-id", &refund.key)
            .header("webhook-timestamp", timestamp)
            .header(
                "webhook-signature",
                self.secrets.sign(&refund.key, timestamp, body.as_bytes()),
            )
            .body(body);
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ProviderError::Refused(response.status().as_u16()));
        }
        let bytes = outbound::body(response, ANSWER_BYTES_MAX).await?;
        let answer: RefundAnswer = serde_json::from_slice(&bytes).map_err(|_| ProviderError::Unreadable)?;
        Ok(answer.refund)
    }
}

impl PaymentProvider for Generic {
    fn checkout(&self, intent: &Intent) -> Checkout {
        let id = match intent.moves {
            0 => format!("reservation-{}", intent.reservation),
            moves => format!("reservation-{}-{moves}", intent.reservation),
        };
        let expires = intent.pay_by.as_second();
        let Money { amount, currency } = intent.amount;
        let signed = format!("{amount}.{}", currency.code());
        let signature = self.secrets.sign(&id, expires, signed.as_bytes());
        let mut url = self.url.clone();
        url.set_path(&format!("{}/checkout", url.path().trim_end_matches('/')));
        url.query_pairs_mut()
            .append_pair("intent", &id)
            .append_pair("reservation", &intent.reservation.to_string())
            .append_pair("amount", &amount.to_string())
            .append_pair("currency", currency.code())
            .append_pair("expires", &expires.to_string())
            .append_pair("signature", &signature);
        Checkout {
            intent: id,
            url: url.into(),
        }
    }

    fn read(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Message, NotTaken> {
        let id = self.secrets.verify(headers, body, now)?;
        let told = told(body).map_err(|error| NotTaken::Unreadable(error.to_string()))?;
        let amount = match &told {
            Told::Received(Received { amount, .. }) | Told::GivenBack(GivenBack { amount, .. }) => {
                Some(amount.amount)
            }
            Told::Other => None,
        };
        if amount.is_some_and(|amount| !(1..=AMOUNT_MAX).contains(&amount)) {
            return Err(NotTaken::Unreadable("the amount is none".to_owned()));
        }
        Ok(Message { id, told })
    }

    fn refund(&self, refund: Refund, now: Timestamp) -> BoxFuture<'_, Result<BankReference, ProviderError>> {
        self.ask(refund, now).boxed()
    }
}

fn told(body: &[u8]) -> serde_json::Result<Told> {
    let Sent { kind, data } = serde_json::from_slice(body)?;
    Ok(match kind.as_str() {
        "payment.succeeded" => {
            let sent: PaymentSent = serde_json::from_value(data)?;
            Told::Received(Received {
                payment: sent.payment,
                // Money for what is no number at all came nevertheless.
                reservation: sent.reservation.and_then(|number| number.parse().ok()),
                amount: sent.amount,
            })
        }
        "refund.succeeded" => {
            let sent: RefundSent = serde_json::from_value(data)?;
            Told::GivenBack(GivenBack {
                refund: sent.refund,
                payment: sent.payment,
                reservation: sent.reservation,
                amount: sent.amount,
            })
        }
        _other => Told::Other,
    })
}

fn unreachable(error: reqwest::Error) -> ProviderError {
    ProviderError::Unreachable(outbound::why(error))
}

impl From<Unread> for ProviderError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLong(_) => Self::Unreadable,
            Unread::BrokenOff(why) => Self::Unreachable(why),
        }
    }
}
