//! A cinema with one huge auditorium and many time slots, so that nobody in a bench waits for a seat; never a demo.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use aggregates::{
    auditorium::{Auditorium, AuditoriumCommand},
    branch::{Branch, BranchCommand},
    coupon::{Coupon, CouponCommand},
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, TimeSlotId},
    layout::{Layout, RowsAndColumns},
    movie::{Movie, MovieCommand},
    price_policy::{PricePolicy, PricePolicyCommand},
    time_slot::{Plan, Show, TimeSlot, TimeSlotCommand},
    values::SeatLabel,
};
use jari::store::{Request, Stop, Store, UnitOfWork};
use jiff::{Timestamp, ToSpan};
use serde_json::json;
use uuid::Uuid;

use crate::business::{Booking, coupon_code, terms};

/// Rows and seats in each.
const ROWS: u16 = 50;
const COLUMNS: u16 = 100;
/// Coupons or slots made in one unit of work.
const CHUNK: u64 = 500;

/// The house, and which of its places are spoken for.
pub struct House {
    slots: Vec<TimeSlotId>,
    labels: Vec<SeatLabel>,
    pairs: AtomicUsize,
    coupons: AtomicU64,
    issued: AtomicU64,
}

impl House {
    /// Enough slots for `bookings` bookings of two seats.
    #[must_use]
    pub fn plan(bookings: usize) -> Arc<Self> {
        let layout = layout();
        let labels: Vec<SeatLabel> = layout.seats().map(|seat| seat.label.clone()).collect();
        let slots = (bookings * 2).div_ceil(labels.len()).max(1);
        let slots = (0..slots).map(|_| TimeSlotId::new(Uuid::now_v7())).collect();
        Arc::new(Self {
            slots,
            labels,
            pairs: AtomicUsize::new(0),
            coupons: AtomicU64::new(0),
            issued: AtomicU64::new(0),
        })
    }

    /// Two seats and a coupon nobody else gets; none if the house is full or more coupons must be issued.
    #[must_use]
    pub fn next(&self) -> Option<Booking> {
        let pair = self.pairs.fetch_add(1, Ordering::Relaxed);
        let per_slot = self.labels.len() / 2;
        let time_slot = *self.slots.get(pair / per_slot)?;
        let first = (pair % per_slot) * 2;
        let number = self.coupons.fetch_add(1, Ordering::Relaxed);
        (number < self.issued.load(Ordering::Relaxed)).then(|| Booking {
            time_slot,
            seats: [self.labels[first].clone(), self.labels[first + 1].clone()],
            coupon: coupon_code(number),
        })
    }

    /// Fifty seats of the first slot, for those who fight for them.
    #[must_use]
    pub fn contested(&self) -> (TimeSlotId, &[SeatLabel]) {
        (self.slots[0], &self.labels[self.labels.len() - 50..])
    }

    /// Coupons that `count` more bookings need: their numbers.
    pub fn coupons_to_issue(&self, count: u64) -> std::ops::Range<u64> {
        let from = self.issued.load(Ordering::Relaxed);
        let until = from.max(self.coupons.load(Ordering::Relaxed) + count);
        self.issued.store(until, Ordering::Relaxed);
        from..until
    }

    /// Builds the house in a log.
    pub async fn build(&self, store: &Store) {
        let branch = BranchId::new(Uuid::now_v7());
        let (auditorium, movie) = (AuditoriumId::new(Uuid::now_v7()), MovieId::new(Uuid::now_v7()));
        let policy = PricePolicyId::new(Uuid::now_v7());
        run(store, |mut work| async move {
            let open = json!({"open": {"kind": "cinema", "name": "벤치 시네마", "address": "예시대로 1", "time_zone": "Asia/Seoul",
                "accounts": [{"bank": "국민은행", "number": "500-300-123400", "holder": "예시시네마(주)"}]}});
            work.begin::<Branch>(&branch).await.expect("the log answers");
            accept(work.execute::<Branch>(&branch, command::<BranchCommand>(open)));
            work.begin::<Auditorium>(&auditorium).await.expect("the log answers");
            let build = json!({"build": {"branch": branch, "name": "1관", "hall": null, "cleaning_minutes": 15}});
            accept(work.execute::<Auditorium>(&auditorium, command::<AuditoriumCommand>(build)));
            accept(work.execute::<Auditorium>(&auditorium, AuditoriumCommand::DrawLayout { layout: Arc::new(layout()) }));
            work.begin::<Movie>(&movie).await.expect("the log answers");
            let announce = json!({"announce": {"title": "한강의 밤", "running_time_minutes": 118, "rating": "ALL"}});
            accept(work.execute::<Movie>(&movie, command::<MovieCommand>(announce)));
            work.begin::<PricePolicy>(&policy).await.expect("the log answers");
            let adopt = json!({"adopt": {"name": "벤치", "tariff": {"screening": {"currency": "KRW",
                "persons": {"adult": 0, "teen": -3000, "senior": -7000, "preferential": -9000},
                "bands": [{"name": "일반", "until": "29:00", "weekday": 14000, "weekend": 14000}],
                "categories": {"일반": 0}}}}});
            accept(work.execute::<PricePolicy>(&policy, command::<PricePolicyCommand>(adopt)));
        })
        .await;
        let now = Timestamp::now();
        let starts_at = now + 30.hours();
        let show = Show::Movie {
            movie,
            auditorium,
            layout_version: 1,
            capacity: u32::from(ROWS) * u32::from(COLUMNS),
        };
        let plan = Plan {
            branch,
            show,
            starts_at,
            ends_at: starts_at + 2.hours(),
            sales_open_at: now - 1.hour(),
            sales_close_at: starts_at,
            price_policy: policy,
            price_version: 1,
            seats_per_customer_max: 8,
            hold_minutes: 60,
            hold_cap_minutes: 120,
            cancel_minutes: 20,
            orphan_rule: aggregates::seating::OrphanRule::Off,
            pool_minutes: 60,
            cancellation: None,
        };
        for slots in self.slots.chunks(usize::try_from(CHUNK).unwrap_or(1)) {
            let plan = &plan;
            run(store, |mut work| async move {
                for slot in slots {
                    work.begin::<TimeSlot>(slot).await.expect("the log answers");
                    accept(work.execute::<TimeSlot>(slot, TimeSlotCommand::Schedule { plan: plan.clone() }));
                }
            })
            .await;
        }
    }

    /// Issues coupons in a log.
    pub async fn issue(&self, store: &Store, numbers: std::ops::Range<u64>) {
        let terms = terms();
        let mut from = numbers.start;
        while from < numbers.end {
            let until = numbers.end.min(from + CHUNK);
            let terms = &terms;
            run(store, |mut work| async move {
                for number in from..until {
                    let code = coupon_code(number);
                    work.begin::<Coupon>(&code).await.expect("the log answers");
                    accept(work.execute::<Coupon>(&code, CouponCommand::Issue { terms: terms.clone() }));
                }
            })
            .await;
            from = until;
        }
    }
}

fn layout() -> Layout {
    let description = RowsAndColumns {
        name: "벤치".parse().expect("a name"),
        rows: ROWS,
        columns: COLUMNS,
        category: "일반".parse().expect("a category"),
        aisles_after: vec![],
    };
    description.layout().expect("a sound layout")
}

fn command<C: serde::de::DeserializeOwned>(json: serde_json::Value) -> C {
    serde_json::from_value(json).expect("a command")
}

#[track_caller]
fn accept<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        panic!("the house could not be built: {error}");
    }
}

async fn run<F>(store: &Store, body: impl Fn(UnitOfWork) -> F + Sync)
where
    F: Future<Output = ()> + Send,
{
    let body = &body;
    let result: Result<_, Stop<std::convert::Infallible>> = store
        .run(&Request::system("bench", "Build"), |unit| async move {
            body(unit).await;
            Ok(())
        })
        .await;
    result.expect("the house is built");
}
