//! What many units of work ask at once, in one statement: events of streams, and where streams and keys stand.
//! Never waits for more questions to come.

use std::{collections::HashMap, sync::Arc};

use aggregates::StreamId;
use smol_str::SmolStr;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_postgres::Config;

use super::{
    command::{End, KnownKey, Row, Standing},
    error::{Failure, StoreError},
    json::Json,
    request::IdempotencyKey,
    session::Session,
};

/// Questions that may wait.
const QUEUE_MAX: usize = 8_192;
/// Questions answered by one statement at most.
const ASKS_MAX: usize = 512;
/// Connections: while one is answered, the next questions are asked.
const READERS: usize = 2;

const LOAD: &str = "select s.n, e.position, e.recorded_at, e.sequence, e.event_type, e.event_version, e.payload
  from unnest($1::text[], $2::text[]) with ordinality s(kind, id, n)
  cross join lateral (
    select * from public.events e where e.aggregate_type = s.kind and e.aggregate_id = s.id order by e.sequence) e";

const STAND: &str =
    "select l.sequence, l.position, l.recorded_at, (select coalesce(max(position), 0) from public.events)
  from unnest($1::text[], $2::text[]) with ordinality s(kind, id, n)
  left join lateral (
    select e.sequence, e.position, e.recorded_at from public.events e
     where e.aggregate_type = s.kind and e.aggregate_id = s.id order by e.sequence desc limit 1) l on true
 order by s.n";

const KEYS: &str = "select s.n, k.fingerprint, k.first_position, k.last_position
  from unnest($1::text[], $2::text[]) with ordinality s(scope, key, n)
  join public.idempotency_keys k on k.scope = s.scope and k.key = s.key";

/// The events of each stream asked for.
type Streams = Vec<Arc<[Row]>>;
type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

enum Ask {
    Load {
        streams: Vec<StreamId>,
        reply: Reply<Streams>,
    },
    Standing {
        streams: Vec<StreamId>,
        key: Option<IdempotencyKey>,
        reply: Reply<Standing>,
    },
}

/// The way to ask.
pub(crate) struct Loader {
    asks: mpsc::Sender<Ask>,
}

impl Loader {
    /// Starts the readers; they end when the loader is dropped.
    pub fn start(config: &Config) -> Self {
        let (asks, queue) = mpsc::channel(QUEUE_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..READERS {
            let reader = Reader {
                session: Session::new(config, "jari loader"),
                queue: Arc::clone(&queue),
            };
            tokio::spawn(reader.run());
        }
        Self { asks }
    }

    /// The events of each stream, in the order asked for.
    pub async fn load(&self, streams: Vec<StreamId>) -> Result<Vec<Arc<[Row]>>, StoreError> {
        Self::askable(&streams)?;
        self.ask(|reply| Ask::Load { streams, reply }).await
    }

    /// Where streams and a key stand.
    pub async fn standing(
        &self,
        streams: Vec<StreamId>,
        key: Option<IdempotencyKey>,
    ) -> Result<Standing, StoreError> {
        Self::askable(&streams)?;
        self.ask(|reply| Ask::Standing { streams, key, reply }).await
    }

    /// Text in PostgreSQL holds no NUL: a question that does would be refused, and those asked with it.
    fn askable(streams: &[StreamId]) -> Result<(), StoreError> {
        match streams.iter().find(|stream| stream.id.contains('\0')) {
            Some(stream) => Err(StoreError::Corrupt(format!("{stream:?} cannot be a stream"))),
            None => Ok(()),
        }
    }

    async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let busy = |_| StoreError::Unavailable("too many queries are waiting".to_owned());
        self.asks.try_send(ask(reply)).map_err(busy)?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("it is shutting down".to_owned())))
    }
}

struct Reader {
    session: Session,
    queue: Arc<Mutex<mpsc::Receiver<Ask>>>,
}

/// The distinct streams of many questions.
#[derive(Default)]
struct Distinct {
    numbers: HashMap<StreamId, usize>,
    order: Vec<StreamId>,
}

impl Distinct {
    fn add(&mut self, streams: Vec<StreamId>) -> Vec<usize> {
        let number = |stream: StreamId| {
            *self.numbers.entry(stream).or_insert_with_key(|stream| {
                self.order.push(stream.clone());
                self.order.len() - 1
            })
        };
        streams.into_iter().map(number).collect()
    }

    fn columns(&self) -> (Vec<&str>, Vec<&str>) {
        self.order
            .iter()
            .map(|stream| (stream.kind.as_str(), stream.id.as_str()))
            .unzip()
    }
}

impl Reader {
    async fn run(self) {
        let mut asks = Vec::new();
        loop {
            let received = self.queue.lock().await.recv_many(&mut asks, ASKS_MAX).await;
            if received == 0 {
                return;
            }
            let mut loads = Vec::new();
            let mut standings = Vec::new();
            for ask in asks.drain(..) {
                match ask {
                    Ask::Load { streams, reply } => loads.push((streams, reply)),
                    Ask::Standing { streams, key, reply } => standings.push((streams, key, reply)),
                }
            }
            tokio::join!(self.answer_loads(loads), self.answer_standings(standings));
        }
    }

    async fn answer_loads(&self, asks: Vec<(Vec<StreamId>, Reply<Streams>)>) {
        if asks.is_empty() {
            return;
        }
        let mut distinct = Distinct::default();
        let asks: Vec<_> = asks
            .into_iter()
            .map(|(streams, reply)| (distinct.add(streams), reply))
            .collect();
        match self.load(&distinct).await {
            Ok(loaded) => {
                for (numbers, reply) in asks {
                    let rows = numbers
                        .iter()
                        .filter_map(|number| loaded.get(*number).cloned())
                        .collect();
                    let _gone = reply.send(Ok(rows));
                }
            }
            Err(error) => {
                for (_, reply) in asks {
                    let _gone = reply.send(Err(error.clone()));
                }
            }
        }
    }

    async fn load(&self, distinct: &Distinct) -> Result<Vec<Arc<[Row]>>, StoreError> {
        let (kinds, ids) = distinct.columns();
        let rows = self.session.read(LOAD, &[&kinds, &ids]).await?;
        let mut loaded: Vec<Vec<Row>> = Vec::new();
        loaded.resize_with(distinct.order.len(), Vec::new);
        for row in &rows {
            let number =
                usize::try_from(row.try_get::<_, i64>(0).map_err(Failure::from)? - 1).unwrap_or(usize::MAX);
            if let (Some(slot), Some(stream)) = (loaded.get_mut(number), distinct.order.get(number)) {
                slot.push(stored(row, stream)?);
            }
        }
        Ok(loaded.into_iter().map(Arc::from).collect())
    }

    async fn answer_standings(&self, asks: Vec<(Vec<StreamId>, Option<IdempotencyKey>, Reply<Standing>)>) {
        if asks.is_empty() {
            return;
        }
        let mut distinct = Distinct::default();
        let mut keys = Vec::new();
        let asks: Vec<_> = asks
            .into_iter()
            .map(|(streams, key, reply)| {
                let key = key.map(|key| {
                    keys.push(key);
                    keys.len() - 1
                });
                (distinct.add(streams), key, reply)
            })
            .collect();
        // Streams before keys: whoever appended in between is found by the key, whoever did before by the streams.
        let found = async {
            let stood = self.stand(&distinct).await?;
            Ok::<_, StoreError>((stood, self.known_keys(&keys).await?))
        };
        let found = found.await;
        for (numbers, key, reply) in asks {
            let answer = found
                .as_ref()
                .map_err(Clone::clone)
                .map(|((ends, head), known)| Standing {
                    ends: numbers
                        .iter()
                        .filter_map(|number| ends.get(*number).copied())
                        .collect(),
                    key: key.and_then(|key| known.get(&key).copied()),
                    head: *head,
                });
            let _gone = reply.send(answer);
        }
    }

    async fn stand(&self, distinct: &Distinct) -> Result<(Vec<End>, i64), StoreError> {
        let (kinds, ids) = distinct.columns();
        let rows = self.session.read(STAND, &[&kinds, &ids]).await?;
        let end = |row: &tokio_postgres::Row| -> Result<End, Failure> {
            let Some(sequence) = row.try_get(0)? else {
                return Ok(End::default());
            };
            Ok(End {
                sequence,
                position: row.try_get(1)?,
                recorded_at: row.try_get(2)?,
            })
        };
        let ends = rows.iter().map(end).collect::<Result<_, _>>()?;
        let head = rows
            .first()
            .map(|row| row.try_get(3).map_err(Failure::from))
            .transpose()?;
        Ok((ends, head.unwrap_or_default()))
    }

    async fn known_keys(&self, keys: &[IdempotencyKey]) -> Result<HashMap<usize, KnownKey>, StoreError> {
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let scopes: Vec<&str> = keys.iter().map(|key| key.scope.as_str()).collect();
        let texts: Vec<&str> = keys.iter().map(|key| key.key.as_str()).collect();
        let rows = self.session.read(KEYS, &[&scopes, &texts]).await?;
        let read = |row: &tokio_postgres::Row| -> Result<_, Failure> {
            let number = usize::try_from(row.try_get::<_, i64>(0)? - 1).unwrap_or(usize::MAX);
            let fingerprint = row.try_get::<_, &[u8]>(1)?.try_into().unwrap_or([0; 32]);
            Ok((
                number,
                KnownKey {
                    fingerprint,
                    first: row.try_get(2)?,
                    last: row.try_get(3)?,
                },
            ))
        };
        rows.iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(StoreError::from)
    }
}

fn stored(row: &tokio_postgres::Row, stream: &StreamId) -> Result<Row, Failure> {
    Ok(Row {
        position: row.try_get(1)?,
        recorded_at: row.try_get(2)?,
        stream: stream.clone(),
        sequence: row.try_get(3)?,
        name: SmolStr::new(row.try_get::<_, &str>(4)?),
        version: SmolStr::new(row.try_get::<_, &str>(5)?),
        payload: row.try_get::<_, Json<'_>>(6)?.0.to_owned(),
        metadata: Arc::default(),
    })
}
