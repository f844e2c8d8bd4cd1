//! What the index remembers for its snapshots: which live, and which names they still need.
//!
//! What it is not: the snapshots' content; that is in `snapshot.rs`. Invariant: a leaf written last
//! in epoch `e` is part of exactly those live snapshots that were taken in `e` or later, and is
//! kept for each of them before it is written again. Cost: nothing while no snapshot lives; else
//! one leaf copy for the first write to each leaf after a snapshot.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::arena::NodeId;
use crate::cell::{Cell, MemberHasher, Needle};
use crate::index::Restructures;
use crate::key::Key;
use crate::leaf::Leaf;
use crate::names::{Handle, Names};
use crate::snapshot::Kept;

/// Snapshots of one index that may live at the same time.
pub const SNAPSHOTS_LIVE_MAX: usize = 8;

#[derive(Debug)]
struct Live<K: Key, const LEAF: usize> {
    epoch: u64,
    kept: Weak<Kept<K, LEAF>>,
}

#[derive(Debug)]
pub(crate) struct Epochs<K: Key, const LEAF: usize> {
    /// Tells indexes of one process apart.
    pub(crate) index_id: u64,
    now: u64,
    /// In the order in which they were taken.
    live: Vec<Live<K, LEAF>>,
    /// Names that left the index in an epoch, oldest first.
    retired: VecDeque<(u64, Handle)>,
}

impl<K: Key, const LEAF: usize> Epochs<K, LEAF> {
    fn new() -> Self {
        static INDEXES: AtomicU64 = AtomicU64::new(0);
        let index_id = INDEXES.fetch_add(1, Ordering::Relaxed);
        Self { index_id, now: 0, live: Vec::new(), retired: VecDeque::new() }
    }

    /// The epoch that leaves are written in now.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Snapshots that lived when the last write began.
    pub(crate) fn live(&self) -> usize {
        self.live.len()
    }

    /// Registers a snapshot of the present state and begins a new epoch.
    pub(crate) fn begin(&mut self, kept: &Arc<Kept<K, LEAF>>) {
        self.live.push(Live { epoch: self.now, kept: Arc::downgrade(kept) });
        self.now += 1;
    }

    /// Keeps `leaf` for the snapshots that it is part of, before it is written or freed.
    pub(crate) fn preserve(&self, id: NodeId, leaf: &Leaf<K, LEAF>) {
        let mut copy = None;
        for live in self.live.iter().filter(|live| live.epoch >= leaf.epoch) {
            if let Some(kept) = live.kept.upgrade() {
                kept.keep(id, Arc::clone(copy.get_or_insert_with(|| Arc::new(*leaf))));
            }
        }
    }

    pub(crate) fn retired(&self) -> impl Iterator<Item = Handle> {
        self.retired.iter().map(|&(_, handle)| handle)
    }

    fn memory_bytes(&self) -> usize {
        self.live.capacity() * size_of::<Live<K, LEAF>>()
            + self.retired.capacity() * size_of::<(u64, Handle)>()
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

    /// Lets go of snapshots that were dropped, and of the names that only they needed.
    pub(crate) fn forget_dropped_snapshots(&mut self) {
        let epochs = &mut self.epochs;
        if epochs.live.is_empty() {
            return;
        }
        epochs.live.retain(|live| live.kept.strong_count() > 0);
        let oldest = epochs.live.first().map_or(u64::MAX, |live| live.epoch);
        while let Some((_, handle)) = epochs.retired.pop_front_if(|(epoch, _)| *epoch <= oldest) {
            self.names.free(handle);
        }
        if epochs.live.is_empty() {
            epochs.retired = VecDeque::new();
        }
    }

    /// Makes a cell for a member that enters the index.
    pub(crate) fn store(&mut self, needle: &Needle<'_>, hash: u64) -> K::Member {
        K::Member::store(needle, hash, &mut self.names)
    }

    /// The member in `cell` left the index.
    pub(crate) fn discard(&mut self, cell: &K::Member) {
        let Some(handle) = cell.handle() else { return };
        if self.epochs.live.is_empty() {
            self.names.free(handle);
        } else {
            self.epochs.retired.push_back((self.epochs.now, handle));
        }
    }

    /// Heap bytes in use, those of snapshots left out.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.names.memory_bytes() + self.epochs.memory_bytes()
    }
}
