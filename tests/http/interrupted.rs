//! Another password and the end of the sessions are one step, wherever a request is cut off.

use std::sync::Arc;

use jari::config::HttpArgs;
use serde_json::json;

use super::{
    customers::{customer, token},
    field::Field,
};
use crate::support::{
    api::{Api, Call},
    database,
    journal::Journal,
    process::Server,
    staff::{self, Colleague, PASSWORD},
    standstill::Standstill,
    waiting::eventually,
};

const NEW: &str = "another horse battery";
/// The two places where the vault changes.
const STEPS: [&str; 2] = ["vault.credentials", "vault.sessions"];

async fn field() -> Field {
    Field::configured(|http| HttpArgs {
        request_seconds: 4,
        ..http
    })
    .await
}

async fn status(api: &Api, path: &str, token: &str) -> u16 {
    api.ask(&Call::get(path).with_token(token)).await.status
}

async fn signs_in(api: &Api, password: &str) -> bool {
    let body = json!({ "email": "haneul@example.com", "password": password });
    api.ask(&Call::post("/v1/customer/sessions", body)).await.status == 201
}

/// Sends it, and lets it be cut off where it stands still.
async fn cut_off(field: &Field, table: &'static str, call: &Call) {
    let still = Standstill::of(&field.database, table).await;
    field.api.ask(call).await.refused(503, "server/timed-out");
    still.felt().await;
    still.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_whose_change_is_cut_off_has_the_new_password_and_no_other_sessions() {
    for table in STEPS {
        let field = field().await;
        let api = &field.api;
        let here = customer(api, "haneul@example.com", "하늘").await;
        let there = token(api, "haneul@example.com").await;
        let body = json!({ "current": PASSWORD, "new": NEW });
        let change = Call::post("/v1/customer/change-password", body).with_token(&here);
        cut_off(&field, table, &change).await;
        eventually("the new password counts", || async {
            signs_in(api, NEW).await.then_some(())
        })
        .await;
        assert_eq!(status(api, "/v1/customer", &there).await, 401, "{table}");
        assert_eq!(status(api, "/v1/customer", &here).await, 200, "{table}");
        assert!(!signs_in(api, PASSWORD).await, "{table}");
        field.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_colleague_whose_change_is_cut_off_has_the_new_password_and_no_other_sessions() {
    for (table, given) in [(STEPS[0], false), (STEPS[1], false), (STEPS[1], true)] {
        let field = field().await;
        let api = &field.api;
        let minseo = Colleague::enlist(api, "minseo", "HEAD_OFFICE", &[]).await;
        let (here, there) = (minseo.sign_in(api).await, minseo.sign_in(api).await);
        let change = if given {
            let body = json!({ "password": NEW });
            Call::admin(format!("/v1/admins/{}/give-password", minseo.id), body)
        } else {
            let body = json!({ "current": PASSWORD, "new": NEW });
            Call::post("/v1/admin/change-password", body).with_token(&here)
        };
        cut_off(&field, table, &change).await;
        eventually("the new password counts", || async {
            let begun = staff::sign_in(api, "minseo", NEW).await;
            (begun.status == 201).then_some(())
        })
        .await;
        let sessions = "/v1/admin/sessions";
        assert_eq!(status(api, sessions, &there).await, 401, "{table}");
        let kept = if given { 401 } else { 200 };
        assert_eq!(status(api, sessions, &here).await, kept, "{table}");
        assert_eq!(staff::sign_in(api, "minseo", PASSWORD).await.status, 401);
        field.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_between_leaves_the_old_password_with_the_old_sessions() {
    let database = database::fresh().await;
    let mut server = Server::start(&database.url()).await;
    let api = server.api(&Arc::new(Journal::default()));
    let here = customer(&api, "haneul@example.com", "하늘").await;
    let there = token(&api, "haneul@example.com").await;
    let still = Standstill::of(&database, "vault.sessions").await;
    let body = json!({ "current": PASSWORD, "new": NEW });
    let change = Call::post("/v1/customer/change-password", body).with_token(&here);
    let asked = {
        let api = api.clone();
        tokio::spawn(async move { api.send(&change).await.is_ok() })
    };
    still.felt().await;
    server.kill();
    assert!(!asked.await.expect("it ends"), "nobody was told that it is done");
    still.end().await;
    server.restart().await;
    // What PostgreSQL had begun for the dead server ends with it.
    assert_eq!(status(&api, "/v1/customer", &there).await, 200);
    assert!(signs_in(&api, PASSWORD).await);
    assert!(!signs_in(&api, NEW).await);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_address_that_is_cut_off_leaves_no_session_too_many() {
    let field = field().await;
    let api = &field.api;
    let here = customer(api, "haneul@example.com", "하늘").await;
    let there = token(api, "haneul@example.com").await;
    let body = json!({ "email": "moved@example.com", "password": PASSWORD });
    let change = Call::post("/v1/customer/change-email", body).with_token(&here);
    cut_off(&field, "vault.sessions", &change).await;
    // Whatever became of the address, whoever repeats it gets there.
    assert_eq!(api.ask(&change).await.status, 200);
    assert_eq!(status(api, "/v1/customer", &there).await, 401);
    assert_eq!(status(api, "/v1/customer", &here).await, 200);
    field.close().await;
}
