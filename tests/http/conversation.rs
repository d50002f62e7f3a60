//! A conversation written down: what was asked, what came back, with everything that differs each time named instead.

use std::{collections::HashMap, fmt::Write as _};

use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use uuid::Uuid;

use super::contract;
use crate::support::process::ADMIN_TOKEN;

/// Headers that callers rely on.
const HEADERS: [&str; 9] = [
    "location",
    "etag",
    "retry-after",
    "allow",
    "link",
    "x-jari-position",
    "x-jari-repeated",
    "www-authenticate",
    "content-type",
];

/// A conversation so far.
pub struct Conversation {
    client: Client,
    address: String,
    text: String,
    /// Who speaks.
    token: Option<String>,
}

impl Conversation {
    pub fn with(address: String) -> Self {
        let client = Client::builder().no_proxy().build().expect("a client");
        Self {
            client,
            address,
            text: String::new(),
            token: None,
        }
    }

    /// Goes on with this bearer token, or none.
    pub fn speaking_as(&mut self, token: Option<&str>) -> &mut Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// Goes on as staff.
    pub fn as_staff(&mut self) -> &mut Self {
        self.speaking_as(Some(ADMIN_TOKEN))
    }

    /// A remark for whoever reads the golden.
    pub fn remark(&mut self, text: &str) -> &mut Self {
        writeln!(self.text, "# {text}\n").expect("a string grows");
        self
    }

    pub async fn get(&mut self, path: &str) -> Value {
        self.ask(Method::GET, path, None, &[]).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, path, Some(body), &[]).await
    }

    /// Asks with more headers.
    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Value {
        writeln!(self.text, "> {method} {path}").expect("a string grows");
        for (name, value) in headers {
            writeln!(self.text, "> {name}: {value}").expect("a string grows");
        }
        let mut request = self.request(method.clone(), path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            writeln!(self.text, "> {body}").expect("a string grows");
            request = request.json(&body);
        }
        let response = request.send().await.expect("the server answers");
        self.write_down(&method, path, response).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("http://{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn write_down(&mut self, method: &Method, path: &str, response: Response) -> Value {
        writeln!(self.text, "< {}", response.status()).expect("a string grows");
        for name in HEADERS {
            for value in response.headers().get_all(name) {
                let value = value.to_str().expect("a text");
                if (name, value) != ("content-type", "application/json") {
                    writeln!(self.text, "< {name}: {value}").expect("a string grows");
                }
            }
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer");
        contract::check(method, path, status, &headers, &bytes);
        let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let shown = serde_json::to_string_pretty(&value).expect("JSON can be written");
        writeln!(self.text, "{shown}\n").expect("a string grows");
        value
    }

    /// What was said, with names for what differs each time.
    pub fn text(&self) -> String {
        named(&self.text)
    }

    /// Compares it with the golden of this name.
    #[track_caller]
    pub fn kept_as(self, name: &str) {
        golden(name, &self.text());
    }
}

/// Compares a text with the golden of this name.
#[track_caller]
pub fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Everything that differs each time gets a name, the same thing always the same one.
fn named(text: &str) -> String {
    let mut names = Names::default();
    let mut told = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '_') {
            word.push(c);
        } else {
            told.push_str(&names.of(&word));
            word.clear();
            told.push(c);
        }
    }
    told + &names.of(&word)
}

#[derive(Default)]
struct Names {
    known: HashMap<String, String>,
    counts: HashMap<&'static str, usize>,
    before: String,
}

impl Names {
    fn of(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':']);
        // The tag of a layout is an id and a version.
        let bare = bare.split_once('.').map_or(
            bare,
            |(id, _)| if Uuid::try_parse(id).is_ok() { id } else { bare },
        );
        let rest = &word[bare.len()..];
        let (prefix, bare) = bare
            .split_once("urn:uuid:")
            .map_or(("", bare), |(_, id)| ("urn:uuid:", id));
        let named = match (self.known.get(bare), self.kind(bare)) {
            (Some(name), _) => format!("{prefix}{name}{rest}"),
            (None, Some(kind)) => format!("{prefix}{}{rest}", self.name(kind, bare)),
            (None, None) => word.to_owned(),
        };
        if word.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            self.before = word.to_owned();
        }
        named
    }

    fn kind(&self, word: &str) -> Option<&'static str> {
        let digits = |from: usize, to: usize| word[from..to].bytes().all(|byte| byte.is_ascii_digit());
        if Uuid::try_parse(word).is_ok() && word.len() == 36 {
            Some("uuid")
        } else if word.len() >= 18 && word.bytes().all(|byte| byte.is_ascii_digit()) {
            Some("number")
        } else if word.parse::<Timestamp>().is_ok() {
            Some("moment")
        } else if word.parse::<jiff::civil::Date>().is_ok() {
            Some("day")
        } else if word.len() == 43 && self.before == "token" {
            Some("token")
        } else if self.before.trim_end_matches(':').ends_with("position")
            && !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_digit())
        {
            Some("position")
        } else if word.starts_with("1.") && self.before == "trace" {
            Some("trace")
        } else if self.before == "short_code" && word.len() == 6 {
            Some("code")
        } else if self.before == "weekend" && !word.is_empty() && word != ":" {
            Some("weekend")
        } else if word.len() == 5 && word.is_ascii() && digits(0, 2) && digits(3, 5) && &word[2..3] == ":" {
            Some("wall")
        } else {
            None
        }
    }

    fn name(&mut self, kind: &'static str, word: &str) -> String {
        // Moments, days and positions are not told apart: how many there are depends on when the test runs.
        if ["moment", "day", "wall", "weekend", "position"].contains(&kind) {
            return format!("[{kind}]");
        }
        let count = self.counts.entry(kind).or_default();
        let known = self.known.entry(word.to_owned()).or_insert_with(|| {
            *count += 1;
            format!("[{kind} {count}]")
        });
        known.clone()
    }
}
