//! Those who carry messages, as small as can be and as unreliable as wanted: an SMS provider over HTTP, a mail server.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// What the provider does with a message.
#[derive(Clone, Copy, Debug)]
pub enum Answering {
    Take,
    Status(u16),
    /// Takes it, and the answer gets lost.
    TakeAndHangUp,
    /// Takes it, and never answers.
    TakeAndStaySilent,
}

#[derive(Default)]
struct Provided {
    attempts: Vec<String>,
    messages: BTreeMap<String, (String, String)>,
    next: VecDeque<Answering>,
    always: Option<Answering>,
}

/// A provider of short messages that takes the same id only once.
#[derive(Clone)]
pub struct SmsProvider {
    address: SocketAddr,
    provided: Arc<Mutex<Provided>>,
}

impl SmsProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let provider = Self {
            address: listener.local_addr().expect("an address"),
            provided: Arc::default(),
        };
        let router = Router::new()
            .route("/send", post(send))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn url(&self) -> String {
        format!("http://{}/send", self.address)
    }

    /// What it does with the next messages; after those, with all.
    pub fn next(&self, answers: impl IntoIterator<Item = Answering>) {
        self.provided().next.extend(answers);
    }

    /// What it does from now on.
    pub fn always(&self, answering: Answering) {
        self.provided().always = Some(answering);
    }

    /// Takes a message whoever sent it.
    pub fn take(&self, id: &str, to: &str, text: &str) {
        let mut provided = self.provided();
        let message = (to.to_owned(), text.to_owned());
        provided.messages.entry(id.to_owned()).or_insert(message);
    }

    /// The ids of all requests in order.
    pub fn attempts(&self) -> Vec<String> {
        self.provided().attempts.clone()
    }

    /// To whom it carries what.
    pub fn messages(&self) -> Vec<(String, String)> {
        self.provided().messages.values().cloned().collect()
    }

    fn provided(&self) -> MutexGuard<'_, Provided> {
        self.provided.lock().expect("nobody panicked")
    }
}

async fn send(State(provider): State<SmsProvider>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["x-api-key"], "only-for-tests");
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let text = |field: &str| body[field].as_str().expect("a text").to_owned();
    let id = text("id");
    assert_eq!(headers["idempotency-key"], id.as_str());
    let answering = {
        let mut book = provider.provided();
        book.attempts.push(id.clone());
        let next = book.next.pop_front();
        next.or(book.always).unwrap_or(Answering::Take)
    };
    let (to, text) = (text("to"), text("text"));
    match answering {
        Answering::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Answering::Take => {
            provider.take(&id, &to, &text);
            axum::Json(json!({ "id": format!("sms-{id}") })).into_response()
        }
        Answering::TakeAndHangUp => {
            provider.take(&id, &to, &text);
            // The connection breaks without an answer.
            panic!("the provider hangs up");
        }
        Answering::TakeAndStaySilent => {
            provider.take(&id, &to, &text);
            Notify::new().notified().await;
            unreachable!("nobody notifies");
        }
    }
}

/// What the mail server does with a letter.
#[derive(Clone, Copy, Debug)]
pub enum Taking {
    /// Refuses its recipient for good.
    Refuse,
    /// Refuses its recipient for now, and every other one.
    NotNow,
    /// Takes it, and the answer gets lost.
    TakeAndHangUp,
}

/// A letter as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    pub to: String,
    pub text: String,
}

#[derive(Default)]
struct Taken {
    letters: Vec<Letter>,
    next: Option<Taking>,
}

/// A mail server without TLS or passwords.
#[derive(Clone)]
pub struct MailServer {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            taken: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // A conversation that breaks is the client's to deal with.
                tokio::spawn(async move { drop(serving.talk(stream).await) });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// What it does with the next letter.
    pub fn next(&self, taking: Taking) {
        self.taken.lock().expect("nobody panicked").next = Some(taking);
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.taken.lock().expect("nobody panicked").letters.clone()
    }

    async fn talk(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mail.example.com\r\n").await?;
        let mut letter = Letter::default();
        while let Some(line) = lines.next_line().await? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let answer = match &*verb {
                "RCPT" => {
                    if let Some(refusal) = self.refusal() {
                        refusal
                    } else {
                        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                        address.clone_into(&mut letter.to);
                        "250 2.1.5 fine"
                    }
                }
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    while let Some(line) = lines.next_line().await? {
                        if line == "." {
                            break;
                        }
                        letter.text.push_str(&line);
                        letter.text.push('\n');
                    }
                    let hangs_up = {
                        let mut taken = self.taken.lock().expect("nobody panicked");
                        taken.letters.push(std::mem::take(&mut letter));
                        taken.next.take().is_some()
                    };
                    if hangs_up {
                        return Ok(());
                    }
                    "250 2.0.0 taken"
                }
                "QUIT" => "221 bye",
                _other => "250 fine",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    fn refusal(&self) -> Option<&'static str> {
        let mut taken = self.taken.lock().expect("nobody panicked");
        match taken.next {
            Some(Taking::Refuse) => {
                taken.next = None;
                Some("550 5.1.1 nobody here")
            }
            Some(Taking::NotNow) => Some("451 4.3.0 later"),
            Some(Taking::TakeAndHangUp) | None => None,
        }
    }
}
