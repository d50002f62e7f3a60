//! Changes as they happen: everyone hears each once, in order, and whoever was away hears what they missed.

use std::time::Duration;

use jari::config::HttpArgs;
use reqwest::{Client, Response};

use super::field::Field;
use crate::support::{api::Call, house::Sale, waiting::eventually};

/// Far longer than any change takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Listener {
    response: Response,
    heard: String,
}

impl Listener {
    async fn to(field: &Field, path: &str, last: Option<i64>) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{}{path}", field.address()));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            heard: String::new(),
        }
    }

    /// Listens until this was said.
    async fn hear(&mut self, what: &str) {
        while !self.heard.contains(what) {
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|_| panic!("{what} was not heard in {}", self.heard));
            self.heard
                .push_str(std::str::from_utf8(&chunk.unwrap().expect("the line is open")).unwrap());
        }
    }

    fn ids(&self) -> Vec<i64> {
        self.heard
            .lines()
            .filter_map(|line| line.strip_prefix("id: ")?.parse().ok())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_hears_what_happens_and_what_was_missed() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let path = format!("/v1/time-slots/{slot}/live");
    let mut early = Listener::to(&field, &path, None).await;
    early.hear("event: ready").await;
    let hold = field.api.done(&Call::hold(slot, &["A1", "A2"])).await;
    early.hear("{\"label\":\"A1\",\"state\":\"held\"").await;
    early.hear("{\"label\":\"A2\",\"state\":\"held\"").await;
    let known = *early.ids().last().unwrap();
    field.api.done(&Call::step(&hold.hold(), "release")).await;
    let mut late = Listener::to(&field, &path, Some(known)).await;
    late.hear("{\"label\":\"A1\",\"state\":\"free\"").await;
    late.hear("{\"label\":\"A2\",\"state\":\"free\"").await;
    early.hear("{\"label\":\"A2\",\"state\":\"free\"").await;
    for ids in [early.ids(), late.ids()] {
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    }
    assert!(late.ids().iter().all(|id| *id > known));
    assert_eq!(late.ids().len(), 2, "{}", late.heard);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_listeners_than_places_are_told_to_come_back_and_all_end_with_the_server() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let path = format!("/v1/time-slots/{slot}/live");
    let mut listeners = Vec::new();
    for _ in 0..4 {
        let mut listener = Listener::to(&field, &path, None).await;
        listener.hear("event: ready").await;
        listeners.push(listener);
    }
    field.api.ask(&Call::get(path)).await.refused(503, "server/busy");
    field.close().await;
    for listener in &mut listeners {
        let end = tokio::time::timeout(PATIENCE, listener.response.chunk()).await;
        assert!(
            matches!(end, Ok(Ok(None) | Err(_))),
            "the line ends with the server"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_does_not_take_all_places() {
    let field = Field::configured(|http| HttpArgs {
        listeners_per_address_max: 2,
        ..http
    })
    .await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let path = format!("/v1/time-slots/{slot}/live");
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let mut listener = Listener::to(&field, &path, None).await;
        listener.hear("event: ready").await;
        listeners.push(listener);
    }
    field
        .api
        .ask(&Call::get(path.clone()))
        .await
        .refused(429, "request/too-many");
    // A place that is given up is free again.
    drop(listeners);
    eventually("a place is free", || async {
        let client = Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(format!("http://{}{path}", field.address()))
            .send()
            .await;
        (answer.unwrap().status() == 200).then_some(())
    })
    .await;
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_only_for_the_head_takes_no_place() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let address = format!("http://{}/v1/time-slots/{slot}/live", field.address());
    for _ in 0..10 {
        let answer = client.head(&address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_what_the_log_does_not_have() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    field.settled(slot).await;
    for after in [i64::MAX, -1] {
        let path = format!("/v1/time-slots/{slot}/live?after={after}");
        field
            .api
            .ask(&Call::get(path))
            .await
            .refused(400, "request/malformed-query");
    }
    field.close().await;
}
