//! The whole program on its private server, interrupted as from a terminal, and started again. Never outlives its test.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::scratch::Scratch;
use crate::support::api::{Api, Call};
use crate::support::process::{ADMIN_TOKEN, program};
use crate::support::waiting::eventually;

/// A server program in a process group of its own, as a shell starts it.
struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    fn start(scratch: &Scratch, arguments: &[&str]) -> Self {
        let output = scratch.path().join(format!("said-{}", Uuid::now_v7()));
        let file = File::create(&output).unwrap();
        let child = program()
            .env("JARI_ADMIN_TOKEN", ADMIN_TOKEN)
            .args(arguments)
            .args(["--port", "0", "--data-dir"])
            .arg(scratch.path())
            .process_group(0)
            .stdout(Stdio::from(file.try_clone().unwrap()))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        Self { child, output }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// What follows this text on its line, once it is said.
    async fn says(&self, text: &str) -> String {
        eventually(text, || async {
            let said = self.said();
            let (_, after) = said.split_once(text)?;
            let (line, _) = after.split_once('\n')?;
            Some(line.trim().to_owned())
        })
        .await
    }

    fn interrupt(&self) {
        kill_process_group(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        let child = std::sync::Mutex::new(&mut self.child);
        eventually("the program ends", || async {
            child.lock().unwrap().try_wait().unwrap()
        })
        .await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("it said:\n{}", self.said());
        }
    }
}

fn port(address: &str) -> u16 {
    let (_, port) = address.rsplit_once(':').unwrap();
    port.trim_end_matches("/docs").parse().unwrap()
}

#[tokio::test]
async fn what_is_under_way_at_an_interrupt_is_answered_before_pools_and_server_stop() {
    let scratch = Scratch::new();
    let mut program = Running::start(&scratch, &["serve"]);
    let port = port(&program.says("listening on http://").await);

    let body = json!({ "title": "한강의 밤", "running_time_minutes": 118, "rating": "15" }).to_string();
    let (first, rest) = body.as_bytes().split_at(20);
    let head = format!(
        "POST /v1/movies/{}/announce HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        Uuid::now_v7(),
        body.len()
    );
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connection.write_all(head.as_bytes()).await.unwrap();
    // Being told to go on means that the request is being worked on.
    let mut told = [0; 25];
    connection.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(first).await.unwrap();

    program.interrupt();
    program.says("stopping").await;
    assert!(scratch.server_runs(), "the server is the last to stop");
    connection.write_all(rest).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    assert!(answer.contains("x-jari-position: "), "{answer}");

    assert!(program.ended().await.success());
    assert!(!scratch.server_runs());
    let log = scratch.log();
    assert!(log.contains("database system is shut down"), "{log}");
    // Whoever still worked with the database would have complained of losing it.
    let said = program.said();
    assert!(said.ends_with("stopping\n"), "{said}");
    scratch.keeper_ends();
}

#[tokio::test]
async fn a_demo_that_is_interrupted_before_it_is_ready_stops_in_order() {
    let scratch = Scratch::new();
    let mut program = Running::start(&scratch, &["demo"]);
    program.says("importing the sample chains").await;
    program.interrupt();
    assert!(program.ended().await.success(), "{}", program.said());
    let said = program.said();
    assert!(said.ends_with("stopping\n") && !said.contains("ready"), "{said}");
    assert!(!scratch.server_runs());
    assert!(
        scratch.log().contains("database system is shut down"),
        "{}",
        scratch.log()
    );
    scratch.keeper_ends();
}

#[tokio::test]
async fn the_demo_starts_again_with_what_its_admins_renamed_and_closed() {
    let scratch = Scratch::new();
    let mut program = Running::start(&scratch, &["demo"]);
    let api = Api::new(port(&program.says("http://").await), Arc::default());
    let branches = names(&api).await;
    let [renamed, closed] = ["강남점", "강남 2호점"].map(|name| {
        let found = branches.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{name}: {branches:?}")).1.clone()
    });
    let rename = format!("/v1/branches/{renamed}/rename");
    api.done(&Call::admin(rename, json!({ "name": "역삼점" }))).await;
    api.done(&Call::admin(format!("/v1/branches/{closed}/close"), json!({})))
        .await;
    program.interrupt();
    assert!(program.ended().await.success());

    let mut program = Running::start(&scratch, &["demo"]);
    let address = program.says("http://").await;
    let api = Api::new(port(&address), Arc::default());
    let again = names(&api).await;
    assert_eq!(again.len(), branches.len() - 1, "{again:?}");
    assert!(again.contains(&("역삼점".to_owned(), renamed)), "{again:?}");
    program.interrupt();
    assert!(program.ended().await.success());
}

/// The open branches, by name and id.
async fn names(api: &Api) -> Vec<(String, String)> {
    let page = api.done(&Call::get("/v1/branches?limit=200")).await.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let branch = |branch: &Value| (text(&branch["name"]), text(&branch["id"]));
    page["items"].as_array().unwrap().iter().map(branch).collect()
}
