//! Creates and updates the schema of a database; never touches one that is another project's.

use sqlx::{Connection as _, PgConnection, migrate::MigrateError};

use crate::postgres::Connect;

/// The migrations, carried inside the program.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// What PostgreSQL answers when a database is not there (`invalid_catalog_name`).
const NO_SUCH_DATABASE: &str = "3D000";

/// Why a database was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum NotMigrated {
    /// There is something in it, and it is not ours.
    #[error(
        "the database {database} already holds something else (for example {example}); give Jari an empty one"
    )]
    NotOurs {
        /// The database's name.
        database: String,
        /// A table of somebody else's.
        example: String,
    },
    /// A migration failed, or the database is ahead of this program.
    #[error("the migration failed: {0}")]
    Migration(#[from] MigrateError),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
}

/// Whether this program can work with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There is no such database, or nothing of ours is in it.
    Missing,
    /// Migrations of this program are not applied yet.
    Behind,
    /// All of them are.
    Current,
}

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Migrated {
    /// Migrations applied before.
    pub before: usize,
    /// Migrations applied now.
    pub applied: usize,
}

/// Applies what is missing; a second time nothing.
pub async fn migrate(owner: &Connect) -> Result<Migrated, NotMigrated> {
    let mut connection = PgConnection::connect_with(&owner.sqlx()).await?;
    let before = applied(&mut connection).await?;
    if before == 0
        && let Some(example) = stranger(&mut connection).await?
    {
        return Err(NotMigrated::NotOurs {
            database: owner.database().to_owned(),
            example,
        });
    }
    MIGRATIONS.run(&mut connection).await?;
    let after = applied(&mut connection).await?;
    connection.close().await?;
    Ok(Migrated {
        before,
        applied: after.saturating_sub(before),
    })
}

/// Whether the database has the schema this program works with; changes nothing.
pub async fn schema(owner: &Connect) -> Result<Schema, sqlx::Error> {
    let mut connection = match PgConnection::connect_with(&owner.sqlx()).await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_DATABASE) => {
            return Ok(Schema::Missing);
        }
        connected => connected?,
    };
    let applied = applied(&mut connection).await?;
    connection.close().await?;
    Ok(match applied {
        0 => Schema::Missing,
        some if some < MIGRATIONS.iter().count() => Schema::Behind,
        _all => Schema::Current,
    })
}

/// Makes the database `name` on the server of `server`, unless it is there.
pub async fn ensure_database(server: &Connect, name: &str) -> Result<(), NotMigrated> {
    let mut connection = PgConnection::connect_with(&server.sqlx()).await?;
    let create = sqlx::query_scalar!(
        r#"select format('create database %I', $1::text) as "create!"
            where not exists (select from pg_database where datname = $1)"#,
        name
    )
    .fetch_optional(&mut connection)
    .await?;
    if let Some(create) = create {
        match sqlx::query(&create).execute(&mut connection).await {
            // Another program that shares the server was faster.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => {}
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
    }
    connection.close().await?;
    Ok(())
}

/// How the server shall connect: with the role that cannot change the log, if this user may be it.
pub async fn as_runtime(owner: &Connect) -> Result<Connect, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&owner.sqlx()).await?;
    let role = crate::postgres::APP_ROLE;
    let may = sqlx::query_scalar!(
        r#"select exists (
             select from pg_roles where rolname = $1 and pg_has_role(current_user, oid, 'member')
           ) as "may!""#,
        role
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(if may {
        owner.clone().as_app()
    } else {
        owner.clone().with_setting("search_path", "read_models,public")
    })
}

/// Migrations that were applied: those of this program, in a table that only they make.
async fn applied(connection: &mut PgConnection) -> Result<usize, sqlx::Error> {
    let ours = sqlx::query_scalar!(
        r#"select to_regclass('public._sqlx_migrations') is not null and to_regclass('public.events') is not null
             as "ours!""#
    )
    .fetch_one(&mut *connection)
    .await?;
    if !ours {
        return Ok(0);
    }
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from public._sqlx_migrations where success"#)
            .fetch_one(connection)
            .await?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// A table of somebody else's.
async fn stranger(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select c.oid::regclass::text as "table!" from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
              and n.nspname <> 'information_schema' and n.nspname not like 'pg\_%' limit 1"#
    )
    .fetch_optional(connection)
    .await
}
