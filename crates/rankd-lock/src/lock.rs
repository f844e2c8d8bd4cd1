//! The lock and its value.
//!
//! What it is: the protocol around a value that only guards reach. What it is not: poisoned by a
//! panic; a guard that is dropped while unwinding opens the lock as any other does. Invariant: a
//! guard exists only between entering and leaving the protocol. Cost: the protocol's.

#![allow(unsafe_code, reason = "a lock; benches/src/bin/readers.rs shows what it is for")]
#![deny(unsafe_op_in_unsafe_fn)]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::protocol::{Held, Protocol};

/// A value that many threads read or one writes.
///
/// ```
/// use rankd_lock::BoardLock;
///
/// let scores = BoardLock::new(vec![3, 1, 2]);
/// assert_eq!(scores.read().len(), 3);
/// scores.write().push(4);
/// assert_eq!(*scores.read(), [3, 1, 2, 4]);
/// ```
pub struct BoardLock<T> {
    protocol: Protocol,
    value: UnsafeCell<T>,
}

// SAFETY: the lock owns its value, and the protocol's words belong to no thread.
unsafe impl<T: Send> Send for BoardLock<T> {}
// SAFETY: 1. readers share the value between threads, which `T: Sync` allows; 2. a writer may take
// it out on its own thread, which `T: Send` allows; 3. never both at a time, by the protocol.
unsafe impl<T: Send + Sync> Sync for BoardLock<T> {}

impl<T> BoardLock<T> {
    /// A lock that nobody holds.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self { protocol: Protocol::new(), value: UnsafeCell::new(value) }
    }

    /// Waits until no writer is in, nor one that came before, and reads.
    ///
    /// A thread that holds a guard of this lock already must not call it: a writer between the two
    /// would wait for the first, and the second for the writer.
    #[inline]
    pub fn read(&self) -> ReadGuard<'_, T> {
        ReadGuard { held: self.protocol.read(), lock: self, thread: PhantomData }
    }

    /// Waits until nobody is in and writes. The thread must not hold a guard of this lock.
    pub fn write(&self) -> WriteGuard<'_, T> {
        self.protocol.write();
        WriteGuard { lock: self, thread: PhantomData }
    }

    /// [`Self::write`] with a guard that keeps the lock alive by itself.
    pub fn write_arc(self: &Arc<Self>) -> ArcWriteGuard<T> {
        self.protocol.write();
        ArcWriteGuard { lock: Arc::clone(self), thread: PhantomData }
    }

    /// The value, without locking: a unique borrow proves that nobody else is there.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, taken out of the lock.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T> fmt::Debug for BoardLock<T> {
    /// Without the value, which would have to be waited for.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("BoardLock").finish_non_exhaustive()
    }
}

/// Makes a guard stay on the thread that entered: its slot and the writers' mutex are the thread's.
type OnItsThread = PhantomData<*const ()>;

/// Shared access; leaves the lock when dropped. Forgetting it keeps writers out for good.
///
/// ```compile_fail
/// let lock = rankd_lock::BoardLock::new(0);
/// let guard = lock.read();
/// std::thread::scope(|scope| scope.spawn(move || *guard).join());
/// ```
#[must_use = "the lock is left as soon as the guard is dropped"]
pub struct ReadGuard<'l, T> {
    lock: &'l BoardLock<T>,
    held: Held,
    thread: OnItsThread,
}

/// Exclusive access; leaves the lock when dropped.
#[must_use = "the lock is left as soon as the guard is dropped"]
pub struct WriteGuard<'l, T> {
    lock: &'l BoardLock<T>,
    thread: OnItsThread,
}

/// Exclusive access that owns a share of its lock; leaves the lock when dropped.
#[must_use = "the lock is left as soon as the guard is dropped"]
pub struct ArcWriteGuard<T> {
    lock: Arc<BoardLock<T>>,
    thread: OnItsThread,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: 1. the cell is valid while the lock is borrowed; 2. this guard is inside as a
        // reader, so no writer is, and all other references are shared too.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.protocol.release_read(self.held);
    }
}

/// What both write guards do; they differ only in how they hold the lock.
macro_rules! write_guard {
    ($guard:ty) => {
        impl<T> Deref for $guard {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                // SAFETY: 1. the guard keeps the lock and so the cell alive; 2. it alone is inside,
                // and gives out unique references only for unique borrows of itself.
                unsafe { &*self.lock.value.get() }
            }
        }

        impl<T> DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                // SAFETY: 1. the guard keeps the lock and so the cell alive; 2. it alone is inside,
                // and is itself borrowed uniquely for as long as the reference lives.
                unsafe { &mut *self.lock.value.get() }
            }
        }

        impl<T> Drop for $guard {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: the guard was made after entering, on this thread, which it cannot
                // leave, and it is dropped once.
                unsafe { self.lock.protocol.release_write() }
            }
        }
    };
}

write_guard!(WriteGuard<'_, T>);
write_guard!(ArcWriteGuard<T>);
