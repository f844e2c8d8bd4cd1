//! The store's door to the simulated disk: counts calls, cuts the power at one of them, fails
//! others, and lets the threads of a store go on one call at a time.
//!
//! While it is gated, every changing call of the store's own threads waits until it is granted;
//! whoever drives the store waits until all of them stand at the gate or have nothing to do. The
//! order of all calls is then the driver's choice, so that a seed replays it. Invariant: behind
//! the call at which the power fails, nothing succeeds.

use std::io;
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};
use rankd_storage::Fs;

use crate::disk::Disk;
use crate::moment::{Caller, Moment, Op};
use crate::random::Random;

/// The folder that the store is opened in.
pub const FOLDER: &str = "data";
/// The name of the log writer's thread.
const LOG_THREAD: &str = "rankd-log";
/// A store whose threads do nothing for so long will never do anything.
const STUCK: Duration = Duration::from_secs(60);

/// When the power fails, or the process is killed.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// At a call of this kind:
    pub moment: Moment,
    /// the so-manieth from now on,
    pub nth: u64,
    /// or this call, whatever it is, if that comes first.
    pub nth_call: u64,
    /// Whether that call itself still reaches the page cache.
    pub takes_effect: bool,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An input/output error.
    Eio,
    /// No space left.
    Enospc,
    /// Half of a write is done, and there is no space for the rest.
    Short,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Eio, Self::Enospc, Self::Short];

    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Self::Eio => 5,
            Self::Enospc | Self::Short => 28,
        })
    }
}

/// Which calls go wrong. All calls count, those that only read as well.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The first, counted from 1.
    pub at: u64,
    /// How.
    pub kind: FaultKind,
    /// Whether all that follow do, too, until the disk is healed.
    pub lasts: bool,
}

/// A call that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Who called.
    pub caller: Caller,
    /// What; `None`: something that only reads.
    pub op: Option<Op>,
    /// Whether it was about a log segment, whole or unfinished.
    pub is_log: bool,
}

#[derive(Default)]
struct Place {
    waiting: Option<Moment>,
    is_granted: bool,
    has_removed: bool,
}

struct Inner {
    disk: Disk,
    random: Random,
    is_on: bool,
    is_gated: bool,
    is_locked: bool,
    /// Of the log's thread and of the one that takes snapshots.
    log: Place,
    snapshots: Place,
    /// Arrivals at the gate and wake-ups of futures.
    events: u64,
    cut: Option<Cut>,
    cut_at: Option<Moment>,
    fault: Option<Fault>,
    hits: Vec<Hit>,
    /// The log writer, of which a call has failed, may not try again yet.
    is_held: bool,
    calls: u64,
    changes: u64,
    /// Fsyncs of this kind are forgotten: a bug made on purpose.
    forgotten: Option<Moment>,
}

struct Shared {
    inner: Mutex<Inner>,
    driver: Condvar,
    gate: Condvar,
}

/// The simulated file system. Clones are the same one.
#[derive(Clone)]
pub struct SimFs(Arc<Shared>);

impl SimFs {
    /// A file system over `disk`, with all its chances from `random`.
    #[must_use]
    pub fn new(disk: Disk, random: Random) -> Self {
        let inner = Inner {
            disk,
            random,
            is_on: true,
            is_gated: false,
            is_locked: false,
            log: Place::default(),
            snapshots: Place::default(),
            events: 0,
            cut: None,
            cut_at: None,
            fault: None,
            hits: Vec::new(),
            is_held: false,
            calls: 0,
            changes: 0,
            forgotten: None,
        };
        let (driver, gate) = (Condvar::new(), Condvar::new());
        Self(Arc::new(Shared { inner: Mutex::new(inner), driver, gate }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock()
    }

    /// As the store takes it.
    #[must_use]
    pub fn arc(&self) -> Arc<dyn Fs> {
        Arc::new(self.clone())
    }

    /// Plans the crash.
    pub fn plan(&self, cut: Cut) {
        self.inner().cut = Some(cut);
    }

    /// Plans a fault; `None`: the disk is well again, and who has met a fault may try again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        let mut inner = self.inner();
        inner.fault = fault;
        inner.is_held = false;
        self.0.gate.notify_all();
    }

    /// Forgets every fsync of this kind from now on.
    pub fn forget(&self, moment: Option<Moment>) {
        self.inner().forgotten = moment;
    }

    /// The calls that went wrong since the last time somebody asked.
    #[must_use]
    pub fn take_hits(&self) -> Vec<Hit> {
        std::mem::take(&mut self.inner().hits)
    }

    /// Calls so far, those that only read included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.inner().calls
    }

    /// From now on the store's threads wait at the gate.
    pub fn close_gate(&self) {
        self.inner().is_gated = true;
    }

    /// Nobody waits at the gate any more.
    pub fn open_gate(&self) {
        self.inner().is_gated = false;
        self.0.gate.notify_all();
    }

    /// What this thread waits at the gate to do.
    #[must_use]
    pub fn waiting(&self, caller: Caller) -> Option<Moment> {
        self.inner().place(caller).waiting
    }

    /// Lets the call of this thread happen.
    pub fn grant(&self, caller: Caller) {
        let mut inner = self.inner();
        let place = inner.place(caller);
        place.waiting = None;
        place.is_granted = true;
        self.0.gate.notify_all();
    }

    /// Ends it all between two calls.
    pub fn cut_now(&self) {
        let mut inner = self.inner();
        inner.cut_at.get_or_insert(Moment::Idle);
        self.end(&mut inner);
    }

    fn end(&self, inner: &mut Inner) {
        inner.is_on = false;
        self.0.gate.notify_all();
        self.0.driver.notify_all();
    }

    /// Whether the crash has not come yet.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.inner().is_on
    }

    /// The kind of moment at which the crash came.
    #[must_use]
    pub fn cut_at(&self) -> Option<Moment> {
        self.inner().cut_at
    }

    /// The disk as the process saw it last.
    #[must_use]
    pub fn disk(&self) -> Disk {
        self.inner().disk.clone()
    }

    /// Calls so far that change something.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.inner().changes
    }

    /// How many events there were.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.inner().events
    }

    /// Waits for an event after the first `seen`. False: none came, and none will.
    #[must_use]
    pub fn wait_for_event(&self, seen: u64) -> bool {
        let mut inner = self.inner();
        while inner.events == seen && inner.is_on {
            if self.0.driver.wait_for(&mut inner, STUCK).timed_out() {
                return false;
            }
        }
        true
    }

    /// Waits at the gate, if there is one for this caller.
    fn pass_gate(&self, inner: &mut MutexGuard<'_, Inner>, caller: Caller, moment: Moment) {
        if !inner.is_gated || caller == Caller::Opener {
            return;
        }
        inner.place(caller).waiting = Some(moment);
        inner.events += 1;
        self.0.driver.notify_all();
        while inner.is_on && inner.is_gated && !inner.place(caller).is_granted {
            self.0.gate.wait(inner);
        }
        *inner.place(caller) = Place { waiting: None, is_granted: false, ..*inner.place(caller) };
    }

    /// Holds up the log writer's next attempt after a fault, however long the others take to look
    /// at what the fault has done; what it does to clean up goes on.
    fn wait_for_healing(&self, inner: &mut MutexGuard<'_, Inner>, caller: Caller, op: Op) {
        let is_attempt = caller == Caller::Log && matches!(op, Op::Create | Op::Write);
        while is_attempt && inner.is_on && inner.is_held {
            if self.0.gate.wait_for(inner, STUCK).timed_out() {
                return;
            }
        }
    }

    /// A call that changes something: `effect`, unless it fails.
    pub(crate) fn change<T>(
        &self,
        op: Op,
        name: &str,
        effect: impl FnOnce(&mut Disk, &mut Random, Done) -> io::Result<T>,
    ) -> io::Result<T> {
        let caller = caller();
        let mut inner = self.inner();
        let moment = Moment::of(caller, op, name, inner.place(caller).has_removed);
        self.pass_gate(&mut inner, caller, moment);
        self.wait_for_healing(&mut inner, caller, op);
        inner.place(caller).has_removed =
            matches!(moment, Moment::RemoveSnapshot | Moment::RemoveSegment);
        inner.check_power()?;
        let hit = Hit { caller, op: Some(op), is_log: name.contains(".rlog") };
        let is_cut = inner.is_cut_at(moment);
        let (done, error) = if is_cut {
            inner.cut_at = Some(moment);
            self.end(&mut inner);
            let is_sync = matches!(op, Op::Sync | Op::SyncFolder);
            let takes_effect = inner.cut.is_some_and(|cut| cut.takes_effect) && !is_sync;
            (takes_effect.then_some(Done::Whole), Some(power_is_off()))
        } else {
            inner.fate(hit, op, moment)
        };
        inner.is_held |= caller == Caller::Log && error.is_some();
        let Inner { disk, random, .. } = &mut *inner;
        let result = done.map(|done| effect(disk, random, done));
        match (error, result) {
            (None, Some(result)) => result,
            (error, _) => Err(error.expect("what is not done fails")),
        }
    }

    /// Takes the folder's lock, or lets go of it. False: somebody has it.
    pub(crate) fn set_locked(&self, is_locked: bool) -> bool {
        let mut inner = self.inner();
        let was_locked = std::mem::replace(&mut inner.is_locked, is_locked);
        !(was_locked && is_locked)
    }

    /// Whether somebody has the folder's lock.
    pub(crate) fn has_owner(&self) -> bool {
        self.inner().is_locked
    }

    /// A call that only reads.
    pub(crate) fn look<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Disk) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut inner = self.inner();
        inner.check_power()?;
        let hit = Hit { caller: caller(), op: None, is_log: name.contains(".rlog") };
        match inner.meet_fault(hit) {
            Some(kind) => Err(kind.error()),
            None => read(&inner.disk),
        }
    }
}

/// How far an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All of it.
    Whole,
    /// Of a write.
    Half,
    /// Of an fsync that fails.
    Lost,
    /// Of an fsync that is left out and says that it was done.
    Forgotten,
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn caller() -> Caller {
    match std::thread::current().name() {
        Some(LOG_THREAD) => Caller::Log,
        Some(name) if name.starts_with("rankd-") => Caller::Snapshots,
        _ => Caller::Opener,
    }
}

impl Inner {
    fn place(&mut self, caller: Caller) -> &mut Place {
        match caller {
            Caller::Log => &mut self.log,
            Caller::Snapshots | Caller::Opener => &mut self.snapshots,
        }
    }

    fn check_power(&self) -> io::Result<()> {
        if self.is_on { Ok(()) } else { Err(power_is_off()) }
    }

    /// Whether the planned crash comes at this call.
    fn is_cut_at(&mut self, moment: Moment) -> bool {
        self.changes += 1;
        let Some(cut) = &mut self.cut else { return false };
        if cut.moment == moment {
            cut.nth = cut.nth.saturating_sub(1);
        }
        cut.nth == 0 || self.changes >= cut.nth_call
    }

    /// What becomes of a changing call: how far it goes, and the error that it ends in.
    fn fate(&mut self, hit: Hit, op: Op, moment: Moment) -> (Option<Done>, Option<io::Error>) {
        match self.meet_fault(hit) {
            Some(FaultKind::Short) if op == Op::Write => (Some(Done::Half), None),
            Some(kind) if op == Op::Sync => (Some(Done::Lost), Some(kind.error())),
            Some(kind) => (None, Some(kind.error())),
            None if self.forgotten == Some(moment) => (Some(Done::Forgotten), None),
            None => (Some(Done::Whole), None),
        }
    }

    fn meet_fault(&mut self, hit: Hit) -> Option<FaultKind> {
        self.calls += 1;
        let fault = self.fault?;
        let is_hit = self.calls == fault.at || (fault.lasts && self.calls > fault.at);
        is_hit.then(|| {
            self.hits.push(hit);
            // Half of a write is written once; for what follows there is no space at all.
            if self.calls > fault.at { FaultKind::Enospc } else { fault.kind }
        })
    }
}

/// Wakes the driver when a future can go on.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.inner.lock().events += 1;
        self.driver.notify_all();
    }
}

impl SimFs {
    /// For polling the store's futures: a wake-up is an event.
    #[must_use]
    pub fn waker(&self) -> std::task::Waker {
        Arc::clone(&self.0).into()
    }
}
