//! Read models of the stories' own. Never one that the program has.

use std::sync::atomic::{AtomicBool, Ordering};

use aggregates::Recorded;
use jari::postgres::Connect;
use projections::{Former, Loaded, Put, ReadModel, Version, tuples::Tuples};
use sqlx::{PgConnection, Row as _};

use super::sales::superuser;

/// Counts the events of each kind of stream, each as often as the version says.
pub struct Tally<const VERSION: i32>;

/// Where it counts.
pub async fn tally_table(database: &Connect) {
    table(database, "tally", "").await;
}

async fn table(database: &Connect, name: &str, check: &str) {
    let mut db = superuser(database).await;
    let sql = format!(
        "create table read_models.{name} (kind text primary key, count bigint not null {check}, from_position bigint not null);
         create table read_models.{name}_history (kind text, count bigint, from_position bigint, until_position bigint);
         call read_models.hand_over()"
    );
    sqlx::raw_sql(&sql).execute(&mut db).await.unwrap();
}

async fn load<M: ReadModel<Key = String, Row = i64>>(
    db: &mut PgConnection,
    keys: &[String],
) -> sqlx::Result<Loaded<M>> {
    let sql = format!(
        "select kind, count, from_position from {} where kind = any ($1)",
        M::NAME
    );
    let rows = sqlx::query(&sql).bind(keys).fetch_all(db).await?;
    Ok(rows
        .iter()
        .map(|row| {
            (
                row.get(0),
                Version {
                    row: row.get(1),
                    from: row.get(2),
                },
            )
        })
        .collect())
}

async fn change<M: ReadModel<Key = String, Row = i64>>(
    db: &mut PgConnection,
    rows: &[&Put<M>],
) -> sqlx::Result<()> {
    let sql = format!(
        "update {} set count = $2, from_position = $3 where kind = $1",
        M::NAME
    );
    for put in rows {
        sqlx::query(&sql)
            .bind(&put.key)
            .bind(put.row)
            .bind(put.from)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

macro_rules! counting {
    ([$($generics:tt)*] $model:ty, $name:literal, $version:expr, $fold:expr) => {
        impl<$($generics)*> ReadModel for $model {
            const NAME: &'static str = $name;
            const VERSION: i32 = $version;
            const COLUMNS: &'static str = "kind, count, from_position";
            const HISTORY: Option<&'static str> = Some("kind, count, from_position, until_position");

            type Key = String;
            type Row = i64;

            fn key(recorded: &Recorded) -> Option<String> {
                Some(recorded.stream.kind.to_string())
            }

            fn fold(row: Option<i64>, recorded: &Recorded) -> Option<i64> {
                let fold: fn(i64, &Recorded) -> i64 = $fold;
                Some(fold(row.unwrap_or(0), recorded))
            }

            fn begins(_: &Recorded) -> bool {
                false
            }

            async fn load(db: &mut PgConnection, keys: &[String]) -> sqlx::Result<Loaded<Self>> {
                load::<Self>(db, keys).await
            }

            async fn change(db: &mut PgConnection, rows: &[&Put<Self>]) -> sqlx::Result<()> {
                change::<Self>(db, rows).await
            }

            fn tuple(out: &mut Tuples, Put { key, row, from, .. }: &Put<Self>) {
                out.row(&[&key.as_str(), row, from]);
            }

            fn former_tuple(out: &mut Tuples, Former { key, row, from, until }: &Former<Self>) {
                out.row(&[&key.as_str(), row, from, until]);
            }
        }
    };
}

counting!([const VERSION: i32] Tally<VERSION>, "tally", VERSION, |count, _| count + i64::from(VERSION));

/// Counts like [`Tally`], but cannot fold seats until it is mended.
pub struct Fragile;

/// Whether [`Fragile`] is mended.
pub static MENDED: AtomicBool = AtomicBool::new(false);

/// Where it counts.
pub async fn fragile_table(database: &Connect) {
    table(database, "fragile", "").await;
}

counting!([] Fragile, "fragile", 1, |count, recorded| {
    assert!(recorded.stream.kind != "seat" || MENDED.load(Ordering::Relaxed), "a seat\u{0}");
    count + 1
});

/// Counts like [`Tally`], into a table that cannot hold more than two of a kind.
pub struct Narrow;

/// Where it counts.
pub async fn narrow_table(database: &Connect) {
    table(database, "narrow", "check (count <= 2)").await;
}

counting!([] Narrow, "narrow", 1, |count, _| count + 1);
