//! A table of the test's database that nobody can change for a while: what wants to, stands still there.

use tokio_postgres::Client;

use super::{database::TestDatabase, waiting::eventually};

/// While it lives the table can be read, and not changed.
pub struct Standstill<'a> {
    database: &'a TestDatabase,
    holding: Client,
    table: &'static str,
}

impl<'a> Standstill<'a> {
    /// Begins it.
    pub async fn of(database: &'a TestDatabase, table: &'static str) -> Self {
        let holding = database.client().await;
        let lock = format!("begin; lock table {table} in share row exclusive mode");
        holding.batch_execute(&lock).await.expect("nobody holds it");
        Self {
            database,
            holding,
            table,
        }
    }

    /// Waits until somebody stands still.
    pub async fn felt(&self) {
        let client = self.database.client().await;
        let waiting = "select count(*) from pg_locks where not granted and relation = $1::text::regclass
            and database = (select oid from pg_database where datname = current_database())";
        eventually("somebody wants to change it", || async {
            let row = client.query_one(waiting, &[&self.table]).await;
            (row.expect("a count").get::<_, i64>(0) > 0).then_some(())
        })
        .await;
    }

    /// Lets everybody go on.
    pub async fn end(self) {
        self.holding.batch_execute("rollback").await.expect("it is held");
    }
}
