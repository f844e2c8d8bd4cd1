//! Waiting: look again for tens of microseconds, then sleep.
//!
//! What it is: lists of sleepers by the address of what they wait for; locks are too many and too
//! small to have their own. What it is not: fair or exact; whoever shares a list is woken too and
//! looks again. Invariant: a sleeper tells that it sleeps and looks for the last time under its
//! list's mutex, and a waker changes first and takes the mutex then, so no wake-up is lost. Cost:
//! a system call for each sleep, and one for each wake-up of a list with sleepers.

use crate::sync::{BUCKETS, Condvar, Mutex, SPINS_MAX, filled, process_wide, spin_loop};

#[repr(align(64))]
struct Bucket {
    mutex: Mutex<()>,
    changed: Condvar,
}

process_wide!(SLEEPERS: [Bucket; BUCKETS] =
    filled!(Bucket { mutex: Mutex::new(()), changed: Condvar::new() }; BUCKETS));

fn bucket(address: usize) -> &'static Bucket {
    // Neighbours in memory get different lists (Fibonacci hashing; Knuth, volume 3, 6.4).
    let mixed = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    &SLEEPERS[mixed as usize % BUCKETS]
}

/// Waits until `is_over`, or until `announce`, which also tells the other side to call [`wake`].
pub(crate) fn wait(
    address: usize,
    mut is_over: impl FnMut() -> bool,
    mut announce: impl FnMut() -> bool,
) {
    for _ in 0..SPINS_MAX {
        if is_over() {
            return;
        }
        spin_loop();
    }
    let bucket = bucket(address);
    let mut guard = bucket.mutex.lock();
    while !announce() {
        bucket.changed.wait(&mut guard);
    }
}

/// Wakes whoever sleeps for this address. What they wait for must have been changed before.
#[cold]
pub(crate) fn wake(address: usize) {
    let bucket = bucket(address);
    drop(bucket.mutex.lock());
    bucket.changed.notify_all();
}
