//! Where no token of the configuration is set, only people are admins; where one is, it is told apart from them.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use serde_json::{Value, json};

use super::field::Field;
use crate::support::{
    api::{Api, Call},
    database,
    journal::Journal,
    process::{ADMIN_TOKEN, command},
    staff::{Colleague, PASSWORD, sign_in},
    waiting::eventually,
};

/// A server that was started without a token, on a port it took itself.
struct Tokenless(Child);

impl Tokenless {
    async fn start(mut serve: Command) -> (Self, Api) {
        serve
            .env_remove("JARI_ADMIN_TOKEN")
            .args(["serve", "--port", "0"]);
        let mut child = serve.stderr(Stdio::piped()).spawn().expect("the program starts");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        let port = tokio::task::spawn_blocking(move || {
            let mut lines = said.lines().map_while(Result::ok);
            let line = lines.find(|line| line.contains("listening on http://"));
            // The rest is read to its end: a full pipe would stop the server.
            std::thread::spawn(move || lines.for_each(drop));
            line.and_then(|line| line.rsplit(':').next()?.trim().parse().ok())
        });
        let port = port.await.expect("it ends").expect("it listens");
        (Self(child), Api::new(port, Arc::new(Journal::default())))
    }
}

impl Drop for Tokenless {
    fn drop(&mut self) {
        // Ended already, perhaps.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_an_admin_token_starts_and_takes_none() {
    let database = database::fresh().await;
    let place = ("JARI_DATABASE_URL", database.url());
    let (_server, api) = Tokenless::start(command(&place)).await;
    let listed = Call::get("/v1/admins");
    for token in [ADMIN_TOKEN, "token", "none"] {
        let refused = api.ask(&listed.clone().with_token(token)).await;
        refused.refused(401, "request/unauthorized");
    }
    // The first person is made where the database is reached.
    let mut create = command(&place);
    create.env_remove("JARI_ADMIN_TOKEN");
    create.args(["admin", "create", "--login", "minseo", "--name", "김민서"]);
    let mut create = create
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = create.stdin.take().expect("a pipe");
    writeln!(stdin, "{PASSWORD}").expect("it reads");
    drop(stdin);
    let made = tokio::task::spawn_blocking(move || create.wait());
    assert!(made.await.expect("it ends").expect("it ends").success());
    let token = eventually("the first admin is known", || async {
        let begun = sign_in(&api, "minseo", PASSWORD).await;
        let token = (begun.status == 201).then(|| begun.json()["token"].clone())?;
        Some(token.as_str().expect("a token").to_owned())
    })
    .await;
    let admins = api.done(&listed.with_token(&token)).await.json();
    assert_eq!(admins[0]["login"], "minseo", "{admins}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_tells_who_issued_it_and_when() {
    let field = Field::open().await;
    let api = &field.api;
    let minseo = Colleague::enlist(api, "minseo", "HEAD_OFFICE", &[]).await;
    let token = minseo.sign_in(api).await;
    let issue = |code: &str| {
        let body = json!({ "discount": { "rate": { "percent": 20 } }, "scope": {},
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2199-01-01T00:00:00Z" });
        Call::admin(format!("/v1/coupons/{code}/issue"), json!({ "terms": body }))
    };
    api.done(&issue("7KQ4MZ2H")).await;
    api.done(&issue("8KQ4MZ2H").with_token(&token)).await;
    let list = format!("/v1/coupons?order=asc&min_position={}", field.position());
    let coupons = api.done(&Call::get(&list).by_staff()).await.json();
    let issuers: Vec<&Value> = coupons["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|coupon| &coupon["issued_by"])
        .collect();
    let known = json!({ "kind": "admin", "id": minseo.id });
    assert_eq!(issuers, [&json!({ "kind": "token" }), &known], "{coupons}");
    for (coupon, who) in [
        (0, "whoever has the admin token".to_owned()),
        (1, format!("admin {}", minseo.id)),
    ] {
        let coupon = &coupons["items"][coupon];
        let code = coupon["code"].as_str().unwrap();
        let story = api
            .done(&Call::get(format!("/v1/audit/coupon/{code}")).by_staff())
            .await;
        let issued = &story.json()[0];
        assert_eq!(issued["who"], who);
        assert_eq!(issued["recorded_at"], coupon["issued_at"]);
    }
    field.close().await;
}
