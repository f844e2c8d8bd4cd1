//! The load: `rankd-load` in this process.
//!
//! Invariant: a pinned load runs on the clients' core, with all that it starts, and no error is
//! passed over unless it is what was asked for. Cost: the test's.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rankd_benches::servers::{CLIENT_CORE, SERVER_CORE};
use rankd_load::{Interval, Mix, Pace, Plan, Report};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::server::Server;

/// Where server and clients run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) server: Option<usize>,
    client: Option<usize>,
}

impl Place {
    pub(crate) const PINNED: Self = Self { server: Some(SERVER_CORE), client: Some(CLIENT_CORE) };
    pub(crate) const ANYWHERE: Self = Self { server: None, client: None };

    pub(crate) fn name(self) -> &'static str {
        match self.server {
            Some(_) => "server on one core, clients on another",
            None => "server and clients on any core",
        }
    }

    /// Moves this thread, and what it starts from now on, to the clients' place.
    pub(crate) fn take(self) -> Result<()> {
        let mut cores = CpuSet::new();
        match self.client {
            Some(core) => cores.set(core),
            None => (0..CpuSet::MAX_CPU).for_each(|core| cores.set(core)),
        }
        sched_setaffinity(None, &cores).context("cannot choose the clients' core")?;
        let count = sched_getaffinity(None)?.count();
        ensure!(count > 1 || self.client.is_some(), "there is only one core");
        Ok(())
    }
}

/// What a load found, and how busy its own side was.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) report: Report,
    /// Processor time of the clients for each second, while the load was counted.
    pub(crate) client_share: f64,
}

impl Loaded {
    /// Processor time of the server for each second.
    pub(crate) fn server_share(&self) -> f64 {
        self.report.server.map_or(f64::NAN, |used| used.cpu_s / self.report.duration_s)
    }
}

/// A plan that the scenarios vary.
pub(crate) fn plan(server: &Server, mix: &str, seconds: u64) -> Result<Plan> {
    Ok(Plan {
        warmup: Duration::from_millis(500),
        duration: Duration::from_secs(seconds),
        board: server.board.to_owned(),
        members: server.members,
        mix: Mix::parse(mix)?,
        ..Plan::default()
    })
}

/// The pace of so many requests a second.
pub(crate) fn open(rate_per_s: f64) -> Pace {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
    let rate_per_s = rate_per_s as u64;
    Pace::Open { rate_per_s: rate_per_s.max(1) }
}

/// Runs a plan; nothing may be refused.
pub(crate) fn run(
    server: &Server,
    plan: &Plan,
    mut progress: impl FnMut(&Interval),
) -> Result<Loaded> {
    let mut samples = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(rankd_load::run(&server.target, plan, |interval| {
        samples.push((interval.at_s, own_cpu_s()));
        progress(interval);
    }))?;
    let complaint = report.first_error.as_deref().unwrap_or_default();
    ensure!(report.errors == 0, "{} requests were refused: {complaint}", report.errors);
    let client_share = match (samples.first(), samples.last()) {
        (Some(first), Some(last)) => (last.1 - first.1) / (last.0 - first.0),
        _ => f64::NAN,
    };
    Ok(Loaded { report, client_share })
}

/// Processor time of this process, in seconds.
fn own_cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a process has far fewer than 2^53 seconds")]
    let seconds = time.tv_sec as f64 + time.tv_nsec as f64 / 1e9;
    seconds
}
