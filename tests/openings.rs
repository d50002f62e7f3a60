//! The coming days go on sale by themselves, once, whoever opens them.

use std::{collections::BTreeSet, sync::Arc};

use aggregates::{Event, time_slot::TimeSlotEvent};
use jari::{
    import::{Known, Source, import, open_sales, read},
    policies::open_themes,
    store::{Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

use crate::support::{
    api::{Api, Call},
    database::{TestDatabase, fresh},
    process::{Server, jari},
    waiting::eventually,
};

async fn store(database: &TestDatabase) -> Store {
    let settings = StoreSettings {
        database: database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    let vault = Vault::new(&MasterSecret::new([7; 32]));
    Store::open(settings, vault).await.expect("the log opens")
}

/// The slots that were ever made: which and when.
async fn scheduled(store: &Store) -> Vec<(String, Timestamp)> {
    let events = store.events(0, 100_000).await.expect("the log is readable");
    let slot = |recorded: &Arc<aggregates::Recorded>| {
        let Event::TimeSlot(TimeSlotEvent::Scheduled { plan }) = &recorded.event else {
            return None;
        };
        Some((recorded.stream.id.to_string(), plan.starts_at))
    };
    events.iter().filter_map(slot).collect()
}

/// Opens a shop with one theme, nine sessions a day, over HTTP alone.
async fn introduced(api: &Api) -> Uuid {
    let [shop, prices, theme] = [(); 3].map(|()| Uuid::now_v7());
    let tariff = json!({ "session": { "currency": "KRW", "price": { "room": { "amount": 65000 } } } });
    let starts = [
        "09:00", "10:25", "11:50", "13:15", "14:40", "16:05", "17:30", "18:55", "20:20",
    ];
    let week = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let slots: serde_json::Map<_, _> = week
        .iter()
        .map(|day| ((*day).to_owned(), json!(starts)))
        .collect();
    for (path, body) in [
        (
            format!("branches/{shop}/open"),
            json!({ "kind": "escape_room", "name": "강남점", "address": "예시로 1", "time_zone": "Asia/Seoul" }),
        ),
        (
            format!("price-policies/{prices}/adopt"),
            json!({ "name": "달빛 서고", "tariff": tariff }),
        ),
        (
            format!("themes/{theme}/introduce"),
            json!({ "branch": shop, "name": "달빛 서고", "price_policy": prices, "party": { "min": 2, "max": 4 },
                "duration_minutes": 60, "turnover_minutes": 20, "opens": { "time": "00:00" }, "slots": slots }),
        ),
        (format!("themes/{theme}/activate"), json!({})),
    ] {
        api.done(&Call::admin(format!("/v1/{path}"), body)).await;
    }
    theme
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_theme_that_is_offered_goes_on_sale_by_itself_and_once() {
    let database = fresh().await;
    let one = Server::start(&database.url()).await;
    let other = Server::start(&database.url()).await;
    let api = one.api(&Arc::default());
    let theme = introduced(&api).await;
    let store = store(&database).await;
    // Today's that have started are left out.
    eventually("the coming days", || async {
        (scheduled(&store).await.len() >= 7 * 9).then_some(())
    })
    .await;
    let list = format!("/v1/time-slots?theme={theme}&date={}", tomorrow());
    let listed = eventually("tomorrow's slots", || async {
        let page = other.api(&Arc::default()).done(&Call::get(&list)).await.json();
        let items = page["items"].as_array().cloned().unwrap_or_default();
        (items.len() == 9).then_some(items)
    })
    .await;

    // Withdrawn ones stay withdrawn, and nothing is made twice.
    let id = listed[4]["id"].as_str().expect("an id");
    let withdraw = format!("/v1/time-slots/{id}/withdraw");
    api.done(&Call::admin(withdraw, json!({ "reason": null }))).await;
    let answer = jari(&database.url(), &["open-sales", "--json"]).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("an answer");
    assert_eq!(answer["scheduled"], 0, "{answer}");
    let made = scheduled(&store).await;
    let starts: BTreeSet<_> = made.iter().map(|(_, starts_at)| starts_at).collect();
    assert_eq!(made.len(), starts.len());
}

fn tomorrow() -> jiff::civil::Date {
    let zone = jiff::tz::TimeZone::get("Asia/Seoul").expect("a bundled zone");
    let (today, _) = aggregates::business_day::on_the_wall(&zone, Timestamp::now());
    today.tomorrow().expect("there is one")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_open_the_same_days_make_each_slot_once() {
    let database = fresh().await;
    let server = Server::start(&database.url()).await;
    let api = server.api(&Arc::default());
    introduced(&api).await;
    let (one, other) = (store(&database).await, store(&database).await);
    let (first, second) = tokio::join!(
        open_themes(&one, "test", |_, _| true),
        open_themes(&other, "test", |_, _| true)
    );
    let (first, second) = (first.expect("opened"), second.expect("opened"));
    assert_eq!(first.scheduled + first.present, second.scheduled + second.present);
    let made = scheduled(&one).await;
    let ids: BTreeSet<_> = made.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), made.len());
    assert_eq!(made.len(), first.scheduled + first.present);
}

#[tokio::test]
async fn what_was_imported_and_renamed_is_known_and_stays_on_sale() {
    let database = fresh().await;
    let store = store(&database).await;
    let shop = |name: &str, theme: &str| {
        json!({ "chain": "방탈출", "branches": [{ "name": name, "address": "예시로 1", "time_zone": "Asia/Seoul",
            "themes": [{ "name": theme, "price": { "per": "room", "amount": 65000 }, "currency": "KRW",
                "party": { "min": 2, "max": 4 }, "duration_minutes": 60, "turnover_minutes": 20,
                "opens": { "time": "00:00" }, "active": true, "slots": ["09:00", "10:25"] }] }] })
        .to_string()
    };
    let text = shop("강남점", "달빛 서고");
    let file = [("shop.json", text.as_str())];
    let catalogues = read(Source::Embedded(&file), &[Path::new("shop.json")]).expect("a sound file");
    let imported = import(&store, &catalogues, Known::Stays, &|_| {}).await;
    assert!(!imported.expect("imported").events.is_empty());

    let (branch, _) = store
        .all::<aggregates::branch::Branch>()
        .await
        .expect("readable")
        .remove(0);
    let rename = aggregates::branch::BranchCommand::Rename {
        name: "역삼점".parse().expect("a name"),
    };
    let request = jari::store::Request::system("test", "Rename");
    store
        .run(&request, |mut work| {
            let rename = rename.clone();
            async move {
                jari::administration::administer::<aggregates::branch::Branch>(&mut work, &branch, rename)
                    .await
            }
        })
        .await
        .expect("renamed");
    let imported = import(&store, &catalogues, Known::Stays, &|_| {}).await;
    assert!(imported.expect("known").events.is_empty());
    let opened = open_sales(&store, &catalogues, 3, &|_| {}).await.expect("opened");
    assert!(opened.scheduled >= 4, "{opened:?}");
}
