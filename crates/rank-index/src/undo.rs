//! What leaves were like before they were written: one record for each leaf and interval.
//!
//! What it is not: a copy of a leaf. An entry keeps its slot as long as it stays in its leaf, so
//! the order of that time and those entries whose slots were overwritten since are enough.
//! Invariant: within a record, a slot whose old entry some snapshot may read is *pinned* until the
//! entry has been saved; a slot is overwritten only after that. Cost: a record has 152 bytes with
//! leaves of 57 to 64 slots, a block of [`BLOCK_SLOTS`] saved entries 96 bytes (`ScoreKey`) or 128
//! (with a tie or a note); so a leaf costs 152 bytes when it is first written, and at most 1 592
//! (2 072) when every one of 58 slots is overwritten.

use crate::arena::{Arena, NONE, NodeId};
use crate::key::Key;
use crate::leaf::{LEAF_MAX, Leaf, narrow};

/// Neighbouring slots whose entries are saved in the same block.
const BLOCK_SLOTS: usize = 4;

const RECORD_BITS: u32 = 26;
const NO_RECORD: NodeId = (1 << RECORD_BITS) - 1;
/// Epochs of an index: a million snapshots a second would use them up in three days.
pub(crate) const EPOCHS_MAX: u64 = 1 << (u64::BITS - RECORD_BITS);

/// When a leaf was last written, and the record that this left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    /// Written in `epoch`, and no snapshot knows the leaf.
    pub(crate) fn new(epoch: u64) -> Self {
        Self(epoch << RECORD_BITS | u64::from(NO_RECORD))
    }

    fn of_record(epoch: u64, record: NodeId) -> Self {
        assert!(record < NO_RECORD, "an interval has one record for each leaf at most");
        Self(epoch << RECORD_BITS | u64::from(record))
    }

    #[inline]
    pub(crate) fn epoch(self) -> u64 {
        self.0 >> RECORD_BITS
    }

    #[inline]
    pub(crate) fn record(self) -> Option<NodeId> {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let record = self.0 as NodeId & NO_RECORD;
        (record != NO_RECORD).then_some(record)
    }
}

/// A leaf as it was when an interval began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<const LEAF: usize> {
    order: [u8; LEAF],
    len: u8,
    /// The leaf's stamp of that time: leads to its record of an earlier interval, if it has one.
    pub(crate) before: Stamp,
    /// Slots whose entry is to be saved before it is overwritten.
    pinned: u64,
    /// Slots whose entry of that time is in a block.
    pub(crate) saved: u64,
    blocks: [NodeId; LEAF_MAX / BLOCK_SLOTS],
}

impl<const LEAF: usize> Record<LEAF> {
    /// Slots that were in use, in order of their entries.
    pub(crate) fn slots(&self) -> &[u8] {
        &self.order[..usize::from(self.len)]
    }
}

/// Saved entries of neighbouring slots; those that were not saved hold anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<K: Key> {
    keys: [K; BLOCK_SLOTS],
    cells: [K::Member; BLOCK_SLOTS],
}

/// The records of all leaves that were written in one interval.
#[derive(Debug)]
pub(crate) struct Undo<K: Key, const LEAF: usize> {
    records: Arena<Record<LEAF>>,
    blocks: Arena<Block<K>>,
}

impl<K: Key, const LEAF: usize> Undo<K, LEAF> {
    pub(crate) const fn new() -> Self {
        Self { records: Arena::new(), blocks: Arena::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.slots() == 0
    }

    /// Whether there is such a record, in order.
    pub(crate) fn has(&self, number: NodeId) -> bool {
        (number as usize) < self.records.slots() && {
            let record = &self.records[number];
            record.pinned & record.saved == 0
        }
    }

    pub(crate) fn record(&self, number: NodeId) -> &Record<LEAF> {
        &self.records[number]
    }

    /// Notes how `leaf` is and gives it its stamp. Beside the slots in use, those in `pinned` are
    /// wanted, for snapshots from before.
    pub(crate) fn begin(&mut self, leaf: &mut Leaf<K, LEAF>, epoch: u64, pinned: u64) {
        let in_use = leaf.slots().iter().fold(0, |slots, slot| slots | 1_u64 << slot);
        let record = self.records.insert(Record {
            order: *leaf.permutation(),
            len: narrow(leaf.len()),
            before: leaf.stamp,
            pinned: pinned | in_use,
            saved: 0,
            blocks: [NONE; LEAF_MAX / BLOCK_SLOTS],
        });
        leaf.stamp = Stamp::of_record(epoch, record);
    }

    /// Saves the entry in `slot`, which is about to be overwritten, if anybody may read it.
    #[inline]
    pub(crate) fn save(&mut self, record: NodeId, leaf: &Leaf<K, LEAF>, slot: u8) {
        let record = &mut self.records[record];
        let bit = 1_u64 << slot;
        if record.pinned & bit == 0 {
            return;
        }
        record.pinned &= !bit;
        record.saved |= bit;
        let (key, cell) = (leaf.key_in(slot), *leaf.cell_in(slot));
        let (number, at) = (usize::from(slot) / BLOCK_SLOTS, usize::from(slot) % BLOCK_SLOTS);
        if record.blocks[number] == NONE {
            let block = Block { keys: [key; BLOCK_SLOTS], cells: [cell; BLOCK_SLOTS] };
            record.blocks[number] = self.blocks.insert(block);
        } else {
            let block = &mut self.blocks[record.blocks[number]];
            (block.keys[at], block.cells[at]) = (key, cell);
        }
    }

    /// The entry of `slot` when the interval began, which is saved in the record.
    pub(crate) fn saved(&self, record: &Record<LEAF>, slot: u8) -> (K, &K::Member) {
        debug_assert!(record.saved >> slot & 1 == 1);
        let (number, at) = (usize::from(slot) / BLOCK_SLOTS, usize::from(slot) % BLOCK_SLOTS);
        let block = &self.blocks[record.blocks[number]];
        (block.keys[at], &block.cells[at])
    }

    /// Slots of the record that are still to be saved when they are overwritten.
    pub(crate) fn pinned(&self, record: NodeId) -> u64 {
        self.records[record].pinned
    }

    /// Gives a part of the memory back, the latest first; false when nothing is left.
    pub(crate) fn shrink(&mut self) -> bool {
        if self.blocks.slots() > self.records.slots() {
            self.blocks.pop_segment().is_some()
        } else {
            self.records.pop_segment().is_some()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_tell_epoch_and_record() {
        for epoch in [0, 1, EPOCHS_MAX - 1] {
            assert_eq!(Stamp::new(epoch).epoch(), epoch);
            assert_eq!(Stamp::new(epoch).record(), None);
            for record in [0, 1, NO_RECORD - 1] {
                let stamp = Stamp::of_record(epoch, record);
                assert_eq!((stamp.epoch(), stamp.record()), (epoch, Some(record)));
            }
        }
    }

    #[test]
    fn sizes_are_as_the_head_says() {
        use crate::key::{ScoreKey, ScoreTieKey};
        assert_eq!(size_of::<Record<58>>(), 152);
        assert_eq!((size_of::<Block<ScoreKey>>(), size_of::<Block<ScoreTieKey>>()), (96, 128));
        let blocks = 58_usize.div_ceil(BLOCK_SLOTS);
        assert_eq!((152 + blocks * 96, 152 + blocks * 128), (1_592, 2_072));
    }
}
