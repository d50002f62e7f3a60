//! Signing in as somebody tries who should not: nothing tells who exists, nobody is locked out by others, no other site acts
//! for a visitor, and what is revoked is revoked everywhere at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use jari::{
    config::{HttpArgs, RateLimits},
    http::rights::{Needs, table},
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    customers::{customer, token},
    field::Field,
};
use crate::support::{
    api::{Api, Call},
    database,
    house::{House, Sale},
    journal::Journal,
    process::{ADMIN_TOKEN, Server},
    staff::{Colleague, PASSWORD, enlisting},
};

const CUSTOMERS: &str = "/v1/customer/sessions";
const ADMINS: &str = "/v1/admin/sessions";

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_as_long_as_somebody() {
    let field = Field::open().await;
    let api = &field.api;
    customer(api, "haneul@example.com", "하늘").await;
    Colleague::enlist(api, "minseo", "STAFF", &[]).await;
    let attempt = async |path: &str, body: Value| {
        let begun = Instant::now();
        assert_eq!(api.ask(&Call::post(path, body)).await.status, 401);
        begun.elapsed()
    };
    let at = |email: &str| json!({ "email": email, "password": "wrong horse battery" });
    let by = |login: &str| json!({ "login": login, "password": "wrong horse battery" });
    for (path, known, unknown) in [
        (CUSTOMERS, at("haneul@example.com"), at("nobody@example.com")),
        (CUSTOMERS, at("haneul@example.com"), at("no address")),
        (ADMINS, by("minseo"), by("nobody")),
        (ADMINS, by("minseo"), by("no login, and too long for one")),
    ] {
        let (mut some, mut none) = (Vec::new(), Vec::new());
        // In turn, so that whatever else the machine does happens to both.
        for _ in 0..9 {
            some.push(attempt(path, known.clone()).await);
            none.push(attempt(path, unknown.clone()).await);
        }
        let (some, none) = (median(some), median(none));
        // Without the work on a hash it would be a tenth.
        assert!(
            none * 3 > some && some * 3 > none,
            "{path}: {some:?} and {none:?}"
        );
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_site_changes_anything_with_a_visitors_cookies() {
    let field = Field::open().await;
    let client = client();
    let (mut asked, mut wrong) = (0, Vec::new());
    for line in table() {
        let uses_cookies = match line.needs {
            Needs::Staff(..) | Needs::Holder(_) | Needs::OwnSession | Needs::Customer => true,
            Needs::Anyone => line.path == "/v1/reservations",
            Needs::Local(_) => false,
        };
        if line.method == Method::GET || !uses_cookies {
            continue;
        }
        let id = match line.path.split('/').nth(2) {
            Some("reservations" | "waitlist-entries") => "301422961418752000".to_owned(),
            Some("coupons") => "7KQ4MZ2H".to_owned(),
            Some("roles") => "USHER".to_owned(),
            _ => Uuid::now_v7().to_string(),
        };
        let path = line.path.replace("{id}", &id).replace("{label}", "A1");
        let address = format!("http://{}{path}", field.address());
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = client
                .request(line.method.clone(), &address)
                .header("cookie", "jari_admin=adm_x; jari_customer=cus_x")
                .header(name, value);
            let request = if line.method == Method::POST {
                request.json(&json!({}))
            } else {
                request
            };
            let answer = request.send().await.expect("the server answers");
            let status = answer.status();
            let problem: Value = answer.json().await.expect("a problem");
            if status != StatusCode::FORBIDDEN || problem["type"] != "/problems/request/cross-site" {
                wrong.push(format!("{} {path}: {problem}", line.method));
            }
            asked += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}: {wrong:#?}", wrong.len());
    assert!(asked > 60, "{asked}");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_passwords_at_once_are_told_to_wait() {
    let field = Field::open().await;
    let body = json!({ "login": "nobody", "password": "wrong horse battery" });
    let call = Call::post(ADMINS, body);
    let answers = join_all((0..150).map(|_| field.api.ask(&call))).await;
    let (waiting, tried): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    for answer in &waiting {
        // Those who had a turn on a busy machine may have waited too long for it.
        assert!(
            ["server/busy", "server/timed-out"].contains(&&*answer.slug()),
            "{answer}"
        );
        assert!(answer.retry_after.is_some());
    }
    for answer in &tried {
        answer.refused(401, "sign-in/wrong-credentials");
    }
    assert!(waiting.iter().any(|answer| answer.slug() == "server/busy"));
    // Afterwards there is room again.
    field
        .api
        .ask(&call)
        .await
        .refused(401, "sign-in/wrong-credentials");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_never_gets_a_token_that_somebody_sent() {
    let field = Field::open().await;
    let api = &field.api;
    customer(api, "haneul@example.com", "하늘").await;
    let planted = format!("cus_{}", "A".repeat(43));
    let address = format!("http://{}{CUSTOMERS}", field.address());
    let body = json!({ "email": "haneul@example.com", "password": PASSWORD, "cookie": true });
    let answer = client()
        .post(address)
        .json(&body)
        .header("x-jari-csrf", "1")
        .header("cookie", format!("jari_customer={planted}"))
        .bearer_auth(&planted)
        .send()
        .await
        .expect("the server answers");
    assert_eq!(answer.status(), StatusCode::CREATED);
    let kept = answer.headers()["set-cookie"].to_str().expect("a text");
    assert!(!kept.contains(&planted), "{kept}");
    let shown = Call::get("/v1/customer").with_token(&planted);
    api.ask(&shown).await.refused(401, "request/unauthorized");
    // Two sessions of one person have nothing in common but their kind.
    let (one, other) = (
        token(api, "haneul@example.com").await,
        token(api, "haneul@example.com").await,
    );
    assert_eq!((one.len(), &one[..4]), (47, "cus_"), "256 bits");
    let same = one[4..].bytes().zip(other[4..].bytes()).filter(|(a, b)| a == b);
    assert!(same.count() < 20);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_limited_however_it_is_spelt_and_its_owner_is_not_locked_out() {
    let field = Field::configured(|http| HttpArgs {
        limits: RateLimits {
            guesses_per_minute: 6,
            ..RateLimits::LOOSE
        },
        client_address_header: Some("x-forwarded-for".parse().expect("a name")),
        ..http
    })
    .await;
    customer(&field.api, "haneul@example.com", "하늘").await;
    let (client, address) = (client(), format!("http://{}{CUSTOMERS}", field.address()));
    let attempt = async |from: String, email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        let asked = client.post(&address).json(&body).header("x-forwarded-for", from);
        asked.send().await.expect("the server answers").status().as_u16()
    };
    let home = || "192.0.2.1".to_owned();
    assert_eq!(attempt(home(), "haneul@example.com", PASSWORD).await, 201);
    // Many addresses, each within its own limit, and each with another spelling of the same account.
    let spellings = [
        "haneul@example.com",
        "HANEUL@EXAMPLE.COM",
        "ｈａｎｅｕｌ@example.com",
        "ha\u{200d}neul@example.com",
    ];
    let mut met = Vec::new();
    for number in 0..40 {
        let from = format!("198.51.100.{number}");
        met.push(attempt(from, spellings[number % spellings.len()], "wrong horse battery").await);
    }
    let refused = met.iter().filter(|status| **status == 429).count();
    assert!((12..=20).contains(&refused), "{met:?}");
    assert!(met.iter().all(|status| [401, 429].contains(status)), "{met:?}");
    // From elsewhere even the owner has to wait; where they have signed in before, they come in.
    let elsewhere = attempt("203.0.113.9".to_owned(), "haneul@example.com", PASSWORD).await;
    assert_eq!(elsewhere, 429);
    assert_eq!(attempt(home(), "haneul@example.com", PASSWORD).await, 201);
    // There, too, one address has no more than its share.
    for _ in 0..10 {
        met.push(attempt(home(), "haneul@example.com", "wrong horse battery").await);
    }
    assert_eq!(met.last(), Some(&429));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_with_the_old_password_outlives_its_change() {
    let field = Field::open().await;
    let api = &field.api;
    let own = customer(api, "haneul@example.com", "하늘").await;
    let body = json!({ "email": "haneul@example.com", "password": PASSWORD });
    let old = Call::post(CUSTOMERS, body);
    let change = json!({ "current": PASSWORD, "new": "another horse battery" });
    let change = Call::post("/v1/customer/change-password", change).with_token(&own);
    // Some come before, some after, some in between.
    let (begun, changed) = tokio::join!(join_all((0..24).map(|_| api.ask(&old))), api.ask(&change));
    assert_eq!(changed.status, 204, "{changed}");
    for answer in begun {
        assert!([201, 401].contains(&answer.status), "{answer}");
        if answer.status == 201 {
            let token = answer.json()["token"].as_str().expect("a token").to_owned();
            let shown = Call::get("/v1/customer").with_token(&token);
            api.ask(&shown).await.refused(401, "request/unauthorized");
        }
    }
    api.done(&Call::get("/v1/customer").with_token(&own)).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_texts_sign_nobody_in_and_break_nothing() {
    let field = Field::open().await;
    let api = &field.api;
    customer(api, "haneul@example.com", "하늘").await;
    let odd = [
        "haneul@example.com\u{0}",
        "\u{0}",
        "haneul@example.com\n",
        "' or 1=1 --",
        "\u{202e}haneul@example.com",
        "",
    ];
    for text in odd
        .iter()
        .map(|text| (*text).to_owned())
        .chain(["x".repeat(50_000)])
    {
        for (path, body) in [
            (
                CUSTOMERS,
                json!({ "email": text, "password": "wrong horse battery" }),
            ),
            (
                CUSTOMERS,
                json!({ "email": "haneul@example.com", "password": text }),
            ),
            (ADMINS, json!({ "login": text, "password": PASSWORD })),
        ] {
            let answer = api.ask(&Call::post(path, body)).await;
            assert!(
                [401, 422].contains(&answer.status),
                "{text:?} at {path}: {answer}"
            );
        }
    }
    // A password counts in characters, however it is composed.
    for (password, status) in [
        ("가".repeat(64), 201),
        ("가".repeat(65), 422),
        ("가".repeat(7), 422),
        ("\u{1100}\u{1161}".repeat(8), 201),
    ] {
        let name = Uuid::now_v7().simple().to_string();
        let body =
            json!({ "email": format!("{name}@example.com"), "password": password, "nickname": &name[..20] });
        let answer = api.ask(&Call::post("/v1/customers", body)).await;
        assert_eq!(answer.status, status, "{answer}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customers_session_ends_when_it_is_idle_and_in_any_case_in_the_end() {
    let field = Field::open().await;
    let api = &field.api;
    customer(api, "haneul@example.com", "하늘").await;
    let database = field.database.client().await;
    for (aged, expected) in [
        ("seen_at = seen_at - interval '13 days 23 hours'", 200),
        ("seen_at = seen_at - interval '14 days 1 minute'", 401),
        (
            "begun_at = begun_at - interval '89 days', ends_at = ends_at - interval '89 days'",
            200,
        ),
        (
            "begun_at = begun_at - interval '91 days', ends_at = ends_at - interval '90 days 1 second'",
            401,
        ),
    ] {
        let token = token(api, "haneul@example.com").await;
        let sql = format!(
            "update vault.sessions set {aged} where begun_at = (select max(begun_at) from vault.sessions)"
        );
        assert_eq!(database.execute(&sql, &[]).await.expect("a superuser may"), 1);
        let shown = api.ask(&Call::get("/v1/customer").with_token(&token)).await;
        assert_eq!(shown.status, expected, "{aged}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, from beginning to end")]
async fn what_is_revoked_on_one_server_is_revoked_on_all_and_no_secret_is_in_their_logs() {
    let database = database::fresh().await;
    let servers = [
        Server::start(&database.url()).await,
        Server::start(&database.url()).await,
    ];
    let journal = Arc::new(Journal::default());
    let [here, there] = servers.each_ref().map(|server| server.api(&journal));
    let status =
        async |api: &Api, path: &str, token: &str| api.ask(&Call::get(path).with_token(token)).await.status;
    let revise = |permissions: &[&str]| {
        let rights = json!({ "permissions": permissions, "reach": "everywhere" });
        Call::admin("/v1/roles/NIGHT_SHIFT/revise", rights)
    };
    let rights = json!({ "permissions": ["see-coupons"], "reach": "everywhere" });
    here.done(&Call::admin("/v1/roles/NIGHT_SHIFT/define", rights))
        .await;
    let minseo = Colleague::enlist(&here, "minseo", "NIGHT_SHIFT", &[]).await;
    let night = minseo.sign_in(&here).await;
    assert_eq!(status(&there, "/v1/coupons", &night).await, 200);
    here.done(&revise(&["see-reservations"])).await;
    assert_eq!(status(&there, "/v1/coupons", &night).await, 403);
    assert_eq!(status(&there, "/v1/reservations", &night).await, 200);
    let given = json!({ "password": "another horse battery" });
    let give = Call::admin(format!("/v1/admins/{}/give-password", minseo.id), given);
    assert_eq!(here.ask(&give).await.status, 204);
    assert_eq!(status(&there, "/v1/reservations", &night).await, 401);
    let again = json!({ "login": "minseo", "password": "another horse battery" });
    let again = there.done(&Call::post(ADMINS, again)).await.json()["token"].clone();
    let again = again.as_str().expect("a token").to_owned();
    let dismiss = Call::admin(format!("/v1/admins/{}/dismiss", minseo.id), json!({}));
    here.done(&dismiss).await;
    assert_eq!(status(&there, "/v1/reservations", &again).await, 401);
    let one = customer(&here, "haneul@example.com", "하늘이네").await;
    let other = token(&there, "haneul@example.com").await;
    assert_eq!(status(&here, "/v1/customer", &other).await, 200);
    let change = json!({ "current": PASSWORD, "new": "another horse battery" });
    let change = Call::post("/v1/customer/change-password", change).with_token(&one);
    assert_eq!(here.ask(&change).await.status, 204);
    assert_eq!(status(&there, "/v1/customer", &other).await, 401);
    assert_eq!(status(&there, "/v1/customer", &one).await, 200);
    // What goes wrong is told without what was sent.
    here.ask(&Call::post(
        CUSTOMERS,
        json!({ "email": "haneul@example.com", "password": "pa55word-of-nobody" }),
    ))
    .await;
    here.ask(&Call::post(
        CUSTOMERS,
        json!({ "email": 7, "password": "pa55word-of-nobody" }),
    ))
    .await;
    here.ask(&enlisting(Uuid::now_v7(), "minseo\u{0}", "NIGHT_SHIFT", &[]))
        .await;
    // Nobody's number or name is in an address or a line, whatever is asked with it (DOMAIN E8).
    let house = House::open(&here).await;
    let (session, screening) = (
        house.session(&here, Sale::Long).await,
        house.screening(&here, 1, 4, Sale::Long).await,
    );
    let hold = here.done(&Call::hold_room(session, 2)).await.hold();
    let placing = json!({ "name": "최가람솔", "phone": "010-6111-0001", "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    let place = format!("/v1/reservations/{}/place", hold.number);
    let mut unknown = placing.clone();
    unknown["phone"] = json!("010-6111-0002");
    unknown["coupon"] = json!("ZZZZ2222");
    for (expected, call) in [
        (404, Call::post(&place, unknown).with_token(&hold.token)),
        (200, Call::post(&place, placing.clone()).with_token(&hold.token)),
        (409, Call::post(&place, placing).with_token(&hold.token)),
        (
            200,
            Call::post(
                "/v1/reservations/look-up",
                json!({ "number": hold.number, "phone": "010-6111-0001" }),
            ),
        ),
        (
            404,
            Call::post(
                "/v1/reservations/look-up",
                json!({ "number": hold.number, "phone": "010-6111-0003" }),
            ),
        ),
        (
            422,
            Call::post(
                "/v1/reservations/look-up",
                json!({ "number": hold.number, "phone": "010-6111-00045" }),
            ),
        ),
        (
            200,
            Call::admin("/v1/reservations/search", json!({ "phone": "01061110005" })),
        ),
        (
            200,
            Call::admin("/v1/waitlist-entries/search", json!({ "phone": "01061110006" })),
        ),
        (
            200,
            Call::admin("/v1/admin/customers/search", json!({ "phone": "01061110007" })),
        ),
        (
            201,
            Call::post(
                format!("/v1/time-slots/{session}/waitlist"),
                json!({ "name": "윤바람솔", "phone": "010-6111-0008", "party_size": 2 }),
            ),
        ),
        (
            422,
            Call::post(
                format!("/v1/time-slots/{screening}/waitlist"),
                json!({ "name": "윤바람솔", "phone": "010-6111-0009", "persons": { "adult": 99 } }),
            ),
        ),
        (400, Call::get("/v1/reservations?phone=01061110010").by_staff()),
    ] {
        let answer = here.ask(&call).await;
        assert_eq!(answer.status, expected, "{call:?}: {answer}");
    }
    for server in &servers {
        let told = server.said();
        for digits in ["6111", "01061110", "최가람솔", "윤바람솔"] {
            let line = told.lines().find(|line| line.contains(digits));
            assert_eq!(line, None, "{digits}");
        }
        assert!(!told.is_empty());
        for secret in [
            PASSWORD,
            "another horse battery",
            "pa55word-of-nobody",
            ADMIN_TOKEN,
            &night,
            &again,
            &one,
            &other,
            &one[4..],
            "haneul@example.com",
            "하늘이네",
            "minseo",
            "010-4444-5555",
        ] {
            assert!(!told.contains(secret), "{secret} in:\n{told}");
        }
    }
}
