//! Changes as they happen: everyone hears each once, in order, and whoever was away hears what they missed.

use std::time::Duration;

use reqwest::{Client, Response};

use super::field::Field;
use crate::support::{api::Call, house::Sale};

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
