//! Goal: what a snapshot costs the writers is counted, not timed: a leaf that was written since the
//! snapshot is written again without allocating, and no single write allocates much.
//! Method: an allocator that counts, in a test program of its own.

#![expect(
    unsafe_code,
    reason = "an allocator is unsafe to implement; this one counts and delegates"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use rank_index::{RankIndex, SNAPSHOTS_LIVE_MAX, ScoreKey, ScoreNoteKey};

thread_local! {
    static ALLOCATED_BYTES: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call goes to `System` with the caller's own arguments, so its guarantees are ours;
// the counter is a constant-initialised thread local without a destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED_BYTES.set(ALLOCATED_BYTES.get() + layout.size());
        // SAFETY: the caller promises a layout of non-zero size.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that `block` was allocated here, so by `System`, with
        // `layout`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Bytes that `action` allocates; growing a block counts with its new size.
fn allocated_bytes(action: impl FnOnce()) -> usize {
    let before = ALLOCATED_BYTES.get();
    action();
    ALLOCATED_BYTES.get() - before
}

/// A segment of records and one of blocks, each below the size from which segments are maps of the
/// kernel's, which are written page by page; and some room for their lists.
const WRITE_BYTES_MAX: usize = 2 * (128 << 10) + 1_024;
const MEMBERS: u64 = 100_000;
/// Leaves that a bulk build makes of them, 51 members in each.
const LEAVES: usize = 1_961;

#[test]
fn a_leaf_that_was_written_is_written_again_for_nothing() {
    let entry = |score: u64, note| (ScoreNoteKey { score, note }, score.to_be_bytes());
    let entries = (0..MEMBERS).map(|score| entry(score, 0));
    let mut index = RankIndex::<ScoreNoteKey>::from_sorted_with_seed(1, entries).unwrap();
    let pass = |index: &mut RankIndex<ScoreNoteKey>, note| {
        let (mut sum, mut most) = (0, 0);
        for score in (0..MEMBERS).map(|step| step * 7_919 % MEMBERS) {
            let (key, member) = entry(score, note);
            let bytes = allocated_bytes(|| assert!(index.upsert(&member, key).is_ok()));
            (sum, most) = (sum + bytes, most.max(bytes));
        }
        (sum, most)
    };
    assert_eq!(pass(&mut index, 1), (0, 0), "no snapshot lives");
    let snapshots: Vec<_> = (0..SNAPSHOTS_LIVE_MAX).map(|_| index.snapshot().unwrap()).collect();
    let (sum, most) = pass(&mut index, 2);
    // A record and blocks for every slot, once for all snapshots; maps are not counted here.
    let expected = LEAVES * (152 + 52_usize.div_ceil(4) * 128);
    assert!(0 < sum && sum < expected, "{sum} of {expected}");
    assert!(most <= WRITE_BYTES_MAX, "{most} bytes in one write");
    for note in 3..6 {
        assert_eq!(pass(&mut index, note), (0, 0), "every slot was saved");
    }
    for snapshot in &snapshots {
        assert!(snapshot.view(&index).range(..).all(|entry| entry.key.note == 1));
    }
    drop(snapshots);
    let (sum, _) = pass(&mut index, 6);
    assert!(sum < 1_024, "{sum} bytes, though what was kept only goes");
}

#[test]
fn no_write_allocates_much() {
    let member = |number: u64| format!("member-{number}").into_bytes();
    let mut entries: Vec<_> = (0..MEMBERS).map(|number| (number, member(number))).collect();
    entries.sort_unstable();
    let keyed = entries.iter().map(|(score, name)| (ScoreKey { score: *score }, name));
    let mut index = RankIndex::<ScoreKey>::from_sorted_with_seed(1, keyed).unwrap();
    let mut live = Vec::new();
    for step in 0..MEMBERS {
        if step % 9_001 == 0 {
            if live.len() == SNAPSHOTS_LIVE_MAX {
                live.remove(usize::try_from(step).unwrap() % SNAPSHOTS_LIVE_MAX);
            }
            live.push(index.snapshot().unwrap());
        }
        let name = member(step * 7_919 % MEMBERS);
        let key = ScoreKey { score: step * 104_729 % MEMBERS };
        let bytes = allocated_bytes(|| assert!(index.upsert(&name, key).is_ok()));
        assert!(bytes <= WRITE_BYTES_MAX, "{bytes} bytes at step {step}");
    }
    index.check_invariants().unwrap();
}
