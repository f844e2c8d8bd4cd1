//! A Redis server of our own: started on a Unix socket in a temporary folder, ended with its owner.
//!
//! What it is not: the machine's Redis, which is left alone. Invariant: it writes nothing to disk,
//! and it is gone when this is dropped.

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::resp::Connection;
use crate::memory::resident_bytes_of;

const PROGRAM: &str = "redis-server";

/// See the module's head.
pub(crate) struct Server {
    process: Child,
    /// Kept open, because the server goes on writing its log there.
    log: BufReader<ChildStdout>,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut process = command(&folder).spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                anyhow::anyhow!("{PROGRAM} is not on PATH (on Debian: apt-get install {PROGRAM})")
            }
            _ => anyhow::anyhow!("cannot start {PROGRAM}: {error}"),
        })?;
        let log = process.stdout.take().expect("it is piped");
        let mut server = Self { process, log: BufReader::new(log), folder };
        server.wait()?;
        Ok(server)
    }

    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(&self.folder.path().join("socket"))
    }

    pub(crate) fn resident_bytes(&self) -> Result<usize> {
        resident_bytes_of(&self.process.id().to_string())
    }

    /// Waits until the log says that connections are accepted.
    fn wait(&mut self) -> Result<()> {
        let mut log = String::new();
        while self.log.read_line(&mut log)? > 0 {
            if log.to_lowercase().contains("ready to accept connections") {
                return Ok(());
            }
        }
        bail!("{PROGRAM} ended at once: {log}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The first word after `v=` in what the program says of its version.
pub(crate) fn version() -> Result<String> {
    let output = Command::new(PROGRAM).arg("--version").output();
    let output = output.with_context(|| format!("cannot start {PROGRAM}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.map(str::to_owned).with_context(|| format!("no version in {text:?}"))
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
    let arguments = ["--port", "0", "--unixsocket", "socket", "--save", "", "--appendonly", "no"];
    command.args(arguments);
    command
}
