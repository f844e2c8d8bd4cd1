//! Where something is in an array, by a hash of it.
//!
//! What it is: hash tables of 32-bit positions, four bytes and one of hash an entry. What it is
//! not: a map; keys are wherever the positions lead, and the caller compares them. Invariant: one
//! position at most for a key, which the caller keeps by looking before inserting. Cost: O(1); a
//! large table is split in many, so that growing never moves more than a few thousand entries.

use hashbrown::HashTable;

/// Entries of the single first table, and then on average of each.
const SPLIT: usize = 1 << 15;
const SHARDS: usize = 1 << 10;

/// Positions by hash.
#[derive(Debug)]
pub(crate) struct Positions {
    shards: Vec<HashTable<u32>>,
    len: usize,
}

impl Default for Positions {
    fn default() -> Self {
        Self { shards: vec![HashTable::new()], len: 0 }
    }
}

impl Positions {
    /// The tables use the lowest and highest bits, so shards go by those between.
    fn shard(&self, hash: u64) -> usize {
        (hash >> 40) as usize % self.shards.len()
    }

    pub(crate) fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        self.shards[self.shard(hash)].find(hash, |at| is(*at)).copied()
    }

    /// Inserts; `hash_of` gives the hash of any position that is inside.
    pub(crate) fn insert(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if self.shards.len() == 1 && self.len == SPLIT {
            self.split(&hash_of);
        }
        let shard = self.shard(hash);
        self.shards[shard].insert_unique(hash, at, |at| hash_of(*at));
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let shard = self.shard(hash);
        let entry = self.shards[shard].find_entry(hash, |at| is(*at)).ok()?;
        self.len -= 1;
        Some(entry.remove().0)
    }

    fn split(&mut self, hash_of: &impl Fn(u32) -> u64) {
        let old = std::mem::replace(&mut self.shards, vec![HashTable::new(); SHARDS]);
        for at in old.into_iter().flatten() {
            let hash = hash_of(at);
            let shard = self.shard(hash);
            self.shards[shard].insert_unique(hash, at, |at| hash_of(*at));
        }
    }

    /// Bytes of the tables.
    pub(crate) fn bytes(&self) -> u64 {
        let tables = self.shards.len() * size_of::<HashTable<u32>>();
        let held: usize = self.shards.iter().map(HashTable::allocation_size).sum();
        (tables + held) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_found_before_and_after_the_split() {
        let hash = |at: u32| u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut positions = Positions::default();
        for at in 0..100_000 {
            assert_eq!(positions.find(hash(at), |found| found == at), None);
            positions.insert(hash(at), at, hash);
        }
        for at in (0..100_000).step_by(3) {
            assert_eq!(positions.remove(hash(at), |found| found == at), Some(at));
        }
        for at in 0..100_000 {
            let expected = (at % 3 != 0).then_some(at);
            assert_eq!(positions.find(hash(at), |found| found == at), expected);
        }
        assert!(positions.bytes() >= 5 * 66_000);
    }
}
