//! The tables a model is built in, beside the live ones: the same columns, settings and indexes; never read by anyone else.
//!
//! Everything is copied from the live tables, so that a migration says once what they look like. Names of tables come
//! from the list of read models, never from outside.

use projections::ReadModel;
use sqlx::{Executor as _, PgConnection, error::DatabaseError};

use crate::store::tables;

/// How long the swap waits for readers before it lets them through and tries again: they wait as long behind it.
const SWAP_LOCK_MAX: &str = "100ms";

/// Models are indexed side by side, so none needs workers of its own; a small sample tells their plans enough.
const INDEXING: &str = "set local maintenance_work_mem = '128MB';
    set local max_parallel_maintenance_workers = 0;
    set local default_statistics_target = 10";

/// Empty tables without indexes; leftovers of a build that was given up are dropped.
pub(super) async fn prepare<M: ReadModel>(db: &mut PgConnection) -> sqlx::Result<()> {
    for table in tables::names::<M>() {
        let settings = sqlx::query_scalar!(
            r#"select array_to_string(reloptions, ', ') from pg_class where oid = ('read_models.' || $1)::regclass"#,
            table
        )
        .fetch_one(&mut *db)
        .await?;
        let settings = settings
            .map(|settings| format!("with ({settings})"))
            .unwrap_or_default();
        let create = format!(
            "drop table if exists shadow.{table};
             create table shadow.{table} (like read_models.{table} including defaults including constraints
               including storage including compression) {settings}"
        );
        db.execute(sqlx::raw_sql(&create)).await?;
    }
    Ok(())
}

/// Gives the tables the indexes of the live ones, under the same names.
pub(super) async fn index<M: ReadModel>(db: &mut PgConnection) -> sqlx::Result<()> {
    db.execute(sqlx::raw_sql(INDEXING)).await?;
    for table in tables::names::<M>() {
        let indexes = sqlx::query!(
            r#"select i.relname as "name!", pg_get_indexdef(x.indexrelid) as "definition!", c.conname as "primary_key?"
                 from pg_index x
                 join pg_class i on i.oid = x.indexrelid
                 left join pg_constraint c on c.conindid = x.indexrelid and c.contype = 'p'
                where x.indrelid = ('read_models.' || $1)::regclass"#,
            table
        )
        .fetch_all(&mut *db)
        .await?;
        for index in indexes {
            let live = format!(" ON read_models.{table} ");
            let beside = format!(" ON shadow.{table} ");
            db.execute(&*index.definition.replacen(&live, &beside, 1)).await?;
            if let Some(primary_key) = index.primary_key {
                let name = index.name;
                let add = format!(
                    "alter table shadow.{table} add constraint {primary_key} primary key using index {name}"
                );
                db.execute(&*add).await?;
            }
        }
        db.execute(&*format!("analyze shadow.{table}")).await?;
    }
    Ok(())
}

/// Puts the tables in the place of the live ones; to be committed with the checkpoint.
pub(super) async fn swap<M: ReadModel>(db: &mut PgConnection) -> sqlx::Result<()> {
    let names = tables::names::<M>();
    let live: Vec<String> = names.iter().map(|name| format!("read_models.{name}")).collect();
    let lock = format!(
        "set local lock_timeout = '{SWAP_LOCK_MAX}'; lock table {} in access exclusive mode",
        live.join(", ")
    );
    db.execute(sqlx::raw_sql(&lock)).await?;
    for name in names {
        let swap = format!("drop table read_models.{name}; alter table shadow.{name} set schema read_models");
        db.execute(sqlx::raw_sql(&swap)).await?;
    }
    Ok(())
}

/// Whether readers did not give way in time.
pub(super) fn is_held_up(error: &sqlx::Error) -> bool {
    // lock_not_available, deadlock_detected
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .is_some_and(|code| ["55P03", "40P01"].contains(&&*code))
}
