//! What the index remembers for its snapshots, by the interval in which it was given up.
//!
//! What it is not: the snapshots' content; that is in `snapshot.rs`. Each snapshot begins an
//! interval, which ends with the next one. Invariant: an interval is there as long as a snapshot
//! lives that was taken before it; a leaf written in an interval that began without it has a
//! record there. A write makes one record, however many snapshots live: the older ones read it as
//! well. Cost: nothing while no snapshot lives; else one record for the first write to a leaf in
//! an interval (see `undo.rs` for bytes), and an entry saved before its slot is first overwritten.
//! What a dropped snapshot alone needed goes back a segment (of 1 024 nodes) a write.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::arena::{Arena, NodeId};
use crate::cell::{Cell, MemberHasher, Needle};
use crate::index::Restructures;
use crate::key::Key;
use crate::leaf::Leaf;
use crate::names::{Handle, Names};
use crate::snapshot::Kept;
use crate::undo::{EPOCHS_MAX, Record, Stamp, Undo};

/// Snapshots of one index that may live at the same time.
pub const SNAPSHOTS_LIVE_MAX: usize = 8;

/// The time between a snapshot and the next, and what snapshots from before still read.
#[derive(Debug)]
struct Interval<K: Key, const LEAF: usize> {
    epoch: u64,
    /// The snapshot that began it.
    kept: Weak<Kept<K>>,
    undo: Undo<K, LEAF>,
    /// Names that left the index meanwhile.
    names: Arena<Handle>,
    /// Leaves that left the present tree meanwhile.
    leaves: Arena<NodeId>,
    /// Leaves of the first tree that was dissolved meanwhile; no snapshot knows a second one.
    dissolved: Option<Arena<Leaf<K, LEAF>>>,
}

impl<K: Key, const LEAF: usize> Interval<K, LEAF> {
    fn is_live(&self) -> bool {
        self.kept.strong_count() > 0
    }

    fn is_empty(&self) -> bool {
        let listed = self.names.slots() + self.leaves.slots();
        self.undo.is_empty() && listed == 0 && self.dissolved.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct Epochs<K: Key, const LEAF: usize> {
    /// Tells indexes of one process apart.
    pub(crate) index_id: u64,
    now: u64,
    /// Oldest first; the snapshot that began the first one lives, or did when the last write began.
    intervals: VecDeque<Box<Interval<K, LEAF>>>,
    /// Intervals that nobody needs any more, to be taken apart.
    over: VecDeque<Box<Interval<K, LEAF>>>,
}

impl<K: Key, const LEAF: usize> Epochs<K, LEAF> {
    fn new() -> Self {
        static INDEXES: AtomicU64 = AtomicU64::new(0);
        let index_id = INDEXES.fetch_add(1, Ordering::Relaxed);
        Self { index_id, now: 0, intervals: VecDeque::new(), over: VecDeque::new() }
    }

    /// The epoch that leaves are written in now.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Snapshots that live.
    pub(crate) fn live(&self) -> usize {
        self.intervals.iter().filter(|interval| interval.is_live()).count()
    }

    /// Whether no snapshot lived when the last write began.
    pub(crate) fn none_lived(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Whether there is nothing to read and nothing to give back.
    pub(crate) fn is_idle(&self) -> bool {
        self.intervals.is_empty() && self.over.is_empty()
    }

    /// Registers a snapshot of the present state and begins a new interval.
    pub(crate) fn begin(&mut self, kept: &Arc<Kept<K>>) {
        // Without this, somebody who holds one snapshot and takes many others would fill the list.
        while self.intervals.back().is_some_and(|last| !last.is_live() && last.is_empty()) {
            self.intervals.pop_back();
        }
        self.next_epoch();
        self.intervals.push_back(Box::new(Interval {
            epoch: self.now,
            kept: Arc::downgrade(kept),
            undo: Undo::new(),
            names: Arena::new(),
            leaves: Arena::new(),
            dissolved: None,
        }));
    }

    fn next_epoch(&mut self) {
        self.now += 1;
        assert!(self.now < EPOCHS_MAX, "an index has fewer than {EPOCHS_MAX} snapshots");
    }

    fn interval(&self, epoch: u64) -> Option<&Interval<K, LEAF>> {
        let at = self.intervals.binary_search_by_key(&epoch, |interval| interval.epoch).ok()?;
        Some(&self.intervals[at])
    }

    /// Stamps `leaf`, which is about to be written in this epoch for the first time, and makes its
    /// record if a snapshot may know it.
    #[cold]
    pub(crate) fn stamp(&mut self, leaf: &mut Leaf<K, LEAF>) {
        let before = leaf.stamp;
        if !self.is_known(before) {
            leaf.stamp = Stamp::new(self.now);
            return;
        }
        let pinned = before.record().and_then(|record| {
            self.interval(before.epoch()).map(|interval| interval.undo.pinned(record))
        });
        let open = self.intervals.back_mut().expect("a snapshot begins an interval");
        open.undo.begin(leaf, self.now, pinned.unwrap_or(0));
    }

    /// Whether a live snapshot has the leaf whose stamp is `stamp`.
    fn is_known(&self, mut stamp: Stamp) -> bool {
        // Most often the newest snapshot lives, and the leaf is older than that.
        if self.intervals.back().is_none_or(|open| open.is_live() && stamp.epoch() < self.now) {
            return !self.intervals.is_empty();
        }
        while let (Some(record), Some(interval)) = (stamp.record(), self.interval(stamp.epoch())) {
            stamp = interval.undo.record(record).before;
        }
        self.intervals.iter().any(|interval| interval.is_live() && interval.epoch > stamp.epoch())
    }

    /// Saves the entry in `slot` of a leaf stamped with this epoch, which is about to be
    /// overwritten.
    #[inline]
    pub(crate) fn save(&mut self, leaf: &Leaf<K, LEAF>, slot: u8) {
        debug_assert_eq!(leaf.stamp.epoch(), self.now, "a leaf is stamped before it is written");
        if let Some(record) = leaf.stamp.record() {
            let open = self.intervals.back_mut().expect("a record of now has its interval");
            open.undo.save(record, leaf, slot);
        }
    }

    /// The records of a leaf stamped `stamp` that a snapshot taken in `epoch` reads, newest first.
    pub(crate) fn records_since(
        &self,
        mut stamp: Stamp,
        epoch: u64,
    ) -> impl Iterator<Item = (&Undo<K, LEAF>, &Record<LEAF>)> {
        std::iter::from_fn(move || {
            if stamp.epoch() <= epoch {
                return None;
            }
            let number = stamp.record().expect("a leaf that a snapshot knows leaves a record");
            let interval = self.interval(stamp.epoch());
            let undo = &interval.expect("an interval after a live snapshot is kept").undo;
            let record = undo.record(number);
            stamp = record.before;
            Some((undo, record))
        })
    }

    /// Takes over the leaf `id`, which left the tree, if a snapshot may know it.
    pub(crate) fn retire_leaf(&mut self, id: NodeId, leaf: &Leaf<K, LEAF>) -> bool {
        debug_assert_eq!(leaf.stamp.epoch(), self.now, "its entries were moved away");
        let known = self.is_known(leaf.stamp);
        if let Some(open) = self.intervals.back_mut().filter(|_| known) {
            open.leaves.insert(id);
        }
        known
    }

    /// Takes over the leaves of a tree that is no more, for the snapshots of it.
    pub(crate) fn dissolve(&mut self, leaves: Arena<Leaf<K, LEAF>>) {
        // Their numbers mean nothing in the next tree.
        for interval in self.intervals.iter_mut().chain(&mut self.over) {
            interval.leaves = Arena::new();
        }
        if let Some(open) = self.intervals.back_mut() {
            open.dissolved.get_or_insert(leaves);
        }
    }

    /// The leaves that a snapshot taken in `epoch` lists, if their tree is no more.
    pub(crate) fn dissolved_since(&self, epoch: u64) -> Option<&Arena<Leaf<K, LEAF>>> {
        let since = self.intervals.partition_point(|interval| interval.epoch <= epoch);
        self.intervals.iter().skip(since).find_map(|interval| interval.dissolved.as_ref())
    }

    /// Closes the intervals that only dropped snapshots needed.
    fn close(&mut self) {
        while let Some(first) = self.intervals.pop_front_if(|first| !first.is_live()) {
            self.over.push_back(first);
            if self.intervals.is_empty() {
                self.intervals = VecDeque::new();
                // No leaf may refer to a record of the interval that was open.
                self.next_epoch();
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &Box<Interval<K, LEAF>>> {
        self.intervals.iter().chain(&self.over)
    }

    /// Whether the record that `stamp` refers to is there, if anything would write to it.
    pub(crate) fn has_record(&self, stamp: Stamp) -> bool {
        match stamp.record().filter(|_| stamp.epoch() == self.now) {
            Some(record) => self.intervals.back().is_some_and(|open| open.undo.has(record)),
            None => stamp.epoch() <= self.now,
        }
    }

    pub(crate) fn retired_names(&self) -> impl Iterator<Item = Handle> {
        self.all().flat_map(|interval| interval.names.iter().copied())
    }

    pub(crate) fn retired_leaves(&self) -> impl Iterator<Item = NodeId> {
        self.all().flat_map(|interval| interval.leaves.iter().copied())
    }

    fn memory_bytes(&self) -> usize {
        let listed = self.intervals.capacity() + self.over.capacity();
        listed * size_of::<Box<Interval<K, LEAF>>>()
            + self.all().count() * size_of::<Interval<K, LEAF>>()
    }
}

/// What both forms of an index share: long names, hashing, snapshots and counters.
#[derive(Debug)]
pub(crate) struct Context<K: Key, const LEAF: usize> {
    pub(crate) names: Names,
    pub(crate) hasher: MemberHasher,
    pub(crate) epochs: Epochs<K, LEAF>,
    pub(crate) counts: Restructures,
}

impl<K: Key, const LEAF: usize> Context<K, LEAF> {
    pub(crate) fn new(hasher: MemberHasher) -> Self {
        let counts = Restructures::default();
        Self { names: Names::new(), hasher, epochs: Epochs::new(), counts }
    }

    /// Lets go of snapshots that were dropped, and gives back a part of what only they needed;
    /// `leaves` are those of the tree, if there is one.
    pub(crate) fn forget_dropped_snapshots(&mut self, leaves: Option<&mut Arena<Leaf<K, LEAF>>>) {
        self.epochs.close();
        let Some(interval) = self.epochs.over.back_mut() else { return };
        if let Some(names) = interval.names.pop_segment() {
            names.iter().for_each(|&handle| self.names.free(handle));
        } else if let Some(numbers) = interval.leaves.pop_segment() {
            let leaves = leaves.expect("a tree that is dissolved takes back its numbers");
            numbers.iter().for_each(|&id| leaves.release(id));
        } else if !interval.undo.shrink()
            && interval.dissolved.as_mut().and_then(Arena::pop_segment).is_none()
        {
            self.epochs.over.pop_back();
            if self.epochs.over.is_empty() {
                self.epochs.over = VecDeque::new();
            }
        }
    }

    /// Makes a cell for a member that enters the index.
    pub(crate) fn store(&mut self, needle: &Needle<'_>, hash: u64) -> K::Member {
        K::Member::store(needle, hash, &mut self.names)
    }

    /// The member in `cell` left the index.
    pub(crate) fn discard(&mut self, cell: &K::Member) {
        let Some(handle) = cell.handle() else { return };
        match self.epochs.intervals.back_mut() {
            Some(open) => {
                open.names.insert(handle);
            }
            None => self.names.free(handle),
        }
    }

    /// Stores the names of `entries` anew, and with that frees all others. No snapshot lives.
    pub(crate) fn renew_names(&mut self, entries: &mut [(K, K::Member)]) {
        for interval in &mut self.epochs.over {
            interval.names = Arena::new();
        }
        let names = std::mem::replace(&mut self.names, Names::new());
        for (_, cell) in entries {
            let hash = self.hasher.hash_cell(cell);
            *cell = self.store(&Needle::new(cell.bytes(&names)), hash);
        }
    }

    /// Heap bytes in use, those of snapshots left out.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.names.memory_bytes() + self.epochs.memory_bytes()
    }
}
