//! The server under test, and what is asked of it beside the load.
//!
//! Invariant: it holds the members before anything is measured. Cost: filling takes seconds.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rankd_benches::servers::{Process, start_rankd};
use rankd_load::{Plan, Target};

use crate::Arguments;
use crate::load::Place;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections beside those of the crowd.
const ROOM: usize = 5_000;

/// A rankd with one full board.
pub(crate) struct Server {
    process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) target: Target,
    pub(crate) board: &'static str,
    pub(crate) members: u64,
    before_crowds: OnceLock<usize>,
}

impl Server {
    pub(crate) fn start(
        rankd: &Path,
        folder: &Path,
        place: Place,
        arguments: &Arguments,
    ) -> Result<Self> {
        let connections_max = (arguments.crowd + ROOM).to_string();
        let settings = ["--connections-max", &connections_max];
        let (process, port) = start_rankd(rankd, folder, place.server, &settings)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let target = Target::parse(&format!("http://{address}"))?;
        let (board, members) = ("bench", arguments.members);
        let plan = Plan { board: board.to_owned(), members, ..Plan::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(rankd_load::prepare(&target, &plan, |_| ()))?;
        let before_crowds = OnceLock::new();
        Ok(Self { process, address, target, board, members, before_crowds })
    }

    /// Memory of the server that is in RAM, in bytes.
    pub(crate) fn resident_bytes(&self) -> Result<usize> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).context("the server is gone")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
        Ok(1024 * kib.parse::<usize>()?)
    }

    /// The same, before the first crowd came: what it holds on to afterwards counts as the crowd's.
    pub(crate) fn resident_before_crowds(&self) -> Result<usize> {
        let now = self.resident_bytes()?;
        Ok(*self.before_crowds.get_or_init(|| now))
    }

    /// Has it write a snapshot.
    pub(crate) fn snapshot(address: SocketAddr) -> Result<()> {
        ask(address, "POST /v1/snapshots")
    }

    /// It is there and answers, after all that was done to it.
    pub(crate) fn check_answers(&self) -> Result<()> {
        ask(self.address, "GET /readyz")
    }
}

/// Asks on a connection of its own; anything but 200 is an error.
fn ask(address: SocketAddr, question: &str) -> Result<()> {
    let mut stream = TcpStream::connect(address).context("the server does not listen")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{question} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    ensure!(reply.starts_with("HTTP/1.1 200 "), "{question}: {reply:?}");
    Ok(())
}
