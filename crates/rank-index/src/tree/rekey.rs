//! A member gets another key.
//!
//! What it is not: a removal and an insert; the member's name stays, and mostly its slot.
//! Invariant: the table is written only when the entry changes leaf. Cost: one leaf when the entry
//! stays in it, else one descent; counts change no higher than where both leaves meet.

use std::cmp::Ordering;

use super::{Spot, Tree};
use crate::cell::Needle;
use crate::epochs::Context;
use crate::inner::Tally;
use crate::key::Key;
use crate::leaf::Place;

impl<K: Key, const LEAF: usize, const INNER: usize> Tree<K, LEAF, INNER> {
    /// Gives the member at `place` a new key and returns the old one.
    pub(crate) fn rekey(
        &mut self,
        cx: &mut Context<K, LEAF>,
        place: Place,
        needle: &Needle<'_>,
        hash: u64,
        key: K,
    ) -> K {
        let old = self.key_in(place);
        if old == key {
            return old;
        }
        let from = self.spot(place);
        if old.order(&key) == Ordering::Equal {
            self.leaf_mut(cx, from.leaf).set_key(from.pos, key);
            return old;
        }
        if self.is_inside(cx, from, &key, needle) {
            self.rekey_inside(cx, from, needle, key);
            return old;
        }
        let to = self.search(&cx.names, &key, needle);
        if to.leaf == from.leaf {
            self.rekey_inside(cx, from, needle, key);
        } else if self.leaves[to.leaf].is_full() || self.leaves[from.leaf].len() == 1 {
            let (_, cell) = self.remove(cx, place, hash);
            self.insert_cell(cx, needle, hash, key, cell);
        } else {
            self.rekey_across(cx, place, to, hash, key);
        }
        old
    }

    /// Whether the new entry lies between the first and the last one of the old one's leaf, so that
    /// nothing above the leaf needs to be looked at.
    fn is_inside(&self, cx: &Context<K, LEAF>, from: Spot, key: &K, needle: &Needle<'_>) -> bool {
        let leaf = &self.leaves[from.leaf];
        leaf.order(0, key, needle, &cx.names) == Ordering::Less
            && leaf.order(leaf.len() - 1, key, needle, &cx.names) == Ordering::Greater
    }

    /// The entry stays in its leaf and slot: only the permutation changes, and perhaps the runs.
    fn rekey_inside(&mut self, cx: &Context<K, LEAF>, from: Spot, needle: &Needle<'_>, key: K) {
        let leaf = self.leaf_mut(cx, from.leaf);
        let (old, cell) = leaf.remove(from.pos);
        let to = Spot { leaf: from.leaf, pos: leaf.lower_bound(&key, needle, &cx.names) };
        let (own_old, next_old) = self.run_effect(from, &old);
        let (own_new, next_new) = self.run_effect(to, &key);
        // The slot that was freed last is the one that is taken first.
        self.put(cx, to, key, cell);
        self.add_next(next_old.map(|(leaf, runs)| (leaf, -runs)));
        self.add_next(next_new);
        self.add(from.leaf, Tally::change(0, own_new - own_old));
    }

    /// The entry moves to a leaf that has room, from one that keeps others.
    fn rekey_across(
        &mut self,
        cx: &mut Context<K, LEAF>,
        place: Place,
        to: Spot,
        hash: u64,
        key: K,
    ) {
        let from = self.spot(place);
        let (old, cell) = self.leaf_mut(cx, from.leaf).remove(from.pos);
        let (own_old, next_old) = self.run_effect(from, &old);
        let (own_new, next_new) = self.run_effect(to, &key);
        self.add_next(next_old.map(|(leaf, runs)| (leaf, -runs)));
        self.add_next(next_new);
        let taken = (from.leaf, Tally::change(-1, -own_old));
        self.add_both(taken, (to.leaf, Tally::change(1, own_new)));
        let new = self.put(cx, to, key, cell);
        self.table.relocate(hash, place, new);
        self.rebalance(cx, from.leaf);
    }
}
