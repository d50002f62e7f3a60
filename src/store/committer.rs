//! Group commit: one task takes whatever commands wait and appends them together, each with its own verdict.
//! Never waits for more commands to come, never lets one command spoil its neighbours, never answers what it did not see.

mod lane;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aggregates::StreamId;
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};
use tokio_postgres::Config;

use super::{
    batch::Touched,
    clock::Clock,
    command::{Append, Verdict},
    error::StoreError,
    feed::Feed,
};
use lane::{Lane, Learned};

/// Commands that may wait in the channel, and as many again in the dispatcher; beyond that the store is unavailable,
/// which says so early instead of late.
const QUEUE_MAX: usize = 8_192;
/// How long a command may wait to be sent, retries after a lost connection included; its last sending may take longer.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Batches on their way at once: while one is in its commit, the next is sent and read.
const LANES: usize = 2;

/// The one way into the log for this process.
pub(crate) struct Committer {
    /// None once it is closed.
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    task: AsyncMutex<Option<JoinHandle<()>>>,
}

/// A command and whoever waits for it.
struct Job {
    append: Append,
    answer: oneshot::Sender<Result<Verdict, StoreError>>,
    deadline: Instant,
    /// It had to wait for a command before it that touches the same.
    put_off: bool,
}

impl Job {
    fn answer(self, verdict: Result<Verdict, StoreError>) {
        // Whoever asked may have gone; what was appended stays appended.
        let _gone = self.answer.send(verdict);
    }
}

impl Committer {
    /// Starts the task.
    pub fn start(config: &Config, clock: Arc<Clock>, feed: Feed) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE_MAX);
        let lanes = (0..LANES)
            .map(|_| Lane::new(config, Arc::clone(&clock), feed.clone()))
            .collect();
        let dispatcher = Dispatcher {
            jobs,
            open: true,
            waiting: VecDeque::new(),
            put_off: 0,
            idle: lanes,
            flying: Vec::new(),
        };
        Self {
            queue: Mutex::new(Some(queue)),
            task: AsyncMutex::new(Some(tokio::spawn(dispatcher.run()))),
        }
    }

    /// Appends one command together with others; answers when it is committed or refused.
    pub async fn append(&self, append: Append) -> Result<Verdict, StoreError> {
        let (answer, verdict) = oneshot::channel();
        let job = Job {
            append,
            answer,
            deadline: Instant::now() + WAIT_MAX,
            put_off: false,
        };
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let closed = || StoreError::Unavailable("it is shutting down".to_owned());
        queue
            .ok_or_else(closed)?
            .try_send(job)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    StoreError::Unavailable("too many commands are waiting".to_owned())
                }
                mpsc::error::TrySendError::Closed(_) => closed(),
            })?;
        verdict.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Whether commands are still taken.
    pub fn is_open(&self) -> bool {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.as_ref().is_some_and(|queue| !queue.is_closed())
    }

    /// Finishes what was accepted, then ends; from now on every command is refused.
    pub async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the committer failed");
        }
    }
}

type Landing = BoxFuture<'static, (Lane, Learned)>;

struct Dispatcher {
    jobs: mpsc::Receiver<Job>,
    open: bool,
    waiting: VecDeque<Job>,
    /// How many of those must wait for a batch on its way.
    put_off: usize,
    idle: Vec<Lane>,
    /// What the batches on their way touch, by lane.
    flying: Vec<(usize, Touched)>,
}

impl Dispatcher {
    async fn run(mut self) {
        let mut landings: FuturesUnordered<Landing> = FuturesUnordered::new();
        loop {
            self.take_in();
            if let Some(landing) = self.take_off() {
                landings.push(landing);
                continue;
            }
            if !self.open && self.waiting.is_empty() && landings.is_empty() {
                return;
            }
            tokio::select! {
                job = self.jobs.recv(), if self.open && self.waiting.len() < QUEUE_MAX => match job {
                    Some(job) => self.waiting.push_back(job),
                    None => self.open = false,
                },
                Some((lane, learned)) = landings.next() => self.land(lane, &learned),
            }
        }
    }

    /// Takes whatever has come, without waiting for it.
    fn take_in(&mut self) {
        while self.waiting.len() < QUEUE_MAX {
            match self.jobs.try_recv() {
                Ok(job) => self.waiting.push_back(job),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    self.open = false;
                    break;
                }
            }
        }
    }

    /// Sends the next batch if that is worth it: at once if nothing is on its way, else only one of a fair size, because
    /// it would wait for the other's commit anyway and grow meanwhile.
    fn take_off(&mut self) -> Option<Landing> {
        let fair = self
            .flying
            .iter()
            .map(|(_, touched)| touched.commands().div_ceil(2))
            .max()
            .unwrap_or(0);
        let ready = self.waiting.len() - if self.flying.is_empty() { 0 } else { self.put_off };
        if self.waiting.is_empty() || ready < fair || self.idle.is_empty() {
            return None;
        }
        let (batch, touched) = self.batch();
        if batch.is_empty() {
            return None;
        }
        let lane = self.idle.pop()?;
        self.flying.push((lane.number(), touched));
        metrics::histogram!("jari_log_batch_commands").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        Some(Box::pin(lane.fly(batch)))
    }

    /// The commands that may go together now, in the order they came; the others stay.
    fn batch(&mut self) -> (Vec<Job>, Touched) {
        let now = Instant::now();
        let mut touched = Touched::default();
        let mut batch = Vec::new();
        let mut staying = VecDeque::new();
        while let Some(mut job) = self.waiting.pop_front() {
            if job.deadline <= now || job.answer.is_closed() {
                job.answer(Err(StoreError::Unavailable(
                    "the command waited too long".to_owned(),
                )));
            } else if !touched.has_room_for(&job.append) {
                staying.push_back(job);
                break;
            } else if touched.is_free_for(&job.append)
                && self
                    .flying
                    .iter()
                    .all(|(_, flying)| flying.may_precede(&job.append))
            {
                touched.add(&job.append);
                batch.push(job);
            } else {
                job.put_off = true;
                staying.push_back(job);
            }
        }
        staying.append(&mut self.waiting);
        self.put_off = staying.iter().filter(|job| job.put_off).count();
        self.waiting = staying;
        (batch, touched)
    }

    /// A batch is answered: its lane is free, and commands that were put off because of it may be answered by what it
    /// did, without a round trip.
    fn land(&mut self, lane: Lane, learned: &Learned) {
        self.flying.retain(|(number, _)| *number != lane.number());
        self.idle.push(lane);
        self.put_off = 0;
        for mut job in std::mem::take(&mut self.waiting) {
            match std::mem::take(&mut job.put_off)
                .then(|| learned.verdict(&job.append))
                .flatten()
            {
                Some(verdict) => job.answer(Ok(verdict)),
                None => self.waiting.push_back(job),
            }
        }
    }
}

/// A stream and where it stands now.
type Stands = (StreamId, i64);
