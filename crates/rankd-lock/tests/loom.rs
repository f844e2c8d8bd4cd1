//! Goal: no interleaving lets a writer in beside anybody, and none loses a wake-up.
//! Method: loom runs each model under every order of its threads' steps, up to a bound of
//! preemptions, and under every value that the memory model lets an atomic load return. The value
//! behind the lock is a cell of loom's, which fails on any access that is not ordered after the
//! last write; a thread that nobody wakes is reported as a deadlock.
//!
//! Run with `cargo xtask loom`; an ordinary build has no models. To see that they can fail: without
//! the fence in `Slot::try_enter`, or the one in `wait_for_readers`, the first model reports a read
//! beside a write; the list of such trials is in docs/decisions/0007-board-lock.md.

#![cfg(loom)]
#![allow(unsafe_code, reason = "loom's cell is read and written through raw pointers")]

use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::Arc;
use loom::thread;
use rankd_lock::BoardLock;

/// Preemptions in one run of a model.
const PREEMPTIONS_MAX: usize = 3;

struct Cell(UnsafeCell<u32>);

// SAFETY: loom watches the accesses and fails the model if two are not ordered.
unsafe impl Sync for Cell {}

type Lock = Arc<BoardLock<Cell>>;

fn model(body: impl Fn(&Lock) + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS_MAX);
    builder.check(move || body(&Arc::new(BoardLock::new(Cell(UnsafeCell::new(0))))));
}

fn look(lock: &BoardLock<Cell>) -> u32 {
    // SAFETY: loom checks that no write is at the same time.
    lock.read().0.with(|value| unsafe { *value })
}

fn add_one(lock: &BoardLock<Cell>) {
    // SAFETY: loom checks that nothing else is at the same time.
    lock.write().0.with_mut(|value| unsafe { *value += 1 });
}

/// Counted reads until the lock is biased: the next ones use slots.
fn bias(lock: &BoardLock<Cell>) {
    look(lock);
}

fn spawn(lock: &Lock, body: impl FnOnce(&BoardLock<Cell>) + 'static) -> thread::JoinHandle<()> {
    let lock = Arc::clone(lock);
    thread::spawn(move || body(&lock))
}

fn join(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("models do not panic");
    }
}

#[test]
fn a_writer_sees_a_reader_in_its_slot_or_is_seen() {
    model(|lock| {
        bias(lock);
        let writer = spawn(lock, add_one);
        assert!(look(lock) <= 1);
        join([writer]);
        assert_eq!(look(lock), 1);
    });
}

#[test]
fn two_readers_in_slots_and_a_writer() {
    model(|lock| {
        bias(lock);
        let threads = [spawn(lock, add_one), spawn(lock, |lock| assert!(look(lock) <= 1))];
        assert!(look(lock) <= 1);
        join(threads);
    });
}

#[test]
fn counted_readers_and_a_writer() {
    model(|lock| {
        let threads = [spawn(lock, add_one), spawn(lock, |lock| assert!(look(lock) <= 1))];
        assert!(look(lock) <= 1);
        join(threads);
    });
}

#[test]
fn two_writers_and_a_reader() {
    model(|lock| {
        bias(lock);
        let threads = [spawn(lock, add_one), spawn(lock, add_one)];
        assert!(look(lock) <= 2);
        join(threads);
        assert_eq!(look(lock), 2);
    });
}

#[test]
fn a_reader_waits_for_one_of_two_writes_in_a_row_at_most() {
    model(|lock| {
        let writer = spawn(lock, |lock| {
            add_one(lock);
            add_one(lock);
        });
        // The second write must wait for a reader that the first one kept out, asleep or not;
        // if it did not, loom would find the write beside this read.
        let seen = look(lock);
        assert!(seen <= 2);
        assert!(look(lock) >= seen);
        join([writer]);
    });
}

#[test]
fn bias_that_comes_back_between_two_writes() {
    model(|lock| {
        bias(lock);
        let writer = spawn(lock, |lock| {
            add_one(lock);
            bias(lock);
            add_one(lock);
        });
        assert!(look(lock) <= 2);
        assert!(look(lock) <= 2);
        join([writer]);
    });
}

#[test]
fn a_nested_read_of_another_lock_is_counted() {
    model(|outer| {
        let inner: Lock = Arc::new(BoardLock::new(Cell(UnsafeCell::new(0))));
        bias(outer);
        bias(&inner);
        let threads = [spawn(outer, add_one), spawn(&inner, add_one)];
        let guard = outer.read();
        assert!(look(&inner) <= 1);
        // SAFETY: loom checks that no write is at the same time.
        assert!(guard.0.with(|value| unsafe { *value }) <= 1);
        drop(guard);
        join(threads);
    });
}

#[test]
fn a_reader_that_went_on_to_another_lock_has_left() {
    model(|first| {
        let second: Lock = Arc::new(BoardLock::new(Cell(UnsafeCell::new(0))));
        bias(first);
        bias(&second);
        let writer = spawn(first, add_one);
        assert!(look(first) <= 1);
        assert_eq!(look(&second), 0);
        join([writer]);
    });
}
