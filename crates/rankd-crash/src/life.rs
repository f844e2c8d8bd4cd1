//! One life of a store: a start, some work, and a crash.
//!
//! The driver is alone in deciding what happens next: it lets the store's threads make their next
//! call, submits a batch or asks for a snapshot, and does so only when every thread stands at the
//! gate or has nothing to do. A seed therefore gives the same life again, call by call.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use rankd_engine::{ManualClock, Receipt, SnapshotReport, State, Storage, StoreFuture};
use rankd_storage::{EmbeddedOptions, EmbeddedStore, OpenReport, Verdict, check};

use crate::fs::{Cut, FOLDER, SimFs};
use crate::model::{Contents, Model, Violation};
use crate::moment::{Caller, Moment};
use crate::random::Random;

/// Batches that are under way at once.
const FLIGHTS_MAX: usize = 6;
/// Decisions after which a life ends between two calls, if the planned call did not come.
const STEPS_MAX: usize = 160;
/// The same, if no call is planned but this end.
const STEPS_FEW: usize = 20;

/// The snapshot's first call may wait for the log; the others wait for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    Resting,
    Asked,
    Working,
}

/// What a life came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When the crash came.
    pub at: Moment,
    /// Batches that were acknowledged.
    pub acknowledged: u64,
    /// Snapshots that were finished.
    pub snapshots: u64,
    /// The start had cut off a torn tail.
    pub had_torn_tail: bool,
}

/// Options under which nothing happens by itself and everything is small. The durability is the
/// default: always.
#[must_use]
pub fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        segment_bytes: rankd_storage::limits::SEGMENT_BYTES_MIN,
        snapshot_log_bytes: None,
        snapshot_on_close: false,
        store_id: Some(*b"0123456789abcdef"),
        clock: Arc::new(ManualClock::at(0)),
        ..EmbeddedOptions::default()
    }
}

/// Opens the store that is on the simulated disk.
///
/// # Errors
/// As [`EmbeddedStore::open`].
pub fn open(
    fs: &SimFs,
) -> Result<(EmbeddedStore, Arc<State>, OpenReport), rankd_storage::StorageError> {
    let state = State::new();
    let (store, report) =
        EmbeddedStore::open(Path::new(FOLDER), options(), fs.arc(), Arc::clone(&state))?;
    Ok((store, state, report))
}

/// Lives on `fs` until the planned crash.
///
/// # Errors
/// A promise that was not kept.
pub fn live(
    fs: &SimFs,
    cut: Cut,
    model: &mut Model,
    random: &mut Random,
) -> Result<Ended, Violation> {
    let expected = random.one_in(8).then(|| checked(fs)).transpose()?;
    fs.plan(cut);
    let mut ended = Ended { at: Moment::Idle, acknowledged: 0, snapshots: 0, had_torn_tail: false };
    match open(fs) {
        Ok((store, state, report)) => {
            if expected.is_some_and(|expected| expected != report.sequence) {
                let found = report.sequence;
                return Err(Violation(format!("check said {expected:?}, the start {found}")));
            }
            model.recover(report.sequence, &Contents::of(&state)?)?;
            ended.had_torn_tail = report.torn_tail.is_some();
            fs.close_gate();
            let mut driver = Driver::new(fs, &store, model, random);
            let is_over = cut.moment == Moment::Idle;
            let worked = driver.work(if is_over { STEPS_FEW } else { STEPS_MAX });
            (ended.acknowledged, ended.snapshots) = (driver.acknowledged, driver.snapshots);
            drop(driver);
            fs.cut_now();
            drop(store);
            worked?;
        }
        Err(error) if fs.is_on() => {
            return Err(Violation(format!("REFUSED: {}", error.one_line())));
        }
        // The crash came during recovery.
        Err(_cut) => {}
    }
    ended.at = fs.cut_at().unwrap_or(Moment::Idle);
    Ok(ended)
}

/// The sequence that a start will come to, says the check.
fn checked(fs: &SimFs) -> Result<u64, Violation> {
    let report = check(Path::new(FOLDER), fs).map_err(|error| Violation(error.one_line()))?;
    match (report.verdict, report.sequence) {
        (Verdict::Healthy | Verdict::Startable, Some(sequence)) => Ok(sequence),
        _ => Err(Violation(format!("the check refuses: {report:?}"))),
    }
}

/// Works with a store until its disk is gone.
struct Driver<'a> {
    fs: &'a SimFs,
    store: &'a EmbeddedStore,
    model: &'a mut Model,
    random: &'a mut Random,
    /// With the sequences that they have to get, ascending.
    flights: Vec<(u64, StoreFuture<'a, Receipt>)>,
    snapshot: Option<StoreFuture<'a, SnapshotReport>>,
    keeper: Keeper,
    acknowledged: u64,
    snapshots: u64,
}

impl<'a> Driver<'a> {
    fn new(
        fs: &'a SimFs,
        store: &'a EmbeddedStore,
        model: &'a mut Model,
        random: &'a mut Random,
    ) -> Self {
        Self {
            fs,
            store,
            model,
            random,
            flights: Vec::new(),
            snapshot: None,
            keeper: Keeper::Resting,
            acknowledged: 0,
            snapshots: 0,
        }
    }

    fn work(&mut self, steps_max: usize) -> Result<(), Violation> {
        for _step in 0..=self.random.below(steps_max) {
            self.settle()?;
            if !self.fs.is_on() {
                return Ok(());
            }
            self.choose();
        }
        self.settle()
    }

    /// Does one thing of those that can be done.
    fn choose(&mut self) {
        let is_waiting = |caller| self.fs.waiting(caller).is_some();
        let (log, keeper) = (is_waiting(Caller::Log), is_waiting(Caller::Snapshots));
        // A batch that came in while a snapshot is being begun may be in it or not: chance that
        // no seed decides.
        let may_submit = self.flights.len() < FLIGHTS_MAX && self.keeper != Keeper::Asked;
        let may_snapshot = self.snapshot.is_none();
        loop {
            match self.random.below(10) {
                0..=3 if log => return self.fs.grant(Caller::Log),
                4..=6 if keeper => return self.fs.grant(Caller::Snapshots),
                7 | 8 if may_submit => return self.submit(),
                9 if may_snapshot => {
                    self.snapshot = Some(self.store.snapshot());
                    self.keeper = Keeper::Asked;
                    return;
                }
                _ => {}
            }
        }
    }

    fn submit(&mut self) {
        let batch = self.model.submit(self.random);
        let flight = self.store.submit(batch);
        self.flights.push((self.model.submitted(), flight));
    }

    /// Waits until every thread stands at the gate or has nothing to do.
    fn settle(&mut self) -> Result<(), Violation> {
        loop {
            let seen = self.fs.events();
            self.poll()?;
            let log = self.fs.waiting(Caller::Log).is_some();
            let keeper = self.fs.waiting(Caller::Snapshots).is_some();
            if keeper {
                self.keeper = Keeper::Working;
            }
            let log_is_settled = log || self.flights.is_empty();
            let keeper_is_settled = match self.keeper {
                Keeper::Resting => true,
                // It may wait for what the log has not made durable yet.
                Keeper::Asked => !self.flights.is_empty(),
                Keeper::Working => keeper,
            };
            if !self.fs.is_on() || (log_is_settled && keeper_is_settled) {
                return Ok(());
            }
            if !self.fs.wait_for_event(seen) {
                return Err(Violation(format!(
                    "STUCK: {} batches under way, snapshot {:?}",
                    self.flights.len(),
                    self.keeper
                )));
            }
        }
    }

    /// Takes the answers that are there. Errors are for a disk that is gone.
    fn poll(&mut self) -> Result<(), Violation> {
        let waker = self.fs.waker();
        let mut context = Context::from_waker(&waker);
        let mut waiting = Vec::new();
        for (sequence, mut flight) in self.flights.drain(..) {
            match flight.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push((sequence, flight)),
                Poll::Ready(Ok(receipt)) if receipt.sequence == sequence => {
                    self.model.acknowledge(sequence)?;
                    self.acknowledged += 1;
                }
                Poll::Ready(answer) => self.fs.expect_off(&answer)?,
            }
        }
        self.flights = waiting;
        let Some(snapshot) = &mut self.snapshot else { return Ok(()) };
        if let Poll::Ready(answer) = snapshot.as_mut().poll(&mut context) {
            self.snapshot = None;
            self.keeper = Keeper::Resting;
            match answer {
                Ok(_report) => self.snapshots += 1,
                Err(_) => self.fs.expect_off(&answer)?,
            }
        }
        Ok(())
    }
}

impl SimFs {
    /// Only a disk that is gone excuses such an answer.
    fn expect_off<T: std::fmt::Debug>(&self, answer: &T) -> Result<(), Violation> {
        if self.is_on() {
            return Err(Violation(format!("the disk is well, the answer was {answer:?}")));
        }
        Ok(())
    }
}
