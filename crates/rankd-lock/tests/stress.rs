//! Goal: on the real machine, writers are alone, readers see whole values, and everybody gets in.
//! Method: many short turns on few locks, with a value that two halves make up: a writer changes
//! one after the other, so a reader beside it would see them differ. Counts at the end are compared
//! with what the threads did. Threads meet at barriers, never at times.

#![cfg(not(loom))]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use rankd_lock::BoardLock;

/// The table's size, `SLOTS_MAX`, is not public; this is above it.
const MORE_THREADS_THAN_SLOTS: usize = 300;
const WORDS: usize = 16;

/// The same number in many places.
#[derive(Default)]
struct Whole([u64; WORDS]);

impl Whole {
    fn number(&self) -> u64 {
        assert_eq!(self.0, [self.0[0]; WORDS], "a reader beside a writer");
        self.0[0]
    }

    fn add_one(&mut self) {
        for word in &mut self.0 {
            *word += 1;
        }
    }
}

fn is_free<T: Send + Sync>(lock: &BoardLock<T>) -> bool {
    thread::scope(|scope| {
        scope.spawn(|| drop(lock.write()));
        scope.spawn(|| drop(lock.read()));
    });
    true
}

#[test]
fn every_write_counts_and_no_read_is_torn() {
    const THREADS: usize = 4;
    const TURNS: usize = 20_000;
    for writes_of_16 in [1, 4, 15] {
        let lock = BoardLock::new(Whole::default());
        let wrote = AtomicUsize::new(0);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (lock, wrote) = (&lock, &wrote);
                scope.spawn(move || {
                    let mut last = 0;
                    for turn in 0..TURNS {
                        if (turn * 7 + thread) % 16 < writes_of_16 {
                            lock.write().add_one();
                            wrote.fetch_add(1, Ordering::Relaxed);
                        } else {
                            let seen = lock.read().number();
                            assert!(seen >= last, "time ran backwards");
                            last = seen;
                        }
                    }
                });
            }
        });
        assert_eq!(lock.into_inner().number(), wrote.into_inner() as u64);
    }
}

#[test]
fn more_threads_than_slots_read_at_the_same_time() {
    let lock = BoardLock::new(Whole::default());
    let (all_in, wrote) = (Barrier::new(MORE_THREADS_THAN_SLOTS), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..MORE_THREADS_THAN_SLOTS {
            scope.spawn(|| {
                // Enough reads for the lock to be turned over to slots, and one more for each.
                for _ in 0..20 {
                    assert_eq!(lock.read().number(), 0);
                }
                let guard = lock.read();
                // Passes only if readers do not keep each other out.
                all_in.wait();
                assert!(!wrote.load(Ordering::SeqCst), "a writer beside readers");
                assert_eq!(guard.number(), 0);
                drop(guard);
                let mut guard = lock.write();
                wrote.store(true, Ordering::SeqCst);
                guard.add_one();
            });
        }
    });
    assert_eq!(lock.read().number(), MORE_THREADS_THAN_SLOTS as u64);
}

#[test]
fn slots_go_from_thread_to_thread() {
    let lock = BoardLock::new(Whole::default());
    for round in 0..2 * MORE_THREADS_THAN_SLOTS as u64 {
        thread::scope(|scope| {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(lock.read().number(), round)));
        });
        lock.write().add_one();
    }
    assert_eq!(lock.read().number(), 2 * MORE_THREADS_THAN_SLOTS as u64);
}

#[test]
fn readers_get_in_beside_a_writer_that_never_stops() {
    const READS: usize = 2_000;
    let lock = BoardLock::new(Whole::default());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        // It comes back at once, and ends only when the readers have had their turns.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                lock.write().add_one();
            }
        });
        let readers =
            [(); 2].map(|()| scope.spawn(|| (0..READS).map(|_| lock.read().number()).max()));
        for reader in readers {
            assert!(reader.join().unwrap().is_some());
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_writer_gets_in_beside_readers_that_never_stop() {
    const WRITES: u64 = 2_000;
    let lock = BoardLock::new(Whole::default());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    lock.read().number();
                }
            });
        }
        (0..WRITES).for_each(|_| lock.write().add_one());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(lock.into_inner().number(), WRITES);
}

#[test]
fn nested_reads_of_several_locks_are_all_held() {
    let locks = [(); 3].map(|()| BoardLock::new(Whole::default()));
    thread::scope(|scope| {
        for shift in 0..3 {
            let locks = &locks;
            scope.spawn(move || {
                for _ in 0..5_000 {
                    // In one order by all, as any locks that are held together.
                    let guards = [0, 1, 2].map(|number: usize| locks[number].read());
                    let before = guards.each_ref().map(|guard| guard.number());
                    assert_eq!(guards.each_ref().map(|guard| guard.number()), before);
                    // Left in every order.
                    let mut guards = Vec::from(guards);
                    guards.swap(0, shift);
                    drop(guards);
                    locks[shift].write().add_one();
                }
            });
        }
    });
    assert_eq!(locks.map(|lock| lock.into_inner().number()), [5_000; 3]);
}

#[test]
fn a_panic_under_a_guard_opens_the_lock() {
    let lock = Arc::new(BoardLock::new(Whole::default()));
    // Counted and in a slot.
    for _ in 0..40 {
        let reader = catch_unwind(AssertUnwindSafe(|| {
            let _guard = lock.read();
            panic!("while reading");
        }));
        assert!(reader.is_err() && is_free(&lock));
    }
    let writer = catch_unwind(AssertUnwindSafe(|| {
        lock.write().add_one();
        let _guard = lock.write_arc();
        panic!("while writing");
    }));
    assert!(writer.is_err() && is_free(&lock));
    assert_eq!(lock.read().number(), 1);
}

struct ReadsWhenDropped(Arc<BoardLock<Whole>>);

impl Drop for ReadsWhenDropped {
    fn drop(&mut self) {
        (0..20).for_each(|_| assert_eq!(self.0.read().number(), 0));
    }
}

thread_local! {
    /// Dropped when its thread ends: before or after that thread's slot is given back.
    static LAST_READER: Cell<Option<ReadsWhenDropped>> = const { Cell::new(None) };
}

#[test]
fn a_thread_that_ends_may_still_read() {
    let lock = Arc::new(BoardLock::new(Whole::default()));
    for reads_first in [false, true] {
        let lock = Arc::clone(&lock);
        let thread = thread::spawn(move || {
            (0..20 * u32::from(reads_first)).for_each(|_| drop(lock.read()));
            LAST_READER.set(Some(ReadsWhenDropped(Arc::clone(&lock))));
            (0..20).for_each(|_| drop(lock.read()));
        });
        assert!(thread.join().is_ok());
    }
    assert!(is_free(&lock));
}

#[test]
fn a_guard_keeps_its_lock_alive() {
    let lock = Arc::new(BoardLock::new(Whole::default()));
    let mut guard = lock.write_arc();
    drop(lock);
    guard.add_one();
    assert_eq!(guard.number(), 1);
}

#[test]
fn the_lock_is_small() {
    assert!(size_of::<BoardLock<()>>() <= 12);
    assert_eq!(size_of::<BoardLock<u64>>(), 24);
}
