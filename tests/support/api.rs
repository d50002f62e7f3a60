//! A client of the HTTP interface that notes what it sent and what was acknowledged; knows only the contract.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    journal::{Acknowledged, Journal},
    process::ADMIN_TOKEN,
    shop::phone,
};

/// Longer than the server takes to give a request up.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// A client of one server.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    pub journal: Arc<Journal>,
    contract: Option<Contract>,
}

/// What every answer is held against: method, path, status, headers and body.
type Contract = fn(&Method, &str, u16, &header::HeaderMap, &[u8]);

/// One request, which can be sent again as it is.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    token: Option<String>,
    pub key: Option<String>,
    language: Option<&'static str>,
    body: Option<Value>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Where in the log it happened.
    pub position: Option<i64>,
    /// Seconds to wait before trying again.
    pub retry_after: Option<u64>,
    /// Whether an earlier request had done it.
    pub repeated: bool,
}

/// A hold as its holder knows it.
#[derive(Clone, Debug)]
pub struct Hold {
    pub number: String,
    pub token: String,
    pub seats: Vec<String>,
    pub expires_at: jiff::Timestamp,
}

impl Call {
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            token: None,
            key: None,
            language: None,
            body: None,
        }
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            token: None,
            key: None,
            language: None,
            body: Some(body),
        }
    }

    /// A command of staff.
    pub fn admin(path: impl Into<String>, body: Value) -> Self {
        Self {
            token: Some(ADMIN_TOKEN.to_owned()),
            ..Self::post(path, body)
        }
    }

    /// Something to be ended.
    pub fn delete(path: impl Into<String>) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(path)
        }
    }

    /// The same, asked with this token.
    pub fn with_token(self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self
        }
    }

    /// The same, asked by somebody who reads this (`Accept-Language`).
    pub fn in_language(self, list: &'static str) -> Self {
        Self {
            language: Some(list),
            ..self
        }
    }

    /// The same, asked by staff.
    pub fn by_staff(self) -> Self {
        Self {
            token: Some(ADMIN_TOKEN.to_owned()),
            ..self
        }
    }

    /// Holds these seats, one adult each.
    pub fn hold(time_slot: Uuid, seats: &[impl AsRef<str>]) -> Self {
        let seats: Vec<&str> = seats.iter().map(AsRef::as_ref).collect();
        let body = json!({ "time_slot": time_slot, "seats": seats, "persons": { "adult": seats.len() } });
        Self::post("/v1/reservations", body)
    }

    /// Holds the best seats side by side.
    pub fn hold_best(time_slot: Uuid, count: u8) -> Self {
        let body = json!({ "time_slot": time_slot, "best_available": count, "persons": { "adult": count } });
        Self::post("/v1/reservations", body)
    }

    /// Holds a whole session.
    pub fn hold_room(time_slot: Uuid, party_size: u8) -> Self {
        Self::post(
            "/v1/reservations",
            json!({ "time_slot": time_slot, "party_size": party_size }),
        )
    }

    /// A step of a hold or reservation that needs no words: `release`, `cancel`, `extend`, `revive`.
    pub fn step(hold: &Hold, verb: &str) -> Self {
        let path = format!("/v1/reservations/{}/{verb}", hold.number);
        Self {
            token: Some(hold.token.clone()),
            ..Self::post(path, json!({}))
        }
    }

    /// Takes these seats instead, one adult each.
    pub fn change(hold: &Hold, seats: &[&str]) -> Self {
        Self {
            body: Some(json!({ "seats": seats, "persons": { "adult": seats.len() } })),
            ..Self::step(hold, "change")
        }
    }

    /// Makes a hold binding.
    pub fn place(hold: &Hold, coupon: Option<&str>) -> Self {
        let mut body = json!({ "name": "김하늘", "phone": phone(hold.number.parse().expect("a number")), "payment": "on_site",
            "agreements": { "privacy": true, "house_rules": true } });
        if let Some(code) = coupon {
            body["coupon"] = json!(code);
        }
        Self {
            body: Some(body),
            ..Self::step(hold, "place")
        }
    }

    /// Makes a hold binding, to be paid by bank transfer before a deadline.
    pub fn place_unpaid(hold: &Hold, coupon: &str) -> Self {
        let mut call = Self::place(hold, Some(coupon));
        if let Some(body) = &mut call.body {
            body["payment"] = json!("bank_transfer");
        }
        call
    }

    /// Makes a hold binding, to be paid in this way.
    pub fn place_paid_by(hold: &Hold, payment: &str) -> Self {
        let mut call = Self::place(hold, None);
        if let Some(body) = &mut call.body {
            body["payment"] = json!(payment);
        }
        call
    }

    /// How a reservation is now.
    pub fn show(hold: &Hold) -> Self {
        Self {
            token: Some(hold.token.clone()),
            ..Self::get(format!("/v1/reservations/{}", hold.number))
        }
    }

    /// With a key by which a repeat is known.
    pub fn with_key(self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self
        }
    }

    /// With a key of its own.
    pub fn keyed(self) -> Self {
        self.with_key(&Uuid::now_v7().to_string())
    }

    fn is_command(&self) -> bool {
        self.method == Method::POST
    }
}

impl Api {
    /// A client of the server on this port.
    pub fn new(port: u16, journal: Arc<Journal>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_MAX)
            .build()
            .expect("a client");
        Self {
            http,
            base: format!("http://127.0.0.1:{port}"),
            journal,
            contract: None,
        }
    }

    /// The same, with every answer held against this.
    pub fn held_to(self, contract: Contract) -> Self {
        Self {
            contract: Some(contract),
            ..self
        }
    }

    /// Sends it; an error means that nobody knows whether it happened.
    pub async fn send(&self, call: &Call) -> Result<Answer, reqwest::Error> {
        let id = Uuid::now_v7();
        self.journal.sent(id);
        let mut request = self
            .http
            .request(call.method.clone(), format!("{}{}", self.base, call.path));
        request = request.header("x-request-id", id.to_string());
        if let Some(token) = &call.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(list) = call.language {
            request = request.header(header::ACCEPT_LANGUAGE, list);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let number = |name: &str| response.headers().get(name)?.to_str().ok()?.parse().ok();
        let (position, retry_after) = (number("x-jari-position"), number(header::RETRY_AFTER.as_str()));
        let mut answer = Answer {
            status: response.status().as_u16(),
            body: Vec::new(),
            position,
            retry_after: retry_after.and_then(|seconds| u64::try_from(seconds).ok()),
            repeated: response.headers().contains_key("x-jari-repeated"),
        };
        let headers = response.headers().clone();
        answer.body = response.bytes().await?.to_vec();
        if let Some(contract) = self.contract {
            contract(&call.method, &call.path, answer.status, &headers, &answer.body);
        }
        let is_recorded = answer.position.is_some() && !answer.body.is_empty();
        if call.is_command() && answer.is_done() && is_recorded {
            self.journal
                .acknowledged(Acknowledged::of(call.key.clone(), &answer));
        }
        Ok(answer)
    }

    /// Sends it and gets an answer.
    pub async fn ask(&self, call: &Call) -> Answer {
        self.send(call).await.expect("the server answers")
    }

    /// Sends it and gets what was asked for.
    pub async fn done(&self, call: &Call) -> Answer {
        let answer = self.ask(call).await;
        assert!(answer.is_done(), "{call:?}: {answer}");
        answer
    }

    /// Where the server listens.
    pub fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    /// Opens a connection for later, so that a race begins with the request itself.
    pub async fn connect(&self) {
        let request = self.http.get(format!("{}/health/live", self.base));
        request
            .send()
            .await
            .expect("the server answers")
            .bytes()
            .await
            .expect("a whole answer");
    }
}

impl Answer {
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The kind of problem, without `/problems/`.
    pub fn slug(&self) -> String {
        let problem = self.json();
        let kind = problem["type"]
            .as_str()
            .unwrap_or_else(|| panic!("not a problem: {self}"));
        kind.trim_start_matches("/problems/").to_owned()
    }

    /// The seats it speaks of.
    pub fn seats(&self) -> Vec<String> {
        serde_json::from_value(self.json()["seats"].clone()).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// The hold it grants.
    pub fn hold(&self) -> Hold {
        let view = self.json();
        let text = |name: &str| {
            view[name]
                .as_str()
                .unwrap_or_else(|| panic!("no {name}: {self}"))
                .to_owned()
        };
        Hold {
            number: text("number"),
            token: text("token"),
            seats: self.seats(),
            expires_at: text("expires_at").parse().expect("a moment"),
        }
    }

    /// It is this problem.
    #[track_caller]
    pub fn refused(&self, status: u16, slug: &str) {
        assert_eq!((self.status, self.slug().as_str()), (status, slug), "{self}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
