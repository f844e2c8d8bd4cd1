//! Rests between pieces of a long task, so that it takes a bounded share of a core and of the disk.
//!
//! Why: a snapshot is in no hurry, and whoever is answered meanwhile is. A thread of lower priority
//! would not do, since it holds a board's lock now and then, and would be kept waiting with it.
//! Invariant: it changes when something is done, never what. Cost: a look at the clock a piece.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::limits::{PACE_REST_MS_MAX, PACE_WORK_US};

/// See the module's head.
pub(crate) struct Pace {
    /// Rest that follows each second of work; zero for a task that is in a hurry.
    rests_per_work: Cell<u32>,
    since: Cell<Instant>,
}

impl Pace {
    /// A task that rests so many times as long as it works.
    pub(crate) fn of(rests_per_work: u32) -> Self {
        Self { rests_per_work: Cell::new(rests_per_work), since: Cell::new(Instant::now()) }
    }

    /// A task that is waited for.
    pub(crate) fn full() -> Self {
        Self::of(0)
    }

    /// From now on somebody waits.
    pub(crate) fn hurry(&self) {
        self.rests_per_work.set(0);
    }

    /// Between two pieces of work: rests if that is due.
    pub(crate) fn rest(&self) {
        let worked = self.since.get().elapsed();
        if worked < Duration::from_micros(PACE_WORK_US) {
            return;
        }
        let rest = worked * self.rests_per_work.get();
        if !rest.is_zero() {
            thread::park_timeout(rest.min(Duration::from_millis(PACE_REST_MS_MAX)));
        }
        self.since.set(Instant::now());
    }
}
