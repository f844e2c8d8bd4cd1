//! Where snapshots are asked for: by callers, by the log when it has grown, and by the time. It
//! says how far the present one is, too.
//!
//! Invariant: a request is answered by a snapshot whose cut began after the request. Requests
//! that come while one is being written share the next one. Once the keeper has panicked, every
//! request is refused with that reason.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rankd_engine::{SnapshotReport, StoreError};
use tokio::sync::oneshot::{self, Receiver, Sender};

/// What a request is answered with.
pub(crate) type Answer = Result<SnapshotReport, StoreError>;

/// The desk. Shared by callers, the log writer and the keeper.
pub(crate) struct Desk {
    state: Mutex<DeskState>,
    wake: Condvar,
    /// Log bytes since the last snapshot was begun.
    log_bytes: AtomicU64,
    log_bytes_max: Option<u64>,
    /// From the beginning of one snapshot to that of the next.
    interval: Option<Duration>,
    is_ending: AtomicBool,
    /// Members that the present snapshot will have, and has; written by the keeper alone.
    members_total: AtomicU64,
    members_done: AtomicU64,
}

/// What a snapshot is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Somebody asked.
    Request,
    /// The log has grown by as much as was set.
    LogBytes,
    /// The last one was begun as long ago as was set.
    Interval,
}

impl Reason {
    /// For the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::LogBytes => "log bytes",
            Self::Interval => "interval",
        }
    }
}

#[derive(Default)]
struct DeskState {
    waiters: Vec<Sender<Answer>>,
    is_wanted: bool,
    /// Why nobody serves any more, if the desk was not simply closed.
    failure: Option<String>,
}

impl Desk {
    /// A desk that asks for a snapshot by itself every `log_bytes_max` bytes of log, of which
    /// there are `log_bytes` already, and every `interval`.
    pub(crate) fn new(
        log_bytes_max: Option<u64>,
        interval: Option<Duration>,
        log_bytes: u64,
    ) -> Self {
        Self {
            state: Mutex::new(DeskState::default()),
            wake: Condvar::new(),
            log_bytes: AtomicU64::new(log_bytes),
            log_bytes_max,
            interval,
            is_ending: AtomicBool::new(false),
            members_total: AtomicU64::new(0),
            members_done: AtomicU64::new(0),
        }
    }

    /// The present snapshot has `done` members of about `total`; both are 0 if there is none.
    pub(crate) fn tell_progress(&self, done: u64, total: u64) {
        self.members_done.store(done, Ordering::Relaxed);
        self.members_total.store(total, Ordering::Relaxed);
    }

    /// What was told last: members done, and about how many there are.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.members_done.load(Ordering::Relaxed), self.members_total.load(Ordering::Relaxed))
    }

    /// Asks for a snapshot. Without an answer, the desk is closed.
    pub(crate) fn request(&self) -> Receiver<Answer> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.state.lock();
        if let Some(reason) = &state.failure {
            let _kept = sender.send(Err(StoreError::Snapshot(reason.clone())));
        } else if !self.is_ending() {
            state.is_wanted = true;
            state.waiters.push(sender);
            self.wake.notify_all();
        }
        receiver
    }

    /// The log has grown. False: by so much that a snapshot is due, and none can be taken.
    pub(crate) fn logged(&self, bytes: u64) -> bool {
        let Some(max) = self.log_bytes_max else { return true };
        if self.log_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes < max {
            return true;
        }
        self.log_bytes.store(0, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.is_wanted = true;
        self.wake.notify_all();
        state.failure.is_none()
    }

    /// The keeper cannot go on: whoever waits or asks later is told why.
    pub(crate) fn fail(&self, reason: &str) {
        let mut state = self.state.lock();
        state.failure = Some(reason.to_owned());
        for waiter in state.waiters.drain(..) {
            let _gone = waiter.send(Err(StoreError::Snapshot(reason.to_owned())));
        }
    }

    /// Waits until a snapshot is wanted: why, and for whom. `None`: the desk is closed.
    pub(crate) fn next(&self) -> Option<(Reason, Vec<Sender<Answer>>)> {
        let due = self.interval.and_then(|interval| Instant::now().checked_add(interval));
        let mut state = self.state.lock();
        let mut is_due = false;
        while !state.is_wanted && !self.is_ending() && !is_due {
            match due {
                None => self.wake.wait(&mut state),
                Some(due) => is_due = self.wake.wait_until(&mut state, due).timed_out(),
            }
        }
        if self.is_ending() {
            return None;
        }
        let reason = match (state.is_wanted, state.waiters.is_empty()) {
            (false, _) => Reason::Interval,
            (true, true) => Reason::LogBytes,
            (true, false) => Reason::Request,
        };
        state.is_wanted = false;
        self.log_bytes.store(0, Ordering::Relaxed);
        Some((reason, std::mem::take(&mut state.waiters)))
    }

    /// Closes the desk: nobody is served any more, and nobody is left waiting.
    pub(crate) fn end(&self) {
        let mut state = self.state.lock();
        self.is_ending.store(true, Ordering::Release);
        state.waiters.clear();
        self.wake.notify_all();
    }

    /// Whether the desk is closed.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }
}
