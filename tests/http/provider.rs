//! A payment provider on this machine: signs what it sends, sends it twice or late, and gives money back when it feels like
//! it; never part of the program.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use jari::payments::{PaymentArgs, Secrets};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{contract, field::Field};

/// The secret both sides know.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Where the provider sends what it has to tell.
pub const WEBHOOK: &str = "/v1/payments/webhook";

/// The provider.
#[derive(Clone)]
pub struct Provider {
    url: String,
    books: Arc<Books>,
}

#[derive(Default)]
struct Books {
    /// Attempts that fail before one is answered.
    moods: AtomicU32,
    /// Refunds by their key: what was asked, and what they are called.
    refunds: Mutex<HashMap<String, (Value, String)>>,
    attempts: AtomicU32,
}

/// A message as it is sent.
#[derive(Clone)]
pub struct Signed {
    pub id: String,
    pub timestamp: String,
    pub signature: String,
    pub body: String,
}

impl Provider {
    /// Opens it; so many refunds fail before one works.
    pub async fn open(failures: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let books = Arc::new(Books::default());
        books.moods.store(failures, Ordering::Relaxed);
        let router = Router::new()
            .route("/refunds", post(refund))
            .with_state(Arc::clone(&books));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, books }
    }

    /// What the server has to be told.
    pub fn args(&self) -> PaymentArgs {
        PaymentArgs {
            payment_webhook_secret: Some(SECRET.parse().expect("a secret")),
            payment_url: Some(self.url.parse().expect("an address")),
        }
    }

    /// Every refund it gave: payment and amount.
    pub fn refunds(&self) -> Vec<(String, i64)> {
        let refunds = self.books.refunds.lock().expect("nobody panicked");
        let told = refunds.values().map(|(asked, _)| {
            let payment = asked["payment"].as_str().expect("a payment").to_owned();
            (payment, asked["amount"]["amount"].as_i64().expect("an amount"))
        });
        told.collect()
    }

    /// How often it was asked.
    pub fn attempts(&self) -> u32 {
        self.books.attempts.load(Ordering::Relaxed)
    }
}

async fn refund(State(books): State<Arc<Books>>, headers: HeaderMap, body: Bytes) -> Response {
    books.attempts.fetch_add(1, Ordering::Relaxed);
    let secrets: Secrets = SECRET.parse().expect("a secret");
    let Ok(key) = secrets.verify(&headers, &body, Timestamp::now()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let asked: Value = serde_json::from_slice(&body).expect("JSON");
    let name = {
        let mut refunds = books.refunds.lock().expect("nobody panicked");
        let next = format!("re_{}", refunds.len() + 1);
        refunds.entry(key).or_insert_with(|| (asked, next)).1.clone()
    };
    // The money is on its way, but its answer is lost.
    let left = books
        .moods
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    if left.is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    axum::Json(json!({ "refund": name })).into_response()
}

impl Signed {
    /// A message, signed now.
    pub fn new(id: &str, body: &Value) -> Self {
        Self::by(SECRET, id, Timestamp::now().as_second(), body)
    }

    /// The same by this secret at this moment.
    pub fn by(secret: &str, id: &str, timestamp: i64, body: &Value) -> Self {
        let secrets: Secrets = secret.parse().expect("a secret");
        let body = body.to_string();
        Self {
            id: id.to_owned(),
            timestamp: timestamp.to_string(),
            signature: secrets.sign(id, timestamp, body.as_bytes()),
            body,
        }
    }

    /// That money came.
    pub fn paid(id: &str, payment: &str, reservation: &str, amount: i64) -> Self {
        let amount = json!({ "amount": amount, "currency": "KRW" });
        let data =
            json!({ "payment": payment, "reservation": reservation, "amount": amount, "method": "card" });
        Self::new(id, &json!({ "type": "payment.succeeded", "data": data }))
    }

    /// That money went back.
    pub fn refunded(id: &str, refund: &str, payment: &str, reservation: &str, amount: i64) -> Self {
        let amount = json!({ "amount": amount, "currency": "KRW" });
        let data =
            json!({ "refund": refund, "payment": payment, "reservation": reservation, "amount": amount });
        Self::new(id, &json!({ "type": "refund.succeeded", "data": data }))
    }

    /// Sends it; the status, and the kind of problem.
    pub async fn send(&self, field: &Field) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let mut request = client
            .post(format!("http://{}{WEBHOOK}", field.address()))
            .header("content-type", "application/json")
            .body(self.body.clone());
        for (name, value) in [
            ("webhook-id", &self.id),
            ("webhook-timestamp", &self.timestamp),
            ("webhook-signature", &self.signature),
        ] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.expect("the server answers");
        let (status, _, text) = contract::heard(&Method::POST, WEBHOOK, answer).await;
        let problem: Value = serde_json::from_str(&text).unwrap_or_default();
        let kind = problem["type"].as_str().unwrap_or_default();
        (status, kind.trim_start_matches("/problems/").to_owned())
    }
}
