//! The servers that are compared: started on free ports, waited for, and ended with this program.
//!
//! Invariant: a server that is not installed, or does not come up, ends the run with its name.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rankd_benches::servers::{Process, SERVER_CORE, announced, on_core, start_rankd};

use crate::cases::{BOARD, Case};

/// How long a server may take to come up.
const START: Duration = Duration::from_secs(30);

/// All servers.
pub(crate) struct Running {
    pub(crate) rankd: String,
    pub(crate) webdis: String,
    pub(crate) nginx: String,
    /// One a case, because each has its own size of body.
    pub(crate) bare: Vec<(Case, String)>,
    _processes: Vec<Process>,
}

/// Starts them all, and fills those that hold members.
pub(crate) fn start(folder: &Path, rankd: &Path, members: u64, pinned: bool) -> Result<Running> {
    let launch = Launcher { folder, pinned };
    let mut processes = Vec::new();
    let mut up = |(process, port): (Process, u16)| {
        processes.push(process);
        format!("http://127.0.0.1:{port}")
    };
    let rankd_url = up(start_rankd(rankd, folder, launch.core(), &[])?);
    let (redis, redis_port) = launch.redis()?;
    let webdis = up(launch.webdis(redis_port)?);
    for url in [&rankd_url, &format!("redis://127.0.0.1:{redis_port}")] {
        fill(rankd, url, members)?;
    }
    let sizes = Case::ALL.map(|case| (case, body_bytes(&rankd_url, case)));
    let nginx = up(launch.nginx(&sizes)?);
    let mut bare = Vec::new();
    for (case, bytes) in sizes {
        bare.push((case, up(launch.bare(bytes?)?)));
    }
    processes.push(redis);
    Ok(Running { rankd: rankd_url, webdis, nginx, bare, _processes: processes })
}

/// Fills a board, or a sorted set, by a test of no length to speak of.
fn fill(rankd: &Path, url: &str, members: u64) -> Result<()> {
    let members = members.to_string();
    let status = Command::new(rankd)
        .args(["bench", url, "--board", BOARD, "--members", &members])
        .args(["--duration", "100ms", "--warmup", "0s", "--mix", "rank"])
        .stdout(Stdio::null())
        .status()
        .context("cannot run rankd")?;
    ensure!(status.success(), "{url} cannot be filled");
    Ok(())
}

/// How long rankd's answer to a case is.
fn body_bytes(url: &str, case: Case) -> Result<usize> {
    let address = url.trim_start_matches("http://");
    let (method, path, body) = case.example();
    let mut stream = TcpStream::connect(address).context("cannot connect to rankd")?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    ensure!(reply.starts_with("HTTP/1.1 200 "), "rankd answers {reply:?}");
    let body = reply.split_once("\r\n\r\n").map(|(_, body)| body.len());
    body.context("rankd's answer has no body")
}

/// How servers are started.
struct Launcher<'f> {
    folder: &'f Path,
    pinned: bool,
}

impl Launcher<'_> {
    fn core(&self) -> Option<usize> {
        self.pinned.then_some(SERVER_CORE)
    }

    /// A command on the servers' core.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        on_core(self.core(), program)
    }

    fn bare(&self, body_bytes: usize) -> Result<(Process, u16)> {
        let own = std::env::current_exe().context("this program has no path")?;
        let mut command = self.command(own);
        command.args(["bare", "127.0.0.1:0", &body_bytes.to_string()]);
        announced(command, "listening on 127.0.0.1:")
    }

    fn redis(&self) -> Result<(Process, u16)> {
        let port = free_port()?;
        let mut command = self.command("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        listening(command, "redis-server", port)
    }

    fn webdis(&self, redis_port: u16) -> Result<(Process, u16)> {
        let port = free_port()?;
        let path = self.folder.join("webdis.json");
        let log = self.folder.join("webdis.log");
        let settings = format!(
            "{{\"redis_host\": \"127.0.0.1\", \"redis_port\": {redis_port}, \"redis_auth\": null, \
             \"http_host\": \"127.0.0.1\", \"http_port\": {port}, \"threads\": 1, \
             \"pool_size\": 20, \"daemonize\": false, \"database\": 0, \"acl\": [], \
             \"verbosity\": 1, \"logfile\": {log:?}}}"
        );
        fs::write(&path, settings)?;
        let mut command = self.command("webdis");
        command.arg(path);
        listening(command, "webdis", port)
    }

    fn nginx(&self, sizes: &[(Case, Result<usize>)]) -> Result<(Process, u16)> {
        let port = free_port()?;
        let bytes = sizes.iter().find_map(|(case, bytes)| match (case, bytes) {
            (Case::Rank, Ok(bytes)) => Some(*bytes),
            _ => None,
        });
        let folder = self.folder.display();
        let body = "x".repeat(bytes.context("rankd did not tell the size of a rank")?);
        let settings = format!(
            "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; \
             client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; \
             fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; \
             scgi_temp_path {folder}/scgi; default_type application/json;\n\
             server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }} }}\n"
        );
        let path = self.folder.join("nginx.conf");
        fs::write(&path, settings)?;
        let mut command = self.command("nginx");
        command.arg("-c").arg(path).stderr(Stdio::null());
        listening(command, "nginx", port)
    }
}

/// Starts a server that is told where to listen.
fn listening(mut command: Command, program: &str, port: u16) -> Result<(Process, u16)> {
    let child = command.stdout(Stdio::null()).spawn();
    let advice = || format!("cannot start {program}; install it with: apt-get install {program}");
    let process = Process::new(child.with_context(advice)?);
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(started.elapsed() < START, "{program} does not listen; {}", advice());
        std::thread::yield_now();
    }
    Ok((process, port))
}

/// A port that was free a moment ago, for servers that do not choose one themselves.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
