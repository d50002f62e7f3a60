//! Settings: flags, else environment variables, else defaults; never a secret in a message.
//!
//! Only variables that begin with `JARI_` are read. A stray `DATABASE_URL` of another project is ignored.

use std::{
    ffi::OsString,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use axum::http::{HeaderName, HeaderValue};
use clap::{Args, builder::FalseyValueParser};
use lettre::message::Mailbox;
use reqwest::Url;
use zeroize::Zeroizing;

use crate::{
    language::Language,
    numbers::{at_least, from_to},
    oidc::OidcArgs,
    payments::PaymentArgs,
    postgres::{Connect, ConnectError},
    vault::MasterSecret,
};

/// Which database to use.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// An external PostgreSQL (default: a private one is started)
    #[arg(long, env = "JARI_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<DatabaseUrl>,
    /// Where the private PostgreSQL keeps its data
    #[arg(long, env = "JARI_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
    /// Never install PostgreSQL; print the command that would
    #[arg(long, env = "JARI_NO_INSTALL", value_parser = FalseyValueParser::new())]
    pub no_install: bool,
    /// Look for PostgreSQL's programs and the package manager only in these directories, separated by colons
    #[arg(long, env = "JARI_PROGRAM_PATH", value_name = "DIRECTORIES")]
    pub program_path: Option<OsString>,
    /// The secret that seals personal data: 32 bytes as hex or base64; needed with --database-url
    #[arg(long, env = "JARI_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub secret: Option<TypedSecret>,
}

/// A database URL whose password is never shown.
#[derive(Clone)]
pub struct DatabaseUrl(pub Connect);

impl FromStr for DatabaseUrl {
    type Err = ConnectError;

    fn from_str(text: &str) -> Result<Self, ConnectError> {
        text.parse().map(Self)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The master secret of the vault, as it is typed.
#[derive(Clone, Debug)]
pub struct TypedSecret(pub MasterSecret);

/// Why a text is no master secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 32 bytes, as 64 hex digits or 43 to 44 base64 characters (try: openssl rand -hex 32)")]
pub struct NotASecret;

impl FromStr for TypedSecret {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        let bytes = secret_bytes(text.trim()).ok_or(NotASecret)?;
        Ok(Self(MasterSecret::new(bytes)))
    }
}

fn secret_bytes(text: &str) -> Option<[u8; 32]> {
    use base64::Engine as _;
    let bytes = if text.len() == 64 {
        let pair = |at: usize| {
            text.get(at..at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        };
        (0..64).step_by(2).map(pair).collect::<Option<Vec<u8>>>()?
    } else {
        let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
        base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(plain)
            .ok()?
    };
    bytes.try_into().ok()
}

// What holds unless something else is set up; in the help and for programs that make their own settings.
const REQUESTS_PER_SECOND: u32 = 100;
const GUESSES_PER_MINUTE: u32 = 30;
const COUPON_FAILURES: u32 = 10;
const WAITING_GUESTS: u32 = 8;
const PLACEMENTS_PER_PHONE: u32 = 10;
const PLACEMENTS_PER_ADDRESS: u32 = 100;
const CONNECTIONS_PER_ADDRESS_MAX: usize = 500;
const REQUESTS_PER_ADDRESS_MAX: usize = 250;
const STALLED_SECONDS: u64 = 30;
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PORT: u16 = 8080;
const CONNECTIONS_MAX: usize = 10_000;
const REQUESTS_MAX: usize = 4_000;
const LISTENERS_MAX: usize = 2_000;
const LISTENERS_PER_ADDRESS_MAX: usize = 200;
const REQUEST_SECONDS: u64 = 15;
const NOTICE_LANGUAGE: Language = Language::Korean;
const SMS_BODY: &str = r#"{"to":"{to}","text":"{text}","id":"{id}"}"#;
const SMS_ANSWER_ID: &str = "/id";

/// How much one address may ask.
#[derive(Debug, Clone, Copy, Args)]
pub struct RateLimits {
    /// Requests per second from one address (twice as many in a burst)
    #[arg(long, env = "JARI_RATE_LIMIT", default_value_t = REQUESTS_PER_SECOND, value_name = "N",
        value_parser = at_least(1_u32))]
    pub requests_per_second: u32,
    /// Look-ups, sign-ins, wrong tokens and wishes to wait per minute from one address
    #[arg(long, env = "JARI_GUESS_LIMIT", default_value_t = GUESSES_PER_MINUTE, value_name = "N",
        value_parser = at_least(1_u32))]
    pub guesses_per_minute: u32,
    /// Coupon codes that do not fit, in ten minutes, from one address and by one account
    #[arg(long, env = "JARI_COUPON_FAILURE_LIMIT", default_value_t = COUPON_FAILURES, value_name = "N",
        value_parser = at_least(1_u32))]
    pub coupon_failures: u32,
    /// Guests of one network who may wait for one time slot at the same time; each server counts those it has seen
    #[arg(long, env = "JARI_WAITING_GUESTS_LIMIT", default_value_t = WAITING_GUESTS, value_name = "N",
        value_parser = at_least(1_u32))]
    pub waiting_guests: u32,
    /// Reservations placed and waitlists joined in an hour with one phone number, other than by staff
    #[arg(long, env = "JARI_PLACEMENT_LIMIT", default_value_t = PLACEMENTS_PER_PHONE, value_name = "N",
        value_parser = at_least(1_u32))]
    pub placements_per_phone: u32,
    /// Reservations placed and waitlists joined in an hour from one address, other than by staff
    #[arg(long, env = "JARI_PLACEMENTS_PER_ADDRESS", default_value_t = PLACEMENTS_PER_ADDRESS, value_name = "N",
        value_parser = at_least(1_u32))]
    pub placements_per_address: u32,
}

impl RateLimits {
    /// As good as none, for races, benchmarks and tests from one address.
    pub const LOOSE: Self = Self {
        requests_per_second: 10_000_000,
        guesses_per_minute: 600_000_000,
        coupon_failures: u32::MAX,
        waiting_guests: u32::MAX,
        placements_per_phone: u32::MAX,
        placements_per_address: u32::MAX,
    };
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            requests_per_second: REQUESTS_PER_SECOND,
            guesses_per_minute: GUESSES_PER_MINUTE,
            coupon_failures: COUPON_FAILURES,
            waiting_guests: WAITING_GUESTS,
            placements_per_phone: PLACEMENTS_PER_PHONE,
            placements_per_address: PLACEMENTS_PER_ADDRESS,
        }
    }
}

/// How the HTTP side behaves.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpArgs {
    /// The address to listen on
    #[arg(long, env = "JARI_HOST", default_value_t = HOST, value_name = "ADDRESS")]
    pub host: IpAddr,
    /// The port to listen on; 0 takes any free one
    #[arg(long, env = "JARI_PORT", default_value_t = PORT, value_name = "PORT",
        value_parser = from_to(0..=u16::MAX))]
    pub port: u16,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields say it in the help")]
    pub limits: RateLimits,
    /// The header in which a trusted proxy names its client's address, for example x-forwarded-for; without it the
    /// peer of the connection counts
    #[arg(long, env = "JARI_CLIENT_ADDRESS_HEADER", value_name = "NAME")]
    pub client_address_header: Option<HeaderName>,
    /// How many connections may be open at the same time
    #[arg(
        long,
        env = "JARI_CONNECTIONS_MAX",
        default_value_t = CONNECTIONS_MAX,
        value_name = "N", value_parser = at_least(1_usize)
    )]
    pub connections_max: usize,
    /// How many of these connections may come from one address; not with --client-address-header, where all come from
    /// the proxy
    #[arg(
        long,
        env = "JARI_CONNECTIONS_PER_ADDRESS_MAX",
        default_value_t = CONNECTIONS_PER_ADDRESS_MAX,
        value_name = "N", value_parser = at_least(1_usize)
    )]
    pub connections_per_address_max: usize,
    /// How many requests are answered at the same time; others are told to retry
    #[arg(long, env = "JARI_REQUESTS_MAX", default_value_t = REQUESTS_MAX, value_name = "N", value_parser = at_least(1_usize))]
    pub requests_max: usize,
    /// How many of these requests may come from one address
    #[arg(
        long,
        env = "JARI_REQUESTS_PER_ADDRESS_MAX",
        default_value_t = REQUESTS_PER_ADDRESS_MAX,
        value_name = "N", value_parser = at_least(1_usize)
    )]
    pub requests_per_address_max: usize,
    /// How many listeners may follow live changes at the same time
    #[arg(long, env = "JARI_LISTENERS_MAX", default_value_t = LISTENERS_MAX, value_name = "N", value_parser = at_least(1_usize))]
    pub listeners_max: usize,
    /// How many of these listeners may come from one address
    #[arg(
        long,
        env = "JARI_LISTENERS_PER_ADDRESS_MAX",
        default_value_t = LISTENERS_PER_ADDRESS_MAX,
        value_name = "N", value_parser = at_least(1_usize)
    )]
    pub listeners_per_address_max: usize,
    /// Seconds after which a request is given up
    #[arg(long, env = "JARI_REQUEST_SECONDS", default_value_t = REQUEST_SECONDS, value_name = "SECONDS",
        value_parser = from_to(1..=300_u64))]
    pub request_seconds: u64,
    /// Seconds after which a connection is cut whose other side takes nothing of an answer
    #[arg(long, env = "JARI_STALLED_SECONDS", default_value_t = STALLED_SECONDS, value_name = "SECONDS",
        value_parser = from_to(1..=300_u64))]
    pub stalled_seconds: u64,
    /// Browsers reach the server by https, through a proxy: only cookies count that no other host of the domain can set.
    /// Not needed where the proxy sends X-Forwarded-Proto
    #[arg(long, env = "JARI_HTTPS", value_parser = FalseyValueParser::new())]
    pub https: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields say it in the help")]
    pub oidc: OidcArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "its fields say it in the help")]
    pub payments: PaymentArgs,
}

impl HttpArgs {
    /// The address to listen on.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// How long one request may take.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    /// How long an answer may wait to be taken.
    #[must_use]
    pub const fn stalled(&self) -> Duration {
        Duration::from_secs(self.stalled_seconds)
    }
}

impl Default for HttpArgs {
    fn default() -> Self {
        Self {
            host: HOST,
            port: PORT,
            limits: RateLimits::default(),
            client_address_header: None,
            connections_max: CONNECTIONS_MAX,
            connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
            requests_max: REQUESTS_MAX,
            requests_per_address_max: REQUESTS_PER_ADDRESS_MAX,
            listeners_max: LISTENERS_MAX,
            listeners_per_address_max: LISTENERS_PER_ADDRESS_MAX,
            request_seconds: REQUEST_SECONDS,
            stalled_seconds: STALLED_SECONDS,
            https: false,
            oidc: OidcArgs::default(),
            payments: PaymentArgs::default(),
        }
    }
}

/// How customers are told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages to customers")]
pub struct NoticeArgs {
    /// In which language customers are told who have not asked in one: ko or en
    #[arg(
        long,
        env = "JARI_NOTICE_LANGUAGE",
        default_value = NOTICE_LANGUAGE.tag(),
        value_name = "LANGUAGE"
    )]
    pub notice_language: Language,
    /// Write messages that have no way set up to this file, one JSON object per line, without whom they are for (default:
    /// only log that there was one)
    #[arg(long, env = "JARI_NOTICE_FILE", value_name = "FILE")]
    pub notice_file: Option<PathBuf>,
    /// Where short messages are posted as JSON; the provider must take the same Idempotency-Key only once
    #[arg(long, env = "JARI_SMS_URL", value_name = "URL", value_parser = sms_url)]
    pub sms_url: Option<Url>,
    /// A header that goes with them, for example "Authorization: Bearer …"
    #[arg(
        long,
        env = "JARI_SMS_HEADER",
        hide_env_values = true,
        value_name = "NAME: VALUE"
    )]
    pub sms_header: Option<HeaderLine>,
    /// What is posted: JSON with {to}, {text} and {id} in its texts
    #[arg(long, env = "JARI_SMS_BODY", default_value = SMS_BODY, value_name = "JSON")]
    pub sms_body: SmsBody,
    /// Where the provider's answer names the message, as a JSON pointer
    #[arg(
        long,
        env = "JARI_SMS_ANSWER_ID",
        default_value = SMS_ANSWER_ID,
        value_name = "POINTER"
    )]
    pub sms_answer_id: String,
    /// The mail server, with name and password if it wants them
    #[arg(
        long,
        help = "The mail server: smtps://user:password@host, or smtp://host:port?tls=required",
        env = "JARI_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        requires = "mail_from"
    )]
    pub smtp_url: Option<SmtpUrl>,
    /// Whom letters are from, for example "Jari <no-reply@example.com>"
    #[arg(long, env = "JARI_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<Mailbox>,
}

impl Default for NoticeArgs {
    fn default() -> Self {
        Self {
            notice_language: NOTICE_LANGUAGE,
            notice_file: None,
            sms_url: None,
            sms_header: None,
            sms_body: SMS_BODY.parse().unwrap_or_default(),
            sms_answer_id: SMS_ANSWER_ID.to_owned(),
            smtp_url: None,
            mail_from: None,
        }
    }
}

fn sms_url(text: &str) -> Result<Url, &'static str> {
    let url: Option<Url> = text.parse().ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or("must be a web address that begins with https:// or http://")
}

/// A header and its value, which is never shown.
#[derive(Clone)]
pub struct HeaderLine {
    /// Which header.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

impl FromStr for HeaderLine {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be a header like `Authorization: Bearer …`";
        let (name, value) = text.split_once(':').ok_or(wrong)?;
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| wrong)?;
        value.set_sensitive(true);
        let name = name.trim().parse().map_err(|_| wrong)?;
        Ok(Self { name, value })
    }
}

impl fmt::Debug for HeaderLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}

/// The template of what is posted for a short message.
#[derive(Debug, Clone, Default)]
pub struct SmsBody(pub serde_json::Value);

impl FromStr for SmsBody {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let body = serde_json::from_str(text).map_err(|_| "must be JSON")?;
        let has_gaps = ["{to}", "{text}"].iter().all(|gap| text.contains(gap));
        if has_gaps {
            Ok(Self(body))
        } else {
            Err("must have {to} and {text} in its texts")
        }
    }
}

/// The address of a mail server, whose password is never shown.
#[derive(Clone)]
pub struct SmtpUrl(Zeroizing<String>);

impl SmtpUrl {
    /// The whole address.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl FromStr for SmtpUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = text.starts_with("smtp://") || text.starts_with("smtps://");
        if known {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err("must begin with smtps:// or smtp://")
        }
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl(…)")
    }
}

/// Everything a server needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the database is, as its owner.
    pub database: Connect,
    /// The master secret of the vault.
    pub secret: MasterSecret,
    /// What whoever runs the server sends as their bearer token, if they want one: it may do everything, and is no person.
    pub admin_token: Option<String>,
    /// The HTTP side.
    pub http: HttpArgs,
    /// How customers are told.
    pub notices: NoticeArgs,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0707070707070707070707070707070707070707070707070707070707070707")]
    #[case("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")]
    #[case("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    fn a_secret_is_hex_or_base64(#[case] text: &str) {
        assert_eq!(secret_bytes(text), Some([7; 32]));
    }

    #[rstest]
    #[case("")]
    #[case("0707")]
    #[case("0707070707070707070707070707070707070707070707070707070707070é")]
    fn other_texts_are_no_secret(#[case] text: &str) {
        assert_eq!(text.parse::<TypedSecret>().err(), Some(NotASecret));
    }
}
