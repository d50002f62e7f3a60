//! How a read model's table and checkpoint are written, whichever model it is; never folds.

use std::{collections::HashMap, time::Duration};

use projections::{
    Put, ReadModel,
    folding::{Batch, Parked},
    tuples::Tuples,
};
use sqlx::{Connection as _, Executor as _, PgConnection, error::DatabaseError, postgres::PgConnectOptions};

/// How long a session may be idle before the server ends it: a stopped process must not stay owner.
const IDLE_MAX: &str = "8s";
/// How long a transaction may be idle before the server ends it.
const IDLE_IN_TRANSACTION_MAX: &str = "30s";
/// Bytes sent at once while rows are copied in.
const COPY_CHUNK: usize = 1 << 20;
/// The first half of the advisory locks of read models; the second half is a hash of the model's name.
const OWNER_LOCK: i32 = 0x4a_61_72;
/// The same for whoever builds a model anew.
const BUILDER_LOCK: i32 = 0x4a_61_73;

/// Where read models are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Where everybody reads them.
    Live,
    /// Where they are built beside the live ones.
    Shadow,
}

/// A session for writing read models.
///
/// Its commits don't wait for the disk: rows and checkpoint are lost together, or not at all, and are folded again.
/// Plans are generic and go by index: arrays of any length come in, and statistics lag behind.
pub(crate) async fn session(database: &PgConnectOptions, schema: Schema) -> sqlx::Result<PgConnection> {
    let search_path = match schema {
        Schema::Live => "read_models, public",
        Schema::Shadow => "shadow, read_models, public",
    };
    let options = database.clone().application_name("jari projections").options([
        ("synchronous_commit", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("idle_session_timeout", IDLE_MAX),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_MAX),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
    ]);
    let mut db = PgConnection::connect_with(&options).await?;
    sqlx::query!("select set_config('search_path', $1, false)", search_path)
        .fetch_one(&mut db)
        .await?;
    Ok(db)
}

/// Lets a session wait as long as it must, though it neither works nor says anything.
pub(crate) async fn take_time(db: &mut PgConnection) -> sqlx::Result<()> {
    let settings = "set idle_session_timeout = 0; set idle_in_transaction_session_timeout = 0";
    db.execute(sqlx::raw_sql(settings)).await.map(drop)
}

/// Ends the transaction if its process stands still: others wait for what it locks.
pub(crate) async fn hurry(db: &mut PgConnection) -> sqlx::Result<()> {
    let setting = format!("set local idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_MAX}'");
    db.execute(&*setting).await.map(drop)
}

/// The tables of a model: that of its rows, and that of their former states if it keeps any.
pub(crate) fn names<M: ReadModel>() -> Vec<String> {
    let history = M::HISTORY.map(|_| format!("{}_history", M::NAME));
    [M::NAME.to_owned()].into_iter().chain(history).collect()
}

/// How often an idle session must say something, to be kept.
pub(crate) const PING_EVERY: Duration = Duration::from_secs(2);

/// How far a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub version: i32,
    pub builds: i32,
    pub position: i64,
}

/// How far a model is; none if it was never begun.
pub(crate) async fn checkpoint(db: &mut PgConnection, model: &str) -> sqlx::Result<Option<Checkpoint>> {
    sqlx::query_as!(
        Checkpoint,
        "select version, builds, position from checkpoints where model = $1",
        model
    )
    .fetch_optional(db)
    .await
}

/// Begins a model's checkpoint, unless it is there.
pub(crate) async fn begin_checkpoint(db: &mut PgConnection, model: &str, version: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into checkpoints (model, version, position) values ($1, $2, 0) on conflict do nothing",
        model,
        version
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Moves a checkpoint from where the caller knows it to be. False: it is elsewhere, somebody else writes this model; the
/// caller must write nothing. The row stays locked to the end of the transaction: that is the fence.
pub(crate) async fn move_checkpoint(
    db: &mut PgConnection,
    model: &str,
    from: Checkpoint,
    to: i64,
) -> sqlx::Result<bool> {
    let moved = sqlx::query!(
        "update checkpoints set position = $5 where model = $1 and version = $2 and builds = $3 and position = $4",
        model,
        from.version,
        from.builds,
        from.position,
        to,
    )
    .execute(db)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Becomes the one process that writes a model, if nobody is. It ends with the session, however that ends.
pub(crate) async fn own(db: &mut PgConnection, model: &str) -> sqlx::Result<bool> {
    try_lock(db, OWNER_LOCK, model).await
}

/// Whether any process writes any model: so servers run. A killed one's session ends with it.
pub(crate) async fn anybody_owns(db: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
             select from pg_locks
              where locktype = 'advisory' and granted and objsubid = 2 and classid = $1::integer::oid
                and database = (select oid from pg_database where datname = current_database())
           ) as "owns!""#,
        OWNER_LOCK
    )
    .fetch_one(db)
    .await
}

/// Becomes the one who builds a model anew, if nobody does.
pub(crate) async fn own_building(db: &mut PgConnection, model: &str) -> sqlx::Result<bool> {
    try_lock(db, BUILDER_LOCK, model).await
}

/// Lets others build it.
pub(crate) async fn disown_building(db: &mut PgConnection, model: &str) -> sqlx::Result<()> {
    let unlocked = sqlx::query_scalar!(
        r#"select pg_advisory_unlock($1, hashtext($2)) as "unlocked!""#,
        BUILDER_LOCK,
        model
    );
    unlocked.fetch_one(db).await.map(drop)
}

async fn try_lock(db: &mut PgConnection, class: i32, model: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select pg_try_advisory_lock($1, hashtext($2)) as "ours!""#,
        class,
        model
    )
    .fetch_one(db)
    .await
}

/// Tells the server that this session is alive.
pub(crate) async fn ping(db: &mut PgConnection) -> sqlx::Result<()> {
    db.ping().await
}

/// Writes what a batch changed.
pub(crate) async fn write<M: ReadModel>(db: &mut PgConnection, batch: &Batch<M>) -> sqlx::Result<()> {
    let (new, known): (Vec<&Put<M>>, Vec<&Put<M>>) = batch.put.iter().partition(|put| put.new);
    let mut tuples = Tuples::new();
    if !new.is_empty() {
        for put in new {
            M::tuple(&mut tuples, put);
        }
        copy_rows::<M>(db, &mut tuples, Into::Shared).await?;
    }
    if !known.is_empty() {
        M::change(db, &known).await?;
    }
    if !batch.gone.is_empty() {
        M::remove(db, &batch.gone).await?;
    }
    if !batch.former.is_empty() {
        for former in &batch.former {
            M::former_tuple(&mut tuples, former);
        }
        copy_former::<M>(db, &mut tuples, Into::Shared).await?;
    }
    for Parked {
        key,
        position,
        reason,
    } in &batch.parked
    {
        park(db, M::NAME, key, *position, reason).await?;
    }
    Ok(())
}

/// Copies rows into a model's table; none are left in `rows`. Answers how many the server took.
pub(crate) async fn copy_rows<M: ReadModel>(
    db: &mut PgConnection,
    rows: &mut Tuples,
    into: Into,
) -> sqlx::Result<u64> {
    copy_in(db, M::NAME, M::COLUMNS, rows, into).await
}

/// Copies former states into a model's history; none are left in `rows`. Answers how many the server took.
pub(crate) async fn copy_former<M: ReadModel>(
    db: &mut PgConnection,
    rows: &mut Tuples,
    into: Into,
) -> sqlx::Result<u64> {
    let Some(columns) = M::HISTORY else { return Ok(0) };
    copy_in(db, &format!("{}_history", M::NAME), columns, rows, into).await
}

/// What kind of table rows are copied into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// One that others may see.
    Shared,
    /// One made in this transaction: its rows need no later visit by vacuum, and where the server allows, no log.
    Fresh,
}

async fn copy_in(
    db: &mut PgConnection,
    table: &str,
    columns: &str,
    rows: &mut Tuples,
    into: Into,
) -> sqlx::Result<u64> {
    if rows.is_empty() {
        return Ok(0);
    }
    let freeze = into == Into::Fresh;
    let mut copy = db
        .copy_in_raw(&format!(
            "copy {table} ({columns}) from stdin with (format binary, freeze {freeze})"
        ))
        .await?;
    for chunk in rows.take_file().chunks(COPY_CHUNK) {
        if let Err(error) = copy.send(chunk).await {
            copy.abort("the rows could not be sent").await?;
            return Err(error);
        }
    }
    copy.finish().await
}

/// Records that a row stands still.
pub(crate) async fn park(
    db: &mut PgConnection,
    model: &'static str,
    key: &str,
    position: i64,
    reason: &str,
) -> sqlx::Result<()> {
    tracing::error!(
        model,
        key,
        position,
        reason,
        "an event cannot be folded: its row stands still"
    );
    metrics::counter!("jari_projection_parked_total", "model" => model).increment(1);
    sqlx::query!(
        "insert into parked_keys (model, key, position, reason) values ($1, $2, $3, $4) on conflict do nothing",
        model,
        key,
        position,
        reason,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The rows that stand still, and since which position.
pub(crate) async fn parked(db: &mut PgConnection, model: &str) -> sqlx::Result<HashMap<String, i64>> {
    let rows = sqlx::query!("select key, position from parked_keys where model = $1", model)
        .fetch_all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.key, row.position)).collect())
}

/// Forgets that a row stood still.
pub(crate) async fn unpark(db: &mut PgConnection, model: &str, key: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from parked_keys where model = $1 and key = $2",
        model,
        key
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the database refused the data itself, so that sending it again is of no use.
pub(crate) fn is_refused_data(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    // Data exceptions, violated constraints, limits of the program.
    code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

/// Locks a model's checkpoint, beginning it if need be: whoever writes the model waits for the end of the transaction.
pub(crate) async fn lock_checkpoint(
    db: &mut PgConnection,
    model: &str,
    version: i32,
) -> sqlx::Result<Checkpoint> {
    begin_checkpoint(db, model, version).await?;
    sqlx::query_as!(
        Checkpoint,
        "select version, builds, position from checkpoints where model = $1 for update",
        model
    )
    .fetch_one(db)
    .await
}

/// Says that a model was built anew, up to a position.
pub(crate) async fn replace_checkpoint(
    db: &mut PgConnection,
    model: &str,
    version: i32,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update checkpoints set version = $2, builds = builds + 1, position = $3 where model = $1",
        model,
        version,
        position,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets all rows of a model that stood still.
pub(crate) async fn unpark_all(db: &mut PgConnection, model: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from parked_keys where model = $1", model)
        .execute(db)
        .await?;
    Ok(())
}
