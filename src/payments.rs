//! The port to a payment provider: where a customer pays, what came, what goes back; never decides what is due.
//!
//! Customers pay on the provider's own page, so nothing about a card is ever seen here. The provider tells what came by a
//! signed webhook, as often and in whatever order it likes.

mod generic;
mod webhook;

use std::{fmt, str::FromStr, sync::Arc};

use aggregates::{
    ids::ReservationId,
    values::{BankReference, Money},
};
use axum::http::HeaderMap;
use clap::Args;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::Url;

use crate::outbound;

pub use self::{
    generic::Generic,
    webhook::{NotASecret, NotVerified, Secrets, TOLERANCE},
};

/// Which provider there is; without one, nobody can choose to pay through it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Payments")]
pub struct PaymentArgs {
    /// The secrets of the payment provider's webhook, whsec_… each; several, separated by commas, while they are changed
    #[arg(
        long,
        env = "JARI_PAYMENT_WEBHOOK_SECRET",
        hide_env_values = true,
        value_name = "SECRETS",
        requires = "payment_url"
    )]
    pub payment_webhook_secret: Option<Secrets>,
    /// Where the payment provider is: its pages are below /checkout, its refunds at /refunds
    #[arg(
        long,
        env = "JARI_PAYMENT_URL",
        value_name = "URL",
        requires = "payment_webhook_secret"
    )]
    pub payment_url: Option<CheckoutUrl>,
}

impl PaymentArgs {
    /// The provider, if it is configured whole.
    #[must_use]
    pub fn provider(&self) -> Option<Arc<dyn PaymentProvider>> {
        let (secrets, url) = self
            .payment_webhook_secret
            .as_ref()
            .zip(self.payment_url.as_ref())?;
        match Generic::new(url, secrets.clone()) {
            Ok(provider) => Some(Arc::new(provider)),
            Err(error) => {
                tracing::error!(%error, "the payment provider cannot be reached from here; it is left out");
                None
            }
        }
    }
}

/// Where the payment provider is; its pages are below.
#[derive(Clone, PartialEq, Eq)]
pub struct CheckoutUrl(Url);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an https:// address without user, query and fragment; http:// is for this machine itself only"
)]
pub struct NotACheckoutUrl;

impl FromStr for CheckoutUrl {
    type Err = NotACheckoutUrl;

    fn from_str(text: &str) -> Result<Self, NotACheckoutUrl> {
        let url = outbound::trusted(text.trim().trim_end_matches('/'));
        let url = url.filter(|url| url.query().is_none());
        url.map(Self).ok_or(NotACheckoutUrl)
    }
}

impl fmt::Debug for CheckoutUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// What a customer is about to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// For which reservation.
    pub reservation: ReservationId,
    /// How much.
    pub amount: Money,
    /// Until when.
    pub pay_by: Timestamp,
    /// How often it was moved before: each time it is paid on a page of its own.
    pub moves: u16,
}

/// Where they pay it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// What the provider knows it by.
    pub intent: String,
    /// The provider's page.
    pub url: String,
}

/// What is to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Of which payment.
    pub payment: BankReference,
    /// Of which reservation.
    pub reservation: ReservationId,
    /// How much.
    pub amount: Money,
    /// The same for every attempt, by which the provider knows a repeat.
    pub key: String,
}

/// Money that the provider says has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What the provider calls the payment.
    pub payment: BankReference,
    /// What it was for, if that is a number at all.
    pub reservation: Option<ReservationId>,
    /// How much.
    pub amount: Money,
}

/// Money that the provider says has gone back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// What the provider calls the refund.
    pub refund: BankReference,
    /// Of which payment.
    pub payment: BankReference,
    /// Of which reservation.
    pub reservation: ReservationId,
    /// How much.
    pub amount: Money,
}

/// What a provider tells by its webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Money came.
    Received(Received),
    /// Money went back.
    GivenBack(GivenBack),
    /// Something else, which changes nothing here.
    Other,
}

/// A message of a provider, known to be its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same however often it is sent.
    pub id: String,
    /// What it says.
    pub told: Told,
}

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It may be anybody's.
    #[error(transparent)]
    NotVerified(#[from] NotVerified),
    /// It is the provider's, and says nothing that can be understood.
    #[error("{0}")]
    Unreadable(String),
}

/// Why the provider did not give money back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It could not be asked.
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    /// It said no.
    #[error("the payment provider answered {0}")]
    Refused(u16),
    /// Its answer is none.
    #[error("the payment provider's answer cannot be read")]
    Unreadable,
}

/// A payment provider.
pub trait PaymentProvider: Send + Sync {
    /// Where a customer pays. It is made here and signed, so nothing has to be asked for it; the provider begins the payment
    /// when its page is opened.
    fn checkout(&self, intent: &Intent) -> Checkout;

    /// A message that came by webhook, if it is the provider's own and not an old one.
    fn read(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Message, NotTaken>;

    /// Gives money back; answers what the provider calls the refund. It may be asked again with the same key.
    fn refund(&self, refund: Refund, now: Timestamp) -> BoxFuture<'_, Result<BankReference, ProviderError>>;
}
