//! What scripts rely on: exit codes, quiet ends, and answers as JSON. Never the wording beyond what was asked for.

use std::{
    fs,
    path::PathBuf,
    process::{Output, Stdio},
};

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    database::fresh,
    process::{command, jari, program},
};

/// A file of this test's own, gone with it.
struct File(PathBuf);

impl File {
    fn of(document: &Value) -> Self {
        let name = format!("catalogue-{}.json", uuid::Uuid::now_v7());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, document.to_string()).expect("the folder for test files");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn shop(slots: &[&str]) -> Value {
    json!({ "chain": "방탈출", "branches": [{ "name": "강남점", "address": "예시로 1", "time_zone": "Asia/Seoul",
        "themes": [{ "name": "달빛 서고", "price": { "per": "room", "amount": 65000 }, "currency": "KRW",
            "party": { "min": 2, "max": 4 }, "duration_minutes": 60, "turnover_minutes": 20,
            "opens": { "time": "00:00" }, "active": true, "slots": slots }] }] })
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn verify_ends_with_2_and_names_what_is_wrong() {
    let database = fresh().await;
    let file = File::of(&shop(&["09:00"]));
    let imported = jari(&database.url(), &["import", file.path(), "--open-sales", "2"]).await;
    assert!(imported.status.success(), "{imported:?}");
    let rebuilt = jari(&database.url(), &["rebuild"]).await;
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    let sound = jari(&database.url(), &["verify"]).await;
    assert_eq!(sound.status.code(), Some(0), "{sound:?}");

    let client = database.client().await;
    let tampering = "update read_models.catalogue set name = 'bent' where kind = 'theme'";
    assert_eq!(client.execute(tampering, &[]).await.expect("a superuser may"), 1);
    let bent = jari(&database.url(), &["verify"]).await;
    let (out, err) = said(&bent);
    assert_eq!(bent.status.code(), Some(2), "{out}{err}");
    assert!(
        out.starts_with("VIOLATED I4") && out.contains("catalogue"),
        "{out}"
    );
    let (out, _) = said(&jari(&database.url(), &["verify", "--json"]).await);
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["violation"]["invariant"], "I4", "{report}");
}

#[tokio::test]
async fn a_reader_who_has_seen_enough_ends_a_list_quietly() {
    let database = fresh().await;
    let file = File::of(&shop(&["09:00"]));
    let imported = jari(&database.url(), &["import", file.path()]).await;
    assert!(imported.status.success(), "{imported:?}");
    let mut child = command(&("JARI_DATABASE_URL", database.url()))
        .arg("events")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let (_, err) = said(&output);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""));
}

#[rstest]
#[case(&["events", "--type", "Nope"], "SeatHeld")]
#[case(&["events", "--stream", "foo/1"], "reservation")]
#[case(&["replay", "--stream", "foo/1"], "reservation")]
#[case(&["replay", "--from", "yesterday"], "2026-12-24")]
fn what_there_is_not_is_answered_with_what_there_is(#[case] arguments: &[&str], #[case] known: &str) {
    let output = program().args(arguments).output().expect("the program starts");
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(64), "{err}");
    assert!(err.contains(known), "{err}");
}

#[tokio::test]
async fn a_period_can_be_given_in_days() {
    let database = fresh().await;
    let file = File::of(&shop(&["09:00"]));
    let imported = jari(&database.url(), &["import", file.path()]).await;
    assert!(imported.status.success(), "{imported:?}");
    let all = jari(
        &database.url(),
        &["replay", "--from", "2026-01-01", "--to", "2999-12-31"],
    )
    .await;
    assert!(all.status.success() && !all.stdout.is_empty(), "{all:?}");
    let none = jari(&database.url(), &["replay", "--to", "2026-01-01"]).await;
    assert!(none.status.success() && none.stdout.is_empty(), "{none:?}");
}

#[tokio::test]
async fn the_faults_of_a_file_are_json_where_json_was_asked_for() {
    let database = fresh().await;
    let file = File::of(&shop(&["09:00", "09:30"]));
    let output = jari(&database.url(), &["import", file.path(), "--json"]).await;
    let (out, err) = said(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    let faults: Value = serde_json::from_str(&out).expect("JSON");
    let fault = &faults["faults"][0];
    assert_eq!(fault["file"], file.path(), "{faults}");
    assert_eq!(
        fault["fault"]["pointer"], "/branches/0/themes/0/slots",
        "{faults}"
    );
}

#[tokio::test]
async fn an_import_tells_also_as_text_what_it_left_out() {
    let database = fresh().await;
    let hall = File::of(&json!({ "name": "관", "rows": 1, "columns": 4, "category": "일반" }));
    let alone = jari(&database.url(), &["import", hall.path()]).await;
    let (out, err) = said(&alone);
    assert_eq!(alone.status.code(), Some(1), "{out}{err}");
    assert!(
        err.contains("no auditorium is built like this hall"),
        "{out}{err}"
    );
    let file = File::of(&shop(&["09:00", "10:25", "11:50"]));
    let arguments = ["import", file.path(), hall.path(), "--open-sales", "3"];
    let (out, err) = said(&jari(&database.url(), &arguments).await);
    assert!(
        out.contains(&format!("{} was not used", hall.path())),
        "{out}{err}"
    );
    // Without --open-sales the slots stay, and every one is named.
    let file = File::of(&shop(&["09:30", "11:00"]));
    let imported = jari(&database.url(), &["import", file.path()]).await;
    let (out, err) = said(&imported);
    assert_eq!(imported.status.code(), Some(3), "{out}{err}");
    assert!(
        out.contains("11:50: not in the files any more, but stays"),
        "{out}{err}"
    );
    let followed = jari(&database.url(), &["import", file.path(), "--open-sales", "3"]).await;
    let (out, err) = said(&followed);
    assert_eq!(followed.status.code(), Some(0), "{out}{err}");
    assert!(out.contains("time slots were withdrawn"), "{out}{err}");
    let mut file = shop(&["09:30", "11:00"]);
    file["branches"][0]["themes"] = json!([]);
    let (out, err) = said(&jari(&database.url(), &["import", File::of(&file).path()]).await);
    assert!(
        out.contains("not in the files, left as they are: theme 달빛 서고"),
        "{out}{err}"
    );
}

#[test]
fn the_help_of_a_command_without_a_database_speaks_of_none() {
    let output = program()
        .args(["openapi", "--help"])
        .output()
        .expect("the program starts");
    let (out, _) = said(&output);
    for option in ["--database-url", "--data-dir", "--secret", "--no-install"] {
        assert!(!out.contains(option), "{out}");
    }
}
