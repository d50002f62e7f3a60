//! A house whose customers are told, with servers in this process that can be stopped and started; never a carrier.

use std::{net::IpAddr, path::Path, sync::Arc};

use jari::{
    config::{Config, HttpArgs, NoticeArgs, RateLimits},
    server::Server,
    vault::MasterSecret,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::carriers::{MailServer, SmsProvider};
use crate::support::{
    api::{Api, Call, Hold},
    database::{self, TestDatabase},
    house::House,
    journal::Journal,
    process::ADMIN_TOKEN,
    staff::PASSWORD,
    waiting::eventually,
};

/// How customers are told, put together step by step.
#[derive(Clone)]
pub struct Notices(pub NoticeArgs);

/// Nothing is set up.
pub fn notices() -> Notices {
    Notices(NoticeArgs::default())
}

impl Notices {
    pub fn sms(mut self, provider: &SmsProvider) -> Self {
        self.0.sms_url = Some(provider.url().parse().expect("an address"));
        self.sms_header("x-api-key: only-for-tests")
    }

    pub fn sms_header(mut self, line: &str) -> Self {
        self.0.sms_header = Some(line.parse().expect("a header"));
        self
    }

    pub fn mail(self, server: &MailServer) -> Self {
        self.smtp(&server.url())
    }

    pub fn smtp(mut self, url: &str) -> Self {
        self.0.smtp_url = Some(url.parse().expect("an address"));
        self.0.mail_from = Some("Jari <no-reply@example.com>".parse().expect("an address"));
        self
    }

    pub fn file(mut self, file: &Path) -> Self {
        self.0.notice_file = Some(file.to_owned());
        self
    }

    pub fn language(mut self, tag: &str) -> Self {
        self.0.notice_language = tag.parse().expect("a language");
        self
    }
}

pub struct Telling {
    pub house: House,
    pub api: Api,
    pub database: TestDatabase,
    settings: Notices,
    servers: Vec<Server>,
}

impl Telling {
    /// With so many servers.
    pub async fn open(settings: Notices, servers: usize) -> Self {
        let database = database::fresh().await;
        let mut running = Vec::new();
        for _ in 0..servers {
            running.push(started(&database, &settings).await);
        }
        let api = api(&running[0]);
        let house = House::open(&api).await;
        Self {
            house,
            api,
            database,
            settings,
            servers: running,
        }
    }

    /// Ends all servers in order.
    pub async fn stop(&mut self) {
        for server in self.servers.drain(..) {
            server.shutdown().await;
        }
    }

    /// Starts one again.
    pub async fn start(&mut self) {
        let server = started(&self.database, &self.settings).await;
        self.api = api(&server);
        self.servers.push(server);
    }

    pub async fn close(mut self) {
        self.stop().await;
    }

    /// A reservation of a guest.
    pub async fn place(&self, slot: Uuid, seat: &str, payment: &str) -> Hold {
        let held = self.api.done(&Call::hold(slot, &[seat])).await.hold();
        self.api.done(&Call::place_paid_by(&held, payment)).await;
        held
    }

    /// The token of a new customer.
    pub async fn customer(&self, email: &str, nickname: &str) -> String {
        let sign_up = json!({ "email": email, "password": PASSWORD, "nickname": nickname });
        self.api.done(&Call::post("/v1/customers", sign_up)).await;
        let sign_in = json!({ "email": email, "password": PASSWORD });
        let begun = self.api.ask(&Call::post("/v1/customer/sessions", sign_in)).await;
        begun.json()["token"].as_str().expect("a token").to_owned()
    }

    /// A reservation of a customer.
    pub async fn place_as(&self, slot: Uuid, seat: &str, token: &str) -> Hold {
        let call = Call::hold(slot, &[seat]).with_token(token);
        let held = self.api.done(&call).await.hold();
        self.api.done(&Call::place(&held, None)).await;
        held
    }

    /// Messages as admins see them.
    pub async fn listed(&self, query: &str) -> Vec<Value> {
        let list = Call::get(format!("/v1/admin/deliveries{query}")).by_staff();
        let answer = self.api.ask(&list).await;
        assert_eq!(answer.status, 200, "{answer}");
        answer.json()["items"].as_array().expect("a list").clone()
    }

    /// Waits until so many messages are in this state; those by mail to guests, who have no address, do not count.
    pub async fn settled(&self, count: usize, state: &str) {
        let what = format!("{count} messages are {state}");
        eventually(&what, || async {
            let listed = self.listed(&format!("?state={state}")).await;
            (listed.len() == count).then_some(())
        })
        .await;
    }

    /// Waits until a message was tried and is to be tried again.
    pub async fn waiting_for_another_attempt(&self) {
        eventually("a message is to be tried again", || async {
            let due = self.listed("?state=due").await;
            due.iter().any(|delivery| delivery["attempts"] != 0).then_some(())
        })
        .await;
    }

    /// Waits until reservations know of all that was sent.
    pub async fn all_noted(&self) {
        let unnoted = "select count(*) from vault.deliveries where state = 'sent' and not noted";
        let client = self.database.client().await;
        eventually("reservations know what was sent", || async {
            let count: i64 = client.query_one(unnoted, &[]).await.expect("a count").get(0);
            (count == 0).then_some(())
        })
        .await;
    }

    /// Waits until the log says so often that a customer was told, and no more often.
    pub async fn notified(&self, count: usize) {
        self.all_noted().await;
        let told = "select count(*) from public.events where event_type = 'ReservationNotified'";
        let client = self.database.client().await;
        let found: i64 = client.query_one(told, &[]).await.expect("a count").get(0);
        assert_eq!(usize::try_from(found).expect("not negative"), count);
    }

    /// The id of the one message by this way.
    pub async fn id_of(&self, channel: &str) -> String {
        let client = self.database.client().await;
        let id = "select id from vault.deliveries where channel = $1";
        let id: Uuid = client.query_one(id, &[&channel]).await.expect("one").get(0);
        id.to_string()
    }

    /// All rows about messages as text.
    pub async fn rows(&self) -> String {
        let client = self.database.client().await;
        let rows = "select coalesce(string_agg(d::text, ' '), '') from vault.deliveries d";
        client.query_one(rows, &[]).await.expect("a text").get(0)
    }

    /// Does what a crash or time would.
    pub async fn sql(&self, sql: &str) {
        let client = self.database.client().await;
        client.batch_execute(sql).await.expect("it is done");
    }
}

fn api(server: &Server) -> Api {
    Api::new(server.address.port(), Arc::new(Journal::default()))
}

async fn started(database: &TestDatabase, settings: &Notices) -> Server {
    let http = HttpArgs {
        host: IpAddr::from([127, 0, 0, 1]),
        port: 0,
        limits: RateLimits::LOOSE,
        ..HttpArgs::default()
    };
    let config = Config {
        database: database.owner(),
        secret: MasterSecret::new([7; 32]),
        admin_token: Some(ADMIN_TOKEN.to_owned()),
        http,
        notices: settings.0.clone(),
    };
    Server::start(config).await.expect("the server starts")
}
