//! A new entry, and the room that it needs.
//!
//! What it is not: a search. Invariant: between any two steps here every structural invariant holds
//! except the one being restored. Cost: O(log n); a full leaf first shifts entries to a neighbour
//! under the same parent, so that splits are rare and leaves stay well filled. Appending splits
//! off an empty leaf, so that a sorted load leaves full ones behind.

use super::{Spot, Tree, at_level};
use crate::arena::{NONE, NodeId};
use crate::cell::Needle;
use crate::epochs::Context;
use crate::inner::{Inner, Tally};
use crate::key::{Key, begins_run};
use crate::leaf::{Leaf, Place};
use crate::link::Link;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Inserts the member `needle`, stored in `cell`, which is not in the tree. Its key belongs
    /// into `leaf`.
    pub(super) fn insert(
        &mut self,
        cx: &mut Context<K, LEAF>,
        leaf: NodeId,
        needle: &Needle<'_>,
        hash: u64,
        key: K,
        cell: K::Member,
    ) {
        let spot = Spot { leaf, pos: self.leaves[leaf].lower_bound(&key, needle, &cx.names) };
        let spot = if self.leaves[leaf].is_full() { self.make_room(cx, spot, key) } else { spot };
        let (own, next) = self.run_effect(spot, &key);
        self.add_next(next);
        self.add(spot.leaf, Tally::change(1, own));
        let place = self.put(cx, spot, key, cell);
        self.register(cx, hash, place);
        self.len += 1;
    }

    /// Puts an entry into a leaf with room; counts and the table are the caller's.
    pub(super) fn put(
        &mut self,
        cx: &mut Context<K, LEAF>,
        spot: Spot,
        key: K,
        cell: K::Member,
    ) -> Place {
        let leaf = self.leaf_mut(cx, spot.leaf);
        cx.epochs.save(leaf, leaf.free_slot());
        let slot = leaf.insert(spot.pos, key, cell);
        Place { leaf: spot.leaf, slot }
    }

    /// What an entry of `key` between the neighbours of `spot` does to the number of runs: in its
    /// own leaf, and (where that is another one) in the leaf of its successor.
    pub(super) fn run_effect(&self, spot: Spot, key: &K) -> (i32, Option<(NodeId, i32)>) {
        let leaf = &self.leaves[spot.leaf];
        if spot.pos == 0 || spot.pos >= leaf.len() {
            return self.run_effect_at_edge(spot, key);
        }
        let (before, after) = (leaf.key(spot.pos - 1), leaf.key(spot.pos));
        let own = i32::from(!before.same_score(key)) + i32::from(!key.same_score(&after));
        (own - i32::from(!before.same_score(&after)), None)
    }

    /// As [`run_effect`](Self::run_effect), where a neighbour is in another leaf or not there.
    #[inline(never)]
    fn run_effect_at_edge(&self, spot: Spot, key: &K) -> (i32, Option<(NodeId, i32)>) {
        let before = self.key_before(spot);
        let own = i32::from(begins_run(before, key));
        let Some((leaf, after)) = self.key_from(spot) else { return (own, None) };
        let effect =
            i32::from(begins_run(Some(*key), &after)) - i32::from(begins_run(before, &after));
        if leaf == spot.leaf {
            (own + effect, None)
        } else {
            (own, (effect != 0).then_some((leaf, effect)))
        }
    }

    /// Applies the second part of a run effect.
    pub(super) fn add_next(&mut self, next: Option<(NodeId, i32)>) {
        if let Some((leaf, runs)) = next {
            self.add(leaf, Tally::change(0, runs));
        }
    }

    /// Makes room in or beside the full leaf of `spot` and returns where the entry goes now.
    pub(super) fn make_room(&mut self, cx: &mut Context<K, LEAF>, spot: Spot, key: K) -> Spot {
        let leaf = &self.leaves[spot.leaf];
        if leaf.next == NONE && spot.pos == leaf.len() {
            let right = self.split_leaf(cx, spot.leaf, LEAF, key);
            return Spot { leaf: right, pos: 0 };
        }
        if let Some(spot) = self.shift(cx, spot) {
            return spot;
        }
        let cut = LEAF / 2;
        let right = self.split_leaf(cx, spot.leaf, cut, key);
        if spot.pos <= cut { spot } else { Spot { leaf: right, pos: spot.pos - cut } }
    }

    /// Evens the full leaf of `spot` out with the emptier of its neighbours under the same parent,
    /// unless both are nearly full too.
    fn shift(&mut self, cx: &mut Context<K, LEAF>, spot: Spot) -> Option<Spot> {
        let room = |leaf: Option<NodeId>| leaf.map_or(0, |leaf| LEAF - self.leaves[leaf].len());
        let (left, right) = self.siblings(spot.leaf);
        let (room_left, room_right) = (room(left), room(right));
        let count = room_left.max(room_right).div_ceil(2);
        if room_left.max(room_right) < Self::LEAF_ROOM_MIN {
            return None;
        }
        cx.counts.shifts += 1;
        if room_left >= room_right {
            let left = left?;
            let end = LEAF - room_left;
            self.shift_left(cx, left, spot.leaf, count);
            let leaf_pos = |pos: usize| Spot { leaf: spot.leaf, pos: pos - count };
            let left_pos = |pos: usize| Spot { leaf: left, pos: end + pos };
            Some(if spot.pos <= count { left_pos(spot.pos) } else { leaf_pos(spot.pos) })
        } else {
            let right = right?;
            self.shift_right(cx, spot.leaf, right, count);
            let cut = LEAF - count;
            Some(if spot.pos <= cut { spot } else { Spot { leaf: right, pos: spot.pos - cut } })
        }
    }

    /// The leaves beside `leaf` that have the same parent.
    pub(super) fn siblings(&self, leaf: NodeId) -> (Option<NodeId>, Option<NodeId>) {
        let Some((parent, index)) = self.leaves[leaf].link.up() else { return (None, None) };
        let parent = &self.bases[parent];
        let left = index.checked_sub(1).map(|left| parent.child(left));
        (left, parent.children().get(index + 1).copied())
    }

    /// Moves the first `count` entries of `right` to the end of `left`, its left sibling. Entries
    /// remain in `right`.
    pub(super) fn shift_left(
        &mut self,
        cx: &mut Context<K, LEAF>,
        left: NodeId,
        right: NodeId,
        count: usize,
    ) {
        let moved = self.tally_of(right, 0..count);
        let end = Spot { leaf: left, pos: self.leaves[left].len() };
        self.move_entries(cx, Spot { leaf: right, pos: 0 }, count, end);
        self.move_boundary(right, moved);
    }

    /// Moves the last `count` entries of `left` to the front of `right`, its right sibling.
    pub(super) fn shift_right(
        &mut self,
        cx: &mut Context<K, LEAF>,
        left: NodeId,
        right: NodeId,
        count: usize,
    ) {
        let len = self.leaves[left].len();
        let moved = self.tally_of(left, len - count..len);
        let from = Spot { leaf: left, pos: len - count };
        self.move_entries(cx, from, count, Spot { leaf: right, pos: 0 });
        self.move_boundary(right, Tally::ZERO.minus(moved));
    }

    /// `moved` went from `right` to its left sibling: corrects their common parent.
    fn move_boundary(&mut self, right: NodeId, moved: Tally) {
        let leaf = &self.leaves[right];
        let sep = leaf.key(0);
        let (parent, index) = leaf.link.up().expect("a leaf with a sibling has a parent");
        let parent = &mut self.bases[parent];
        parent.move_left(index, moved);
        parent.set_sep(index, sep);
    }

    /// Moves the entries from `cut` on into a new leaf behind `leaf`. When that leaves the new one
    /// empty, an entry of `key` is about to be put there.
    fn split_leaf(
        &mut self,
        cx: &mut Context<K, LEAF>,
        leaf: NodeId,
        cut: usize,
        key: K,
    ) -> NodeId {
        cx.counts.leaf_splits += 1;
        let appending = cut == LEAF;
        let (parent, index) = self.parent_with_room(cx, leaf, appending);
        let moved = self.tally_of(leaf, cut..LEAF);
        let sep = if appending { key } else { self.leaves[leaf].key(cut) };
        let right = self.leaves.insert(Leaf::new(sep, cx.epochs.now()));
        self.link_behind(leaf, right);
        let from = Spot { leaf, pos: cut };
        self.move_entries(cx, from, LEAF - cut, Spot { leaf: right, pos: 0 });
        self.bases[parent].split_child(index, right, sep, moved);
        self.adopt(1, parent, index + 1);
        right
    }

    fn link_behind(&mut self, leaf: NodeId, right: NodeId) {
        let next = self.leaves[leaf].next;
        (self.leaves[right].prev, self.leaves[right].next) = (leaf, next);
        self.leaves[leaf].next = right;
        if next == NONE {
            self.last = right;
        } else {
            self.leaves[next].prev = right;
        }
    }

    /// The parent of `leaf` and its index there, after making sure that one more child fits.
    fn parent_with_room(
        &mut self,
        cx: &mut Context<K, LEAF>,
        leaf: NodeId,
        appending: bool,
    ) -> (NodeId, usize) {
        match self.leaves[leaf].link.up() {
            None => {
                let total = self.tally_of(leaf, 0..self.leaves[leaf].len());
                self.grow_root(self.leaves[leaf].key(0), total);
            }
            Some((parent, _)) if self.bases[parent].is_full() => {
                self.split_inner(cx, 1, parent, appending);
            }
            Some(_) => {}
        }
        self.leaves[leaf].link.up().expect("a root was put above it")
    }

    /// Puts a new root with one child over the old one.
    fn grow_root(&mut self, sep: K, total: Tally) {
        let old = self.root;
        self.height += 1;
        self.root = at_level!(mut self, self.height, nodes => {
            nodes.insert(Inner::over(self.height, old, sep, total))
        });
        self.set_link(self.height - 1, old, Link::new(self.root, 0));
    }

    /// Splits a full inner node, in the middle or (appending) before its last child.
    fn split_inner(&mut self, cx: &mut Context<K, LEAF>, level: u8, node: NodeId, appending: bool) {
        cx.counts.inner_splits += 1;
        match self.link(level, node).up() {
            None => {
                let (sep, total) = at_level!(self, level, nodes => {
                    (nodes[node].sep(0), nodes[node].total())
                });
                self.grow_root(sep, total);
            }
            Some((parent, _)) if self.uppers[parent].is_full() => {
                self.split_inner(cx, level + 1, parent, appending);
            }
            Some(_) => {}
        }
        let (right, sep, moved) = at_level!(mut self, level, nodes => {
            let left = &mut nodes[node];
            let cut = if appending { left.len() - 1 } else { left.len() / 2 };
            let right = left.split_off(cut);
            let (sep, moved) = (right.sep(0), right.total());
            (nodes.insert(right), sep, moved)
        });
        self.adopt(level, right, 0);
        let (parent, index) = self.link(level, node).up().expect("a root was put above it");
        self.uppers[parent].split_child(index, right, sep, moved);
        self.adopt(level + 1, parent, index + 1);
    }
}
