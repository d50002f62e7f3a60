//! Admins sign in, work and leave: what they may follows their roles at once, and their secrets are nowhere to be read.

use std::process::Stdio;

use jari::config::RateLimits;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Api, Call},
    process::{ADMIN_TOKEN, command},
    staff::{Colleague, PASSWORD, enlisting, sign_in},
};

const LISTED: &str = "/v1/admins";
const SESSIONS: &str = "/v1/admin/sessions";

async fn status(api: &Api, path: &str, token: &str) -> u16 {
    api.ask(&Call::get(path).with_token(token)).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_signs_in_works_and_signs_out() {
    let field = Field::open().await;
    let api = &field.api;
    let minseo = Colleague::enlist(api, "minseo", "HEAD_OFFICE", &[]).await;
    let (here, there) = (minseo.sign_in(api).await, minseo.sign_in(api).await);
    let listed = api.done(&Call::get(LISTED).with_token(&here)).await.json();
    assert_eq!(listed[0]["login"], "minseo");
    assert_eq!(listed[0]["name"], "김민서");
    // What they do is theirs.
    let film = json!({ "title": "북쪽 항로", "running_time_minutes": 141, "rating": "12" });
    let movie = Uuid::now_v7();
    let announce = Call::post(format!("/v1/movies/{movie}/announce"), film).with_token(&here);
    api.done(&announce).await;
    let story = api
        .done(&Call::get(format!("/v1/audit/movie/{movie}")).with_token(&here))
        .await;
    assert_eq!(story.json()[0]["who"], format!("admin {}", minseo.id));
    // Both sessions are listed; the other one is ended from here.
    let sessions = api.done(&Call::get(SESSIONS).with_token(&here)).await.json();
    let other = sessions
        .as_array()
        .unwrap()
        .iter()
        .find(|session| session["current"] == false)
        .unwrap();
    let other = other["id"].as_str().unwrap();
    let revoke = Call::delete(format!("{SESSIONS}/{other}")).with_token(&here);
    assert_eq!(api.ask(&revoke).await.status, 204);
    api.ask(&revoke).await.refused(404, "request/no-such-thing");
    assert_eq!(status(api, LISTED, &there).await, 401);
    assert_eq!(
        api.ask(&Call::delete(SESSIONS).with_token(&here)).await.status,
        204
    );
    assert_eq!(status(api, LISTED, &here).await, 401);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_login_and_a_wrong_password_answer_alike() {
    let field = Field::open().await;
    let api = &field.api;
    Colleague::enlist(api, "minseo", "STAFF", &[field.house.shop]).await;
    let without = Uuid::now_v7();
    api.done(&enlisting(without, "nopassword", "STAFF", &[])).await;
    let mut answers = Vec::new();
    for (login, password) in [
        ("minseo", "wrong horse battery"),
        ("minseo", ""),
        ("nobody", PASSWORD),
        ("nopassword", PASSWORD),
        ("no login at all, and far too long", PASSWORD),
    ] {
        let answer = sign_in(api, login, password).await;
        let mut problem: Value = answer.json();
        problem["instance"] = Value::Null;
        answers.push((answer.status, problem));
    }
    assert_eq!(answers[0].0, 401);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    // The login is compared as people read it.
    assert_eq!(sign_in(api, "MinSeo", PASSWORD).await.status, 201);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_of_the_head_office_is_always_left() {
    let field = Field::open().await;
    let api = &field.api;
    let first = Colleague::enlist(api, "first", "HEAD_OFFICE", &[]).await;
    let entrust = |id: Uuid, role: &str| {
        Call::admin(
            format!("/v1/admins/{id}/entrust"),
            json!({ "roles": [role], "branches": [] }),
        )
    };
    let dismiss = |id: Uuid| Call::admin(format!("/v1/admins/{id}/dismiss"), json!({}));
    api.ask(&entrust(first.id, "AUDITOR"))
        .await
        .refused(409, "role/last-of-head-office");
    api.ask(&dismiss(first.id))
        .await
        .refused(409, "role/last-of-head-office");
    let second = Colleague::enlist(api, "second", "HEAD_OFFICE", &[]).await;
    // Both at once: one of them stays.
    let (one, other) = (dismiss(first.id), entrust(second.id, "AUDITOR"));
    let (one, other) = tokio::join!(api.ask(&one), api.ask(&other));
    let mut outcomes = [one.status, other.status];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409], "{one} {other}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_dismissed_is_out_at_once_and_their_login_is_free() {
    let field = Field::open().await;
    let api = &field.api;
    let minseo = Colleague::enlist(api, "minseo", "AUDITOR", &[]).await;
    let token = minseo.sign_in(api).await;
    assert_eq!(status(api, LISTED, &token).await, 200);
    api.ask(&enlisting(Uuid::now_v7(), "MINSEO", "STAFF", &[]))
        .await
        .refused(409, "claim/taken");
    api.done(&Call::admin(
        format!("/v1/admins/{}/dismiss", minseo.id),
        json!({}),
    ))
    .await;
    assert_eq!(status(api, LISTED, &token).await, 401);
    assert_eq!(sign_in(api, "minseo", PASSWORD).await.status, 401);
    api.done(&enlisting(Uuid::now_v7(), "minseo", "STAFF", &[])).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_role_counts_with_the_next_request() {
    let field = Field::open().await;
    let api = &field.api;
    let role = |verb: &str, permissions: &[&str]| {
        let rights = json!({ "permissions": permissions, "reach": "everywhere" });
        Call::admin(format!("/v1/roles/NIGHT_SHIFT/{verb}"), rights)
    };
    api.ask(&enlisting(Uuid::now_v7(), "early", "NIGHT_SHIFT", &[]))
        .await
        .refused(404, "role/not-found");
    api.done(&role("define", &["see-coupons"])).await;
    let minseo = Colleague::enlist(api, "minseo", "NIGHT_SHIFT", &[]).await;
    let token = minseo.sign_in(api).await;
    assert_eq!(status(api, "/v1/coupons", &token).await, 200);
    assert_eq!(status(api, "/v1/reservations", &token).await, 403);
    api.done(&role("revise", &["see-reservations"])).await;
    assert_eq!(status(api, "/v1/coupons", &token).await, 403);
    assert_eq!(status(api, "/v1/reservations", &token).await, 200);
    api.ask(&Call::admin("/v1/roles/NIGHT_SHIFT/retire", json!({})))
        .await
        .refused(409, "role/in-use");
    api.ask(&Call::admin("/v1/roles/STAFF/retire", json!({})))
        .await
        .refused(409, "role/shipped");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gives_or_changes_rights_beyond_their_own() {
    let field = Field::open().await;
    let api = &field.api;
    let rights = json!({ "permissions": ["change-admins", "see-coupons"], "reach": "everywhere" });
    api.done(&Call::admin("/v1/roles/PERSONNEL/define", rights)).await;
    let head = Colleague::enlist(api, "head", "HEAD_OFFICE", &[]).await;
    let clerk = Colleague::enlist(api, "clerk", "PERSONNEL", &[]).await;
    let token = clerk.sign_in(api).await;
    let as_clerk = |path: String, body: Value| Call::post(path, body).with_token(&token);
    let everything = json!({ "roles": ["HEAD_OFFICE"] });
    let broader = json!({ "permissions": ["change-admins", "change-coupons"], "reach": "everywhere" });
    for call in [
        as_clerk(format!("/v1/admins/{}/entrust", clerk.id), everything),
        as_clerk(format!("/v1/admins/{}/dismiss", head.id), json!({})),
        as_clerk(
            format!("/v1/admins/{}/give-password", head.id),
            json!({ "password": PASSWORD }),
        ),
        as_clerk("/v1/roles/PERSONNEL/revise".to_owned(), broader.clone()),
        as_clerk("/v1/roles/MINE/define".to_owned(), broader),
    ] {
        api.ask(&call).await.refused(403, "rights/beyond-yours");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_it_is_idle_and_in_any_case_in_the_end() {
    let field = Field::open().await;
    let api = &field.api;
    let minseo = Colleague::enlist(api, "minseo", "AUDITOR", &[]).await;
    let database = field.database.client().await;
    for aged in [
        "update vault.sessions set seen_at = seen_at - interval '59 minutes'",
        "update vault.sessions set seen_at = seen_at - interval '61 minutes'",
        "update vault.sessions set ends_at = clock_timestamp() - interval '1 second'",
    ] {
        let token = minseo.sign_in(api).await;
        assert_eq!(status(api, LISTED, &token).await, 200);
        database.execute(aged, &[]).await.expect("a superuser may");
        let expected = if aged.contains("59") { 200 } else { 401 };
        assert_eq!(status(api, LISTED, &token).await, expected, "{aged}");
        // Used again, it is not idle.
        assert_eq!(status(api, LISTED, &token).await, expected, "{aged}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_password_ends_all_other_sessions() {
    let field = Field::open().await;
    let api = &field.api;
    let minseo = Colleague::enlist(api, "minseo", "AUDITOR", &[]).await;
    let (here, there) = (minseo.sign_in(api).await, minseo.sign_in(api).await);
    let change = |current: &str, new: &str| {
        Call::post(
            "/v1/admin/change-password",
            json!({ "current": current, "new": new }),
        )
        .with_token(&here)
    };
    api.ask(&change("wrong", "another horse battery"))
        .await
        .refused(401, "sign-in/wrong-credentials");
    api.ask(&change(PASSWORD, "short"))
        .await
        .refused(422, "request/invalid-fields");
    assert_eq!(
        api.ask(&change(PASSWORD, "another horse battery")).await.status,
        204
    );
    assert_eq!(status(api, LISTED, &here).await, 200);
    assert_eq!(status(api, LISTED, &there).await, 401);
    assert_eq!(sign_in(api, "minseo", PASSWORD).await.status, 401);
    assert_eq!(sign_in(api, "minseo", "another horse battery").await.status, 201);
    let story = api
        .done(&Call::get(format!("/v1/audit/admin/{}", minseo.id)).by_staff())
        .await
        .json();
    let last = story.as_array().unwrap().last().unwrap();
    assert_eq!(last["sentence"], "the admin's password was changed");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_log_nor_vault_holds_a_secret_or_a_name_to_be_read() {
    let field = Field::open().await;
    let minseo = Colleague::enlist(&field.api, "minseo", "AUDITOR", &[]).await;
    let token = minseo.sign_in(&field.api).await;
    let database = field.database.client().await;
    let everything = "select coalesce(string_agg(t, E'\\n'), '') from (
        select e.aggregate_id || e.payload::text || e.metadata::text from events e union all
        select row_to_json(c)::text from vault.credentials c union all
        select row_to_json(s)::text from vault.sessions s union all
        select row_to_json(i)::text from idempotency_keys i) all_of(t)";
    let text: String = database
        .query_one(everything, &[])
        .await
        .expect("all of it")
        .get(0);
    for secret in [
        "minseo",
        "김민서",
        "010-2222-3333",
        PASSWORD,
        token.as_str(),
        &token[4..],
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    let hash: String = database
        .query_one("select hash from vault.credentials", &[])
        .await
        .expect("one")
        .get(0);
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_to_sign_in_are_limited() {
    let field = Field::limited(RateLimits {
        guesses_per_minute: 3,
        ..RateLimits::LOOSE
    })
    .await;
    for _ in 0..3 {
        assert_eq!(sign_in(&field.api, "minseo", PASSWORD).await.status, 401);
    }
    let refused = sign_in(&field.api, "minseo", PASSWORD).await;
    refused.refused(429, "request/too-many");
    assert!(refused.retry_after.is_some());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_counts_for_changes_of_our_own_pages_only() {
    let field = Field::open().await;
    Colleague::enlist(&field.api, "minseo", "HEAD_OFFICE", &[]).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("http://{}{path}", field.address());
    let body = json!({ "login": "minseo", "password": PASSWORD, "cookie": true });
    let from_elsewhere = client
        .post(at(SESSIONS))
        .json(&body)
        .header("origin", "https://evil.example");
    assert_eq!(
        from_elsewhere.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    let own = format!("http://{}", field.address());
    let answer = client
        .post(at(SESSIONS))
        .json(&body)
        .header("origin", &own)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let kept = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for word in ["jari_admin=adm_", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(kept.contains(word), "{kept}");
    }
    assert!(
        !answer.text().await.unwrap().contains("adm_"),
        "the token is in the cookie alone"
    );
    let cookie = kept.split(';').next().unwrap();
    let with = |request: reqwest::RequestBuilder| request.header("cookie", cookie);
    assert_eq!(
        with(client.get(at(LISTED))).send().await.unwrap().status(),
        StatusCode::OK
    );
    let rename = || {
        with(client.post(at(&format!("/v1/branches/{}/rename", field.house.shop))))
            .json(&json!({ "name": "새 이름" }))
    };
    for forged in [
        rename(),
        rename().header("origin", "https://evil.example"),
        rename()
            .header("sec-fetch-site", "cross-site")
            .header("origin", &own),
    ] {
        assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    for ours in [
        rename().header("sec-fetch-site", "same-origin"),
        rename().header("x-jari-csrf", "1"),
    ] {
        assert_eq!(ours.send().await.unwrap().status(), StatusCode::OK);
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_admin_is_made_on_the_command_line() {
    let field = Field::open().await;
    let create = |arguments: &'static [&'static str], password: &'static str| {
        let mut command = command(&("JARI_DATABASE_URL", field.database.url()));
        command.args(["admin", "create"]).args(arguments);
        tokio::task::spawn_blocking(move || {
            use std::io::Write as _;
            let piped = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = piped.spawn().expect("the program starts");
            let mut stdin = child.stdin.take().expect("a pipe");
            writeln!(stdin, "{password}").expect("it reads");
            drop(stdin);
            child.wait_with_output().expect("it ends")
        })
    };
    let made = create(&["--login", "minseo", "--name", "김민서"], PASSWORD)
        .await
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let token = sign_in(&field.api, "minseo", PASSWORD).await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = field.api.done(&Call::get(LISTED).with_token(&token)).await.json();
    assert_eq!(listed[0]["roles"], json!(["HEAD_OFFICE"]));
    let again = create(&["--login", "minseo", "--name", "김민서"], PASSWORD)
        .await
        .unwrap();
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    let short = create(&["--login", "jiho", "--name", "이지호"], "short")
        .await
        .unwrap();
    assert_eq!(short.status.code(), Some(64), "{short:?}");
    assert_eq!(
        status(&field.api, LISTED, ADMIN_TOKEN).await,
        200,
        "the token of the configuration stays"
    );
    field.close().await;
}
