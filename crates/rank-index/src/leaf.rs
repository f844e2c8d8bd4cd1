//! A leaf: entries in fixed slots, and a permutation that says in which order they are.
//!
//! What it is not: a node that knows what lies around it; links and counts are the tree's business.
//! Invariant: `order` is a permutation of all slots, its first `len` are in use and in ascending
//! order of their entries. An entry keeps its slot as long as it stays in the leaf.
//! Cost: a search is logarithmic; insert and remove shift at most `LEAF` bytes, never entries.
//! With 58 slots, the first cache line has all that a rank needs.

use std::cmp::Ordering;

use crate::arena::{NONE, NodeId};
use crate::bytes::mask_of;
use crate::cell::{Cell, Needle};
use crate::key::Key;
use crate::link::Link;
use crate::names::Names;
use crate::partition::partition;
use crate::prefetch::{prefetch, prefetch_all};
use crate::undo::Stamp;

/// Bits of a place that hold the slot.
const SLOT_BITS: u32 = 6;
/// The most slots a leaf can have.
pub(crate) const LEAF_MAX: usize = 1 << SLOT_BITS;

/// Where an entry is. It stays there until it moves to another leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) leaf: NodeId,
    pub(crate) slot: u8,
}

impl Place {
    /// The place as the member table keeps it.
    pub(crate) fn pack(self) -> u32 {
        self.leaf << SLOT_BITS | u32::from(self.slot)
    }

    pub(crate) fn unpack(packed: u32) -> Self {
        Self { leaf: packed >> SLOT_BITS, slot: narrow((packed as usize) % LEAF_MAX) }
    }
}

/// Entries that are neighbours in order. The first cache line is all that a rank needs.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Leaf<K: Key, const LEAF: usize> {
    order: [u8; LEAF],
    len: u8,
    pub(crate) link: Link,
    // Beside the keys, since what writes a leaf has searched them.
    /// When the entries were last written, in snapshots taken before.
    pub(crate) stamp: Stamp,
    pub(crate) next: NodeId,
    pub(crate) prev: NodeId,
    keys: [K; LEAF],
    cells: [K::Member; LEAF],
}

impl<K: Key, const LEAF: usize> Leaf<K, LEAF> {
    /// A leaf without entries. `fill` is what unused slots hold; nobody reads it.
    pub(crate) fn new(fill: K, epoch: u64) -> Self {
        Self {
            order: std::array::from_fn(narrow),
            len: 0,
            link: Link::NONE,
            next: NONE,
            prev: NONE,
            stamp: Stamp::new(epoch),
            keys: [fill; LEAF],
            cells: [K::Member::EMPTY; LEAF],
        }
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() == LEAF
    }

    /// Asks for the lines that finding a rank by `slot` reads.
    #[inline]
    pub(crate) fn prefetch_rank(&self, slot: u8) {
        prefetch(&self.order);
        prefetch(self.cell_in(slot));
    }

    /// Asks for the lines that taking out the entry in `slot` reads.
    #[inline]
    pub(crate) fn prefetch_removal(&self, slot: u8) {
        self.prefetch_rank(slot);
        prefetch(&self.keys[usize::from(slot)]);
    }

    /// Asks for the lines that giving the entry in `slot` another key reads, if it stays.
    #[inline]
    pub(crate) fn prefetch_change(&self, slot: u8) {
        self.prefetch_search();
        prefetch(self.cell_in(slot));
    }

    /// Asks for the lines that a search reads.
    #[inline]
    pub(crate) fn prefetch_search(&self) {
        prefetch(&self.order);
        prefetch_all(&self.keys);
    }

    /// Asks for the lines that reading all entries reads.
    pub(crate) fn prefetch_entries(&self) {
        prefetch(&self.order);
        prefetch_all(&self.keys);
        prefetch_all(&self.cells);
    }

    /// Slots in use, in order of their entries.
    pub(crate) fn slots(&self) -> &[u8] {
        &self.order[..self.len()]
    }

    /// The whole permutation, used slots first.
    pub(crate) fn permutation(&self) -> &[u8; LEAF] {
        &self.order
    }

    #[inline]
    pub(crate) fn slot(&self, pos: usize) -> u8 {
        self.slots()[pos]
    }

    pub(crate) fn key(&self, pos: usize) -> K {
        self.keys[usize::from(self.slot(pos))]
    }

    pub(crate) fn cell(&self, pos: usize) -> &K::Member {
        &self.cells[usize::from(self.slot(pos))]
    }

    #[inline]
    pub(crate) fn key_in(&self, slot: u8) -> K {
        self.keys[usize::from(slot)]
    }

    #[inline]
    pub(crate) fn cell_in(&self, slot: u8) -> &K::Member {
        &self.cells[usize::from(slot)]
    }

    /// Key of the last entry. The leaf is not empty.
    pub(crate) fn last_key(&self) -> K {
        self.key(self.len() - 1)
    }

    /// Whether an entry of this key comes behind the first and before the last entry. The leaf is
    /// not empty.
    pub(crate) fn is_around(&self, key: &K) -> bool {
        self.key(0).is_before(key) && key.is_before(&self.last_key())
    }

    /// Position of the entry in `slot`, which is in use.
    #[inline]
    pub(crate) fn position(&self, slot: u8) -> usize {
        let pos = mask_of(&self.order, slot).trailing_zeros() as usize;
        debug_assert!(pos < self.len(), "slot {slot} is not in use");
        pos
    }

    /// Order of the entry at `pos` and the one of `key` and `needle`.
    pub(crate) fn order(
        &self,
        pos: usize,
        key: &K,
        needle: &Needle<'_>,
        names: &Names,
    ) -> Ordering {
        let slot = self.slot(pos);
        self.key_in(slot).order(key).then_with(|| self.cell_in(slot).order(needle, names))
    }

    /// Entries before the one of `key` and `needle`. Looks at members only for ties.
    pub(crate) fn lower_bound(&self, key: &K, needle: &Needle<'_>, names: &Names) -> usize {
        self.slots().partition_point(|&slot| {
            let other = &self.keys[usize::from(slot)];
            other.is_before(key)
                || !key.is_before(other) && self.cell_in(slot).order(needle, names).is_lt()
        })
    }

    /// Entries whose key satisfies `before`, which must hold for a prefix of them.
    #[inline(always)]
    pub(crate) fn partition_by_key(&self, mut before: impl FnMut(&K) -> bool) -> usize {
        let key_at = |pos: usize| &self.keys[usize::from(self.order[pos])];
        partition::<LEAF>(self.len(), |pos| before(key_at(pos)))
    }

    /// The slot that the next entry gets. The leaf is not full.
    pub(crate) fn free_slot(&self) -> u8 {
        self.order[self.len()]
    }

    /// Puts an entry at `pos` and returns its slot. The leaf is not full.
    pub(crate) fn insert(&mut self, pos: usize, key: K, cell: K::Member) -> u8 {
        let len = self.len();
        debug_assert!(pos <= len && len < LEAF);
        let slot = self.free_slot();
        self.order.copy_within(pos..len, pos + 1);
        self.order[pos] = slot;
        self.len += 1;
        self.keys[usize::from(slot)] = key;
        self.cells[usize::from(slot)] = cell;
        slot
    }

    /// Takes the entry at `pos` out.
    pub(crate) fn remove(&mut self, pos: usize) -> (K, K::Member) {
        let len = self.len();
        let slot = self.slot(pos);
        self.order.copy_within(pos + 1..len, pos);
        self.order[len - 1] = slot;
        self.len -= 1;
        (self.key_in(slot), *self.cell_in(slot))
    }

    /// Takes the `count` entries from `from` on out, leaving their slots free.
    pub(crate) fn remove_range(&mut self, from: usize, count: usize) {
        let len = self.len();
        debug_assert!(from + count <= len);
        self.order[from..len].rotate_left(count);
        self.len = narrow(len - count);
    }

    /// Replaces the key of the entry at `pos` by one of the same order.
    pub(crate) fn set_key(&mut self, pos: usize, key: K) {
        let slot = usize::from(self.slot(pos));
        self.keys[slot] = key;
    }
}

/// A number below 256 as a byte: positions, slots and children all are.
pub(crate) fn narrow(number: usize) -> u8 {
    debug_assert!(number <= usize::from(u8::MAX));
    #[expect(clippy::cast_possible_truncation, reason = "nodes have fewer than 256 slots")]
    {
        number as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::AnyBytes;
    use crate::key::ScoreKey;

    type Small = Leaf<ScoreKey, 6>;

    fn scores(leaf: &Small) -> Vec<u64> {
        (0..leaf.len()).map(|pos| leaf.key(pos).score).collect()
    }

    fn leaf_of(list: &[u64]) -> Small {
        let mut leaf = Small::new(ScoreKey { score: 0 }, 0);
        for &score in list {
            let pos = leaf.partition_by_key(|key| key.score < score);
            leaf.insert(pos, ScoreKey { score }, AnyBytes::EMPTY);
        }
        leaf
    }

    #[test]
    fn entries_keep_their_slots() {
        let mut leaf = leaf_of(&[50, 10, 30, 20]);
        assert_eq!(scores(&leaf), [10, 20, 30, 50]);
        let slot = leaf.slot(2);
        leaf.remove(0);
        assert_eq!(leaf.position(slot), 1);
        leaf.insert(0, ScoreKey { score: 5 }, AnyBytes::EMPTY);
        leaf.insert(1, ScoreKey { score: 6 }, AnyBytes::EMPTY);
        assert_eq!(leaf.position(slot), 3);
        assert_eq!(leaf.key_in(slot).score, 30);
    }

    #[test]
    fn the_slot_freed_last_is_taken_first() {
        let mut leaf = leaf_of(&[0, 10, 20, 30, 40]);
        for from in 0..5 {
            let slot = leaf.slot(from);
            leaf.remove(from);
            assert_eq!(leaf.insert(4 - from, ScoreKey { score: 7 }, AnyBytes::EMPTY), slot);
        }
    }

    #[test]
    fn remove_range_keeps_a_permutation() {
        for from in 0..=5 {
            for count in 0..=5 - from {
                let mut leaf = leaf_of(&[0, 10, 20, 30, 40]);
                let mut expected = scores(&leaf);
                expected.drain(from..from + count);
                leaf.remove_range(from, count);
                assert_eq!(scores(&leaf), expected);
                let mut slots = leaf.permutation().to_vec();
                slots.sort_unstable();
                assert_eq!(slots, [0, 1, 2, 3, 4, 5]);
            }
        }
    }

    #[test]
    fn places_pack_into_a_word() {
        let place = Place { leaf: (1 << 26) - 1, slot: 63 };
        assert_eq!(Place::unpack(place.pack()), place);
        assert_eq!(place.pack(), u32::MAX);
    }
}
