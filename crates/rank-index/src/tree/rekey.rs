//! A member gets a key: its first, or another.
//!
//! What it is not: a removal and an insert; the member's name stays, and mostly its slot.
//! Invariant: the table is written only when the entry changes leaf. Cost: one descent, during
//! which the member's line of the table arrives, then the two leaves at once; counts change no
//! higher than where both leaves meet.

use std::cmp::Ordering;

use super::{Spot, Tree};
use crate::arena::NodeId;
use crate::cell::Needle;
use crate::epochs::Context;
use crate::error::IndexError;
use crate::inner::Tally;
use crate::key::Key;
use crate::table::Found;

impl<K: Key, const LEAF: usize, const INNER: usize, const UPPER: usize>
    Tree<K, LEAF, INNER, UPPER>
{
    /// Gives the member `needle` the key `key` and returns the one that it had.
    ///
    /// # Errors
    /// If the member is not there and there is no room for it.
    pub(crate) fn upsert(
        &mut self,
        cx: &mut Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
        key: K,
    ) -> Result<Option<K>, IndexError> {
        self.table.prefetch(hash);
        let leaf = self.search_leaf(&cx.names, &key, needle);
        self.leaves[leaf].prefetch_search();
        if let Some(found) = self.find_to_write(cx, needle, hash) {
            return Ok(Some(self.rekey(cx, found, leaf, needle, hash, key)));
        }
        if self.len >= Self::MEMBERS_MAX {
            return Err(IndexError::Full { members_max: self.len });
        }
        let cell = cx.store(needle, hash);
        self.insert(cx, leaf, needle, hash, key, cell);
        Ok(None)
    }

    /// Gives the member `needle` the key that `change` makes of the one that it has, and returns
    /// that one.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert).
    pub(crate) fn update(
        &mut self,
        cx: &mut Context<K, LEAF>,
        needle: &Needle<'_>,
        hash: u64,
        change: impl FnOnce(Option<K>) -> Option<K>,
    ) -> Result<Option<K>, IndexError> {
        let Some(found) = self.find_to_write(cx, needle, hash) else {
            return match change(None) {
                Some(key) => self.upsert(cx, needle, hash, key),
                None => Ok(None),
            };
        };
        let old = self.key_in(found.place);
        if let Some(key) = change(Some(old)) {
            let to = match self.leaves[found.place.leaf].is_around(&key) {
                true => found.place.leaf,
                false => self.search_leaf(&cx.names, &key, needle),
            };
            self.rekey(cx, found, to, needle, hash, key);
        }
        Ok(Some(old))
    }

    /// Gives the member that was found a new key, which belongs into the leaf `to`, and returns the
    /// old one.
    fn rekey(
        &mut self,
        cx: &mut Context<K, LEAF>,
        found: Found,
        to: NodeId,
        needle: &Needle<'_>,
        hash: u64,
        key: K,
    ) -> K {
        let place = found.place;
        let old = self.key_in(place);
        if old == key {
            return old;
        }
        let from = self.spot(place);
        if old.order(&key) == Ordering::Equal {
            let leaf = self.leaf_mut(cx, from.leaf);
            cx.epochs.save(leaf, place.slot);
            leaf.set_key(from.pos, key);
        } else if to == from.leaf {
            self.rekey_inside(cx, from, needle, key);
        } else if self.leaves[to].is_full() || self.leaves[from.leaf].len() == 1 {
            let (_, cell) = self.remove(cx, found, hash);
            let to = self.search_leaf(&cx.names, &key, needle);
            self.insert(cx, to, needle, hash, key, cell);
        } else {
            let pos = self.leaves[to].lower_bound(&key, needle, &cx.names);
            self.rekey_across(cx, found, from, Spot { leaf: to, pos }, key);
        }
        old
    }

    /// The entry stays in its leaf and slot: only the permutation changes, and perhaps the runs.
    fn rekey_inside(&mut self, cx: &mut Context<K, LEAF>, from: Spot, needle: &Needle<'_>, key: K) {
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
        found: Found,
        from: Spot,
        to: Spot,
        key: K,
    ) {
        let (old, cell) = self.leaf_mut(cx, from.leaf).remove(from.pos);
        let (own_old, next_old) = self.run_effect(from, &old);
        let (own_new, next_new) = self.run_effect(to, &key);
        self.add_next(next_old.map(|(leaf, runs)| (leaf, -runs)));
        self.add_next(next_new);
        let taken = (from.leaf, Tally::change(-1, -own_old));
        self.add_both(taken, (to.leaf, Tally::change(1, own_new)));
        let new = self.put(cx, to, key, cell);
        self.table.set_place(found, new);
        self.rebalance(cx, from.leaf);
    }
}
