//! Half of what the server can do, with writes among it and a snapshot in the middle.
//!
//! Invariant: the snapshot is begun and finished while latencies are counted, or it is an error.
//! Cost: a closed loop, then an open one of three times its length.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rankd_load::{Latency, Operation, Pace, Plan};

use crate::load;
use crate::server::Server;

/// The workload: reads, and a write in ten requests.
pub(crate) const MIX: &str = "rank=90,update=10";

/// What one round found.
#[derive(Debug, Clone)]
pub(crate) struct Paced {
    /// The closed loop's rate.
    pub(crate) peak_per_s: f64,
    /// The open loop's.
    pub(crate) rate_per_s: f64,
    pub(crate) reads: Latency,
    pub(crate) writes: Latency,
    pub(crate) snapshot: Duration,
    pub(crate) unanswered: u64,
}

pub(crate) fn run(server: &Server, seconds: u64) -> Result<Paced> {
    let closed = load::plan(server, MIX, seconds)?;
    let peak_per_s = load::run(server, &closed, |_| ())?.report.requests_per_s;
    let rate_per_s = peak_per_s / 2.0;
    let open: Pace = load::open(rate_per_s);
    // Wide enough for a stall: what is due then is not held back by the connection.
    let open = Plan { pace: open, pipeline: 16, ..load::plan(server, MIX, 3 * seconds)? };
    let mut snapshot = None;
    let address = server.address;
    let paced = load::run(server, &open, |_| {
        snapshot.get_or_insert_with(|| {
            std::thread::spawn(move || {
                let begun = Instant::now();
                Server::snapshot(address).map(|()| begun.elapsed())
            })
        });
    })?;
    let snapshot = snapshot.context("the load was too short for a snapshot")?;
    let took = snapshot.join().ok().context("the snapshot's thread panicked")??;
    let rest = Duration::from_secs(3 * seconds - 1);
    ensure!(took < rest, "the snapshot took {took:?}, longer than the load; use more --seconds");
    let latency = |operation| {
        let found = paced.report.operations.iter().find(|one| one.operation == operation);
        found.map(|one| one.latency).context("an operation is missing")
    };
    Ok(Paced {
        peak_per_s,
        rate_per_s,
        reads: latency(Operation::Rank)?,
        writes: latency(Operation::Update)?,
        snapshot: took,
        unanswered: paced.report.unanswered,
    })
}
