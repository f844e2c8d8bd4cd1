//! Slots: where a reading thread shows which lock it reads, without writing to the lock.
//!
//! What it is: one table for the process, a slot for each of the first [`SLOTS_MAX`] threads that
//! read. What it is not: a count; a thread shows one lock at a time. Invariant: only the slot's
//! thread enters and leaves it; a writer only asks, in the lowest bit, to be woken. Cost: a look
//! at every slot that was ever used takes one cache line each.

use std::cell::OnceCell;

use crate::parking;
use crate::sync::{
    AtomicUsize, Mutex, Ordering, SLOTS_MAX, fence, filled, per_thread, process_wide,
};

/// Set beside the address by a writer that sleeps until the reader leaves.
const WAKE_ME: usize = 1;

/// 0, or the address of the lock that the thread reads. Two cache lines, because processors fetch
/// them in pairs.
#[repr(align(128))]
pub(crate) struct Slot(AtomicUsize);

struct Table {
    slots: [Slot; SLOTS_MAX],
    /// Slots from here on were never used.
    used: AtomicUsize,
    /// Used slots whose threads have ended.
    free: Mutex<Vec<usize>>,
}

process_wide!(TABLE: Table = Table {
    slots: filled!(Slot(AtomicUsize::new(0)); SLOTS_MAX),
    used: AtomicUsize::new(0),
    free: Mutex::new(Vec::new()),
});

/// A thread's claim to a slot, given back when the thread ends.
struct Seat(OnceCell<Option<usize>>);

per_thread!(SEAT: Seat = Seat(OnceCell::new()));

impl Seat {
    fn slot(&self) -> Option<&'static Slot> {
        self.0.get_or_init(take_slot).map(|number| &TABLE.slots[number])
    }
}

fn take_slot() -> Option<usize> {
    let mut free = TABLE.free.lock();
    if let Some(number) = free.pop() {
        return Some(number);
    }
    let number = TABLE.used.load(Ordering::Relaxed);
    if number == SLOTS_MAX {
        return None;
    }
    // Under the mutex, so no number is given out twice. A writer that must see this thread's slot
    // sees it by the fences of `try_enter` and `wait_for_readers`.
    TABLE.used.store(number + 1, Ordering::Relaxed);
    Some(number)
}

// loom's statics end before its threads' own values do, so in a model a slot is not given back.
#[cfg(not(loom))]
impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(Some(number)) = self.0.get() {
            // A guard that outlives its thread's seat keeps the slot for good.
            if TABLE.slots[*number].0.load(Ordering::Relaxed) == 0 {
                TABLE.free.lock().push(*number);
            }
        }
    }
}

/// This thread's slot, if it has one and shows no lock yet.
#[inline]
pub(crate) fn mine() -> Option<&'static Slot> {
    let slot = SEAT.try_with(Seat::slot).ok().flatten()?;
    (slot.0.load(Ordering::Relaxed) == 0).then_some(slot)
}

impl Slot {
    /// Shows that this thread reads the lock at `address`, if nobody forbids it: `may_enter` is
    /// asked when every writer that it does not know of will see the slot.
    #[inline]
    pub(crate) fn try_enter(&self, address: usize, may_enter: impl FnOnce() -> bool) -> bool {
        // Release, because a writer that finds the next lock here learns that the last was left.
        self.0.store(address, Ordering::Release);
        fence(Ordering::SeqCst);
        let entered = may_enter();
        if !entered {
            self.leave(address);
        }
        entered
    }

    /// Shows that this thread no longer reads the lock at `address`.
    #[inline]
    pub(crate) fn leave(&self, address: usize) {
        if self.0.swap(0, Ordering::Release) != address {
            parking::wake(address);
        }
    }

    fn wait_until_left(&self, address: usize) {
        let has_left = |shown: usize| shown & !WAKE_ME != address;
        let look = || has_left(self.0.load(Ordering::Acquire));
        parking::wait(address, look, || {
            let tag = |shown| (!has_left(shown)).then_some(address | WAKE_ME);
            self.0.fetch_update(Ordering::Acquire, Ordering::Acquire, tag).is_err()
        });
    }
}

/// Waits until no slot shows the lock at `address`. The lock must have been closed to slots before.
pub(crate) fn wait_for_readers(address: usize) {
    fence(Ordering::SeqCst);
    for slot in &TABLE.slots[..TABLE.used.load(Ordering::Relaxed)] {
        slot.wait_until_left(address);
    }
}
