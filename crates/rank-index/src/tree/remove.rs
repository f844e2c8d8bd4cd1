//! An entry leaves, and what is left is kept together.
//!
//! What it is not: the end of a tree; the facade dissolves it before it is empty. Invariant: a node
//! that lost something and is less than half full either shares evenly with a neighbour under the
//! same parent or becomes one with it. Cost: O(log n).

use super::{Spot, Tree};
use crate::arena::{NONE, NodeId};
use crate::epochs::Context;
use crate::inner::Tally;
use crate::key::Key;
use crate::leaf::Place;

impl<K: Key, const LEAF: usize, const INNER: usize> Tree<K, LEAF, INNER> {
    /// Removes the entry at `place`. A long member's bytes stay the caller's to discard.
    pub(crate) fn remove(
        &mut self,
        cx: &mut Context<K, LEAF>,
        place: Place,
        hash: u64,
    ) -> (K, K::Member) {
        self.table.remove(hash, place);
        let entry = self.take(cx, self.spot(place));
        self.rebalance(cx, place.leaf);
        entry
    }

    /// Takes an entry out and counts it out; the table and the leaf's fill are the caller's.
    fn take(&mut self, cx: &Context<K, LEAF>, spot: Spot) -> (K, K::Member) {
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
        let (parent, index, next) = (gone.parent, usize::from(gone.index), gone.next);
        self.leaves[left].next = next;
        if next == NONE {
            self.last = left;
        } else {
            self.leaves[next].prev = left;
        }
        self.leaves.release(right);
        self.drop_child(cx, parent, index);
    }

    /// Child `index` of `node` is gone, its entries are counted for the one before it.
    fn drop_child(&mut self, cx: &mut Context<K, LEAF>, node: NodeId, index: usize) {
        self.inners[node].drop_child(index);
        self.adopt(node, index);
        let inner = &self.inners[node];
        if inner.parent == NONE {
            if inner.len() == 1 {
                self.shrink_root();
            }
        } else if inner.len() < Self::INNER_MIN {
            self.rebalance_inner(cx, node);
        }
    }

    /// Makes the root's only child the root.
    fn shrink_root(&mut self) {
        let old = self.root;
        self.root = self.inners[old].child(0);
        self.height -= 1;
        self.set_parent(self.height, self.root, NONE, 0);
        self.inners.release(old);
    }

    /// Restores the fill of an inner node, not the root, that has lost a child.
    fn rebalance_inner(&mut self, cx: &mut Context<K, LEAF>, node: NodeId) {
        let inner = &self.inners[node];
        let (parent, index) = (inner.parent, usize::from(inner.index));
        let right_index = index.max(1);
        let left = self.inners[parent].child(right_index - 1);
        let right = self.inners[parent].child(right_index);
        let (left_len, right_len) = (self.inners[left].len(), self.inners[right].len());
        if left_len + right_len <= Self::INNER_MERGE_MAX {
            cx.counts.inner_merges += 1;
            let children = self.inners[right].clone();
            self.inners[left].append(&children);
            self.adopt(left, left_len);
            self.inners.release(right);
            self.drop_child(cx, parent, right_index);
        } else if left_len.abs_diff(right_len) > 1 {
            cx.counts.borrows += 1;
            self.even_out(left, right, (left_len + right_len) / 2);
        }
    }

    /// Moves children between two siblings so that the left one has `left_len`.
    fn even_out(&mut self, left: NodeId, right: NodeId, left_len: usize) {
        let before = self.inners[left].total();
        let old_len = self.inners[left].len();
        if left_len > old_len {
            let rest = self.inners[right].split_off(left_len - old_len);
            let moved = self.replace_children(right, rest);
            self.inners[left].append(&moved);
        } else {
            let mut front = self.inners[left].split_off(left_len);
            front.append(&self.inners[right]);
            self.replace_children(right, front);
        }
        self.adopt(left, left_len.min(old_len));
        self.adopt(right, 0);
        let moved = self.inners[left].total().minus(before);
        let inner = &self.inners[right];
        let (parent, index, sep) = (inner.parent, usize::from(inner.index), inner.sep(0));
        self.inners[parent].move_left(index, moved);
        self.inners[parent].set_sep(index, sep);
    }

    /// Gives `node` the children of `other`, keeping its place in the tree; returns its old self.
    fn replace_children(
        &mut self,
        node: NodeId,
        mut other: crate::inner::Inner<K, INNER>,
    ) -> crate::inner::Inner<K, INNER> {
        let inner = &mut self.inners[node];
        (other.parent, other.index) = (inner.parent, inner.index);
        std::mem::replace(inner, other)
    }
}
