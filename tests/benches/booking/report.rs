//! Tables of what was measured, with the machine it was measured on; never a number nobody measured.

use std::{fmt::Write as _, fs, time::Duration};

use super::load::Sample;

/// One measured cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Which variant.
    pub variant: &'static str,
    /// How many clients.
    pub clients: usize,
    /// The median run.
    pub sample: Sample,
}

/// A Markdown table: a row per number of clients, a column per variant, ratios against the first variant.
#[must_use]
pub fn table(unit: &str, cells: &[Cell]) -> String {
    let mut variants: Vec<&str> = Vec::new();
    let mut levels: Vec<usize> = Vec::new();
    for cell in cells {
        if !variants.contains(&cell.variant) {
            variants.push(cell.variant);
        }
        if !levels.contains(&cell.clients) {
            levels.push(cell.clients);
        }
    }
    let mut text = String::from("| clients |");
    for variant in &variants {
        let _ = write!(text, " {variant}: {unit}/s | p50 | p99 |");
        if *variant != variants[0] {
            let _ = write!(text, " × {} |", variants[0]);
        }
    }
    text.push_str("\n|---:|");
    for variant in &variants {
        text.push_str("---:|---:|---:|");
        if *variant != variants[0] {
            text.push_str("---:|");
        }
    }
    for clients in levels {
        let _ = write!(text, "\n| {clients} |");
        let of = |variant: &str| {
            cells
                .iter()
                .find(|cell| cell.clients == clients && cell.variant == variant)
                .map(|cell| &cell.sample)
        };
        let base = of(variants[0]).map_or(0.0, |sample| sample.rate);
        for variant in &variants {
            match of(variant) {
                Some(sample) => {
                    let _ = write!(
                        text,
                        " {} | {} | {} |",
                        thousands(sample.rate),
                        milliseconds(sample.p50),
                        milliseconds(sample.p99)
                    );
                    if *variant != variants[0] {
                        let _ = write!(text, " **{:.1}** |", sample.rate / base);
                    }
                }
                None => text.push_str(if *variant == variants[0] {
                    " – | – | – |"
                } else {
                    " – | – | – | – |"
                }),
            }
        }
    }
    text.push('\n');
    text
}

/// A rate, rounded, with separators.
#[must_use]
pub fn thousands(rate: f64) -> String {
    let digits = format!("{rate:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A latency in milliseconds.
#[must_use]
pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// What the numbers were measured on.
#[must_use]
pub fn machine(postgres: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |rest| {
            rest.trim_start_matches([' ', '\t', ':'])
        });
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0);
    format!(
        "{cores} cores ({model}), {} GiB, {postgres}, load generator included",
        kib / 1024 / 1024
    )
}
