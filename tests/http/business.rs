//! Where no business is done nothing new is scheduled or sold, no list says otherwise, and what was sold stays.

use aggregates::business_day::on_the_wall;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::field::Field;
use crate::support::{
    api::{Answer, Call, Hold},
    house::Sale,
};

impl Field {
    async fn admin(&self, path: impl Into<String>, body: Value) -> Answer {
        self.api.ask(&Call::admin(path, body)).await
    }

    async fn changed(&self, path: impl Into<String>, body: Value) {
        let call = Call::admin(path, body);
        self.api.done(&call).await;
    }

    /// What a list shows, once it has all that has happened.
    async fn listed(&self, path: &str) -> Vec<Value> {
        let path = format!("{path}min_position={}", self.position());
        let page = self.api.done(&Call::get(path)).await.json();
        page["items"].as_array().expect("a list").clone()
    }

    /// Two holds and a reservation of a fresh screening, and its business day.
    async fn sold(&self) -> (Uuid, [Hold; 3], String) {
        let slot = self.house.screening(&self.api, 2, 5, Sale::Long).await;
        let mut holds = Vec::new();
        for label in ["A1", "A2", "A3"] {
            holds.push(self.api.done(&Call::hold(slot, &[label])).await.hold());
        }
        let holds: [Hold; 3] = holds.try_into().expect("three");
        self.api.done(&Call::place(&holds[2], None)).await;
        let (day, _) = self.day(slot).await;
        (slot, holds, day)
    }

    /// Nothing is sold in this slot, whatever was begun before; what was placed stays.
    async fn sells_nothing(&self, slot: Uuid, holds: &[Hold; 3], status: u16, slug: &str) {
        let ask = |call: Call| async move { self.api.ask(&call).await };
        ask(Call::hold(slot, &["B1"])).await.refused(status, slug);
        for (hold, payment) in holds.iter().zip(["on_site", "bank_transfer"]) {
            ask(Call::place_paid_by(hold, payment))
                .await
                .refused(status, slug);
            ask(Call::step(hold, "extend")).await.refused(status, slug);
        }
        assert_eq!(self.settled(slot).await["state"], "closed");
        let placed = self.api.done(&Call::show(&holds[2])).await.json();
        assert_eq!(placed["state"], "placed");
        // A hold can still be given back.
        self.api.done(&Call::step(&holds[0], "release")).await;
    }

    /// A plan for the movie in an auditorium of its own.
    async fn plan(&self, starts_at: Timestamp, hours: i64, cleaning_minutes: u16) -> Value {
        let auditorium = Uuid::now_v7();
        let path = format!("/v1/auditoriums/{auditorium}");
        let built = json!({ "branch": self.house.cinema, "name": auditorium.to_string(), "hall": null,
            "cleaning_minutes": cleaning_minutes });
        self.changed(format!("{path}/build"), built).await;
        let layout = json!({ "name": "관", "size": { "width": 100, "height": 100 },
            "categories": [{ "name": "일반", "colour": "#3b82f6" }],
            "sections": [{ "name": "본관", "rows": [{ "letter": "A", "seats": [
                { "label": "A1", "number": "1", "category": "일반", "position": { "x": 30, "y": 30 } }] }] }] });
        self.changed(format!("{path}/draw-layout"), json!({ "layout": layout }))
            .await;
        let show = json!({ "kind": "movie", "movie": self.house.movie, "auditorium": auditorium, "layout_version": 1,
            "capacity": 1 });
        json!({ "branch": self.house.cinema, "show": show, "starts_at": starts_at, "ends_at": starts_at + hours.hours(),
            "sales_open_at": starts_at - 120.hours(), "sales_close_at": starts_at,
            "price_policy": self.house.screening_prices, "price_version": 1, "seats_per_customer_max": 1,
            "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20 })
    }

    async fn schedule(&self, plan: &Value) -> Answer {
        let path = format!("/v1/time-slots/{}/schedule", Uuid::now_v7());
        self.admin(path, json!({ "plan": plan })).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_closing_day_nothing_is_scheduled_or_sold() {
    let field = Field::open().await;
    let (slot, holds, day) = field.sold().await;
    let cinema = field.house.cinema;
    let playing = format!("/v1/movies?branch={cinema}&");
    let showing = format!("/v1/branches?movie={}&", field.house.movie);
    assert_eq!(field.listed(&playing).await.len(), 1);
    let close = format!("/v1/branches/{cinema}/close-on");
    field
        .changed(close, json!({ "date": day, "reason": "공사" }))
        .await;
    field.sells_nothing(slot, &holds, 409, "branch/closed-on").await;
    let slots = field
        .listed(&format!("/v1/time-slots?branch={cinema}&date={day}&"))
        .await;
    assert_eq!((slots.len(), &slots[0]["state"]), (1, &json!("closed")));
    assert!(field.listed(&playing).await.is_empty());
    assert!(field.listed(&showing).await.is_empty());

    let starts_at: Timestamp = slots[0]["starts_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("one");
    let plan = field.plan(starts_at, 2, 15).await;
    field.schedule(&plan).await.refused(409, "branch/closed-on");

    // Open on that day again, everything goes on.
    let reopen = format!("/v1/branches/{cinema}/reopen-on");
    field.changed(reopen, json!({ "date": day })).await;
    assert!(field.schedule(&plan).await.is_done());
    field
        .api
        .done(&Call::place_paid_by(&holds[1], "bank_transfer"))
        .await;
    assert_eq!(field.settled(slot).await["state"], "on_sale");
    assert_eq!(field.listed(&playing).await.len(), 1);
    assert_eq!(field.listed(&showing).await.len(), 1);
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_branch_sells_nothing_and_shows_nothing() {
    let field = Field::open().await;
    let (slot, holds, day) = field.sold().await;
    let (cinema, shop) = (field.house.cinema, field.house.shop);
    for branch in [cinema, shop] {
        field
            .changed(format!("/v1/branches/{branch}/close"), json!({}))
            .await;
    }
    field.sells_nothing(slot, &holds, 410, "branch/closed").await;
    let slots = field
        .listed(&format!("/v1/time-slots?branch={cinema}&date={day}&"))
        .await;
    assert_eq!(slots[0]["state"], "closed");
    for list in [
        format!("/v1/movies?branch={cinema}&"),
        "/v1/movies?playing=true&".to_owned(),
        format!("/v1/branches?movie={}&", field.house.movie),
        format!("/v1/themes?branch={shop}&"),
        format!("/v1/auditoriums?branch={cinema}&"),
    ] {
        assert_eq!(field.listed(&list).await, Vec::<Value>::new(), "{list}");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawn_movie_is_sold_no_more() {
    let field = Field::open().await;
    let (slot, holds, _) = field.sold().await;
    let plan = field.plan(Timestamp::now() + 40.hours(), 2, 15).await;
    let movie = field.house.movie;
    field
        .changed(format!("/v1/movies/{movie}/withdraw"), json!({}))
        .await;
    field.sells_nothing(slot, &holds, 410, "movie/withdrawn").await;
    field.schedule(&plan).await.refused(410, "movie/withdrawn");
    let showing = format!("/v1/branches?movie={movie}&");
    assert!(field.listed(&showing).await.is_empty());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cleaning_that_reaches_into_the_day_after_the_next_keeps_slots_apart() {
    let field = Field::open().await;
    // Starts at 04:30 of the wall clock, the end of a business day, and lasts a day: ready at 08:30 two business days on.
    let seoul = TimeZone::get("Asia/Seoul").expect("a zone");
    let today = seoul.to_datetime(Timestamp::now()).date();
    let early = today.saturating_add(5.days()).at(4, 30, 0, 0);
    let starts_at = seoul.to_timestamp(early).expect("a moment");
    let long = field.plan(starts_at, 24, 240).await;
    assert!(field.schedule(&long).await.is_done());
    let mut next = long.clone();
    let begins = starts_at + 26.hours();
    assert_eq!(
        on_the_wall(&seoul, begins).0,
        on_the_wall(&seoul, starts_at).0.saturating_add(2.days())
    );
    for (name, moment) in [
        ("starts_at", begins),
        ("sales_close_at", begins),
        ("ends_at", begins + 2.hours()),
    ] {
        next[name] = json!(moment);
    }
    field.schedule(&next).await.refused(409, "schedule/overlaps");
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_must_fit_the_theme_and_its_prices() {
    let field = Field::open().await;
    let house = &field.house;
    let starts_at = Timestamp::now() + 40.hours();
    let show = |min: u8, max: u8| json!({ "kind": "theme", "theme": house.theme, "party_min": min, "party_max": max });
    let sound = json!({ "branch": house.shop, "show": show(2, 4), "starts_at": starts_at,
        "ends_at": starts_at + 60.minutes(), "sales_open_at": starts_at - 120.hours(), "sales_close_at": starts_at,
        "price_policy": house.session_prices, "price_version": 1, "seats_per_customer_max": 1,
        "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20 });
    let with = |field: &str, value: Value| {
        let mut plan = sound.clone();
        plan[field] = value;
        plan
    };
    for (plan, slug) in [
        (with("show", show(4, 2)), "time-slot/inconsistent-plan"),
        (with("show", show(0, 255)), "programme/other-party"),
        (with("show", show(2, 5)), "programme/other-party"),
        (with("show", show(1, 4)), "programme/other-party"),
        (
            with("ends_at", json!(starts_at + 1.minute())),
            "programme/too-short",
        ),
        (
            with("price_policy", json!(house.screening_prices)),
            "programme/other-prices",
        ),
        (
            with("cancel_minutes", json!(65_535)),
            "time-slot/inconsistent-plan",
        ),
        (
            with("sales_open_at", json!("-009000-01-01T00:00:00Z")),
            "time-slot/inconsistent-plan",
        ),
    ] {
        field.schedule(&plan).await.refused(422, slug);
    }
    assert!(field.schedule(&sound).await.is_done());
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_looks_the_same_is_taken() {
    let field = Field::open().await;
    let open = |name: &str| {
        let body =
            json!({ "kind": "cinema", "name": name, "address": "예시로 1", "time_zone": "Asia/Seoul" });
        field.admin(format!("/v1/branches/{}/open", Uuid::now_v7()), body)
    };
    assert!(open("강남").await.is_done());
    for alike in [
        "\u{1100}\u{1161}\u{11bc}\u{1102}\u{1161}\u{11b7}",
        "강남\u{200d}",
        " 강남",
    ] {
        open(alike).await.refused(409, "claim/taken");
    }
    for unseen in ["강\u{200b}남", "강\u{202e}남"] {
        open(unseen).await.refused(422, "request/invalid-fields");
    }
    field.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extending_gains_a_lifetime_however_early() {
    let field = Field::open().await;
    let slot = field.house.screening(&field.api, 1, 5, Sale::Long).await;
    let hold = field.api.done(&Call::hold(slot, &["A1"])).await.hold();
    let extended = field.api.done(&Call::step(&hold, "extend")).await.json();
    let until: Timestamp = extended["expires_at"]
        .as_str()
        .expect("a moment")
        .parse()
        .expect("one");
    assert_eq!(until.duration_since(hold.expires_at).as_mins(), 10);
    field.close().await;
}
