//! A server in this process on a database of the test's own, with a small house opened by commands.

use std::{net::IpAddr, sync::Arc};

use aggregates::business_day::on_the_wall;
use jari::{
    config::{Config, HttpArgs, NoticeArgs, RateLimits},
    server::Server,
    store::Store,
    vault::MasterSecret,
    verify::{first_violation, verify},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use uuid::Uuid;

use super::{contract, conversation::Conversation};
use crate::support::{
    api::{Api, Call},
    database::{self, TestDatabase},
    house::House,
    journal::Journal,
    process::ADMIN_TOKEN,
};

/// A running server with its house.
pub struct Field {
    pub house: House,
    pub api: Api,
    server: Server,
    pub database: TestDatabase,
}

impl Field {
    /// Starts it without limits per address.
    pub async fn open() -> Self {
        Self::limited(RateLimits::LOOSE).await
    }

    /// Starts it with these limits per address.
    pub async fn limited(limits: RateLimits) -> Self {
        Self::configured(|http| HttpArgs { limits, ..http }).await
    }

    /// Starts it without limits per address, but otherwise so.
    pub async fn configured(change: impl FnOnce(HttpArgs) -> HttpArgs) -> Self {
        let database = database::fresh().await;
        let usual = HttpArgs {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 0,
            limits: RateLimits::LOOSE,
            listeners_max: 4,
            connections_per_address_max: 10_000,
            requests_per_address_max: 4_000,
            ..HttpArgs::default()
        };
        let config = |http| Config {
            database: database.owner(),
            secret: MasterSecret::new([7; 32]),
            admin_token: Some(ADMIN_TOKEN.to_owned()),
            http,
            notices: NoticeArgs::default(),
        };
        // The house is opened before the limits hold.
        let opening = Server::start(config(usual.clone()))
            .await
            .expect("the server starts");
        let api = Api::new(opening.address.port(), Arc::new(Journal::default())).held_to(contract::check);
        let house = House::open(&api).await;
        opening.shutdown().await;
        let server = Server::start(config(change(usual)))
            .await
            .expect("the server starts");
        let api = Api::new(server.address.port(), Arc::new(Journal::default())).held_to(contract::check);
        Self {
            house,
            api,
            server,
            database,
        }
    }

    /// A conversation to be kept.
    pub fn talk(&self) -> Conversation {
        Conversation::with(self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.server.address.to_string()
    }

    /// The business day a time slot belongs to, and the slot as customers see it.
    pub async fn day(&self, time_slot: Uuid) -> (String, Value) {
        let slot = self.settled(time_slot).await;
        let starts_at: Timestamp = slot["starts_at"].as_str().unwrap().parse().unwrap();
        let (day, _) = on_the_wall(&TimeZone::get("Asia/Seoul").unwrap(), starts_at);
        (day.to_string(), slot)
    }

    /// How far the log is.
    pub fn position(&self) -> i64 {
        self.server.store().feed().position()
    }

    /// The whole log.
    pub async fn log(&self) -> Vec<Arc<aggregates::Recorded>> {
        let events = self.server.store().events(0, 1_000_000).await;
        events.expect("the log is readable")
    }

    /// The slot, once the read models show all that has happened.
    pub async fn settled(&self, time_slot: Uuid) -> Value {
        let position = self.position();
        let path = format!("/v1/time-slots/{time_slot}?min_position={position}");
        self.api.done(&Call::get(path)).await.json()
    }

    /// Everything that happened obeys the rules of the log.
    pub async fn assert_sound(&self) {
        let (store, end) = (self.server.store(), self.position());
        let log = store.events(0, usize::try_from(end).unwrap()).await.unwrap();
        assert_eq!(first_violation(&log), None);
    }

    /// The log and the commands of the server, for what no caller may ask.
    pub fn store(&self) -> &Store {
        self.server.store()
    }

    /// Proves everything (`jari verify`), which must be as it should.
    pub async fn proved(&self) {
        let report = verify(self.server.store(), &self.database.sqlx_options(), |_| ()).await;
        assert_eq!(report.expect("the log can be read").violation, None);
    }

    /// Ends it in order.
    pub async fn close(self) {
        self.server.shutdown().await;
    }
}
