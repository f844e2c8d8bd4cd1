//! The primitives of the machine.
//!
//! What it is: names for `std` and `parking_lot`. Invariant: whatever is static here lives as long
//! as the process. Cost: none of its own.

#![allow(unsafe_code, reason = "the queue's unlocking, which only the lock knows to be right")]
#![deny(unsafe_op_in_unsafe_fn)]

pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

use parking_lot::lock_api::RawMutex as _;
pub(crate) use parking_lot::{Condvar, Mutex};

/// How often a waiting thread looks again before it sleeps: tens of microseconds, which is longer
/// than a turn of one write and about as long as putting a thread to sleep and waking it. Measured
/// against 200 in docs/decisions/0007-board-lock.md.
pub(crate) const SPINS_MAX: usize = 600;

/// Threads that can have a slot at a time; the others count themselves in the lock. 128 bytes each.
pub(crate) const SLOTS_MAX: usize = 256;

/// Of so many counted reads, one turns a lock over to slots: its next writer has to look at all
/// slots, which so many reads pay for.
pub(crate) const COUNTED_READS: u32 = 8;

/// Lists of sleepers, shared by all locks.
pub(crate) const BUCKETS: usize = 64;

/// Where writers queue: one byte, fair every half millisecond.
pub(crate) struct Queue(parking_lot::RawMutex);

impl Queue {
    pub(crate) fn new() -> Self {
        Self(parking_lot::RawMutex::INIT)
    }

    #[inline]
    pub(crate) fn lock(&self) {
        self.0.lock();
    }

    /// # Safety
    /// The calling thread has locked it and not unlocked it since.
    #[inline]
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: the caller's promise is the callee's condition.
        unsafe { self.0.unlock() }
    }
}

/// An array of equal elements.
macro_rules! filled {
    ($value:expr; $length:expr) => {
        [const { $value }; $length]
    };
}

macro_rules! process_wide {
    ($name:ident: $type:ty = $value:expr) => {
        static $name: $type = $value;
    };
}

macro_rules! per_thread {
    ($name:ident: $type:ty = $value:expr) => {
        std::thread_local! {
            static $name: $type = const { $value };
        }
    };
}

pub(crate) use {filled, per_thread, process_wide};
