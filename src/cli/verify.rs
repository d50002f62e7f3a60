//! `jari verify`: proves that the log keeps its promises and that the read models equal it; exit code 2 if not; never
//! mends anything.

use std::process::ExitCode;

use serde_json::json;

use super::{database::Database, failure::Failure, output};
use crate::{
    config::DatabaseArgs,
    store::Progress,
    verify::{Report, verify},
};

/// The exit code that says: something that must never be is there.
const VIOLATED: u8 = 2;

/// Prove that the log keeps its promises and the read models equal it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes:\n  0  every promise holds\n  2  a promise is broken; the first violation is named\n\n\
                  Example:\n  jari verify || echo \"exit code $?\""
)]
pub(super) struct Args {
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(database: &DatabaseArgs, args: &Args) -> Result<ExitCode, Failure> {
    let database = Database::open_existing(database).await?;
    let store = database.store().await?;
    let bar = output::progress("reading the log");
    let on_progress = |Progress { read, of }| {
        bar.set_length(of.unsigned_abs());
        bar.set_position(read.unsigned_abs());
    };
    let proved = verify(&store, &database.runtime().await?.sqlx(), on_progress).await;
    bar.finish_and_clear();
    store.close().await;
    database.close().await?;
    let report = proved?;
    if args.json {
        output::json(&as_json(&report))?;
    } else {
        output::line(&as_text(&report))?;
    }
    Ok(if report.violation.is_some() {
        ExitCode::from(VIOLATED)
    } else {
        ExitCode::SUCCESS
    })
}

/// What is proved of the log; that the read models equal it (I5) is said of each.
const PROVED: &str = "I1, I2, I4, I5, I8, I9 and I10";

fn as_text(report: &Report) -> String {
    if let Some(violation) = &report.violation {
        return format!("VIOLATED {violation}");
    }
    let mut lines = vec![format!(
        "{} events: positions and sequences are dense, no seat has two holders, no coupon two redemptions, prices add up",
        report.events
    )];
    lines.extend(report.models.iter().map(|model| {
        let parked = if model.parked == 0 {
            String::new()
        } else {
            format!("; {} PARKED", model.parked)
        };
        let behind = match model.behind {
            0 => String::new(),
            behind => format!("; {behind} events BEHIND the log"),
        };
        format!(
            "{}: {} rows and {} former states equal the log up to position {}{behind}{parked}",
            model.model, model.rows, model.former, model.position
        )
    }));
    lines.push(format!("the history is sound: {PROVED} hold"));
    lines.join("\n")
}

fn as_json(report: &Report) -> serde_json::Value {
    let models = report.models.iter().map(|model| {
        json!({ "model": model.model, "position": model.position, "rows": model.rows, "former": model.former,
                "behind": model.behind, "parked": model.parked })
    });
    let violation = report.violation.as_ref().map(|violation| {
        json!({ "invariant": violation.invariant, "position": violation.position, "sentence": violation.sentence })
    });
    json!({ "events": report.events, "models": models.collect::<Vec<_>>(), "violation": violation })
}
