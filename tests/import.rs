//! Importing catalogues and opening sales, on a real log.

mod admins;
mod bulk;
mod catalogues;
mod faults;
mod halls;
mod sales;
mod timetables;

use std::{path::Path, sync::Mutex};

use aggregates::{
    Decider, Event,
    auditorium::Auditorium,
    branch::{Branch, BranchCommand},
    business_day::on_the_wall,
    ids::{BranchId, ScheduleId},
    movie::{Movie, MovieCommand},
    schedule::{Schedule, ScheduleEvent},
    theme::{Theme, ThemeCommand, ThemeEvent},
    time_slot::{Plan, Show, TimeSlotEvent},
};
use jari::{
    administration::administer,
    import::{
        Catalogue, ImportError, Imported, Known, Opened, Progress, Source, import, open_sales, read, samples,
    },
    store::{Request, Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault},
};
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, fresh};

/// A log of a test's own.
struct Log {
    store: Store,
    _database: TestDatabase,
}

async fn log() -> Log {
    let database = fresh().await;
    let settings = StoreSettings {
        database: database.owner().as_app().tokio_postgres(),
        upcasters: Upcasters::default(),
    };
    let vault = Vault::new(&MasterSecret::new([7; 32]));
    Log {
        store: Store::open(settings, vault).await.expect("the log opens"),
        _database: database,
    }
}

impl Log {
    async fn import(&self, catalogues: &[Catalogue]) -> Result<Imported, ImportError> {
        import(&self.store, catalogues, Known::Follows, &|_| {}).await
    }

    async fn open(&self, catalogues: &[Catalogue], days: u16) -> Opened {
        open_sales(&self.store, catalogues, days, &|_| {})
            .await
            .expect("sales open")
    }

    async fn events(&self) -> Vec<Event> {
        let events = self.store.events(0, 100_000).await.expect("the log is readable");
        events.iter().map(|recorded| recorded.event.clone()).collect()
    }

    /// The first stream of this kind of aggregate.
    async fn first<A: Decider>(&self) -> A::Id {
        let events = self.store.events(0, 100_000).await.expect("the log is readable");
        let found = events
            .iter()
            .find(|recorded| recorded.stream.kind == A::TYPE)
            .expect("there is one");
        found.stream.id.parse().ok().expect("its id is one")
    }

    async fn plans(&self) -> Vec<Plan> {
        let scheduled = |event| {
            let Event::TimeSlot(TimeSlotEvent::Scheduled { plan }) = event else {
                return None;
            };
            Some(plan)
        };
        self.events().await.into_iter().filter_map(scheduled).collect()
    }
}

fn sample_catalogues() -> Vec<Catalogue> {
    read(samples::SOURCE, &samples::CATALOGUES.map(Path::new)).expect("the samples are sound")
}

/// One shop with one theme.
fn shop() -> Value {
    json!({
        "chain": "방탈출",
        "branches": [{
            "name": "강남점", "address": "예시로 1", "time_zone": "Asia/Seoul",
            "accounts": [{ "bank": "국민은행", "number": "100-200", "holder": "주식회사" }],
            "themes": [{
                "name": "달빛 서고", "price": { "per": "room", "amount": 65000 }, "currency": "KRW",
                "party": { "min": 2, "max": 4 }, "duration_minutes": 60, "turnover_minutes": 20,
                "opens": { "days_ahead": 6, "time": "00:00" }, "active": true, "slots": ["09:00", "10:25"],
            }],
        }],
    })
}

fn catalogue(document: &Value) -> Vec<Catalogue> {
    let text = document.to_string();
    read(
        Source::Embedded(&[("shop.json", &text)]),
        &[Path::new("shop.json")],
    )
    .expect("a sound file")
}

fn count(imported: &Imported, name: &str) -> usize {
    imported.events.get(name).copied().unwrap_or(0)
}

/// A hall of rows of four seats.
fn hall(rows: u8) -> String {
    json!({ "name": "관", "rows": rows, "columns": 4, "category": "일반" }).to_string()
}

/// A movie of a hundred minutes.
fn film(title: &str) -> Value {
    json!({ "title": title, "running_time_minutes": 100, "rating": "ALL" })
}

/// A chain with one cinema and one auditorium, in which nothing is shown.
fn chain() -> Value {
    json!({
        "chain": "체인",
        "movies": [],
        "price_policy": {
            "currency": "KRW",
            "persons": { "adult": 0, "teen": 0, "senior": 0, "preferential": 0 },
            "bands": [{ "name": "일반", "until": "29:00", "weekday": 14000, "weekend": 15000 }],
            "categories": { "일반": 0 },
        },
        "cinemas": [{
            "name": "시네마", "address": "예시대로 1", "time_zone": "Asia/Seoul", "schedule": [],
            "auditoriums": [{ "name": "1관", "layout": "small.json", "cleaning_minutes": 15 }],
        }],
        "cancellation_policy": { "tiers": [{ "until_minutes_before": 20, "refund_percent": 100, "channel": "online" }] },
    })
}

/// A chain whose auditoriums have this hall.
fn cinemas(chain: &Value, hall: &str) -> Vec<Catalogue> {
    let text = chain.to_string();
    let files = [("chain.json", text.as_str()), ("small.json", hall)];
    read(Source::Embedded(&files), &[Path::new("chain.json")]).expect("sound files")
}

/// The chain with this hall, and the hall once more beside the catalogue, if at all.
fn cinema(hall: &str, beside: Option<&str>) -> Vec<Catalogue> {
    let mut catalogues = cinemas(&chain(), hall);
    catalogues.extend(beside.into_iter().flat_map(hall_alone));
    catalogues
}

/// A file with nothing but the hall.
fn hall_alone(text: &str) -> Vec<Catalogue> {
    read(
        Source::Embedded(&[("new/small.json", text)]),
        &[Path::new("new/small.json")],
    )
    .expect("a sound file")
}

impl Log {
    /// What an admin asks of the first of a kind.
    async fn admin<A: aggregates::administered::Administered<Id: Sync>>(
        &self,
        command: impl Fn() -> A::Command + Sync,
    ) where
        A::Command: Send,
    {
        let id = self.first::<A>().await;
        let request = Request::system("test", "Admin");
        let done = self.store.run(&request, |mut work| {
            let (id, command) = (id.clone(), command());
            async move { administer::<A>(&mut work, &id, command).await }
        });
        done.await.expect("it is done");
    }

    async fn names(&self) -> Vec<&'static str> {
        self.events().await.iter().map(Event::name).collect()
    }
}
