//! Goal: no single write stalls on the allocator, and a board with few members costs what is said.
//! Method: an allocator that counts for each thread by itself, and so for each test. It sees the
//! heap. Memory that the index maps by itself is never reallocated, so there is nothing to see.

#![allow(unsafe_code, reason = "an allocator is unsafe by nature; this one only counts")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rank_index::{Eight, Key, RankIndex, ScoreKey, ScoreNoteKey, ScoreTieKey};

/// Heap bytes that one write may replace: an upper bound of what it can copy.
const REPLACED_BYTES_MAX: usize = 256 << 10;
/// Bytes of a board with ten members, all in all.
const BOARD_OF_TEN_BYTES_MAX: usize = 1 << 10;
const MEMBERS: u64 = 300_000;

/// The system's allocator; every request is handed on unchanged.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// Bytes that this thread has allocated, less those that it has freed.
    static LIVE_BYTES: Cell<isize> = const { Cell::new(0) };
    /// Bytes of blocks that it has reallocated.
    static REALLOCATED_BYTES: Cell<usize> = const { Cell::new(0) };
    /// Bytes of blocks that it has freed.
    static FREED_BYTES: Cell<usize> = const { Cell::new(0) };
}

fn gained(bytes: usize) {
    LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add_unsigned(bytes));
}

fn lost(bytes: usize, to: &'static std::thread::LocalKey<Cell<usize>>) {
    LIVE_BYTES.set(LIVE_BYTES.get().wrapping_sub_unsigned(bytes));
    to.set(to.get().wrapping_add(bytes));
}

// SAFETY: every method hands its arguments to the system's allocator, whose contract is the same.
// The counters are plain numbers of the thread: they need neither memory nor a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        gained(layout.size());
        // SAFETY: the caller's obligations are those of the callee.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        gained(layout.size());
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        lost(layout.size(), &FREED_BYTES);
        // SAFETY: as in `alloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        lost(layout.size(), &REALLOCATED_BYTES);
        gained(new_size);
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

/// The most that one of `writes` replaces. Whatever comes between two writes is not counted.
fn most_replaced(what: &str, writes: u64, write: impl FnMut(u64) -> usize) -> usize {
    let most = (0..writes).map(write).max().unwrap();
    println!("{what}: at most {most} bytes of the heap");
    most
}

/// What `body` reallocates or frees: what grows into a new block copies the old one, and frees it.
fn replaced_by(body: impl FnOnce()) -> usize {
    let freed = FREED_BYTES.get();
    reallocated_by(body) + FREED_BYTES.get() - freed
}

/// What `body` reallocates. A removal may free a whole tree, which copies nothing.
fn reallocated_by(body: impl FnOnce()) -> usize {
    let before = REALLOCATED_BYTES.get();
    body();
    REALLOCATED_BYTES.get() - before
}

/// A one-to-one map of 64-bit numbers.
fn scatter(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn short(number: u64) -> Vec<u8> {
    format!("user:{number:08}").into_bytes()
}

/// 36 bytes, as a UUID has.
fn uuid(number: u64) -> Vec<u8> {
    format!("{:08x}-0000-4000-8000-{number:012x}", scatter(number) >> 32).into_bytes()
}

fn eight(number: u64) -> Vec<u8> {
    scatter(number).to_be_bytes().to_vec()
}

/// Loads `members` with keys in order and in none, removes them again, and returns the most that
/// one write replaced.
fn load_and_unload<K: Key>(
    members: u64,
    name: impl Fn(u64) -> Vec<u8>,
    key: impl Fn(u64) -> K,
) -> usize {
    let mut index: RankIndex<K> = RankIndex::with_seed(1);
    let insert = |index: &mut RankIndex<K>, number: u64, score: u64| {
        let (name, key) = (name(number), key(score));
        replaced_by(|| assert_eq!(index.upsert(&name, key), Ok(None)))
    };
    let ascending =
        most_replaced("in order", members / 2, |number| insert(&mut index, number, number << 44));
    let scattered = most_replaced("scattered", members / 2, |number| {
        insert(&mut index, number + members / 2, scatter(number))
    });
    assert_eq!(index.len() as u64, members);
    let removed = most_replaced("removed", members, |number| {
        let name = name(number);
        reallocated_by(|| assert!(index.remove(&name).is_some()))
    });
    assert!(index.is_empty());
    ascending.max(scattered).max(removed)
}

#[test]
fn no_write_of_a_short_member_replaces_much() {
    let most = load_and_unload(MEMBERS, short, |score| ScoreKey { score });
    assert!(most <= REPLACED_BYTES_MAX, "{most} bytes");
}

#[test]
fn no_write_of_a_member_of_eight_bytes_replaces_much() {
    let most = load_and_unload(MEMBERS, eight, |score| Eight(ScoreTieKey { score, tie: score }));
    assert!(most <= REPLACED_BYTES_MAX, "{most} bytes");
}

#[test]
fn no_write_beside_a_snapshot_replaces_much() {
    let mut index: RankIndex<ScoreKey> = RankIndex::with_seed(1);
    for number in 0..MEMBERS {
        index.upsert(&short(number), ScoreKey { score: scatter(number) }).unwrap();
    }
    let snapshot = index.snapshot().unwrap();
    let most = most_replaced("beside a snapshot", MEMBERS, |number| {
        let (name, key) = (short(number), ScoreKey { score: scatter(number + 1) });
        replaced_by(|| assert!(index.upsert(&name, key).is_ok_and(|old| old.is_some())))
    });
    assert_eq!(snapshot.len(), index.len());
    assert!(most <= REPLACED_BYTES_MAX, "{most} bytes");
}

fn check_boards<K: Key>(name: impl Fn(u64) -> Vec<u8>, key: impl Fn(u64) -> K) {
    let names: Vec<_> = (0..10).map(name).collect();
    let before = LIVE_BYTES.get();
    let heap_bytes = || usize::try_from(LIVE_BYTES.get() - before).unwrap();
    let mut index: RankIndex<K> = RankIndex::new();
    assert_eq!(heap_bytes(), 0, "an empty index owns no heap");
    for (name, score) in names.iter().zip(0..) {
        index.upsert(name, key(score)).unwrap();
    }
    let bytes = size_of_val(&index) + heap_bytes();
    assert!(bytes <= BOARD_OF_TEN_BYTES_MAX, "{bytes} bytes");
    assert_eq!(index.memory_bytes(), bytes, "the index knows what it costs");
    while index.pop_last().is_some() {}
    assert_eq!(heap_bytes(), 0, "what was emptied owns no heap");
    // Not earlier: a line that the test runner keeps takes heap of this thread.
    println!("{}: {bytes} bytes", std::any::type_name::<K>());
}

#[test]
fn a_board_with_ten_members_is_small() {
    check_boards(short, |score| ScoreKey { score });
    check_boards(short, |score| ScoreTieKey { score, tie: score });
    check_boards(short, |score| ScoreNoteKey { score, note: score });
    check_boards(eight, |score| Eight(ScoreKey { score }));
    check_boards(eight, |score| Eight(ScoreTieKey { score, tie: score }));
}

#[test]
fn no_write_of_a_long_member_replaces_much() {
    let most = load_and_unload(MEMBERS, uuid, |score| ScoreKey { score });
    assert!(most <= REPLACED_BYTES_MAX, "{most} bytes");
}

#[test]
fn no_write_of_a_very_long_member_replaces_much() {
    let name = |number: u64| [&eight(number)[..], &[b'x'; 600]].concat();
    let most = load_and_unload(40_000, name, |score| ScoreKey { score });
    assert!(most <= REPLACED_BYTES_MAX, "{most} bytes");
}
