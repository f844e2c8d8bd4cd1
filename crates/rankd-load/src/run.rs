//! A test from its first connection to its report.
//!
//! Invariant: the load begins when every connection is there, and the server's use of the machine
//! is read at the same moments that the counting begins and ends. Cost: `threads` threads for the
//! load; the caller's task collects what they count, once an interval.

use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep_until;

use crate::connection::{self, Shared, Times, open};
use crate::error::LoadError;
use crate::local::Local;
use crate::plan::Plan;
use crate::recorder::{Recorder, Tally};
use crate::report::{Interval, Report};
use crate::target::Target;
use crate::wire::Wire;

/// Between the last connection and the first request.
const LEAD: Duration = Duration::from_millis(20);
/// Most intervals of a report.
const INTERVALS_MAX: u32 = 120;

/// Runs the test; `progress` sees each interval that is counted when it is over.
///
/// # Errors
/// The plan is outside its limits, the target cannot be reached, or the system refuses threads.
pub async fn run(
    target: &Target,
    plan: &Plan,
    mut progress: impl FnMut(&Interval),
) -> Result<Report, LoadError> {
    plan.check()?;
    let mut workers = Vec::new();
    for number in 0..plan.threads.min(plan.connections) {
        workers.push(Worker::start(target, plan, number)?);
    }
    for worker in &mut workers {
        worker.connected().await?;
    }
    let times = Times::new(Instant::now() + LEAD, plan);
    for worker in &mut workers {
        worker.begin(times);
    }
    let local = Local::of(target);
    sleep_until(times.counted_from.into()).await;
    let before = local.as_ref().and_then(Local::sample);
    let mut collector = Collector { workers: &workers, total: Tally::default() };
    let intervals = collector.intervals(times, plan, &mut progress).await;
    let after = local.as_ref().and_then(Local::sample);
    let mut total = collector.total;
    for worker in &mut workers {
        worker.ended().await;
        total.add(&worker.recorder.take());
    }
    let server = local.and_then(|local| local.between(before?, after?, total.answered));
    Ok(Report::new(target, plan, &total, intervals, server))
}

/// Gathers what the threads count.
struct Collector<'w> {
    workers: &'w [Worker],
    total: Tally,
}

impl Collector<'_> {
    async fn intervals(
        &mut self,
        times: Times,
        plan: &Plan,
        progress: &mut impl FnMut(&Interval),
    ) -> Vec<Interval> {
        let length = (plan.duration / INTERVALS_MAX).max(Duration::from_secs(1));
        let (mut intervals, mut begun) = (Vec::new(), times.counted_from);
        while begun < times.end {
            let ended = (begun + length).min(times.end);
            sleep_until(ended.into()).await;
            let mut tally = Tally::default();
            for worker in self.workers {
                tally.add(&worker.recorder.take());
            }
            let at = ended.saturating_duration_since(times.counted_from);
            let interval = Interval::new(at, ended - begun, &tally);
            progress(&interval);
            intervals.push(interval);
            self.total.add(&tally);
            begun = ended;
        }
        intervals
    }
}

/// A thread with its share of the connections.
struct Worker {
    recorder: Arc<Recorder>,
    connected: oneshot::Receiver<Result<(), LoadError>>,
    begin: Option<oneshot::Sender<Times>>,
    ended: oneshot::Receiver<()>,
    _thread: JoinHandle<()>,
}

impl Worker {
    fn start(target: &Target, plan: &Plan, number: usize) -> Result<Self, LoadError> {
        let recorder = Arc::new(Recorder::default());
        let shared = Shared {
            target: target.clone(),
            plan: plan.clone(),
            wire: Wire::new(target, plan),
            recorder: Arc::clone(&recorder),
        };
        let (connected_sender, connected) = oneshot::channel();
        let (begin, begin_receiver) = oneshot::channel();
        let (ended_sender, ended) = oneshot::channel();
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(LoadError::System)?;
        let work = move || {
            let shared = Rc::new(shared);
            LocalSet::new().block_on(&runtime, async {
                work(shared, number, connected_sender, begin_receiver).await;
            });
            // Nobody waits if the test was given up.
            let _ = ended_sender.send(());
        };
        let thread = std::thread::Builder::new()
            .name(format!("load-{number}"))
            .spawn(work)
            .map_err(LoadError::System)?;
        Ok(Self { recorder, connected, begin: Some(begin), ended, _thread: thread })
    }

    async fn connected(&mut self) -> Result<(), LoadError> {
        let lost = |_| LoadError::System(std::io::Error::other("a thread ended early"));
        (&mut self.connected).await.map_err(lost)?
    }

    fn begin(&mut self, times: Times) {
        if let Some(begin) = self.begin.take() {
            // A thread that is gone is noticed at the end.
            let _ = begin.send(times);
        }
    }

    async fn ended(&mut self) {
        // Its sender is dropped if the thread panicked, and there is nothing to wait for either.
        let _ = (&mut self.ended).await;
    }
}

/// What a thread does: connect all, wait for the word, run all to their ends.
async fn work(
    shared: Rc<Shared>,
    number: usize,
    connected: oneshot::Sender<Result<(), LoadError>>,
    begin: oneshot::Receiver<Times>,
) {
    let plan = &shared.plan;
    let mine = (number..plan.connections).step_by(plan.threads.min(plan.connections));
    let mut streams = Vec::new();
    for connection in mine {
        match open(&shared.target, &shared.wire).await {
            Ok(stream) => streams.push((connection, stream)),
            Err(error) => {
                let _ = connected.send(Err(error));
                return;
            }
        }
    }
    let _ = connected.send(Ok(()));
    // The sender is dropped if another thread could not connect.
    let Ok(times) = begin.await else { return };
    let mut running = JoinSet::new();
    for (connection, stream) in streams {
        let shared = Rc::clone(&shared);
        let number = u64::try_from(connection).unwrap_or(u64::MAX);
        running.spawn_local(async move {
            sleep_until(times.start.into()).await;
            connection::run(&shared, number, stream, times).await;
        });
    }
    while running.join_next().await.is_some() {}
}
