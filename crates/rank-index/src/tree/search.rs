//! From an entry, a key or a predicate down to a spot.
//!
//! What it is not: the way to a member's rank; that one goes up (`rank.rs`). Invariant: a search
//! for an entry ends in a leaf where inserting it keeps every separator valid. Cost: one node per
//! level; where separators equal the key, a binary search among the children that share it.

use std::cmp::Ordering;

use super::{Spot, Tree, at_level};
use crate::arena::NodeId;
use crate::cell::{Cell, Needle};
use crate::key::Key;
use crate::leaf::Leaf;
use crate::names::Names;

/// Leaves that a walk asks for before it reads the first: no more are waited for at once.
const LEAVES_AHEAD_MAX: usize = 3;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// The spot of the entry of `key` and `needle`, or where it would have to be.
    pub(crate) fn search(&self, names: &Names, key: &K, needle: &Needle<'_>) -> Spot {
        let leaf = self.search_leaf(names, key, needle);
        Spot { leaf, pos: self.leaves[leaf].lower_bound(key, needle, names) }
    }

    /// The leaf of [`search`](Self::search). Reads no leaf unless keys tie over several.
    pub(crate) fn search_leaf(&self, names: &Names, key: &K, needle: &Needle<'_>) -> NodeId {
        let mut node = self.root;
        for level in (1..=self.height).rev() {
            node = at_level!(self, level, nodes => {
                let inner = &nodes[node];
                inner.prefetch_seps();
                let low = inner.partition(|sep| sep.is_before(key));
                let ties = inner.ties_behind(low, key);
                if ties == 0 {
                    inner.child(low)
                } else {
                    let child = |step: usize| inner.child(low + 1 + step);
                    inner.child(low + self.ties_before(level - 1, ties, child, names, key, needle))
                }
            });
        }
        node
    }

    /// How many of the `count` nodes that `child` names, whose separators equal `key`, begin with
    /// an entry before that of `key` and `needle`.
    #[cold]
    fn ties_before(
        &self,
        level: u8,
        count: usize,
        child: impl Fn(usize) -> NodeId,
        names: &Names,
        key: &K,
        needle: &Needle<'_>,
    ) -> usize {
        count_before(count, |step| {
            let leaf = &self.leaves[self.first_leaf(child(step), level)];
            leaf.order(0, key, needle, names) == Ordering::Less
        })
    }

    /// How many entries have keys of which `before` holds, which must be a prefix of all.
    pub(crate) fn partition_by_key(&self, before: impl FnMut(&K) -> bool + Copy) -> usize {
        let leaf = self.leaf_by_key(before);
        self.partition_in_leaf(leaf, before)
    }

    /// Both partitions at once: the leaves of both arrive together.
    pub(crate) fn partition_by_keys(
        &self,
        one: impl FnMut(&K) -> bool + Copy,
        other: impl FnMut(&K) -> bool + Copy,
    ) -> (usize, usize) {
        let (mut node, mut other_node) = (self.root, self.root);
        for level in (1..=self.height).rev() {
            at_level!(self, level, nodes => {
                node = nodes[node].child_by_key(one);
                other_node = nodes[other_node].child_by_key(other);
            });
        }
        let (leaf, other_leaf) = (&self.leaves[node], &self.leaves[other_node]);
        leaf.prefetch_search();
        other_leaf.prefetch_search();
        (self.partition_in_leaf(leaf, one), self.partition_in_leaf(other_leaf, other))
    }

    /// The leaf in which a prefix of keys ends; asks for what a search in it reads.
    fn leaf_by_key(&self, before: impl FnMut(&K) -> bool + Copy) -> &Leaf<K, LEAF> {
        let mut node = self.root;
        for level in (1..=self.height).rev() {
            node = at_level!(self, level, nodes => nodes[node].child_by_key(before));
        }
        let leaf = &self.leaves[node];
        leaf.prefetch_search();
        leaf
    }

    fn partition_in_leaf(&self, leaf: &Leaf<K, LEAF>, before: impl FnMut(&K) -> bool) -> usize {
        leaf.partition_by_key(before) + self.position_of_leaf(leaf)
    }

    /// The spot behind all entries of which `before` holds, which must be a prefix of all.
    pub(crate) fn search_entry(
        &self,
        names: &Names,
        mut before: impl FnMut(&K, &[u8]) -> bool,
    ) -> Spot {
        let mut holds = |leaf: NodeId, pos: usize| {
            let leaf = &self.leaves[leaf];
            before(&leaf.key(pos), leaf.cell(pos).bytes(names))
        };
        let mut node = self.root;
        for level in (1..=self.height).rev() {
            let count = at_level!(self, level, nodes => nodes[node].len()) - 1;
            let child = count_before(count, |step| {
                holds(self.first_leaf(self.child(level, node, 1 + step), level - 1), 0)
            });
            node = self.child(level, node, child);
        }
        let pos = count_before(self.leaves[node].len(), |pos| holds(node, pos));
        Spot { leaf: node, pos }
    }

    /// The spot of the entry at `position`, or behind the last one.
    pub(crate) fn locate(&self, position: usize) -> Spot {
        debug_assert!(position <= self.len);
        let (mut node, mut pos) = (self.root, position);
        for level in (1..=self.height).rev() {
            at_level!(self, level, nodes => {
                let inner = &nodes[node];
                let child = inner.child_at(pos);
                pos -= inner.members_before(child);
                node = inner.child(child);
            });
        }
        Spot { leaf: node, pos }
    }

    /// As [`locate`](Self::locate), when `count` entries will be read from there on: asks for their
    /// leaves, as far as they have one parent, without waiting for the first.
    pub(crate) fn locate_to_read(&self, position: usize, count: usize) -> Spot {
        let spot = self.locate(position);
        let leaf = &self.leaves[spot.leaf];
        leaf.prefetch_entries();
        if let Some((base, index)) = leaf.link.up() {
            let further = (spot.pos + count) / (LEAF / 4 * 3);
            let next = self.bases[base].children().iter().skip(index + 1);
            next.take(further.min(LEAVES_AHEAD_MAX))
                .for_each(|&next| self.leaves[next].prefetch_entries());
        }
        spot
    }

    /// The leftmost leaf below `node`.
    fn first_leaf(&self, node: NodeId, level: u8) -> NodeId {
        (1..=level).rev().fold(node, |node, level| self.child(level, node, 0))
    }
}

/// How many of `0..count` satisfy `before`, which must hold for a prefix of them.
pub(crate) fn count_before(count: usize, mut before: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
