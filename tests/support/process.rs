//! The server as its own process, to be started, killed and started again; never reaches into it.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

use super::{
    api::{Api, Call},
    journal::Journal,
    waiting::eventually,
};

/// What admins send in these tests.
pub const ADMIN_TOKEN: &str = "only-for-tests-0123456789abcdef";
/// Below the ports that the system gives to outgoing connections, so that a restart finds its own free.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
/// How much of a server's output a failed test shows.
const OUTPUT_SHOWN: usize = 4_000;

static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Where the database is: a variable of the program and its value.
type Place = (&'static str, String);

/// `jari serve` on a database of the test's.
pub struct Server {
    database: Place,
    port: u16,
    output: PathBuf,
    child: Child,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(database_url: &str) -> Self {
        Self::on(("JARI_DATABASE_URL", database_url.to_owned())).await
    }

    /// Starts it on a private database of its own, with its data here.
    pub async fn start_private(data_dir: &Path) -> Self {
        Self::on(("JARI_DATA_DIR", data_dir.display().to_string())).await
    }

    async fn on(database: Place) -> Self {
        raise_file_limit();
        let port = free_port();
        let output = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("server-{}-{port}.log", std::process::id()));
        let child = spawn(&database, port, &output);
        let mut server = Self {
            database,
            port,
            output,
            child,
        };
        server.ready().await;
        server
    }

    /// A client that writes into this journal.
    pub fn api(&self, journal: &Arc<Journal>) -> Api {
        Api::new(self.port, Arc::clone(journal))
    }

    /// All it has written into its log so far.
    pub fn said(&self) -> String {
        let text = fs::read(&self.output).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Ends it without any warning.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Lets it stand still, as a machine does that is out of reach: its connections stay open.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("it runs");
    }

    /// Lets a frozen one go on.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("it runs");
    }

    /// Starts it again where it was, and waits until it is ready.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.database, self.port, &self.output);
        self.ready().await;
    }

    /// Asks it to end, as an operator does.
    pub fn stop(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
        self.child.wait().expect("it ends")
    }

    async fn ready(&mut self) {
        let api = Api::new(self.port, Arc::default());
        let (child, output) = (std::sync::Mutex::new(&mut self.child), &self.output);
        eventually("the server is ready", || async {
            let ended = child
                .lock()
                .expect("nobody panicked")
                .try_wait()
                .expect("it was started");
            assert!(ended.is_none(), "the server ended, {ended:?}:\n{}", tail(output));
            let answer = api.send(&Call::get("/health/ready")).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already, as a rule.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "the server on port {} said last:\n{}",
                self.port,
                tail(&self.output)
            );
        } else {
            let _ = fs::remove_file(&self.output);
        }
    }
}

/// Another command of the program on the same database, run to its end.
pub async fn jari(database_url: &str, arguments: &[&str]) -> Output {
    let mut command = command(&("JARI_DATABASE_URL", database_url.to_owned()));
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("the program starts"))
        .await
        .expect("it ends")
}

/// `jari verify` finds nothing wrong.
pub async fn verifies(database_url: &str) {
    let output = jari(database_url, &["verify"]).await;
    assert!(
        output.status.success(),
        "jari verify: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The program without the settings of the caller's environment.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jari"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JARI_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// The program with the settings of these tests.
pub fn command((place, database): &Place) -> Command {
    let mut command = program();
    command
        .env(place, database)
        .env("JARI_SECRET", "07".repeat(32))
        .env("JARI_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("JARI_RATE_LIMIT", "10000000")
        .env("JARI_GUESS_LIMIT", "10000000")
        .env("JARI_COUPON_FAILURE_LIMIT", "10000000")
        .env("JARI_PLACEMENT_LIMIT", "10000000")
        .env("JARI_PLACEMENTS_PER_ADDRESS", "10000000")
        .env("JARI_CONNECTIONS_PER_ADDRESS_MAX", "10000")
        .env("JARI_REQUESTS_PER_ADDRESS_MAX", "4000");
    command
}

fn spawn(database: &Place, port: u16, output: &PathBuf) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(output)
        .expect("the folder for test files");
    command(database)
        .args(["serve", "--port", &port.to_string()])
        // All that our own code ever says, so that tests can look for what it must not.
        .env("JARI_LOG", "info,jari=trace")
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn()
        .expect("the program starts")
}

fn free_port() -> u16 {
    let size = PORTS.end - PORTS.start;
    let first = u16::try_from(std::process::id() % u32::from(size)).expect("below the size");
    let candidates = std::iter::repeat_with(|| NEXT_PORT.fetch_add(1, Ordering::Relaxed));
    candidates
        .take(usize::from(size))
        .map(|number| PORTS.start + (first.wrapping_add(number)) % size)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

fn tail(output: &PathBuf) -> String {
    let text = fs::read(output).unwrap_or_default();
    String::from_utf8_lossy(&text[text.len().saturating_sub(OUTPUT_SHOWN)..]).into_owned()
}

/// Hundreds of sockets: as many files as this process may have.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where it is refused, the tests that need more files say so themselves.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
}
