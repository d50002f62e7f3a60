//! Every filter of the lists finds its rows by an index: no table is read from end to end, however long it is.

use aggregates::ids::{BranchId, CustomerId, MovieId, ReservationId, ThemeId, TimeSlotId};
use jiff::{Timestamp, ToSpan as _};
use projections::{
    customer_directory,
    reservation_list::{self, Filter, Order, PaymentKind, Sort, Stage},
};
use sqlx::{Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::support::database;

/// Slots at each of 20 branches over 100 days, and 20 reservations for each of them.
const GENERATED: &str = "
    insert into read_models.time_slot_calendar (time_slot, branch, movie, auditorium, layout_version, starts_at, ends_at,
        sales_open_at, sales_close_at, price_policy, price_version, seats_per_customer_max, hold_minutes,
        hold_cap_minutes, cancel_minutes, orphan_rule, pool_minutes, capacity, state, taken, from_position)
    select ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid,
           ('00000000-0000-0000-0002-' || lpad((n % 20)::text, 12, '0'))::uuid,
           ('00000000-0000-0000-0003-' || lpad((n % 50)::text, 12, '0'))::uuid,
           ('00000000-0000-0000-0004-' || lpad((n % 40)::text, 12, '0'))::uuid, 1,
           timestamptz '2026-01-01Z' + n * interval '30 minutes', timestamptz '2026-01-01Z' + n * interval '31 minutes',
           timestamptz '2025-01-01Z', timestamptz '2026-01-01Z' + n * interval '30 minutes',
           '00000000-0000-0000-0005-000000000000', 1, 8, 10, 20, 20, 'off', 0, 200, 'on_sale', 20, n
      from generate_series(1, 5000) n;
    insert into read_models.reservation_list (reservation, stage, time_slot, seats, party, total, currency, payment, coupon,
        short_code, placed_position, paid_position, name, phone, phone_parts, from_position, customer)
    select 1000000 + n, case when n % 500 = 0 then 'held' when n % 300 = 0 then 'no_show' else 'attended' end,
           ('00000000-0000-0000-0001-' || lpad((n % 5000 + 1)::text, 12, '0'))::uuid, '{A1}', 1, 14000, 'KRW', 'on_site',
           case when n % 1000 = 1 then 'CODE' || lpad((n / 1000)::text, 4, '0') end, 'S' || n,
           n, case when n % 200 <> 0 then n end, '손님' || n, '010-' || lpad((n % 10000)::text, 4, '0') || '-1234',
           array(select substr('010' || lpad((n % 10000)::text, 4, '0') || '1234', i, 3)::smallint
             from generate_series(1, 9) i), n,
           ('00000000-0000-0000-0006-' || lpad((n % 9999)::text, 12, '0'))::uuid
      from generate_series(1, 100000) n;
    insert into read_models.customer_directory (customer, state, signed_up_position, email, nickname, phone, phone_parts,
        from_position)
    select ('00000000-0000-0000-0006-' || lpad(n::text, 12, '0'))::uuid, 'signed_up', n, 'c' || n || '@example.com',
           '별명' || n, '010-' || lpad(n::text, 4, '0') || '-1234',
           array(select substr('010' || lpad(n::text, 4, '0') || '1234', i, 3)::smallint from generate_series(1, 9) i), n
      from generate_series(1, 9999) n;
    analyze read_models.time_slot_calendar;
    analyze read_models.reservation_list;
    analyze read_models.customer_directory";

fn id(kind: u8, number: u32) -> Uuid {
    format!("00000000-0000-0000-000{kind}-{number:012}")
        .parse()
        .expect("an id")
}

/// How often this table was read from end to end by this session and those before.
async fn scans(db: &mut PgConnection, table: &str) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()")
        .execute(&mut *db)
        .await
        .expect("statistics");
    sqlx::query("select 1")
        .execute(&mut *db)
        .await
        .expect("an answer");
    let sql = "select seq_scan from pg_stat_user_tables where schemaname = 'read_models' and relname = $1";
    let row = sqlx::query(sql).bind(table).fetch_one(db).await.expect("a table");
    row.get(0)
}

fn filters() -> Vec<(&'static str, Filter)> {
    [of_slots(), of_people_and_money()].concat()
}

fn of_slots() -> Vec<(&'static str, Filter)> {
    let day: Timestamp = "2026-02-03T20:00:00Z".parse().expect("a moment");
    let blank = Filter::default;
    vec![
        ("nothing", blank()),
        (
            "time_slot",
            Filter {
                time_slot: Some(TimeSlotId::new(id(1, 77))),
                ..blank()
            },
        ),
        (
            "branch and day",
            Filter {
                branch: Some(BranchId::new(id(2, 3))),
                starts_from: Some(day),
                starts_before: Some(day + 24.hours()),
                ..blank()
            },
        ),
        (
            "from and before",
            Filter {
                starts_from: Some(day),
                starts_before: Some(day + 2.hours()),
                ..blank()
            },
        ),
        (
            "movie and day",
            Filter {
                movie: Some(MovieId::new(id(3, 3))),
                starts_from: Some(day),
                starts_before: Some(day + 24.hours()),
                ..blank()
            },
        ),
        (
            "theme",
            Filter {
                theme: Some(ThemeId::new(id(7, 3))),
                ..blank()
            },
        ),
    ]
}

fn of_people_and_money() -> Vec<(&'static str, Filter)> {
    let blank = Filter::default;
    vec![
        (
            "state",
            Filter {
                stages: vec![Stage::Held, Stage::NoShow],
                ..blank()
            },
        ),
        (
            "unpaid",
            Filter {
                paid: Some(false),
                ..blank()
            },
        ),
        (
            "payment of a slot",
            Filter {
                payment: Some(PaymentKind::OnSite),
                time_slot: Some(TimeSlotId::new(id(1, 77))),
                ..blank()
            },
        ),
        (
            "short_code",
            Filter {
                short_code: Some("S4711".to_owned()),
                ..blank()
            },
        ),
        (
            "number",
            Filter {
                number: Some(ReservationId::new(1_004_711)),
                ..blank()
            },
        ),
        (
            "coupon",
            Filter {
                coupon: Some("CODE0042".to_owned()),
                ..blank()
            },
        ),
        (
            "customer",
            Filter {
                customer: Some(CustomerId::new(id(6, 42))),
                ..blank()
            },
        ),
        (
            "phone",
            Filter {
                phone: Some("4711".to_owned()),
                ..blank()
            },
        ),
        (
            "name",
            Filter {
                name: Some("님4711".to_owned()),
                ..blank()
            },
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_of_a_hundred_thousand_reservations_uses_an_index() {
    let database = database::fresh().await;
    let mut owner = PgConnection::connect_with(&database.sqlx_options())
        .await
        .expect("a connection");
    sqlx::raw_sql(GENERATED).execute(&mut owner).await.expect("rows");
    let mut db = PgConnection::connect_with(&database.owner().as_app().sqlx())
        .await
        .expect("a connection");
    let orders = [Sort::Number, Sort::StartsAt, Sort::PlacedAt]
        .into_iter()
        .flat_map(|sort| [true, false].map(|descending| Order { sort, descending }));
    let before = scans(&mut db, "reservation_list").await;
    for order in orders {
        for (name, filter) in filters() {
            let page = reservation_list::listed(&mut db, &filter, order, None, 51)
                .await
                .expect("a page");
            assert!(name == "theme" || !page.is_empty(), "{name}");
            let after = scans(&mut db, "reservation_list").await;
            assert_eq!(after, before, "{name} in {order:?} reads the whole table");
        }
    }
    for (name, filter) in filters() {
        let counted = reservation_list::count(&mut db, &filter, Order::default(), 10_001)
            .await
            .expect("a count");
        assert!(name == "theme" || counted > 0, "{name}");
        assert!(counted <= 10_001, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_of_the_customers_uses_an_index() {
    let database = database::fresh().await;
    let mut owner = PgConnection::connect_with(&database.sqlx_options())
        .await
        .expect("a connection");
    sqlx::raw_sql(GENERATED).execute(&mut owner).await.expect("rows");
    let mut db = PgConnection::connect_with(&database.owner().as_app().sqlx())
        .await
        .expect("a connection");
    let blank = customer_directory::Filter::default;
    let part = |text: &str| Some(text.to_owned());
    let before = scans(&mut db, "customer_directory").await;
    for (name, filter) in [
        ("nothing", blank()),
        (
            "email",
            customer_directory::Filter {
                email: part("4711@EX"),
                ..blank()
            },
        ),
        (
            "nickname",
            customer_directory::Filter {
                nickname: part("명4711"),
                ..blank()
            },
        ),
        (
            "phone",
            customer_directory::Filter {
                phone: part("4711"),
                ..blank()
            },
        ),
    ] {
        let found = customer_directory::customers(&mut db, &filter, None, 51)
            .await
            .expect("a page");
        assert!(!found.is_empty(), "{name}");
        assert_eq!(scans(&mut db, "customer_directory").await, before, "{name}");
    }
    assert_eq!(scans(&mut db, "reservation_list").await, 0, "counted by index");
}
