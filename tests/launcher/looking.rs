//! Subcommands that only look at a database say what is missing and make nothing.

use std::{
    fs,
    process::{Command, Output, Stdio},
};

use jari::postgres::Cluster;
use rstest::rstest;

use super::scratch::Scratch;
use crate::support::{database::fresh, process::jari};

/// What must be answered where there is no database: one sentence, and the exit code for it.
fn refuses(output: &Output, sentence: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim_end(), format!("error: {sentence}"));
    assert_eq!(output.status.code(), Some(69));
    assert!(output.stdout.is_empty());
}

fn in_data_dir(data_dir: &str, subcommand: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jari"));
    command.args([subcommand, "--data-dir", data_dir, "--no-install"]);
    command.env_remove("JARI_DATABASE_URL").env_remove("JARI_SECRET");
    command.stdin(Stdio::null()).output().unwrap()
}

#[rstest]
#[case("verify")]
#[case("replay")]
#[case("events")]
#[case("rebuild")]
fn where_nothing_is_it_is_said_and_nothing_is_made(#[case] subcommand: &str) {
    let scratch = Scratch::new();
    let data_dir = scratch.path().join("none").display().to_string();
    let sentence = format!(
        "there is no Jari database in {data_dir}; start `jari demo` or `jari serve` first, or name another directory \
         with --data-dir"
    );
    refuses(&in_data_dir(&data_dir, subcommand), &sentence);
    assert!(fs::read_dir(scratch.path()).unwrap().next().is_none());
}

#[test]
fn who_looks_beside_the_demo_is_told_where_it_is() {
    let scratch = Scratch::new();
    let data_dir = scratch.path().display();
    let cluster = scratch.path().join("demo/postgres");
    fs::create_dir_all(&cluster).unwrap();
    fs::write(cluster.join("PG_VERSION"), "15\n").unwrap();
    let sentence = format!(
        "there is no Jari database in {data_dir}; the one of `jari demo` is in {data_dir}/demo, or name another \
         directory with --data-dir"
    );
    refuses(&in_data_dir(&data_dir.to_string(), "verify"), &sentence);
}

#[tokio::test]
async fn a_server_that_was_never_migrated_stays_as_it_is() {
    let scratch = Scratch::new();
    Cluster::start(scratch.settings())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let data_dir = scratch.path().display().to_string();
    let asked = data_dir.clone();
    let output = tokio::task::spawn_blocking(move || in_data_dir(&asked, "verify"))
        .await
        .unwrap();
    let sentence = format!(
        "there is no Jari database in {data_dir}; start `jari demo` or `jari serve` first, or name another directory \
         with --data-dir"
    );
    refuses(&output, &sentence);
    assert!(!scratch.path().join("master-secret").exists());
    assert!(!scratch.server_runs());
}

#[rstest]
#[case("verify")]
#[case("serve")]
#[tokio::test]
async fn a_named_database_must_have_been_migrated(#[case] subcommand: &str) {
    let database = fresh().await;
    for name in ["postgres", "not_there"] {
        let url = database.owner().with_database(name).url();
        let sentence = format!(
            "the database {name} is not a Jari database yet; run `jari migrate` first, or name another one with \
             --database-url"
        );
        refuses(&jari(&url, &[subcommand]).await, &sentence);
    }
    let forget = "delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)";
    database.client().await.batch_execute(forget).await.unwrap();
    let sentence = "the database is older than this program; run `jari migrate` first";
    refuses(&jari(&database.url(), &[subcommand]).await, sentence);
}
