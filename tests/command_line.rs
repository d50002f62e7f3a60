//! What scripts rely on: exit codes, quiet ends, and answers as JSON. Never the wording beyond what was asked for.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Output, Stdio},
};

use aggregates::ids::{ReservationId, TimeSlotId};
use jari::ticket::{KeyId, PublicKey, Ticket};
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
#[case(&["replay", "--from", "10", "--to", "5"], "--from must not lie after --to")]
#[case(&["events", "--actor", "bogus/1"], "guest, customer, admin, system")]
#[case(&["events", "--after", "x"], "a whole number, 0 or more")]
#[case(&["rebuild", "--projection", "nix"], "seat_map")]
#[case(&["serve", "--port", "abc"], "'abc' for '--port <PORT>': must be a whole number from 0 to 65535")]
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

#[rstest]
#[case("JARI_DATABASE_URL", "postgres://u:geheim@localhost/x?sslmode=require")]
#[case("JARI_DATABASE_URL", "postgres://u:geheim@localhost:port/x")]
#[case("JARI_DATABASE_URL", "host=localhost password=ganz geheim=1")]
#[case("JARI_SECRET", "geheim")]
fn what_must_stay_secret_is_not_repeated(#[case] variable: &str, #[case] value: &str) {
    let flag = format!(
        "--{}",
        variable
            .trim_start_matches("JARI_")
            .to_lowercase()
            .replace('_', "-")
    );
    let by_flag = program().args(["verify", &flag, value]).output();
    let by_variable = program().arg("verify").env(variable, value).output();
    for (output, from) in [(by_flag, &*flag), (by_variable, variable)] {
        let output = output.expect("the program starts");
        let (out, err) = said(&output);
        assert_eq!(output.status.code(), Some(64), "{err}");
        assert!(!format!("{out}{err}").contains("geheim"), "{err}");
        assert!(err.contains(from), "{err}");
    }
}

#[test]
fn a_wrong_setting_is_named_where_it_was_made() {
    let output = program().arg("serve").env("JARI_PORT", "abc").output();
    let (_, err) = said(&output.expect("the program starts"));
    assert!(
        err.contains("'abc' from JARI_PORT for '--port <PORT>': must be"),
        "{err}"
    );
}

/// What is wrong, the exit code for it, and that nothing was made.
#[rstest]
#[case::short_token(&["serve", "--admin-token", "abc"], 78, "at least 16 characters")]
#[case::short_token_of_a_demo(&["demo", "--admin-token", "abc"], 78, "at least 16 characters")]
#[case::port_in_use(&["serve", "--admin-token", "long-enough-to-be-one", "--port", "TAKEN"], 75, "is in use")]
#[case::port_of_a_demo_in_use(&["demo", "--port", "TAKEN"], 75, "is in use")]
fn what_cannot_start_makes_nothing(#[case] arguments: &[&str], #[case] code: i32, #[case] words: &str) {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("none-{}", uuid::Uuid::now_v7()));
    let arguments = arguments.iter().map(|word| word.replace("TAKEN", &port));
    let output = program()
        .args(arguments)
        .arg("--data-dir")
        .arg(&directory)
        .output();
    let output = output.expect("the program starts");
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(err.contains(words) && !err.contains("PostgreSQL"), "{err}");
    assert!(!directory.exists());
}

#[test]
fn a_file_is_no_data_directory() {
    let file = File::of(&json!({}));
    let arguments = ["demo", "--port", "0", "--no-install", "--data-dir", file.path()];
    let output = program().args(arguments).output().expect("the program starts");
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(74), "{err}");
    assert!(err.contains("is not a directory"), "{err}");
}

#[rstest]
#[case(&["migrate"])]
#[case(&["verify"])]
#[case(&["serve", "--port", "0"])]
#[case(&["demo", "--port", "0"])]
#[tokio::test]
async fn a_database_that_does_not_answer_is_named(#[case] arguments: &[&str]) {
    let output = jari("postgres://u:geheim@127.0.0.1:1/x", arguments).await;
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(69), "{err}");
    assert!(
        err.contains("127.0.0.1:1:") && err.contains("does it run"),
        "{err}"
    );
    assert!(
        !err.contains("starting PostgreSQL") && !err.contains("geheim"),
        "{err}"
    );
}

#[rstest]
#[case("serve")]
#[case("demo")]
#[case("verify")]
fn a_named_database_without_its_secret_is_not_even_asked(#[case] subcommand: &str) {
    let arguments = [subcommand, "--database-url", "postgres://u@127.0.0.1:1/x"];
    let output = program().args(arguments).output().expect("the program starts");
    let (_, err) = said(&output);
    assert_eq!(output.status.code(), Some(78), "{err}");
    assert!(err.contains("JARI_SECRET"), "{err}");
}

#[tokio::test]
async fn a_list_names_what_it_tells_of_and_says_when_it_is_empty() {
    let database = fresh().await;
    let file = File::of(&shop(&["09:00"]));
    let imported = jari(&database.url(), &["import", file.path(), "--open-sales", "2"]).await;
    assert!(imported.status.success(), "{imported:?}");
    let rebuilt = jari(&database.url(), &["rebuild"]).await;
    assert!(rebuilt.status.success(), "{rebuilt:?}");
    for command in [&["events", "--type", "TimeSlotScheduled"][..], &["replay"]] {
        let (out, err) = said(&jari(&database.url(), command).await);
        let scheduled = out
            .lines()
            .find(|line| line.contains("time slot") && line.contains("달빛 서고"));
        assert!(scheduled.is_some(), "{out}{err}");
    }
    for (command, words) in [
        (
            &["events", "--type", "SeatHeld"][..],
            "no event of the log is like that",
        ),
        (&["events", "--after", "100000"], "nothing comes after 100000"),
        (&["replay", "--from", "100000"], "nothing comes after 100000"),
        (
            &["replay", "--stream", "coupon/7KQ4MZ2H"],
            "no event of the log is like that",
        ),
    ] {
        let output = jari(&database.url(), command).await;
        let (out, err) = said(&output);
        assert_eq!((output.status.code(), &*out), (Some(0), ""), "{err}");
        assert!(err.contains(words), "{err}");
    }
}

#[rstest]
#[case("1", true)]
#[case("true", true)]
#[case("0", false)]
#[case("", false)]
fn a_switch_is_set_as_people_set_switches(#[case] value: &str, #[case] taken: bool) {
    let nothing =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("nothing-{}", uuid::Uuid::now_v7()));
    let output = program()
        .args([
            "serve",
            "--port",
            "0",
            "--program-path",
            "/nowhere",
            "--admin-token",
        ])
        .arg("a-token-that-is-long-enough-for-a-test")
        .arg("--data-dir")
        .arg(&nothing)
        .env("JARI_NO_INSTALL", value)
        .output()
        .expect("the program runs");
    let (_, told) = said(&output);
    // Without the switch it would install, and finds no package manager.
    assert_eq!(told.contains("--no-install"), taken, "{told}");
    let _ = fs::remove_dir_all(nothing);
}

#[test]
fn a_file_that_cannot_be_read_is_named_without_a_place_in_it() {
    let empty = File::of(&json!({}));
    fs::write(empty.path(), " \n").expect("it can be written");
    let output = program().args(["import", "nofile.json", empty.path()]).output();
    let (_, err) = said(&output.expect("the program starts"));
    assert!(err.contains("nofile.json: cannot be read"), "{err}");
    assert!(err.contains(&format!("{}: is empty", empty.path())), "{err}");
}

#[tokio::test]
async fn a_ticket_is_checked_without_network_or_database() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let ticket = Ticket {
        reservation: ReservationId::new(301_422_961_418_752_000),
        number: 1,
        time_slot: TimeSlotId::new(uuid::Uuid::from_u128(7)),
        starts_at: jiff::Timestamp::UNIX_EPOCH,
        people: 2,
        seats: vec!["C7".parse().expect("a label")],
    };
    let code = ticket.signed(KeyId(7), &key);
    let public = PublicKey::of(KeyId(7), &key.verifying_key());
    // As they are published, and with what else is said there.
    let keys = File::of(
        &json!({ "keys": [{ "key_id": public.key_id, "public_key": public.public_key,
        "begun_at": "2026-12-24T10:00:00Z" }] }),
    );
    let nowhere = "postgres://nowhere.invalid/none";
    let check = async |code: &str, more: &[&str]| {
        let args = [&["ticket", "verify", code, "--keys", keys.path()], more].concat();
        jari(nowhere, &args).await
    };
    let genuine = check(&code, &["--json"]).await;
    let (out, err) = said(&genuine);
    assert_eq!(genuine.status.code(), Some(0), "{out}{err}");
    let read: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (&read["reservation"], &read["seats"]),
        (&json!("301422961418752000"), &json!(["C7"]))
    );
    let (out, _) = said(&check(&code, &[]).await);
    assert!(
        out.contains("2 people, C7") && out.contains("rescheduled 1 times"),
        "{out}"
    );
    for (code, why) in [
        ("nonsense", "no ticket that can be read"),
        (&*ticket.signed(KeyId(8), &key), "unknown key"),
    ] {
        let refused = check(code, &[]).await;
        let (_, err) = said(&refused);
        assert_eq!(refused.status.code(), Some(1), "{err}");
        assert!(err.contains(why), "{err}");
    }
    let wrong = File::of(&json!({ "keys": "none" }));
    let wrong = jari(nowhere, &["ticket", "verify", &code, "--keys", wrong.path()]).await;
    assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
}
