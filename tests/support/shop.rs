//! A small chain to sell from: a cinema with one auditorium, a shop with one theme, slots and coupons. Never asserts
//! anything; every event comes from a rule.

use std::{
    path::Path,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

use aggregates::{
    administered::Administered,
    auditorium::Auditorium,
    branch::Branch,
    coupon::Coupon,
    ids::{AuditoriumId, BranchId, MovieId, PricePolicyId, ReservationId, ThemeId, TimeSlotId},
    layout::RowsAndColumns,
    movie::Movie,
    price_policy::PricePolicy,
    pricing::{Party, Persons},
    ratings::Statement,
    reservation::{Agreements, PaymentChoice},
    theme::Theme,
    time_slot::TimeSlot,
    values::{CouponCode, SeatLabel},
};
use jari::{
    booking::{Answer, Bookings, Numbers, Places, Placing, Wish},
    postgres::Connect,
    store::{Actor, Committed, Request, Stop, Store, StoreSettings, Upcasters},
    vault::{MasterSecret, Vault, leases::WorkerLease},
};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use uuid::Uuid;

/// The chain and the store it sells through.
pub struct Shop {
    pub store: Store,
    pub bookings: Bookings,
    pub database: Connect,
    pub cinema: BranchId,
    pub rooms: BranchId,
    pub auditorium: AuditoriumId,
    pub movie: MovieId,
    pub theme: ThemeId,
    pub screening_prices: PricePolicyId,
    pub session_prices: PricePolicyId,
    columns: u16,
    minutes: AtomicI64,
    coupons: AtomicU64,
}

impl Shop {
    /// The chain in a fresh database; the auditorium has so many rows and columns.
    pub async fn open(database: &Connect, rows: u16, columns: u16) -> Self {
        let shop = Self::reopen(database, columns).await;
        shop.furnish(rows).await;
        shop
    }

    /// The chain in a log in memory.
    pub async fn in_memory(store: Store, rows: u16, columns: u16) -> Self {
        let nowhere = Connect::socket(Path::new("/nowhere"), 1, "nobody", "nothing");
        let shop = Self::with(store, &nowhere, columns);
        shop.furnish(rows).await;
        shop
    }

    /// The store and the commands alone, under new ids; what was sold before stays.
    pub async fn reopen(database: &Connect, columns: u16) -> Self {
        let settings = StoreSettings {
            database: database.clone().as_app().tokio_postgres(),
            upcasters: Upcasters::default(),
        };
        let vault = Vault::new(&MasterSecret::new([42; 32]));
        let store = Store::open(settings, vault).await.expect("the store opens");
        Self::with(store, database, columns)
    }

    fn with(store: Store, database: &Connect, columns: u16) -> Self {
        Self {
            bookings: Bookings::new(store.clone(), Numbers::of(&WorkerLease::fixed(7))),
            store,
            database: database.clone(),
            cinema: BranchId::new(Uuid::now_v7()),
            rooms: BranchId::new(Uuid::now_v7()),
            auditorium: AuditoriumId::new(Uuid::now_v7()),
            movie: MovieId::new(Uuid::now_v7()),
            theme: ThemeId::new(Uuid::now_v7()),
            screening_prices: PricePolicyId::new(Uuid::now_v7()),
            session_prices: PricePolicyId::new(Uuid::now_v7()),
            columns,
            minutes: AtomicI64::new(24 * 60),
            coupons: AtomicU64::new(0),
        }
    }

    async fn furnish(&self, rows: u16) {
        let branch = |kind: &str, name: &str| {
            json!({"kind": kind, "name": name, "address": "예시로 1", "time_zone": "Asia/Seoul",
                "accounts": [{"bank": "국민은행", "number": "100-200", "holder": "예시주식회사"}]})
        };
        self.admin::<Branch>(&self.cinema, "open", branch("cinema", "강남"))
            .await;
        self.admin::<Branch>(&self.rooms, "open", branch("escape_room", "홍대"))
            .await;
        let screening = json!({"name": "영화", "tariff": {"screening": {"currency": "KRW",
            "persons": {"adult": 0, "teen": -3000, "senior": -7000, "preferential": -9000},
            "bands": [{"name": "조조", "until": "10:00", "weekday": 10000, "weekend": 11000},
                      {"name": "일반", "until": "29:00", "weekday": 14000, "weekend": 15000}],
            "weekend_days": ["saturday", "sunday"], "holidays": [], "categories": {"일반": 0}, "halls": {}}},
            "effective_from": null});
        self.admin::<PricePolicy>(&self.screening_prices, "adopt", screening)
            .await;
        let session = json!({"name": "테마", "tariff": {"session": {"currency": "KRW",
            "price": {"person": {"table": {"2": 48000, "3": 66000}}}, "early_bird": null, "closing": null}},
            "effective_from": null});
        self.admin::<PricePolicy>(&self.session_prices, "adopt", session)
            .await;
        let film = json!({"title": "한강의 밤", "running_time_minutes": 118, "rating": "15"});
        self.admin::<Movie>(&self.movie, "announce", film).await;
        let built = json!({"branch": self.cinema, "name": "9관", "hall": null, "cleaning_minutes": 15});
        self.admin::<Auditorium>(&self.auditorium, "build", built).await;
        let drawn = RowsAndColumns {
            name: "9관".parse().unwrap(),
            rows,
            columns: self.columns,
            category: "일반".parse().unwrap(),
            aisles_after: vec![],
        };
        let layout = drawn.layout().expect("a sound layout");
        self.admin::<Auditorium>(&self.auditorium, "draw-layout", json!({ "layout": layout }))
            .await;
        let game = json!({"branch": self.rooms, "name": "달빛 서고", "price_policy": self.session_prices,
            "party": {"min": 2, "max": 4, "default": 2}, "duration_minutes": 60, "turnover_minutes": 20,
            "opens": {"days_ahead": 6, "time": "00:00"}, "slots": {"monday": ["09:00"]}});
        self.admin::<Theme>(&self.theme, "introduce", game).await;
        self.admin::<Theme>(&self.theme, "activate", json!({})).await;
    }

    /// Sends an admin's command, which must be accepted.
    pub async fn admin<A: Administered>(&self, id: &A::Id, verb: &str, body: Value) -> Committed {
        self.try_admin::<A>(id, verb, body)
            .await
            .unwrap_or_else(|error| panic!("{verb}: {error:?}"))
    }

    async fn try_admin<A: Administered>(
        &self,
        id: &A::Id,
        verb: &str,
        body: Value,
    ) -> Result<Committed, Stop<String>> {
        let body = if body == json!({}) && serde_json::from_value::<A::Command>(json!({ verb: {} })).is_err()
        {
            json!(verb)
        } else {
            json!({ verb: body })
        };
        let command: A::Command = serde_json::from_value(body).expect("a well-formed command");
        let request = Request::system("test", "Administer");
        self.store
            .run(&request, |mut unit| {
                let command = command.clone();
                async move {
                    unit.load::<A>(id).await?;
                    unit.annotate("branch", self.cinema.to_string());
                    unit.execute::<A>(id, command)
                        .map_err(|error| Stop::Refused(format!("{error:?}")))
                }
            })
            .await
    }

    /// A screening tomorrow or later, on sale now.
    pub async fn screening(&self) -> TimeSlotId {
        self.screening_under(&json!({})).await
    }

    /// The same; `rules` are further fields of its plan.
    pub async fn screening_under(&self, rules: &Value) -> TimeSlotId {
        let show = json!({"kind": "movie", "movie": self.movie, "auditorium": self.auditorium, "layout_version": 1,
            "capacity": 1000});
        self.slot(self.cinema, &show, self.screening_prices, rules).await
    }

    /// A session tomorrow or later, on sale now.
    pub async fn session(&self) -> TimeSlotId {
        self.session_under(&json!({})).await
    }

    /// The same; `rules` are further fields of its plan.
    pub async fn session_under(&self, rules: &Value) -> TimeSlotId {
        let show = json!({"kind": "theme", "theme": self.theme, "party_min": 2, "party_max": 4});
        self.slot(self.rooms, &show, self.session_prices, rules).await
    }

    async fn slot(&self, branch: BranchId, show: &Value, prices: PricePolicyId, rules: &Value) -> TimeSlotId {
        let id = TimeSlotId::new(Uuid::now_v7());
        let now = Timestamp::now();
        let starts = now + self.minutes.fetch_add(1, Ordering::Relaxed).minutes();
        let mut plan = json!({"branch": branch, "show": show, "starts_at": starts, "ends_at": starts + 1.hour(),
            "sales_open_at": now - 1.hour(), "sales_close_at": starts, "price_policy": prices, "price_version": 1,
            "seats_per_customer_max": 8, "hold_minutes": 10, "hold_cap_minutes": 20, "cancel_minutes": 20});
        for (field, value) in rules.as_object().into_iter().flatten() {
            plan[field] = value.clone();
        }
        self.admin::<TimeSlot>(&id, "schedule", json!({ "plan": plan }))
            .await;
        id
    }

    /// A fresh coupon of 20 %.
    pub async fn coupon(&self) -> CouponCode {
        let code = self.next_code();
        let now = Timestamp::now();
        let terms = json!({"discount": {"rate": {"percent": 20}}, "scope": {}, "valid_from": now - 1.hour(),
            "valid_until": now + 1000.hours(), "note": "test"});
        self.admin::<Coupon>(&code, "issue", json!({ "terms": terms }))
            .await;
        code
    }

    /// A code that no coupon has.
    pub fn next_code(&self) -> CouponCode {
        code(self.coupons.fetch_add(1, Ordering::Relaxed))
    }

    /// The label of a seat, counted from 0, row by row.
    pub fn label(&self, number: usize) -> SeatLabel {
        let (row, column) = (
            number / usize::from(self.columns),
            number % usize::from(self.columns) + 1,
        );
        let letters = |row: usize| char::from(b'A' + u8::try_from(row % 26).unwrap());
        let row = if row < 26 {
            letters(row).to_string()
        } else {
            format!("{}{}", letters(row / 26 - 1), letters(row))
        };
        format!("{row}{column}").parse().unwrap()
    }

    /// Holds seats for as many adults.
    pub async fn hold(&self, time_slot: TimeSlotId, seats: Vec<SeatLabel>) -> Answer {
        let adult = u8::try_from(seats.len()).unwrap();
        let party = Party::Persons(Persons {
            adult,
            ..Persons::default()
        });
        let wish = Wish {
            time_slot,
            places: Places::Seats(seats),
            party,
            accessible: false,
            said: Statement::default(),
        };
        let id = self.bookings.next_number();
        self.bookings.hold(&guest(id, "Hold"), id, &wish).await
    }

    /// Holds a session for two.
    pub async fn hold_room(&self, time_slot: TimeSlotId) -> Answer {
        let wish = Wish {
            time_slot,
            places: Places::Room,
            party: Party::Group { size: 2 },
            accessible: false,
            said: Statement::default(),
        };
        let id = self.bookings.next_number();
        self.bookings.hold(&guest(id, "Hold"), id, &wish).await
    }

    /// Places what is held, paid by transfer.
    pub async fn place(&self, id: ReservationId, coupon: Option<CouponCode>) -> Answer {
        let placing = Placing {
            name: "홍길동".parse().unwrap(),
            phone: phone(id).parse().unwrap(),
            agreements: Agreements {
                privacy: true,
                house_rules: true,
            },
            coupon,
            payment: PaymentChoice::BankTransfer,
            said: Statement {
                age_confirmed: true,
                ..Statement::default()
            },
            language: None,
        };
        self.bookings.place(&guest(id, "Place"), id, &placing).await
    }
}

/// A guest's request.
pub fn guest(id: ReservationId, command: &'static str) -> Request {
    Request {
        actor: Actor::Guest(id),
        ..Request::system("test", command)
    }
}

/// The number to call about a reservation: each was made by somebody else.
pub fn phone(id: ReservationId) -> String {
    let digits = format!("{:08}", id.number() % 100_000_000);
    format!("010-{}-{}", &digits[..4], &digits[4..])
}

/// The reservation an answer is about.
pub fn number(committed: &Committed) -> ReservationId {
    let reservation = committed
        .events
        .iter()
        .find(|recorded| recorded.stream.kind == "reservation");
    reservation
        .and_then(|recorded| recorded.stream.id.parse().ok())
        .expect("an event of a reservation")
}

fn code(number: u64) -> CouponCode {
    let alphabet = CouponCode::ALPHABET;
    let digits = (0..u32::try_from(CouponCode::LENGTH).unwrap()).rev();
    let digit = |place| alphabet[usize::try_from(number / 30_u64.pow(place) % 30).unwrap()];
    digits
        .map(|place| char::from(digit(place)))
        .collect::<String>()
        .parse()
        .unwrap()
}
