//! The primitives of the model checker, with the machine's names.
//!
//! What it is: `loom`'s types in the shapes that `machine.rs` has. Invariant: as few looks, slots
//! and lists as still take every path. Cost: a model's time grows with each of them.

#![allow(unsafe_code, reason = "the queue's unlocking has the machine's signature")]

use std::ops::{Deref, DerefMut};

pub(crate) use loom::hint::spin_loop;
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};

/// One look before sleeping.
pub(crate) const SPINS_MAX: usize = 1;
/// A third thread that reads must count itself.
pub(crate) const SLOTS_MAX: usize = 2;
/// The first counted read turns the lock over to slots.
pub(crate) const COUNTED_READS: u32 = 1;
/// All share one list.
pub(crate) const BUCKETS: usize = 1;

/// `parking_lot`'s mutex.
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// `None` only while its thread sleeps.
pub(crate) struct MutexGuard<'m, T>(Option<loom::sync::MutexGuard<'m, T>>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().expect("no model panics under a mutex")))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("its thread is awake")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("its thread is awake")
    }
}

/// `parking_lot`'s condition variable.
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let awake = guard.0.take().expect("its thread is awake");
        guard.0 = Some(self.0.wait(awake).expect("no model panics under a mutex"));
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Where writers queue.
pub(crate) struct Queue {
    is_locked: Mutex<bool>,
    unlocked: Condvar,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self { is_locked: Mutex::new(false), unlocked: Condvar::new() }
    }

    pub(crate) fn lock(&self) {
        let mut is_locked = self.is_locked.lock();
        while *is_locked {
            self.unlocked.wait(&mut is_locked);
        }
        *is_locked = true;
    }

    /// # Safety
    /// None here; on the machine there is.
    pub(crate) unsafe fn unlock(&self) {
        *self.is_locked.lock() = false;
        self.unlocked.notify_all();
    }
}

/// An array of equal elements.
macro_rules! filled {
    ($value:expr; $length:expr) => {
        std::array::from_fn(|_| $value)
    };
}

macro_rules! process_wide {
    ($name:ident: $type:ty = $value:expr) => {
        loom::lazy_static! {
            static ref $name: $type = $value;
        }
    };
}

macro_rules! per_thread {
    ($name:ident: $type:ty = $value:expr) => {
        loom::thread_local! {
            static $name: $type = $value;
        }
    };
}

pub(crate) use {filled, per_thread, process_wide};
