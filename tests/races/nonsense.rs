//! Nonsense under load: it is refused politely, nobody else notices, and nothing of it reaches the log.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::Call,
    house::Sale,
    load::{COLUMNS, Load, ROWS, settle},
};

/// Bodies that are no sound request for this slot, and the status each deserves.
fn bodies(slot: Uuid) -> Vec<(Value, u16)> {
    let nine: Vec<String> = (1..=9).map(|seat| format!("A{seat}")).collect();
    let of = |seats: Value, adults: Value| json!({ "time_slot": slot, "seats": seats, "persons": { "adult": adults } });
    vec![
        (json!({}), 422),
        (json!([]), 422),
        (json!(null), 422),
        (of(json!([]), json!(0)), 422),
        (of(json!(["A1", "A1"]), json!(2)), 422),
        (of(json!(["A1"]), json!(2)), 422),
        (of(json!(["A1"]), json!(-1)), 422),
        (of(json!(["A1"]), json!(1e300)), 422),
        (of(json!(["A1\u{0}"]), json!(1)), 422),
        (of(json!("A1"), json!(1)), 422),
        (of(json!(["Z99"]), json!(1)), 422),
        (of(json!(nine), json!(9)), 422),
        (
            json!({ "time_slot": slot, "best_available": 0, "persons": { "adult": 0 } }),
            422,
        ),
        (
            json!({ "time_slot": slot, "best_available": 255, "persons": { "adult": 255 } }),
            422,
        ),
        (json!({ "time_slot": slot, "party_size": 2 }), 422),
        (
            json!({ "time_slot": "nowhere", "seats": ["A1"], "persons": { "adult": 1 } }),
            422,
        ),
        (
            json!({ "time_slot": Uuid::now_v7(), "seats": ["A1"], "persons": { "adult": 1 } }),
            404,
        ),
        (
            json!({ "time_slot": slot, "seats": ["A1"], "persons": { "adult": 1 }, "price": 1 }),
            422,
        ),
    ]
}

/// What no HTTP client sends, or stops sending in the middle.
const BYTES: [&str; 8] = [
    "",
    "\r\n\r\n",
    "GARBAGE\r\n\r\n",
    "POST /v1/reservations HTTP/1.1\r\n",
    "POST /v1/reservations HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\ncontent-type: application/json\r\n\r\n{",
    "POST /v1/reservations HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "POST /v1/reservations HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "GET /v1/reservations/%00 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_under_load_is_refused_and_disturbs_nobody() {
    let field = Field::open(1).await;
    let api = field.api().clone();
    let coupons = [field.house.coupon(&api).await];
    let slot = field.house.screening(&api, ROWS, COLUMNS, Sale::Long).await;
    let load = Load::start(&field.apis, slot, &coupons, 8);
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        for (body, status) in bodies(slot) {
            let api = api.clone();
            tasks.spawn(async move {
                let answer = api
                    .ask(&Call::post("/v1/reservations", body.clone()).keyed())
                    .await;
                assert_eq!(
                    (answer.status, answer.json()["status"].as_u64()),
                    (status, Some(status.into())),
                    "{body}: {answer}"
                );
            });
        }
        for bytes in BYTES {
            let address = api.address();
            tasks.spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("the server listens");
                // The server may have hung up already: that is its right.
                let _ = stream.write_all(bytes.as_bytes()).await;
                let _ = stream.shutdown().await;
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer).await;
                let answer = String::from_utf8_lossy(&answer);
                assert!(!answer.starts_with("HTTP/1.1 5"), "{bytes:?}: {answer}");
            });
        }
    }
    tasks.join_all().await;
    load.achieves(50).await;
    settle(&api, load.stop().await).await;
    field.close().await;
}
