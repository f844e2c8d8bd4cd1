//! A Redis server of our own, on a free port of this machine.
//!
//! What it is not: the machine's Redis, which is left alone. Invariant: it is gone when this is
//! dropped.

use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::client::{Peer, Wire};

const PROGRAM: &str = "redis-server";
/// It writes its log as well as it serves, and neither by itself.
const QUIET: [&str; 4] = ["--save", "", "--daemonize", "no"];
/// Every write is on disk before it is answered.
pub(crate) const ALWAYS: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"];
/// Nothing is written but what is asked for.
pub(crate) const NEVER: [&str; 2] = ["--appendonly", "no"];

/// See the module's head.
pub(crate) struct Redis {
    process: Child,
    _log: BufReader<ChildStdout>,
    pub(crate) peer: Peer,
    /// From the start of the process until it accepted connections with everything loaded.
    pub(crate) ready_after: Duration,
}

impl Redis {
    /// Serves the data in `folder`, and waits until it is loaded.
    pub(crate) fn start(folder: &Path, persistence: &[&str]) -> Result<Self> {
        let address = free_address()?;
        let begun = Instant::now();
        let mut process = Command::new(PROGRAM)
            .current_dir(folder)
            .args(["--bind", "127.0.0.1", "--port", &address.port().to_string()])
            .args(QUIET)
            .args(persistence)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| explained(&error))?;
        let mut log = BufReader::new(process.stdout.take().expect("it is piped"));
        wait(&mut log)?;
        let ready_after = begun.elapsed();
        Ok(Self { process, _log: log, peer: Peer { address, wire: Wire::Resp }, ready_after })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be gone already, and has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address of this machine that nobody listens at.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn explained(error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::NotFound => {
            anyhow::anyhow!("{PROGRAM} is not on PATH (on Debian: apt-get install {PROGRAM})")
        }
        _ => anyhow::anyhow!("cannot start {PROGRAM}: {error}"),
    }
}

/// Waits until the log says that connections are accepted, which is after loading.
fn wait(log: &mut BufReader<ChildStdout>) -> Result<()> {
    let mut said = String::new();
    while log.read_line(&mut said)? > 0 {
        if said.to_lowercase().contains("ready to accept connections") {
            return Ok(());
        }
    }
    bail!("{PROGRAM} ended at once: {said}")
}

/// The first word after `v=` in what the program says of its version.
pub(crate) fn version() -> Result<String> {
    let output =
        Command::new(PROGRAM).arg("--version").output().map_err(|error| explained(&error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.map(str::to_owned).with_context(|| format!("no version in {text:?}"))
}
