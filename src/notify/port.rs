//! What every way of sending a message promises; never how it does it.
//!
//! The contract: a message has an id that stays the same with every attempt. A port that repeats carries the id to a
//! provider that takes the same id only once, so what may or may not have arrived is sent again. A port that does not
//! repeat is used at most once unless it is sure that nothing was sent; what may have arrived stays unknown until a
//! person decides.

use futures_util::future::BoxFuture;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A kind of way to reach somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A short message to a phone.
    Sms,
    /// A letter to an e-mail address.
    Email,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sms, Self::Email];

    /// Its name in rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// A message ready to go. Whom it is for is wiped from memory when it is dropped, and is never logged.
pub struct Message {
    /// The same with every attempt.
    pub id: Uuid,
    /// Which notice it is.
    pub notice: &'static str,
    /// Which reservation it is about.
    pub reservation: String,
    /// A phone number or an e-mail address.
    pub to: Zeroizing<String>,
    /// What stands above it, where there is room.
    pub subject: String,
    /// The words.
    pub body: String,
}

/// How sending went. The words are for operators and hold nothing of the message or the provider's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has it, and calls it so.
    Sent(Option<String>),
    /// It was surely not sent; it may work later.
    NotSent(&'static str),
    /// The provider does not want it.
    Refused(&'static str),
    /// It may have been sent.
    Unknown(&'static str),
}

/// A way of sending messages.
pub trait Port: Send + Sync {
    /// Whether what may have been sent can be sent again without arriving twice.
    fn repeats(&self) -> bool;

    /// Whether what was sent reaches anybody.
    fn reaches(&self) -> bool;

    /// Sends a message once. Takes a bounded time.
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Outcome>;
}

/// Characters of a provider's name for a message that are kept.
const PROVIDER_ID_MAX: usize = 200;

/// What a provider calls a message, as far as it can be kept.
#[must_use]
pub fn provider_id(text: &str) -> Option<String> {
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(PROVIDER_ID_MAX)
        .collect();
    (!kept.is_empty()).then_some(kept)
}
