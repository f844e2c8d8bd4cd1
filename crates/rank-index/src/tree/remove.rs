//! An entry leaves, and what is left is kept together.
//!
//! What it is not: the end of a tree; the facade dissolves it before it is empty. Invariant: a node
//! that lost something and is less than half full either shares evenly with a neighbour under the
//! same parent or becomes one with it. Cost: O(log n).

use super::{Spot, Tree, at_level};
use crate::arena::{Arena, NONE, NodeId};
use crate::epochs::Context;
use crate::inner::{Count, Inner, Tally};
use crate::key::Key;
use crate::link::Link;
use crate::table::Found;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Removes the entry that was found by this hash. A long member's bytes stay the caller's to
    /// discard.
    pub(crate) fn remove(
        &mut self,
        cx: &mut Context<K, LEAF>,
        found: Found,
        hash: u64,
    ) -> (K, K::Member) {
        self.table.remove_found(hash, found);
        let entry = self.take(cx, self.spot(found.place));
        self.rebalance(cx, found.place.leaf);
        entry
    }

    /// Takes an entry out and counts it out; the table and the leaf's fill are the caller's.
    fn take(&mut self, cx: &mut Context<K, LEAF>, spot: Spot) -> (K, K::Member) {
        let entry = self.leaf_mut(cx, spot.leaf).remove(spot.pos);
        let (own, next) = self.run_effect(spot, &entry.0);
        self.add_next(next.map(|(leaf, runs)| (leaf, -runs)));
        self.add(spot.leaf, Tally::change(-1, -own));
        self.len -= 1;
        entry
    }

    /// Restores the fill of a leaf that has lost an entry.
    pub(super) fn rebalance(&mut self, cx: &mut Context<K, LEAF>, leaf: NodeId) {
        let len = self.leaves[leaf].len();
        if len >= Self::LEAF_MIN {
            return;
        }
        let (left, right) = match self.siblings(leaf) {
            (Some(left), _) => (left, leaf),
            (None, Some(right)) => (leaf, right),
            (None, None) => return,
        };
        let (left_len, right_len) = (self.leaves[left].len(), self.leaves[right].len());
        if left_len + right_len <= Self::LEAF_MERGE_MAX {
            self.merge_leaves(cx, left, right);
            return;
        }
        let count = left_len.abs_diff(right_len) / 2;
        if count < Self::LEAF_BORROW_MIN {
            return;
        }
        cx.counts.borrows += 1;
        // The sibling may be the shorter one: both are only a little below half full then.
        if left_len < right_len {
            self.shift_left(cx, left, right, count);
        } else {
            self.shift_right(cx, left, right, count);
        }
    }

    /// Moves everything of `right` into `left`, its left sibling.
    fn merge_leaves(&mut self, cx: &mut Context<K, LEAF>, left: NodeId, right: NodeId) {
        cx.counts.leaf_merges += 1;
        let end = Spot { leaf: left, pos: self.leaves[left].len() };
        let count = self.leaves[right].len();
        self.move_entries(cx, Spot { leaf: right, pos: 0 }, count, end);
        let gone = &self.leaves[right];
        let next = gone.next;
        let (parent, index) = gone.link.up().expect("a leaf with a sibling has a parent");
        self.leaves[left].next = next;
        if next == NONE {
            self.last = left;
        } else {
            self.leaves[next].prev = left;
        }
        if !cx.epochs.retire_leaf(right, &self.leaves[right]) {
            self.leaves.release(right);
        }
        self.drop_child(cx, 1, parent, index);
    }

    /// Child `index` of `node` is gone, its entries are counted for the one before it.
    fn drop_child(&mut self, cx: &mut Context<K, LEAF>, level: u8, node: NodeId, index: usize) {
        let (is_root, len, is_low) = at_level!(mut self, level, nodes => {
            let inner = &mut nodes[node];
            inner.drop_child(index);
            (inner.link == Link::NONE, inner.len(), inner.is_low())
        });
        self.adopt(level, node, index);
        if is_root {
            if len == 1 {
                self.shrink_root();
            }
        } else if is_low {
            self.rebalance_inner(cx, level, node);
        }
    }

    /// Makes the root's only child the root.
    fn shrink_root(&mut self) {
        let old = self.root;
        self.root = self.child(self.height, old, 0);
        at_level!(mut self, self.height, nodes => nodes.release(old));
        self.height -= 1;
        self.set_link(self.height, self.root, Link::NONE);
    }

    /// Restores the fill of an inner node, not the root, that has lost a child.
    fn rebalance_inner(&mut self, cx: &mut Context<K, LEAF>, level: u8, node: NodeId) {
        let (parent, index) = self.link(level, node).up().expect("the root may have few children");
        let right_index = index.max(1);
        let left = self.uppers[parent].child(right_index - 1);
        let right = self.uppers[parent].child(right_index);
        let (left_len, right_len, merge_max) = at_level!(self, level, nodes => {
            (nodes[left].len(), nodes[right].len(), nodes[left].merge_max())
        });
        if left_len + right_len <= merge_max {
            cx.counts.inner_merges += 1;
            at_level!(mut self, level, nodes => {
                let children = nodes[right];
                nodes[left].append(&children);
                nodes.release(right);
            });
            self.adopt(level, left, left_len);
            self.drop_child(cx, level + 1, parent, right_index);
        } else if left_len.abs_diff(right_len) > 1 {
            cx.counts.borrows += 1;
            let moved = at_level!(mut self, level, nodes => {
                even_out(nodes, left, right, left_len.midpoint(right_len))
            });
            self.adopt(level, left, left_len.midpoint(right_len).min(left_len));
            self.adopt(level, right, 0);
            let sep = at_level!(self, level, nodes => nodes[right].sep(0));
            self.uppers[parent].move_left(right_index, moved);
            self.uppers[parent].set_sep(right_index, sep);
        }
    }
}

/// Moves children between two siblings so that the left one has `left_len`; returns what came to
/// it (or, negative, left it).
fn even_out<K: Key, C: Count, const N: usize>(
    nodes: &mut Arena<Inner<K, C, N>>,
    left: NodeId,
    right: NodeId,
    left_len: usize,
) -> Tally {
    let before = nodes[left].total();
    let old_len = nodes[left].len();
    if left_len > old_len {
        let rest = nodes[right].split_off(left_len - old_len);
        let moved = replace_children(&mut nodes[right], rest);
        nodes[left].append(&moved);
    } else {
        let mut front = nodes[left].split_off(left_len);
        front.append(&nodes[right]);
        replace_children(&mut nodes[right], front);
    }
    nodes[left].total().minus(before)
}

/// Gives `node` the children of `other`, keeping its place in the tree; returns its old self.
fn replace_children<K: Key, C: Count, const N: usize>(
    node: &mut Inner<K, C, N>,
    mut other: Inner<K, C, N>,
) -> Inner<K, C, N> {
    other.link = node.link;
    std::mem::replace(node, other)
}
