//! A whole server of its parts: log, read models, policies, HTTP; starts them in order and stops them in the other one.
//!
//! Never starts or stops the database itself: whoever did that stops it after [`Server::shutdown`].

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    booking::{Bookings, Numbers},
    config::{Config, HttpArgs},
    http::{self, AdminToken, App, Bounds, Edge, Limits, Live, Parts},
    migrate,
    notify::{NoWay, Ports},
    oidc::Provider,
    policies::{Absences, Deadlines, Departures, Notifications, Openings, Refunds, Waitlists},
    postgres::Connect,
    shutdown::{Signal, told},
    store::{Store, StoreError, StoreSettings, Upcasters, runner::Projections},
    vault::{
        Credentials, Deliveries, Nonces, Places, Sessions, TicketKeys, Vault,
        leases::{LEASE_SECONDS, LeaseError, WorkerLease},
    },
};

/// Connections for questions to read models.
const READ_CONNECTIONS: u32 = 8;
/// How long a question waits for a connection.
const CONNECTION_WAIT: Duration = Duration::from_secs(2);
/// How long an idle connection is taken to be alive; no database comes back from the dead sooner.
const TRUSTED_FOR: Duration = Duration::from_millis(100);
/// How long answers that are under way may take when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often histograms are tidied and old idempotency keys are forgotten.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// Somebody listens there.
    #[error("port {0} is in use; choose another one with --port, for example --port {next}", next = .0.saturating_add(1))]
    PortInUse(u16),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The admin token is too easy.
    #[error(
        "the admin token must have at least {} characters and not begin with adm_ or cus_",
        http::ADMIN_TOKEN_LENGTH_MIN
    )]
    AdminToken,
    /// The log cannot be opened.
    #[error("the log cannot be opened: {0}")]
    Store(#[from] StoreError),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The ways of messages are set up wrongly.
    #[error(transparent)]
    NoWay(#[from] NoWay),
    /// No worker id is free.
    #[error(transparent)]
    Lease(#[from] LeaseError),
}

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The place a server will listen at, taken before anything is made for it. Nobody can connect before it is opened.
#[derive(Debug)]
pub struct Door {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Door {
    /// Takes the address, if nobody listens there.
    pub fn at(address: SocketAddr) -> Result<Self, NotStarted> {
        let failed = |source| refused(address, source);
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        };
        let socket = socket.map_err(failed)?;
        // What is left of the connections of an earlier server must not keep this one out.
        socket.set_reuseaddr(true).map_err(failed)?;
        socket.bind(address).map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// Lets whoever comes wait at it; answers where that is.
    fn open(self) -> Result<(TcpListener, SocketAddr), NotStarted> {
        let failed = |source| refused(self.address, source);
        let listener = self.socket.listen(BACKLOG).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok((listener, address))
    }
}

fn refused(address: SocketAddr, source: io::Error) -> NotStarted {
    if source.kind() == io::ErrorKind::AddrInUse {
        NotStarted::PortInUse(address.port())
    } else {
        NotStarted::Listen { address, source }
    }
}

/// The token that opens everything, if it is long enough.
pub fn admin_token(token: &str) -> Result<AdminToken, NotStarted> {
    AdminToken::new(token).ok_or(NotStarted::AdminToken)
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    store: Store,
    reads: PgPool,
    projections: Arc<Projections>,
    stop_http: watch::Sender<bool>,
    stop_work: watch::Sender<bool>,
    http: JoinHandle<()>,
    work: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts everything on a migrated database; returns when it takes requests.
    pub async fn start(config: Config) -> Result<Self, NotStarted> {
        // First, because it fails most often and costs least.
        let door = Door::at(config.http.listen())?;
        Self::start_at(door, config).await
    }

    /// The same where the address was taken before.
    pub async fn start_at(door: Door, config: Config) -> Result<Self, NotStarted> {
        http::metrics::start();
        let admin = config.admin_token.as_deref().map(admin_token).transpose()?;
        let ports = Ports::of(&config.notices)?;
        let (listener, address) = door.open()?;
        let database = migrate::as_runtime(&config.database).await?;
        let settings = StoreSettings {
            database: database.tokio_postgres(),
            upcasters: Upcasters::default(),
        };
        let store = Store::open(settings, Vault::new(&config.secret)).await?;
        let reads = reads(&database);
        let lease = WorkerLease::acquire(&reads).await?;
        let bookings =
            Bookings::new(store.clone(), Numbers::of(&lease)).taking(config.http.payments.provider());
        let (stop_http, http_stops) = watch::channel(false);
        let (stop_work, work_stops) = watch::channel(false);
        let limits = Limits::new(config.http.limits);
        let live = live(&store, &config.http, &http_stops);
        let projections = Arc::new(Projections::start(&store, &database.sqlx()));
        let deliveries = Deliveries::new(reads.clone());
        let language = config.notices.notice_language;
        let notifications = Notifications::new(
            store.clone(),
            bookings.clone(),
            deliveries.clone(),
            ports,
            language,
        );
        let credentials = Credentials::new(reads.clone(), store.vault());
        let departures = Departures::new(&store, &bookings, &reads, &projections, &credentials);
        let forgotten = departures.forgotten();
        let keeping = keep_lease(lease, bookings.clone(), reads.clone(), work_stops.clone());
        let mut work = policies(&store, &bookings, &reads, &database, &work_stops);
        work.extend([
            tokio::spawn(departures.run(work_stops.clone())),
            tokio::spawn(notifications.run(work_stops.clone())),
            tokio::spawn(keeping),
            tokio::spawn(upkeep(store.clone(), work_stops)),
        ]);
        let app = App::new(Parts {
            store: store.clone(),
            bookings,
            reads: reads.clone(),
            projections: Arc::clone(&projections),
            admin,
            limits,
            credentials,
            forgotten,
            sessions: Sessions::new(reads.clone()),
            places: Places::new(reads.clone()),
            provider: Provider::of(&config.http.oidc),
            nonces: Nonces::new(reads.clone()),
            ticket_keys: TicketKeys::new(reads.clone(), store.vault()),
            deliveries,
            live,
        });
        let edge = Edge::new(app, &config.http);
        let http = http::serve(listener, edge, Bounds::of(&config.http), http_stops, PATIENCE);
        Ok(Self {
            address,
            store,
            reads,
            projections,
            stop_http,
            stop_work,
            http: tokio::spawn(http),
            work,
        })
    }

    /// The log this server works on.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The read models this server answers from.
    #[must_use]
    pub const fn reads(&self) -> &PgPool {
        &self.reads
    }

    /// Stops in order: requests, policies and projections, the committer, connections. Nothing accepted is lost.
    pub async fn shutdown(self) {
        self.stop_http.send_replace(true);
        ended(self.http).await;
        self.stop_work.send_replace(true);
        for task in self.work {
            ended(task).await;
        }
        // The last handler has gone, so nobody else holds them.
        if let Some(projections) = Arc::into_inner(self.projections) {
            projections.close().await;
        }
        self.store.close().await;
        self.reads.close().await;
    }
}

/// The connections for questions to read models.
fn reads(database: &Connect) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READ_CONNECTIONS)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| Box::pin(still_there(connection, meta.idle_for)))
        .connect_lazy_with(database.sqlx())
}

/// Lets happen what happens by itself, but for messages, until the signal.
fn policies(
    store: &Store,
    bookings: &Bookings,
    reads: &PgPool,
    database: &Connect,
    stop: &Signal,
) -> Vec<JoinHandle<()>> {
    let deadlines = Deadlines::new(store.clone(), bookings.clone(), database.sqlx());
    let absences = Absences::new(store.clone(), bookings.clone(), database.sqlx());
    let openings = Openings::new(store.clone());
    let waitlists = Waitlists::new(store.clone(), bookings.clone(), reads.clone());
    let refunds = Refunds::new(store.clone(), bookings.clone(), database.sqlx());
    let mut running = vec![
        tokio::spawn(deadlines.run(stop.clone())),
        tokio::spawn(absences.run(stop.clone())),
        tokio::spawn(openings.run(stop.clone())),
        tokio::spawn(waitlists.run(stop.clone())),
    ];
    running.extend(refunds.map(|refunds| tokio::spawn(refunds.run(stop.clone()))));
    running
}

fn live(store: &Store, settings: &HttpArgs, stop: &Signal) -> Live {
    let per_address_max = settings.listeners_per_address_max;
    Live::new(
        store.feed(),
        settings.listeners_max,
        per_address_max,
        stop.clone(),
    )
}

/// Whether a connection that was idle can still be used: after a restart of the database none of the old ones can.
/// Under load none is idle for long, so nothing is asked twice.
async fn still_there(connection: &mut PgConnection, idle: Duration) -> sqlx::Result<bool> {
    Ok(idle < TRUSTED_FOR || connection.ping().await.is_ok())
}

async fn ended(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(%error, "a part of the server failed");
    }
}

async fn keep_lease(mut lease: WorkerLease, bookings: Bookings, pool: PgPool, mut stop: Signal) {
    let every = Duration::from_secs(u64::from(LEASE_SECONDS / 3));
    while tokio::time::timeout(every, told(&mut stop)).await.is_err() {
        if let Err(error) = bookings.keep_numbering(&mut lease, &pool).await {
            tracing::warn!(%error, "the worker id could not be renewed");
        }
    }
}

async fn upkeep(store: Store, mut stop: Signal) {
    while tokio::time::timeout(UPKEEP_EVERY, told(&mut stop)).await.is_err() {
        http::metrics::upkeep();
        let forgotten = tokio::select! {
            forgotten = store.forget_old_keys() => forgotten,
            // What is left is forgotten by whoever runs next.
            () = told(&mut stop) => return,
        };
        if let Err(error) = forgotten {
            tracing::warn!(%error, "old idempotency keys could not be forgotten");
        }
    }
}
