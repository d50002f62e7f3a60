//! Logs to standard error, as text or JSON; never a personal value, a secret or a URL with a password.

use std::io::{self, IsTerminal as _};

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArgs {
    /// What to log, for example info or jari=debug,info
    #[arg(
        long,
        env = "JARI_LOG",
        default_value = "warn,jari=info",
        value_name = "FILTER",
        global = true
    )]
    pub log: String,
    /// How to write logs
    #[arg(long, env = "JARI_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// Starts logging; a second call changes nothing.
pub fn start(args: &LogArgs) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter: EnvFilter = args.log.parse()?;
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colours);
    let started = match args.log_format {
        LogFormat::Text => subscriber.with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let payload = panic.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no message");
            tracing::error!(place, text, "a panic was caught");
        }));
    }
    Ok(())
}
