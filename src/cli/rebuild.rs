//! `jari rebuild`: builds read models anew from the log while the old ones serve; never touches the log.

use std::process::ExitCode;

use super::{database::Database, failure::Failure, output};
use crate::{
    config::DatabaseArgs,
    store::rebuild::{Progress, rebuild},
};

/// Rebuild read models from the log, without downtime.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  jari rebuild\n  jari rebuild --projection seat_map --projection coupon_list"
)]
pub(super) struct Args {
    /// Only this read model; may be repeated (default: all)
    #[arg(long, value_name = "NAME", value_parser = projection)]
    projection: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The name of a read model, of those there are.
fn projection(text: &str) -> Result<String, String> {
    if projections::NAMES.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "there is no read model `{text}`; there are {}",
        projections::NAMES.join(", ")
    ))
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open_existing(database).await?;
    let store = database.store().await?;
    let bar = output::progress("reading the log");
    let on_progress = |Progress { read, of }| {
        bar.set_length(of.unsigned_abs());
        bar.set_position(read.unsigned_abs());
    };
    let rebuilt = rebuild(
        &store,
        &database.runtime().await?.sqlx(),
        &args.projection,
        on_progress,
    )
    .await;
    bar.finish_and_clear();
    store.close().await;
    database.close().await?;
    for model in rebuilt? {
        let seconds = model.took.as_secs_f64();
        if args.json {
            output::json(&serde_json::json!({
                "model": model.model, "position": model.position, "rows": model.rows, "former": model.former,
                "parked": model.parked, "seconds": seconds,
            }))?;
        } else {
            output::line(&format!(
                "{}: {} rows and {} former states up to position {} in {seconds:.1} s",
                model.model, model.rows, model.former, model.position
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
