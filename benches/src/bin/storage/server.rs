//! A rankd server of our own: the program that was built together with this one.
//!
//! Invariant: it is gone when this is dropped.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::client::{Peer, Wire};
use crate::redis::free_address;

/// See the module's head.
pub(crate) struct Server {
    process: Child,
    _said: BufReader<ChildStdout>,
    pub(crate) peer: Peer,
    /// From the start of the process until it said that it is ready.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// Serves the data in `folder` over HTTP, and waits until it is ready.
    pub(crate) fn start(folder: &Path, durability: &str) -> Result<Self> {
        Self::start_with(folder, durability, &[])
    }

    /// The same, and over the Redis protocol, at the second address.
    pub(crate) fn start_both(folder: &Path, durability: &str) -> Result<(Self, Peer)> {
        let address = free_address()?;
        let server = Self::start_with(folder, durability, &["--resp", &address.to_string()])?;
        Ok((server, Peer { address, wire: Wire::Resp }))
    }

    fn start_with(folder: &Path, durability: &str, flags: &[&str]) -> Result<Self> {
        let program = env::current_exe()?.with_file_name("rankd");
        ensure!(
            program.is_file(),
            "{} is missing: cargo build --release -p rankd",
            program.display()
        );
        let begun = Instant::now();
        let mut process = Command::new(&program)
            .args(["serve", "--http", "127.0.0.1:0", "--log-level", "warn", "--data"])
            .arg(folder)
            .args(["--durability", durability, "--snapshot-log-bytes", "1024GiB"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut said = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        said.read_line(&mut line)?;
        let ready_after = begun.elapsed();
        let address = line.split_once("http://").map(|(_, rest)| rest);
        let address = address.and_then(|rest| rest.split('/').next());
        let address = address.with_context(|| format!("rankd is not ready; it said {line:?}"))?;
        let peer = Peer { address: address.parse()?, wire: Wire::Http };
        Ok(Self { process, _said: said, peer, ready_after })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already; what it acknowledged is on disk.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A line of what the kernel says of a process, in bytes.
pub(crate) fn memory_bytes(process: u32, field: &str) -> Result<usize> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find(|(name, _)| *name == field).map(|(_, value)| value);
    let kib = value.and_then(|value| value.trim().strip_suffix(" kB"));
    Ok(kib.with_context(|| format!("{path} has no {field}"))?.parse::<usize>()? * 1024)
}

/// Lets the kernel find the highest memory use of a process anew.
pub(crate) fn forget_peak(process: u32) -> Result<()> {
    let path = format!("/proc/{process}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
}
