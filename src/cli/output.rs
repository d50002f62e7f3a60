//! Answers on standard output, progress on standard error; never mixes the two.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
use crate::timetable::{Opened, Unsettled, Why};

/// Writes one line of an answer.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}").map_err(Failure::io("writing"))
}

/// Writes one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::io("writing")(error.into()))?;
    line(&text)
}

/// What opening sales did, as a sentence.
pub(super) fn slots(opened: &Opened) -> String {
    let mut text = format!(
        "{} time slots were made, {} were there",
        opened.scheduled, opened.present
    );
    for (count, why) in [
        (
            opened.in_the_way,
            "were not made: another slot of the same place is in the way",
        ),
        (
            opened.never_on_sale,
            "were not made: their sales would open after they have started",
        ),
    ] {
        if count > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{count} {why}");
        }
    }
    text
}

/// A time slot that is not as a timetable says, as a sentence.
pub(super) fn unsettled(slot: &Unsettled) -> String {
    let Unsettled {
        place,
        starts,
        time_slot,
        why,
    } = slot;
    match why {
        Why::Taken => format!(
            "{place}, {starts}: not in the files any more, but stays: seats are held or reserved (time slot {time_slot})"
        ),
        Why::NotAsked => format!(
            "{place}, {starts}: not in the files any more, but stays: --open-sales does not reach its day (time slot \
             {time_slot})"
        ),
        Why::InTheWay { starts: other } => format!(
            "{place}, {starts}: in the files, but not made: the time slot of {other} is in the way (time slot {time_slot})"
        ),
    }
}

/// Tells a person what goes on.
pub(super) fn note(text: &str) {
    // Nobody may be there to read it.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A bar for long work; on a terminal only.
pub(super) fn progress(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(what);
    let style = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
