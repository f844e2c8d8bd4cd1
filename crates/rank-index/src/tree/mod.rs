//! The counted B+ tree and its member table: the form of every index that is not small.
//!
//! What it is not: able to be empty; the facade turns it into the small form before. Invariant: the
//! leaves, in order of their links, hold all entries in ascending order; the table holds exactly
//! their places; every parent link, separator and tally is as `inner.rs` says. Cost: a place gives
//! its position in one step per level, without a comparison; everything else is O(log n) as well.

mod insert;
mod rank;
mod rekey;
mod remove;
mod search;

use std::ops::Range;

use crate::arena::{Arena, NONE, NodeId};
use crate::cell::{Cell, Needle};
use crate::epochs::Context;
use crate::index::MEMBERS_MAX;
use crate::inner::{Inner, Tally};
use crate::key::{Key, begins_run};
use crate::leaf::{LEAF_MAX, Leaf, Place};
use crate::table::Table;

pub(crate) use search::count_before;

/// A position between entries: before the one at `pos` of `leaf`, or behind the leaf's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) leaf: NodeId,
    pub(crate) pos: usize,
}

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Tree<K: Key, const LEAF: usize, const INNER: usize> {
    pub(crate) leaves: Arena<Leaf<K, LEAF>>,
    pub(crate) inners: Arena<Inner<K, INNER>>,
    pub(crate) table: Table,
    pub(crate) root: NodeId,
    /// Levels of inner nodes above the leaves.
    pub(crate) height: u8,
    pub(crate) first: NodeId,
    pub(crate) last: NodeId,
    pub(crate) len: usize,
}

impl<K: Key, const LEAF: usize, const INNER: usize> Tree<K, LEAF, INNER> {
    /// A leaf with fewer entries than this asks its neighbour for help.
    const LEAF_MIN: usize = LEAF / 2;
    /// Two neighbours with no more entries than this become one. Short of full, so that the next
    /// inserts do not split it again.
    pub(crate) const LEAF_MERGE_MAX: usize = LEAF - LEAF / 8;
    /// Two neighbours of which one is too empty are evened out only when at least this many entries
    /// move, so that a stretch of removals does not move one each time.
    const LEAF_BORROW_MIN: usize = if LEAF / 8 > 1 { LEAF / 8 } else { 1 };
    /// What the rules above leave in a leaf at least, if it is not the last one.
    pub(crate) const LEAF_LEAST: usize = (Self::LEAF_MERGE_MAX + 2 - 2 * Self::LEAF_BORROW_MIN) / 2;
    /// A full leaf shifts entries to a neighbour that has at least this much room.
    const LEAF_ROOM_MIN: usize = if LEAF / 8 > 2 { LEAF / 8 } else { 2 };
    /// An inner node with fewer children than this asks its neighbour for help.
    const INNER_MIN: usize = INNER / 2;
    /// As `LEAF_MERGE_MAX`, for inner nodes.
    pub(crate) const INNER_MERGE_MAX: usize = INNER - INNER / 8;

    /// Members that a tree of these nodes can hold: places count in 26 bits of leaf.
    pub(crate) const MEMBERS_MAX: usize = {
        let by_place = (1 << 26) * Self::LEAF_LEAST;
        if by_place < MEMBERS_MAX { by_place } else { MEMBERS_MAX }
    };

    const CAPACITIES: () = {
        assert!(4 <= LEAF && LEAF <= LEAF_MAX, "a leaf has 4 to 64 slots");
        assert!(4 <= INNER && INNER < 256, "an inner node has 4 to 255 children");
    };

    /// A tree around `leaves`; the caller fills in the rest.
    pub(crate) fn without_inners(leaves: Arena<Leaf<K, LEAF>>) -> Self {
        let () = Self::CAPACITIES;
        Self {
            leaves,
            inners: Arena::new(),
            table: Table::new(),
            root: NONE,
            height: 0,
            first: NONE,
            last: NONE,
            len: 0,
        }
    }

    /// The place of the member `needle`.
    pub(crate) fn find(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
    ) -> Option<Place> {
        self.table.find(hash, |place| {
            self.leaves[place.leaf].cell_in(place.slot).matches(needle, hash, &cx.names)
        })
    }

    pub(crate) fn key_in(&self, place: Place) -> K {
        self.leaves[place.leaf].key_in(place.slot)
    }

    pub(crate) fn place(&self, spot: Spot) -> Place {
        Place { leaf: spot.leaf, slot: self.leaves[spot.leaf].slot(spot.pos) }
    }

    pub(crate) fn spot(&self, place: Place) -> Spot {
        Spot { leaf: place.leaf, pos: self.leaves[place.leaf].position(place.slot) }
    }

    /// Adds a place to the table, whose member is not in it.
    fn register(&mut self, cx: &Context<K, LEAF>, hash: u64, place: Place) {
        let leaves = &self.leaves;
        self.table.insert(hash, place, |other| {
            cx.hasher.hash_cell(leaves[other.leaf].cell_in(other.slot))
        });
    }

    /// The leaf, for writing its entries: live snapshots get their copy first.
    fn leaf_mut(&mut self, cx: &Context<K, LEAF>, id: NodeId) -> &mut Leaf<K, LEAF> {
        let leaf = &mut self.leaves[id];
        let now = cx.epochs.now();
        if leaf.epoch != now {
            cx.epochs.preserve(id, leaf);
            leaf.epoch = now;
        }
        leaf
    }

    /// Key of the entry before `spot`.
    fn key_before(&self, spot: Spot) -> Option<K> {
        let leaf = &self.leaves[spot.leaf];
        match spot.pos {
            0 if leaf.prev == NONE => None,
            0 => Some(self.leaves[leaf.prev].last_key()),
            pos => Some(leaf.key(pos - 1)),
        }
    }

    /// The entry at or behind `spot`, as a leaf and its key.
    fn key_from(&self, spot: Spot) -> Option<(NodeId, K)> {
        let leaf = &self.leaves[spot.leaf];
        if spot.pos < leaf.len() {
            Some((spot.leaf, leaf.key(spot.pos)))
        } else if leaf.next == NONE {
            None
        } else {
            Some((leaf.next, self.leaves[leaf.next].key(0)))
        }
    }

    /// How many entries of `range` of the leaf begin a run of equal scores.
    pub(crate) fn runs_in(&self, leaf: NodeId, range: Range<usize>) -> u32 {
        let mut before = self.key_before(Spot { leaf, pos: range.start });
        let mut runs = 0;
        for pos in range {
            let key = self.leaves[leaf].key(pos);
            runs += u32::from(begins_run(before, &key));
            before = Some(key);
        }
        runs
    }

    /// What `range` of the leaf counts for.
    pub(crate) fn tally_of(&self, leaf: NodeId, range: Range<usize>) -> Tally {
        let members = u32::try_from(range.len()).expect("a leaf has at most 64 entries");
        Tally { members, runs: self.runs_in(leaf, range) }
    }

    /// Adds `change` to the leaf in all inner nodes above it.
    fn add(&mut self, leaf: NodeId, change: Tally) {
        let leaf = &self.leaves[leaf];
        self.add_upwards(leaf.parent, leaf.index, change);
    }

    fn add_upwards(&mut self, mut node: NodeId, mut index: u8, change: Tally) {
        if change == Tally::ZERO {
            return;
        }
        while node != NONE {
            let inner = &mut self.inners[node];
            inner.add(usize::from(index), change);
            (node, index) = (inner.parent, inner.index);
        }
    }

    /// Adds both changes, walking no higher than where they meet if they cancel out there.
    fn add_both(&mut self, one: (NodeId, Tally), other: (NodeId, Tally)) {
        let (left, right) = (&self.leaves[one.0], &self.leaves[other.0]);
        let (mut left, mut right) = ((left.parent, left.index), (right.parent, right.index));
        while left.0 != right.0 {
            let inner = &mut self.inners[left.0];
            inner.add(usize::from(left.1), one.1);
            left = (inner.parent, inner.index);
            let inner = &mut self.inners[right.0];
            inner.add(usize::from(right.1), other.1);
            right = (inner.parent, inner.index);
        }
        debug_assert_ne!(left.0, NONE, "two leaves have a common ancestor");
        let inner = &mut self.inners[left.0];
        inner.add(usize::from(left.1), one.1);
        inner.add(usize::from(right.1), other.1);
        let (parent, index) = (inner.parent, inner.index);
        self.add_upwards(parent, index, one.1.plus(other.1));
    }

    /// Tells the children of `node` from `from` on who their parent is.
    pub(crate) fn adopt(&mut self, node: NodeId, from: usize) {
        let inner = &self.inners[node];
        let (level, len) = (inner.level, inner.len());
        for index in from..len {
            let child = self.inners[node].child(index);
            self.set_parent(level - 1, child, node, crate::leaf::narrow(index));
        }
    }

    fn set_parent(&mut self, level: u8, child: NodeId, parent: NodeId, index: u8) {
        if level == 0 {
            let leaf = &mut self.leaves[child];
            (leaf.parent, leaf.index) = (parent, index);
        } else {
            let inner = &mut self.inners[child];
            (inner.parent, inner.index) = (parent, index);
        }
    }

    /// Moves `count` entries from position `from` of one leaf to position `to` of another, which
    /// has room. Tallies and separators are the caller's.
    fn move_entries(&mut self, cx: &Context<K, LEAF>, from: Spot, count: usize, to: Spot) {
        self.leaf_mut(cx, from.leaf);
        self.leaf_mut(cx, to.leaf);
        for step in 0..count {
            let source = &self.leaves[from.leaf];
            let old = Place { leaf: from.leaf, slot: source.slot(from.pos + step) };
            let (key, cell) = (source.key_in(old.slot), *source.cell_in(old.slot));
            let slot = self.leaves[to.leaf].insert(to.pos + step, key, cell);
            let new = Place { leaf: to.leaf, slot };
            self.table.relocate(cx.hasher.hash_cell(&cell), old, new);
        }
        self.leaves[from.leaf].remove_range(from.pos, count);
    }

    /// Calls `visit` with every leaf's number and all that lies before it, in order. Reads the
    /// lowest inner nodes, not the leaves.
    pub(crate) fn for_each_leaf(&self, visit: &mut dyn FnMut(NodeId, Tally)) {
        if self.height == 0 {
            visit(self.root, Tally::ZERO);
        } else {
            self.for_each_leaf_below(self.root, Tally::ZERO, visit);
        }
    }

    fn for_each_leaf_below(
        &self,
        node: NodeId,
        before: Tally,
        visit: &mut dyn FnMut(NodeId, Tally),
    ) {
        let inner = &self.inners[node];
        for (index, &child) in inner.children().iter().enumerate() {
            let before = before.plus(inner.before(index));
            if inner.level == 1 {
                visit(child, before);
            } else {
                self.for_each_leaf_below(child, before, visit);
            }
        }
    }

    /// All entries in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (K, K::Member)> {
        let mut leaf = self.first;
        std::iter::from_fn(move || {
            let node = (leaf != NONE).then(|| &self.leaves[leaf])?;
            leaf = node.next;
            Some((0..node.len()).map(|pos| (node.key(pos), *node.cell(pos))))
        })
        .flatten()
    }

    /// Heap bytes in use.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.leaves.memory_bytes()
            + self.inners.memory_bytes()
            + self.table.memory_bytes()
    }
}
