//! E-mail through an SMTP server; never a message twice by itself.
//!
//! It does not repeat: a mail server knows no id that would keep the same letter from being taken twice. Before a letter
//! is handed over the server is asked whether it is there at all, so that what cannot have been sent is known.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};

use super::{
    NoWay,
    port::{Message, Outcome, Port, provider_id},
};
use crate::config::SmtpUrl;

/// How long one step of the conversation may take.
const STEP_MAX: Duration = Duration::from_secs(5);
/// How long all of it may take.
const ALL_MAX: Duration = Duration::from_secs(20);

/// An SMTP server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// The server at this address, for letters from `from`.
    pub fn new(url: &SmtpUrl, from: &Mailbox) -> Result<Self, NoWay> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.text());
        // Its own words could repeat the password.
        let builder = builder.map_err(|_| NoWay("the SMTP address cannot be used".to_owned()))?;
        Ok(Self {
            transport: builder.timeout(Some(STEP_MAX)).build(),
            from: from.clone(),
        })
    }

    async fn deliver(&self, message: &Message) -> Outcome {
        // An address and nothing else: what is read as more could name somebody else.
        let Ok(to) = message.to.parse::<Address>() else {
            return Outcome::Refused("the address cannot be used");
        };
        let letter = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&message.subject)
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(message.body.clone());
        let Ok(letter) = letter else {
            return Outcome::Refused("the letter cannot be written");
        };
        if !self.transport.test_connection().await.is_ok_and(|there| there) {
            return Outcome::NotSent("the mail server cannot be reached");
        }
        match self.transport.send(letter).await {
            Ok(answer) => Outcome::Sent(answer.message().next().and_then(provider_id)),
            Err(error) if error.is_permanent() => Outcome::Refused("the mail server refused it"),
            Err(error) if error.is_transient() => Outcome::NotSent("the mail server wants it later"),
            Err(_) => Outcome::Unknown("the mail server did not say whether it took it"),
        }
    }
}

impl Port for Smtp {
    fn repeats(&self) -> bool {
        false
    }

    fn reaches(&self) -> bool {
        true
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Outcome> {
        let sent = tokio::time::timeout(ALL_MAX, self.deliver(message));
        let unknown = Outcome::Unknown("the mail server did not answer in time");
        sent.map(|sent| sent.unwrap_or(unknown)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[tokio::test]
    async fn a_letter_goes_to_one_address_and_to_nobody_it_names_besides() {
        let url = "smtp://127.0.0.1:1".parse().expect("an address");
        let from = "Jari <no-reply@example.com>".parse().expect("an address");
        let smtp = Smtp::new(&url, &from).expect("a way");
        // Such addresses were taken once, and may stand in the log.
        for to in [
            "a<victim@example.com>",
            "victim@example.com, b@example.com",
            "<victim@example.com>",
        ] {
            let message = Message {
                id: uuid::Uuid::nil(),
                notice: "placed",
                reservation: "1".to_owned(),
                to: Zeroizing::new(to.to_owned()),
                subject: "예약".to_owned(),
                body: "예약되었습니다.".to_owned(),
            };
            let refused = Outcome::Refused("the address cannot be used");
            assert_eq!(smtp.deliver(&message).await, refused, "{to}");
        }
    }
}
