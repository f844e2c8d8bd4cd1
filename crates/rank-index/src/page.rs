//! A leaf as a reader sees it: as it is now, or as it was at a snapshot.
//!
//! What it is not: a copy. Invariant: the entries are in the order and the slots that they had at
//! that moment; a slot that was overwritten since is read from the undo records. Cost: making one
//! and reading a saved slot visit the leaf's records since the snapshot, one for each interval in
//! which the leaf was written; anything else costs what it costs in a leaf.

use std::cmp::Ordering;

use crate::cell::{Cell, Needle};
use crate::epochs::Epochs;
use crate::key::Key;
use crate::leaf::Leaf;
use crate::names::Names;

/// See the module's head.
#[derive(Debug)]
pub(crate) struct Page<'a, K: Key, const LEAF: usize> {
    leaf: &'a Leaf<K, LEAF>,
    order: &'a [u8],
    /// Slots that are to be read from the records.
    saved: u64,
    moment: Option<Moment<'a, K, LEAF>>,
}

/// When a snapshot was taken, and the records since.
#[derive(Debug)]
pub(crate) struct Moment<'a, K: Key, const LEAF: usize> {
    pub(crate) epochs: &'a Epochs<K, LEAF>,
    pub(crate) epoch: u64,
}

impl<K: Key, const LEAF: usize> Clone for Page<'_, K, LEAF> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, const LEAF: usize> Copy for Page<'_, K, LEAF> {}

impl<K: Key, const LEAF: usize> Clone for Moment<'_, K, LEAF> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: Key, const LEAF: usize> Copy for Moment<'_, K, LEAF> {}

impl<'a, K: Key, const LEAF: usize> Page<'a, K, LEAF> {
    /// The leaf as it is.
    pub(crate) fn now(leaf: &'a Leaf<K, LEAF>) -> Self {
        Self { leaf, order: leaf.slots(), saved: 0, moment: None }
    }

    /// The leaf as it was at `moment`, when it was there.
    pub(crate) fn at(leaf: &'a Leaf<K, LEAF>, moment: Moment<'a, K, LEAF>) -> Self {
        let mut page = Self { moment: Some(moment), ..Self::now(leaf) };
        for (_, record) in moment.epochs.records_since(leaf.stamp, moment.epoch) {
            page.order = record.slots();
            page.saved |= record.saved;
        }
        page
    }

    /// The leaf now; its entries may be others.
    pub(crate) fn leaf(&self) -> &'a Leaf<K, LEAF> {
        self.leaf
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    #[inline]
    pub(crate) fn entry(&self, pos: usize) -> (K, &'a K::Member) {
        self.entry_in(self.order[pos])
    }

    /// The entries from position `start` up to `end`.
    #[inline]
    pub(crate) fn entries(
        self,
        start: usize,
        end: usize,
    ) -> impl Iterator<Item = (K, &'a K::Member)> {
        self.order[start..end].iter().map(move |&slot| self.entry_in(slot))
    }

    #[inline]
    fn entry_in(&self, slot: u8) -> (K, &'a K::Member) {
        if self.saved >> slot & 1 == 0 {
            (self.leaf.key_in(slot), self.leaf.cell_in(slot))
        } else {
            self.saved_entry(slot)
        }
    }

    /// The entry that the slot had at the moment: the oldest of those that were saved since.
    #[cold]
    fn saved_entry(&self, slot: u8) -> (K, &'a K::Member) {
        let moment = self.moment.expect("only a snapshot reads what was saved");
        let mut entry = (self.leaf.key_in(slot), self.leaf.cell_in(slot));
        for (undo, record) in moment.epochs.records_since(self.leaf.stamp, moment.epoch) {
            if record.saved >> slot & 1 == 1 {
                entry = undo.saved(record, slot);
            }
        }
        entry
    }

    pub(crate) fn key(&self, pos: usize) -> K {
        self.entry(pos).0
    }

    /// Key of the last entry. The leaf was not empty.
    pub(crate) fn last_key(&self) -> K {
        self.key(self.len() - 1)
    }

    /// Order of the entry at `pos` and the one of `key` and `needle`.
    pub(crate) fn order(
        &self,
        pos: usize,
        key: &K,
        needle: &Needle<'_>,
        names: &Names,
    ) -> Ordering {
        let (own, cell) = self.entry(pos);
        own.order(key).then_with(|| cell.order(needle, names))
    }
}
