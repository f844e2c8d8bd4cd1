//! The protocol: who may enter when. It knows nothing of the value.
//!
//! What it is: two words and a mutex. `arrivals` counts the readers that came, beside the flags;
//! `departures` counts those that left. Writers queue on the mutex; the one that has it announces
//! itself in `arrivals` and waits until as many left as had come by then. Whoever comes later
//! waits for the end of its phase, and is then inside without any further step, so the next writer
//! waits for it in turn. While the `BIASED` flag is set, readers use slots instead of the counts.
//!
//! What it is not: fair among writers at once; that is the mutex' business (`parking_lot`: whoever
//! runs goes first, for half a millisecond at most).
//!
//! Invariant: a value of `arrivals` with `BIASED` and without `WRITER` is followed by one that sets
//! `WRITER` beside `BIASED` before any that clears it, so no writer overlooks a slot.
//!
//! Cost: two atomic additions a read, four exchanges a write, in one cache line.

#![allow(unsafe_code, reason = "unlocking what only the caller knows to be locked")]
#![deny(unsafe_op_in_unsafe_fn)]

use std::process::abort;
use std::ptr;

use crate::parking;
use crate::slots::{self, Slot};
use crate::sync::{AtomicU32, COUNTED_READS, Ordering, Queue};

/// In `arrivals`: a writer waits or works.
const WRITER: u32 = 1;
/// In `arrivals`: changes with each writer, so that a reader knows the end of its writer's phase
/// when the next writer is there already.
const PHASE: u32 = 1 << 1;
/// In `arrivals`: readers use slots.
const BIASED: u32 = 1 << 2;
/// In `arrivals`: readers sleep until the end of the phase.
const READERS_SLEEP: u32 = 1 << 3;
/// In `departures`: the writer sleeps until the next departure.
const WRITER_SLEEPS: u32 = 1;
/// One reader, in both words. Counts fill the upper bits and wrap.
const READER: u32 = 1 << 8;
/// The bits below the count.
const FLAGS: u32 = READER - 1;
/// Half of what a count can tell apart; only guards that are forgotten in millions come near.
const READERS_MAX: u32 = 1 << 23;
/// Looks at both counts before they are believed to be too far apart: others come and leave between
/// the two loads of some looks, not of so many in a row.
const LOOKS: u32 = 1000;

/// How a reader came in.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// It shows itself in its thread's slot.
    Shown(&'static Slot),
    /// It is counted in the lock.
    Counted,
}

pub(crate) struct Protocol {
    arrivals: AtomicU32,
    departures: AtomicU32,
    writers: Queue,
}

impl Protocol {
    pub(crate) fn new() -> Self {
        let (arrivals, departures) = (AtomicU32::new(0), AtomicU32::new(0));
        Self { arrivals, departures, writers: Queue::new() }
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }

    /// Enters as a reader.
    #[inline]
    pub(crate) fn read(&self) -> Held {
        if self.is_open_to_slots()
            && let Some(slot) = slots::mine()
            && slot.try_enter(self.address(), || self.is_open_to_slots())
        {
            return Held::Shown(slot);
        }
        self.read_counted();
        Held::Counted
    }

    #[inline]
    fn is_open_to_slots(&self) -> bool {
        self.arrivals.load(Ordering::Acquire) & (BIASED | WRITER) == BIASED
    }

    fn read_counted(&self) {
        let before = self.arrivals.fetch_add(READER, Ordering::Acquire);
        self.check_count(before);
        if before & WRITER != 0 {
            self.wait_for_end_of(before & (WRITER | PHASE));
        } else if before & BIASED == 0 && (before / READER).is_multiple_of(COUNTED_READS) {
            // A writer may have come since: it has seen no bias, but it waits for this reader, and
            // it takes the bias away before it lets anybody in.
            self.arrivals.fetch_or(BIASED, Ordering::Relaxed);
        }
    }

    /// A count that wraps around would let a writer in beside readers, so it ends the process.
    #[inline]
    fn check_count(&self, arrivals: u32) {
        if self.has_too_many(arrivals) {
            self.check_count_again();
        }
    }

    /// Whether the counts are half their range apart. So they also seem to be when readers that
    /// came after `arrivals` was loaded have left already.
    fn has_too_many(&self, arrivals: u32) -> bool {
        let departures = self.departures.load(Ordering::Relaxed);
        (arrivals & !FLAGS).wrapping_sub(departures & !FLAGS) / READER >= READERS_MAX
    }

    #[cold]
    fn check_count_again(&self) {
        let still = |_| self.has_too_many(self.arrivals.load(Ordering::Relaxed));
        if (0..LOOKS).all(still) {
            abort();
        }
    }

    #[cold]
    fn wait_for_end_of(&self, phase: u32) {
        let has_ended = |arrivals: u32| arrivals & (WRITER | PHASE) != phase;
        parking::wait(
            self.address(),
            || has_ended(self.arrivals.load(Ordering::Acquire)),
            || has_ended(self.arrivals.fetch_or(READERS_SLEEP, Ordering::Acquire)),
        );
    }

    /// Leaves as a reader.
    #[inline]
    pub(crate) fn release_read(&self, held: Held) {
        match held {
            Held::Shown(slot) => slot.leave(self.address()),
            Held::Counted => {
                let before = self.departures.fetch_add(READER, Ordering::Release);
                if before & WRITER_SLEEPS != 0 {
                    parking::wake(self.address());
                }
            }
        }
    }

    /// Enters as the writer.
    pub(crate) fn write(&self) {
        self.writers.lock();
        let before = self.arrivals.fetch_xor(WRITER | PHASE, Ordering::AcqRel);
        if before & BIASED != 0 {
            slots::wait_for_readers(self.address());
        }
        let have_left = |departures: u32| (departures ^ before) & !FLAGS == 0;
        if !have_left(self.departures.load(Ordering::Acquire)) {
            parking::wait(
                self.address(),
                || have_left(self.departures.load(Ordering::Acquire)),
                || have_left(self.departures.fetch_or(WRITER_SLEEPS, Ordering::Acquire)),
            );
            if self.departures.load(Ordering::Relaxed) & WRITER_SLEEPS != 0 {
                self.departures.fetch_and(!WRITER_SLEEPS, Ordering::Relaxed);
            }
        }
    }

    /// Leaves as the writer: whoever waits to read is in.
    ///
    /// # Safety
    /// The calling thread has entered by [`Self::write`] and has not left since.
    pub(crate) unsafe fn release_write(&self) {
        let keep = !(WRITER | BIASED | READERS_SLEEP);
        let before = self.arrivals.fetch_and(keep, Ordering::Release);
        if before & READERS_SLEEP != 0 {
            parking::wake(self.address());
        }
        // SAFETY: the caller has entered by `write`, which locked the mutex, on this thread.
        unsafe { self.writers.unlock() };
    }
}
