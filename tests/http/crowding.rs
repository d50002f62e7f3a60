//! One address against everybody: what it may keep for itself, and that others are served meanwhile.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use jari::config::{HttpArgs, RateLimits};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::field::Field;
use crate::support::{
    api::{Call, Hold},
    house::Sale,
    process::ADMIN_TOKEN,
    waiting::{PATIENCE, eventually},
};

const CROWD: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHERS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: jari.example\r\n\r\n";

/// A connection from this address, which takes so few bytes at a time.
async fn narrow(field: &Field, from: Ipv4Addr, bytes: u32) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(bytes).expect("a small buffer");
    socket
        .bind(SocketAddr::V4(SocketAddrV4::new(from, 0)))
        .expect("all of 127.0.0.0/8 is this machine");
    let to = field.address().parse().expect("an address");
    socket.connect(to).await.expect("a connection")
}

async fn connected(field: &Field, from: Ipv4Addr) -> TcpStream {
    narrow(field, from, 64 * 1024).await
}

/// What it is answered to a request without a body; none if it was cut without a word.
async fn status(stream: &mut TcpStream, request: &str) -> Option<u16> {
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut byte = [0];
        let read = timeout(PATIENCE, stream.read(&mut byte)).await.expect("in time");
        if read.ok()? == 0 {
            return None;
        }
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("a head is a text");
    head.split(' ').nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_keeps_its_share_of_connections_and_leaves_the_rest_to_others() {
    let field = Field::configured(|http| HttpArgs {
        connections_per_address_max: 2,
        ..http
    })
    .await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = connected(&field, CROWD).await;
        assert_eq!(status(&mut stream, LIVE).await, Some(200));
        kept.push(stream);
    }
    let mut third = connected(&field, CROWD).await;
    assert_eq!(
        status(&mut third, LIVE).await,
        None,
        "it is closed without a word"
    );
    let mut other = connected(&field, OTHERS).await;
    assert_eq!(status(&mut other, LIVE).await, Some(200));
    drop(kept);
    eventually("a place is free again", || async {
        let mut stream = connected(&field, CROWD).await;
        status(&mut stream, LIVE).await.filter(|status| *status == 200)
    })
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_connections_are_the_proxys_to_count() {
    let field = Field::configured(|http| HttpArgs {
        connections_per_address_max: 1,
        client_address_header: Some("x-forwarded-for".parse().expect("a name")),
        ..http
    })
    .await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = connected(&field, CROWD).await;
        assert_eq!(status(&mut stream, LIVE).await, Some(200));
        streams.push(stream);
    }
    drop(streams);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_never_end_keep_only_the_places_of_their_own_address() {
    let field = Field::configured(|http| HttpArgs {
        requests_per_address_max: 2,
        ..http
    })
    .await;
    let mut slow = Vec::new();
    // Who only looks whether both places of the address are taken may have had one when a slow one came.
    let taken = async {
        loop {
            let mut stream = connected(&field, CROWD).await;
            let begun = "POST /v1/customers HTTP/1.1\r\nHost: jari.example\r\nContent-Type: application/json\r\n\
                     Content-Length: 100\r\n\r\n{";
            stream.write_all(begun.as_bytes()).await.expect("it is taken");
            slow.push(stream);
            let mut stream = connected(&field, CROWD).await;
            if status(&mut stream, LIVE).await == Some(429) {
                break;
            }
        }
    };
    timeout(PATIENCE, taken).await.expect("both places are taken");
    let mut other = connected(&field, OTHERS).await;
    assert_eq!(status(&mut other, LIVE).await, Some(200));
    drop(slow);
    eventually("a place is free again", || async {
        let mut stream = connected(&field, CROWD).await;
        status(&mut stream, LIVE).await.filter(|status| *status == 200)
    })
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_and_never_reads_is_cut() {
    let field = Field::configured(|http| HttpArgs {
        stalled_seconds: 1,
        ..http
    })
    .await;
    let mut stream = narrow(&field, CROWD, 4 * 1024).await;
    let asked = b"GET /openapi.json HTTP/1.1\r\nHost: jari.example\r\n\r\n";
    let cut = async { while stream.write_all(asked).await.is_ok() {} };
    assert!(timeout(PATIENCE, cut).await.is_ok(), "it is never cut");
    // Who is only quiet is not meant.
    let mut quiet = connected(&field, CROWD).await;
    for _ in 0..2 {
        tokio::time::timeout(Duration::from_millis(1500), quiet.readable())
            .await
            .expect_err("nothing was asked, so nothing comes");
    }
    assert_eq!(status(&mut quiet, LIVE).await, Some(200));
    field.close().await;
}

fn placed(hold: &Hold, phone: &str) -> Call {
    let body = json!({ "name": "김하늘", "phone": phone, "payment": "on_site",
        "agreements": { "privacy": true, "house_rules": true } });
    Call::post(format!("/v1/reservations/{}/place", hold.number), body).with_token(&hold.token)
}

const VICTIM: &str = "010-7777-0001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_has_us_write_to_a_number_without_end() {
    let field = Field::limited(RateLimits {
        placements_per_phone: 2,
        placements_per_address: 3,
        ..RateLimits::LOOSE
    })
    .await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 8, Sale::Long).await;
    let mut holds = Vec::new();
    for seat in 1..=6 {
        let hold = api.done(&Call::hold(slot, &[format!("A{seat}")])).await.hold();
        holds.push(hold);
    }
    // What comes to nothing does not count, nor does a repeat.
    for _ in 0..3 {
        let body = json!({ "name": "김하늘", "phone": VICTIM, "payment": "on_site",
            "agreements": { "privacy": false, "house_rules": true } });
        let path = format!("/v1/reservations/{}/place", holds[0].number);
        api.ask(&Call::post(path, body).with_token(&holds[0].token))
            .await
            .refused(422, "reservation/agreement-missing");
    }
    let first = placed(&holds[0], VICTIM).keyed();
    api.done(&first).await;
    assert!(api.done(&first).await.repeated);
    api.done(&placed(&holds[1], VICTIM)).await;
    let refused = api.ask(&placed(&holds[2], VICTIM)).await;
    refused.refused(429, "request/too-many");
    let wait = refused.retry_after.expect("when to come back");
    assert!((1..=3600).contains(&wait), "{wait}");
    // However it is written, it is the same number; and waiting for a slot leads to messages, too.
    api.ask(&placed(&holds[2], "+82 10 7777 0001"))
        .await
        .refused(429, "request/too-many");
    let waits = json!({ "name": "김하늘", "phone": VICTIM, "persons": { "adult": 8 } });
    api.ask(&Call::post(format!("/v1/time-slots/{slot}/waitlist"), waits))
        .await
        .refused(429, "request/too-many");
    // A repeat is answered as the first time, however much was placed since.
    assert!(api.done(&first).await.repeated);
    // One address writes to so many, whoever they are.
    api.done(&placed(&holds[2], "010-7777-0002")).await;
    api.ask(&placed(&holds[3], "010-7777-0003"))
        .await
        .refused(429, "request/too-many");
    // Staff have their customers before them or on the line.
    api.done(&placed(&holds[3], VICTIM).by_staff()).await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_no_way_around_that() {
    let field = Field::limited(RateLimits {
        placements_per_phone: 1,
        ..RateLimits::LOOSE
    })
    .await;
    let (api, house) = (&field.api, &field.house);
    let token = super::customers::customer(api, "haneul@example.com", "하늘").await;
    let slot = house.screening(api, 1, 8, Sale::Long).await;
    let (mut done, mut refused) = (0, 0);
    for seat in ["A1", "A2"] {
        let hold = api
            .done(&Call::hold(slot, &[seat]).with_token(&token))
            .await
            .hold();
        let answer = api.ask(&placed(&hold, VICTIM).with_token(&token)).await;
        done += u8::from(answer.is_done());
        refused += u8::from(answer.status == 429);
    }
    assert_eq!((done, refused), (1, 1));
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_no_place_to_guess_the_admin_token() {
    let field = Field::limited(RateLimits {
        guesses_per_minute: 3,
        ..RateLimits::LOOSE
    })
    .await;
    let (api, house) = (&field.api, &field.house);
    let slot = house.screening(api, 1, 8, Sale::Long).await;
    let wrong = |seat: u8| Call::hold(slot, &[format!("A{seat}")]).with_token("not-the-admin-token");
    for seat in 1..=3 {
        // A wrong token is no reason not to sell.
        api.done(&wrong(seat)).await;
    }
    api.ask(&wrong(4)).await.refused(429, "request/too-many");
    api.done(&Call::hold(slot, &["A4"])).await;
    api.done(&Call::hold(slot, &["A5"]).with_token(ADMIN_TOKEN)).await;
    field.close().await;
}
