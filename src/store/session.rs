//! One connection to PostgreSQL that comes back when it was lost. Never retries a statement by itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::{Client, Config, NoTls, Row, Statement, types::ToSql};

use super::error::{Failure, describe};

/// How long a statement may take on the server, lock waits included.
const STATEMENT_MAX: Duration = Duration::from_secs(10);
/// How long the answer may take before the connection counts as lost.
const ANSWER_MAX: Duration = Duration::from_secs(12);
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long a failed connection speaks for the next attempts.
const PAUSE: Duration = Duration::from_millis(100);
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// A connection with its prepared statements.
pub(crate) struct Session {
    config: Config,
    slot: AsyncMutex<Slot>,
}

enum Slot {
    Empty,
    Live(Arc<Live>),
    /// Connecting failed lately: whoever comes now need not wait for the same again.
    Failed(Instant, String),
}

struct Live {
    client: Client,
    statements: Mutex<HashMap<&'static str, Statement>>,
}

/// The server's settings for every session of the store: whatever the statistics say, the index is the way.
pub(crate) fn configured(config: &Config, name: &str) -> Config {
    let mut config = config.clone();
    let options = format!(
        "{} -c jit=off -c plan_cache_mode=force_generic_plan -c statement_timeout={max} -c lock_timeout={max} \
         -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c synchronous_commit=on \
         -c timezone=UTC",
        config.get_options().unwrap_or_default(),
        max = STATEMENT_MAX.as_millis(),
    );
    config
        .options(options.trim())
        .application_name(name)
        .connect_timeout(CONNECT_MAX)
        .tcp_user_timeout(ANSWER_MAX)
        .keepalives(true)
        .keepalives_idle(KEEPALIVE_AFTER);
    config
}

impl Session {
    /// A session not connected yet; it connects when it is used first.
    pub fn new(config: &Config, name: &str) -> Self {
        Self {
            config: configured(config, name),
            slot: AsyncMutex::new(Slot::Empty),
        }
    }

    /// Sends one prepared statement and reads its rows.
    pub async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let live = self.live().await?;
        let result = match tokio::time::timeout(ANSWER_MAX, live.query(sql, parameters)).await {
            Ok(result) => result.map_err(Failure::from),
            Err(_) => Err(Failure::Lost("the database does not answer".to_owned())),
        };
        if matches!(result, Err(Failure::Lost(_))) || live.client.is_closed() {
            self.drop_if_same(&live).await;
        }
        result
    }

    /// Sends a statement that only reads: once more, on a fresh connection, if the old one turned out to be gone.
    pub async fn read(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        match self.query(sql, parameters).await {
            Err(Failure::Lost(_)) => self.query(sql, parameters).await,
            result => result,
        }
    }

    async fn live(&self) -> Result<Arc<Live>, Failure> {
        let mut slot = self.slot.lock().await;
        if let Slot::Live(live) = &*slot
            && !live.client.is_closed()
        {
            return Ok(Arc::clone(live));
        }
        if let Slot::Failed(at, text) = &*slot
            && at.elapsed() < PAUSE
        {
            return Err(Failure::Lost(text.clone()));
        }
        let connected = match tokio::time::timeout(CONNECT_MAX, self.config.connect(NoTls)).await {
            Ok(connected) => connected.map_err(|error| describe(&error)),
            Err(_) => Err("the database does not answer".to_owned()),
        };
        let (client, connection) = match connected {
            Ok(connected) => connected,
            Err(text) => {
                *slot = Slot::Failed(Instant::now(), text.clone());
                return Err(Failure::Lost(text));
            }
        };
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the database ended");
            }
        });
        let live = Arc::new(Live {
            client,
            statements: Mutex::default(),
        });
        *slot = Slot::Live(Arc::clone(&live));
        Ok(live)
    }

    async fn drop_if_same(&self, gone: &Arc<Live>) {
        let mut slot = self.slot.lock().await;
        if matches!(&*slot, Slot::Live(live) if Arc::ptr_eq(live, gone)) {
            *slot = Slot::Empty;
        }
    }
}

impl Live {
    async fn query(
        &self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let known = self
            .statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sql)
            .cloned();
        let statement = if let Some(statement) = known {
            statement
        } else {
            let statement = self.client.prepare(sql).await?;
            let mut statements = self.statements.lock().unwrap_or_else(PoisonError::into_inner);
            statements.insert(sql, statement.clone());
            statement
        };
        self.client.query(&statement, parameters).await
    }
}
