//! Faults of older systems of this kind that must not come back (DOMAIN §9), each by its name, as far as no other story
//! tells of them; and what goes with them at the edge.

use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{IpAddr, TcpListener},
};

use jari::{
    config::{HttpArgs, RateLimits},
    http::rights::{Needs, table},
};
use reqwest::{Client, Method, header::HeaderMap, redirect::Policy};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use uuid::Uuid;

use super::{
    contract::DOCUMENT,
    customers::{customer, token},
    field::Field,
};
use crate::support::{
    api::Call,
    house::{Sale, admin, layout},
    process::ADMIN_TOKEN,
};

fn client() -> Client {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .expect("a client")
}

// `Access-Control-Allow-Origin: *`

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_site_may_read_an_answer() {
    let field = Field::open().await;
    let client = client();
    let open = |headers: &HeaderMap| {
        let names = headers.keys().map(|name| name.as_str().to_owned());
        names
            .filter(|name| name.starts_with("access-control-"))
            .collect::<Vec<_>>()
    };
    for (method, path, expected) in [
        (Method::GET, "/v1/branches", 200),
        (Method::GET, "/openapi.json", 200),
        (Method::OPTIONS, "/v1/reservations", 405),
        (Method::OPTIONS, "/v1/branches", 405),
        (Method::GET, "/v1/reservations", 401),
        (Method::GET, "/v1/no-such-thing", 404),
        (Method::POST, "/v1/reservations", 422),
        (Method::GET, "/health/live", 200),
    ] {
        for origin in ["https://evil.example", "null"] {
            let asked = client
                .request(method.clone(), format!("http://{}{path}", field.address()))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization");
            let asked = if method == Method::POST {
                asked.json(&json!({}))
            } else {
                asked
            };
            let answer = asked.send().await.expect("the server answers");
            assert_eq!(answer.status(), expected, "{method} {path}");
            assert_eq!(open(answer.headers()), Vec::<String>::new(), "{method} {path}");
        }
    }
    field.close().await;
}

// An open proxy route.

/// The first line of the answer to a request as it is written here.
async fn first_line(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("it is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_fetched_for_a_stranger() {
    let field = Field::open().await;
    let inside = TcpListener::bind("127.0.0.1:0").expect("a free port");
    inside.set_nonblocking(true).expect("it does not wait");
    let secret = format!("http://{}/secret", inside.local_addr().expect("an address"));
    let host = inside.local_addr().expect("an address");
    let rest = format!("HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let quoted = secret.replace(':', "%3A").replace('/', "%2F");
    for target in [
        format!("GET {secret}"),
        format!("POST {secret}"),
        format!("GET /proxy?url={quoted}"),
        format!("GET /proxy/{secret}"),
        format!("GET /v1/proxy?url={quoted}"),
        format!("GET /v1/branches?url={quoted}"),
        format!("CONNECT {host}"),
    ] {
        let line = first_line(&field.address(), &format!("{target} {rest}")).await;
        let status = line.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "404", "405"].contains(&status), "{target}: {line}");
    }
    let called = inside.accept().map(|(_, from)| from);
    assert_eq!(called.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    field.close().await;
}

// Unknown id → 500.

/// An id of the right form that nobody has.
fn nobodys(path: &str, name: &str) -> String {
    // What some commands begin is not taken for what others do not know.
    let begins = BEGINNINGS.iter().any(|verb| path.ends_with(&format!("/{verb}")));
    match (
        name,
        path.split('/').find(|part| !["", "v1", "admin"].contains(part)),
    ) {
        ("label", _) => "A1".to_owned(),
        ("id", Some("coupons")) if begins => "7KQ4MZ2H".to_owned(),
        ("id", Some("roles")) if begins => "NIGHT_OWL".to_owned(),
        ("id", Some("reservations" | "waitlist-entries")) => "301422961418752000".to_owned(),
        ("id", Some("coupons")) => "ZZZZ2222".to_owned(),
        ("id", Some("roles")) => "DAY_OWL".to_owned(),
        ("trace", _) => Uuid::now_v7().simple().to_string(),
        _ => Uuid::now_v7().to_string(),
    }
}

/// Commands that are the beginning of what they name, so that it need not be there.
const BEGINNINGS: [&str; 11] = [
    "adopt",
    "announce",
    "build",
    "define",
    "enlist",
    "introduce",
    "issue",
    "open",
    "record",
    "schedule",
    "set-up",
];

/// A body that is as it should be: the example of the document, or one of our own where it has none.
fn sound(template: &str, content: &Value) -> Value {
    let verb = template.rsplit('/').next().unwrap_or_default();
    let seats = json!({ "seats": ["A1"], "persons": { "adult": 1 } });
    match verb {
        "simulate" => {
            json!({ "tariff": { "session": { "currency": "KRW", "price": { "room": { "amount": 1 } } } },
                "from": "2026-11-01", "until": "2026-11-02" })
        }
        "give-password" => json!({ "password": "correct horse battery" }),
        "match" => json!({ "reservation": "301422961418752000" }),
        "change" => seats,
        "check-coupon" => json!({ "coupon": "ZZZZ2222" }),
        "place" => json!({ "name": "김하늘", "phone": "010-1234-5678", "payment": "on_site",
            "agreements": { "privacy": true, "house_rules": true } }),
        "refund" => json!({ "amount": { "amount": 1, "currency": "KRW" } }),
        "reschedule" => json!({ "time_slot": Uuid::now_v7(), "seats": ["A1"], "persons": { "adult": 1 } }),
        "waitlist" => json!({ "name": "김하늘", "phone": "010-1234-5678", "party_size": 2 }),
        _ => content.get("example").cloned().unwrap_or_else(|| json!({})),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_id_is_not_found_and_never_a_failure() {
    let field = Field::open().await;
    let client = client();
    let (mut asked, mut wrong) = (BTreeSet::new(), Vec::new());
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    for (template, operations) in paths.iter().filter(|(path, _)| path.contains('{')) {
        let parts = template.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            name.map_or_else(|| part.to_owned(), |name| nobodys(template, name))
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let address = format!("http://{}{path}", field.address());
        for (method, operation) in operations.as_object().expect("operations") {
            let Ok(method) = method.to_uppercase().parse::<Method>() else {
                continue;
            };
            if !["GET", "POST", "DELETE", "PUT", "PATCH"].contains(&method.as_str()) {
                continue;
            }
            let content = &operation["requestBody"]["content"]["application/json"];
            let body = sound(template, content);
            for bearer in [None, Some(ADMIN_TOKEN)] {
                let mut request = client.request(method.clone(), &address);
                if method == Method::POST {
                    request = request.json(&body);
                }
                if let Some(token) = bearer {
                    request = request.bearer_auth(token);
                }
                let status = request
                    .send()
                    .await
                    .expect("the server answers")
                    .status()
                    .as_u16();
                let verb = template.rsplit('/').next().unwrap_or_default();
                let begins = bearer.is_some() && method == Method::POST && BEGINNINGS.contains(&verb);
                let fine = match status {
                    401 | 403 | 404 => true,
                    // What begins with a command is asked for more than its id.
                    200..=299 | 409 | 422 => begins,
                    _ => false,
                };
                if !fine {
                    wrong.push(format!("{method} {template} ({}): {status}", bearer.is_some()));
                }
                asked.insert((method.to_string(), template.clone()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), asked.len());
    assert!(asked.len() > 90, "{}", asked.len());
    field.close().await;
}

// One static token: it can be guessed nowhere without being counted.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_counts_as_a_guess_on_every_route_that_looks_at_one() {
    let field = Field::configured(|http| HttpArgs {
        limits: RateLimits {
            guesses_per_minute: 1,
            ..RateLimits::LOOSE
        },
        client_address_header: Some("x-forwarded-for".parse().expect("a name")),
        ..http
    })
    .await;
    let client = client();
    let (mut asked, mut wrong) = (0_u8, Vec::new());
    for line in table() {
        let looks = match line.needs {
            Needs::Staff(..) | Needs::Local(_) | Needs::Holder(_) => true,
            Needs::Anyone => line.method == Method::POST && line.path == "/v1/reservations",
            Needs::OwnSession | Needs::Customer => false,
        };
        if !looks {
            continue;
        }
        asked += 1;
        let path = line.path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            name.map_or_else(|| part.to_owned(), |name| nobodys(&line.path, name))
        });
        let path = path.collect::<Vec<_>>().join("/");
        // Each from an address of its own.
        let from = IpAddr::from([198, 51, 100, asked]).to_string();
        let hold = json!({ "time_slot": Uuid::now_v7(), "seats": ["A1"], "persons": { "adult": 1 } });
        let mut last = 0;
        for _ in 0..2 {
            let request = client
                .request(line.method.clone(), format!("http://{}{path}", field.address()))
                .header("x-forwarded-for", &from)
                .bearer_auth("not-the-admin-token");
            let request = if line.method == Method::POST {
                request.json(&hold)
            } else {
                request
            };
            last = request
                .send()
                .await
                .expect("the server answers")
                .status()
                .as_u16();
        }
        if last != 429 {
            wrong.push(format!("{} {}: {last}", line.method, line.path));
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}: {wrong:#?}", wrong.len());
    assert!(asked > 90, "{asked}");
    field.close().await;
}

// A session that somebody else has set.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_https_a_cookie_of_a_sibling_host_does_not_count() {
    for (https, by_header, expected) in [
        (true, false, 401),
        (false, true, 401),
        (true, true, 401),
        (false, false, 200),
    ] {
        let field = Field::configured(|http| HttpArgs { https, ..http }).await;
        customer(&field.api, "haneul@example.com", "하늘").await;
        let theirs = token(&field.api, "haneul@example.com").await;
        let shown = async |cookie: String| {
            let asked = client()
                .get(format!("http://{}/v1/customer", field.address()))
                .header("cookie", cookie);
            let asked = if by_header {
                asked.header("x-forwarded-proto", "https")
            } else {
                asked
            };
            asked.send().await.expect("the server answers").status().as_u16()
        };
        let case = format!("https: {https}, header: {by_header}");
        assert_eq!(shown(format!("jari_customer={theirs}")).await, expected, "{case}");
        assert_eq!(
            shown(format!("__Host-jari_customer={theirs}")).await,
            200,
            "{case}"
        );
        field.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_https_is_configured_a_session_is_kept_for_this_host_alone() {
    let field = Field::configured(|http| HttpArgs { https: true, ..http }).await;
    customer(&field.api, "haneul@example.com", "하늘").await;
    let body = json!({ "email": "haneul@example.com", "password": crate::support::staff::PASSWORD,
        "cookie": true });
    let answer = client()
        .post(format!("http://{}/v1/customer/sessions", field.address()))
        .header("x-jari-csrf", "1")
        .json(&body)
        .send()
        .await
        .expect("the server answers");
    let kept = answer.headers()["set-cookie"].to_str().expect("a text");
    assert!(kept.starts_with("__Host-jari_customer=cus_"), "{kept}");
    assert!(kept.ends_with("; Secure"), "{kept}");
    field.close().await;
}

// An account found by what only looks like its e-mail address.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_e_mail_address_is_one_address_and_names_nobody_else() {
    let field = Field::open().await;
    let api = &field.api;
    let own = customer(api, "victim@example.com", "하늘").await;
    for (number, email) in [
        "a<victim@example.com>",
        "<victim@example.com>",
        "victim@example.com,b@example.com",
        "\"victim\"@example.com",
        "victim(a)@example.com",
        "b:victim@example.com;",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "email": email, "password": crate::support::staff::PASSWORD,
            "nickname": format!("별{number}") });
        let refused = api.ask(&Call::post("/v1/customers", body)).await;
        assert_eq!(refused.status, 422, "{email}: {refused}");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/email", "{refused}");
        let body = json!({ "email": email, "password": crate::support::staff::PASSWORD });
        let refused = api
            .ask(&Call::post("/v1/customer/change-email", body).with_token(&own))
            .await;
        assert_eq!(refused.status, 422, "{email}: {refused}");
    }
    field.close().await;
}

// A slot under the wrong auditorium (DOMAIN C4).

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditorium_or_theme_of_another_branch_is_not_found_there() {
    let field = Field::open().await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 5, Sale::Long).await;
    let (other, hall) = (Uuid::now_v7(), Uuid::now_v7());
    let premises =
        json!({ "kind": "cinema", "name": "다른 극장", "address": "예시로 9", "time_zone": "Asia/Seoul" });
    admin(api, "branches", other, "open", premises).await;
    let built = json!({ "branch": other, "name": "1관", "hall": null, "cleaning_minutes": 15 });
    admin(api, "auditoriums", hall, "build", built).await;
    admin(
        api,
        "auditoriums",
        hall,
        "draw-layout",
        json!({ "layout": layout(1, 5) }),
    )
    .await;
    field.settled(slot).await;
    let refused = async |path: String, slug: &str| {
        api.ask(&Call::get(path)).await.refused(404, slug);
    };
    let (cinema, shop, theme) = (house.cinema, house.shop, house.theme);
    refused(
        format!("/v1/time-slots?branch={cinema}&auditorium={hall}"),
        "auditorium/not-found",
    )
    .await;
    refused(
        format!("/v1/time-slots?branch={cinema}&theme={theme}"),
        "theme/not-found",
    )
    .await;
    refused(
        format!("/v1/time-slots?theme={theme}&auditorium={hall}"),
        "auditorium/not-found",
    )
    .await;
    refused(
        format!("/v1/branches/{cinema}/days?auditorium={hall}"),
        "auditorium/not-found",
    )
    .await;
    refused(
        format!("/v1/auditoriums/{hall}/time-slots/{slot}"),
        "time-slot/not-found",
    )
    .await;
    let map = format!("/v1/auditoriums/{hall}/time-slots/{slot}/seat-map");
    refused(map, "request/no-such-route").await;
    // Where they are they are found, and there may be nothing on.
    for path in [
        format!("/v1/time-slots?branch={other}&auditorium={hall}"),
        format!("/v1/time-slots?branch={shop}&theme={theme}"),
    ] {
        let page: Value = api.done(&Call::get(path)).await.json();
        assert_eq!(page["items"], json!([]));
    }
    field.close().await;
}
