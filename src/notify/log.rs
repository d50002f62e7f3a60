//! The way that leads nowhere: messages are written down for whoever sets things up; never whom they are for.

use std::path::PathBuf;

use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::json;
use tokio::{fs::OpenOptions, io::AsyncWriteExt as _};

use super::port::{Message, Outcome, Port};

/// Writes messages to a file, a line each, or notes in the log that they would have been sent.
pub struct Log {
    file: Option<PathBuf>,
}

impl Log {
    /// To this file, if any.
    #[must_use]
    pub const fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    async fn write(&self, message: &Message) -> Outcome {
        let Message {
            id,
            notice,
            reservation,
            subject,
            body,
            ..
        } = message;
        let Some(file) = &self.file else {
            tracing::info!(%id, notice, reservation, "a message would have been sent");
            return Outcome::Sent(None);
        };
        let line = json!({ "id": id, "notice": notice, "reservation": reservation, "subject": subject, "body": body });
        let written = async {
            let mut file = OpenOptions::new().append(true).create(true).open(file).await?;
            file.write_all(format!("{line}\n").as_bytes()).await?;
            file.flush().await
        };
        match written.await {
            Ok(()) => Outcome::Sent(None),
            Err(error) => {
                tracing::warn!(%error, "the file for messages cannot be written");
                Outcome::NotSent("the file cannot be written")
            }
        }
    }
}

impl Port for Log {
    fn repeats(&self) -> bool {
        true
    }

    fn reaches(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Outcome> {
        self.write(message).boxed()
    }
}
