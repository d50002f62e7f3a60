//! A small chain to book in, opened as an admin would: through commands over HTTP; never writes to the database.

use std::sync::atomic::{AtomicI64, Ordering};

use aggregates::values::CouponCode;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Api, Call};

/// One cinema and one escape room.
pub struct House {
    pub cinema: Uuid,
    pub shop: Uuid,
    pub movie: Uuid,
    pub theme: Uuid,
    pub screening_prices: Uuid,
    pub session_prices: Uuid,
    /// How many slots there are; sessions of one theme must not overlap.
    sessions: AtomicI64,
    auditoriums: AtomicI64,
}

/// How long holds may live.
#[derive(Clone, Copy)]
pub enum Sale {
    /// Ten minutes.
    Long,
    /// Sales close at this moment, and no hold outlives that.
    Until(Timestamp),
    /// The slot begins at this moment, and whatever is unpaid then expires.
    UntilItBegins(Timestamp),
}

impl House {
    /// Opens it; once in each database.
    pub async fn open(api: &Api) -> Self {
        let [cinema, shop, movie, theme, screening_prices, session_prices] = [(); 6].map(|()| Uuid::now_v7());
        let branch = |kind: &str, name: &str| {
            json!({ "kind": kind, "name": name, "address": "예시로 1길 10", "detail_address": "3층", "image_url": null,
                "time_zone": "Asia/Seoul", "welcome": "환영합니다.", "notices": [],
                "accounts": [{ "bank": "국민은행", "number": "100-200-345670", "holder": "예시주식회사" }] })
        };
        let screening = json!({ "screening": { "currency": "KRW", "categories": { "일반": 0 }, "halls": {},
            "persons": { "adult": 0, "teen": -3000, "senior": -7000, "preferential": -9000 },
            "bands": [{ "name": "일반", "until": "29:00", "weekday": 14000, "weekend": 14000 }],
            "weekend_days": ["saturday", "sunday"], "holidays": [] } });
        let session = json!({ "session": { "currency": "KRW",
            "price": { "person": { "table": { "2": 48000, "3": 66000, "4": 84000 } } } } });
        let prices =
            |name: &str, tariff: Value| json!({ "name": name, "tariff": tariff, "effective_from": null });
        admin(api, "branches", cinema, "open", branch("cinema", "한강")).await;
        admin(api, "branches", shop, "open", branch("escape_room", "강남점")).await;
        admin(
            api,
            "price-policies",
            screening_prices,
            "adopt",
            prices("상영", screening),
        )
        .await;
        admin(
            api,
            "price-policies",
            session_prices,
            "adopt",
            prices("게임", session),
        )
        .await;
        let announced = json!({ "title": "한강의 밤", "director": "이서윤", "description": "예시 작품입니다.",
            "poster_url": "https://example.com/poster.jpg", "running_time_minutes": 60, "rating": "ALL" });
        admin(api, "movies", movie, "announce", announced).await;
        let introduced = json!({ "branch": shop, "name": "달빛 서고", "price_policy": session_prices,
            "party": { "min": 2, "max": 4, "default": 2 }, "duration_minutes": 60, "turnover_minutes": 20,
            "opens": { "days_ahead": 6, "time": "00:00" }, "slots": {} });
        admin(api, "themes", theme, "introduce", introduced).await;
        admin(api, "themes", theme, "activate", json!({})).await;
        let (sessions, auditoriums) = (AtomicI64::new(0), AtomicI64::new(0));
        Self {
            cinema,
            shop,
            movie,
            theme,
            screening_prices,
            session_prices,
            sessions,
            auditoriums,
        }
    }

    /// A screening in an auditorium of its own, with so many rows of so many seats.
    pub async fn screening(&self, api: &Api, rows: u16, columns: u16, sale: Sale) -> Uuid {
        self.screening_in(api, layout(rows, columns), sale, json!({}))
            .await
    }

    /// A screening in an auditorium of its own with this layout; `rules` are further fields of its plan.
    pub async fn screening_in(&self, api: &Api, layout: Value, sale: Sale, rules: Value) -> Uuid {
        let auditorium = Uuid::now_v7();
        let number = self.auditoriums.fetch_add(1, Ordering::Relaxed) + 1;
        let built = json!({ "branch": self.cinema, "name": format!("{number}관"), "hall": null, "cleaning_minutes": 15 });
        admin(api, "auditoriums", auditorium, "build", built).await;
        admin(
            api,
            "auditoriums",
            auditorium,
            "draw-layout",
            json!({ "layout": layout }),
        )
        .await;
        let show =
            json!({ "kind": "movie", "movie": self.movie, "auditorium": auditorium, "layout_version": 1 });
        let place = (self.cinema, show, self.screening_prices);
        self.schedule(api, place, 3, 8, sale, rules).await
    }

    /// A session of the one theme.
    pub async fn session(&self, api: &Api, sale: Sale) -> Uuid {
        let show = json!({ "kind": "theme", "theme": self.theme, "party_min": 2, "party_max": 4 });
        let hours = 3 + 2 * self.sessions.fetch_add(1, Ordering::Relaxed);
        let place = (self.shop, show, self.session_prices);
        self.schedule(api, place, hours, 1, sale, json!({})).await
    }

    async fn schedule(
        &self,
        api: &Api,
        (branch, show, prices): (Uuid, Value, Uuid),
        hours_ahead: i64,
        seats_max: u8,
        sale: Sale,
        rules: Value,
    ) -> Uuid {
        let slot = Uuid::now_v7();
        let later = Timestamp::now() + hours_ahead.hours();
        let (starts_at, sales_close_at) = match sale {
            Sale::Long => (later, later),
            Sale::Until(moment) => (later, moment),
            Sale::UntilItBegins(moment) => (moment, moment),
        };
        let mut plan = json!({ "branch": branch, "show": show, "starts_at": starts_at, "ends_at": starts_at + 1.hour(),
            "sales_open_at": starts_at - 120.hours(), "sales_close_at": sales_close_at,
            "price_policy": prices, "price_version": 1, "seats_per_customer_max": seats_max,
            "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20 });
        for (field, value) in rules.as_object().into_iter().flatten() {
            plan[field] = value.clone();
        }
        admin(api, "time-slots", slot, "schedule", json!({ "plan": plan })).await;
        slot
    }

    /// A coupon for anything.
    pub async fn coupon(&self, api: &Api) -> String {
        let code: String = (0..CouponCode::LENGTH)
            .map(|_| char::from(CouponCode::ALPHABET[rand::random_range(0..CouponCode::ALPHABET.len())]))
            .collect();
        let now = Timestamp::now();
        let terms = json!({ "discount": { "rate": { "percent": 20 } }, "valid_from": now - 1.hour(),
            "valid_until": now + 24.hours() });
        admin(api, "coupons", &code, "issue", json!({ "terms": terms })).await;
        code
    }
}

pub async fn admin(api: &Api, collection: &str, id: impl std::fmt::Display, verb: &str, body: Value) {
    api.done(&Call::admin(format!("/v1/{collection}/{id}/{verb}"), body))
        .await;
}

/// Rows `A`, `B`, …, each with seats from 1, no aisles.
pub fn layout(rows: u16, columns: u16) -> Value {
    let letter = |row: u16| char::from(b'A' + u8::try_from(row).expect("few rows"));
    let seat = |row: u16, column: u16| {
        json!({ "label": label(row, column), "number": column.to_string(), "category": "일반",
            "position": { "x": 32 * column, "y": 70 + 35 * row } })
    };
    let rows_of_seats: Vec<Value> = (0..rows)
        .map(|row| {
            let seats: Vec<Value> = (1..=columns).map(|column| seat(row, column)).collect();
            json!({ "letter": letter(row).to_string(), "seats": seats })
        })
        .collect();
    json!({ "name": "본관", "size": { "width": 32 * (columns + 2), "height": 140 + 35 * rows },
        "categories": [{ "name": "일반", "colour": "#3b82f6" }],
        "sections": [{ "name": "본관", "rows": rows_of_seats }] })
}

/// The seat in this row, from 0, and column, from 1.
pub fn label(row: u16, column: u16) -> String {
    format!(
        "{}{column}",
        char::from(b'A' + u8::try_from(row).expect("few rows"))
    )
}
