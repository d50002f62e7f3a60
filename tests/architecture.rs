//! The house keeps its plan: top level, walls between the crates, first sentences, and files that can be read at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "aggregates",
    "migrations",
    "projections",
    "snapshots",
    "src",
    "tests",
];

/// Where a file stops being readable at once, tests included.
const LINES_MAX: usize = 400;

/// Files that are longer, and how long: they may only become shorter. One that is short enough leaves the list.
const LONG: &[(&str, usize)] = &[
    ("aggregates/src/branch.rs", 554),
    ("aggregates/src/customer.rs", 518),
    ("aggregates/src/layout/tests.rs", 412),
    ("aggregates/src/patron.rs", 445),
    ("aggregates/src/pricing/tests.rs", 472),
    ("aggregates/src/reservation.rs", 520),
    ("aggregates/src/reservation/money.rs", 417),
    ("aggregates/src/reservation/money/tests.rs", 563),
    ("aggregates/src/reservation/tests.rs", 570),
    ("aggregates/src/rights.rs", 430),
    ("aggregates/src/time_slot/tests.rs", 418),
    ("projections/src/reservation_list.rs", 476),
    ("src/booking/refused.rs", 465),
    ("src/config.rs", 484),
    ("src/http/access.rs", 484),
    ("src/http/coupons.rs", 417),
    ("src/http/lists/daily_numbers.rs", 412),
    ("src/import/cinemas.rs", 442),
    ("src/import/compare.rs", 418),
    ("src/import/files/tests.rs", 416),
    ("src/programme/batch.rs", 421),
    ("src/verify/rules.rs", 445),
    ("tests/command_line.rs", 419),
    ("tests/http/attendance.rs", 444),
    ("tests/http/deadlines.rs", 452),
    ("tests/http/faults.rs", 443),
    ("tests/http/hostile.rs", 490),
    ("tests/http/lists.rs", 532),
    ("tests/http/messages.rs", 449),
    ("tests/http/money.rs", 459),
    ("tests/http/people.rs", 406),
    ("tests/http/reschedule.rs", 409),
    ("tests/http/rights.rs", 586),
    ("tests/http/slots.rs", 489),
    ("tests/http/waitlist.rs", 504),
    ("tests/launcher.rs", 403),
    ("tests/model/player.rs", 409),
    ("tests/notifications.rs", 410),
    ("tests/support/log.rs", 459),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    found
}

fn all_sources() -> Vec<PathBuf> {
    ["src", "aggregates/src", "projections/src", "tests"]
        .iter()
        .flat_map(|folder| sources(folder))
        .collect()
}

fn dependencies(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
    let section = text.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let found: BTreeSet<String> = section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    assert!(!found.is_empty(), "{manifest} has no [dependencies] to look at");
    found
}

#[test]
fn the_top_level_is_the_agreed_list() {
    let tracked = std::process::Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output();
    let names: BTreeSet<String> = match tracked {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|path| path.split('/').next())
            .map(str::to_owned)
            .collect(),
        _ => fs::read_dir(root())
            .expect("a readable root")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "target")
            .collect(),
    };
    let unexpected: Vec<_> = names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "not on the plan: {unexpected:?}");
    let missing: Vec<_> = TOP_LEVEL.iter().filter(|name| !names.contains(**name)).collect();
    assert!(missing.is_empty(), "on the plan, but not there: {missing:?}");
}

#[test]
fn the_rules_depend_on_nothing_that_touches_the_world() {
    let allowed = [
        "cqrs-es",
        "iso_currency",
        "jiff",
        "serde",
        "serde_json",
        "smol_str",
        "thiserror",
        "unicode-normalization",
        "utoipa",
        "uuid",
    ];
    let found = dependencies("aggregates/Cargo.toml");
    let strangers: Vec<_> = found
        .iter()
        .filter(|name| !allowed.contains(&name.as_str()))
        .collect();
    assert!(
        strangers.is_empty(),
        "aggregates must not depend on {strangers:?}"
    );
}

#[test]
fn the_read_models_depend_on_rules_and_sql_only() {
    let found = dependencies("projections/Cargo.toml");
    let allowed = [
        "aggregates",
        "jiff",
        "jiff-sqlx",
        "serde",
        "serde_json",
        "smol_str",
        "sqlx",
        "thiserror",
        "uuid",
    ];
    let strangers: Vec<_> = found
        .iter()
        .filter(|name| !allowed.contains(&name.as_str()))
        .collect();
    assert!(
        strangers.is_empty(),
        "projections must not depend on {strangers:?}"
    );
}

#[test]
fn every_file_says_its_one_job_first() {
    let silent: Vec<_> = all_sources()
        .into_iter()
        .filter(|path| !fs::read_to_string(path).is_ok_and(|text| text.starts_with("//! ")))
        .collect();
    assert!(
        silent.is_empty(),
        "these files do not begin with their job: {silent:#?}"
    );
}

/// A module that is not told what it is not for becomes everything in time. Tests only tell what they prove.
#[test]
fn every_module_says_what_it_never_does() {
    let says = |text: &str| {
        let first = text.lines().take_while(|line| line.starts_with("//!"));
        let mut words = first.flat_map(|line| line.split(|c: char| !c.is_alphabetic()));
        words.any(|word| word.eq_ignore_ascii_case("never"))
    };
    let is_test = |path: &Path| {
        path.file_stem().is_some_and(|name| name == "tests")
            || path.parent().is_some_and(|folder| folder.ends_with("tests"))
    };
    let silent: Vec<_> = ["src", "aggregates/src", "projections/src"]
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|path| !is_test(path))
        .filter(|path| !fs::read_to_string(path).is_ok_and(|text| says(&text)))
        .collect();
    assert!(
        silent.is_empty(),
        "the first lines of these files do not say what they never do: {silent:#?}"
    );
}

#[test]
fn no_file_outgrows_its_room() {
    let known: BTreeMap<&str, usize> = LONG.iter().copied().collect();
    assert_eq!(known.len(), LONG.len(), "a file stands in the list twice");
    let mut wrong = Vec::new();
    let mut met = BTreeSet::new();
    for path in all_sources() {
        let lines = fs::read_to_string(&path).expect("a source").lines().count();
        let name = path.strip_prefix(root()).expect("a file of ours");
        let name = name.to_str().expect("a plain name");
        match known.get(name) {
            None if lines <= LINES_MAX => {}
            None => wrong.push(format!(
                "{name} has {lines} lines: at most {LINES_MAX} are read at once"
            )),
            Some(most) => {
                met.insert(name.to_owned());
                if lines > *most {
                    wrong.push(format!("{name} grew from {most} to {lines} lines"));
                }
                if lines <= LINES_MAX {
                    wrong.push(format!(
                        "{name} is short enough with {lines} lines: take it off the list"
                    ));
                }
            }
        }
    }
    let gone = known.keys().filter(|name| !met.contains(**name));
    wrong.extend(gone.map(|name| format!("{name} is gone: take it off the list")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// In the document a schema goes by one name: of two with the same one, one would be described by the other.
#[test]
fn no_two_schemas_share_a_name() {
    let mut known: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut shared = Vec::new();
    for path in sources("src") {
        let text = fs::read_to_string(&path).expect("a source");
        for derived in text.split("utoipa::ToSchema)]").skip(1) {
            let until = ["pub struct ", "pub enum "];
            let Some((attributes, rest)) = until
                .iter()
                .filter_map(|item| derived.split_once(*item))
                .min_by_key(|(before, _)| before.len())
            else {
                continue;
            };
            let named = attributes.split_once("as = ").map_or(rest, |(_, name)| name);
            let name: String = named.chars().take_while(|c| c.is_alphanumeric()).collect();
            if let Some(other) = known.insert(name.clone(), path.clone()) {
                shared.push((name, other, path.clone()));
            }
        }
    }
    assert!(known.len() > 50, "few schemas are found: {}", known.len());
    assert!(shared.is_empty(), "{shared:#?}");
}

#[test]
fn modules_are_never_named_mod_rs() {
    let named: Vec<_> = all_sources()
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "mod.rs"))
        .collect();
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn no_lint_is_silenced_without_a_reason() {
    let marker = concat!("#[", "allow(");
    let silenced: Vec<_> = all_sources()
        .into_iter()
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains(marker)))
        .collect();
    assert!(silenced.is_empty(), "{silenced:#?}");
}
