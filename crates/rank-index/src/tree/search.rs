//! From an entry, a key or a predicate down to a spot.
//!
//! What it is not: the way to a member's rank; that one goes up (`rank.rs`). Invariant: a search
//! for an entry ends in a leaf where inserting it keeps every separator valid. Cost: one node per
//! level; where separators equal the key, a binary search among the children that share it.

use std::cmp::Ordering;

use super::{Spot, Tree};
use crate::arena::NodeId;
use crate::cell::{Cell, Needle};
use crate::key::Key;
use crate::names::Names;

impl<K: Key, const LEAF: usize, const INNER: usize> Tree<K, LEAF, INNER> {
    /// The spot of the entry of `key` and `needle`, or where it would have to be.
    pub(crate) fn search(&self, names: &Names, key: &K, needle: &Needle<'_>) -> Spot {
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node];
            let low = inner.partition(|sep| sep.order(key) == Ordering::Less);
            let high = inner.partition(|sep| sep.order(key) != Ordering::Greater);
            // Only for ties over several children do their entries have to be looked at.
            let child = low
                + count_before(high - low, |step| {
                    let leaf = self.first_leaf(inner.child(low + 1 + step), inner.level - 1);
                    self.leaves[leaf].order(0, key, needle, names) == Ordering::Less
                });
            node = inner.child(child);
        }
        let pos = self.leaves[node].lower_bound(key, needle, names);
        Spot { leaf: node, pos }
    }

    /// The spot behind all keys of which `before` holds, which must be a prefix of all.
    pub(crate) fn search_key(&self, mut before: impl FnMut(&K) -> bool) -> Spot {
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node];
            node = inner.child(inner.partition(&mut before));
        }
        Spot { leaf: node, pos: self.leaves[node].partition_by_key(before) }
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
        for _ in 0..self.height {
            let inner = &self.inners[node];
            let child = count_before(inner.len() - 1, |step| {
                holds(self.first_leaf(inner.child(1 + step), inner.level - 1), 0)
            });
            node = inner.child(child);
        }
        let pos = count_before(self.leaves[node].len(), |pos| holds(node, pos));
        Spot { leaf: node, pos }
    }

    /// The spot of the entry at `position`, or behind the last one.
    pub(crate) fn locate(&self, position: usize) -> Spot {
        debug_assert!(position <= self.len);
        let (mut node, mut pos) = (self.root, position);
        for _ in 0..self.height {
            let inner = &self.inners[node];
            let child = inner.child_at(pos);
            pos -= inner.before(child).members as usize;
            node = inner.child(child);
        }
        Spot { leaf: node, pos }
    }

    /// The leftmost leaf below `node`, which is `level` levels above the leaves.
    fn first_leaf(&self, node: NodeId, level: u8) -> NodeId {
        (0..level).fold(node, |node, _| self.inners[node].child(0))
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
