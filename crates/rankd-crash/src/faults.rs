//! The campaign of faults: one run of a store for every call that it makes and every kind of fault.
//!
//! Each run begins on a disk that crashes have left, meets one fault (once, or until the disk is
//! healed), works on, and ends in a power cut. After the fault: the write that met it says so,
//! reads go on, writes are refused without effect and resume when the disk does, except after a
//! failed fsync, which only a restart ends. Cost: a pause of the log writer for each fault that
//! it waits out, so many runs go on at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rankd_engine::{Health, State, Storage, StoreError};
use rankd_storage::EmbeddedStore;

use crate::disk::Disk;
use crate::fs::{Fault, FaultKind, Hit, SimFs};
use crate::life::open;
use crate::model::{Contents, Model, Violation};
use crate::moment::{Caller, Op};
use crate::power::left_by_crashes;
use crate::random::Random;

/// Steps of one run: batches, and now and then a snapshot.
const STEPS: usize = 30;
/// One step in so many is a snapshot.
const SNAPSHOT_ONE_IN: usize = 6;
/// A store that does not answer for so long never will.
const STUCK: Duration = Duration::from_secs(60);

/// What the campaign came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// Runs in which the fault was met.
    pub faults: u64,
    /// Calls that failed, those that follow a fault that lasts included.
    pub failed_calls: u64,
    /// Starts that failed, and succeeded on the healed disk.
    pub refused_starts: u64,
    /// Writes that met a fault and were told so.
    pub told: u64,
    /// Times that writes resumed by themselves.
    pub resumed: u64,
    /// Times that the store stayed read-only until a restart.
    pub read_only: u64,
    /// Snapshots that failed.
    pub snapshots_failed: u64,
    /// Batches that were acknowledged, and there after the power cut.
    pub acknowledged: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Results {
    fn add(&mut self, other: &Self) {
        self.faults += other.faults;
        self.failed_calls += other.failed_calls;
        self.refused_starts += other.refused_starts;
        self.told += other.told;
        self.resumed += other.resumed;
        self.read_only += other.read_only;
        self.snapshots_failed += other.snapshots_failed;
        self.acknowledged += other.acknowledged;
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "faults: {}", self.faults)?;
        writeln!(f, "calls that failed: {}", self.failed_calls)?;
        writeln!(f, "starts that failed: {}", self.refused_starts)?;
        writeln!(f, "writes that met a fault and were told: {}", self.told)?;
        writeln!(f, "times that writes resumed: {}", self.resumed)?;
        writeln!(f, "times that only a restart helped: {}", self.read_only)?;
        writeln!(f, "snapshots that failed: {}", self.snapshots_failed)?;
        writeln!(f, "acknowledged batches: {}", self.acknowledged)?;
        write!(f, "milliseconds: {}", self.duration_ms)
    }
}

/// A promise that was not kept, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The scene that was worked on.
    pub scene: u64,
    /// The call that failed.
    pub fault: String,
    /// What happened.
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scene, fault, violation } = self;
        writeln!(f, "{fault} in scene {scene}: {violation}")?;
        write!(f, "to see it again: cargo xtask crash faults --scenes 1 --seed {scene}")
    }
}

impl std::error::Error for Failure {}

/// Fails every call of `scenes` different runs, in every way, with `threads` runs at once. The
/// scenes have the numbers from `seed` on.
///
/// # Errors
/// The first promise that was not kept.
pub fn run(seed: u64, scenes: u64, threads: usize) -> Result<Results, Failure> {
    let begun = Instant::now();
    let mut total = Results::default();
    for scene in seed..seed + scenes {
        let scene = Scene::new(scene).map_err(|violation| Failure {
            scene,
            fault: "no fault".to_owned(),
            violation,
        })?;
        total.add(&scene.fail_every_call(threads)?);
    }
    total.duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(total)
}

/// A disk that crashes have left, and what is to be done on it.
struct Scene {
    seed: u64,
    disk: Disk,
    model: Model,
    /// Calls of a run without a fault.
    calls: u64,
}

impl Scene {
    fn new(seed: u64) -> Result<Self, Violation> {
        let (disk, model) = left_by_crashes(seed)?;
        let scene = Self { seed, disk, model, calls: 0 };
        let calls = Run::new(&scene, None).go()?.1;
        Ok(Self { calls, ..scene })
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for at in 1..=self.calls {
            for kind in FaultKind::ALL {
                faults.extend([false, true].map(|lasts| Fault { at, kind, lasts }));
            }
        }
        faults
    }

    fn fail_every_call(&self, threads: usize) -> Result<Results, Failure> {
        let faults = self.faults();
        let (next, total) = (AtomicUsize::new(0), Mutex::new(Ok(Results::default())));
        let work = || {
            while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                let ended = Run::new(self, Some(*fault)).go();
                let mut total = total.lock();
                let Ok(sum) = &mut *total else { return };
                match ended {
                    Ok((results, _calls)) => sum.add(&results),
                    Err(violation) => {
                        let fault = format!("{fault:?}");
                        *total = Err(Failure { scene: self.seed, fault, violation });
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        total.into_inner()
    }
}

/// An open store.
struct Opened {
    store: EmbeddedStore,
    state: Arc<State>,
}

/// One run, with at most one fault.
struct Run {
    fs: SimFs,
    fault: Option<Fault>,
    model: Model,
    random: Random,
    /// Calls that failed since somebody looked.
    hits: Vec<Hit>,
    results: Results,
}

impl Run {
    fn new(scene: &Scene, fault: Option<Fault>) -> Self {
        let fs = SimFs::new(scene.disk.clone(), Random::new(scene.seed));
        fs.set_fault(fault);
        Self {
            fs,
            fault,
            model: scene.model.clone(),
            random: Random::new(scene.seed),
            hits: Vec::new(),
            results: Results::default(),
        }
    }

    /// The results, and how many calls there were.
    fn go(mut self) -> Result<(Results, u64), Violation> {
        let mut opened = self.start()?;
        for _step in 0..STEPS {
            if self.random.one_in(SNAPSHOT_ONE_IN) {
                self.snapshot(&opened)?;
            } else {
                opened = self.write(opened)?;
            }
            self.expect_memory(&opened)?;
        }
        let calls = self.fs.calls();
        self.note_hits();
        self.fs.cut_now();
        drop(opened);
        let disk = self.fs.disk().after_power_cut(&mut self.random);
        self.fs = SimFs::new(disk, Random::new(0));
        let (store, state, report) = open(&self.fs).map_err(refused)?;
        self.model.recover(report.sequence, &Contents::of(&state)?)?;
        drop(store);
        self.results.faults = u64::from(self.results.failed_calls > 0);
        match self.fault {
            Some(fault) if self.results.faults == 0 => {
                Err(Violation(format!("{fault:?} was never met, of {calls} calls")))
            }
            _ => Ok((self.results, calls)),
        }
    }

    /// The calls that failed since the last time.
    fn note_hits(&mut self) -> bool {
        self.hits = self.fs.take_hits();
        self.results.failed_calls += self.hits.len() as u64;
        !self.hits.is_empty()
    }

    /// Opens the store; on the healed disk, if it fails before that.
    fn start(&mut self) -> Result<Opened, Violation> {
        let opened = match open(&self.fs) {
            Err(_) if self.note_hits() => {
                self.results.refused_starts += 1;
                self.fs.set_fault(None);
                open(&self.fs)
            }
            opened => opened,
        };
        let (store, state, report) = opened.map_err(refused)?;
        self.model.recover(report.sequence, &Contents::of(&state)?)?;
        Ok(Opened { store, state })
    }

    /// Reads go on, and show everything that was not refused.
    fn expect_memory(&self, opened: &Opened) -> Result<(), Violation> {
        match Contents::of(&opened.state)? == *self.model.memory() {
            true => Ok(()),
            false => Err(Violation("memory is not what was submitted".to_owned())),
        }
    }

    /// A snapshot may fail if its calls do; it costs nothing.
    fn snapshot(&mut self, opened: &Opened) -> Result<(), Violation> {
        let taken = wait(opened.store.snapshot())?;
        let was_hit = self.note_hits();
        match taken {
            Ok(_report) => Ok(()),
            Err(error) if was_hit && !error.to_string().contains("panicked") => {
                self.results.snapshots_failed += 1;
                self.fs.set_fault(None);
                let again = wait(opened.store.snapshot())?;
                again.map(drop).map_err(|error| Violation(format!("on a healed disk: {error}")))
            }
            Err(error) => Err(Violation(format!("the snapshot failed for nothing: {error}"))),
        }
    }

    fn write(&mut self, opened: Opened) -> Result<Opened, Violation> {
        let batch = self.model.submit(&mut self.random);
        let answer = wait(opened.store.submit(batch))?;
        let was_hit = self.note_hits();
        match answer {
            Ok(receipt) if receipt.sequence == self.model.submitted() => {
                self.results.acknowledged += 1;
                self.model.acknowledge(receipt.sequence)?;
                Ok(opened)
            }
            Err(StoreError::NotDurable(reason)) if was_hit && !reason.contains("panicked") => {
                self.results.told += 1;
                self.after_failure(opened)
            }
            other => Err(Violation(format!("a write was answered {other:?}"))),
        }
    }

    /// The store is read-only now: until the disk is well, or until a restart.
    fn after_failure(&mut self, opened: Opened) -> Result<Opened, Violation> {
        self.expect_memory(&opened)?;
        self.expect_refusal(&opened)?;
        // What the log writer fails at once more while it waits counts as well.
        let is_final = is_final(&self.hits);
        self.fs.set_fault(None);
        if is_final {
            self.results.read_only += 1;
            self.expect_refusal(&opened)?;
            drop(opened);
            return self.start();
        }
        let mut health = opened.store.health_changes();
        let ready = wait(Box::pin(async move {
            health.wait_for(|health| *health == Health::Ready).await.map(drop).is_ok()
        }))?;
        if !ready || opened.store.stats().durable_sequence != self.model.submitted() {
            return Err(Violation("the disk is well, and not everything is on it".to_owned()));
        }
        self.results.resumed += 1;
        self.model.acknowledge(self.model.submitted())?;
        Ok(opened)
    }

    /// A write is refused, and has no effect.
    fn expect_refusal(&mut self, opened: &Opened) -> Result<(), Violation> {
        let health = opened.store.health();
        if !matches!(health, Health::ReadOnly { ahead_of_disk: true, .. }) {
            return Err(Violation(format!("after a failed write the store is {health:?}")));
        }
        let batch = self.model.clone().submit(&mut self.random);
        match wait(opened.store.submit(batch))? {
            Err(StoreError::ReadOnly(_)) => self.expect_memory(opened),
            other => Err(Violation(format!("a read-only store answered {other:?}"))),
        }
    }
}

/// Whether the log cannot go on: an fsync failed, or what a failed write left could not be cut off.
fn is_final(hits: &[Hit]) -> bool {
    hits.iter()
        .filter(|hit| hit.caller == Caller::Log)
        .any(|hit| matches!(hit.op, Some(Op::Sync | Op::SyncFolder | Op::Truncate)))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err asks for")]
fn refused(error: rankd_storage::StorageError) -> Violation {
    Violation(format!("REFUSED: {}", error.one_line()))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks until the future has its answer.
///
/// # Errors
/// If it never comes.
pub(crate) fn wait<F: Future + Unpin>(mut future: F) -> Result<F::Output, Violation> {
    let begun = Instant::now();
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = std::pin::Pin::new(&mut future).poll(&mut context) {
            return Ok(output);
        }
        if begun.elapsed() > STUCK {
            return Err(Violation("STUCK: an answer does not come".to_owned()));
        }
        std::thread::park_timeout(STUCK);
    }
}
