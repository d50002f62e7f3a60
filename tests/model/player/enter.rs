//! Gets a sequence a cinema, slots and coupons of its own, so that none meets what another has left behind. Never asserts
//! anything.

use std::sync::atomic::{AtomicU32, Ordering};

use aggregates::{
    auditorium::Auditorium,
    branch::{Branch, BranchCommand},
    business_day::on_the_wall,
    cancellation_policy::CancellationPolicy,
    coupon::{Coupon, Terms},
    event::Event,
    ids::{AuditoriumId, BranchId, CancellationPolicyId, PricePolicyId},
    layout::RowsAndColumns,
    price_policy::PricePolicy,
};
use jari::{booking::issue_in_bulk, store::Request};
use jiff::{ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{
        ask::{COUPONS, PEOPLE, SEATS, SEATS_MAX, SINGLE},
        business::{HALF, LASTS, LATER, SEAT},
    },
    Answered, Player,
};
use crate::support::shop::Shop;

/// Numbers to call that were given to people.
static PHONES: AtomicU32 = AtomicU32::new(0);

impl<'a> Player<'a> {
    /// With slots of its own, the first of which start in so many minutes.
    pub async fn enter(shop: &'a Shop, starts_in: i64) -> Self {
        let (now, zone) = (shop.store.now(), TimeZone::get("Asia/Seoul").expect("a zone"));
        let starts = now + starts_in.minutes();
        let (prices, cancellation) = (flat_prices(shop).await, half_near_the_start(shop).await);
        let (cinema, auditorium) = cinema(shop).await;
        let rules = |starts: jiff::Timestamp| {
            json!({ "starts_at": starts, "ends_at": starts + LASTS.minutes(), "sales_open_at": now - 1.hour(),
                "sales_close_at": starts, "seats_per_customer_max": SEATS_MAX,
                "cancellation": { "policy": cancellation, "version": 1 } })
        };
        let mut screening = rules(starts);
        screening["price_policy"] = json!(prices);
        screening["branch"] = json!(cinema);
        screening["show"] = json!({ "kind": "movie", "movie": shop.movie, "auditorium": auditorium,
            "layout_version": 1, "capacity": SEATS });
        Self {
            shop,
            cinema,
            slots: [
                shop.screening_under(&screening).await,
                shop.session_under(&rules(starts)).await,
                shop.session_under(&rules(starts + LATER.minutes())).await,
            ],
            day: on_the_wall(&zone, starts).0,
            coupons: coupons(shop).await,
            people: ["김하늘", "이서윤", "박지호", "최유진", "정도윤"][..PEOPLE]
                .iter()
                .map(|name| (name.parse().expect("a name"), phone().parse().expect("a number")))
                .collect(),
            begun: Vec::new(),
            entries: Vec::new(),
            deposits: Vec::new(),
            accepted: Vec::new(),
            scope: Uuid::now_v7().to_string(),
        }
    }

    pub(super) async fn close_day(&self, request: &Request) -> Answered {
        let (date, reason) = (self.day, None);
        let close = BranchCommand::CloseOn { date, reason };
        self.administer::<Branch>(request, &self.cinema, close).await
    }

    pub(super) async fn reopen_day(&self, request: &Request) -> Answered {
        let reopen = BranchCommand::ReopenOn { date: self.day };
        self.administer::<Branch>(request, &self.cinema, reopen).await
    }
}

/// A cinema with one row of seats.
async fn cinema(shop: &Shop) -> (BranchId, AuditoriumId) {
    let (branch, auditorium) = (BranchId::new(Uuid::now_v7()), AuditoriumId::new(Uuid::now_v7()));
    let opened = json!({ "kind": "cinema", "name": "한강", "address": "예시로 1", "time_zone": "Asia/Seoul",
        "accounts": [{ "bank": "국민은행", "number": "100-200", "holder": "예시주식회사" }] });
    shop.admin::<Branch>(&branch, "open", opened).await;
    let built = json!({ "branch": branch, "name": "1관", "hall": null, "cleaning_minutes": 15 });
    shop.admin::<Auditorium>(&auditorium, "build", built).await;
    let row = RowsAndColumns {
        name: "1관".parse().expect("a name"),
        rows: 1,
        columns: u16::try_from(SEATS).expect("a few"),
        category: "일반".parse().expect("a category"),
        aisles_after: vec![],
    };
    let layout = row.layout().expect("a sound layout");
    shop.admin::<Auditorium>(&auditorium, "draw-layout", json!({ "layout": layout }))
        .await;
    (branch, auditorium)
}

fn phone() -> String {
    let number = PHONES.fetch_add(1, Ordering::Relaxed) % 100_000_000;
    format!("010-{:04}-{:04}", number / 10_000, number % 10_000)
}

/// Every seat costs the same on every day.
async fn flat_prices(shop: &Shop) -> PricePolicyId {
    let id = PricePolicyId::new(Uuid::now_v7());
    let tariff = json!({ "screening": { "currency": "KRW", "categories": { "일반": 0 }, "halls": {},
        "persons": { "adult": 0, "teen": 0, "senior": 0, "preferential": 0 },
        "bands": [{ "name": "일반", "until": "29:00", "weekday": SEAT, "weekend": SEAT }],
        "weekend_days": [], "holidays": [] } });
    let adopted = json!({ "name": "균일", "tariff": tariff, "effective_from": null });
    shop.admin::<PricePolicy>(&id, "adopt", adopted).await;
    id
}

/// Free until an hour before the start; then half of the price is kept, and the coupon.
async fn half_near_the_start(shop: &Shop) -> CancellationPolicyId {
    let id = CancellationPolicyId::new(Uuid::now_v7());
    let tier = |minutes: i64, percent: u8| json!({ "minutes_before": minutes, "fee": { "rate": { "percent": percent } } });
    let terms = json!({ "tiers": [tier(HALF, 0), tier(0, 50)], "online_minutes": 20, "coupon": "when_free" });
    let adopted = json!({ "name": "한 시간 전까지 무료", "terms": terms });
    shop.admin::<CancellationPolicy>(&id, "adopt", adopted).await;
    id
}

/// Some that were issued alone, some in bulk that are used up for good, and one that never was.
async fn coupons(shop: &Shop) -> Vec<aggregates::values::CouponCode> {
    let now = shop.store.now();
    let terms = |restorable: bool| {
        json!({ "discount": { "rate": { "percent": 20 } }, "scope": {}, "valid_from": now - 1.hour(),
            "valid_until": now + 10_000.hours(), "restorable": restorable })
    };
    let mut coupons = Vec::new();
    for _ in 0..SINGLE {
        let code = shop.next_code();
        let issued: Value = json!({ "terms": terms(true) });
        shop.admin::<Coupon>(&code, "issue", issued).await;
        coupons.push(code);
    }
    let (request, batch) = (
        Request::system("test", "coupons/bulk"),
        "행사".parse().expect("a name"),
    );
    let once: Terms = serde_json::from_value(terms(false)).expect("terms");
    let count = u16::try_from(COUPONS - SINGLE).expect("a few");
    let issued = issue_in_bulk(&shop.store, &request, &once, count, &batch).await;
    let (_, parts) = issued.expect("they are issued");
    for recorded in parts.iter().flat_map(|part| &part.events) {
        if matches!(recorded.event, Event::Coupon(_)) {
            coupons.push(recorded.stream.id.parse().expect("a code"));
        }
    }
    coupons.push(shop.next_code());
    coupons
}
