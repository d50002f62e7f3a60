//! The house keeps its plan: top level, walls between the crates, and a first sentence in every file.

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

/// Longer files are reported by name; the limit is where a file stops being readable at all.
const LINES_REPORTED: usize = 400;
const LINES_MAX: usize = 600;

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
    for forbidden in ["axum", "jari", "reqwest", "tokio-postgres", "tower-http"] {
        assert!(
            !found.contains(forbidden),
            "projections must not depend on {forbidden}"
        );
    }
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

#[test]
fn no_file_outgrows_its_room() {
    let mut long: Vec<(usize, PathBuf)> = all_sources()
        .into_iter()
        .filter_map(|path| {
            fs::read_to_string(&path)
                .ok()
                .map(|text| (text.lines().count(), path))
        })
        .filter(|(lines, _)| *lines > LINES_REPORTED)
        .collect();
    long.sort();
    for (lines, path) in &long {
        println!("{lines} lines: {}", path.display());
    }
    let too_long: Vec<_> = long.iter().filter(|(lines, _)| *lines > LINES_MAX).collect();
    assert!(too_long.is_empty(), "over {LINES_MAX} lines: {too_long:#?}");
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
