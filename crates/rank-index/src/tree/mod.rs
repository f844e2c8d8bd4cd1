//! The counted B+ tree and its member table: the form of every index that is not small.
//!
//! What it is not: able to be empty; the facade turns it into the small form before. Invariant: the
//! leaves, in order of their links, hold all entries in ascending order; the table holds exactly
//! their places; every parent link, separator and tally is as `inner.rs` says. Cost: a place gives
//! its position in one step per level, without a comparison; everything else is O(log n) as well.

mod ahead;
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
use crate::link::{Link, PARENTS_MAX};
use crate::table::{Found, Table};

pub(crate) use ahead::WINDOW;
pub(crate) use search::count_before;

/// A position between entries: before the one at `pos` of `leaf`, or behind the leaf's last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) leaf: NodeId,
    pub(crate) pos: usize,
}

/// Runs the same expression on the nodes of a level above the leaves, whatever their type is.
macro_rules! at_level {
    ($tree:expr, $level:expr, $nodes:ident => $body:expr) => {
        if $level == 1 {
            let $nodes = &$tree.bases;
            $body
        } else {
            let $nodes = &$tree.uppers;
            $body
        }
    };
    (mut $tree:expr, $level:expr, $nodes:ident => $body:expr) => {
        if $level == 1 {
            let $nodes = &mut $tree.bases;
            $body
        } else {
            let $nodes = &mut $tree.uppers;
            $body
        }
    };
}
pub(crate) use at_level;

/// A node right above the leaves.
pub(crate) type Base<K, const INNER: usize> = Inner<K, u16, INNER>;
/// A node above inner nodes.
pub(crate) type Upper<K, const UPPER: usize> = Inner<K, u32, UPPER>;

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Tree<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize> {
    pub(crate) leaves: Arena<Leaf<K, LEAF>>,
    pub(crate) bases: Arena<Base<K, INNER>>,
    pub(crate) uppers: Arena<Upper<K, UPPER>>,
    pub(crate) table: Table,
    pub(crate) root: NodeId,
    /// Levels of inner nodes above the leaves.
    pub(crate) height: u8,
    pub(crate) first: NodeId,
    pub(crate) last: NodeId,
    pub(crate) len: usize,
}

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
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
    /// Members that a tree of these nodes can hold: places count in 26 bits of leaf, links in 24
    /// bits of parent, and no node is emptier than its rules leave it.
    pub(crate) const MEMBERS_MAX: usize = {
        let by_place = (1 << 26) * Self::LEAF_LEAST;
        let by_link = PARENTS_MAX * Base::<K, INNER>::LEAST * Self::LEAF_LEAST;
        let by_nodes = if by_place < by_link { by_place } else { by_link };
        if by_nodes < MEMBERS_MAX { by_nodes } else { MEMBERS_MAX }
    };

    const CAPACITIES: () = {
        assert!(4 <= LEAF && LEAF <= LEAF_MAX, "a leaf has 4 to 64 slots");
        assert!(4 <= INNER && INNER < 256, "a node above leaves has 4 to 255 children");
        assert!(4 <= UPPER && UPPER < 256, "a node above those has 4 to 255 children");
        assert!(LEAF * INNER <= u16::MAX as usize, "sums above leaves have 16 bits");
    };

    /// A tree around `leaves`; the caller fills in the rest.
    pub(crate) fn without_inners(leaves: Arena<Leaf<K, LEAF>>) -> Self {
        let () = Self::CAPACITIES;
        Self {
            leaves,
            bases: Arena::new(),
            uppers: Arena::new(),
            table: Table::new(),
            root: NONE,
            height: 0,
            first: NONE,
            last: NONE,
            len: 0,
        }
    }

    /// The place of the member `needle`.
    #[inline]
    pub(crate) fn find(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
    ) -> Option<Place> {
        self.find_asking(cx, needle, hash, |_| {}).map(|found| found.place)
    }

    /// The spot of the member `needle`, when its neighbours will be read.
    #[inline]
    pub(crate) fn find_among_others(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
    ) -> Option<Spot> {
        let found = self.find_asking(cx, needle, hash, Leaf::prefetch_entries)?;
        Some(self.spot(found.place))
    }

    /// Where the member `needle` is, when its entry will change.
    #[inline(always)]
    pub(crate) fn find_to_write(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
    ) -> Option<Found> {
        self.find_asking(cx, needle, hash, Leaf::prefetch_search)
    }

    /// Where the member `needle` is; `ask` asks for what else of its leaf will be needed, before
    /// anything in it is waited for.
    #[inline(always)]
    fn find_asking(
        &self,
        cx: &Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
        ask: impl Fn(&Leaf<K, LEAF>),
    ) -> Option<Found> {
        self.table.find_entry(hash, |place| {
            let leaf = &self.leaves[place.leaf];
            ask(leaf);
            leaf.cell_in(place.slot).matches(needle, hash, &cx.names)
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

    /// The leaf, for writing: its order is noted for live snapshots first. Before a slot is
    /// overwritten, its entry is to be saved as well.
    fn leaf_mut(&mut self, cx: &mut Context<K, LEAF>, id: NodeId) -> &mut Leaf<K, LEAF> {
        let leaf = &mut self.leaves[id];
        if leaf.stamp.epoch() != cx.epochs.now() {
            cx.epochs.stamp(leaf);
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

    /// Adds `change` to the leaf in all nodes above it.
    fn add(&mut self, leaf: NodeId, change: Tally) {
        if change == Tally::ZERO {
            return;
        }
        let Some((base, index)) = self.leaves[leaf].link.up() else { return };
        let base = &mut self.bases[base];
        base.add(index, change);
        let link = base.link;
        self.add_upwards(link, change);
    }

    /// Adds `change` to the upper node and child that `link` leads to, and to all above it.
    fn add_upwards(&mut self, mut link: Link, change: Tally) {
        if change == Tally::ZERO {
            return;
        }
        while let Some((upper, index)) = link.up() {
            let upper = &mut self.uppers[upper];
            upper.add(index, change);
            link = upper.link;
        }
    }

    /// Adds both changes, walking no higher than where they meet if they cancel out there.
    fn add_both(&mut self, one: (NodeId, Tally), other: (NodeId, Tally)) {
        const PARENT: &str = "two nodes of a level have a parent";
        let sum = one.1.plus(other.1);
        let left = self.leaves[one.0].link.up().expect(PARENT);
        let right = self.leaves[other.0].link.up().expect(PARENT);
        if left.0 == right.0 {
            let base = &mut self.bases[left.0];
            base.add_both((left.1, one.1), (right.1, other.1));
            let link = base.link;
            return self.add_upwards(link, sum);
        }
        let base = &mut self.bases[left.0];
        base.add(left.1, one.1);
        let mut left = base.link.up().expect(PARENT);
        let base = &mut self.bases[right.0];
        base.add(right.1, other.1);
        let mut right = base.link.up().expect(PARENT);
        while left.0 != right.0 {
            let upper = &mut self.uppers[left.0];
            upper.add(left.1, one.1);
            left = upper.link.up().expect(PARENT);
            let upper = &mut self.uppers[right.0];
            upper.add(right.1, other.1);
            right = upper.link.up().expect(PARENT);
        }
        let upper = &mut self.uppers[left.0];
        upper.add_both((left.1, one.1), (right.1, other.1));
        let link = upper.link;
        self.add_upwards(link, sum);
    }

    /// Tells the children of `node` from `from` on who their parent is.
    pub(crate) fn adopt(&mut self, level: u8, node: NodeId, from: usize) {
        let len = at_level!(self, level, nodes => nodes[node].len());
        for index in from..len {
            let child = at_level!(self, level, nodes => nodes[node].child(index));
            self.set_link(level - 1, child, Link::new(node, index));
        }
    }

    fn set_link(&mut self, level: u8, node: NodeId, link: Link) {
        if level == 0 {
            self.leaves[node].link = link;
        } else {
            at_level!(mut self, level, nodes => nodes[node].link = link);
        }
    }

    /// The way up from an inner node.
    fn link(&self, level: u8, node: NodeId) -> Link {
        at_level!(self, level, nodes => nodes[node].link)
    }

    /// The child of `node` at `index`.
    fn child(&self, level: u8, node: NodeId, index: usize) -> NodeId {
        at_level!(self, level, nodes => nodes[node].child(index))
    }

    /// Moves `count` entries from position `from` of one leaf to position `to` of another, which
    /// has room. Tallies and separators are the caller's.
    fn move_entries(&mut self, cx: &mut Context<K, LEAF>, from: Spot, count: usize, to: Spot) {
        self.leaf_mut(cx, from.leaf);
        self.leaf_mut(cx, to.leaf);
        // All lines of the table first: each is a cache miss, and none has to wait for another.
        let source = &self.leaves[from.leaf];
        for pos in from.pos..from.pos + count {
            self.table.prefetch(cx.hasher.hash_cell(source.cell(pos)));
        }
        for step in 0..count {
            let source = &self.leaves[from.leaf];
            let old = Place { leaf: from.leaf, slot: source.slot(from.pos + step) };
            let (key, cell) = (source.key_in(old.slot), *source.cell_in(old.slot));
            let target = &mut self.leaves[to.leaf];
            cx.epochs.save(target, target.free_slot());
            let slot = target.insert(to.pos + step, key, cell);
            let new = Place { leaf: to.leaf, slot };
            self.table.relocate(cx.hasher.hash_cell(&cell), old, new);
        }
        self.leaves[from.leaf].remove_range(from.pos, count);
    }

    /// Calls `visit` with every leaf's number and all that lies before it, in order. Reads the
    /// nodes above the leaves, not those.
    pub(crate) fn for_each_leaf(&self, visit: &mut dyn FnMut(NodeId, Tally)) {
        self.for_each_leaf_below(self.height, self.root, Tally::ZERO, visit);
    }

    fn for_each_leaf_below(
        &self,
        level: u8,
        node: NodeId,
        before: Tally,
        visit: &mut dyn FnMut(NodeId, Tally),
    ) {
        if level == 0 {
            return visit(node, before);
        }
        at_level!(self, level, nodes => {
            let inner = &nodes[node];
            for (index, &child) in inner.children().iter().enumerate() {
                self.for_each_leaf_below(level - 1, child, before.plus(inner.before(index)), visit);
            }
        });
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
            + self.bases.memory_bytes()
            + self.uppers.memory_bytes()
            + self.table.memory_bytes()
    }
}
