//! Importing catalogues and opening sales, on a real log.

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

#[tokio::test]
async fn the_sample_chains_are_imported_once() {
    let log = log().await;
    let seen = Mutex::new(Vec::new());
    let on_progress = |progress: Progress| seen.lock().expect("not poisoned").push(progress);
    let imported = import(&log.store, &sample_catalogues(), Known::Follows, &on_progress)
        .await
        .expect("they are imported");
    assert_eq!(count(&imported, "MovieAnnounced"), 5);
    assert_eq!(count(&imported, "BranchOpened"), 4 + 13);
    assert_eq!(count(&imported, "AuditoriumBuilt"), 8);
    assert_eq!(count(&imported, "AuditoriumLayoutDrawn"), 8);
    assert_eq!(count(&imported, "ThemeIntroduced"), 51);
    assert_eq!(count(&imported, "PricePolicyAdopted"), 52);
    let seen = seen.into_inner().expect("not poisoned");
    assert_eq!(
        seen.last().map(|progress| progress.done),
        seen.last().map(|progress| progress.total)
    );

    let before = log.events().await.len();
    let again = log
        .import(&sample_catalogues())
        .await
        .expect("they are imported again");
    assert!(again.events.is_empty(), "{again:?}");
    assert_eq!(log.events().await.len(), before);
}

#[tokio::test]
async fn a_changed_file_appends_only_the_differences() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let mut file = shop();
    file["branches"][0]["address"] = json!("예시로 2");
    let theme = &mut file["branches"][0]["themes"][0];
    theme["price"]["amount"] = json!(70000);
    theme["slots"] = json!(["09:00", "10:30"]);
    theme["active"] = json!(false);
    let imported = log.import(&catalogue(&file)).await.expect("imported");
    let names: Vec<&str> = imported.events.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "BranchRelocated",
            "PricePolicyRevised",
            "ThemeDeactivated",
            "ThemeRetimed"
        ]
    );
    assert!(imported.events.values().all(|count| *count == 1));
}

#[tokio::test]
async fn what_a_file_leaves_out_stays_as_it_is() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let mut file = shop();
    file["branches"][0]["themes"] = json!([]);
    assert!(
        log.import(&catalogue(&file))
            .await
            .expect("imported")
            .events
            .is_empty()
    );
    let theme = log
        .store
        .read::<Theme>(&log.first::<Theme>().await)
        .await
        .expect("readable");
    assert!(theme.active().is_ok());
}

#[tokio::test]
async fn a_file_that_contradicts_what_is_so_is_refused_whole() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    let before = log.events().await.len();
    let mut file = shop();
    file["branches"][0]["time_zone"] = json!("Europe/Berlin");
    file["branches"][0]["themes"][0]["currency"] = json!("EUR");
    let mut new = file["branches"][0].clone();
    new["name"] = json!("홍대점");
    new["themes"] = json!([]);
    file["branches"].as_array_mut().expect("a list").insert(0, new);
    let Err(ImportError::Faults(faults)) = log.import(&catalogue(&file)).await else {
        panic!("it is refused")
    };
    let places: Vec<&str> = faults.iter().map(|found| found.fault.pointer.as_str()).collect();
    assert_eq!(places, ["/branches/1", "/branches/1/themes/0"]);
    assert_eq!(log.events().await.len(), before);
}

#[tokio::test]
async fn two_imports_at_once_make_each_thing_once() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    let (one, two) = tokio::join!(log.import(&catalogues), log.import(&catalogues));
    // The one that was overtaken says so; importing again finds nothing to do.
    assert!(one.is_ok() || two.is_ok());
    assert!(log.import(&catalogues).await.expect("imported").events.is_empty());
    let introduced = |event: &Event| matches!(event, Event::Theme(ThemeEvent::Introduced(_)));
    assert_eq!(
        log.events()
            .await
            .iter()
            .filter(|event| introduced(event))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_week_of_the_sample_chains_goes_on_sale_once() {
    let log = log().await;
    let catalogues = sample_catalogues();
    log.import(&catalogues).await.expect("imported");
    let opened = log.open(&catalogues, 7).await;
    let plans = log.plans().await;
    assert_eq!(plans.len(), opened.scheduled);
    // Inactive themes have no slots; of today only what has not started.
    assert!(opened.scheduled > 6 * (43 + 9 * 40), "{opened:?}");
    assert_eq!((opened.in_the_way, opened.never_on_sale), (0, 0));
    let now = log.store.now();
    assert!(
        plans
            .iter()
            .all(|plan| plan.starts_at < plan.ends_at && plan.sales_open_at < plan.sales_close_at)
    );
    let cinema = plans
        .iter()
        .filter(|plan| matches!(plan.show, Show::Movie { .. }));
    assert!(
        cinema
            .clone()
            .all(|plan| plan.sales_open_at <= now && plan.seats_per_customer_max == 8)
    );

    let again = log.open(&catalogues, 7).await;
    assert_eq!(
        (again.scheduled, again.present >= opened.scheduled - 30),
        (0, true),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_slots_of_a_place_never_overlap_turnover_included() {
    let log = log().await;
    log.import(&catalogue(&shop())).await.expect("imported");
    log.open(&catalogue(&shop()), 3).await;
    let mut file = shop();
    // The theme now starts earlier: the old slots are in the way of some of the new ones.
    file["branches"][0]["themes"][0]["slots"] = json!(["08:30", "10:25", "12:00"]);
    log.import(&catalogue(&file)).await.expect("imported");
    let opened = log.open(&catalogue(&file), 3).await;
    assert!(
        opened.in_the_way >= 2 && opened.present >= 2 && opened.scheduled >= 2,
        "{opened:?}"
    );
    let mut spans: Vec<_> = log
        .events()
        .await
        .into_iter()
        .filter_map(|event| {
            let Event::Schedule(ScheduleEvent::Entered {
                starts_at, ends_at, ..
            }) = event
            else {
                return None;
            };
            Some((starts_at, ends_at))
        })
        .collect();
    spans.sort();
    assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
}

#[tokio::test]
async fn closing_days_and_inactive_themes_have_no_slots() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    let branch: BranchId = log.first::<Branch>().await;
    let zone = jiff::tz::TimeZone::get("Asia/Seoul").expect("a bundled zone");
    let (today, _) = on_the_wall(&zone, log.store.now());
    let tomorrow = today.tomorrow().expect("there is one");
    let closing = BranchCommand::CloseOn {
        date: tomorrow,
        reason: None,
    };
    let request = Request::system("test", "CloseOn");
    log.store
        .run(&request, |mut work| {
            let closing = closing.clone();
            async move { administer::<Branch>(&mut work, &branch, closing).await }
        })
        .await
        .expect("the branch is closed tomorrow");
    log.open(&catalogues, 3).await;
    let theme = log.first::<Theme>().await;
    let day = ScheduleId {
        place: theme.uuid(),
        date: tomorrow,
    };
    assert!(
        log.store
            .read::<Schedule>(&day)
            .await
            .expect("readable")
            .entries()
            .is_empty()
    );
    let after = ScheduleId {
        date: tomorrow.tomorrow().expect("there is one"),
        ..day
    };
    assert_eq!(
        log.store
            .read::<Schedule>(&after)
            .await
            .expect("readable")
            .entries()
            .len(),
        2
    );

    let mut file = shop();
    file["branches"][0]["themes"][0]["active"] = json!(false);
    log.import(&catalogue(&file)).await.expect("imported");
    assert_eq!(log.open(&catalogue(&file), 7).await.scheduled, 0);
}

#[tokio::test]
async fn a_name_given_twice_over_two_files_is_refused() {
    let text = shop().to_string();
    let source = Source::Embedded(&[("a.json", &text), ("b.json", &text)]);
    let catalogues = read(source, &["a.json", "b.json"].map(Path::new)).expect("each is sound");
    let log = log().await;
    let Err(ImportError::Faults(faults)) = log.import(&catalogues).await else {
        panic!("it is refused")
    };
    assert_eq!(
        faults[0].to_string(),
        "b.json /branches/0: the branch 강남점 is also in another file"
    );
    assert!(log.events().await.is_empty());
}

/// A chain with one auditorium, whose hall is given as `hall` and once more beside the catalogue, if at all.
fn cinema(hall: &str, beside: Option<&str>) -> Vec<Catalogue> {
    let file = json!({
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
    .to_string();
    let beside = beside.map(|text| ("new/small.json", text));
    let files: Vec<_> = [("chain.json", file.as_str()), ("small.json", hall)]
        .into_iter()
        .chain(beside)
        .collect();
    let paths: Vec<&Path> = ["chain.json"]
        .into_iter()
        .chain(beside.map(|(name, _)| name))
        .map(Path::new)
        .collect();
    read(Source::Embedded(&files), &paths).expect("sound files")
}

#[tokio::test]
async fn a_hall_drawn_anew_is_one_more_version() {
    let hall = |rows: u8| json!({ "name": "관", "rows": rows, "columns": 4, "category": "일반" }).to_string();
    let log = log().await;
    log.import(&cinema(&hall(2), None)).await.expect("imported");
    // A hall named beside the catalogue is the layout of all auditoriums built like it.
    let imported = log
        .import(&cinema(&hall(2), Some(&hall(3))))
        .await
        .expect("imported");
    assert_eq!(
        imported.events.keys().collect::<Vec<_>>(),
        ["AuditoriumLayoutDrawn"]
    );
    let auditorium = log
        .store
        .read::<Auditorium>(&log.first::<Auditorium>().await)
        .await
        .expect("readable");
    let capacity = |version| auditorium.layout(version).map(|layout| layout.capacity()).ok();
    assert_eq!([capacity(1), capacity(2), capacity(3)], [Some(8), Some(12), None]);
}

#[tokio::test]
async fn a_hall_that_no_auditorium_is_built_like_is_named() {
    let hall = json!({ "name": "관", "rows": 1, "columns": 4, "category": "일반" }).to_string();
    let catalogues = read(Source::Embedded(&[("big.json", &hall)]), &[Path::new("big.json")]).expect("sound");
    let imported = log().await.import(&catalogues).await.expect("imported");
    assert_eq!(
        (imported.unused, imported.events.len()),
        (vec!["big.json".to_owned()], 0)
    );
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

#[tokio::test]
async fn what_an_admin_closed_stays_closed() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    log.admin::<Branch>(|| BranchCommand::Close { reason: None })
        .await;
    let before = log.names().await;
    for known in [Known::Follows, Known::Stays] {
        let again = import(&log.store, &catalogues, known, &|_| {})
            .await
            .expect("imported");
        // The branch and its theme; the prices are nobody's.
        assert_eq!((again.closed, again.events.len()), (2, 0), "{known:?}");
        assert_eq!(log.open(&catalogues, 3).await.scheduled, 0);
    }
    assert_eq!(log.names().await, before);
}

#[tokio::test]
async fn a_withdrawn_movie_is_not_announced_again() {
    let log = log().await;
    let catalogues = sample_catalogues();
    log.import(&catalogues).await.expect("imported");
    log.admin::<Movie>(|| MovieCommand::Withdraw {}).await;
    let again = log.import(&catalogues).await.expect("imported again");
    assert_eq!((again.closed, again.events.len()), (1, 0));
    let movie = log.first::<Movie>().await;
    log.open(&catalogues, 3).await;
    let plans = log.plans().await;
    assert!(!plans.is_empty());
    assert!(
        plans
            .iter()
            .all(|plan| !matches!(plan.show, Show::Movie { movie: shown, .. } if shown == movie))
    );
}

#[tokio::test]
async fn a_demo_started_again_leaves_what_was_changed() {
    let log = log().await;
    let catalogues = catalogue(&shop());
    log.import(&catalogues).await.expect("imported");
    let name = || "강남 본점".parse().expect("a name");
    log.admin::<Branch>(|| BranchCommand::Rename { name: name() })
        .await;
    log.admin::<Theme>(|| ThemeCommand::Deactivate {}).await;
    let before = log.names().await;
    let again = import(&log.store, &catalogues, Known::Stays, &|_| {})
        .await
        .expect("imported again");
    assert_eq!((again.closed, again.events.len()), (0, 0));
    assert_eq!(log.open(&catalogues, 3).await.scheduled, 0);
    assert_eq!(log.names().await, before);
}
